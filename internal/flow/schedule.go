package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trigger"
)

// watch is the state of the schedule flow.
type watch struct {
	p     *Project
	event Event
	head  *Tree
	view  *ledger.View
	shop  *workshop
	due   []*due
	lost  []error // why a monitor's rows could not be read, or what it asks for not be pinned
	out   Measured
}

// due is a window that a monitor has not looked at yet.
type due struct {
	monitor   *doc.Monitor
	result    record.Monitor
	columns   []table.Column // of the source as it is now
	reference string         // relations
	current   string
}

// onSchedule is what happens when the clock says so: the last complete window of each monitor's source, as it is now, beside what is pinned.
// That the pin is behind the source is normal between two retrainings.
var onSchedule = []step[*watch]{
	{"load documents", (*watch).load},
	{"check documents", (*watch).checkDocuments},
	{"windows", (*watch).windows}, // which are full and were not looked at
	{"read sources", (*watch).read},
	{"quality", (*watch).quality},
	{"drift", (*watch).drift},
	{"triggers", (*watch).triggers},
	{"propose", (*watch).propose}, // what a trigger that fired asks for, as a pull request
}

// Schedule looks at what is due at the project's time.
func (p *Project) Schedule(ctx context.Context, e Event) (*Measured, error) {
	e.Name = "schedule"
	w := &watch{p: p, event: e}
	w.out.Event = e
	w.out.Result = record.CI{Schema: "plumb.ci/v1", Event: e.Name, RunNumber: e.RunNumber}
	var err error
	w.out.Result.Steps, err = walk(ctx, p, onSchedule, w)
	if w.shop != nil {
		w.shop.close()
	}
	var documents *DocumentsError
	switch {
	case errors.As(err, &documents):
		w.out.Result.Problems, w.out.Result.Exit = documents.List.All(), problem.ExitWrong
	case err != nil:
		return nil, err
	}
	for _, d := range w.due {
		w.out.Records = append(w.out.Records, d.result)
		w.out.Result.Monitors = append(w.out.Result.Monitors, monitorChange(d.result))
	}
	w.out.Lost = errors.Join(w.lost...)
	normalise(&w.out.Result)
	return &w.out, nil
}

func (w *watch) load(ctx context.Context) (string, error) {
	var err error
	if w.event, err = w.p.Resolve(ctx, w.event); err != nil {
		return "", err
	}
	if w.head, err = w.p.At(w.event.Head); err != nil {
		return "", err
	}
	w.event.Base = w.event.Head
	w.out.Event, w.out.Result.Head, w.out.Result.Base = w.event, w.event.Head, w.event.Head
	if w.head.Docs.Project != nil {
		w.out.Result.Project = w.head.Docs.Project.Name
	}
	w.view, err = w.p.view(ctx)
	return short(w.event.Head), err
}

func (w *watch) checkDocuments(context.Context) (string, error) {
	if err := w.head.sound(); err != nil {
		return "", err
	}
	w.out.Result.Problems = w.head.Docs.Problems.All()
	return countOf(len(w.head.Docs.Files), "document"), nil
}

// quality runs the dataset's checks on the window. A check of a column that the source has lost could not be asked, and says so.
func (w *watch) quality(ctx context.Context) (string, error) {
	if len(w.due) == 0 {
		return "", skip("nothing is due")
	}
	failed := 0
	for _, d := range w.due {
		now := &doc.Lock{Rows: d.result.Rows}
		for _, c := range d.columns {
			now.Columns = append(now.Columns, doc.LockColumn{Name: c.Name, Type: string(c.Type)})
		}
		q, err := w.shop.qualityAt(ctx, ofWindow(w.head.Docs.Datasets[d.monitor.Dataset]), now, d.current, w.p.now())
		if err != nil {
			return "", fmt.Errorf("monitor %s: %w", d.monitor.ID, err)
		}
		d.result.Failed, d.result.Scores = failedChecks(q), q.ScoreMap()
		failed += len(d.result.Failed)
		if d.result.Quality, err = w.blob(q); err != nil {
			return "", err
		}
	}
	return countOf(failed, "failed check"), nil
}

// ofWindow leaves the checks out that are about all rows of a dataset together: a window has a part of them.
func ofWindow(ds *doc.Dataset) *doc.Dataset {
	out := *ds
	out.Order = slices.DeleteFunc(slices.Clone(ds.Order), func(id string) bool {
		return ds.Checks[id].Kind == "expect_table_row_count_to_be_between"
	})
	return &out
}

func failedChecks(q record.Quality) []string {
	var out []string
	for _, c := range q.Checks {
		if c.State == record.CheckFail || c.State == record.CheckError {
			out = append(out, c.ID)
		}
	}
	return out
}

// blob keeps a finding as JSON.
func (w *watch) blob(v any) (record.Pointer, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return record.Pointer{}, err
	}
	b := store.Blob{Data: data, Type: typeJSON}
	w.out.Blobs = append(w.out.Blobs, b)
	return pointerOf(b), nil
}

