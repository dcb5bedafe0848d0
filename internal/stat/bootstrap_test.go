package stat

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// meanOf makes a worker that averages values over the drawn groups.
func meanOf(values []float64) func() Statistic {
	return func() Statistic {
		return func(count []uint16, out []float64) {
			sum, n := 0.0, 0.0
			for g, c := range count {
				sum, n = sum+float64(c)*values[g], n+float64(c)
			}
			out[0], out[1] = sum/n, n
		}
	}
}

func TestRunIsTheSameOnAnyNumberOfCores(t *testing.T) {
	values := make([]float64, 37)
	for i := range values {
		values[i] = math.Sin(float64(i))
	}
	r := Resampling{Groups: len(values), Draws: 500, Seed: 9}
	many := r.Run(2, meanOf(values))
	before := runtime.GOMAXPROCS(1)
	one := r.Run(2, meanOf(values))
	runtime.GOMAXPROCS(before + 3)
	more := r.Run(2, meanOf(values))
	runtime.GOMAXPROCS(before)
	for c := range many {
		if !slices.Equal(many[c], one[c]) || !slices.Equal(many[c], more[c]) {
			t.Fatal("the draws depend on the number of cores")
		}
	}
	for _, n := range many[1] {
		if n != 37 {
			t.Fatalf("a draw has %v groups, want 37", n)
		}
	}
	r.Seed++
	if slices.Equal(r.Run(2, meanOf(values))[0], many[0]) {
		t.Error("another seed gives the same draws")
	}
	r.Seed, r.Stream = r.Seed-1, 1
	if slices.Equal(r.Run(2, meanOf(values))[0], many[0]) {
		t.Error("another stream gives the same draws")
	}
}

// The standard deviation of the bootstrap of a mean is known: that of the sample over √n.
func TestRunDrawsEvenly(t *testing.T) {
	values := make([]float64, 50)
	mean, square := 0.0, 0.0
	for i := range values {
		values[i] = float64(i * i % 17)
		mean += values[i] / 50
		square += values[i] * values[i] / 50
	}
	draws := Resampling{Groups: 50, Draws: 40000, Seed: 4}.Run(2, meanOf(values))[0]
	m, s := 0.0, 0.0
	for _, d := range draws {
		m += d / 40000
		s += d * d / 40000
	}
	want := math.Sqrt((square - mean*mean) / 50)
	if math.Abs(m-mean) > 5*want/200 || math.Abs(math.Sqrt(s-m*m)/want-1) > 0.02 {
		t.Errorf("bootstrap mean %v ± %v, want %v ± %v", m, math.Sqrt(s-m*m), mean, want)
	}
}

// Means of 20 groups: the expanded percentile interval covers 95 %, the plain one does not.
func TestIntervalOfFewGroupsCovers(t *testing.T) {
	const trials, groups = 2000, 20
	expanded, plain := 0, 0
	for trial := range trials {
		r := rand.New(rand.NewPCG(uint64(trial), 11))
		values := make([]float64, groups)
		for i := range values {
			values[i] = r.NormFloat64()
		}
		draws := Resampling{Groups: groups, Draws: 999, Seed: uint64(trial)}.Run(2, meanOf(values))[0]
		if low, high, ok := Interval(draws, groups); ok && low <= 0 && high >= 0 {
			expanded++
		}
		slices.Sort(draws)
		if quantile(draws, 0.025) <= 0 && quantile(draws, 0.975) >= 0 {
			plain++
		}
	}
	t.Logf("coverage at %d groups: %.3f, plain percentile %.3f", groups, float64(expanded)/trials, float64(plain)/trials)
	if low, high := Wilson(expanded, trials); low < 0.93 || high > 0.97 {
		t.Errorf("the interval covers %v of %d", expanded, trials)
	}
}

func TestIntervalAndPValue(t *testing.T) {
	nan := math.NaN()
	draws := make([]float64, 999)
	for i := range draws {
		draws[i] = float64(i - 499)
	}
	low, high, ok := Interval(draws, 1_000_000)
	if !ok || math.Abs(low+474.05) > 0.01 || math.Abs(high-474.05) > 0.01 {
		t.Errorf("interval = [%v, %v], want ±474.05, the type 7 quantiles", low, high)
	}
	if p := PValue(draws, 1_000_000); p != 1 {
		t.Errorf("p of centred draws = %v, want 1", p)
	}
	for i := range draws {
		draws[i] = 1
	}
	if p := PValue(draws, 1_000_000); math.Abs(p-2.0/1000) > 1e-6 {
		t.Errorf("p of draws all above zero = %v, want 2 × 1/1000", p)
	}
	for i := range 60 {
		draws[i] = nan
	}
	if _, _, ok := Interval(draws, 50); ok {
		t.Error("a number that is absent in 6 % of the draws has an interval")
	}
	for i := range 20 {
		draws[i] = 1
	}
	if low, high, ok := Interval(draws, 50); !ok || low != 1 || high != 1 {
		t.Errorf("interval with 4 %% of the draws absent = [%v, %v], %v", low, high, ok)
	}
	if _, _, ok := Interval(nil, 50); ok {
		t.Error("no draws have an interval")
	}
}

// An interval that ends at zero and p = 0.05 are the same event.
func TestIntervalAgreesWithPValue(t *testing.T) {
	const groups = 25
	for trial := range 200 {
		r := rand.New(rand.NewPCG(uint64(trial), 3))
		values := make([]float64, groups)
		for i := range values {
			values[i] = r.NormFloat64() + 0.4
		}
		draws := Resampling{Groups: groups, Seed: uint64(trial)}.Run(2, meanOf(values))[0]
		low, high, _ := Interval(draws, groups)
		excluded, p := low > 0 || high < 0, PValue(draws, groups)
		if excluded != (p < 0.05) && math.Abs(p-0.05) > 0.002 {
			t.Errorf("trial %d: interval [%v, %v] and p %v disagree", trial, low, high, p)
		}
	}
}
