package metric

import "math"

// The sums of a regression sample, each times the weight: 1, error, |error|, error², label and label² from the labels' mean,
// |error ÷ label| and 1 where the label is not 0, and the symmetric relative error.
const (
	ones = iota
	signed
	absolute
	squared
	label
	labelSquared
	relative
	relativeOnes
	symmetric
	regressionSums
)

var regression = []formula{
	{name: "rmse", sums: func(s []float64) float64 { return math.Sqrt(s[squared] / s[ones]) }},
	{name: "mae", sums: func(s []float64) float64 { return s[absolute] / s[ones] }},
	{name: "medae", rank: func(b []*blocks) float64 { return b[0].median() }},
	{name: "mape", sums: func(s []float64) float64 { return s[relative] / s[relativeOnes] }},
	{name: "smape", sums: func(s []float64) float64 { return s[symmetric] / s[ones] }},
	{name: "r2", sums: explained},
	{name: Bias, sums: func(s []float64) float64 { return s[signed] / s[ones] }},
}

// rounding is how much of a sum of squares may be rounding: a spread of labels below it is none.
const rounding = 1e-14

// explained is the coefficient of determination. It does not exist when all labels are equal; scikit-learn says 0 or 1 there.
func explained(s []float64) float64 {
	spread := s[labelSquared] - s[label]*s[label]/s[ones]
	if !(spread > rounding*s[labelSquared]) {
		return math.NaN()
	}
	return 1 - s[squared]/spread
}

// addRegression adds one row to the sums. Labels are taken from their mean, so that a large one costs r2 no digits.
func (r rows) addRegression() func(i int, w float64, to []float64) {
	centre := 0.0
	for i, y := range r.Label {
		centre += (y - centre) / float64(i+1)
	}
	return func(i int, w float64, to []float64) {
		y, e := r.Label[i], r.Scores[0][i]-r.Label[i]
		size := math.Abs(e)
		to[ones] += w
		to[signed] += w * e
		to[absolute] += w * size
		to[squared] += w * e * e
		to[label] += w * (y - centre)
		to[labelSquared] += w * (y - centre) * (y - centre)
		if y != 0 {
			to[relative] += w * size / math.Abs(y)
			to[relativeOnes] += w
		}
		if size > 0 { // 0 of 0 is no error
			to[symmetric] += w * 2 * size / (math.Abs(y) + math.Abs(r.Scores[0][i]))
		}
	}
}

// median is the weighted median of the score: the mean of the two middle values when half of the weight ends between them.
func (b *blocks) median() float64 {
	total, upTo := b.sum[0]+b.sum[1], 0.0
	for i := len(b.neg) - 1; i >= 0; i-- {
		mass := b.pos[i] + b.neg[i]
		upTo += mass
		if mass == 0 || 2*upTo < total {
			continue
		}
		if 2*upTo > total {
			return b.score[i]
		}
		return (b.score[i] + b.next(i)) / 2
	}
	return math.NaN()
}

// next is the score of the next higher block that has weight.
func (b *blocks) next(i int) float64 {
	for j := i - 1; j >= 0; j-- {
		if b.pos[j]+b.neg[j] > 0 {
			return b.score[j]
		}
	}
	return b.score[i]
}
