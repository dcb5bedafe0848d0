package learn

import (
	"context"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/model"
)

// gbdt is one training: gradient boosting with second derivatives (Friedman 2001; Chen and Guestrin 2016), leaf-wise trees on histograms
// (Ke and others 2017).
//
// Gradients are rounded to fixed point, 30 bits below the largest, and summed as integers. Integer sums do not depend on their order, and
// a histogram minus its child's is exactly the sibling's: so one core or many give the same bits, without giving up either trick.
type gbdt struct {
	job        *Job
	p          map[string]float64
	binners    []binner
	train      binned
	margin     []float64              // of each train row
	gradient   []pair                 // of each train row, fixed point
	unit       struct{ g, h float64 } // value of one step of the fixed point
	minChild   int64
	minHessian float64
	heaviest   float64 // the largest weight
	random     generator
	grower     grower
}

func trainGBDT(ctx context.Context, job *Job, p map[string]float64) (model.Model, error) {
	features, err := describe(&job.Train.X, int(p["levels"]))
	if err != nil {
		return nil, err
	}
	b := &gbdt{job: job, p: p, random: generator(job.Seed), heaviest: 1, minChild: int64(p["min_child"]), minHessian: p["min_hessian"]}
	if job.Train.W != nil {
		b.heaviest = maximum(job.Train.W)
	}
	if b.binners, err = newBinners(features, &job.Train.X, int(p["bins"]), job.Threads); err != nil {
		return nil, err
	}
	if err := b.train.of(b.binners, &job.Train.X, job.Threads); err != nil {
		return nil, err
	}
	m := &model.Trees{Task: job.Task, Columns: features, Base: base(job), Notes: b.train.notes(features)}
	watch, err := b.watch(m.Base)
	if err != nil {
		return nil, err
	}
	b.margin, b.gradient = filled(job.Train.X.N, m.Base), make([]pair, job.Train.X.N)
	b.grower = newGrower(b)
	return m, b.boost(ctx, m, watch)
}

// boost adds trees until there are enough, or nothing is left to split, or the valid part says stop.
func (b *gbdt) boost(ctx context.Context, m *model.Trees, watch *watch) error {
	rounds := int(b.p["rounds"])
	for round := range rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.gradients()
		sampled := b.sampleRows()
		tree, err := b.grower.grow(ctx, b.sampleColumns())
		if err != nil {
			return err
		}
		if len(tree) == 1 && len(m.Trees) > 0 && !sampled && b.p["columns"] == 1 {
			break
		}
		m.Trees = append(m.Trees, tree.model(b.binners))
		b.grower.addTo(b.margin, tree, sampled)
		b.job.Progress(round+1, rounds, watch.see(tree))
		if watch.stop() {
			m.Trees = m.Trees[:watch.best]
			break
		}
	}
	return nil
}

// base is the margin that alone has the least loss.
func base(job *Job) float64 {
	sum, total := 0.0, 0.0
	for i, y := range job.Train.Y {
		w := job.Train.weight(i)
		sum += float64(w * y)
		total += w
	}
	if mean := sum / total; job.Task == model.TaskBinary {
		return math.Log(mean / (1 - mean))
	} else {
		return mean
	}
}

// sampleRows puts the rows that the next tree grows on into the grower: each with the same chance.
func (b *gbdt) sampleRows() bool {
	share := b.p["rows"]
	if share == 1 {
		b.grower.all()
		return false
	}
	b.grower.rows = b.grower.rows[:0]
	for i := range b.train.rows {
		if b.random.float() < share {
			b.grower.rows = append(b.grower.rows, uint32(i))
		}
	}
	return true
}

// sampleColumns draws the features of the next tree: at least one.
func (b *gbdt) sampleColumns() []int {
	out := make([]int, len(b.binners))
	for i := range out {
		out[i] = i
	}
	if b.p["columns"] == 1 {
		return out
	}
	n := max(1, int(math.Round(b.p["columns"]*float64(len(out)))))
	for i := range n {
		j := i + int(b.random.float()*float64(len(out)-i))
		out[i], out[j] = out[j], out[i]
	}
	slices.Sort(out[:n])
	return out[:n]
}

func filled(n int, x float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}

// generator is SplitMix64 (Steele and others 2014): fixed for ever, which math/rand does not promise.
type generator uint64

func (r *generator) float() float64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}
