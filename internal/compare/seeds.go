package compare

import (
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/stat"
)

// Answer is what one trained model says of the rows.
type Answer struct {
	Scores    [][]float64 // [column][row]
	Threshold float64
}

// Spread is how far apart a metric lies when only the seed of training differs.
type Spread struct {
	SD    float64 // over seeds, on the same rows
	Seeds int
}

// How repeats count. An experiment that was trained with R seeds is R draws of what training gives, all answering the same rows; what is asked is
// whether the experiment is better, not whether one draw is. So the numbers of a side are means over its seeds, and the difference is that of the
// means. Its error has two independent parts:
//
//   - test rows: the interval of the difference of means, by the same clustered DeLong or resampling of groups as without repeats. Every seed answers the
//     same resample, so this part does not shrink with R.
//   - training: S_h²/R_h + S_b²/R_b, S² being the variance of the metric over a side's seeds. stat.Parts gives the degrees of freedom.
//
// stat.Estimate.With puts them together. This is the fixed-cases, random-readers decomposition of reader studies (Obuchowski and Rockette 1995) with
// seeds as readers and groups of rows as cases. What seeds and rows do together is in both parts, so that the interval is a little too wide, the
// less the more seeds; taking it out needs more seeds than anyone runs. A bootstrap of seeds was left: of five it finds 4/5 of the variance.
//
// A side that was trained once adds nothing: its model is taken as it is, and the caption says so. When base's seeds answered other rows, base is the
// one model that was re-scored, and its training part is S_b² of those rows, undivided. When all seeds gave the same answers there is
// no training part to add, and Same says that this was looked at.

// trainedAgain adds the answers of further seeds to a half. When none differs from the first there is nothing to add.
func (h *half) trainedAgain(more []Answer) error {
	differ := false
	for i, a := range more {
		s := h.Sample
		s.Scores, s.Threshold = a.Scores, a.Threshold
		if err := s.Check(); err != nil {
			return fmt.Errorf("repeat %d: %w", i+2, err)
		}
		differ = differ || s.Threshold != h.Threshold || !sameScores(s.Scores, h.Scores)
		h.again = append(h.again, s)
	}
	if !differ {
		h.again = nil
	}
	return nil
}

func sameScores(a, b [][]float64) bool { return slices.EqualFunc(a, b, slices.Equal[[]float64]) }

// samples are the answers of all seeds, the one that is served first.
func (h half) samples() []metric.Sample { return append([]metric.Sample{h.Sample}, h.again...) }

// measured is a side's numbers.
type measured struct {
	served map[string]float64 // of the seed that is served
	mean   map[string]float64 // over all seeds; without what some seed has no number for
	each   []map[string]float64
}

// measure gives every metric of the task that exists, and the value when it can be made.
func (h half) measure(value func(tp, fp, fn, tn float64) (float64, bool)) measured {
	m := measured{}
	for _, s := range h.samples() {
		m.each = append(m.each, h.measureOne(s, value))
	}
	m.served, m.mean = m.each[0], m.each[0]
	if len(m.each) == 1 {
		return m
	}
	m.mean = map[string]float64{}
	for name := range m.served {
		if values := m.of(name); len(values) == len(m.each) {
			m.mean[name] = mean(values)
		}
	}
	return m
}

// of gives the number of every seed that has one.
func (m measured) of(name string) []float64 {
	var out []float64
	for _, one := range m.each {
		if v, ok := one[name]; ok {
			out = append(out, v)
		}
	}
	return out
}

// compared is the number that is compared: the mean over the seeds, of a bias that of its size.
func (m measured) compared(name string) float64 {
	values := m.of(name)
	for i, v := range values {
		values[i] = compared(name, v)
	}
	return mean(values)
}

func (m measured) spread(name string) Spread { return SpreadOf(name, m.of(name)) }

// SpreadOf is how far a metric's numbers of several seeds lie apart: of a bias, its sizes.
func SpreadOf(name string, values []float64) Spread {
	if len(values) < 2 {
		return Spread{}
	}
	sizes := make([]float64, len(values))
	for i, v := range values {
		sizes[i] = compared(name, v)
	}
	middle, squares := mean(sizes), 0.0
	for _, v := range sizes {
		squares += (v - middle) * (v - middle)
	}
	return Spread{SD: math.Sqrt(squares / float64(len(sizes)-1)), Seeds: len(sizes)}
}

// compared is the number of a metric that is compared: a bias is best at zero.
func compared(name string, v float64) float64 {
	if name == metric.Bias {
		return math.Abs(v)
	}
	return v
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// withSeeds adds what training again would change to an interval over test rows.
func (c *contest) withSeeds(name string, f finding, base, head measured) finding {
	f.baseSpread, f.headSpread = base.spread(name), head.spread(name)
	was, now := f.baseSpread.ofMean(), f.headSpread.ofMean()
	if s, ok := c.BaseSpread[name]; ok && f.baseSpread.Seeds == 0 {
		f.baseSpread, was = s, s.ofOne()
	}
	training := stat.Parts(was, now)
	if !f.known || f.method == methodIdentical || training.Variance == 0 {
		return f
	}
	f.Estimate = f.With(training, float64(c.groups()-1))
	f.training = training.HalfWidth()
	f.method += methodSeeds
	return f
}

// ofMean is the error of the mean over the seeds, ofOne that of one model among them.
func (s Spread) ofMean() stat.Part {
	one := s.ofOne()
	one.Variance /= float64(max(s.Seeds, 1))
	return one
}

func (s Spread) ofOne() stat.Part {
	if s.Seeds < 2 {
		return stat.Part{}
	}
	return stat.Part{Variance: s.SD * s.SD, DF: float64(s.Seeds - 1)}
}
