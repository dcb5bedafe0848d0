package text

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Reproduced prints what came of making a run again: the metrics that differ, all of them when any does, and a sentence.
func Reproduced(o Out, r record.Reproduced) error {
	if r.Outcome == record.Within || r.Outcome == record.Differs {
		t := Table{Columns: []Column{{Name: ""}, {Name: "metric"}, {Name: "part"}, {Name: "then", Right: true}, {Name: "now", Right: true}, {Name: "difference", Right: true}}}
		for _, m := range r.Metrics {
			row := []Cell{{Text: "✓", Colour: Green}, {Text: brief.Label(m.Name)}, {Text: m.Part}, {Text: brief.Value(m.Name, m.Was)}, {Text: "–"}, {Text: "–"}}
			if m.Now != nil {
				row[4].Text, row[5].Text = brief.Value(m.Name, *m.Now), fmt.Sprintf("%.3g", *m.Now-m.Was)
			}
			if !m.Within {
				row[0] = Cell{Text: "✗", Colour: Red}
			}
			t.Rows = append(t.Rows, row)
		}
		if err := t.Write(o); err != nil {
			return err
		}
		switch {
		case r.SamePredictions:
			fmt.Fprintln(o.W, "every prediction is the same")
		case r.Scores != nil:
			fmt.Fprintf(o.W, "scores differ by at most %.3g\n", *r.Scores)
		}
	}
	_, err := fmt.Fprintln(o.W, sentence(o, r))
	return err
}

func sentence(o Out, r record.Reproduced) string {
	what := fmt.Sprintf("run %s of %s", escape.Terminal(r.Run), escape.Terminal(r.Experiment))
	switch r.Outcome {
	case record.Identical:
		return o.Paint(Green, "✓") + " " + what + " was made again with the very same metrics and predictions"
	case record.Within:
		return o.Paint(Green, "✓") + " " + what + fmt.Sprintf(" was made again; every metric and score is within %g", r.Tolerance)
	case record.NotRun:
		return what + " can be made again: its documents and data are there (--dry-run)"
	}
	return o.Paint(Red, "✗") + " " + what + fmt.Sprintf(" was made again, and its result differs by more than %g", r.Tolerance)
}
