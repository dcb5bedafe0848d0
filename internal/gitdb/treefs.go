package gitdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

var errLink = errors.New("it is a symbolic link, which plumb does not follow in a commit")

// Tree gives the files of a commit (an object id, see Resolve). Blobs are read when they are asked for, at most MaxBlob bytes each. Symbolic links are
// listed and not followed; submodules likewise; a folder with a name that could reach out of a working tree cannot be read.
func (r *Repo) Tree(commit string) (fs.FS, error) { return r.TreeLimit(commit, MaxBlob) }

// TreeLimit is Tree with another limit for one file, in bytes: documents of people one does not know are small or not read.
func (r *Repo) TreeLimit(commit string, limit int64) (fs.FS, error) {
	t := &treeFS{repo: r, root: commit, limit: limit, folders: map[string][]treeEntry{}}
	if _, err := t.entries("."); err != nil {
		return nil, err
	}
	if c, err := r.commitAt(commit); err == nil {
		t.time = time.Unix(c.time, 0).UTC()
	}
	return t, nil
}

type treeFS struct {
	repo  *Repo
	root  string
	limit int64
	time  time.Time

	mu      sync.Mutex
	folders map[string][]treeEntry
}

func (t *treeFS) entries(name string) ([]treeEntry, error) {
	t.mu.Lock()
	known, ok := t.folders[name]
	t.mu.Unlock()
	if ok {
		return known, nil
	}
	oid := t.root
	if name != "." {
		entry, err := t.find(name)
		if err != nil {
			return nil, err
		}
		if entry.mode != modeDir {
			return nil, errors.New("not a folder")
		}
		oid = entry.oid
	}
	read, err := t.repo.treeOf(oid)
	if err != nil {
		return nil, err
	}
	for _, entry := range read {
		if !plainName(entry.name) {
			return nil, fmt.Errorf("it holds %q, which is not a name that plumb reads", entry.name)
		}
	}
	sorted := slices.SortedFunc(slices.Values(read), func(a, b treeEntry) int { return strings.Compare(a.name, b.name) })
	t.mu.Lock()
	t.folders[name] = sorted
	t.mu.Unlock()
	return sorted, nil
}

func (t *treeFS) find(name string) (treeEntry, error) {
	if name == "." {
		return treeEntry{name: ".", mode: modeDir}, nil
	}
	entries, err := t.entries(path.Dir(name))
	if err != nil {
		return treeEntry{}, err
	}
	i, ok := slices.BinarySearchFunc(entries, path.Base(name), func(e treeEntry, n string) int { return strings.Compare(e.name, n) })
	if !ok {
		return treeEntry{}, fs.ErrNotExist
	}
	return entries[i], nil
}

func (t *treeFS) lookup(op, name string) (*fileInfo, error) {
	if !fs.ValidPath(name) || name != "." && checkPath(name) != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	entry, err := t.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return &fileInfo{tree: t, entry: entry}, nil
}

// Open opens a file or folder.
func (t *treeFS) Open(name string) (fs.File, error) {
	info, err := t.lookup("open", name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		entries, err := t.ReadDir(name)
		return &openDir{info: info, entries: entries}, err
	}
	data, err := t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{info: info, Reader: bytes.NewReader(data)}, nil
}

// ReadFile reads a file.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	info, err := t.lookup("read", name)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		err = errors.New("it is a folder")
	case info.Mode()&fs.ModeSymlink != 0:
		err = errLink
	case !info.Mode().IsRegular():
		err = errors.New("it is a submodule, or nothing that Git knows")
	}
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	data, err := t.repo.BlobLimit(info.entry.oid, t.limit)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return slices.Clone(data), nil
}

// ReadDir lists a folder by name.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := t.lookup("readdir", name); err != nil {
		return nil, err
	}
	entries, err := t.entries(name)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	list := make([]fs.DirEntry, len(entries))
	for i, entry := range entries {
		list[i] = fs.FileInfoToDirEntry(&fileInfo{tree: t, entry: entry})
	}
	return list, nil
}

// Stat describes a file, folder or link (not what it points at).
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	info, err := t.lookup("stat", name)
	if err != nil {
		return nil, err
	}
	return info, nil
}

type fileInfo struct {
	tree  *treeFS
	entry treeEntry
}

func (i *fileInfo) Name() string       { return i.entry.name }
func (i *fileInfo) IsDir() bool        { return i.entry.mode == modeDir }
func (i *fileInfo) ModTime() time.Time { return i.tree.time }
func (i *fileInfo) Sys() any           { return nil }

// Size reads the object's header; 0 for what is no file or cannot be read.
func (i *fileInfo) Size() int64 {
	if !i.Mode().IsRegular() {
		return 0
	}
	size, err := i.tree.repo.sizeOf(i.entry.oid)
	if err != nil {
		return 0
	}
	return size
}

func (i *fileInfo) Mode() fs.FileMode {
	switch m := i.entry.mode; {
	case m == modeDir:
		return fs.ModeDir | 0o555
	case m.isExec():
		return 0o555
	case m.isFile():
		return 0o444
	case m == modeLink:
		return fs.ModeSymlink | 0o444
	}
	return fs.ModeIrregular | 0o444
}

type openFile struct {
	*bytes.Reader
	info *fileInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info    *fileInfo
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error)   { return 0, errors.New("it is a folder") }

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	list := d.entries[:n]
	d.entries = d.entries[n:]
	return list, nil
}
