// Package metric knows every metric: its name, unit, good direction and formula.
//
// A metric is a pure function of labels, scores and weights. One that does not exist for a sample (an AUC of one class, the precision
// of a model that never says yes) is absent from the result: never 0. The package decides nothing: what a difference means is the
// business of compare. It stores nothing.
//
// Every formula is written once, over sums or over rows in the order of their scores, so that the same code serves a whole sample and
// the thousands of resamples of a bootstrap (see Plan).
package metric

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// The tasks.
const (
	Binary     = "binary"
	Multiclass = "multiclass"
	Regression = "regression"
)

// The directions: what is good.
const (
	Up   = "up"
	Down = "down"
)

// Spec is what is known of a metric before any data.
type Spec struct {
	Name      string
	Unit      string // "" for a share or a plain number; "label" for the unit of the label
	Direction string // Up or Down
	Digits    int    // to show after the decimal point
}

var specs = []Spec{
	{"auc", "", Up, 4}, {"average_precision", "", Up, 4}, {"log_loss", "", Down, 4}, {"brier", "", Down, 4}, {"ece", "", Down, 4},
	{"accuracy", "", Up, 4}, {"balanced_accuracy", "", Up, 4}, {"f1", "", Up, 4}, {"precision", "", Up, 4}, {"recall", "", Up, 4},
	{"specificity", "", Up, 4}, {"mcc", "", Up, 4}, {"lift_10", "", Up, 2}, {"ks_score", "", Up, 4},
	{"macro_f1", "", Up, 4}, {"weighted_f1", "", Up, 4}, {"macro_auc_ovr", "", Up, 4},
	{"rmse", "label", Down, 3}, {"mae", "label", Down, 3}, {"medae", "label", Down, 3}, {"mape", "", Down, 4}, {"smape", "", Down, 4},
	{"r2", "", Up, 4}, {Bias, "label", Down, 3}, {Value, "", Up, 0},
	{"latency_p50_ms", "ms", Down, 1}, {"latency_p95_ms", "ms", Down, 1}, {"latency_p99_ms", "ms", Down, 1},
	{"throughput_rps", "1/s", Up, 0}, {"model_bytes", "B", Down, 0}, {"train_seconds", "s", Down, 1},
}

// Names that other packages treat apart.
const (
	Bias  = "bias"  // signed, and best at zero: its Direction is that of its absolute value
	Value = "value" // money per period, made from the confusion matrix by the design card
)

// Operations lists the metrics of a model's running, which no score says: how fast it answers, how large it is, how long it trained.
var Operations = []string{"latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "throughput_rps", "model_bytes", "train_seconds"}

// Lookup finds a metric by name. A name that plumb does not know is allowed in a contract that states its direction.
func Lookup(name string) (Spec, bool) {
	i := slices.IndexFunc(specs, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return specs[i], true
}

// For lists the metrics that Compute makes for a task, in a fixed order; nil for an unknown task.
func For(task string) []string {
	var names []string
	for _, f := range formulas[task] {
		names = append(names, f.name)
	}
	return names
}

// Sample is rows with their answers.
type Sample struct {
	Task      string
	Label     []float64   // binary: 0 or 1; multiclass: the class's index; regression: the value
	Scores    [][]float64 // [column][row]: multiclass has a column a class, the others one. Binary: P(label = 1)
	Weight    []float64   // nil: every row counts 1
	Threshold float64     // binary: scores at or above it say yes
}

// Check says what is wrong with the shape or the numbers of a sample, or nil. An empty sample is sound; no metric exists for it.
func (s Sample) Check() error {
	if _, ok := formulas[s.Task]; !ok {
		return fmt.Errorf("task %q is none of %v", s.Task, slices.Sorted(maps.Keys(formulas)))
	}
	if s.Task == Multiclass && len(s.Scores) < 2 {
		return fmt.Errorf("a multiclass sample has %d score columns; it needs one a class, at least 2", len(s.Scores))
	}
	if s.Task != Multiclass && len(s.Scores) != 1 {
		return fmt.Errorf("a %s sample has %d score columns; it needs 1", s.Task, len(s.Scores))
	}
	for _, column := range s.Scores {
		if err := finite("score", column, len(s.Label)); err != nil {
			return err
		}
	}
	if math.IsNaN(s.Threshold) {
		return fmt.Errorf("the threshold is not a number")
	}
	return s.checkLabels()
}

func (s Sample) checkLabels() error {
	if err := finite("label", s.Label, len(s.Label)); err != nil {
		return err
	}
	classes := map[string]int{Binary: 2, Multiclass: len(s.Scores)}[s.Task]
	for i, y := range s.Label {
		if classes > 0 && (y != math.Trunc(y) || y < 0 || y >= float64(classes)) {
			return fmt.Errorf("label of row %d is %v; %s labels are 0 to %d", i, y, s.Task, classes-1)
		}
	}
	if s.Weight == nil {
		return nil
	}
	for i, w := range s.Weight {
		if w < 0 {
			return fmt.Errorf("weight of row %d is %v; weights are at least 0", i, w)
		}
	}
	return finite("weight", s.Weight, len(s.Label))
}

func finite(what string, values []float64, n int) error {
	if len(values) != n {
		return fmt.Errorf("%d %ss for %d rows", len(values), what, n)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s of row %d is %v; it must be a finite number", what, i, v)
		}
	}
	return nil
}

// Compute gives every metric of the task that exists for the sample; none for a sample that Check refuses.
func Compute(s Sample) map[string]float64 {
	out := map[string]float64{}
	plan, err := NewPlan(s, make([]int32, len(s.Label)), 1, For(s.Task))
	if err != nil {
		return out
	}
	values := make([]float64, len(plan.names))
	plan.Worker()([]uint16{1}, values)
	for i, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[plan.names[i]] = v
		}
	}
	return out
}
