package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// mostStable is how many columns without a finding, and how many new ones, are listed; the rest is a count.
const mostStable = 10

// Drift prints what a comparison of rows found: the verdict, then a row for each column, what was found first.
func Drift(o Out, d record.Drift) error {
	var b strings.Builder
	b.WriteString(o.Paint(driftColour(d.Verdict), escape.Terminal(brief.Drift(d))) + "\n")
	fmt.Fprintf(&b, "reference: %s\ncurrent:   %s\n", escape.Terminal(sideText(d.Reference)), escape.Terminal(sideText(d.Current)))
	t := Table{Columns: []Column{{Name: "column", Most: 40}, {Name: "verdict"}, {Name: "effect", Right: true}, {Name: "q", Right: true}, {Name: "was"}, {Name: "is"},
		{Name: "missing", Right: true}}}
	stable, left := 0, 0
	for _, verdict := range []string{record.DriftFound, record.DriftWatch, record.DriftInsufficient, record.DriftStable} {
		for _, c := range d.Columns {
			if c.Verdict != verdict {
				continue
			}
			if verdict == record.DriftStable {
				if stable++; stable > mostStable {
					left++
					continue
				}
			}
			t.Rows = append(t.Rows, driftRow(c))
		}
	}
	if len(t.Rows) > 0 {
		b.WriteString("\n" + t.render(o))
	}
	if left > 0 {
		fmt.Fprintf(&b, "and %d stable columns more; --json has them all\n", left)
	}
	b.WriteString(apart(d.Skipped))
	for _, n := range d.Notes {
		fmt.Fprintf(&b, "note: %s\n", escape.Terminal(n))
	}
	_, err := io.WriteString(o.W, b.String())
	return err
}

// apart tells of the columns that only one side has, or that say nothing.
func apart(skipped []record.DriftSkip) string {
	var b strings.Builder
	var added []string
	for _, s := range skipped {
		if s.New {
			added = append(added, s.Name)
			continue
		}
		fmt.Fprintf(&b, "not compared: %s: %s\n", escape.Terminal(s.Name), escape.Terminal(s.Reason))
	}
	if more := len(added) - mostStable; more > 0 {
		added = append(added[:mostStable], fmt.Sprintf("and %d more", more))
	}
	if len(added) > 0 {
		fmt.Fprintf(&b, "new: %s\n", escape.Terminal(strings.Join(added, ", ")))
	}
	return b.String()
}

func driftColour(verdict string) Colour {
	return map[string]Colour{record.DriftFound: Red, record.DriftWatch: Amber, record.DriftInsufficient: Amber, record.DriftStable: Green}[verdict]
}

func sideText(s record.DriftSide) string {
	out := fmt.Sprintf("%s, %s rows", s.Name, brief.Count(s.Rows))
	if s.Blocks > 0 {
		out += fmt.Sprintf(" in %s groups", brief.Count(s.Blocks))
	}
	switch {
	case s.From != "":
		out += fmt.Sprintf(", %s to %s", s.From, s.Before)
	case s.Before != "":
		out += ", before " + s.Before
	}
	return out
}

func driftRow(c record.DriftColumn) []Cell {
	verdict := Cell{Text: c.Verdict, Colour: driftColour(c.Verdict)}
	if c.Severe {
		verdict.Text = "drift, severe"
	}
	row := []Cell{{Text: c.Name}, verdict, {Text: numberAt(c.Effect, 3)}, {Text: shareText(c.Q)}}
	was, is := brief.WasAndIs(c)
	if c.Verdict == record.DriftInsufficient {
		was, is = c.Reason, ""
	} else if n := len(c.NewCategories); n > 0 {
		was, is = "", newText(c.NewCategories)
	}
	missing := ""
	if c.NullShareReference+c.NullShareCurrent > 0 {
		missing = fmt.Sprintf("%s → %s %%", brief.Number(100*c.NullShareReference, 1), brief.Number(100*c.NullShareCurrent, 1))
	}
	return append(row, Cell{Text: was}, Cell{Text: is}, Cell{Text: missing})
}

func newText(all []record.DriftCategory) string {
	if all[0].Value == nil {
		return newValues(len(all))
	}
	var names []string
	for _, n := range all[:min(3, len(all))] {
		names = append(names, fmt.Sprintf("%s %s %%", brief.Clip(*n.Value, 20), brief.Number(100*n.Share, 1)))
	}
	if len(all) > 3 {
		names = append(names, "…")
	}
	return "new: " + strings.Join(names, ", ")
}

func numberAt(x *float64, decimals int) string {
	if x == nil {
		return brief.Absent
	}
	return brief.Number(*x, decimals)
}

func shareText(x *float64) string {
	switch {
	case x == nil:
		return brief.Absent
	case *x < 0.001:
		return "<0.001"
	}
	return brief.Number(*x, 3)
}

func newValues(n int) string {
	if n == 1 {
		return "1 new value"
	}
	return fmt.Sprintf("%d new values", n)
}
