package flow

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// dataOutsideGit lists the pinned files whose bytes neither the checked-out commit nor the store has: what `plumb push` has to send.
func (p *Project) dataOutsideGit(ctx context.Context, t *Tree) []doc.LockFile {
	var out []doc.LockFile
	for _, id := range keys(t.Docs.Locks) {
		for _, f := range t.Docs.Locks[id].Files {
			if oid, err := p.Repo.Lookup(t.Commit, path.Join(p.Prefix, f.Path)); t.Commit != "" && err == nil && oid != "" {
				continue // Git carries it
			}
			if !p.Store.Has(ctx, record.Pointer{SHA256: f.SHA256, Bytes: f.Bytes}) {
				out = append(out, f)
			}
		}
	}
	return out
}

// sendData stores pinned files one by one, so that no more than one is in memory.
func (p *Project) sendData(ctx context.Context, files []doc.LockFile) error {
	for _, f := range files {
		p.progress("storing %s", f.Path)
		data, err := os.ReadFile(filepath.Join(p.Root, filepath.FromSlash(f.Path)))
		if err != nil || hexOf(data) != f.SHA256 {
			return problem.Failedf("`plumb data show` says what changed; `plumb data pin` pins what is there", "%s is not the pinned file, so its bytes can't be sent", f.Path)
		}
		if _, err := p.Store.Put(ctx, []store.Blob{{Data: data, Type: "application/octet-stream", Rows: f.Rows}}); err != nil {
			return fmt.Errorf("storing %s: %w", f.Path, err)
		}
	}
	return nil
}
