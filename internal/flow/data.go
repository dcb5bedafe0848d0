package flow

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Pinned is what `plumb data pin` did: plumb.pin/v1.
type Pinned struct {
	Schema  string             `json:"schema"`
	Dataset string             `json:"dataset"`
	Changed bool               `json:"changed"`
	Rows    int64              `json:"rows"`
	Columns int                `json:"columns"`
	Files   int                `json:"files"`
	Content string             `json:"content"`
	Lock    string             `json:"lock"` // path
	Scores  map[string]float64 `json:"scores"`
	Failed  []string           `json:"failed"`
}

// Pin reads a dataset's source, writes its lock and records a snapshot with profile and quality. With dry, it writes nothing.
func (p *Project) Pin(ctx context.Context, id string, dry bool) (*Pinned, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if id, err = t.theDataset(id); err != nil {
		return nil, err
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	p.progress("%s: reading the source", id)
	ds := t.Docs.Datasets[id]
	lock, err := dataset.Pin(ctx, w.db, p.Root, ds)
	if err != nil {
		return nil, err
	}
	path := filepath.Join("datasets", id+".lock.toml")
	encoded := lock.Encode()
	old, err := os.ReadFile(filepath.Join(p.Root, path))
	out := &Pinned{Schema: "plumb.pin/v1", Dataset: id, Changed: err != nil || !bytes.Equal(old, encoded), Rows: lock.Rows, Columns: len(lock.Columns),
		Files: len(lock.Files), Content: lock.Content, Lock: filepath.ToSlash(path), Failed: []string{}}
	lock.ID = id
	t.Docs.Locks[id] = lock
	p.progress("%s: profiling and checking %d rows", id, lock.Rows)
	s, err := w.snapshot(ctx, t, ds)
	if err != nil {
		return nil, err
	}
	out.Scores = s.record.Scores
	for _, c := range s.quality.Checks {
		if c.State == "fail" || c.State == "error" {
			out.Failed = append(out.Failed, c.Sentence())
		}
	}
	if dry {
		return out, nil
	}
	if err := replaceFile(filepath.Join(p.Root, path), encoded); err != nil {
		return nil, fmt.Errorf("writing the lock: %w", err)
	}
	return out, p.recordSnapshot(ctx, s)
}

// recordSnapshot keeps a snapshot privately, unless one of the same content and checks is there.
func (p *Project) recordSnapshot(ctx context.Context, s *snapshot) error {
	v, err := p.view(ctx)
	if err != nil {
		return err
	}
	for _, had := range v.Snapshots() {
		if had.Dataset == s.record.Dataset && had.Content == s.record.Content && had.Quality.SHA256 == s.record.Quality.SHA256 {
			return nil
		}
	}
	if _, err := p.Store.Put(ctx, s.blobs); err != nil {
		return fmt.Errorf("storing the profile: %w", err)
	}
	path, data, err := record.Encode(s.record)
	if err != nil {
		return fmt.Errorf("writing the snapshot: %w", err)
	}
	return p.Ledger.AppendPrivate(ctx, []ledger.File{{Path: path, Data: data}})
}

// theDataset is the one that is meant: the named one, or the only one.
func (t *Tree) theDataset(id string) (string, error) {
	names := keys(t.Docs.Datasets)
	switch {
	case len(names) == 0:
		return "", problem.Wrongf("`plumb init --data FILE --label COLUMN` writes a first one", "the project has no datasets")
	case id != "" && t.Docs.Datasets[id] == nil:
		return "", problem.Wrongf("there are: "+list(names), "there is no datasets/%s.toml", id)
	case id != "":
		return id, nil
	case len(names) == 1:
		return names[0], nil
	}
	return "", problem.Wrongf("there are: "+list(names), "which dataset?")
}

// DataView is a pinned dataset as `plumb data show` prints it: plumb.data/v1.
type DataView struct {
	Schema  string         `json:"schema"`
	Dataset string         `json:"dataset"`
	State   string         `json:"state"` // current | behind | broken
	Why     string         `json:"why"`
	Content string         `json:"content"`
	Rows    int64          `json:"rows"`
	Files   int            `json:"files"`
	Profile record.Profile `json:"profile"`
}

// ShowData profiles a dataset as pinned, and says whether its source has moved on.
func (p *Project) ShowData(ctx context.Context, id string) (*DataView, error) {
	t, w, ds, err := p.pinned(ctx, id)
	if err != nil {
		return nil, err
	}
	defer w.close()
	lock := t.Docs.Locks[ds.ID]
	out := &DataView{Schema: "plumb.data/v1", Dataset: ds.ID, Content: lock.Content, Rows: lock.Rows, Files: len(lock.Files)}
	if out.State, out.Why, err = dataset.State(ctx, p.Root, ds, lock); err != nil {
		return nil, err
	}
	data, err := w.data(ctx, t, ds.ID)
	if err != nil {
		return nil, err
	}
	out.Profile, err = dataset.Profile(ctx, w.db, data.Relations[ds.ID], lock, ds)
	return out, err
}

// Quality runs a dataset's checks on its pinned rows.
func (p *Project) Quality(ctx context.Context, id string) (record.Quality, error) {
	t, w, ds, err := p.pinned(ctx, id)
	if err != nil {
		return record.Quality{}, err
	}
	defer w.close()
	data, err := w.data(ctx, t, ds.ID)
	if err != nil {
		return record.Quality{}, err
	}
	return w.quality(ctx, ds, t.Docs.Locks[ds.ID], data.Relations[ds.ID])
}

// pinned opens a workshop over a pinned dataset of the working folder.
func (p *Project) pinned(ctx context.Context, id string) (*Tree, *workshop, *doc.Dataset, error) {
	t, err := p.Working()
	if err != nil {
		return nil, nil, nil, err
	}
	if id, err = t.theDataset(id); err != nil {
		return nil, nil, nil, err
	}
	if t.Docs.Locks[id] == nil {
		return nil, nil, nil, problem.Wrongf("run `plumb data pin "+id+"`", "dataset %q is not pinned", id)
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	return t, w, t.Docs.Datasets[id], err
}

// replaceFile writes beside the file and renames, so that a reader sees the old or the new one, whole.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".plumb-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone when the rename worked
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
