package stat

import (
	"math"
	"slices"
)

// AUC is the area under a ROC curve with, for each row, how much that row moves it.
type AUC struct {
	Value float64
	// Influence of each row on Value: weight × (its placement − Value) ÷ the weight of its class. The values sum to zero, and the error
	// of Value is, to first order, the sum of those of the rows drawn (DeLong's structural components, centred).
	Influence []float64
	positive  []bool
	counts    [2]int // rows of each class, positives second
	weighted  bool
}

// NewAUC computes an AUC. label > 0.5 is positive; weight may be nil. Ties count half, by midranks (Sun & Xu 2014, generalised to weights:
// a row's placement is the share of the other class's weight that it beats). ok is false when a class has no weight.
func NewAUC(label, score, weight []float64) (a AUC, ok bool) {
	a = AUC{Influence: make([]float64, len(label)), positive: make([]bool, len(label)), weighted: weight != nil}
	var total [2]float64
	for i, y := range label {
		class := 0
		if y > 0.5 {
			class, a.positive[i] = 1, true
		}
		a.counts[class]++
		total[class] += weightOf(weight, i)
	}
	if !(total[0] > 0 && total[1] > 0) {
		return a, false
	}
	a.place(score, weight, total)
	area := 0.0
	for i, p := range a.Influence {
		if a.positive[i] {
			area += weightOf(weight, i) * p
		}
	}
	a.Value = area / total[1]
	for i, p := range a.Influence {
		class := 0
		if a.positive[i] {
			class = 1
		}
		a.Influence[i] = weightOf(weight, i) * (p - a.Value) / total[class]
	}
	return a, true
}

// place writes each row's placement to Influence: of a positive, the share of negatives below it; of a negative, the share of positives above it.
func (a *AUC) place(score, weight []float64, total [2]float64) {
	order := Descending(score)
	slices.Reverse(order)
	var below [2]float64
	for start := 0; start < len(order); {
		end, tied := start, [2]float64{}
		for ; end < len(order) && score[order[end]] == score[order[start]]; end++ {
			tied[a.class(order[end])] += weightOf(weight, int(order[end]))
		}
		beats := (below[0] + tied[0]/2) / total[0]
		beaten := 1 - (below[1]+tied[1]/2)/total[1]
		for _, i := range order[start:end] {
			a.Influence[i] = beaten
			if a.positive[i] {
				a.Influence[i] = beats
			}
		}
		below[0], below[1], start = below[0]+tied[0], below[1]+tied[1], end
	}
}

func (a *AUC) class(i int32) int {
	if a.positive[i] {
		return 1
	}
	return 0
}

func weightOf(weight []float64, i int) float64 {
	if weight == nil {
		return 1
	}
	return weight[i]
}

// DeLong compares the AUCs of two scores on the same rows, each row independent of the others (DeLong, DeLong & Clarke-Pearson 1988):
// what pROC's roc.test computes. Weights make it the clustered test of rows as groups, which differs from it by 1/n.
func DeLong(base, head AUC) Estimate {
	if base.weighted || base.counts[0] < 2 || base.counts[1] < 2 {
		rows, n := Groups(nil, len(base.Influence))
		return ClusteredDeLong(base, head, rows, n)
	}
	var squares [2]float64
	for i := range base.Influence {
		d := head.Influence[i] - base.Influence[i]
		squares[base.class(int32(i))] += d * d
	}
	negatives, positives := float64(base.counts[0]), float64(base.counts[1])
	variance := squares[0]*negatives/(negatives-1) + squares[1]*positives/(positives-1)
	return estimate(base.Value, head.Value, variance, math.Inf(1))
}

// ClusteredDeLong compares the AUCs of two scores on the same rows when rows of one group move together: influence values are summed
// per group, and the sums are the independent draws (Obuchowski 1997, with the t quantile of groups − 1 degrees of freedom that few
// groups need). group numbers each row's group from 0 to groups − 1.
func ClusteredDeLong(base, head AUC, group []int32, groups int) Estimate {
	moved := make([]float64, len(group))
	for i := range moved {
		moved[i] = head.Influence[i] - base.Influence[i]
	}
	return estimate(base.Value, head.Value, clusterVariance(moved, group, groups), float64(groups-1))
}

// MeanAUC is the plain mean of AUCs over the same rows: of one class against the rest, class by class, or of models that were trained with several
// seeds. The influence of a row on a mean is the mean of its influences, so DeLong's tests hold for it as for one AUC (the linear contrast of
// correlated AUCs, DeLong et al. 1988, eq. 5). Where the AUCs do not agree on which rows are positive, the rows themselves are what is drawn.
func MeanAUC(all []AUC) AUC {
	if len(all) == 1 {
		return all[0]
	}
	first := all[0]
	out := AUC{Influence: make([]float64, len(first.Influence)), positive: first.positive, counts: first.counts, weighted: first.weighted}
	for _, a := range all {
		out.Value += a.Value / float64(len(all))
		for i, v := range a.Influence {
			out.Influence[i] += v / float64(len(all))
		}
		out.weighted = out.weighted || !slices.Equal(a.positive, first.positive)
	}
	return out
}

// Side is one AUC with the groups of its own rows.
type Side struct {
	AUC
	Group  []int32
	Groups int
}

// UnpairedDeLong compares AUCs of different rows: the clustered variances are summed, the degrees of freedom are Welch's and Satterthwaite's.
func UnpairedDeLong(base, head Side) Estimate {
	vb := clusterVariance(base.Influence, base.Group, base.Groups)
	vh := clusterVariance(head.Influence, head.Group, head.Groups)
	df := math.Inf(1)
	if vb+vh > 0 {
		df = (vb + vh) * (vb + vh) / (vb*vb/float64(base.Groups-1) + vh*vh/float64(head.Groups-1))
	}
	return estimate(base.Value, head.Value, vb+vh, df)
}

// clusterVariance is the variance of a sum of zero-mean influence values, of which those of a group are one draw.
func clusterVariance(influence []float64, group []int32, groups int) float64 {
	if groups < 2 {
		return 0
	}
	sums := make([]float64, groups)
	for i, v := range influence {
		sums[group[i]] += v
	}
	squares := 0.0
	for _, s := range sums {
		squares += s * s
	}
	return squares * float64(groups) / float64(groups-1)
}
