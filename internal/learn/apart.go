package learn

import "math"

// apart moves the sums of a multinomial one class after the other, as glmnet does: what all of them need together grows with the square of
// their coefficients, and this with their number. It needs more steps, and handles any penalty.
type apart struct {
	g      *glm
	family *multinomialFamily // its logSum is kept up as margins change
	sums   []int
	margin [][]float64
	w, v   []float64
}

func (g *glm) apart(sums []int) *apart {
	n := g.d.set.X.N
	return &apart{g: g, family: g.family.(*multinomialFamily), sums: sums, margin: g.margins(g.beta), w: make([]float64, n), v: make([]float64, n)}
}

// cycle moves every class once, and gives the objective.
func (a *apart) cycle(first bool) (settled bool, objective float64) {
	a.family.prepare(a.g, a.margin)
	before := a.g.objective(a.margin, a.g.beta)
	fell := 0.0
	for _, k := range a.sums {
		fell += a.move(k, first)
	}
	return fell <= settledAt*(before+1e-9), before - fell
}

// move makes a step of class k, halved until the objective falls, and gives by how much it did.
func (a *apart) move(k int, first bool) float64 {
	g, beta := a.g, a.g.beta[k]
	n := len(a.w)
	stripes(g.job.Threads, n, func(from, to int) { a.family.derive(g, a.margin, [2]int{k, k}, [2]int{from, to}, a.w, a.v) })
	gram, right := g.d.normal(a.w, a.v, g.job.Threads)
	q := quadratic{width: len(beta), gram: gram, right: right, drop: g.drop[k]}
	q.penalise(beta, g.l2)
	var step []float64
	if g.l1 > 0 {
		step = q.lasso(beta, g.l1)
	} else {
		step = q.solve(first && g.l2 == 0)
	}
	for share := 1.0; share > 1e-6; share /= 2 {
		next := make([]float64, len(beta))
		for j := range next {
			next[j] = beta[j] + float64(share*step[j])
		}
		margin := g.d.margins(next, g.job.Threads)
		fell, logSum := a.fall(k, margin)
		if fell += g.penalised(0, beta) - g.penalised(0, next); fell >= 0 {
			g.beta[k], a.margin[k] = next, margin
			copy(a.family.logSum, logSum)
			return fell
		}
	}
	return 0
}

// fall says by how much the mean loss falls when class k gets other margins, and what the log sums are then.
func (a *apart) fall(k int, margin []float64) (float64, []float64) {
	set, old, sums := a.g.d.set, a.margin[k], a.family.logSum
	logSum, parts := make([]float64, len(sums)), make([]float64, (len(sums)+stripe-1)/stripe)
	stripes(a.g.job.Threads, len(sums), func(from, to int) {
		fell := 0.0
		for i := from; i < to; i++ {
			others := sums[i] + math.Log1p(-math.Min(1, math.Exp(old[i]-sums[i])))
			top := math.Max(others, margin[i])
			logSum[i] = top + math.Log1p(math.Exp(math.Min(others, margin[i])-top))
			change := sums[i] - logSum[i]
			if int(set.Y[i]) == k {
				change += margin[i] - old[i]
			}
			fell += float64(set.weight(i) * change)
		}
		parts[from/stripe] = fell
	})
	fell := 0.0
	for _, part := range parts {
		fell += part
	}
	return fell / a.g.d.total, logSum
}
