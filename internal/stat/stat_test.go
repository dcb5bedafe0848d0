package stat

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// golden is testdata/golden.json, which testdata/golden.R makes with R and pROC.
type golden struct {
	DeLong []struct {
		Y, Base, Head   []float64
		Group           []int32
		Groups          int
		AUCBase         float64 `json:"auc_base"`
		AUCHead         float64 `json:"auc_head"`
		Z, P, Low, High float64
		Clustered       float64 // variance
		Unpaired        float64 // variance of head alone
	}
	McNemar []struct {
		Base, Head int
		P          float64
	}
	Wilson []struct {
		K, N      int
		Low, High float64
	}
	Normal  struct{ P, Quantile []float64 }
	Student []struct {
		DF             float64
		P, Quantile, T []float64
		TwoSided       []float64 `json:"two_sided"`
	}
}

func read(t *testing.T) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// near fails when got is further from want than 1e-9 of it.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Abs(want)+1e-14 {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

func TestDistributions(t *testing.T) {
	g := read(t)
	for i, p := range g.Normal.P {
		near(t, "normal quantile", NormalQuantile(p), g.Normal.Quantile[i])
	}
	for _, s := range g.Student {
		for i, p := range s.P {
			near(t, "t quantile", TQuantile(p, s.DF), s.Quantile[i])
		}
		for i, x := range s.T {
			near(t, "t tails", TwoSided(x, s.DF), s.TwoSided[i])
		}
	}
	near(t, "t quantile at infinity", TQuantile(0.975, math.Inf(1)), NormalQuantile(0.975))
	near(t, "t tails at infinity", TwoSided(-1.96, math.Inf(1)), 2*NormalCDF(-1.96))
	for _, w := range g.Wilson {
		low, high := Wilson(w.K, w.N)
		near(t, "Wilson low", low, w.Low)
		near(t, "Wilson high", high, w.High)
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("Wilson of nothing = [%v, %v], want [0, 1]", low, high)
	}
}

func TestDeLong(t *testing.T) {
	for _, c := range read(t).DeLong {
		base, ok := NewAUC(c.Y, c.Base, nil)
		head, both := NewAUC(c.Y, c.Head, nil)
		if !ok || !both {
			t.Fatal("an AUC is missing")
		}
		near(t, "AUC of base", base.Value, c.AUCBase)
		near(t, "AUC of head", head.Value, c.AUCHead)
		e := DeLong(base, head)
		near(t, "z", e.Difference/e.SE, c.Z)
		near(t, "p", e.P, c.P)
		near(t, "low", e.Low, c.Low)
		near(t, "high", e.High, c.High)

		e = ClusteredDeLong(base, head, c.Group, c.Groups)
		near(t, "clustered variance", e.SE*e.SE, c.Clustered)
		near(t, "clustered half width", e.High-e.Difference, TQuantile(0.975, float64(c.Groups-1))*e.SE)

		constant, _ := NewAUC(c.Y, make([]float64, len(c.Y)), nil)
		near(t, "AUC of a constant", constant.Value, 0.5)
		e = UnpairedDeLong(Side{AUC: constant, Group: c.Group, Groups: c.Groups}, Side{AUC: head, Group: c.Group, Groups: c.Groups})
		near(t, "variance of head alone", e.SE*e.SE, c.Unpaired)
		near(t, "half width with one side's degrees of freedom", e.High-e.Difference, TQuantile(0.975, float64(c.Groups-1))*e.SE)
	}
}

// A row of weight 2 is the row twice: value and, with the row's group, variance.
func TestWeightsAreRepeats(t *testing.T) {
	c := read(t).DeLong[2]
	var y, base, head []float64
	var group []int32
	weight := make([]float64, len(c.Y))
	for i := range c.Y {
		weight[i] = float64(i % 3)
		for range i % 3 {
			y, base, head, group = append(y, c.Y[i]), append(base, c.Base[i]), append(head, c.Head[i]), append(group, c.Group[i])
		}
	}
	b, _ := NewAUC(c.Y, c.Base, weight)
	h, _ := NewAUC(c.Y, c.Head, weight)
	b2, _ := NewAUC(y, base, nil)
	h2, _ := NewAUC(y, head, nil)
	weighted, repeated := ClusteredDeLong(b, h, c.Group, c.Groups), ClusteredDeLong(b2, h2, group, c.Groups)
	near(t, "difference", weighted.Difference, repeated.Difference)
	near(t, "standard error", weighted.SE, repeated.SE)
}

