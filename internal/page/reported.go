package page

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// The most that a run's page shows of what a program reports.
const (
	maxReported  = 6  // plots
	reportedLine = 40 // points of a line
)

var lineClasses = []string{"s0", "s1", "s2", "s3"}

// reported draws what a person's program said of its learning: a plot for each name, a line for each split.
func reported(curves []record.ReportedCurve) []*plot {
	byName := map[string][]record.ReportedCurve{}
	var names []string
	for _, c := range curves {
		if c.Check() != nil {
			continue
		}
		if byName[c.Name] == nil {
			names = append(names, c.Name)
		}
		if len(byName[c.Name]) < len(lineClasses) {
			byName[c.Name] = append(byName[c.Name], c)
		}
	}
	var out []*plot
	for _, name := range names[:min(len(names), maxReported)] {
		out = append(out, learning(name, byName[name]))
	}
	return out
}

func learning(name string, curves []record.ReportedCurve) *plot {
	var steps, values []float64
	for _, c := range curves {
		for _, p := range c.Points {
			steps, values = append(steps, p.Step), append(values, p.Value)
		}
	}
	x0, x1 := bounds(steps, 0)
	y0, y1 := bounds(values, 0.05)
	a := newAxes(x0, x1, y0, y1)
	p := a.plot(brief.Clip(name, 60), "step")
	var ends []string
	for i, c := range curves {
		line := make([]xy, len(c.Points))
		for n, point := range c.Points {
			line[n] = xy{point.Step, point.Value}
		}
		part := c.Split
		if part == "" {
			part = "all"
		}
		if len(line) == 1 {
			p.Dots = append(p.Dots, stroke{a.dots(line), lineClasses[0]})
		} else {
			p.Lines = append(p.Lines, stroke{a.path(line, reportedLine), lineClasses[i]})
		}
		p.Keys = append(p.Keys, key{lineClasses[i], brief.Clip(part, 40)})
		last := c.Points[len(c.Points)-1]
		ends = append(ends, fmt.Sprintf("%s ends at %.4g after step %.6g", part, last.Value, last.Step))
	}
	p.Desc = fmt.Sprintf("%s by step, as the program reports it: %s", brief.Clip(name, 60), strings.Join(ends, ", "))
	return p
}
