package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Here is what this machine has of any store: what was not pushed yet, what was read before, and the blobs in this clone's refs. It is a source for Copy and
// takes nothing.
func Here(repo *gitdb.Repo) Store {
	private := filepath.Join(repo.GitDir(), "plumb")
	return &here{&gitStore{repo: repo}, []*folder{{filepath.Join(private, "outbox")}, {filepath.Join(repo.PrivateDir(), "cache", "blobs")}}, nil}
}

type here struct {
	*gitStore
	folders []*folder
	files   map[string]string // of pinned data, by SHA-256
}

func (h *here) String() string { return "here" }

var errOnlySource = problem.Wrongf("give a [store] url as the second one", "this machine is no store that takes blobs")

// List gives the blobs in the folders and in this clone's refs.
func (h *here) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		seen := map[string]bool{}
		for _, f := range h.folders {
			for item, err := range f.list(ctx) {
				if err == nil && seen[item.SHA256] {
					continue
				}
				seen[item.SHA256] = true
				if !yield(item, err) {
					return
				}
			}
		}
		for item, err := range h.listRefs(&gitShelf{repo: h.repo}) {
			if err == nil && seen[item.SHA256] {
				continue
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func (h *here) shared(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	for _, f := range h.folders {
		r, err := f.open(ctx, p)
		if err == nil {
			return verifying(p, f.String(), r), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if data, ok := h.local(h.repo, p); ok {
		return io.NopCloser(readerOf(data)), nil
	}
	if mirror, err := h.repo.Mirror(ctx); err == nil { // what was read from the remote
		if data, ok := h.local(mirror.Repo, p); ok {
			return io.NopCloser(readerOf(data)), nil
		}
	}
	if file := h.files[p.SHA256]; file != "" {
		return fileContent(p, file).open()
	}
	return nil, notHere(p, "here")
}

// Open gives what this machine has.
func (h *here) Open(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	return h.shared(ctx, p)
}

// Bring has nothing to do.
func (h *here) Bring(context.Context, []record.Pointer) error { return nil }

// Put is refused, and so is everything else that writes.
func (h *here) Put(context.Context, []Blob) ([]record.Pointer, error) { return nil, errOnlySource }

// Push is refused.
func (h *here) Push(context.Context, []Named) (Sent, error) { return Sent{}, errOnlySource }

// Remove is refused.
func (h *here) Remove(context.Context, []string, time.Time) error { return errOnlySource }

func (h *here) receive(context.Context, Store, []record.Pointer, func(record.Pointer)) (map[string]error, error) {
	return nil, errOnlySource
}
