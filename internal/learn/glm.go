package learn

import (
	"context"
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// glm is one training: Newton steps on mean loss + l1·Σ|β| + l2/2·Σβ², β of the standardised columns, the intercept free (the objective
// of glmnet, Friedman and others 2010; l2 = 1/(n·C) of scikit-learn's LogisticRegression on standardised columns, l1 = alpha of its Lasso).
//
// Newton and not L-BFGS: the columns are few, a handful of steps gives all digits, and the normal equations tell which columns others explain.
type glm struct {
	d      *design
	job    *Job
	l1, l2 float64
	beta   []float64
	drop   []bool // columns that stay 0: constant, or explained by earlier ones
}

func trainGLM(ctx context.Context, job *Job, p map[string]float64) (model.Model, error) {
	features, err := describe(&job.Train.X, int(p["levels"]))
	if err != nil {
		return nil, err
	}
	d, err := newDesign(job, features)
	if err != nil {
		return nil, err
	}
	g := &glm{d: d, job: job, l1: p["l1"], l2: p["l2"], beta: make([]float64, len(d.columns)), drop: make([]bool, len(d.columns))}
	for i := range d.columns {
		g.drop[i] = d.columns[i].scale == 0
	}
	g.beta[0] = base(job)
	steps := int(p["iterations"])
	for step := 0; ; step++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if step == steps {
			d.notes = append(d.notes, fmt.Sprintf("training stopped after %d steps before it had settled", steps))
			break
		}
		settled, loss := g.newton(step == 0)
		job.Progress(step+1, steps, map[string]float64{"objective": loss})
		if settled {
			break
		}
	}
	d.notes = append(d.notes, g.separated()...)
	return g.model(), nil
}

// settledAt is the part of the objective by which a step must still lower it. Steps converge quadratically: after the one that lowers it
// by less, coefficients have about 12 digits.
const settledAt = 1e-12

// newton makes one step, halved until the objective falls, and gives the objective.
func (g *glm) newton(first bool) (settled bool, objective float64) {
	margins := g.d.margins(g.beta, g.job.Threads)
	before := g.objective(margins, g.beta)
	w, v := g.derivatives(margins)
	gram, right := g.d.normal(w, v, g.job.Threads)
	for j := range right {
		if j > 0 {
			right[j] -= g.l2 * g.beta[j]
			gram[j][j] += g.l2
		}
	}
	q := quadratic{gram: gram, right: right, drop: g.drop}
	var step []float64
	if g.l1 > 0 {
		step = q.lasso(g.beta, g.l1)
	} else {
		step = q.solve(first && g.l2 == 0)
	}
	next := make([]float64, len(step))
	for share := 1.0; share > 1e-6; share /= 2 {
		for j := range next {
			next[j] = g.beta[j] + float64(share*step[j])
		}
		after := g.objective(g.d.margins(next, g.job.Threads), next)
		if after <= before+1e-15*math.Abs(before) {
			copy(g.beta, next)
			return before-after <= settledAt*(math.Abs(before)+1e-9*g.scale()), after
		}
	}
	return true, before
}

// scale is the size of a loss that is not small: for regression the variance of the label.
func (g *glm) scale() float64 {
	if g.job.Task == model.TaskBinary {
		return 1
	}
	mean, squares := base(g.job), 0.0
	for i, y := range g.job.Train.Y {
		squares += float64(g.job.Train.weight(i) * (y - mean) * (y - mean))
	}
	return squares / g.d.total
}

// derivatives gives each row's second derivative and minus its first, times its weight.
func (g *glm) derivatives(margins []float64) (w, v []float64) {
	set, binary := g.d.set, g.job.Task == model.TaskBinary
	w, v = make([]float64, len(margins)), make([]float64, len(margins))
	stripes(g.job.Threads, len(margins), func(from, to int) {
		for i := from; i < to; i++ {
			weight := set.weight(i)
			w[i], v[i] = weight, weight*(set.Y[i]-margins[i])
			if binary {
				p := logistic(margins[i])
				w[i], v[i] = weight*p*(1-p), weight*(set.Y[i]-p)
			}
		}
	})
	return w, v
}

func (g *glm) objective(margins, beta []float64) float64 {
	set, binary := g.d.set, g.job.Task == model.TaskBinary
	parts := make([]float64, (len(margins)+stripe-1)/stripe)
	stripes(g.job.Threads, len(margins), func(from, to int) {
		sum := 0.0
		for i := from; i < to; i++ {
			loss := 0.0
			if binary {
				loss = softplus((1 - 2*set.Y[i]) * margins[i])
			} else {
				loss = (margins[i] - set.Y[i]) * (margins[i] - set.Y[i]) / 2
			}
			sum += float64(set.weight(i) * loss)
		}
		parts[from/stripe] = sum
	})
	out := 0.0
	for _, part := range parts {
		out += part
	}
	out /= g.d.total
	for _, b := range beta[1:] {
		out += float64(g.l1*math.Abs(b)) + float64(g.l2/2*b*b)
	}
	return out
}

// separatedAt is the log odds by which no real feature moves: a coefficient as large as this grows without end.
const separatedAt = 12

// separated names the features that alone decide the class of some rows.
func (g *glm) separated() (notes []string) {
	if g.job.Task != model.TaskBinary {
		return nil
	}
	last := -1
	for j, c := range g.d.columns {
		size := math.Abs(g.beta[j])
		if j >= len(g.d.numbers) {
			size *= c.scale
		}
		if c.feature >= 0 && c.feature != last && size > separatedAt {
			last = c.feature
			notes = append(notes, fmt.Sprintf("%q decides the class of some rows alone, so its coefficient has no finite best value; l2 above 0 gives it one",
				g.d.features[c.feature].Name))
		}
	}
	return notes
}

// model takes the standardisation back.
func (g *glm) model() *model.Linear {
	m := &model.Linear{Task: g.job.Task, Intercept: g.beta[0], Notes: g.d.notes, Terms: make([]model.Term, len(g.d.features))}
	variance, share := make([]float64, len(m.Terms)), make([]float64, len(m.Terms))
	for i, f := range g.d.features {
		m.Terms[i] = model.Term{Feature: f}
		if f.IsCategory() {
			m.Terms[i].ByCode = make([]float64, f.Codes())
		}
	}
	for j, c := range g.d.columns[1:] {
		t, b := &m.Terms[c.feature], g.beta[j+1]*c.scale
		switch {
		case !t.IsCategory() && c.share == 0:
			t.Coefficient, t.Mean = b, c.mean
			variance[c.feature] += g.beta[j+1] * g.beta[j+1]
			m.Intercept -= float64(b * c.mean)
		case !t.IsCategory():
			t.Missing = b
			variance[c.feature] += b * b * c.share * (1 - c.share)
		default:
			if c.code == missingCode {
				t.Missing, share[c.feature] = b, c.share
			} else {
				t.ByCode[c.code] = b
			}
			t.Mean += c.share * b
			variance[c.feature] += c.share * b * b
		}
	}
	for i := range m.Terms {
		t := &m.Terms[i]
		if t.IsCategory() {
			variance[i] -= t.Mean * t.Mean
			if share[i] == 0 {
				t.Missing = t.Mean
			}
		}
		t.Spread = math.Sqrt(math.Max(0, variance[i]))
	}
	return m
}
