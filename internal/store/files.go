package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	partsFolder = ".parts" // in the store's folder: what is being written
	oldPart     = 24 * time.Hour
)

// fileStore is a folder, on this machine or mounted.
type fileStore struct {
	dir string
}

func openFiles(path, root string) (Store, error) {
	dir, err := url.PathUnescape(path)
	if err != nil || dir == "" {
		return nil, problem.Wrongf("write file://DIR", "opening store: file://%s names no folder", path)
	}
	dir = filepath.FromSlash(dir)
	if !filepath.IsAbs(dir) {
		if !filepath.IsLocal(dir) {
			return nil, problem.Wrongf("a folder elsewhere is written file:///DIR", "opening store: file://%s leaves the project", path)
		}
		dir = filepath.Join(root, dir)
	}
	return &fileStore{dir}, nil
}

// Put writes each blob beside and renames it, so that no reader and no kill sees half of one.
func (s *fileStore) Put(ctx context.Context, blobs []Blob) ([]record.Pointer, error) {
	pointers := make([]record.Pointer, len(blobs))
	for i, b := range blobs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pointers[i] = b.pointer()
		if err := pointers[i].Check(); err != nil {
			return nil, fmt.Errorf("storing: %w", err)
		}
		if err := s.put(pointers[i], b.Data); err != nil {
			return nil, fmt.Errorf("storing: %w", err)
		}
	}
	return pointers, nil
}

func (s *fileStore) path(p record.Pointer) string {
	return filepath.Join(s.dir, filepath.FromSlash(fanned(p.SHA256)))
}

func (s *fileStore) put(p record.Pointer, data []byte) error {
	path := s.path(p)
	if old, err := readSized(path, p.Bytes); err == nil && verify(p, old) == nil {
		return nil
	}
	parts := filepath.Join(s.dir, partsFolder)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.MkdirAll(parts, 0o777)); err != nil {
		return err
	}
	dropOldParts(parts)
	temp, err := os.CreateTemp(parts, "part-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone already when the rename went well
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
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

// Get reads and verifies a blob.
func (s *fileStore) Get(_ context.Context, p record.Pointer) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	data, err := readSized(s.path(p), p.Bytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.Failedf("see [store] url in plumb.toml, and whether that folder is there", "reading blob %s: %w", p.SHA256, ErrNotFound)
	}
	if err == nil {
		err = verify(p, data)
	}
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	return data, nil
}

// readSized reads a regular file of a known size, and not a byte more than shows that it is another.
func readSized(path string, size int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() != size {
		return nil, fmt.Errorf("%s is not a file of %d bytes", path, size)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, size+1))
}

// Has says whether the file is there.
func (s *fileStore) Has(_ context.Context, p record.Pointer) bool {
	if p.Check() != nil {
		return false
	}
	info, err := os.Stat(s.path(p))
	return err == nil && info.Mode().IsRegular() && info.Size() == p.Bytes
}

// Push does nothing: a folder is where others read.
func (s *fileStore) Push(context.Context) error { return nil }
