package flow

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// workshop is an engine with a temporary folder, and the pinned data that was laid out in it.
type workshop struct {
	p         *Project
	db        *engine.DB
	dir       string
	cleanup   func()
	threads   int                       // of one training
	publishes bool                      // it checks a bundle: nobody's program is run
	relations map[string]string         // lock digest → SQL
	asked     map[string]*trainset.Rows // tree and model → rows
}

// workshop opens an engine for one command. The caller closes it.
func (p *Project) workshop(ctx context.Context, settings *doc.Project) (*workshop, error) {
	dir, cleanup, err := p.Repo.TempDir(ctx)
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	if err := os.MkdirAll(p.cacheDir(), 0o755); err != nil {
		cleanup()
		return nil, err
	}
	o := engine.Options{Read: []string{p.Root, p.cacheDir(), dir}, Temp: dir}
	if settings != nil {
		o.Memory, o.Threads = settings.Engine.Memory, settings.Engine.Threads
	}
	db, err := engine.Open(ctx, o)
	if err != nil {
		cleanup()
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	return &workshop{p: p, db: db, dir: dir, cleanup: cleanup, threads: runtime.NumCPU(), relations: map[string]string{}, asked: map[string]*trainset.Rows{}}, nil
}

func (w *workshop) close() {
	w.db.Close()
	w.cleanup()
}

// cacheDir holds copies of pinned files by their sha256.
func (p *Project) cacheDir() string { return filepath.Join(p.Repo.PrivateDir(), "cache", "data") }

// data makes the datasets of a tree readable: each file from the working folder when it is the pinned one, else from the commit, else from the store.
func (w *workshop) data(ctx context.Context, t *Tree, ids ...string) (trainset.Data, error) {
	out := trainset.Data{DB: w.db, Relations: map[string]string{}}
	for _, id := range ids {
		lock := t.Docs.Locks[id]
		if lock == nil {
			return out, problem.Wrongf("run `plumb data pin "+id+"`", "dataset %q is not pinned", id)
		}
		key := lock.Digest()
		if _, ok := w.relations[key]; !ok {
			files, err := dataset.Materialise(ctx, w.sources(t), lock)
			if err != nil {
				return out, fmt.Errorf("fetching the pinned data of %s: %w", id, err)
			}
			kept, _, err := w.db.Keep(ctx, "select * from "+dataset.Relation(files, lock)) // parsed once, for all who ask; dropped with the engine
			if err != nil {
				return out, fmt.Errorf("reading %s: %w", id, err)
			}
			w.relations[key] = "(select * from " + kept + ")"
		}
		out.Relations[id] = w.relations[key]
	}
	return out, nil
}

func (w *workshop) sources(t *Tree) dataset.Sources {
	return dataset.Sources{
		WorkDir: w.p.Root,
		Tree: func(path string) (fs.File, error) {
			if t.Working {
				return nil, fs.ErrNotExist
			}
			return t.FS.Open(path)
		},
		Store: func(ctx context.Context, sha256 string, bytes int64) (io.ReadCloser, error) {
			return w.p.Store.Open(ctx, record.Pointer{SHA256: sha256, Bytes: bytes})
		},
		Cache: w.p.cacheDir(),
	}
}

// datasetsOf lists the datasets that an experiment reads: its question's, then those of its views.
func datasetsOf(docs *doc.Set, experiment string) []string {
	e := docs.Experiments[experiment]
	ids := []string{docs.Models[e.Model].Question.Dataset}
	for _, v := range docs.Views(experiment) {
		ids = append(ids, docs.Features[v].Dataset)
	}
	return ids
}

// ask gives the rows of a model's question in a tree, once a tree.
func (w *workshop) ask(ctx context.Context, t *Tree, model string) (*trainset.Rows, error) {
	key := fmt.Sprintf("%p %s", t.Docs, model)
	if rows := w.asked[key]; rows != nil {
		return rows, nil
	}
	data, err := w.data(ctx, t, t.Docs.Models[model].Question.Dataset)
	if err != nil {
		return nil, err
	}
	rows, err := trainset.Ask(ctx, data, t.Docs, model)
	if err != nil {
		return nil, err
	}
	w.asked[key] = rows
	return rows, nil
}
