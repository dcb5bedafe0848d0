package evaluate

import (
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// Thresholds gives the threshold of every further seed by a question's rule: one that is chosen on the valid part is chosen by each seed for itself.
func Thresholds(rule any, e record.Evaluation) ([]float64, error) {
	var out []float64
	for _, scores := range e.Repeats {
		one := e
		one.Scores, one.Repeats = scores, nil
		t, err := Threshold(rule, one)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Repeats measures every seed, the first included; nil when there was one, or when seeds made no difference.
func Repeats(rule any, first int64, e record.Evaluation) ([]record.RepeatDetail, error) {
	if len(e.Repeats) == 0 {
		return nil, nil
	}
	var out []record.RepeatDetail
	for i, scores := range append([][][]float64{e.Scores}, e.Repeats...) {
		one := e
		one.Scores, one.Repeats = scores, nil
		t, err := Threshold(rule, one)
		if err != nil {
			return nil, err
		}
		d := record.RepeatDetail{Seed: first + int64(i), Test: Metrics(one, record.PartTest, t), Valid: Metrics(one, record.PartValid, t)}
		if e.Task == metric.Binary {
			d.Threshold = &t
		}
		out = append(out, d)
	}
	return out, nil
}
