package stat

import (
	"math"
	"testing"
)

// The figures come from SciPy 1.17.1: stats.t.ppf and stats.t.sf over the formulas of With and Parts, written out.
func TestWith(t *testing.T) {
	part := Part{Variance: 0.01, DF: 4}
	e := Estimate{Difference: 0.5, Low: 0.1, High: 0.85, P: 0.01}.With(part, 29)
	for name, pair := range map[string][2]float64{"half width": {part.HalfWidth(), 0.27764451051977934}, "low": {e.Low, 0.013084736096959204}, "high": {e.High, 0.9467510203925312},
		"standard error": {e.SE, 0.238695610448143}, "p": {e.P, 0.044502283228466756}} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s %.12g, want %.12g", name, pair[0], pair[1])
		}
	}
	turned := Estimate{Difference: -0.5, Low: -0.85, High: -0.1}.With(part, 29)
	if math.Abs(turned.Low+e.High) > 1e-12 || math.Abs(turned.High+e.Low) > 1e-12 || math.Abs(turned.P-e.P) > 1e-12 {
		t.Errorf("turned round: %+v, want the mirror of %+v", turned, e)
	}
	same := Estimate{Difference: 0.5, Low: 0.1, High: 0.85, P: 0.01}
	if got := same.With(Part{}, 29); got != same {
		t.Errorf("nothing was added: %+v", got)
	}
}

func TestParts(t *testing.T) {
	if got := Parts(Part{Variance: 0.04, DF: 9}, Part{}, Part{Variance: 0.01, DF: 4}); math.Abs(got.Variance-0.05) > 1e-15 || math.Abs(got.DF-0.0025/(0.0016/9+0.0001/4)) > 1e-9 {
		t.Errorf("%+v", got)
	}
	if got := Parts(Part{DF: 3}); got != (Part{}) || got.HalfWidth() != 0 {
		t.Errorf("%+v", got)
	}
	if got := Parts(Part{Variance: 2, DF: 3}); got.DF != 3 {
		t.Errorf("one part alone: %+v", got)
	}
}
