package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	partsFolder  = ".parts" // in the store's folder: what is being written
	claimsFolder = ".plumb/projects"
	oldPart      = 24 * time.Hour
)

// folder is a shelf that is a folder, on this machine or mounted. gocloud.dev has one too, which does not sync before it renames: after a power cut its files
// may be whole in name only.
type folder struct {
	dir string
}

// folderOf gives the folder of a file:// address.
func folderOf(path, root string) (*folder, error) {
	dir, err := url.PathUnescape(path)
	if err != nil {
		return nil, err // doc.ParseStoreURL has looked
	}
	dir = filepath.FromSlash(dir)
	if !filepath.IsAbs(dir) {
		if !filepath.IsLocal(dir) {
			return nil, problem.Wrongf("a folder elsewhere is written file:///DIR", "file://%s leaves the project", path)
		}
		dir = filepath.Join(root, dir)
	}
	return &folder{dir}, nil
}

func (f *folder) String() string { return "file://" + filepath.ToSlash(f.dir) }

func (f *folder) path(sum string) string {
	return filepath.Join(f.dir, filepath.FromSlash(fanned(sum)))
}

// put writes a blob beside and renames it, so that no reader and no kill sees half of one. One that is there with the right bytes stays.
func (f *folder) put(ctx context.Context, c content) error {
	path := f.path(c.SHA256)
	if f.right(ctx, c.Pointer) {
		now := time.Now()
		_ = os.Chtimes(path, now, now) // young again; another user's file stays as old as it is
		return nil
	}
	parts := filepath.Join(f.dir, partsFolder)
	for _, dir := range []string{filepath.Dir(path), parts} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return explainDisk(err)
		}
	}
	dropOldParts(parts)
	temp, err := os.CreateTemp(parts, "part-*")
	if err != nil {
		return explainDisk(err)
	}
	defer os.Remove(temp.Name()) // gone already when the rename went well
	src, err := c.open()
	if err == nil {
		_, err = io.Copy(temp, verifying(c.Pointer, "its source", alive{src, ctx}))
		err = errors.Join(err, src.Close())
	}
	if err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return explainDisk(err)
	}
	return explainDisk(os.Rename(temp.Name(), path))
}

func explainDisk(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return problem.Failedf("make room, then run it again: blobs that are there whole stay, and the one that did not fit begins anew", "%w", err)
	case errors.Is(err, syscall.EROFS):
		return problem.Failedf("it is mounted read-only: mount it for writing, or give `[store] url` a folder that may be written", "%w", err)
	case errors.Is(err, fs.ErrPermission):
		return problem.Failedf("see who may write there", "%w", err)
	}
	return err
}

// right says whether the folder has the blob, with its bytes.
func (f *folder) right(ctx context.Context, p record.Pointer) bool {
	if item, err := f.stat(ctx, p.SHA256); err != nil || item.Bytes != p.Bytes {
		return false
	}
	r, err := f.open(ctx, p)
	if err != nil {
		return false
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, verifying(p, "", alive{r, ctx}))
	return err == nil
}

// dropOldParts removes what killed processes left. A folder may be shared by machines, so age alone says which those are.
func dropOldParts(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > oldPart {
			_ = os.Remove(filepath.Join(dir, entry.Name())) // another may have been faster
		}
	}
}

func (f *folder) open(_ context.Context, p record.Pointer) (io.ReadCloser, error) {
	if _, err := f.stat(context.Background(), p.SHA256); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(p.SHA256))
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *folder) stat(_ context.Context, sum string) (Item, error) {
	info, err := os.Stat(f.path(sum))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		return Item{}, fmt.Errorf("%s: %w", f, fs.ErrNotExist)
	case err != nil:
		return Item{}, err
	case !info.Mode().IsRegular():
		return Item{}, fmt.Errorf("%s is no file: %w", f.path(sum), fs.ErrNotExist)
	}
	return Item{SHA256: sum, Bytes: info.Size(), Modified: info.ModTime()}, nil
}

func (f *folder) list(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		folders, err := os.ReadDir(f.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Item{}, err)
			return
		}
		for _, sub := range folders {
			entries, err := os.ReadDir(filepath.Join(f.dir, sub.Name()))
			if err != nil { // no folder: not ours
				continue
			}
			for _, entry := range entries {
				if ctx.Err() != nil {
					yield(Item{}, ctx.Err())
					return
				}
				sum := entry.Name()
				if !isSum(sum) || sub.Name() != sum[:2] {
					continue
				}
				if item, err := f.stat(ctx, sum); err == nil && !yield(item, nil) {
					return
				}
			}
		}
	}
}

func (f *folder) remove(_ context.Context, sum string) error {
	err := os.Remove(f.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return explainDisk(err)
}

func (f *folder) claim(_ context.Context, project string) error {
	path := filepath.Join(f.dir, filepath.FromSlash(claimsFolder), project)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, nil, 0o666)
	}
	return explainDisk(err)
}

func (f *folder) claims(context.Context) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(f.dir, filepath.FromSlash(claimsFolder)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out, err
}
