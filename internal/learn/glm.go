package learn

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/model"
)

// glm is one training: Newton steps on mean loss + l1·Σ|β| + l2/2·Σβ², β of the standardised columns, the intercepts free (the objective
// of glmnet, Friedman and others 2010; l2 = 1/(n·C) of scikit-learn's LogisticRegression on standardised columns, l1 = alpha of its Lasso).
//
// Newton and not L-BFGS: the columns are few, a handful of steps gives all digits, and the normal equations tell which columns others explain.
type glm struct {
	d      *design
	job    *Job
	family family
	l1, l2 float64
	beta   [][]float64 // of each sum: one, or one a class
	drop   [][]bool    // columns that stay 0: constant, or explained by earlier ones
}

func trainGLM(ctx context.Context, job *Job, p settings) (model.Model, error) {
	features, err := describe(&job.Train.X, int(p.number["levels"]))
	if err != nil {
		return nil, err
	}
	d, err := newDesign(job, features)
	if err != nil {
		return nil, err
	}
	g := &glm{d: d, job: job, family: newFamily(job, p.word), l1: p.number["l1"], l2: p.number["l2"]}
	for _, intercept := range g.family.base(&job.Train) {
		beta, drop := make([]float64, len(d.columns)), make([]bool, len(d.columns))
		beta[0] = intercept
		for j := range d.columns {
			drop[j] = d.columns[j].scale == 0
		}
		g.beta, g.drop = append(g.beta, beta), append(g.drop, drop)
	}
	if err := g.settle(ctx, int(p.number["iterations"])); err != nil {
		return nil, err
	}
	d.notes = append(append(d.notes, job.lostClasses()...), g.separated()...)
	g.centre()
	return g.model(), nil
}

// settle makes steps until they lower the objective no more.
func (g *glm) settle(ctx context.Context, steps int) error {
	sums := g.moving()
	newton := func(first bool) (bool, float64) { return g.newton(sums, first) }
	if len(sums)*len(g.d.columns) > maxTogether {
		newton = g.apart(sums).cycle
	}
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		settled, loss := newton(step == 0)
		g.job.Progress(step+1, steps, map[string]float64{"objective": loss})
		if settled {
			return nil
		}
	}
	g.d.notes = append(g.d.notes, fmt.Sprintf("training stopped after %d steps before it had settled", steps))
	return nil
}

// maxTogether is how many coefficients of several classes one step moves. A variable for its test.
var maxTogether = 1000

// moving lists the sums that are learned: of classes, those with train rows. Without a penalty the last of them is held, since only
// differences between classes count.
func (g *glm) moving() (sums []int) {
	if g.job.Task != model.TaskMulticlass {
		return []int{0}
	}
	weights, _ := g.job.Train.classWeights(len(g.beta))
	for k, w := range weights {
		if w > 0 {
			sums = append(sums, k)
		}
	}
	if g.l1 == 0 && g.l2 == 0 {
		sums = sums[:len(sums)-1]
	}
	return sums
}

// settledAt is the part of the objective by which a step must still lower it. Steps converge quadratically: after the one that lowers it
// by less, coefficients have about 12 digits.
const settledAt = 1e-12

// newton makes one step of the sums, halved until the objective falls, and gives the objective.
func (g *glm) newton(sums []int, first bool) (settled bool, objective float64) {
	margins := g.margins(g.beta)
	before := g.objective(margins, g.beta)
	q, beta := g.quadratic(margins, sums)
	var step []float64
	if g.l1 > 0 {
		step = q.lasso(beta, g.l1)
	} else {
		step = q.solve(first && g.l2 == 0)
		g.keepDropped(q, sums)
	}
	width := len(g.d.columns)
	next := slices.Clone(g.beta)
	for share := 1.0; share > 1e-6; share /= 2 {
		for at, k := range sums {
			next[k] = make([]float64, width)
			for j := range width {
				next[k][j] = g.beta[k][j] + float64(share*step[at*width+j])
			}
			margins[k] = g.d.margins(next[k], g.job.Threads)
		}
		after := g.objective(margins, next)
		if after <= before+1e-15*math.Abs(before) {
			g.beta = next
			return before-after <= settledAt*(math.Abs(before)+1e-9*g.family.scale(g.d)), after
		}
	}
	return true, before
}

func (g *glm) margins(beta [][]float64) [][]float64 {
	out := make([][]float64, len(beta))
	for k := range beta {
		out[k] = g.d.margins(beta[k], g.job.Threads)
	}
	return out
}

// quadratic is the objective as the sums see it, without l1, whose coefficients it gives in one list.
func (g *glm) quadratic(margins [][]float64, sums []int) (q quadratic, beta []float64) {
	width := len(g.d.columns)
	q = newQuadratic(width, len(sums))
	g.family.prepare(g, margins)
	w, v := make([]float64, g.d.set.X.N), make([]float64, g.d.set.X.N)
	for a, k := range sums {
		for b, l := range sums[:a+1] {
			stripes(g.job.Threads, len(w), func(from, to int) { g.family.derive(g, margins, [2]int{k, l}, [2]int{from, to}, w, v) })
			gram, right := g.d.normal(w, v, g.job.Threads)
			q.put(a, b, gram)
			if a == b {
				copy(q.right[a*width:], right)
			}
		}
		copy(q.drop[a*width:], g.drop[k])
		beta = append(beta, g.beta[k]...)
	}
	q.penalise(beta, g.l2)
	return q, beta
}

// keepDropped remembers the columns that are explained by others for good.
func (g *glm) keepDropped(q quadratic, sums []int) {
	for a, k := range sums {
		copy(g.drop[k], q.drop[a*q.width:])
	}
}

func (g *glm) objective(margins, beta [][]float64) float64 {
	set, n := g.d.set, g.d.set.X.N
	parts := make([]float64, (n+stripe-1)/stripe)
	stripes(g.job.Threads, n, func(from, to int) {
		sum, row := 0.0, make([]float64, len(margins))
		for i := from; i < to; i++ {
			for k := range row {
				row[k] = margins[k][i]
			}
			sum += float64(set.weight(i) * g.family.of(set.Y[i], row))
		}
		parts[from/stripe] = sum
	})
	out := 0.0
	for _, part := range parts {
		out += part
	}
	out /= g.d.total
	for k := range beta {
		out = g.penalised(out, beta[k])
	}
	return out
}

// penalised adds the penalty of one sum's coefficients.
func (g *glm) penalised(loss float64, beta []float64) float64 {
	for _, b := range beta[1:] {
		loss += float64(g.l1*math.Abs(b)) + float64(g.l2/2*b*b)
	}
	return loss
}
