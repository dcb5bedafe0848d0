package compare

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/stat"
)

// Field is several answers to the same rows, of which one was chosen by a metric. Columns are of equal length.
type Field struct {
	Task       string
	Metric     string // one of the task's
	Direction  string // metric.Up or metric.Down: what is good
	Label      []float64
	Weight     []float64 // nil: every row counts 1
	Group      []string  // rows that move together; nil: every row is its own group
	Candidates []Answer
	Seed       uint64
}

// Standing is what the rows say of a choice among candidates.
type Standing struct {
	Rows, Groups int
	Reason       string    // why nothing more can be said
	Behind       []Distant // of each candidate, the chosen one included
	Corrected    *float64  // the chosen one's metric without the luck of having been chosen
}

// Distant says how far a candidate is behind the chosen one: its gain over it, signed so that up is good, and the interval that all pairs of candidates
// hold together with 95 % confidence.
type Distant struct {
	Gain, Low, High float64
	Within          bool // the interval holds zero: which of the two is better is noise
}

// fieldDraws is enough for a quantile at 95 % of the largest of many differences.
const fieldDraws = 500

// MaxField is how many candidates on so many rows are looked at together: more cost minutes, and one that is far behind changes nothing.
func MaxField(rows int) int { return min(50, max(10, 1_000_000/max(rows, 1))) }

// Stand says how sure a choice is. The first candidate is the chosen one, the best by the metric on these very rows; so its number is too good:
// of many equal answers one looks best. Both answers come from one bootstrap of whole groups:
//
//   - Distances. c is the 95 % quantile, over draws, of the largest |difference − its mean| ÷ its standard error over all pairs; an interval is the
//     difference ± c standard errors, so all pairs hold at once, whichever of them was looked at because it came out first (the range statistic of
//     Hansen, Lunde and Nason 2011, without their elimination). c is widened for few groups as in stat.Interval.
//   - Correction. In each draw the best is chosen anew from the groups drawn, and measured on the groups left out (Tsamardinos, Greasidou and
//     Borboudakis 2018, BBC-CV). How much it falls behind the chosen one there, on average, is what choosing is worth; the chosen one's number
//     less that is Corrected.
func Stand(f Field) (Standing, error) {
	k := len(f.Candidates)
	workers := make([]func() stat.Statistic, k)
	s := Standing{Rows: len(f.Label)}
	for i, c := range f.Candidates {
		h, err := newHalf(f.Task, c.Threshold, c.Scores, Side{Label: f.Label, Weight: f.Weight, Group: f.Group})
		if err == nil {
			workers[i], err = h.worker(f.Metric)
		}
		if err != nil {
			return s, fmt.Errorf("reading the scores of candidate %d: %w", i+1, err)
		}
		s.Groups = h.groups
	}
	switch {
	case k < 2:
		s.Reason = "there is nothing to choose from"
		return s, nil
	case s.Groups < MinGroups:
		s.Reason = fmt.Sprintf("%d groups, %d needed", s.Groups, MinGroups)
		return s, nil
	}
	values := make([]float64, 2*k)
	inAndOut(workers)(ones(s.Groups), values)
	draws := stat.Resampling{Groups: s.Groups, Draws: fieldDraws, Seed: f.Seed}.Run(2*k, func() stat.Statistic { return inAndOut(workers) })
	sign := f.signed(append(draws, values[:k]))
	in, out := draws[:k], draws[k:]
	s.Behind = distances(values[:k], in, s.Groups)
	s.Corrected = significant(sign * (values[0] - luck(in, out)))
	return s, nil
}

// worker makes the statistic that measures one metric of a half in a draw.
func (h half) worker(name string) (func() stat.Statistic, error) {
	if name == "auc" && h.Task == metric.Binary {
		if a, ok := stat.NewAUC(h.Label, h.Scores[0], h.Weight); ok {
			return h.areas(a), nil
		}
	}
	p, err := metric.NewPlan(h.Sample, h.group, h.groups, []string{name})
	if err != nil {
		return nil, err
	}
	return p.Worker, nil
}

