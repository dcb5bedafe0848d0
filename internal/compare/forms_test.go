package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
)

func TestUnpaired(t *testing.T) {
	base, in := world{days: 40, rows: 50}.draw(11), world{days: 50, rows: 50, gain: 3}.draw(12)
	for i, g := range base.Group {
		base.Group[i] = "before " + g
	}
	in.Base = base.Base
	in.Contract = everyMetric("binary")
	out, err := JudgeUnpaired(in, Side{Label: base.Label, Group: base.Group})
	if err != nil {
		t.Fatal(err)
	}
	if m := line(t, out, "auc"); m.Method != "clustered DeLong, unpaired" || m.Verdict != record.Better {
		t.Errorf("%+v", m)
	}
	if m := line(t, out, "accuracy"); m.Method != "group bootstrap, unpaired" || m.Low == nil {
		t.Errorf("%+v", m)
	}
	if len(out.Notes) != 1 {
		t.Errorf("notes %q", out.Notes)
	}
	// The same answers to the same rows, had they not been paired: no difference, but an interval.
	in.Base = in.Head
	out, err = JudgeUnpaired(in, Side{Label: in.Label, Group: in.Group, Slices: map[string][]string{"day": in.Group}})
	if err != nil {
		t.Fatal(err)
	}
	if m := line(t, out, "auc"); *m.Difference != 0 || !(*m.Low < 0 && *m.High > 0) || m.Verdict != record.Inconclusive {
		t.Errorf("%+v", m)
	}
}

func TestUnpairedSlices(t *testing.T) {
	in := world{days: 25, rows: 200}.draw(13)
	side := make([]string, len(in.Label))
	for i := range side {
		side[i] = []string{"east", "west", "rare"}[min(i%2+2*(1-min(i%100, 1)), 2)]
	}
	in.Slices = map[string][]string{"side": side}
	count := func(out Outcome, err error) (n int) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Metrics {
			if m.Slice == "" {
				continue
			}
			n++
			if m.Level != levelInfo || m.Gate != record.GateNone || m.Name != "auc" || m.Groups != 25 || m.Base == nil || m.Low == nil {
				t.Errorf("%+v", m)
			}
		}
		return n
	}
	if n := count(Judge(in)); n != 2 {
		t.Errorf("%d slices, want 2", n)
	}
	if n := count(JudgeUnpaired(in, Side{Label: in.Label, Group: in.Group})); n != 0 {
		t.Errorf("%d slices of a base without slices, want 0", n)
	}
	if n := count(JudgeUnpaired(in, Side{Label: in.Label, Group: in.Group, Slices: in.Slices})); n != 2 {
		t.Errorf("%d slices, want 2", n)
	}
}

func TestOtherTasks(t *testing.T) {
	regression := world{days: 40, rows: 50}.draw(15)
	regression.Task, regression.Contract = "regression", everyMetric("regression")
	out := judged(t, regression)
	for _, m := range out.Metrics {
		if m.Name != "mape" && (m.Low == nil || *m.Low > *m.Difference || *m.High < *m.Difference) {
			t.Errorf("%+v", m)
		}
	}
	if m := line(t, out, "bias"); math.Abs(*m.Difference-(math.Abs(*m.Head)-math.Abs(*m.Base))) > 1e-9 || !strings.HasSuffix(m.Method, "of the absolute value") {
		t.Errorf("%+v", m)
	}
	classes := world{days: 40, rows: 50}.draw(16)
	classes.Task, classes.Contract = "multiclass", everyMetric("multiclass")
	for _, side := range []*[][]float64{&classes.Base, &classes.Head} {
		rest := make([]float64, len(classes.Label))
		for i, s := range (*side)[0] {
			rest[i] = 1 - s
		}
		*side = [][]float64{rest, (*side)[0]}
	}
	for _, m := range judged(t, classes).Metrics {
		if m.Low == nil || *m.Low > *m.Difference || *m.High < *m.Difference {
			t.Errorf("%+v", m)
		}
	}
	classes.Group = nil
	if m := line(t, judged(t, classes), "accuracy"); m.Method != "McNemar" {
		t.Errorf("accuracy by %s", m.Method)
	}
}
