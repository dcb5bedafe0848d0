package page

import (
	"math"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// interval is a difference with its 95 % interval against zero and tolerance, in a table's cell. Good is to the right whatever the metric's direction,
// so that the zeros of all rows stand under one another and make one line.
type interval struct {
	Label      string
	Class      string
	L, W       string // of the interval's bar
	R          string // its other end
	At         string // of the difference
	TolX, TolW string // of the tolerance's band; "" without one
}

const (
	cellWidth = 180
	cellZero  = cellWidth / 2
)

// newInterval draws a metric's difference, or gives nil when it has no interval: a point alone has no scale to stand on.
func newInterval(m record.MetricDifference) *interval {
	if m.Difference == nil || m.Low == nil || m.High == nil {
		return nil
	}
	at, low, high := oriented(m)
	most := math.Max(math.Max(math.Abs(low), math.Abs(high)), math.Max(math.Abs(at), m.Tolerance))
	if most == 0 || math.IsNaN(most) || math.IsInf(most, 0) {
		most = 1
	}
	x := func(v float64) float64 { return cellZero + v/most*(cellZero-6) }
	row := brief.RowOf(m)
	out := &interval{Class: classOf(m.Verdict), L: px(x(low)), R: px(x(high)), W: px(x(high) - x(low)), At: px(x(at)),
		Label: row.Metric + " " + row.Difference + ", 95 % interval " + row.Interval + ": " + brief.Word(m.Verdict)}
	if m.Tolerance > 0 {
		out.TolX, out.TolW = px(x(-m.Tolerance)), px(x(m.Tolerance)-x(-m.Tolerance))
	}
	return out
}

// oriented gives difference and interval signed so that up is good.
func oriented(m record.MetricDifference) (at, low, high float64) {
	if m.Direction == "down" {
		return -*m.Difference, -*m.High, -*m.Low
	}
	return *m.Difference, *m.Low, *m.High
}

// lead is the deciding metric's difference drawn large, in the metric's own sign and unit.
type lead struct {
	Label      string
	Class      string
	W, H       int
	Zero       string
	L, R, BarW string
	At         string
	TolX, TolW string
	Caption    string
	Ticks      []tick
	AtText     string
	Left       string // which way is good
	Right      string
}

const leadWidth = 400

// newLead draws the metric that decides, or gives nil when nothing was measured.
func newLead(c record.Comparison) *lead {
	m := brief.Primary(c)
	if m == nil || m.Difference == nil {
		return nil
	}
	low, high := *m.Difference, *m.Difference
	if m.Low != nil && m.High != nil {
		low, high = *m.Low, *m.High
	}
	from, to := bounds([]float64{low, high, *m.Difference, 0, m.Tolerance, -m.Tolerance}, 0.12)
	x := func(v float64) float64 { return 12 + (v-from)/(to-from)*(leadWidth-24) }
	row := brief.RowOf(*m)
	out := &lead{Label: "Difference of " + row.Metric + ": " + row.Difference + ", 95 % interval " + row.Interval, Class: classOf(m.Verdict), W: leadWidth, H: 112,
		Zero: px(x(0)), L: px(x(low)), R: px(x(high)), BarW: px(x(high) - x(low)), At: px(x(*m.Difference)), AtText: row.Difference, Left: "← worse", Right: "better →"}
	if m.Direction == "down" {
		out.Left, out.Right = "← better", "worse →"
	}
	if m.Tolerance > 0 {
		out.TolX, out.TolW = px(x(-m.Tolerance)), px(x(m.Tolerance)-x(-m.Tolerance))
	}
	out.Caption = "95 % interval of the difference in " + row.Metric + ". The plumb line is no difference"
	if m.Tolerance > 0 {
		out.Caption += ", the band the tolerance of " + brief.Exact(m.Tolerance)
	}
	out.Caption += "."
	for _, t := range ticks(from, to, 6) {
		text := t.text
		if t.at > 0 {
			text = "+" + text
		}
		if math.Abs(t.at) < (to-from)/1e6 {
			text = "0"
		}
		out.Ticks = append(out.Ticks, tick{px(x(t.at)), text})
	}
	return out
}
