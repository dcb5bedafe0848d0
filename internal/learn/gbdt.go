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
	loss       loss
	binners    []binner
	train      binned
	margin     [][]float64            // of each train row, by margin: one, or one a class
	gradient   []pair                 // of each train row by the margin at hand, fixed point
	unit       struct{ g, h float64 } // value of one step of the fixed point
	step       float64                // leaves are multiples of it, see grid
	move       float64                // a leaf moves by no more, before the rate
	minChild   int64
	minHessian float64
	heaviest   float64 // the largest weight
	direction  []int8  // of each column: 1 where scores may only rise with it, -1 only fall
	unknown    []bool  // classes without a train row: they grow no trees
	sample     []uint32
	random     generator
	grower     grower
}

// maxMargins bounds rows × classes: 1 GB of margins.
const maxMargins = 1 << 27

func trainGBDT(ctx context.Context, job *Job, p settings) (model.Model, error) {
	features, err := describe(&job.Train.X, int(p.number["levels"]))
	if err != nil {
		return nil, err
	}
	b := &gbdt{job: job, p: p.number, loss: newLoss(job, p.word), random: generator(job.Seed), heaviest: 1, move: math.Inf(1),
		minChild: int64(p.number["min_child"]), minHessian: p.number["min_hessian"]}
	if job.Train.W != nil {
		b.heaviest = maximum(job.Train.W)
	}
	if p.word != model.LossSquared {
		b.move = logMove
	}
	if b.direction, err = directions(features, p.monotone); err != nil {
		return nil, err
	}
	if b.binners, err = newBinners(features, &job.Train.X, int(b.p["bins"]), job.Threads); err != nil {
		return nil, err
	}
	if err := b.train.of(b.binners, &job.Train.X, job.Threads); err != nil {
		return nil, err
	}
	m := &model.Trees{Task: job.Task, Loss: p.word, Classes: job.Classes, Columns: features, Notes: append(b.train.notes(features), job.lostClasses()...)}
	base := b.loss.base(&job.Train)
	b.step, b.unknown = grid(job, base[0], p.word), make([]bool, len(base))
	for k, x := range base {
		m.Base = append(m.Base, rounded(x, b.step))
		b.margin = append(b.margin, filled(job.Train.X.N, float64(m.Base[k])))
	}
	if job.Task == model.TaskMulticlass {
		weights, _ := job.Train.classWeights(len(base))
		for k, w := range weights {
			b.unknown[k] = w == 0
		}
	}
	watch, err := b.watch(m.Base)
	if err != nil {
		return nil, err
	}
	b.gradient = make([]pair, job.Train.X.N)
	b.grower = newGrower(b)
	return m, b.boost(ctx, m, watch)
}

// boost adds rounds of trees, one a margin, until there are enough, or nothing is left to split, or the valid part says stop.
func (b *gbdt) boost(ctx context.Context, m *model.Trees, watch *watch) error {
	rounds := int(b.p["rounds"])
	for round := range rounds {
		sampled := b.sampleRows()
		b.loss.prepare(b)
		trees, leaves := make([]binTree, len(b.margin)), 0
		for k := range trees {
			if err := ctx.Err(); err != nil {
				return err
			}
			tree, err := b.tree(ctx, k, sampled)
			if err != nil {
				return err
			}
			trees[k], leaves = tree, leaves+len(tree)
		}
		if leaves == len(trees) && round > 0 && !sampled && b.p["columns"] == 1 {
			break
		}
		for _, tree := range trees {
			m.Trees = append(m.Trees, tree.model(b.binners))
		}
		b.job.Progress(round+1, rounds, watch.see(trees))
		if watch.stop() {
			m.Trees = m.Trees[:watch.best*len(trees)]
			break
		}
	}
	return nil
}

// tree grows the next tree of margin k and adds it to the margin. Other margins of the round do not see it: prepare came before.
func (b *gbdt) tree(ctx context.Context, k int, sampled bool) (binTree, error) {
	columns := b.sampleColumns()
	if b.unknown[k] {
		return binTree{{}}, nil
	}
	b.gradients(k)
	if sampled {
		b.grower.rows = append(b.grower.rows[:0], b.sample...)
	} else {
		b.grower.all()
	}
	tree, err := b.grower.grow(ctx, columns)
	if err == nil {
		b.grower.addTo(b.margin[k], tree, sampled)
	}
	return tree, err
}

// sampleRows draws the rows that the next round's trees grow on: each with the same chance.
func (b *gbdt) sampleRows() bool {
	share := b.p["rows"]
	if share == 1 {
		return false
	}
	b.sample = b.sample[:0]
	for i := range b.train.rows {
		if b.random.float() < share {
			b.sample = append(b.sample, uint32(i))
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
