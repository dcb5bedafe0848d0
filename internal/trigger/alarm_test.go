package trigger

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/rule"
)

// normals is days of independent normal ages, 15 years apart in the middle.
func normals(days, rows int) Sample {
	random := rand.New(rand.NewPCG(1, 2))
	s := Sample{Values: map[string][][]float64{}}
	for range days {
		values := make([]float64, rows)
		for i := range values {
			values[i] = 40 + 15*random.NormFloat64()
		}
		s.Rows = append(s.Rows, int64(rows))
		s.Values["age"] = append(s.Values["age"], values)
	}
	return s
}

// A mean of n normal values leaves its own by 1 in P = 2Φ(−√n/15) of the windows: 35 % at 200 rows. Checked daily that is 126
// false alarms a year. The days drawn from are many, so that their own error is small.
func TestFalseAlarms(t *testing.T) {
	moved := doc.Trigger{When: "abs(mean(age) - ref.mean(age)) >= 1", For: 1}
	want := 364 * math.Erfc(math.Sqrt(200)/15/math.Sqrt2)
	once, err := FalseAlarms(moved, env(), normals(600, 200), 24*time.Hour, 1, 1)
	if err != nil || math.Abs(once.PerYear-want) > 0.15*want {
		t.Errorf("200 rows a day: %+v, %v; want %.1f a year", once, err, want)
	}
	twice := moved
	twice.For = 2
	again, err := FalseAlarms(twice, env(), normals(600, 200), 24*time.Hour, 1, 1)
	if p := want / 364; err != nil || math.Abs(again.PerYear-364*p*p) > 0.15*364*p*p {
		t.Errorf("two windows in a row: %.1f a year, of one %.1f, %v", again.PerYear, once.PerYear, err)
	}
	few := moved
	few.MinRows = 201
	if got, err := FalseAlarms(few, env(), normals(50, 200), 24*time.Hour, 1, 1); err != nil || got.Unknown != 1 || got.PerYear != 0 {
		t.Errorf("too few rows: %+v, %v", got, err)
	}
}

func TestNumber(t *testing.T) {
	nan := math.NaN()
	values := [][]float64{{1, 2, nan}, {4, 4}, {}}
	for _, c := range []struct {
		a    rule.Aggregate
		want float64
	}{
		{rule.Aggregate{Function: "mean"}, 2.75}, {rule.Aggregate{Function: "median"}, 3}, {rule.Aggregate{Function: "std"}, 1.5},
		{rule.Aggregate{Function: "min"}, 1}, {rule.Aggregate{Function: "max"}, 4}, {rule.Aggregate{Function: "quantile", Quantile: 0.25}, 1.75},
		{rule.Aggregate{Function: "null_rate"}, 0.2}, {rule.Aggregate{Function: "distinct"}, 3}, {rule.Aggregate{Function: "share"}, 2.75},
	} {
		if got, ok := number(c.a, values, []int{0, 1, 2}); !ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s is %g, %v; want %g", c.a.Function, got, ok, c.want)
		}
	}
	if _, ok := number(rule.Aggregate{Function: "mean"}, values, []int{2}); ok {
		t.Error("the mean of nothing")
	}
}
