package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/quality"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
)

// checkData judges each dataset whose pin or checks changed: by head's checks, and by base's critical ones that head removed or loosened.
func (r *review) checkData(ctx context.Context) (string, error) {
	checked := 0
	for _, id := range keys(r.head.Docs.Datasets) {
		lock, before := r.head.Docs.Locks[id], r.base.Docs.Locks[id]
		ds := r.head.Docs.Datasets[id]
		moved := lockMoved(before, lock)
		if old := r.base.Docs.Datasets[id]; !moved && old != nil && reflect.DeepEqual(old.Checks, ds.Checks) {
			continue
		}
		w, err := r.workshop(ctx)
		if err != nil {
			return "", err
		}
		s, err := w.snapshot(ctx, r.head, withBaseChecks(ds, r.base.Docs.Datasets[id]))
		if err != nil {
			return "", fmt.Errorf("checking %s: %w", id, err)
		}
		checked++
		change := s.change(before, moved)
		r.blocked = r.blocked || change.Blocking
		r.out.Result.Data = append(r.out.Result.Data, change)
		if moved {
			r.out.Records = append(r.out.Records, s.record)
			r.out.Blobs = append(r.out.Blobs, s.blobs...)
		}
	}
	if checked == 0 {
		return "", skip("no pinned data and no check changed")
	}
	return fmt.Sprintf("%d datasets", checked), nil
}

// lockMoved says whether a lock differs in anything. The content digest alone would not do: it is a claim until the rows are hashed.
func lockMoved(before, now *doc.Lock) bool { return before == nil || before.Digest() != now.Digest() }

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
		id += " (base)"
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
	answers := map[string]table.Rows{}
	for _, q := range quality.Plan(ds, lock, relation) {
		rows, err := w.db.Query(ctx, q.SQL)
		if err != nil {
			return record.Quality{}, fmt.Errorf("asking %s: %w", q.Name, err)
		}
		answers[q.Name] = rows
	}
	return quality.Judge(ds, lock, answers), nil
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
