package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// evaluation makes test rows, then valid ones, of the task.
func evaluation(task string, test, valid int) record.Evaluation {
	r := rand.New(rand.NewPCG(1, 2))
	n := test + valid
	e := record.Evaluation{Task: task, Label: make([]float64, n), Scores: [][]float64{make([]float64, n)}, Slices: map[string][]string{"origin": make([]string, n)}}
	for i := range n {
		e.Part = append(e.Part, record.PartTest)
		if i >= test {
			e.Part[i] = record.PartValid
		}
		e.RowID = append(e.RowID, int64(i))
		e.Group = append(e.Group, string(rune('a'+i%7)))
		e.Slices["origin"][i] = []string{"ATL", "ORD", "ORD", "rare"}[min(i%3+3*(1-min(i%150, 1)), 3)]
		s := r.Float64()
		e.Scores[0][i] = s
		switch task {
		case metric.Regression:
			e.Label[i] = math.Round(10 * (s + r.NormFloat64()))
		default:
			if r.Float64() < s {
				e.Label[i] = 1
			}
		}
	}
	if task == metric.Multiclass {
		rest := make([]float64, n)
		for i, s := range e.Scores[0] {
			rest[i] = 1 - s
		}
		e.Scores, e.Classes = [][]float64{rest, e.Scores[0]}, []string{"no", "yes"}
	}
	return e
}

func TestMetricsArePerPart(t *testing.T) {
	e := evaluation(metric.Binary, 900, 600)
	whole := metric.Compute(metric.Sample{Task: e.Task, Label: e.Label[:900], Scores: [][]float64{e.Scores[0][:900]}, Threshold: 0.3})
	if got := Metrics(e, record.PartTest, 0.3); got["auc"] != whole["auc"] || got["f1"] != whole["f1"] || len(got) != len(metric.For(e.Task)) {
		t.Errorf("test part: %v, want %v", got, whole)
	}
	if got := Metrics(e, record.PartValid, 0.3); got["auc"] == whole["auc"] {
		t.Error("the valid part is measured on test rows")
	}
	if got := Metrics(e, "train", 0.3); len(got) != 0 {
		t.Errorf("a part without rows: %v", got)
	}
	if got := Metrics(record.Evaluation{Task: metric.Binary}, record.PartTest, 0.5); len(got) != 0 {
		t.Errorf("nothing: %v", got)
	}
}

func TestThreshold(t *testing.T) {
	e := evaluation(metric.Binary, 900, 600)
	for _, c := range []struct {
		rule any
		want float64
	}{{nil, 0.5}, {0.25, 0.25}, {int64(1), 1}} {
		if got, err := Threshold(c.rule, e); err != nil || got != c.want {
			t.Errorf("threshold %v = %v, %v", c.rule, got, err)
		}
	}
	best, err := Threshold("best:f1", e)
	if err != nil {
		t.Fatal(err)
	}
	f1 := Metrics(e, record.PartValid, best)["f1"]
	for _, other := range []float64{best - 0.05, best + 0.05, 0.5} {
		if Metrics(e, record.PartValid, other)["f1"] > f1 {
			t.Errorf("f1 on the valid part is better at %v than at %v", other, best)
		}
	}
	for i := range 900 { // test rows must not choose it
		e.Label[i] = 1 - e.Label[i]
	}
	if again, _ := Threshold("best:f1", e); again != best {
		t.Error("the threshold depends on test rows")
	}
	for _, rule := range []any{"best", "best:", "best:auc", "0.5", true, math.NaN()} {
		if got, err := Threshold(rule, e); err == nil {
			t.Errorf("threshold %v = %v, want an error", rule, got)
		}
	}
	if _, err := Threshold("best:f1", evaluation(metric.Binary, 10, 0)); err == nil || !strings.Contains(err.Error(), "valid part") {
		t.Errorf("without a valid part: %v", err)
	}
	if got, err := Threshold(nil, evaluation(metric.Regression, 10, 0)); err != nil || got != 0 {
		t.Errorf("regression: %v, %v", got, err)
	}
}

