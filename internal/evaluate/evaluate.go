// Package evaluate measures one run's answers: metrics of the test and the valid part, the threshold, slices, curves and bins.
//
// It compares nothing (that is compare's work) and trains nothing. It is pure: an evaluation in, numbers out. It stores nothing; the flow
// puts Detail beside the run record as a blob.
package evaluate

import (
	"math"
	"strings"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// DefaultThreshold is that of a question that names none.
const DefaultThreshold = 0.5

// chosen starts a threshold rule that is a metric.
const chosen = "best:"

// Metrics gives every metric of the task that exists on a part, "test" or "valid".
func Metrics(e record.Evaluation, part string, threshold float64) map[string]float64 {
	return metric.Compute(sample(e, part, threshold))
}

// Threshold gives the threshold that a question's rule asks for: a number, "best:<metric>" chosen on the valid part, or DefaultThreshold
// for nil. A task that is not binary has none: 0.
func Threshold(rule any, e record.Evaluation) (float64, error) {
	if e.Task != metric.Binary {
		return 0, nil
	}
	switch r := rule.(type) {
	case nil:
		return DefaultThreshold, nil
	case int64:
		return float64(r), nil
	case float64:
		if !math.IsNaN(r) {
			return r, nil
		}
	case string:
		if name, ok := strings.CutPrefix(r, chosen); ok {
			return metric.BestThreshold(sample(e, record.PartValid, DefaultThreshold), name)
		}
	}
	return 0, problem.Wrongf(`write a number such as 0.5, or "best:f1"`, "threshold is %v", rule)
}

// sample gives the rows of one part.
func sample(e record.Evaluation, part string, threshold float64) metric.Sample {
	all := metric.Sample{Task: e.Task, Label: e.Label, Scores: e.Scores, Weight: e.Weight, Threshold: threshold}
	return all.Select(rowsOf(e, part))
}

func rowsOf(e record.Evaluation, part string) []int {
	rows := []int{}
	for i, p := range e.Part {
		if p == part {
			rows = append(rows, i)
		}
	}
	return rows
}
