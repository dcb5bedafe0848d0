package learn

import (
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// pair is a row's first and second derivative of the loss by the margin, times its weight, in fixed point.
type pair struct{ g, h int32 }

// precision is how many bits a rounded derivative has: a sum over 2^32 rows stays inside 63 bits.
const precision = 30

// gradients fills in the derivatives at the margins. Binary: log loss, g = p − y, h = p(1 − p). Regression: half the squared error,
// g = ŷ − y, h = 1.
func (b *gbdt) gradients() {
	set := &b.job.Train
	if b.job.Task == model.TaskBinary {
		b.unit.g, b.unit.h = unit(b.heaviest), unit(b.heaviest/4)
		stripes(b.job.Threads, set.X.N, b.logisticGradients)
		return
	}
	largest := make([]float64, (set.X.N+stripe-1)/stripe)
	stripes(b.job.Threads, set.X.N, func(from, to int) {
		top := 0.0
		for i := from; i < to; i++ {
			top = math.Max(top, set.weight(i)*math.Abs(b.margin[i]-set.Y[i]))
		}
		largest[from/stripe] = top
	})
	b.unit.g, b.unit.h = unit(maximum(largest)), unit(b.heaviest)
	stripes(b.job.Threads, set.X.N, b.squaredGradients)
}

func (b *gbdt) logisticGradients(from, to int) {
	y, w, margin, out := b.job.Train.Y, b.job.Train.W, b.margin, b.gradient
	steps := pairOf{1 / b.unit.g, 1 / b.unit.h}
	for i := from; i < to; i++ {
		p := logistic(margin[i])
		g, h := p-y[i], p*(1-p)
		if w != nil {
			g, h = g*w[i], h*w[i]
		}
		out[i] = steps.round(g, h)
	}
}

func (b *gbdt) squaredGradients(from, to int) {
	y, w, margin, out := b.job.Train.Y, b.job.Train.W, b.margin, b.gradient
	steps := pairOf{1 / b.unit.g, 1 / b.unit.h}
	for i := from; i < to; i++ {
		g, h := margin[i]-y[i], 1.0
		if w != nil {
			g, h = g*w[i], w[i]
		}
		out[i] = steps.round(g, h)
	}
}

// pairOf is how many steps of the fixed point make 1.
type pairOf struct{ g, h float64 }

func (s pairOf) round(g, h float64) pair {
	return pair{int32(math.RoundToEven(g * s.g)), int32(math.RoundToEven(h * s.h))}
}

// unit is the power of two that makes top a fixed-point number of `precision` bits.
func unit(top float64) float64 {
	_, exponent := math.Frexp(math.Max(top, math.SmallestNonzeroFloat64))
	return math.Ldexp(1, max(exponent-precision, -1000))
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func maximum(values []float64) float64 {
	top := 0.0
	for _, x := range values {
		top = math.Max(top, x)
	}
	return top
}