// text gives the JSON of a detail, which must always be possible: JSON has no NaN.
func text(t *testing.T, d record.Detail) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDetailOfBinary(t *testing.T) {
	e := evaluation(metric.Binary, 6000, 600)
	d := Detail(e, Options{Threshold: 0.5})
	text(t, d)
	if d.Test.Rows != 6000 || d.Valid.Rows != 600 || d.Test.Groups != 7 || d.Schema != "plumb.detail/v1" || *d.Threshold != 0.5 {
		t.Errorf("%+v", d.Test)
	}
	c := d.Test.Confusion
	if c.TP+c.FP+c.FN+c.TN != 6000 || math.Abs((c.TP+c.TN)/6000-d.Test.Metrics["accuracy"]) > 1e-12 {
		t.Errorf("confusion %+v, accuracy %v", c, d.Test.Metrics["accuracy"])
	}
	for name, curve := range map[string][]record.CurvePoint{"roc": d.ROC, "pr": d.PR} {
		if len(curve) > maxPoints || len(curve) < maxPoints/2 {
			t.Errorf("%s has %d points", name, len(curve))
		}
		if !slices.IsSortedFunc(curve, func(a, b record.CurvePoint) int {
			return int(math.Copysign(1, a.X-b.X)) * min(1, int(math.Ceil(math.Abs(a.X-b.X))))
		}) {
			t.Errorf("%s goes back", name)
		}
		if curve[len(curve)-1].X != 1 {
			t.Errorf("%s ends at %v", name, curve[len(curve)-1])
		}
	}
	area := 0.0
	for i := 1; i < len(d.ROC); i++ {
		area += (d.ROC[i].X - d.ROC[i-1].X) * (d.ROC[i].Y + d.ROC[i-1].Y) / 2
	}
	if math.Abs(area-d.Test.Metrics["auc"]) > 0.002 {
		t.Errorf("the thinned curve's area is %v, the AUC %v", area, d.Test.Metrics["auc"])
	}
	if len(d.Calibration) != 10 || *d.Calibration[3].Low > d.Calibration[3].Actual || *d.Calibration[3].High < d.Calibration[3].Actual {
		t.Errorf("calibration %+v", d.Calibration)
	}
	sum := 0.0
	for _, b := range d.Histogram {
		sum += b.Negative + b.Positive
	}
	if len(d.Histogram) != 20 || sum != 6000 {
		t.Errorf("histogram of %d bins and %v rows", len(d.Histogram), sum)
	}
	if len(d.Slices) != 2 || d.Slices[0].Value != "ORD" || d.Slices[0].Column != "origin" || d.Slices[0].Metrics["auc"] == 0 {
		t.Errorf("slices %+v", d.Slices)
	}
	if size := len(text(t, d)); size > 40_000 {
		t.Errorf("the blob has %d bytes", size)
	}
}

func TestDetailOfOtherTasks(t *testing.T) {
	d := Detail(evaluation(metric.Regression, 500, 100), Options{})
	text(t, d)
	if d.Threshold != nil || d.ROC != nil || len(d.Calibration) != 10 || len(d.Histogram) != maxBins || d.Test.ZeroLabel == 0 {
		t.Errorf("regression: %d zero labels, %d calibration, %d histogram", d.Test.ZeroLabel, len(d.Calibration), len(d.Histogram))
	}
	d = Detail(evaluation(metric.Multiclass, 500, 100), Options{})
	text(t, d)
	m, n := d.Test.Matrix, 0.0
	for _, row := range m {
		for _, v := range row {
			n += v
		}
	}
	if len(m) != 2 || n != 500 || (m[0][0]+m[1][1])/n != d.Test.Metrics["accuracy"] {
		t.Errorf("multiclass: %v, %v", m, d.Test.Metrics)
	}
}

func TestDetailOfHardSamples(t *testing.T) {
	none := Detail(evaluation(metric.Binary, 0, 0), Options{Threshold: 0.5})
	text(t, none)
	if none.ROC != nil || none.Histogram != nil || none.Test.Absent["auc"] != "there are no rows with a label" {
		t.Errorf("no rows: %+v", none)
	}
	for name, spoil := range map[string]func(e *record.Evaluation){
		"one class":        func(e *record.Evaluation) { clear(e.Label) },
		"equal scores":     func(e *record.Evaluation) { clear(e.Scores[0]) },
		"huge scores":      func(e *record.Evaluation) { e.Scores[0][0], e.Scores[0][1] = math.MaxFloat64, -math.MaxFloat64 },
		"tiny scores":      func(e *record.Evaluation) { e.Scores[0][0], e.Scores[0][1] = 5e-324, -5e-324 },
		"not a number":     func(e *record.Evaluation) { e.Scores[0][3] = math.NaN() },
		"no weight at all": func(e *record.Evaluation) { e.Weight = make([]float64, len(e.Label)) },
		"no groups":        func(e *record.Evaluation) { e.Group = nil },
	} {
		for _, task := range []string{metric.Binary, metric.Regression} {
			e := evaluation(task, 300, 50)
			spoil(&e)
			d := Detail(e, Options{Threshold: 0.5})
			text(t, d)
			if len(d.Test.Metrics)+len(d.Test.Absent) != len(metric.For(task)) {
				t.Errorf("%s %s: %d metrics, %d absent", task, name, len(d.Test.Metrics), len(d.Test.Absent))
			}
		}
	}
}
