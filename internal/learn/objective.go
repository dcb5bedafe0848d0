package learn

import (
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// loss is what trees make small: its derivatives by the margins, one or one a class.
type loss interface {
	// base is the margins that alone have the least loss.
	base(s *Set) []float64
	// prepare sees the margins before the first tree of a round.
	prepare(b *gbdt)
	// derive writes the gradient and hessian of margin k of the rows from..to, before weights.
	derive(b *gbdt, k, from, to int, g, h []float64)
	// bounds are the largest |gradient| and hessian that the margins can have now, before weights.
	bounds(b *gbdt) (g, h float64)
	// of is the loss of a row whose label is y.
	of(y float64, margin []float64) float64
}

// newLoss is the loss by its name.
func newLoss(job *Job, name string) loss {
	switch {
	case name == model.LossPoisson:
		return poissonLoss{}
	case name == model.LossSquared:
		return squaredLoss{}
	case job.Task == model.TaskMulticlass:
		return &softmaxLoss{classes: len(job.Classes), logSum: make([]float64, job.Train.X.N)}
	}
	return logisticLoss{}
}

// pair is a row's first and second derivative of the loss by the margin, times its weight, in fixed point.
type pair struct{ g, h int32 }

// precision is how many bits a rounded derivative has: a sum over 2^32 rows stays inside 63 bits.
const precision = 30

// gradients fills in the derivatives by margin k.
func (b *gbdt) gradients(k int) {
	g, h := b.loss.bounds(b)
	b.unit.g, b.unit.h = unit(g*b.heaviest), unit(h*b.heaviest)
	w := b.job.Train.W
	stripes(b.job.Threads, b.train.rows, func(from, to int) {
		var g, h [stripe]float64
		b.loss.derive(b, k, from, to, g[:to-from], h[:to-from])
		perG, perH, out := 1/b.unit.g, 1/b.unit.h, b.gradient[from:to]
		for i := range out {
			if w != nil {
				g[i], h[i] = g[i]*w[from+i], h[i]*w[from+i]
			}
			out[i] = pair{int32(math.RoundToEven(g[i] * perG)), int32(math.RoundToEven(h[i] * perH))}
		}
	})
}

// logisticLoss is the log loss of a binary task: g = p − y, h = p(1 − p).
type logisticLoss struct{}

func (logisticLoss) base(s *Set) []float64             { p := s.mean(); return []float64{math.Log(p / (1 - p))} }
func (logisticLoss) prepare(*gbdt)                     {}
func (logisticLoss) bounds(*gbdt) (g, h float64)       { return 1, 0.25 }
func (logisticLoss) of(y float64, m []float64) float64 { return softplus(m[0]) - y*m[0] }

func (logisticLoss) derive(b *gbdt, _, from, to int, g, h []float64) {
	y := b.job.Train.Y[from:to]
	for i, margin := range b.margin[0][from:to] {
		p := logistic(margin)
		g[i], h[i] = p-y[i], p*(1-p)
	}
}

// squaredLoss is half the squared error: g = ŷ − y, h = 1.
type squaredLoss struct{}

func (squaredLoss) base(s *Set) []float64             { return []float64{s.mean()} }
func (squaredLoss) prepare(*gbdt)                     {}
func (squaredLoss) of(y float64, m []float64) float64 { return (m[0] - y) * (m[0] - y) }

func (squaredLoss) bounds(b *gbdt) (g, h float64) {
	return largest(b, func(i int) float64 { return math.Abs(b.margin[0][i] - b.job.Train.Y[i]) }), 1
}

func (squaredLoss) derive(b *gbdt, _, from, to int, g, h []float64) {
	y := b.job.Train.Y[from:to]
	for i, margin := range b.margin[0][from:to] {
		g[i], h[i] = margin-y[i], 1
	}
}

// poissonLoss is half the deviance of counts whose mean is exp(margin), but for terms of y alone: g = exp(m) − y, h = exp(m).
type poissonLoss struct{}

func (poissonLoss) base(s *Set) []float64             { return []float64{math.Log(s.mean())} }
func (poissonLoss) prepare(*gbdt)                     {}
func (poissonLoss) of(y float64, m []float64) float64 { return math.Exp(m[0]) - y*m[0] }

func (poissonLoss) bounds(b *gbdt) (g, h float64) {
	h = expBelow(largest(b, func(i int) float64 { return b.margin[0][i] }))
	return math.Max(h, maximum(b.job.Train.Y)), h
}

func (poissonLoss) derive(b *gbdt, _, from, to int, g, h []float64) {
	y := b.job.Train.Y[from:to]
	for i, margin := range b.margin[0][from:to] {
		mean := expBelow(margin)
		g[i], h[i] = mean-y[i], mean
	}
}

// logMove is how far a leaf of log odds or logs moves at most, before the rate. Where the mean is next to 0, as with many classes, the best
// second-order step is without bounds (XGBoost's max_delta_step is for the same); the next rounds go on where one was not enough.
const logMove = 10

// expBelow is exp(x) that stays finite when it is squared.
func expBelow(x float64) float64 { return math.Exp(math.Min(x, 300)) }

// softmaxLoss is the log loss of a multiclass task. For class k: g = p − [y = k], h = p(1 − p), as in scikit-learn; XGBoost doubles h.
type softmaxLoss struct {
	classes int
	logSum  []float64 // of each row: the log of the sum of exp(margin), before the round
}

// base is the log of each class's share of the weight. A class without rows gets half a row, for its log must be a number.
func (l *softmaxLoss) base(s *Set) []float64 {
	weight, total := s.classWeights(l.classes)
	for k, w := range weight {
		weight[k] = math.Log(math.Max(w, total/float64(2*s.X.N)) / total)
	}
	return weight
}

func (l *softmaxLoss) prepare(b *gbdt) { l.sumLogs(b.job, b.margin) }

func (l *softmaxLoss) sumLogs(job *Job, margins [][]float64) {
	stripes(job.Threads, len(l.logSum), func(from, to int) {
		row := make([]float64, l.classes)
		for i := from; i < to; i++ {
			for k := range row {
				row[k] = margins[k][i]
			}
			l.logSum[i] = logSumExp(row)
		}
	})
}

func (l *softmaxLoss) bounds(*gbdt) (g, h float64) { return 1, 0.25 }

func (l *softmaxLoss) of(y float64, margin []float64) float64 {
	return logSumExp(margin) - margin[int(y)]
}

func (l *softmaxLoss) derive(b *gbdt, k, from, to int, g, h []float64) {
	y := b.job.Train.Y[from:to]
	for i, margin := range b.margin[k][from:to] {
		p := math.Exp(margin - l.logSum[from+i])
		g[i], h[i] = p, p*(1-p)
		if int(y[i]) == k {
			g[i]--
		}
	}
}

// largest is the largest value over the train rows.
func largest(b *gbdt, of func(row int) float64) float64 {
	tops := make([]float64, (b.train.rows+stripe-1)/stripe)
	stripes(b.job.Threads, b.train.rows, func(from, to int) {
		top := math.Inf(-1)
		for i := from; i < to; i++ {
			top = math.Max(top, of(i))
		}
		tops[from/stripe] = top
	})
	top := math.Inf(-1)
	for _, x := range tops {
		top = math.Max(top, x)
	}
	return top
}

// unit is the power of two that makes top a fixed-point number of `precision` bits.
func unit(top float64) float64 {
	_, exponent := math.Frexp(math.Max(top, math.SmallestNonzeroFloat64))
	return math.Ldexp(1, max(exponent-precision, -1000))
}

// grid is the power of two of which bases and leaves are multiples. A margin that stays below 2^24 of it is exact in float32 at every
// addition; one that grows beyond is rounded as any float32 sum is. Log odds and logs are exact up to 16, in steps of 1e-6; values up to
// twice the base and eight times their mean distance to it.
func grid(job *Job, base float64, name string) float64 {
	if name != model.LossSquared {
		return 1.0 / (1 << 20)
	}
	distance, total := 0.0, 0.0
	for i, y := range job.Train.Y {
		distance += float64(job.Train.weight(i) * math.Abs(y-base))
		total += job.Train.weight(i)
	}
	_, exponent := math.Frexp(math.Abs(base) + 8*distance/total)
	return math.Ldexp(1, max(exponent-23, -126))
}

// rounded is the multiple of step next to x.
func rounded(x, step float64) float32 { return model.Single(math.RoundToEven(x/step) * step) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is log(1 + exp(x)) without overflow.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// logSumExp is log(Σ exp(x)) without overflow.
func logSumExp(x []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = math.Max(top, v)
	}
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

func maximum(values []float64) float64 {
	top := 0.0
	for _, x := range values {
		top = math.Max(top, x)
	}
	return top
}
