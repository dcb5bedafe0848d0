package value

import (
	"math"
	"math/rand/v2"

	"github.com/plumb-ml/plumb/internal/record"
)

const (
	maxCorners = 12     // ranges: up to so many, every combination of their ends is worked out
	draws      = 10_000 // for p_positive, and for low and high with more ranges
	seed       = 1
)

const (
	byCorners = "low and high over every combination of the ranges' ends; p_positive from 10000 draws of triangular distributions, seed 1"
	byDraws   = "low, high and p_positive from 10000 draws of triangular distributions, seed 1"
	noRanges  = "no assumption has a range"
)

// spread fills what the assumptions' ranges do to the value.
func (m *Money) spread(out *record.Value, c Counts) {
	out.BreakEven = m.breakEven(c)
	ranged := m.ranged(&m.money)
	if len(ranged) == 0 {
		out.Reason = noRanges
		return
	}
	low, high, ok := m.bounds(&m.money, c)
	share, drawn := m.positive(c, ranged)
	if !ok || !drawn {
		out.Reason = "somewhere in the ranges a case has no value"
		return
	}
	out.Low, out.High, out.PPositive, out.Method = low, high, &share, byCorners
	if len(ranged) > maxCorners {
		out.Method = byDraws
	}
}

// ranged lists the assumptions that r reads and that have a range.
func (m *Money) ranged(r *rates) []assumption {
	used := r.names()
	var out []assumption
	for _, a := range m.assumptions {
		if used[a.name] && a.low < a.high {
			out = append(out, a)
		}
	}
	return out
}

// bounds gives the least and greatest value over the ranges: at the ends of the ranges and the modes, exact for what rises or falls steadily
// in each assumption, as sums and products do; with many ranges among draws. Nothing when nothing is ranged.
func (m *Money) bounds(r *rates, c Counts) (low, high *float64, ok bool) {
	ranged := m.ranged(r)
	if len(ranged) == 0 {
		return nil, nil, false
	}
	least, greatest := math.Inf(1), math.Inf(-1)
	see := func(row map[string]any) bool {
		worth, ok := r.at(row)
		v, scaled := m.scale(worth, c)
		least, greatest = min(least, v), max(greatest, v)
		return ok && scaled
	}
	row := m.modes()
	if !see(row) {
		return nil, nil, false
	}
	if len(ranged) > maxCorners {
		ok = m.draw(ranged, see)
	} else {
		ok = corners(ranged, row, see)
	}
	if !ok {
		return nil, nil, false
	}
	return &least, &greatest, true
}

// corners calls see with every combination of low and high.
func corners(ranged []assumption, row map[string]any, see func(map[string]any) bool) bool {
	for mask := range 1 << len(ranged) {
		for i, a := range ranged {
			row[a.name] = a.low
			if mask>>i&1 == 1 {
				row[a.name] = a.high
			}
		}
		if !see(row) {
			return false
		}
	}
	return true
}

// draw calls see with independent draws, each assumption triangular over low, mode, high.
func (m *Money) draw(ranged []assumption, see func(map[string]any) bool) bool {
	random := rand.New(rand.NewPCG(seed, seed))
	row := m.modes()
	for range draws {
		for _, a := range ranged {
			row[a.name] = a.triangular(random.Float64())
		}
		if !see(row) {
			return false
		}
	}
	return true
}

// triangular is the quantile of the triangular distribution over low, mode, high.
func (a assumption) triangular(u float64) float64 {
	width := a.high - a.low
	if u*width < a.mode-a.low {
		return a.low + math.Sqrt(u*width*(a.mode-a.low))
	}
	return a.high - math.Sqrt((1-u)*width*(a.high-a.mode))
}

// positive is the share of draws that are worth more than nothing.
func (m *Money) positive(c Counts, ranged []assumption) (share float64, ok bool) {
	above := 0
	ok = m.draw(ranged, func(row map[string]any) bool {
		worth, ok := m.money.at(row)
		v, scaled := m.scale(worth, c)
		if v > 0 {
			above++
		}
		return ok && scaled
	})
	return float64(above) / draws, ok
}

