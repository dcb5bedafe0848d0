package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// maxCells is how many cells of a sweep are shown: --json has them all.
const maxCells = 20

// Sweep prints the cells of a sweep, the best first, then how sure the choice is and what to do with it.
func Sweep(o Out, s record.Sweep) error {
	cells := shownCells(s)
	if err := sweepTable(s, cells).Write(o); err != nil {
		return err
	}
	if n := len(s.Cells) - len(cells); n > 0 {
		fmt.Fprintf(o.W, "and %d more: `plumb runs --sweep %s` or --json\n", n, s.Sweep)
	}
	fmt.Fprintf(o.W, "sweep %s of %s: %s\n", s.Sweep, s.Experiment, tally(s))
	if s.Best != nil {
		best := s.Cells[*s.Best-1]
		fmt.Fprintln(o.W, o.Paint(Bold, fmt.Sprintf("best: %s, valid %s %s", axisTexts(s, best), brief.Label(s.By.Metric), brief.Value(s.By.Metric, *best.Value))))
		for _, line := range confidence(s) {
			fmt.Fprintln(o.W, line)
		}
	}
	return nil
}

// shownCells are the best, then those that failed, then those that did not run yet.
func shownCells(s record.Sweep) []record.SweepCell {
	var out []record.SweepCell
	for _, n := range s.Ranking {
		out = append(out, s.Cells[n-1])
	}
	if len(out) > maxCells {
		out = out[:maxCells]
	}
	for _, status := range []string{"failed", "ok", "planned"} {
		for _, c := range s.Cells {
			if c.Status == status && !slices.Contains(s.Ranking, c.Cell) && len(out) < 2*maxCells {
				out = append(out, c)
			}
		}
	}
	return out
}

func sweepTable(s record.Sweep, cells []record.SweepCell) Table {
	by := brief.Label(s.By.Metric)
	t := Table{Columns: []Column{{Name: ""}}}
	for _, a := range s.Grid {
		t.Columns = append(t.Columns, Column{Name: a.Param, Right: true, Most: 24})
	}
	others := slices.DeleteFunc(slices.Clone(headline[s.Task]), func(n string) bool { return n == s.By.Metric })
	t.Columns = append(t.Columns, Column{Name: "valid " + by, Right: true})
	for _, n := range others {
		t.Columns = append(t.Columns, Column{Name: "valid " + brief.Label(n), Right: true})
	}
	shown := slices.ContainsFunc(cells, func(c record.SweepCell) bool { return c.Test != nil })
	if shown {
		t.Columns = append(t.Columns, Column{Name: "test " + by, Right: true})
	}
	t.Columns = append(t.Columns, Column{Name: "behind the best", Right: true}, Column{Name: "took", Right: true}, Column{Name: "run", Most: 60})
	for _, c := range cells {
		row := []Cell{sweepMark(s, c)}
		for _, a := range s.Grid {
			row = append(row, Cell{Text: fmt.Sprint(c.Set[a.Param])})
		}
		row = append(row, metricCell(c.Valid, s.By.Metric))
		for _, n := range others {
			row = append(row, metricCell(c.Valid, n))
		}
		if shown {
			row = append(row, metricCell(c.Test, s.By.Metric))
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: behind(s, c)}, Cell{Text: took(c)}, Cell{Text: sweepRun(c)}))
	}
	return t
}

func metricCell(of map[string]float64, name string) Cell {
	v, ok := of[name]
	return Cell{Text: numberOr(name, v, ok)}
}

func sweepMark(s record.Sweep, c record.SweepCell) Cell {
	switch {
	case c.Status == "failed":
		return Cell{Text: brief.Symbol("fail") + " failed", Colour: Red}
	case s.Best != nil && c.Cell == *s.Best:
		return Cell{Text: "best", Colour: Green}
	case c.WithinNoise != nil && *c.WithinNoise:
		return Cell{Text: "≈ best"}
	}
	return Cell{}
}

// behind is by how much a cell is behind the best, with its interval.
func behind(s record.Sweep, c record.SweepCell) string {
	if c.Gain == nil || c.Cell == *s.Best {
		return ""
	}
	return fmt.Sprintf("%s (%s … %s)", brief.Signed(*c.Gain, 4), brief.Signed(*c.Low, 4), brief.Signed(*c.High, 4))
}

func took(c record.SweepCell) string {
	if c.Status != "ok" {
		return ""
	}
	return brief.Seconds(c.Seconds)
}

func sweepRun(c record.SweepCell) string {
	switch {
	case c.Status == "failed":
		return c.Error
	case c.Status == "planned":
		return "would run"
	case c.Reason != "":
		return c.Run + " (" + c.Reason + ")"
	}
	return c.Run
}

func tally(s record.Sweep) string {
	parts := []string{fmt.Sprintf("%d cells", len(s.Cells))}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(s.Made, "ran now")
	add(s.Cached, "recorded before")
	add(s.Failed, "failed")
	add(len(s.Cells)-s.Made-s.Cached-s.Failed, "to run")
	return strings.Join(parts, ", ")
}

func axisTexts(s record.Sweep, c record.SweepCell) string {
	var parts []string
	for _, a := range s.Grid {
		parts = append(parts, fmt.Sprintf("%s=%v", a.Param, c.Set[a.Param]))
	}
	return strings.Join(parts, " ")
}

// confidence says how much of the choice is luck, and what it was made on.
func confidence(s record.Sweep) []string {
	var out []string
	c := s.Choice
	switch {
	case c.Reason != "":
		out = append(out, "whether another is as good can't be said: "+c.Reason)
	case c.Within > 1:
		out = append(out, fmt.Sprintf("%d of the %d compared are within noise of it (≈): %s rows in %s groups can't tell them apart", c.Within, c.Compared, brief.Count(c.Rows), brief.Count(c.Groups)))
	default:
		out = append(out, fmt.Sprintf("the other %d compared are worse than noise explains (%s rows in %s groups)", c.Compared-1, brief.Count(c.Rows), brief.Count(c.Groups)))
	}
	if c.Corrected != nil {
		out = append(out, fmt.Sprintf("the best of many looks better than it is: without the luck of the choice about %s", brief.Value(s.By.Metric, *c.Corrected)))
	}
	said := "chosen by the valid part alone, by " + brief.Label(s.By.Metric) + " (" + s.By.Why + "); ties go to the first of the grid."
	if !slices.ContainsFunc(s.Cells, func(c record.SweepCell) bool { return c.Test != nil }) {
		said += " The test part is not shown: whoever chooses by it has nothing left to test with (--test shows it)"
	} else {
		said += " Test numbers are shown because --test asked for them: whoever chooses by them has nothing left to test with"
	}
	return append(out, said)
}