func TestAUCEdges(t *testing.T) {
	for name, c := range map[string]struct{ label, score, weight []float64 }{
		"no rows":          {nil, nil, nil},
		"one class":        {[]float64{1, 1}, []float64{1, 2}, nil},
		"weightless class": {[]float64{1, 0}, []float64{1, 2}, []float64{1, 0}},
	} {
		if a, ok := NewAUC(c.label, c.score, c.weight); ok {
			t.Errorf("%s: AUC = %v, want none", name, a.Value)
		}
	}
	same, _ := NewAUC([]float64{0, 1, 0, 1}, []float64{1, 2, 3, 4}, nil)
	if e := DeLong(same, same); e.Difference != 0 || e.Low != 0 || e.High != 0 || e.P != 1 {
		t.Errorf("an AUC against itself: %+v", e)
	}
	worst, _ := NewAUC([]float64{0, 1, 0, 1}, []float64{4, 1, 3, 2}, nil)
	best, _ := NewAUC([]float64{0, 1, 0, 1}, []float64{1, 3, 2, 4}, nil)
	if e := DeLong(worst, best); e.Difference != 1 || e.SE != 0 || e.P != 0 {
		t.Errorf("worst against best: %+v", e)
	}
}

func TestMcNemar(t *testing.T) {
	for _, m := range read(t).McNemar {
		near(t, "McNemar's p", Disagreement{Head: m.Head, Base: m.Base, N: 500}.P(), m.P)
	}
	if p := (Disagreement{N: 9}).P(); p != 1 {
		t.Errorf("p without disagreement = %v, want 1", p)
	}
	if low, high := (Disagreement{N: 9}).Interval(); low != 0 || high != 0 {
		t.Errorf("interval without disagreement = [%v, %v], want [0, 0]", low, high)
	}
	// By the formula of Agresti & Min, by hand: b = 7.5, c = 3.5, n = 52.
	low, high := Disagreement{Head: 7, Base: 3, N: 50}.Interval()
	half := 1.959963984540054 * math.Sqrt((11.0-16.0/52)/52/52)
	near(t, "low", low, 4.0/52-half)
	near(t, "high", high, 4.0/52+half)
}

func TestGroups(t *testing.T) {
	index, n := Groups([]string{"b", "a", "b", ""}, 4)
	if n != 3 || index[0] != 0 || index[1] != 1 || index[2] != 0 || index[3] != 2 {
		t.Errorf("groups = %v, %d", index, n)
	}
	if index, n := Groups(nil, 2); n != 2 || index[1] != 1 {
		t.Errorf("rows as groups = %v, %d", index, n)
	}
}

// The interval of a difference of paired shares covers, counted exactly over every paired table.
func TestDisagreementIntervalCovers(t *testing.T) {
	const n = 60
	logChoose := func(k, from int) float64 {
		a, _ := math.Lgamma(float64(from + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(from - k + 1))
		return a - b - c
	}
	for _, p := range [][2]float64{{0.05, 0.05}, {0.1, 0.05}, {0.2, 0.1}, {0.02, 0.15}} {
		covered := 0.0
		for head := range n + 1 {
			for base := range n + 1 - head {
				rest := n - head - base
				mass := math.Exp(logChoose(head, n) + logChoose(base, n-head) + float64(head)*math.Log(p[0]) +
					float64(base)*math.Log(p[1]) + float64(rest)*math.Log(1-p[0]-p[1]))
				low, high := Disagreement{Head: head, Base: base, N: n}.Interval()
				if low <= p[0]-p[1] && p[0]-p[1] <= high {
					covered += mass
				}
			}
		}
		if covered < 0.93 || covered > 0.985 {
			t.Errorf("shares %v: covers %.4f", p, covered)
		}
	}
}
