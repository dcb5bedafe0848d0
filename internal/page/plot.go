package page

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
)

// plot is a small drawing on axes, ready for the template: every coordinate is in the SVG's own units.
type plot struct {
	Title  string
	Desc   string // what a reader who does not see it is told
	W, H   int
	X0, X1 string // the frame of the drawing area
	Y0, Y1 string
	Grid   string // one path of all horizontal lines
	XTicks []tick
	YTicks []tick
	XLabel string
	Areas  []stroke
	Dots   []stroke
	Lines  []stroke
	Marks  []mark
	Keys   []key
	Table  *grid           // the same as numbers, where no other table has them
	Chart  json.RawMessage // options of an interactive chart that takes the drawing's place
	Note   string
}

type tick struct{ At, Text string }

// stroke is a path; Class gives its colour and dashes.
type stroke struct{ D, Class string }

// mark is a point with a text of its own.
type mark struct{ X, Y, Class, Title string }

// key says what a class stands for.
type key struct{ Class, Text string }

// xy is a point in the data's units.
type xy struct{ X, Y float64 }

// axes maps data to the drawing area.
type axes struct {
	x0, x1, y0, y1         float64 // data
	left, right, top, foot float64 // drawing
}

const (
	plotWidth  = 340
	plotHeight = 220
)

func newAxes(x0, x1, y0, y1 float64) axes {
	if x1 <= x0 {
		x0, x1 = x0-0.5, x0+0.5
	}
	if y1 <= y0 {
		y0, y1 = y0-0.5, y0+0.5
	}
	return axes{x0, x1, y0, y1, 40, plotWidth - 8, 8, plotHeight - 36}
}

func (a axes) x(v float64) float64 {
	return a.left + (math.Max(math.Min(v, a.x1), a.x0)-a.x0)/(a.x1-a.x0)*(a.right-a.left)
}

func (a axes) y(v float64) float64 {
	return a.foot - (math.Max(math.Min(v, a.y1), a.y0)-a.y0)/(a.y1-a.y0)*(a.foot-a.top)
}

// plot starts a drawing with ticks on round numbers.
func (a axes) plot(title, xLabel string) *plot {
	p := &plot{Title: title, W: plotWidth, H: plotHeight, X0: px(a.left), X1: px(a.right), Y0: px(a.top), Y1: px(a.foot), XLabel: xLabel}
	for _, t := range ticks(a.x0, a.x1, 4) {
		p.XTicks = append(p.XTicks, tick{px(a.x(t.at)), t.text})
	}
	for _, t := range ticks(a.y0, a.y1, 4) {
		p.YTicks = append(p.YTicks, tick{px(a.y(t.at)), t.text})
		p.Grid += "M" + p.X0 + "," + px(a.y(t.at)) + "H" + p.X1
	}
	return p
}

// path draws a line through points, at most most of them. All but the first are relative to the one before, which is shorter; what rounding takes
// from one is given to the next, so that nothing adds up.
func (a axes) path(points []xy, most int) string {
	points = simple(points, most)
	var b strings.Builder
	var x, y float64
	for i, p := range points {
		nx, ny := tenth(a.x(p.X)), tenth(a.y(p.Y))
		if i == 0 {
			b.WriteString("M" + px(nx) + "," + px(ny))
		} else {
			b.WriteString("l" + px(nx-x) + "," + px(ny-y))
		}
		x, y = nx, ny
	}
	return b.String()
}

// steps draws a histogram as one area: bins side by side, from their low to their high edge.
func (a axes) steps(bins []xy, last float64) string {
	if len(bins) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("M" + px(a.x(bins[0].X)) + "," + px(a.foot))
	for i, bin := range bins {
		end := last
		if i+1 < len(bins) {
			end = bins[i+1].X
		}
		b.WriteString("V" + px(math.Round(a.y(bin.Y))) + "H" + px(math.Round(a.x(end))))
	}
	b.WriteString("V" + px(a.foot) + "z")
	return b.String()
}

// dots draws points as strokes of no length with round ends.
func (a axes) dots(points []xy) string {
	var b strings.Builder
	for _, p := range points {
		b.WriteString("M" + px(a.x(p.X)) + "," + px(a.y(p.Y)) + "h0")
	}
	return b.String()
}

func tenth(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Round(v*10) / 10
}

