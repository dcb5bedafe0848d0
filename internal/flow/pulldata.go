package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// PulledData says which pinned files were brought to the working folder: plumb.data-pull/v1.
type PulledData struct {
	Schema string       `json:"schema"`
	DryRun bool         `json:"dry_run"`
	Files  []PulledFile `json:"files"`
	Bytes  int64        `json:"bytes"` // fetched, or to be fetched
}

// PulledFile is a pinned file that Git does not carry.
type PulledFile struct {
	Dataset string `json:"dataset"`
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	State   string `json:"state"` // there | pulled | missing (dry run: to be pulled) | other (dry run: in the way)
}

// PullData brings the pinned files of a dataset (of all, for "") that Git does not carry from the store to the working folder. A file that is there with other bytes is
// somebody's work: only force replaces it.
func (p *Project) PullData(ctx context.Context, id string, force, dry bool) (*PulledData, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if id != "" {
		if id, err = t.theDataset(id); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(p.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	out := &PulledData{Schema: "plumb.data-pull/v1", DryRun: dry, Files: []PulledFile{}}
	var wanted []int
	for _, dataset := range keys(t.Docs.Locks) {
		if id != "" && id != dataset {
			continue
		}
		for _, f := range t.Docs.Locks[dataset].Files {
			if oid, err := p.Repo.Lookup(t.Commit, path.Join(p.Prefix, f.Path)); t.Commit != "" && err == nil && oid != "" {
				continue // `git checkout` brings it
			}
			state, err := stateOf(root, f)
			if err != nil {
				return nil, err
			}
			if state != "there" {
				wanted = append(wanted, len(out.Files))
				out.Bytes += f.Bytes
			}
			if state == "other" && !force && !dry {
				return nil, problem.Failedf("`plumb data pin` takes it as the new content; --force replaces it by the pinned one", "%s is there and holds other bytes than the lock says", f.Path)
			}
			out.Files = append(out.Files, PulledFile{dataset, f.Path, f.SHA256, f.Bytes, state})
		}
	}
	if dry || len(wanted) == 0 {
		return out, nil
	}
	return out, p.pull(ctx, root, out, wanted)
}

// stateOf says whether a pinned file lies in the working folder.
func stateOf(root *os.Root, f doc.LockFile) (string, error) {
	if !fs.ValidPath(f.Path) {
		return "", problem.Wrongf("the lock is written by: plumb data pin", "a lock lists %q, which no lock can list", f.Path)
	}
	file, err := root.Open(filepath.FromSlash(f.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return "missing", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking at %s: %w", f.Path, err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", f.Path, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return "other", nil
	}
	return "there", nil
}

func (p *Project) pull(ctx context.Context, root *os.Root, out *PulledData, wanted []int) error {
	pointers := make([]record.Pointer, len(wanted))
	for i, at := range wanted {
		pointers[i] = record.Pointer{SHA256: out.Files[at].SHA256, Bytes: out.Files[at].Bytes}
	}
	p.progress("fetching pinned data")
	if err := p.Store.Bring(ctx, pointers); err != nil {
		return err
	}
	var mu sync.Mutex
	done := int64(0)
	return store.Each(ctx, wanted, func(ctx context.Context, at int) error {
		f := &out.Files[at]
		if err := p.pullFile(ctx, root, *f); err != nil {
			return fmt.Errorf("fetching %s: %w", f.Path, err)
		}
		f.State = "pulled"
		mu.Lock()
		defer mu.Unlock()
		done += f.Bytes
		p.meter(int(done/1e6), int(out.Bytes/1e6), "MB")
		return nil
	})
}

// pullFile writes beside and renames, so that a half file is never taken for the data.
func (p *Project) pullFile(ctx context.Context, root *os.Root, f PulledFile) error {
	ptr := record.Pointer{SHA256: f.SHA256, Bytes: f.Bytes}
	from, err := p.Store.Open(ctx, ptr)
	if err != nil {
		return err
	}
	defer from.Close()
	name := filepath.FromSlash(f.Path)
	half := name + "." + f.SHA256[:12] + ".part"
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := root.Create(half)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return errors.Join(err, root.Remove(half))
	}
	return root.Rename(half, name)
}
