package program

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/record"
)

const metricsFile = "metrics.jsonl"

// What of a program's own word is kept. A page shows no more points.
const (
	maxMetrics = 64 << 20 // bytes of the file
	maxCurves  = record.MaxReportedCurves
	maxPoints  = record.MaxReportedPoints
)

// step is a line of metrics.jsonl.
type step struct {
	Step  *float64 `json:"step"`
	Name  string   `json:"name"`
	Value *float64 `json:"value"`
	Split string   `json:"split"`
}

func readStep(line []byte) (step, bool) {
	var s step
	err := json.Unmarshal(line, &s)
	ok := err == nil && s.Step != nil && s.Value != nil && math.Abs(*s.Step) < 1<<53
	return s, ok && record.ReportedCurve{Name: s.Name, Split: s.Split, Points: make([]record.ReportedPoint, 1)}.Check() == nil
}

// curves reads what the program says of its learning. Nothing in it is an error: it decides nothing.
func (p *Program) curves(room *job.Room) ([]record.ReportedCurve, []string) {
	text, err := room.Read("out/"+metricsFile, maxMetrics)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, []string{"its " + metricsFile + " is left aside: " + err.Error()}
	}
	c := gathering{at: map[[2]string]int{}, thin: map[int]int{}}
	wrong := 0
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		s, ok := readStep(line)
		if !ok || !c.add(s) {
			wrong++
		}
	}
	secrets := p.secrets()
	curves := slices.DeleteFunc(c.whole(), func(r record.ReportedCurve) bool { return secrets.Find([]byte(r.Name+" "+r.Split)) != "" })
	if wrong == 0 {
		return curves, nil
	}
	return curves, []string{fmt.Sprintf(`%d lines of its %s are left aside: each should be as {"step":1,"name":"log_loss","value":0.6,"split":"valid"}, of at most %d curves`, wrong, metricsFile, maxCurves)}
}

// gathering thins curves while it reads them: of a curve that gets too long every second point goes, then of the rest, and so on.
type gathering struct {
	curves []record.ReportedCurve
	at     map[[2]string]int
	thin   map[int]int // curve → only every so many points are kept
	seen   [maxCurves]int
	last   [maxCurves]record.ReportedPoint
}

func (g *gathering) add(s step) bool {
	key := [2]string{s.Name, s.Split}
	i, known := g.at[key]
	if !known {
		if i = len(g.curves); i == maxCurves {
			return false
		}
		g.at[key], g.thin[i] = i, 1
		g.curves = append(g.curves, record.ReportedCurve{Name: s.Name, Split: s.Split})
	}
	c := &g.curves[i]
	g.last[i] = record.ReportedPoint{Step: *s.Step, Value: *s.Value}
	if g.seen[i]%g.thin[i] == 0 {
		if c.Points = append(c.Points, g.last[i]); len(c.Points) == maxPoints {
			kept := c.Points[:0]
			for n := 0; n < maxPoints; n += 2 {
				kept = append(kept, c.Points[n])
			}
			c.Points, g.thin[i] = kept, 2*g.thin[i]
		}
	}
	g.seen[i]++
	return true
}

// whole gives the curves, each with its last point.
func (g *gathering) whole() []record.ReportedCurve {
	for i := range g.curves {
		if c := &g.curves[i]; c.Points[len(c.Points)-1] != g.last[i] {
			c.Points = append(c.Points, g.last[i])
		}
	}
	return g.curves
}

// lastStep is the newest line of the curves while the program runs; "" when there is none that can be shown.
func (p *Program) lastStep(room *job.Room) string {
	end, err := room.ReadEnd("out/"+metricsFile, 4096)
	if err != nil {
		return ""
	}
	lines := bytes.Split(end, []byte("\n"))
	for _, line := range slices.Backward(lines[:max(0, len(lines)-1)]) { // the last has no end yet
		if s, ok := readStep(line); ok {
			return p.secrets().Text(strings.TrimSpace(fmt.Sprintf("step %g, %s %.6g %s", *s.Step, s.Name, *s.Value, s.Split)))
		}
	}
	return ""
}