// simple takes points out of a line, each time the one whose triangle with its neighbours is smallest (Visvalingam and Whyatt, 1993), until most are
// left: bends stay, straights go.
func simple(points []xy, most int) []xy {
	points = slices.Clone(thin(points, MaxPoints))
	area := func(i int) float64 {
		p, q, r := points[i-1], points[i], points[i+1]
		return math.Abs((q.X-p.X)*(r.Y-p.Y) - (r.X-p.X)*(q.Y-p.Y)) // in the data's units: the drawing's differ by one factor for all
	}
	areas := make([]float64, len(points))
	for i := 1; i < len(points)-1; i++ {
		areas[i] = area(i)
	}
	for len(points) > max(most, 2) {
		least := 1
		for i := 2; i < len(points)-1; i++ {
			if areas[i] < areas[least] {
				least = i
			}
		}
		points, areas = slices.Delete(points, least, least+1), slices.Delete(areas, least, least+1)
		for _, i := range []int{least - 1, least} {
			if i > 0 && i < len(points)-1 {
				areas[i] = area(i)
			}
		}
	}
	return points
}

// thin keeps every k-th point and both ends.
func thin[T any](points []T, most int) []T {
	if len(points) <= most {
		return points
	}
	out := make([]T, 0, most)
	for i := range most {
		out = append(out, points[i*(len(points)-1)/(most-1)])
	}
	return out
}

// px is a coordinate to a tenth of a unit, in as few characters as there are.
func px(v float64) string { return strconv.FormatFloat(tenth(v)+0, 'f', -1, 64) } // + 0: no negative zero

// round is a number that an axis shows.
type round struct {
	at   float64
	text string
}

// ticks gives at most n + 1 round numbers between low and high, all written to the same place.
func ticks(low, high float64, n int) []round {
	if !(high > low) || math.IsInf(high-low, 0) {
		return nil
	}
	power := math.Floor(math.Log10((high - low) / float64(n)))
	step := math.Pow(10, power)
	for _, m := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	places := int(math.Max(0, -math.Floor(math.Log10(step)+1e-9)))
	var out []round
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9 && len(out) < 20; i++ {
		out = append(out, round{i * step, tickText(i*step, places)})
	}
	return out
}

// tickText is a tick's number, large ones in thousands and the like.
func tickText(v float64, places int) string {
	a := math.Abs(v)
	unit, sign := 1.0, ""
	switch {
	case a >= 1e12 || places > 6:
		return strings.Replace(strconv.FormatFloat(v+0, 'g', 3, 64), "-", "−", 1)
	case a >= 1e9:
		unit, sign = 1e9, "G"
	case a >= 1e6:
		unit, sign = 1e6, "M"
	case a >= 1e4:
		unit, sign = 1e3, "k"
	}
	if unit == 1 {
		return brief.Number(v, places)
	}
	return strings.Replace(strconv.FormatFloat(v/unit, 'g', 4, 64), "-", "−", 1) + sign
}

// bounds gives the smallest and the largest of finite values with some air, or 0 and 1.
func bounds(values []float64, air float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if low > high {
		return 0, 1
	}
	if low == high {
		wide := math.Max(math.Abs(low)*0.05, 1e-3)
		return low - wide, high + wide
	}
	return low - air*(high-low), high + air*(high-low)
}

// spark is a histogram the size of a word.
type spark struct {
	Label string
	D     string // one path of all bars
}

const (
	sparkWidth  = 100
	sparkHeight = 24
)

// newSpark draws counts as bars; nil when there are none.
func newSpark(counts []float64, label string) *spark {
	most := 0.0
	for _, c := range counts {
		most = math.Max(most, c)
	}
	if most <= 0 || len(counts) == 0 || len(counts) > MaxPoints || math.IsInf(most, 0) {
		return nil
	}
	step := sparkWidth / float64(len(counts))
	var b strings.Builder
	for i, c := range counts {
		if !(c > 0) {
			continue
		}
		h := math.Max(c/most*sparkHeight, 1)
		fmt.Fprintf(&b, "M%s,%dv-%sh%sv%sz", px(float64(i)*step), sparkHeight, px(h), px(math.Max(step-1, 0.6)), px(h))
	}
	return &spark{Label: label, D: b.String()}
}

// meter is a score of 100 as a bar.
type meter struct {
	Name  string
	Score string
	W     string // of 100
	State badge
	Note  string
}

func newMeter(name string, score *float64, checks int, state string) meter {
	m := meter{Name: name, Score: brief.Absent, W: "0", State: badge{"not assessed", "even"}}
	if checks > 0 {
		m.Note = plural(checks, "check")
	}
	if score == nil {
		return m
	}
	m.Score, m.W = brief.Score(*score), px(math.Max(0, math.Min(100, *score)))
	m.State = badge{"✓ pass", "good"}
	if state == "fail" {
		m.State = badge{"✗ fail", "bad"}
	}
	return m
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return brief.Count(n) + " " + one + "s"
}
