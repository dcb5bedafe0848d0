package evaluate

import (
	"maps"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// schema names the blob's shape.
const schema = "plumb.detail/v1"

// maxSlices is how many values of a slice column are shown, the largest ones.
const maxSlices = 50

// Options say how to measure.
type Options struct {
	Threshold float64 // binary: what Threshold gave
}

// Detail measures a run for its page.
func Detail(e record.Evaluation, opt Options) record.Detail {
	test := sample(e, record.PartTest, opt.Threshold)
	d := record.Detail{Schema: schema, Task: e.Task, Classes: e.Classes, Slices: slicesOf(e, test),
		Test: part(e, record.PartTest, opt.Threshold), Valid: part(e, record.PartValid, opt.Threshold)}
	if test.Check() != nil {
		return d
	}
	switch e.Task {
	case metric.Binary:
		d.Threshold = &opt.Threshold
		d.ROC, d.PR = curves(metric.Blocks(test))
		d.Calibration, d.Histogram = calibration(test), histogram(test.Scores[0], test)
	case metric.Multiclass:
		d.PerClass, d.Calibration = perClass(test, e.Classes), calibration(metric.Confidence(test))
	case metric.Regression:
		d.Calibration, d.Histogram = agreement(test), histogram(errorsOf(test), test)
	}
	return d
}

// part measures one part.
func part(e record.Evaluation, name string, threshold float64) record.PartDetail {
	rows, s := rowsOf(e, name), sample(e, name, threshold)
	p := record.PartDetail{Rows: len(rows), Groups: len(rows), Metrics: metric.Compute(s)}
	if e.Group != nil {
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = e.Group[row]
		}
		_, p.Groups = stat.Groups(names, len(names))
	}
	for _, m := range metric.For(e.Task) {
		if _, ok := p.Metrics[m]; !ok {
			if p.Absent == nil {
				p.Absent = map[string]string{}
			}
			p.Absent[m] = metric.Absent(s, m)
		}
	}
	if s.Check() != nil {
		return p
	}
	switch e.Task {
	case metric.Binary:
		p.Confusion = confusion(s)
	case metric.Multiclass:
		p.Matrix = matrix(s)
	case metric.Regression:
		for _, y := range s.Label {
			if y == 0 {
				p.ZeroLabel++
			}
		}
	}
	return p
}

func weightOf(s metric.Sample, i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}

func confusion(s metric.Sample) *record.Confusion {
	c := &record.Confusion{}
	for i, y := range s.Label {
		cell := &c.TN
		switch yes := s.Scores[0][i] >= s.Threshold; {
		case yes && y > 0.5:
			cell = &c.TP
		case yes:
			cell = &c.FP
		case y > 0.5:
			cell = &c.FN
		}
		*cell += weightOf(s, i)
	}
	return c
}

// matrix is the weight by actual and answered class.
func matrix(s metric.Sample) [][]float64 {
	out := make([][]float64, len(s.Scores))
	for c := range out {
		out[c] = make([]float64, len(s.Scores))
	}
	for i, y := range s.Label {
		out[int(y)][metric.Answer(s, i)] += weightOf(s, i)
	}
	return out
}

// perClass measures every class.
func perClass(s metric.Sample, names []string) []record.ClassDetail {
	exists := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		v = short(v)
		return &v
	}
	out := make([]record.ClassDetail, len(names))
	for i, c := range metric.Classes(s) {
		out[i] = record.ClassDetail{Class: names[i], Rows: c.Rows, Answered: c.Answered, Precision: exists(c.Precision()), Recall: exists(c.Recall()),
			F1: exists(c.F1()), AUC: exists(c.AUC)}
	}
	return out
}

// slicesOf measures the test rows of every slice that is large enough.
func slicesOf(e record.Evaluation, test metric.Sample) []record.SliceDetail {
	rows := rowsOf(e, record.PartTest)
	var out []record.SliceDetail
	for _, column := range slices.Sorted(maps.Keys(e.Slices)) {
		values := make([]string, len(rows))
		for i, row := range rows {
			values[i] = e.Slices[column][row]
		}
		large, _ := metric.Slices(values)
		for _, s := range large[:min(len(large), maxSlices)] {
			out = append(out, record.SliceDetail{Column: column, Value: s.Value, Rows: len(s.Rows), Metrics: metric.Compute(test.Select(s.Rows))})
		}
	}
	return out
}

func errorsOf(s metric.Sample) []float64 {
	out := make([]float64, len(s.Label))
	for i, y := range s.Label {
		out[i] = s.Scores[0][i] - y
	}
	return out
}

// digits are the significant digits of drawn numbers: more than a screen has pixels.
const digits = 6

func short(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, digits-1-math.Floor(math.Log10(math.Abs(v))))
	if math.IsInf(scale, 0) || scale == 0 {
		return v
	}
	return math.Round(v*scale) / scale
}
