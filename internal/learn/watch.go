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
	margin   [][]float64
	loss     loss
	metric   string
	patience int
	seen     int // rounds
	best     int // rounds with the least loss
	least    float64
}

func (b *gbdt) watch(base []float32) (*watch, error) {
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
	w := &watch{set: set, loss: b.loss, metric: "log_loss", patience: patience, least: math.Inf(1)}
	if b.job.Task == model.TaskRegression {
		w.metric = "rmse"
		if _, counts := b.loss.(poissonLoss); counts {
			w.metric = "poisson_loss"
		}
	}
	for _, x := range base {
		w.margin = append(w.margin, filled(set.X.N, float64(x)))
	}
	if err := w.data.of(b.binners, &set.X, b.job.Threads); err != nil {
		return nil, fmt.Errorf("reading the valid part: %w", err)
	}
	return w, nil
}

// see adds a round's trees and gives the loss: log loss, root mean squared error, or the Poisson loss.
func (w *watch) see(trees []binTree) map[string]float64 {
	if w == nil {
		return nil
	}
	w.seen++
	for k, tree := range trees {
		for i := range w.margin[k] {
			w.margin[k][i] += tree.value(&w.data, i)
		}
	}
	loss := w.mean()
	if w.metric == "rmse" {
		loss = math.Sqrt(loss)
	}
	if loss < w.least || w.best == 0 {
		w.least, w.best = loss, w.seen
	}
	return map[string]float64{w.metric: loss}
}

func (w *watch) mean() float64 {
	sum, total := 0.0, 0.0
	row := make([]float64, len(w.margin))
	for i, y := range w.set.Y {
		for k := range row {
			row[k] = w.margin[k][i]
		}
		weight := w.set.weight(i)
		sum += float64(weight * w.loss.of(y, row))
		total += weight
	}
	return sum / total
}

func (w *watch) stop() bool { return w != nil && w.seen-w.best >= w.patience }
