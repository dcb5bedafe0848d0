package learn

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
)

// watch follows the loss on the valid part for early stopping. A nil watch sees nothing and never stops.
type watch struct {
	set      *Set
	data     binned
	margin   []float64
	task     string
	patience int
	seen     int
	best     int // trees with the least loss
	least    float64
}

func (b *gbdt) watch(base float64) (*watch, error) {
	patience := int(b.p["early_stopping"])
	if patience == 0 {
		return nil, nil
	}
	set := &b.job.Valid
	if set.X.N == 0 {
		return nil, problem.Wrongf("give the split a valid part, or set early_stopping = 0", "early_stopping needs a valid part, and it has no rows")
	}
	if maximum(set.W) == 0 && set.W != nil {
		return nil, problem.Wrongf("check the weight", "early_stopping needs a valid part, and every weight of it is 0")
	}
	w := &watch{set: set, task: b.job.Task, patience: patience, least: math.Inf(1), margin: filled(set.X.N, base)}
	if err := w.data.of(b.binners, &set.X, b.job.Threads); err != nil {
		return nil, fmt.Errorf("reading the valid part: %w", err)
	}
	return w, nil
}

// see adds a tree and gives the loss: log loss or root mean squared error.
func (w *watch) see(tree binTree) map[string]float64 {
	if w == nil {
		return nil
	}
	w.seen++
	for i := range w.margin {
		w.margin[i] += tree.value(&w.data, i)
	}
	name, loss := "rmse", w.loss()
	if w.task == model.TaskBinary {
		name = "log_loss"
	} else {
		loss = math.Sqrt(loss)
	}
	if loss < w.least || w.best == 0 {
		w.least, w.best = loss, w.seen
	}
	return map[string]float64{name: loss}
}

func (w *watch) loss() float64 {
	sum, total := 0.0, 0.0
	for i, y := range w.set.Y {
		loss := (w.margin[i] - y) * (w.margin[i] - y)
		if w.task == model.TaskBinary {
			loss = softplus(w.margin[i]) - y*w.margin[i]
		}
		weight := w.set.weight(i)
		sum += float64(weight * loss)
		total += weight
	}
	return sum / total
}

func (w *watch) stop() bool { return w != nil && w.seen-w.best >= w.patience }

// softplus is log(1 + exp(x)) without overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
