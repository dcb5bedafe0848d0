package metric

import (
	"math"
	"slices"
)

// The sums of a binary sample.
const (
	tp = iota
	fp
	fn
	tn
	logLoss // weight × −ln of the probability given to what happened
	squares // weight × (score − label)²
	binarySums
)

// epsilon is what log_loss clips probabilities to: that of float64, as scikit-learn does.
const epsilon = 0x1p-52

var binary = []formula{
	{name: "auc", rank: func(b []*blocks) float64 { return b[0].auc() }},
	{name: "average_precision", rank: func(b []*blocks) float64 { return b[0].averagePrecision() }},
	{name: "log_loss", sums: func(s []float64) float64 { return s[logLoss] / all(s) }},
	{name: "brier", sums: func(s []float64) float64 { return s[squares] / all(s) }},
	{name: "ece", rank: func(b []*blocks) float64 { return b[0].calibrationError() }},
	{name: "accuracy", sums: func(s []float64) float64 { return (s[tp] + s[tn]) / all(s) }},
	{name: "balanced_accuracy", sums: func(s []float64) float64 { return (recall(s) + specificity(s)) / 2 }},
	{name: "f1", sums: func(s []float64) float64 { return 2 * s[tp] / (2*s[tp] + s[fp] + s[fn]) }},
	{name: "precision", sums: func(s []float64) float64 { return s[tp] / (s[tp] + s[fp]) }},
	{name: "recall", sums: recall},
	{name: "specificity", sums: specificity},
	{name: "mcc", sums: matthews},
	{name: "lift_10", rank: func(b []*blocks) float64 { return b[0].lift() }},
	{name: "ks_score", rank: func(b []*blocks) float64 { return b[0].kolmogorovSmirnov() }},
}

func all(s []float64) float64         { return s[tp] + s[fp] + s[fn] + s[tn] }
func recall(s []float64) float64      { return s[tp] / (s[tp] + s[fn]) }
func specificity(s []float64) float64 { return s[tn] / (s[tn] + s[fp]) }

// matthews is Matthews' correlation. It does not exist (0/0) when labels or decisions are all of one class; scikit-learn says 0 there.
// The root of each factor is taken first, so that the product of four large counts cannot overflow.
func matthews(s []float64) float64 {
	below := math.Sqrt(s[tp]+s[fp]) * math.Sqrt(s[tp]+s[fn]) * math.Sqrt(s[tn]+s[fp]) * math.Sqrt(s[tn]+s[fn])
	if below == 0 {
		return math.NaN()
	}
	return (s[tp]*s[tn] - s[fp]*s[fn]) / below
}

// addBinary adds one row to the sums. Scores that are no probabilities leave no log_loss and no brier.
func (r rows) addBinary() func(i int, w float64, to []float64) {
	shares := isShare(r.Scores[0])
	return func(i int, w float64, to []float64) {
		y, s := r.Label[i], r.Scores[0][i]
		to[cell(y > 0.5, s >= r.Threshold)] += w
		if !shares {
			to[logLoss], to[squares] = math.NaN(), math.NaN()
			return
		}
		to[squares] += w * (s - y) * (s - y)
		clipped := min(max(s, epsilon), 1-epsilon)
		if y > 0.5 {
			to[logLoss] -= w * math.Log(clipped)
		} else {
			to[logLoss] -= w * math.Log1p(-clipped)
		}
	}
}

func cell(positive, yes bool) int {
	switch {
	case positive && yes:
		return tp
	case yes:
		return fp
	case positive:
		return fn
	}
	return tn
}

func isShare(scores []float64) bool {
	return !slices.ContainsFunc(scores, func(s float64) bool { return s < 0 || s > 1 })
}

// auc is the chance that a positive scores above a negative, ties counting half.
func (b *blocks) auc() float64 {
	above, area := 0.0, 0.0
	for i, neg := range b.neg {
		area += neg * (above + b.pos[i]/2)
		above += b.pos[i]
	}
	return area / (b.sum[0] * b.sum[1])
}

// averagePrecision is the mean of the precision at each block, weighted by its gain in recall, without interpolation.
func (b *blocks) averagePrecision() float64 {
	hits, seen, sum := 0.0, 0.0, 0.0
	for i, pos := range b.pos {
		hits += pos
		seen += pos + b.neg[i]
		if seen > 0 { // dividing for a block without positives too is faster than a branch that nobody can predict
			sum += pos * hits / seen
		}
	}
	return sum / b.sum[1]
}

// kolmogorovSmirnov is the largest gap between the distributions of the score in the two classes.
func (b *blocks) kolmogorovSmirnov() float64 {
	if b.sum[0] == 0 || b.sum[1] == 0 {
		return math.NaN()
	}
	gap, largest, scale := 0.0, 0.0, [2]float64{1 / b.sum[0], 1 / b.sum[1]}
	for i, pos := range b.pos {
		gap += pos*scale[1] - b.neg[i]*scale[0]
		largest = max(largest, math.Abs(gap))
	}
	return largest
}

// lift is the precision in the top tenth of the weight over the base rate. A block across the edge counts by the share of it inside,
// so that the order of tied rows changes nothing.
func (b *blocks) lift() float64 {
	total := b.sum[0] + b.sum[1]
	left, hits := total/10, 0.0
	for i, pos := range b.pos {
		mass := pos + b.neg[i]
		if mass >= left {
			if mass > 0 {
				hits += pos * left / mass
			}
			break
		}
		hits += pos
		left -= mass
	}
	return (hits / (total / 10)) / (b.sum[1] / total)
}
