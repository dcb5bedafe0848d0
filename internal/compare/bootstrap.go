package compare

import (
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/stat"
)

// Streams of random numbers, so that unpaired sides are drawn independently.
const (
	streamPaired = iota
	streamBase
	streamHead
)

// bootstrap finds the intervals of the named metrics by resampling whole groups, both sides on the same resample when they are paired.
func (c *contest) bootstrap(names []string, out map[string]finding) {
	if len(names) == 0 {
		return
	}
	planned := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == metric.Value })
	if len(planned) < len(names) {
		planned = append(planned, metric.Cells...)
	}
	base, head := c.draws(planned)
	method := methodGroups
	if c.head.own() && c.base.own() {
		method = methodRows
	}
	if !c.paired {
		method += methodUnpaired
	}
	for _, name := range names {
		f := out[name]
		f.method = method
		if name == metric.Bias {
			f.method += methodAbsolute
		}
		differences := c.differences(name, planned, base, head)
		f.Low, f.High, f.known = stat.Interval(differences, c.groups())
		f.P = stat.PValue(differences, c.groups())
		if !f.known {
			f.reason = fmt.Sprintf("%s does not exist in too many resamples of the test rows", name)
		}
		out[name] = f
	}
}

// draws measures every resample: [metric][draw] for each side.
func (c *contest) draws(names []string) (base, head [][]float64) {
	plans := [2]*metric.Plan{c.base.plan(names), c.head.plan(names)}
	k := len(names)
	if !c.paired {
		base = stat.Resampling{Groups: c.base.groups, Seed: c.seed, Stream: streamBase}.Run(k, plans[0].Worker)
		head = stat.Resampling{Groups: c.head.groups, Seed: c.seed, Stream: streamHead}.Run(k, plans[1].Worker)
		return base, head
	}
	both := stat.Resampling{Groups: c.head.groups, Seed: c.seed, Stream: streamPaired}.Run(2*k, func() stat.Statistic {
		first, second := plans[0].Worker(), plans[1].Worker()
		return func(count []uint16, out []float64) {
			first(count, out[:k])
			second(count, out[k:])
		}
	})
	return both[:k], both[k:]
}

// plan can't fail: the half was checked, and only metrics that exist for its task are compared.
func (h half) plan(names []string) *metric.Plan {
	p, err := metric.NewPlan(h.Sample, h.group, h.groups, names)
	if err != nil {
		p, _ = metric.NewPlan(h.Sample, h.group, h.groups, nil)
	}
	return p
}

// differences gives head − base of one metric in every draw.
func (c *contest) differences(name string, planned []string, base, head [][]float64) []float64 {
	of := func(draws [][]float64, r int) float64 {
		if name == metric.Value {
			at := len(planned) - len(metric.Cells)
			return c.money(draws[at][r], draws[at+1][r], draws[at+2][r], draws[at+3][r])
		}
		v := draws[slices.Index(planned, name)][r]
		if name == metric.Bias {
			return math.Abs(v)
		}
		return v
	}
	out := make([]float64, len(head[0]))
	for r := range out {
		out[r] = of(head, r) - of(base, r)
	}
	return out
}

func (in Input) money(tp, fp, fn, tn float64) float64 {
	if v, ok := in.Value(tp, fp, fn, tn); ok {
		return v
	}
	return math.NaN()
}
