package text

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// Error prints what went wrong and what to do next.
func Error(o Out, message, hint string) {
	fmt.Fprintln(o.W, o.Paint(Red, "error:"), escape.Terminal(message))
	if hint != "" {
		fmt.Fprintln(o.W, o.Paint(Dim, "hint:"), escape.Terminal(hint))
	}
}

// Metrics prints a run's metrics, test beside valid, in the order of the task; of several seeds also what they reach on the test part on average, and
// how far they lie apart.
func Metrics(o Out, run record.Run, seeds []record.RepeatDetail) error {
	t := Table{Columns: []Column{{Name: "metric"}, {Name: "test", Right: true}, {Name: "valid", Right: true}}}
	if len(seeds) > 1 {
		t.Columns = append(t.Columns, Column{Name: fmt.Sprintf("test, mean of %d seeds", len(seeds)), Right: true})
	}
	for _, name := range metric.For(run.Task) {
		test, hasTest := run.Result.Metrics[name]
		valid, hasValid := run.Result.Valid[name]
		if !hasTest && !hasValid {
			continue
		}
		row := Cells(brief.Label(name), numberOr(name, test, hasTest), numberOr(name, valid, hasValid))
		if mean, sd, ok := record.OverSeeds(seeds, name); ok {
			row = append(row, Cell{Text: brief.MeanOf(name, mean, sd)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t.Write(o)
}

func numberOr(name string, v float64, ok bool) string {
	if !ok {
		return "–"
	}
	return brief.Value(name, v)
}

// Runs prints a list of runs with the first metrics of their tasks, on the test or the valid part.
func Runs(o Out, runs []record.RunSummary, of Totals, part string) error {
	var names []string
	for _, r := range runs {
		for _, n := range headline[r.Task] {
			names = appendNew(names, n)
		}
	}
	t := Table{Columns: []Column{{Name: "run"}, {Name: "experiment", Most: 30}}}
	for _, n := range names {
		name := brief.Label(n)
		if part == "valid" {
			name = "valid " + name
		}
		t.Columns = append(t.Columns, Column{Name: name, Right: true})
	}
	t.Columns = append(t.Columns, Column{Name: "by"}, Column{Name: "set", Most: 40})
	for _, r := range runs {
		row := Cells(r.ID, r.Experiment)
		for _, n := range names {
			values := r.Metrics
			if part == "valid" {
				values = r.Valid
			}
			row = append(row, metricCell(values, n))
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: r.Tags["actor"]}, Cell{Text: settings(r.Set)}))
	}
	return totalled(o, t, of)
}

// Columns prints what was asked for of runs: a line a run.
func Columns(o Out, columns []string, rows [][]string, of Totals) error {
	t := Table{}
	for _, c := range columns {
		t.Columns = append(t.Columns, Column{Name: c, Most: 60})
	}
	for _, r := range rows {
		t.Rows = append(t.Rows, Cells(r...))
	}
	return totalled(o, t, of)
}

// Totals say of how many runs those that are shown are a part.
type Totals struct {
	Matching int // that the filters let through
	Recorded int // all
}

func totalled(o Out, t Table, of Totals) error {
	if len(t.Rows) > 0 {
		if err := t.Write(o); err != nil {
			return err
		}
	}
	var err error
	if n := len(t.Rows); n < of.Matching && of.Matching < of.Recorded {
		_, err = fmt.Fprintf(o.W, "%d of %d that match, of %d runs\n", n, of.Matching, of.Recorded)
	} else {
		_, err = fmt.Fprintf(o.W, "%d of %d runs\n", n, of.Recorded)
	}
	return err
}

// headline is what a list of runs shows of a task.
var headline = map[string][]string{
	"binary": {"auc", "log_loss"}, "regression": {"rmse", "r2"}, "multiclass": {"accuracy", "log_loss"},
}

func appendNew(names []string, name string) []string {
	for _, n := range names {
		if n == name {
			return names
		}
	}
	return append(names, name)
}

func settings(set map[string]any) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		parts = append(parts, fmt.Sprintf("%s=%v", k, set[k]))
	}
	return strings.Join(parts, " ")
}

// Changes prints in what two runs differ beside their results.
func Changes(o Out, changes []record.RunChange) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(o.W, "Nothing else differs.")
		return err
	}
	t := Table{Columns: []Column{{Name: "differs"}, {Name: "", Most: 40}, {Name: "was", Most: 50}, {Name: "is", Most: 50}, {Name: "", Most: 100}}}
	last := ""
	for _, c := range changes {
		kind := c.Kind
		if kind == last {
			kind = ""
		}
		last = c.Kind
		t.Rows = append(t.Rows, Cells(kind, c.Name, orDash(c.Was), orDash(c.Now), c.Detail))
	}
	fmt.Fprintln(o.W)
	return t.Write(o)
}

// Profile prints a dataset's columns.
func Profile(o Out, p record.Profile) error {
	t := Table{Columns: []Column{{Name: "column", Most: 30}, {Name: "type"}, {Name: "missing", Right: true}, {Name: "distinct", Right: true}, {Name: "min", Right: true, Most: 24}, {Name: "mean", Right: true}, {Name: "max", Right: true, Most: 24}}}
	for _, c := range p.Columns {
		least, most := bound(c.Min), bound(c.Max)
		if c.Type == "string" && c.Min != nil {
			least, most = least+" long", most+" long"
		}
		middle := mean(c.Mean)
		if c.Type == "timestamp" || c.Type == "date" { // seconds since 1970 say nothing to a reader
			middle = "–"
		}
		t.Rows = append(t.Rows, Cells(c.Name, c.Type, brief.Count(c.Nulls), brief.Count(c.Distinct), least, middle, most))
	}
	return t.Write(o)
}

func bound(v any) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprint(v)
}

func mean(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.4g", *v)
}

// Quality prints what each check says, then the score of each dimension.
func Quality(o Out, q record.Quality) error {
	t := Table{Columns: []Column{{Name: ""}, {Name: "check", Most: 30}, {Name: "level"}, {Name: "dimension"}, {Name: "what it found", Most: 80}}}
	for _, c := range q.Checks {
		t.Rows = append(t.Rows, []Cell{{Text: brief.Symbol(c.State), Colour: ColourOf(c.State)}, {Text: c.ID}, {Text: c.Level}, {Text: c.Dimension}, {Text: c.Sentence()}})
	}
	if len(t.Rows) > 0 {
		if err := t.Write(o); err != nil {
			return err
		}
	}
	for _, name := range []string{"accuracy", "completeness", "consistency", "timeliness"} {
		s := q.Scores[name]
		if s.Score == nil {
			fmt.Fprintf(o.W, "%s: not assessed\n", name)
			continue
		}
		fmt.Fprintf(o.W, "%s: %.0f of 100 (%d checks)\n", name, *s.Score, s.Checks)
	}
	return nil
}
