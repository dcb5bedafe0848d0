package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/drift"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/trigger"
)

const (
	thenRetrain  = "retrain"
	typeTOML     = "application/toml"
	branchPrefix = "plumb/"
)

// Proposer is the forge as proposals need it.
type Proposer interface {
	// Propose opens a pull request from a branch, or finds the open one, and gives its address.
	Propose(ctx context.Context, branch, base, title, body string) (url string, err error)
}

// propose pins the newest rows of every dataset for which a trigger asks it. The lock is part of the monitor's result; the publisher makes the
// branch. A pin that is the present one proposes nothing.
func (w *watch) propose(ctx context.Context) (string, error) {
	locks := map[string]record.Pointer{}
	var said []string
	for _, d := range w.due {
		fired := firedFor(d.result, thenRetrain)
		if len(fired) == 0 {
			continue
		}
		ds := w.head.Docs.Datasets[d.monitor.Dataset]
		if _, done := locks[ds.ID]; !done {
			lock, err := dataset.Pin(ctx, w.shop.db, w.p.Root, ds)
			if err != nil && ctx.Err() == nil { // the alarm counts all the same
				w.lost = append(w.lost, fmt.Errorf("%s fired, and its retraining can't be proposed: %w", list(fired), err))
				said = append(said, ds.ID+" can't be pinned anew")
				continue
			}
			if err != nil {
				return "", err
			}
			if lock.Digest() == w.head.Docs.Locks[ds.ID].Digest() {
				said = append(said, ds.ID+" is pinned as it is")
				continue
			}
			b := store.Blob{Data: lock.Encode(), Type: typeTOML}
			w.out.Blobs = append(w.out.Blobs, b)
			locks[ds.ID] = pointerOf(b)
			d.result.Lock = locks[ds.ID]
			said = append(said, fmt.Sprintf("pin %s anew: %s fired", ds.ID, list(fired)))
		}
	}
	if len(said) == 0 {
		return "", skip("no trigger asks for anything")
	}
	return strings.Join(said, "; "), nil
}

// firedFor lists the triggers of a result that fired and ask for this, by name.
func firedFor(m record.Monitor, then string) []string {
	var out []string
	for _, name := range keys(m.Triggers) {
		if s := m.Triggers[name]; s.State == record.TriggerFired && s.Then == then {
			out = append(out, name)
		}
	}
	return out
}

// monitorChange is a monitor's result as a flow's result tells it.
func monitorChange(m record.Monitor) record.MonitorChange {
	out := record.MonitorChange{Monitor: m.Monitor, Dataset: m.Dataset, From: m.From, Before: m.Before, Missed: m.Missed, Rows: m.Rows, Pinned: m.Reference, Verdict: m.Verdict,
		Drifted: notNil(m.Drifted), Watched: notNil(m.Watched), Failed: notNil(m.Failed), Triggers: []record.TriggerState{}, New: m.New, Changed: m.Changed}
	for _, name := range keys(m.Triggers) {
		s := m.Triggers[name]
		s.Name = name
		if s.Values == nil { // a record that is read back has none where nothing was read
			s.Values = map[string]float64{}
		}
		out.Triggers = append(out.Triggers, s)
	}
	return out
}

func notNil(names []string) []string { return append([]string{}, names...) }

// monitors checks the results of a schedule: that each is of a window that is due, that its verdicts follow from its numbers, and its triggers
// from the values that they read. The rows themselves are the measuring job's word: the source is not in Git.
func (i *inspection) monitors() error {
	var kept []record.Monitor
	for _, m := range i.watched {
		if err := i.monitor(m); err != nil {
			return fmt.Errorf("monitor %s: %w", m.Monitor, err)
		}
		i.result.Monitors = append(i.result.Monitors, monitorChange(m))
		if past := i.view.Monitors(m.Monitor); len(past) > 0 && !past[len(past)-1].Before.Before(m.Before) {
			continue // somebody else was faster
		}
		kept = append(kept, m)
	}
	i.watched = kept
	if i.event.Name == "schedule" && !sameJSONValue(i.result.Monitors, i.bundle.result.Monitors) && len(i.result.Monitors)+len(i.bundle.result.Monitors) > 0 {
		return errors.New("result.json says something else of the monitors than their records")
	}
	return nil
}

func (i *inspection) monitor(m record.Monitor) error {
	d := i.head.Docs.Monitors[m.Monitor]
	if d == nil || d.Dataset != m.Dataset {
		return errors.New("it is not one of the documents in the tree")
	}
	length, err := doc.Duration(d.Window)
	if err != nil {
		return err
	}
	switch {
	case !m.Before.Equal(m.Header.Time.Truncate(length)) || !m.From.Equal(m.Before.Add(-length)):
		return fmt.Errorf("its window is %s to %s, which is not the last full one", m.From.Format(time.RFC3339), m.Before.Format(time.RFC3339))
	case m.Rows < 0 || m.Reference < 0 || m.Missed < 0:
		return errors.New("a count is negative")
	}
	if err := i.monitorNumbers(m); err != nil {
		return err
	}
	return i.monitorTriggers(m)
}

