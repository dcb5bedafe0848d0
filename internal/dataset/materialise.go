package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Sources are the places where the bytes of a pinned file may be. Any may be nil or "".
type Sources struct {
	WorkDir string                                                                       // the project's folder
	Tree    func(path string) (fs.File, error)                                           // the tree that the lock is of; fs.ErrNotExist when it has no such file
	Store   func(ctx context.Context, sha256 string, bytes int64) (io.ReadCloser, error) // by 64 hex digits
	Cache   string                                                                       // a folder for copies, made when missing
}

// Materialise gives for each of the lock's files, in its order, the path of a file on disk with exactly the pinned bytes: the working folder's
// own file when it has them, else a copy in the cache, made from the tree or the store. Every file is hashed each time. A file that is nowhere
// is an error that says what was found where. The lock may be hostile.
func Materialise(ctx context.Context, from Sources, lock *doc.Lock) ([]string, error) {
	if err := checkLock(lock); err != nil {
		return nil, err
	}
	m := materialiser{Sources: from}
	if from.WorkDir != "" {
		root, err := openRoot(from.WorkDir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		m.root = root
	}
	paths := make([]string, len(lock.Files))
	for i, f := range lock.Files {
		var err error
		if paths[i], err = m.file(ctx, f); err != nil {
			return nil, fmt.Errorf("%s: %w", lock.Path, err)
		}
	}
	return paths, nil
}

func openRoot(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the project's folder: %w", err)
	}
	return root, nil
}

var hex64 = regexp.MustCompile(`^[0-9a-f]{64}$`)

func checkLock(lock *doc.Lock) error {
	const hint = "the lock is written by: plumb data pin"
	switch {
	case len(lock.Files) == 0 || len(lock.Columns) == 0:
		return problem.Wrongf(hint, "%s lists no files or no columns", lock.Path)
	case len(lock.Files) > maxFiles:
		return problem.Wrongf(hint, "%s lists %d files, at most %d can be pinned", lock.Path, len(lock.Files), maxFiles)
	}
	for _, f := range lock.Files {
		if !fs.ValidPath(f.Path) || !filepath.IsLocal(filepath.FromSlash(f.Path)) || !hex64.MatchString(f.SHA256) || f.Bytes < 0 {
			return problem.Wrongf(hint, "%s lists a file %q that no lock can list", lock.Path, f.Path)
		}
	}
	return nil
}

type materialiser struct {
	Sources
	root *os.Root
}

func (m *materialiser) file(ctx context.Context, f doc.LockFile) (string, error) {
	here, err := m.working(ctx, f)
	if err != nil || here != "" {
		return here, err
	}
	cached := filepath.Join(m.Cache, f.SHA256+cacheExtension(f.Path))
	if m.Cache != "" && hasSum(ctx, cached, f) {
		return cached, nil
	}
	if m.Cache == "" {
		return "", m.nowhere(f, nil)
	}
	if err := os.MkdirAll(m.Cache, 0o755); err != nil {
		return "", err
	}
	if m.fromTree(ctx, f, cached) == nil {
		return cached, nil
	}
	if err := m.fromStore(ctx, f, cached); err != nil {
		return "", m.nowhere(f, err)
	}
	return cached, nil
}

// cacheExtension keeps what the engine reads from a name: compression, and the separator of .tsv files.
func cacheExtension(name string) string {
	ext := extension(name)
	if _, known := formats[strings.TrimSuffix(ext, ".gz")]; !known {
		return ""
	}
	return ext
}

// working gives the path of the file in the working folder when it has the pinned bytes, else "". Links that leave the folder are not followed.
func (m *materialiser) working(ctx context.Context, f doc.LockFile) (string, error) {
	if m.root == nil {
		return "", nil
	}
	file, err := m.root.Open(filepath.FromSlash(f.Path))
	if err != nil {
		return "", nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.Bytes {
		return "", ctx.Err()
	}
	if sum, err := sumOf(ctx, file); err != nil || sum != f.SHA256 {
		return "", ctx.Err()
	}
	return filepath.Join(m.WorkDir, filepath.FromSlash(f.Path)), nil
}

func sumOf(ctx context.Context, r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, &ctxReader{ctx, r}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hasSum(ctx context.Context, path string, f doc.LockFile) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	sum, err := sumOf(ctx, file)
	return err == nil && sum == f.SHA256
}

func (m *materialiser) fromTree(ctx context.Context, f doc.LockFile, to string) error {
	if m.Tree == nil {
		return fs.ErrNotExist
	}
	file, err := m.Tree(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	return m.keep(ctx, file, f, to)
}

func (m *materialiser) fromStore(ctx context.Context, f doc.LockFile, to string) error {
	if m.Store == nil {
		return fs.ErrNotExist
	}
	r, err := m.Store(ctx, f.SHA256, f.Bytes)
	if err != nil {
		return err
	}
	defer r.Close()
	return m.keep(ctx, r, f, to)
}

var errOther = errors.New("it holds other bytes")

// keep writes r to the cache when it has the pinned bytes: beside its place first, so that a half-written copy is never taken for one.
func (m *materialiser) keep(ctx context.Context, r io.Reader, f doc.LockFile, to string) (err error) {
	half, err := os.CreateTemp(m.Cache, ".half-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(half.Name()))
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(half, h), io.LimitReader(&ctxReader{ctx, r}, f.Bytes+1))
	if err = errors.Join(err, half.Chmod(0o644), half.Close()); err != nil {
		return err
	}
	if n != f.Bytes || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return errOther
	}
	return os.Rename(half.Name(), to)
}

func (m *materialiser) nowhere(f doc.LockFile, store error) error {
	found := "is not in the working folder"
	if m.root != nil {
		if _, err := m.root.Stat(filepath.FromSlash(f.Path)); err == nil {
			found = "holds other bytes in the working folder"
		}
	}
	return problem.Failedf("take its new content with `plumb data pin`, get the pinned one back with `git checkout -- "+f.Path+"`, or run `plumb push` where it is",
		"the pinned file %s (sha256 %.12s…) %s, not in the commit and not in the store%w", f.Path, f.SHA256, found, notStored{store})
}

// notStored is why the store did not give a file; it says nothing where the store just does not have it.
type notStored struct{ because error }

func (n notStored) Error() string {
	if n.because == nil || errors.Is(n.because, fs.ErrNotExist) {
		return ""
	}
	return fmt.Sprintf(" (store: %v)", n.because)
}

func (n notStored) Unwrap() error { return n.because }
