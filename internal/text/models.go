package text

import (
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

const minute = "2006-01-02 15:04" // UTC, as all times

// Models prints what there is and what each stage holds.
func Models(o Out, m record.Models) error {
	if len(m.Models) == 0 {
		_, err := fmt.Fprintln(o.W, "no models")
		return err
	}
	t := Table{Columns: []Column{{Name: "model", Most: 40}, {Name: "champion", Most: 30}, {Name: "versions", Right: true}, {Name: "latest"}, {Name: "stages", Most: 80}}}
	for _, s := range m.Models {
		var held []string
		for _, st := range s.Stages {
			held = append(held, st.Stage+" "+brief.Clip(st.Version, 12)+disowned(st))
		}
		champion := orDash(s.Champion)
		if s.Pin > 0 {
			champion += fmt.Sprintf(" (version %d)", s.Pin)
		}
		t.Rows = append(t.Rows, Cells(s.Model, champion, fmt.Sprint(s.Versions), orDash(deref(s.Latest)), orDash(strings.Join(held, ", "))))
	}
	if err := t.Write(o); err != nil {
		return err
	}
	for _, s := range m.Models {
		if err := waiting(o, s); err != nil {
			return err
		}
	}
	return nil
}

func waiting(o Out, s record.ModelSummary) error {
	if s.Waiting == "" {
		return nil
	}
	_, err := fmt.Fprintf(o.W, "%s: the next push stages %s (%s): by CI, or `plumb ci --event push --publish`\n", escape.Terminal(s.Model), escape.Terminal(s.Champion), escape.Terminal(s.Waiting))
	return err
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func disowned(s record.ModelStage) string {
	if s.Disowned == "" {
		return ""
	}
	return " (disowned)"
}

// Model prints one model's versions.
func Model(o Out, m record.ModelShown) error {
	if err := Models(o, record.Models{Models: []record.ModelSummary{m.ModelSummary}}); err != nil {
		return err
	}
	if len(m.VersionList) == 0 {
		_, err := fmt.Fprintln(o.W, "no versions yet: what is merged makes them")
		return err
	}
	names := headline[m.Task]
	t := Table{Columns: []Column{{Name: "version"}, {Name: "in"}, {Name: "experiment", Most: 30}}}
	for _, n := range names {
		t.Columns = append(t.Columns, Column{Name: brief.Label(n), Right: true})
	}
	t.Columns = append(t.Columns, Column{Name: "when"}, Column{Name: "commit"}, Column{Name: "by", Most: 30})
	for _, v := range m.VersionList {
		in := strings.Join(v.Stages, ", ")
		if !v.Active {
			in = "deregistered"
		}
		row := Cells(v.Version, in, orDash(v.Experiment))
		for _, n := range names {
			value, ok := v.Metrics[n]
			row = append(row, Cell{Text: numberOr(n, value, ok)})
		}
		t.Rows = append(t.Rows, append(row, Cells(v.Time.UTC().Format(minute), brief.Short(v.Commit), v.Who)...))
	}
	fmt.Fprintln(o.W)
	return t.Write(o)
}

// ModelHistory prints what happened, the newest first.
func ModelHistory(o Out, h record.ModelHistory) error {
	if len(h.Events) == 0 {
		_, err := fmt.Fprintln(o.W, "nothing has happened yet")
		return err
	}
	t := Table{Columns: []Column{{Name: "when"}, {Name: "model", Most: 40}, {Name: "event"}, {Name: "version", Most: 20}, {Name: "stage"}, {Name: "commit"}, {Name: "by", Most: 30}, {Name: "said by", Most: 60}, {Name: "", Most: 120}}}
	for _, e := range h.Events {
		from, note := e.Record, ""
		if e.Source == record.SourceTag {
			from = "tag " + e.Ref
		}
		switch {
		case !e.Counted && e.Source == record.SourceLedger:
			note = "not counted: " + e.Reason
		case !e.Counted:
			note = "not counted"
		}
		t.Rows = append(t.Rows, Cells(e.Time.UTC().Format(minute), e.Model, e.Event, deref(e.Version), deref(e.Stage), brief.Short(e.Commit), e.Author, from, note))
	}
	return t.Write(o)
}

// ModelsAt prints what each stage held.
func ModelsAt(o Out, at record.ModelsAt) error {
	when := "at " + at.Asked
	switch {
	case at.Commit != "":
		when = "at commit " + brief.Short(at.Commit)
	case !at.From.Equal(*at.To):
		when = "on " + at.Asked + " (UTC)"
	}
	if len(at.Held) == 0 {
		if _, err := fmt.Fprintln(o.W, "nothing was in any stage", escape.Terminal(when)); err != nil {
			return err
		}
		return servedThen(o, at.Disowned)
	}
	fmt.Fprintln(o.W, escape.Terminal(when)+":")
	t := Table{Columns: []Column{{Name: "model", Most: 40}, {Name: "stage"}, {Name: "version", Most: 30}, {Name: "experiment", Most: 30}, {Name: "commit"}, {Name: "since"}, {Name: "until"}, {Name: "by", Most: 30}}}
	for _, s := range at.Held {
		until := "now"
		if s.Until != nil {
			until = s.Until.UTC().Format(time.RFC3339)
		}
		t.Rows = append(t.Rows, Cells(s.Model, s.Stage, s.Version+disowned(s), orDash(s.Experiment), brief.Short(s.Commit), s.Since.UTC().Format(time.RFC3339), until, s.Who))
	}
	if err := t.Write(o); err != nil {
		return err
	}
	return servedThen(o, at.Disowned)
}

// servedThen tells of what was in a stage by records that count for nothing now.
func servedThen(o Out, all []record.ModelStage) error {
	for _, s := range all {
		_, err := fmt.Fprintf(o.W, "%s %s: from %s to %s %s served, as a record of %s said that was %s\n", escape.Terminal(s.Model), escape.Terminal(s.Stage), s.Since.UTC().Format(time.RFC3339),
			s.Until.UTC().Format(time.RFC3339), escape.Terminal(s.Version), escape.Terminal(s.Who), escape.Terminal(s.Disowned))
		if err != nil {
			return err
		}
	}
	return nil
}
