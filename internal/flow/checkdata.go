package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/quality"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
)

// checkData judges each dataset that the pull request changes. The publisher does the same again.
func (r *review) checkData(ctx context.Context) (string, error) {
	if len(changedData(r.base.Docs, r.head.Docs)) == 0 {
		return "", skip("no pinned data and no check changed")
	}
	w, err := r.workshop(ctx)
	if err != nil {
		return "", err
	}
	all, err := w.checkData(ctx, r.base, r.head)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		r.blocked = r.blocked || s.data.Blocking
		r.out.Result.Data = append(r.out.Result.Data, s.data)
		if s.data.Changed {
			r.out.Records = append(r.out.Records, s.record)
			r.out.Blobs = append(r.out.Blobs, s.blobs...)
		}
	}
	return countOf(len(all), "dataset"), nil
}

// changedData lists the datasets of head whose pin or document base does not have like this.
func changedData(base, head *doc.Set) []string {
	var out []string
	for _, id := range keys(head.Datasets) {
		if lockMoved(base.Locks[id], head.Locks[id]) || !reflect.DeepEqual(base.Datasets[id], head.Datasets[id]) {
			out = append(out, id)
		}
	}
	return out
}

// checkData makes the snapshots of the changed datasets: by head's checks, and by base's critical ones that head removed or loosened.
func (w *workshop) checkData(ctx context.Context, base, head *Tree) ([]*snapshot, error) {
	var out []*snapshot
	for _, id := range changedData(base.Docs, head.Docs) {
		if head.Docs.Locks[id] == nil {
			continue // not pinned yet; the checks of documents say so where something needs it
		}
		ds := head.Docs.Datasets[id]
		for _, old := range before(base.Docs, head.Docs, id) {
			ds = withBaseChecks(ds, old)
		}
		s, err := w.snapshot(ctx, head, ds)
		if err != nil {
			return nil, fmt.Errorf("checking %s: %w", id, err)
		}
		s.data = s.change(base.Docs.Locks[id], lockMoved(base.Docs.Locks[id], head.Docs.Locks[id]))
		out = append(out, s)
	}
	return out, nil
}

// before gives the datasets of base that a dataset of head stands for: the one of its name, and those that a model asked about before it was
// turned to this one. A dataset does not lose its checks by changing its name.
func before(base, head *doc.Set, id string) []*doc.Dataset {
	var out []*doc.Dataset
	if ds := base.Datasets[id]; ds != nil {
		out = append(out, ds)
	}
	for _, m := range keys(head.Models) {
		was, now := base.Models[m], head.Models[m]
		if was == nil || now.Question.Dataset != id || was.Question.Dataset == id {
			continue
		}
		if ds := base.Datasets[was.Question.Dataset]; ds != nil && !slices.Contains(out, ds) {
			out = append(out, ds)
		}
	}
	return out
}

// lockMoved says whether a lock differs in anything. The content digest alone would not do: it is a claim until the rows are hashed.
func lockMoved(before, now *doc.Lock) bool {
	return now != nil && (before == nil || before.Digest() != now.Digest())
}

// withBaseChecks adds base's critical checks that head removed or loosened: nobody weakens a guard in the change that it would stop.
func withBaseChecks(head, base *doc.Dataset) *doc.Dataset {
	if base == nil {
		return head
	}
	out := *head
	out.Checks, out.Order = maps.Clone(head.Checks), append([]string(nil), head.Order...)
	if out.Checks == nil {
		out.Checks = map[string]doc.Check{}
	}
	for _, id := range base.Order {
		was := base.Checks[id]
		if now, ok := head.Checks[id]; was.Level != "critical" || ok && reflect.DeepEqual(now, was) {
			continue
		}
		for id += " (base)"; out.Checks[id].Kind != ""; id += "'" { // a check of head may have taken the name
		}
		was.ID = id
		out.Checks[id] = was
		out.Order = append(out.Order, id)
	}
	return &out
}

// snapshot is a dataset as pinned, with its profile and what its checks say.
type snapshot struct {
	record  record.Snapshot
	quality record.Quality
	profile record.Profile
	blobs   []store.Blob
	data    record.DataChange
}

// snapshot profiles and checks a pinned dataset.
func (w *workshop) snapshot(ctx context.Context, t *Tree, ds *doc.Dataset) (*snapshot, error) {
	lock := t.Docs.Locks[ds.ID]
	data, err := w.data(ctx, t, ds.ID)
	if err != nil {
		return nil, err
	}
	if err := dataset.Verify(ctx, w.db, data.Relations[ds.ID], lock); err != nil {
		return nil, err
	}
	s := &snapshot{}
	if s.quality, err = w.quality(ctx, ds, lock, data.Relations[ds.ID]); err != nil {
		return nil, fmt.Errorf("running the checks: %w", err)
	}
	if s.profile, err = dataset.Profile(ctx, w.db, data.Relations[ds.ID], lock, ds); err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	s.record = record.Snapshot{Header: w.p.header(record.KindSnapshot, t), Dataset: ds.ID, Content: lock.Content, Lock: lock.Digest(),
		Files: len(lock.Files), Rows: lock.Rows, Scores: s.quality.ScoreMap()}
	for _, c := range lock.Columns {
		s.record.Columns = append(s.record.Columns, c.Name+" "+c.Type)
	}
	if s.record.Profile, err = s.keep(s.profile); err != nil {
		return nil, err
	}
	s.record.Quality, err = s.keep(s.quality)
	return s, err
}

func (s *snapshot) keep(v any) (record.Pointer, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return record.Pointer{}, err
	}
	b := store.Blob{Data: data, Type: typeJSON}
	s.blobs = append(s.blobs, b)
	return pointerOf(b), nil
}

// quality asks the engine what the checks need to know, and lets the judge say what it means.
func (w *workshop) quality(ctx context.Context, ds *doc.Dataset, lock *doc.Lock, relation string) (record.Quality, error) {
	return w.qualityAt(ctx, ds, lock, relation, time.Time{})
}

// qualityAt is quality at a moment, which checks of freshness compare with.
func (w *workshop) qualityAt(ctx context.Context, ds *doc.Dataset, lock *doc.Lock, relation string, now time.Time) (record.Quality, error) {
	answers := map[string]table.Rows{}
	for _, q := range quality.Plan(ds, lock, relation) {
		rows, err := w.db.Query(ctx, q.SQL)
		if err != nil {
			return record.Quality{}, fmt.Errorf("asking %s: %w", q.Name, err)
		}
		answers[q.Name] = rows
	}
	return quality.JudgeAt(ds, lock, answers, now), nil
}

// change says in a comment's words what is new about a dataset.
func (s *snapshot) change(before *doc.Lock, moved bool) record.DataChange {
	c := record.DataChange{Dataset: s.record.Dataset, RowsHead: s.record.Rows, Changed: moved, Scores: s.record.Scores, Failed: []string{}}
	if before != nil {
		c.RowsBase = before.Rows
	}
	for _, check := range s.quality.Checks {
		if check.State == "pass" || check.State == "not_assessed" {
			continue
		}
		c.Failed = append(c.Failed, check.Sentence())
		c.Blocking = c.Blocking || check.Level == "critical"
	}
	return c
}