// monitorNumbers judges the drift again and reads the failed checks off the findings.
func (i *inspection) monitorNumbers(m record.Monitor) error {
	var found record.Drift
	if err := i.takeJSON(m.Drift, &found); err != nil {
		return fmt.Errorf("its drift: %w", err)
	}
	var q record.Quality
	if err := i.takeJSON(m.Quality, &q); err != nil {
		return fmt.Errorf("its quality: %w", err)
	}
	return follows(m, found, q)
}

// follows says what of a monitor's result does not follow from its drift and its quality.
func follows(m record.Monitor, found record.Drift, q record.Quality) error {
	again, err := rejudged(found)
	if err != nil {
		return err
	}
	var want record.Monitor
	sumUp(&want, again)
	if want.Verdict != m.Verdict || !slices.Equal(want.Drifted, m.Drifted) || !slices.Equal(want.Watched, m.Watched) || !slices.Equal(want.New, m.New) ||
		!maps.Equal(want.Changed, m.Changed) || int64(found.Current.Rows) != m.Rows || int64(found.Reference.Rows) != m.Reference {
		return errors.New("its verdict does not follow from its drift")
	}
	if !slices.Equal(failedChecks(q), m.Failed) || !sameJSONValue(q.ScoreMap(), m.Scores) && len(q.ScoreMap())+len(m.Scores) > 0 {
		return errors.New("its failed checks or scores do not follow from its quality")
	}
	return nil
}

func (i *inspection) takeJSON(p record.Pointer, into any) error {
	data, err := i.take(p, typeJSON, 0)
	if err != nil {
		return err
	}
	return strictJSON(data, into)
}

// triggersFollow says which trigger of a monitor's result does not follow from the values that it read and the results before it.
func triggersFollow(docs *doc.Set, view *ledger.View, m record.Monitor) error {
	lock, ds, d := docs.Locks[m.Dataset], docs.Datasets[m.Dataset], docs.Monitors[m.Monitor]
	env := doc.TriggerEnv(lock, ds)
	row := map[string]any{"rows": m.Rows, "ref.rows": m.Reference}
	for _, s := range m.Triggers {
		trigger.Lay(s.Values, row)
	}
	for _, want := range trigger.Judge(d, env, row, m.Before, pastOf(view, m)) {
		said, ok := m.Triggers[want.Name]
		said.Name, want.Before, said.Before = want.Name, time.Time{}, time.Time{}
		if !ok || said.Condition != record.ConditionUnknown && !sameJSONValue(said, want) {
			return fmt.Errorf("trigger %s does not follow from its values", want.Name)
		}
	}
	if len(m.Triggers) != len(d.Order) {
		return errors.New("its triggers are not those of the document")
	}
	return nil
}

func (i *inspection) monitorTriggers(m record.Monitor) error {
	if err := triggersFollow(i.head.Docs, i.view, m); err != nil {
		return err
	}
	ds := i.head.Docs.Datasets[m.Dataset]
	if m.Lock.SHA256 == "" {
		return nil
	}
	if len(firedFor(m, thenRetrain)) == 0 {
		return errors.New("it proposes a pin, and no trigger asks for one")
	}
	data, err := i.take(m.Lock, typeTOML, 0)
	if err != nil {
		return err
	}
	proposed, err := doc.ReadLock(m.Dataset, data)
	if err != nil {
		return err
	}
	for _, f := range proposed.Files {
		if !doc.Match(ds.Source.Path, f.Path) {
			return fmt.Errorf("it proposes to pin %.100q, which is no file of %s", f.Path, ds.Source.Path)
		}
	}
	i.locks[m.Dataset] = data
	return nil
}

// propose makes a branch for every proposal, and a pull request where there is a forge. A dataset that has an open one gets no second: who has not
// answered the first does not need another.
func (pub *publication) propose(ctx context.Context) (string, error) {
	if pub.checked == nil || len(pub.checked.locks) == 0 {
		return "", skip("nothing is proposed")
	}
	var said []string
	for _, m := range pub.checked.watched {
		lock := pub.checked.locks[m.Dataset]
		if lock == nil || m.Lock.SHA256 == "" {
			continue
		}
		did, err := pub.proposePin(ctx, m, lock)
		if err != nil {
			return "", fmt.Errorf("proposing to pin %s: %w", m.Dataset, err)
		}
		said = append(said, did)
	}
	if len(said) == 0 {
		return "", skip("nothing is proposed")
	}
	return strings.Join(said, "; "), nil
}

// rejudged judges a drift report's columns again.
func rejudged(said record.Drift) (record.Drift, error) {
	again := said
	again.Columns = slices.Clone(said.Columns)
	for k := range again.Columns {
		again.Columns[k].Q, again.Columns[k].Verdict = nil, ""
	}
	drift.Judge(&again)
	if !sameJSONValue(said, again) {
		return again, errors.New("its drift's verdicts do not follow from its numbers")
	}
	return again, nil
}
