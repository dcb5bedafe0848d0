package metric

import "math"

// The sums of a multiclass sample: the weight of all rows, the log loss, then for each class the weight of its hits, of its rows and of
// the rows that were said to be it.
const (
	everything = iota
	surprise
	perClass
)

const (
	hit = iota
	actual
	said
	classSums
)

func multiclassSums(classes int) int { return perClass + classSums*classes }

var multiclass = []formula{
	{name: "accuracy", sums: func(s []float64) float64 {
		return overClasses(s, func(c []float64) (float64, float64) { return c[hit] / s[everything], 1 }, total)
	}},
	{name: "balanced_accuracy", sums: func(s []float64) float64 { return overClasses(s, classRecall, mean) }},
	{name: "macro_f1", sums: func(s []float64) float64 { return overClasses(s, classF1, mean) }},
	{name: "weighted_f1", sums: func(s []float64) float64 {
		return overClasses(s, func(c []float64) (float64, float64) { f1, _ := classF1(c); return f1, c[actual] }, mean)
	}},
	{name: "log_loss", sums: func(s []float64) float64 { return s[surprise] / s[everything] }},
	{name: "macro_auc_ovr", rank: oneVersusRest},
}

// overClasses gathers a number of every class. A weight of 0 leaves the class out.
func overClasses(s []float64, of func(c []float64) (value, weight float64), end func(sum, weight float64) float64) float64 {
	sum, weights := 0.0, 0.0
	for at := perClass; at < len(s); at += classSums {
		value, weight := of(s[at : at+classSums])
		if weight > 0 {
			sum, weights = sum+value*weight, weights+weight
		}
	}
	return end(sum, weights)
}

func total(sum, _ float64) float64     { return sum }
func mean(sum, weight float64) float64 { return sum / weight }

// classRecall leaves a class without rows out, as scikit-learn does.
func classRecall(c []float64) (float64, float64) {
	if c[actual] == 0 {
		return 0, 0
	}
	return c[hit] / c[actual], 1
}

// classF1 leaves out a class that neither is nor is said to be; one that is only said to be counts 0, as in scikit-learn.
func classF1(c []float64) (float64, float64) {
	if c[actual]+c[said] == 0 {
		return 0, 0
	}
	return 2 * c[hit] / (c[actual] + c[said]), 1
}

// oneVersusRest is the unweighted mean of every class's AUC against the rest. It exists when every class has rows.
func oneVersusRest(of []*blocks) float64 {
	sum := 0.0
	for _, b := range of {
		sum += b.auc()
	}
	return sum / float64(len(of))
}

// sumTolerance is how far the scores of a row may be from summing to 1: what single precision and a few hundred classes leave.
const sumTolerance = 1e-4

// Answer is the class that a multiclass sample gives row i: that of the highest score, of ties the first.
func Answer(s Sample, i int) int {
	best := 0
	for c := range s.Scores {
		if s.Scores[c][i] > s.Scores[best][i] {
			best = c
		}
	}
	return best
}

// Confidence asks of a multiclass sample whether each row's answer is right, its score being that of the answered class: a binary sample, whose
// calibration is that of the answers (top-label calibration, Guo et al. 2017). An empty sample when the scores are no probabilities.
func Confidence(s Sample) Sample {
	out := Sample{Task: Binary, Scores: [][]float64{nil}}
	if s.Check() != nil || !(rows{Sample: s}).distributions() {
		return out
	}
	out.Weight, out.Label, out.Scores[0] = s.Weight, make([]float64, len(s.Label)), make([]float64, len(s.Label))
	for i, y := range s.Label {
		said := Answer(s, i)
		out.Scores[0][i] = min(s.Scores[said][i], 1)
		if said == int(y) {
			out.Label[i] = 1
		}
	}
	return out
}

// Class is how a multiclass sample fares on one class: the weight of its rows, of the rows that were said to be it, and of those that were both.
type Class struct {
	Rows, Answered, Right float64
	AUC                   float64 // against the rest; NaN when the class or the rest has no rows
}

// Precision, Recall and F1 are NaN where they do not exist, as those of a sample. A class that is only said to be there has F1 0, as in macro_f1.
func (c Class) Precision() float64 { return c.Right / c.Answered }
func (c Class) Recall() float64    { return c.Right / c.Rows }
func (c Class) F1() float64        { return 2 * c.Right / (c.Rows + c.Answered) }

// Classes gives every class of a sample; nil for one that Check refuses.
func Classes(s Sample) []Class {
	if s.Check() != nil || s.Task != Multiclass {
		return nil
	}
	r := rows{Sample: s, group: make([]int32, len(s.Label)), groups: 1}
	out := make([]Class, len(s.Scores))
	for i, y := range s.Label {
		said, w := Answer(s, i), r.weight(i)
		out[int(y)].Rows += w
		out[said].Answered += w
		if said == int(y) {
			out[said].Right += w
		}
	}
	for c, k := range r.rank() {
		b := k.scratch()
		k.fill([]uint16{1}, b)
		out[c].AUC = b.auc()
	}
	return out
}

// addMulticlass adds one row to the sums. Scores that are no probabilities leave no log_loss.
func (r rows) addMulticlass() func(i int, w float64, to []float64) {
	shares := r.distributions()
	return func(i int, w float64, to []float64) {
		best, class := Answer(r.Sample, i), int(r.Label[i])
		to[everything] += w
		to[perClass+classSums*class+actual] += w
		to[perClass+classSums*best+said] += w
		if best == class {
			to[perClass+classSums*class+hit] += w
		}
		if !shares {
			to[surprise] = math.NaN()
			return
		}
		to[surprise] -= w * math.Log(min(max(r.Scores[class][i], epsilon), 1-epsilon))
	}
}

func (r rows) distributions() bool {
	for i := range r.Label {
		sum := 0.0
		for _, column := range r.Scores {
			if column[i] < 0 || column[i] > 1 {
				return false
			}
			sum += column[i]
		}
		if math.Abs(sum-1) > sumTolerance {
			return false
		}
	}
	return true
}
