package flow

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

const typeBytes = "application/octet-stream"

// dataOutsideGit lists the pinned files that the checked-out commit does not carry.
func (p *Project) dataOutsideGit(t *Tree) []doc.LockFile {
	var out []doc.LockFile
	for _, id := range keys(t.Docs.Locks) {
		for _, f := range t.Docs.Locks[id].Files {
			if oid, err := p.Repo.Lookup(t.Commit, path.Join(p.Prefix, f.Path)); t.Commit != "" && err == nil && oid != "" {
				continue
			}
			out = append(out, f)
		}
	}
	return out
}

// dataToSend gives those of them whose bytes others can't read yet. Each has to be the pinned file still.
func (p *Project) dataToSend(ctx context.Context, t *Tree) ([]store.Named, error) {
	var outside []store.Named
	for _, f := range p.dataOutsideGit(t) {
		outside = append(outside, store.Named{Pointer: record.Pointer{SHA256: f.SHA256, Bytes: f.Bytes, Type: typeBytes, Rows: f.Rows},
			File: filepath.Join(p.Root, filepath.FromSlash(f.Path)), What: f.Path})
	}
	if len(outside) == 0 {
		return nil, nil
	}
	p.progress("looking which pinned files the store has")
	missing, err := p.Store.Missing(ctx, outside)
	if err != nil {
		return nil, err
	}
	for _, m := range missing {
		if info, err := os.Stat(m.File); err != nil || info.Size() != m.Bytes {
			return nil, notPinned(m.What)
		}
	}
	return missing, nil
}

func notPinned(file string) error {
	return problem.Failedf("`plumb data show` says what changed; `plumb data pin` pins what is there", "%s is not the pinned file, so its bytes can't be sent", file)
}

// blobsOf lists the blobs that records name.
func blobsOf(files []ledger.File) ([]store.Named, error) {
	var out []store.Named
	for _, f := range files {
		r, err := record.Decode(f.Path, f.Data)
		if err != nil {
			return nil, fmt.Errorf("reading what is to be sent: %w", err)
		}
		out = append(out, namedBy(f.Path, r)...)
	}
	return out, nil
}

// namedBy lists the blobs that one record names.
func namedBy(at string, r any) []store.Named {
	var out []store.Named
	for _, p := range record.Pointers(r) {
		out = append(out, store.Named{Pointer: p.Pointer, What: p.Key + " of " + at})
	}
	return out
}
