package compare

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// measureOne gives every metric of one model, and the value when it can be made.
func (h half) measureOne(s metric.Sample, value func(tp, fp, fn, tn float64) (float64, bool)) map[string]float64 {
	out := metric.Compute(s)
	if value == nil || h.Task != metric.Binary || len(h.Label) == 0 {
		return out
	}
	var cells [4]float64
	h.plan(s, metric.Cells).Worker()(ones(h.groups), cells[:])
	if v, ok := value(cells[0], cells[1], cells[2], cells[3]); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
		out[metric.Value] = v
	}
	return out
}

func ones(n int) []uint16 {
	out := make([]uint16, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// why says why a metric does not exist on this side.
func (h half) why(in Input, name string) string {
	switch {
	case name != metric.Value:
		return metric.Absent(h.Sample, name)
	case in.Value == nil:
		return "the design card does not say what a case is worth"
	}
	return "the confusion matrix has no value"
}

// number gives a metric as it is written down, nil when it does not exist.
func number(of map[string]float64, name string) *float64 {
	v, ok := of[name]
	if !ok {
		return nil
	}
	return significant(v)
}

// significantDigits are those that a record holds: the same on every processor.
const significantDigits = 10

func significant(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', significantDigits, 64), 64)
	r += 0 // −0 is 0
	return &r
}

// number is a spread as it is written down, nil where there was one seed.
func (s Spread) number() *float64 {
	if s.Seeds < 2 {
		return nil
	}
	return significant(s.SD)
}

// dust is how much of a difference, as a share of the numbers compared, may be rounding.
const dust = 1e-12

// rounded writes a difference or a bound of it down. What is rounding of the two numbers is zero, so that it is never "better".
func rounded(v float64, f finding) *float64 {
	if math.Abs(v) <= dust*max(math.Abs(f.Base), math.Abs(f.Head)) {
		v = 0
	}
	return significant(v)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// slices compares the headline metric on every slice that is large enough, as lines of level info.
func (c *contest) slices(lines []doc.Metric) []record.MetricDifference {
	if !c.paired && c.base.values == nil {
		return nil
	}
	name := headline(c.Task)
	line := withDefaults(doc.Metric{Name: name})
	if i := slices.IndexFunc(lines, func(m doc.Metric) bool { return m.Name == name }); i >= 0 {
		line.Tolerance, line.Direction = lines[i].Tolerance, lines[i].Direction
	}
	var out []record.MetricDifference
	for _, column := range sortedKeys(c.head.values) {
		large, _ := metric.Slices(c.head.values[column])
		for _, s := range large[:min(len(large), maxSlices)] {
			part := c.part(column, s)
			d := newDifference(line, len(s.Rows), part.head.groups)
			d.Slice = column + "=" + s.Value
			base, head := part.base.measure(nil), part.head.measure(nil)
			d.Base, d.Head = number(base.mean, name), number(head.mean, name)
			part.conclude(&d, part.compare([]string{name}, base, head)[name])
			out = append(out, d)
		}
	}
	return out
}

// maxSlices is how many values of a column are compared, the largest ones.
const maxSlices = 50

// part is the contest on the rows of one slice.
func (c *contest) part(column string, s metric.Slice) *contest {
	p := &contest{Input: c.Input, paired: c.paired, seed: c.seed, head: c.head.pick(s.Rows)}
	rows := s.Rows
	if !c.paired {
		rows = nil
		for i, value := range c.base.values[column] {
			if value == s.Value {
				rows = append(rows, i)
			}
		}
	}
	p.base = c.base.pick(rows)
	p.BaseSpread = nil // it is of all rows
	p.Label, p.Weight, p.Head, p.Base = p.head.Label, p.head.Weight, p.head.Scores, p.base.Scores
	return p
}

// slices gives, for each metric of the task, its numbers on every large slice, worst first decided by the gate that reads them.
func (h half) slices() []sliceValues {
	var out []sliceValues
	for _, column := range sortedKeys(h.values) {
		large, _ := metric.Slices(h.values[column])
		for _, s := range large {
			out = append(out, sliceValues{name: column + "=" + s.Value, metrics: metric.Compute(h.Select(s.Rows))})
		}
	}
	return out
}

// sliceValues is one slice's metrics.
type sliceValues struct {
	name    string
	metrics map[string]float64
}
