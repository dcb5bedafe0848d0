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
	base, head := c.draws(names)
	method := methodGroups
	if c.head.own() && c.base.own() {
		method = methodRows
	}
	if !c.paired {
		method += methodUnpaired
	}
	for at, name := range names {
		f := out[name]
		f.method = method
		if name == metric.Bias {
			f.method += methodAbsolute
		}
		differences := make([]float64, len(head[at]))
		for r := range differences {
			differences[r] = head[at][r] - base[at][r]
		}
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
	gauges := [2]func() stat.Statistic{c.gauge(c.base, names), c.gauge(c.head, names)}
	k := len(names)
	if !c.paired {
		base = stat.Resampling{Groups: c.base.groups, Seed: c.seed, Stream: streamBase}.Run(k, gauges[0])
		head = stat.Resampling{Groups: c.head.groups, Seed: c.seed, Stream: streamHead}.Run(k, gauges[1])
		return base, head
	}
	both := stat.Resampling{Groups: c.head.groups, Seed: c.seed, Stream: streamPaired}.Run(2*k, func() stat.Statistic {
		first, second := gauges[0](), gauges[1]()
		return func(count []uint16, out []float64) {
			first(count, out[:k])
			second(count, out[k:])
		}
	})
	return both[:k], both[k:]
}

// gauge makes the statistic of a side: what is compared of each named metric, as the mean over the seeds. NaN when some seed has no number.
func (c *contest) gauge(h half, names []string) func() stat.Statistic {
	planned := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == metric.Value })
	cells := len(planned)
	if cells < len(names) {
		planned = append(planned, metric.Cells...)
	}
	var plans []*metric.Plan
	for _, s := range h.samples() {
		plans = append(plans, h.plan(s, planned))
	}
	return func() stat.Statistic {
		var seeds []stat.Statistic
		for _, p := range plans {
			seeds = append(seeds, p.Worker())
		}
		raw := make([]float64, len(planned))
		return func(count []uint16, out []float64) {
			clear(out)
			for _, seed := range seeds {
				seed(count, raw)
				at := 0
				for i, name := range names {
					if name == metric.Value {
						out[i] += c.money(raw[cells:]) / float64(len(seeds))
						continue
					}
					out[i] += compared(name, raw[at]) / float64(len(seeds))
					at++
				}
			}
		}
	}
}

// plan can't fail: the half was checked, and only metrics that exist for its task are compared.
func (h half) plan(s metric.Sample, names []string) *metric.Plan {
	p, err := metric.NewPlan(s, h.group, h.groups, names)
	if err != nil {
		p, _ = metric.NewPlan(s, h.group, h.groups, nil)
	}
	return p
}

func (in Input) money(cells []float64) float64 {
	if v, ok := in.Value(cells[0], cells[1], cells[2], cells[3]); ok {
		return v
	}
	return math.NaN()
}