// areas measures the AUC of a draw to first order, as DeLong's tests do: from each row's influence, summed per group. Ranking the rows of each draw
// anew gives the same distances and was measured 30 times slower for 60 groups of 500 rows.
func (h half) areas(a stat.AUC) func() stat.Statistic {
	type sums struct{ moves, weighs [2]float64 } // by class
	of, total := make([]sums, h.groups), [2]float64{}
	for i, y := range h.Label {
		class, w := int(y), 1.0
		if h.Weight != nil {
			w = h.Weight[i]
		}
		g := &of[h.group[i]]
		g.moves[class] += a.Influence[i]
		g.weighs[class] += w
		total[class] += w
	}
	return func() stat.Statistic {
		return func(count []uint16, out []float64) {
			var drawn sums
			for g, n := range count {
				for class := range 2 {
					drawn.moves[class] += float64(n) * of[g].moves[class]
					drawn.weighs[class] += float64(n) * of[g].weighs[class] / total[class]
				}
			}
			out[0] = a.Value + drawn.moves[0]/drawn.weighs[0] + drawn.moves[1]/drawn.weighs[1] // NaN without one of the classes
		}
	}
}

// signed turns numbers so that up is good, and gives the sign that turns them back.
func (f Field) signed(numbers [][]float64) float64 {
	sign := 1.0
	if f.Direction == metric.Down {
		sign = -1
	}
	for _, of := range numbers {
		for i, v := range of {
			if f.Metric == metric.Bias { // best at zero
				v = math.Abs(v)
			}
			of[i] = sign * v
		}
	}
	return sign
}

// inAndOut measures every candidate on the groups of a draw, then on those that the draw left out.
func inAndOut(of []func() stat.Statistic) stat.Statistic {
	k := len(of)
	workers := make([]stat.Statistic, k)
	for i, w := range of {
		workers[i] = w()
	}
	var left []uint16
	return func(count []uint16, out []float64) {
		if left == nil {
			left = make([]uint16, len(count))
		}
		for g, n := range count {
			left[g] = 0
			if n == 0 {
				left[g] = 1
			}
		}
		for i, w := range workers {
			w(count, out[i:i+1])
			w(left, out[k+i:k+i+1])
		}
	}
}

// distances gives each candidate's gain over the first with simultaneous intervals.
func distances(values []float64, draws [][]float64, groups int) []Distant {
	g := float64(groups)
	widen := stat.TQuantile(0.975, g-1) / stat.NormalQuantile(0.975) * math.Sqrt(g/(g-1))
	c := widen * critical(draws)
	out := make([]Distant, len(values))
	for i := range values {
		_, se := spread(draws[i], draws[0])
		gain := values[i] - values[0]
		out[i] = Distant{Gain: gain, Low: gain - c*se, High: gain + c*se}
		out[i].Within = out[i].High >= 0
	}
	return out
}

// critical is the 95 % quantile, over draws, of the largest studentised difference of any two candidates.
func critical(draws [][]float64) float64 {
	most := make([]float64, len(draws[0]))
	for i := range draws {
		for j := range i {
			mean, se := spread(draws[i], draws[j])
			if se == 0 { // the same answers
				continue
			}
			for d := range most {
				if t := math.Abs(draws[i][d]-draws[j][d]-mean) / se; t > most[d] {
					most[d] = t
				}
			}
		}
	}
	return stat.Quantile(most, stat.Level)
}

// spread gives the mean and the standard deviation of the differences of two rows of draws, those aside that do not exist.
func spread(a, b []float64) (mean, deviation float64) {
	n, sum, squares := 0.0, 0.0, 0.0
	for d := range a {
		if x := a[d] - b[d]; !math.IsNaN(x) {
			n++
			sum += x
		}
	}
	if n < 2 {
		return 0, 0
	}
	mean = sum / n
	for d := range a {
		if x := a[d] - b[d] - mean; !math.IsNaN(x) {
			squares += x * x
		}
	}
	return mean, math.Sqrt(squares / (n - 1))
}

// luck is by how much the first candidate is better, on the groups that a draw left out, than the one that the draw would have chosen. It is not
// below zero: chance may say so, but a choice never makes a number too low.
func luck(in, out [][]float64) float64 {
	n, sum := 0.0, 0.0
	for d := range in[0] {
		best := -1
		for i := range in {
			if v := in[i][d]; !math.IsNaN(v) && (best < 0 || v > in[best][d]) {
				best = i
			}
		}
		if best < 0 {
			continue
		}
		if x := out[0][d] - out[best][d]; !math.IsNaN(x) {
			n++
			sum += x
		}
	}
	return max(0, sum/max(n, 1))
}
