package learn

import (
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// family is the distribution of the label around the sums, with its canonical link.
type family interface {
	// base is the intercepts, one a sum, that alone have the least loss.
	base(s *Set) []float64
	// prepare sees the margins before their derivatives are asked for.
	prepare(g *glm, margins [][]float64)
	// derive writes, for rows from..to, the second derivative of the loss by sums k and l to w, and minus the first by k to v, times the weight.
	derive(g *glm, margins [][]float64, sums, rows [2]int, w, v []float64)
	// of is the loss of a row whose label is y.
	of(y float64, margin []float64) float64
	// scale is the size of a loss that is not small.
	scale(d *design) float64
	// lone says what a feature does whose coefficient grows without end; empty when none can.
	lone() string
}

func newFamily(job *Job, name string) family {
	switch name {
	case familyBinomial:
		return binomialFamily{}
	case familyMultinomial:
		return &multinomialFamily{softmaxLoss{classes: len(job.Classes), logSum: make([]float64, job.Train.X.N)}}
	case model.FamilyPoisson:
		return poissonFamily{}
	}
	return gaussianFamily{}
}

// each calls do for every row with its weight.
func each(s *Set, rows [2]int, do func(i int, weight float64)) {
	for i := rows[0]; i < rows[1]; i++ {
		do(i, s.weight(i))
	}
}

type gaussianFamily struct{ squaredLoss }

func (gaussianFamily) prepare(*glm, [][]float64) {}
func (gaussianFamily) lone() string              { return "" }

func (gaussianFamily) of(y float64, m []float64) float64 { return (m[0] - y) * (m[0] - y) / 2 }

func (gaussianFamily) derive(g *glm, margins [][]float64, _, rows [2]int, w, v []float64) {
	y, margin := g.d.set.Y, margins[0]
	each(g.d.set, rows, func(i int, weight float64) { w[i], v[i] = weight, weight*(y[i]-margin[i]) })
}

// scale is the variance of the label.
func (f gaussianFamily) scale(d *design) float64 {
	mean, squares := d.set.mean(), 0.0
	for i, y := range d.set.Y {
		squares += float64(d.set.weight(i) * (y - mean) * (y - mean))
	}
	return squares / d.total
}

type binomialFamily struct{ logisticLoss }

func (binomialFamily) prepare(*glm, [][]float64) {}
func (binomialFamily) scale(*design) float64     { return 1 }
func (binomialFamily) lone() string              { return "decides the class of some rows alone" }

func (binomialFamily) of(y float64, m []float64) float64 { return softplus((1 - 2*y) * m[0]) }

func (binomialFamily) derive(g *glm, margins [][]float64, _, rows [2]int, w, v []float64) {
	y, margin := g.d.set.Y, margins[0]
	each(g.d.set, rows, func(i int, weight float64) {
		p := logistic(margin[i])
		w[i], v[i] = weight*p*(1-p), weight*(y[i]-p)
	})
}

type poissonFamily struct{ poissonLoss }

func (poissonFamily) prepare(*glm, [][]float64) {}
func (poissonFamily) scale(d *design) float64   { return d.set.mean() }
func (poissonFamily) lone() string              { return "alone tells rows whose label is 0" }

func (poissonFamily) derive(g *glm, margins [][]float64, _, rows [2]int, w, v []float64) {
	y, margin := g.d.set.Y, margins[0]
	each(g.d.set, rows, func(i int, weight float64) {
		mean := math.Exp(margin[i])
		w[i], v[i] = weight*mean, weight*(y[i]-mean)
	})
}

type multinomialFamily struct{ softmaxLoss }

func (*multinomialFamily) scale(*design) float64 { return 1 }
func (*multinomialFamily) lone() string          { return "decides the class of some rows alone" }

func (f *multinomialFamily) prepare(g *glm, margins [][]float64) { f.sumLogs(g.job, margins) }

func (f *multinomialFamily) derive(g *glm, margins [][]float64, sums, rows [2]int, w, v []float64) {
	k, l := sums[0], sums[1]
	y := g.d.set.Y
	each(g.d.set, rows, func(i int, weight float64) {
		p := math.Exp(margins[k][i] - f.logSum[i])
		if k != l {
			w[i], v[i] = -weight*p*math.Exp(margins[l][i]-f.logSum[i]), 0
			return
		}
		w[i], v[i] = weight*p*(1-p), -weight*p
		if int(y[i]) == k {
			v[i] += weight
		}
	})
}