// drift compares the window with what is pinned, column by column.
func (w *watch) drift(ctx context.Context) (string, error) {
	if len(w.due) == 0 {
		return "", skip("nothing is due")
	}
	var said []string
	for _, d := range w.due {
		found, err := w.driftOf(ctx, d)
		if err != nil {
			return "", fmt.Errorf("monitor %s: %w", d.monitor.ID, err)
		}
		sumUp(&d.result, *found)
		if d.result.Drift, err = w.blob(found); err != nil {
			return "", err
		}
		said = append(said, d.monitor.ID+": "+found.Verdict)
	}
	return list(said), nil
}

func (w *watch) driftOf(ctx context.Context, d *due) (*record.Drift, error) {
	ds := w.head.Docs.Datasets[d.monitor.Dataset]
	c := w.p.contrast(ctx, w.shop, w.head, ds)
	for _, col := range slices.Concat(dataset.Columns(w.head.Docs.Locks[ds.ID]), d.columns) {
		if len(d.monitor.Columns) > 0 && !slices.Contains(d.monitor.Columns, col.Name) {
			c.left[col.Name] = "the monitor does not name it"
		}
	}
	c.grouped(ds.Time.Event, d.result.Before.Sub(d.result.From))
	reference := contrastSide{DriftSide: record.DriftSide{Name: ds.ID + " as pinned", Before: d.result.From.Format(time.RFC3339)},
		columns: dataset.Columns(w.head.Docs.Locks[ds.ID]), relation: d.reference}
	current := contrastSide{DriftSide: record.DriftSide{Name: ds.ID + " now", From: d.result.From.Format(time.RFC3339), Before: d.result.Before.Format(time.RFC3339)},
		columns: d.columns, relation: d.current}
	return c.judge(ctx, reference, current)
}

// sumUp writes what a drift report comes to into a monitor's result: the whole, and the columns that moved, are watched, are new or not what they were.
func sumUp(m *record.Monitor, d record.Drift) {
	m.Verdict, m.Drifted, m.Watched, m.New, m.Changed = d.Verdict, nil, nil, nil, nil
	for _, c := range d.Columns {
		switch c.Verdict {
		case record.DriftFound:
			m.Drifted = append(m.Drifted, c.Name)
		case record.DriftWatch:
			m.Watched = append(m.Watched, c.Name)
		}
		if c.Changed != nil {
			if m.Changed == nil {
				m.Changed = map[string]record.TypeChange{}
			}
			m.Changed[c.Name] = *c.Changed
		}
	}
	for _, s := range d.Skipped {
		if s.New {
			m.New = append(m.New, s.Name)
		}
	}
}

// triggers asks what the conditions read and judges them, with what they did in the windows before.
func (w *watch) triggers(ctx context.Context) (string, error) {
	fired, asked := 0, 0
	for _, d := range w.due {
		pinned := w.head.Docs.Locks[d.monitor.Dataset].Columns
		env := doc.TriggerEnv(&doc.Lock{Columns: both(pinned, d.columns)}, nil)
		answers := map[string]table.Rows{}
		for _, q := range trigger.Plan(d.monitor, env, trigger.Relations{trigger.Current: d.current, trigger.Reference: d.reference}) {
			rows, err := w.shop.db.Query(ctx, q.SQL)
			if err != nil {
				return "", fmt.Errorf("monitor %s: asking the %s rows: %w", d.monitor.ID, q.Name, err)
			}
			answers[q.Name] = rows
		}
		d.result.Triggers = map[string]record.TriggerState{}
		for _, s := range trigger.Judge(d.monitor, env, trigger.Values(d.monitor, env, answers), d.result.Before, pastOf(w.view, d.result)) {
			if s.Condition == record.ConditionUnknown {
				s.Reason = cmp.Or(blind(s.When, pinned, d.columns), s.Reason)
			}
			d.result.Triggers[s.Name] = s
			asked++
			if s.State == record.TriggerFired {
				fired++
			}
		}
	}
	if asked == 0 {
		return "", skip("no trigger is due")
	}
	return fmt.Sprintf("%d of %d fired", fired, asked), nil
}

// pastOf gives what a monitor's triggers did in the windows that follow one another up to a result's, the newest first. A window that was missed
// ends a row of windows, but a trigger cools down over it.
func pastOf(v *ledger.View, of record.Monitor) map[string]trigger.Past {
	out := map[string]trigger.Past{}
	next := of.From
	results := v.Monitors(of.Monitor)
	for _, r := range slices.Backward(results) {
		if !r.Before.Before(of.Before) {
			continue
		}
		for name, s := range r.Triggers {
			if r.Before.Before(next) { // there is a gap
				s.Condition, s.Streak = record.ConditionUnknown, 0
			}
			out[name] = append(out[name], s)
		}
		next = r.From
	}
	return out
}
