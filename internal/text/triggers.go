package text

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// Triggers prints what is watched for, with what it last did or, checked, how often it cries wolf.
func Triggers(o Out, all record.Triggers, checked bool) error {
	t := Table{Columns: []Column{{Name: "monitor"}, {Name: "trigger"}, {Name: "when", Most: 70}, {Name: "then"}, {Name: "last"}}}
	if checked {
		t.Columns[4] = Column{Name: "false alarms a year"}
	}
	for _, one := range all.Triggers {
		row := Cells(one.Monitor, one.Name, one.When, one.Then)
		if checked {
			row = append(row, falseAlarms(one.FalseAlarms))
		} else {
			row = append(row, lastState(one))
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		_, err := fmt.Fprintln(o.W, "no monitors/*.toml has a trigger")
		return err
	}
	return t.Write(o)
}

func lastState(one record.Trigger) Cell {
	if one.Last == nil {
		return Cell{Text: "never looked at"}
	}
	out := Cell{Text: one.Last.State + " on " + one.Before[:len("2006-01-02")]}
	if one.Last.Reason != "" {
		out.Text += " (" + brief.Clip(one.Last.Reason, 80) + ")"
	}
	out.Colour = map[string]Colour{record.TriggerFired: Red, record.TriggerUnknown: Amber}[one.Last.State]
	return out
}

// aYear is how many false alarms a year are too many to be believed.
const aYear = 1

func falseAlarms(f *record.FalseAlarms) Cell {
	switch {
	case f == nil:
		return Cell{}
	case f.PerYear == nil:
		return Cell{Text: "cannot say: " + f.Reason, Colour: Amber}
	}
	out := Cell{Text: brief.Number(*f.PerYear, 1)}
	if *f.PerYear > aYear {
		out.Colour = Amber
		out.Text += ": too many to be believed; ask for more windows in a row, more rows or a larger move"
	}
	if f.Unknown > 0.01 {
		out.Text += fmt.Sprintf(" (%s %% of windows can't be judged)", brief.Number(100*f.Unknown, 0))
	}
	return out
}
