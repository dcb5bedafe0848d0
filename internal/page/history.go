package page

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// maxSeries is how many experiments a history tells apart; more are too many colours.
const maxSeries = 4

// series is one experiment's runs, oldest first.
type series struct {
	name string
	runs []*record.Run
}

// history draws a metric over the time of runs: as an SVG, and as the options of an interactive chart that takes its place where scripts run.
// It is nil when there are fewer than two values.
func (s *builder) history(f frame, name string, runs []*record.Run) *plot {
	all, shown := bySeries(name, runs)
	if shown < 2 {
		return nil
	}
	var values []float64
	first, last := time.Time{}, time.Time{}
	for _, one := range all {
		for _, r := range one.runs {
			values = append(values, r.Result.Metrics[name])
			if first.IsZero() || r.Time.Before(first) {
				first = r.Time
			}
			if r.Time.After(last) {
				last = r.Time
			}
		}
	}
	low, high := bounds(values, 0.1)
	a := newAxes(float64(first.Unix()), float64(last.Unix()), low, high)
	p := a.plot(brief.Label(name)+" on the test part", "")
	p.XTicks = []tick{{px(a.left), day(first)}, {px(a.right), day(last)}}
	if day(first) == day(last) {
		p.XTicks = []tick{{px(a.left), first.UTC().Format("15:04")}, {px(a.right), last.UTC().Format("15:04")}}
		p.Note = "On " + day(first) + ", UTC."
	}
	for i, one := range all {
		class := seriesClass(i)
		var line []xy
		for _, r := range thin(one.runs, MaxPoints/len(all)) {
			v := r.Result.Metrics[name]
			line = append(line, xy{float64(r.Time.Unix()), v})
			p.Marks = append(p.Marks, mark{X: px(a.x(float64(r.Time.Unix()))), Y: px(a.y(v)), Class: class, Title: one.name + ", " + date(r.Time) + ": " + brief.Value(name, v)})
		}
		if len(line) > 1 {
			p.Lines = append(p.Lines, stroke{a.path(line, MaxPoints), class})
		}
		p.Keys = append(p.Keys, key{class, one.name})
	}
	p.Desc = brief.Label(name) + " on the test part of " + plural(shown, "run") + ", " + day(first) + " to " + day(last)
	p.Chart = interactive(name, all)
	return p
}

// bySeries groups the runs that have the metric by experiment: the experiments with the newest runs, others left out.
func bySeries(name string, runs []*record.Run) (all []series, shown int) {
	at := map[string]int{}
	for _, r := range runs {
		v, ok := r.Result.Metrics[name]
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) || r.Time.IsZero() {
			continue
		}
		i, known := at[r.Experiment]
		if !known {
			if len(all) == maxSeries {
				continue
			}
			i = len(all)
			at[r.Experiment] = i
			all = append(all, series{name: r.Experiment})
		}
		all[i].runs = append(all[i].runs, r)
		shown++
	}
	for _, one := range all {
		slices.Reverse(one.runs)
	}
	return all, shown
}

func seriesClass(i int) string { return [maxSeries]string{"s0", "s1", "s2", "s3"}[i] }

// interactive gives the chart's options as JSON, which charts.js hands to ECharts. They are data: go-echarts' own renderers write names into a script
// and are never used. Nil when the options do not marshal.
func interactive(name string, all []series) json.RawMessage {
	line := charts.NewLine()
	line.SetGlobalOptions(
		charts.WithXAxisOpts(opts.XAxis{Type: "time"}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Scale: opts.Bool(true)}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "item"}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}), // the caption has the keys
		charts.WithDataZoomOpts(opts.DataZoom{Type: "inside"}),
		charts.WithAnimation(false),
	)
	for _, one := range all {
		var data []opts.LineData
		for _, r := range thin(one.runs, 500) {
			data = append(data, opts.LineData{Name: date(r.Time), Value: []any{r.Time.UTC().Format(time.RFC3339), r.Result.Metrics[name]}})
		}
		line.AddSeries(one.name, data)
	}
	line.Validate()
	data, err := json.Marshal(line.JSON())
	if err != nil {
		return nil
	}
	return data
}

// withChart loads the scripts where a page has an interactive chart.
func (s *builder) withChart(f frame, p *plot) frame {
	if p != nil && p.Chart != nil {
		f.Scripts = true
		s.interactive = true
	}
	return f
}
