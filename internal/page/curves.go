package page

import (
	"math"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// curve draws a curve in the unit square.
func curve(points []record.CurvePoint, title, x, y string) *plot {
	if len(points) < 2 {
		return nil
	}
	a := newAxes(0, 1, 0, 1)
	p := a.plot(title, x)
	if title == "ROC" {
		p.Lines = append(p.Lines, stroke{a.path([]xy{{0, 0}, {1, 1}}, 2), "ref"})
	}
	list := make([]xy, len(points))
	for i, c := range points {
		list[i] = xy{c.X, c.Y}
	}
	p.Lines = append(p.Lines, stroke{a.path(list, curvePoint), "s0"})
	p.Desc = title + " curve: " + y + " over " + x + ", " + plural(len(points), "point")
	return p
}

// calibration draws what came over what was answered.
func calibration(d record.Detail) *plot {
	bins := d.Calibration
	if len(bins) < 2 {
		return nil
	}
	var all []float64
	for _, b := range bins {
		all = append(all, b.Answer, b.Actual)
	}
	low, high := bounds(all, 0.05)
	if d.Task != metric.Regression {
		low, high = 0, math.Max(high, 0.05)
	}
	if d.Task == metric.Multiclass {
		high = 1
	}
	a := newAxes(low, high, low, high)
	title, x := "Calibration", "mean answer"
	if d.Task == metric.Multiclass {
		title, x = "Calibration of the answers", "mean score of the answered class"
	}
	p := a.plot(title, x)
	p.Lines = append(p.Lines, stroke{a.path([]xy{{low, low}, {high, high}}, 2), "ref"})
	var line []xy
	whiskers := ""
	for _, b := range bins[:min(len(bins), 40)] {
		line = append(line, xy{b.Answer, b.Actual})
		if b.Low != nil && b.High != nil {
			whiskers += a.path([]xy{{b.Answer, *b.Low}, {b.Answer, *b.High}}, 2)
		}
	}
	p.Lines = append(p.Lines, stroke{whiskers, "err"}, stroke{a.path(line, curvePoint), "s0"})
	p.Dots = []stroke{{a.dots(line), "s0"}}
	p.Desc = title + ": what came over the " + x + " in " + plural(len(bins), "bin") + "; the diagonal is perfect"
	return p
}

// histogram draws scores by class, or errors.
func histogram(d record.Detail) *plot {
	bins := d.Histogram
	if len(bins) < 2 || len(bins) > MaxPoints/2 {
		return nil
	}
	most := 0.0
	for _, b := range bins {
		most = math.Max(most, b.Negative+b.Positive)
	}
	a := newAxes(bins[0].From, bins[len(bins)-1].To, 0, most)
	title, x := "Scores", "score"
	if d.Task == metric.Regression {
		title, x = "Errors", "answer − truth"
	}
	p := a.plot(title, x)
	var no, all []xy
	for _, b := range bins {
		no = append(no, xy{b.From, b.Negative})
		all = append(all, xy{b.From, b.Negative + b.Positive})
	}
	last := bins[len(bins)-1].To
	if d.Task != metric.Regression {
		p.Areas = []stroke{{a.steps(all, last), "s1"}}
	}
	p.Areas = append(p.Areas, stroke{a.steps(no, last), "s0"})
	if d.Task != metric.Regression {
		p.Keys = []key{{"s0", "came no"}, {"s1", "came yes"}}
	}
	p.Desc = title + " in " + plural(len(bins), "bin")
	return p
}