// breakEven finds, for every assumption that the money depends on, where it makes the value zero.
func (m *Money) breakEven(c Counts) map[string]record.BreakEven {
	out := map[string]record.BreakEven{}
	used := m.money.names()
	for _, a := range m.assumptions {
		b := record.BreakEven{Mode: a.mode, Low: a.low, High: a.high, Source: a.source}
		if !used[a.name] {
			b.Reason = "no value of a case uses it"
		} else if root, reason := root(a, m.inOne(a.name, c)); reason != "" {
			b.Reason = reason
		} else {
			b.Value = &root
		}
		out[a.name] = b
	}
	return out
}

// root finds the zero of f, a value as a function of one assumption, that is nearest to the assumption's mode. Where the value is a straight
// line, as it nearly always is, it is worked out; else looked for in steps over ten times the range and then halved.
func root(a assumption, f func(float64) float64) (root float64, reason string) {
	step := max(a.high-a.low, math.Abs(a.mode)/2, 1e-6)
	here, left, right := f(a.mode), f(a.mode-step), f(a.mode+step)
	scale := max(math.Abs(here), math.Abs(left), math.Abs(right))
	if here == 0 {
		return a.mode, ""
	}
	if slope := (right - left) / 2; math.Abs(left+slope-here) <= 1e-9*scale {
		if math.Abs(slope) <= 1e-12*scale {
			return 0, "the value does not depend on it"
		}
		return a.mode - here/slope*step, ""
	}
	const steps = 200
	for i := 1; i <= steps; i++ {
		reach := 10 * step * float64(i) / steps
		for _, far := range []float64{a.mode - reach, a.mode + reach} {
			if v := f(far); math.IsNaN(v) || v != 0 && v < 0 == (here < 0) {
				continue
			}
			if x := halve(f, a.mode, far); math.Abs(f(x)) <= 1e-6*scale { // else it jumps over zero, as 1 / x does
				return x, ""
			}
		}
	}
	return 0, "no value within ten times its range does it"
}

// inOne is the value as a function of one assumption, NaN where it has none.
func (m *Money) inOne(name string, c Counts) func(x float64) float64 {
	row := m.modes()
	return func(x float64) float64 {
		row[name] = x
		worth, ok := m.money.at(row)
		v, scaled := m.scale(worth, c)
		if !ok || !scaled {
			return math.NaN()
		}
		return v
	}
}

// halve closes in on a zero between a and b, where f has opposite signs.
func halve(f func(float64) float64, a, b float64) float64 {
	below := f(a) < 0
	for range 100 {
		middle := a + (b-a)/2
		if f(middle) < 0 == below {
			a = middle
		} else {
			b = middle
		}
	}
	return a + (b-a)/2
}

// Spread is how far the difference between two answers' worth reaches over the assumptions' ranges.
type Spread struct {
	Low, High float64
	Ranged    int // assumptions with a range that the money depends on
	Guesses   int // of these, with source "guess"
}

// Between gives the spread of head's worth minus base's, both under the same assumptions; not ok where nothing is ranged or a case has no value.
func (m *Money) Between(base, head Counts) (Spread, bool) {
	ranged := m.ranged(&m.money)
	s := Spread{Low: math.Inf(1), High: math.Inf(-1), Ranged: len(ranged)}
	for _, a := range ranged {
		if a.source == "guess" {
			s.Guesses++
		}
	}
	see := func(row map[string]any) bool {
		worth, ok := m.money.at(row)
		b, okBase := m.scale(worth, base)
		h, okHead := m.scale(worth, head)
		s.Low, s.High = min(s.Low, h-b), max(s.High, h-b)
		return ok && okBase && okHead
	}
	if len(ranged) == 0 {
		return s, false
	}
	if len(ranged) > maxCorners {
		return s, m.draw(ranged, see)
	}
	return s, corners(ranged, m.modes(), see)
}
