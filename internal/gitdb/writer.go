package gitdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// Writer makes blobs, trees and commits in a temporary folder. They enter the repository all at once, whole, when the function that was given the Writer
// returns. It is for one goroutine.
type Writer struct {
	repo   *Repo
	dir    string
	remove func()
	loose  *loose
	order  []string // the objects that are not in the repository yet, each after those that it names
	made   map[string]bool
}

// File is a file to put into a tree: Data, or OID of a blob that is in the repository already; or one to take out of it.
type File struct {
	Path   string // slash-separated
	Data   []byte
	OID    string
	Remove bool // a folder that is empty then goes too; what is not there is no error
}

// Identity is a name and an e-mail address.
type Identity struct{ Name, Email string }

// newWriter is for holders of the repository's lock.
func (r *Repo) newWriter() (*Writer, error) {
	dir, remove, err := r.tempDirLocked()
	if err != nil {
		return nil, err
	}
	return &Writer{repo: r, dir: dir, remove: remove, loose: &loose{filepath.Join(dir, "objects"), r.format}, made: map[string]bool{}}, nil
}

func (w *Writer) close() { w.remove() }

// Blob writes a blob and gives its object id.
func (w *Writer) Blob(data []byte) (string, error) { return w.put(blobObject, data) }

func (w *Writer) put(what kind, data []byte) (string, error) {
	oid, err := w.loose.write(what, data)
	if err != nil {
		return "", fmt.Errorf("writing %s: %w", what, err)
	}
	if !w.made[oid] {
		w.order, w.made[oid] = append(w.order, oid), true
	}
	return oid, nil
}

// Tree writes the tree that base (a commit or tree, also one that was just written; "" for an empty one) becomes when files are put into it, replacing those of
// the same path.
func (w *Writer) Tree(base string, files []File) (string, error) {
	var entries []treeEntry
	if base != "" {
		var err error
		if entries, err = w.treeOf(base); err != nil {
			return "", err
		}
	}
	sorted := slices.Clone(files)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	for i, file := range sorted {
		if err := checkPath(file.Path); err != nil {
			return "", err
		}
		if i > 0 && sorted[i-1].Path == file.Path {
			return "", fmt.Errorf("%q is given twice", file.Path)
		}
	}
	return w.tree(entries, sorted)
}

// tree merges files, sorted by path and relative to this folder, into its entries.
func (w *Writer) tree(entries []treeEntry, files []File) (string, error) {
	at := make(map[string]int, len(entries))
	for i, entry := range entries {
		at[entry.name] = i
	}
	entries = slices.Clone(entries)
	for len(files) > 0 {
		name, _, _ := strings.Cut(files[0].Path, "/")
		same := 1
		for same < len(files) && isOrUnder(files[same].Path, name) {
			same++
		}
		i, there := at[name]
		var old *treeEntry
		if there {
			old = &entries[i]
		}
		entry, err := w.entry(name, old, files[:same])
		if err != nil {
			return "", err
		}
		switch gone := entry.oid == "" || entry.mode == modeDir && entry.oid == w.repo.format.sum(treeObject, nil); {
		case gone && there:
			entries[i].oid = ""
		case gone:
		case there:
			entries[i] = entry
		default:
			at[name] = len(entries)
			entries = append(entries, entry)
		}
		files = files[same:]
	}
	data, err := encodeTree(slices.DeleteFunc(entries, func(e treeEntry) bool { return e.oid == "" }))
	if err != nil {
		return "", fmt.Errorf("writing tree: %w", err)
	}
	return w.put(treeObject, data)
}

// treeOf gives the entries of a tree that is in the repository or was written here.
func (w *Writer) treeOf(oid string) ([]treeEntry, error) {
	if !w.made[oid] {
		return w.repo.treeOf(oid)
	}
	_, data, err := w.loose.read(oid, maxTree)
	if err != nil {
		return nil, fmt.Errorf("reading tree: %w", err)
	}
	return parseTree(data, w.repo.format)
}

func isOrUnder(path, name string) bool { return path == name || strings.HasPrefix(path, name+"/") }

// entry makes the entry of name from the one that is there, if any, and the files that are it or are under it.
func (w *Writer) entry(name string, old *treeEntry, files []File) (treeEntry, error) {
	isFile := files[0].Path == name
	switch {
	case isFile && files[0].Remove:
		return treeEntry{}, nil
	case isFile && len(files) > 1, old != nil && isFile == (old.mode == modeDir):
		return treeEntry{}, fmt.Errorf("%q is a file and a folder", name)
	case isFile:
		oid, err := w.blobOf(files[0])
		return treeEntry{name, modeFile, oid}, err
	}
	var entries []treeEntry
	if old != nil {
		var err error
		if entries, err = w.treeOf(old.oid); err != nil {
			return treeEntry{}, err
		}
	}
	under := make([]File, len(files))
	for i, file := range files {
		file.Path = strings.TrimPrefix(file.Path, name+"/")
		under[i] = file
	}
	oid, err := w.tree(entries, under)
	return treeEntry{name, modeDir, oid}, err
}

func (w *Writer) blobOf(file File) (string, error) {
	if file.OID == "" {
		return w.Blob(file.Data)
	}
	if !w.repo.format.is(file.OID) {
		return "", fmt.Errorf("%q is not an object id", file.OID)
	}
	return file.OID, nil
}

// Commit writes a commit of a tree.
func (w *Writer) Commit(tree string, info CommitInfo) (string, error) {
	if info.Time.IsZero() {
		info.Time = time.Now()
	}
	if info.Author == nil {
		who := w.repo.committer()
		info.Author = &who
	}
	return w.put(commitObject, info.encode(tree))
}

// plain drops what would break the line of a commit that a name stands in.
func plain(text string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c < ' ' || c == '<' || c == '>' {
			return -1
		}
		return c
	}, text), " .,:;\"'")
}

// publish renames the new objects into the repository, each after those that it names: a process that is killed half way leaves objects that nobody
// names, but none that names what is not there, which `git fsck` would call a broken repository. An object that is there already gets the fresh file, and
// with it a fresh time, which keeps a running gc from pruning it.
func (w *Writer) publish() error {
	for len(w.order) > 0 {
		if err := w.publishNext(); err != nil {
			return fmt.Errorf("storing objects: %w", err)
		}
	}
	clear(w.made)
	return nil
}

func (w *Writer) publishNext() error {
	oid := w.order[0]
	w.order = w.order[1:]
	target := (&loose{filepath.Join(w.repo.common, "objects"), w.repo.format}).path(oid)
	// Git removes folders of objects that became empty, also between these two lines.
	for attempt := 0; ; attempt++ {
		err := os.MkdirAll(filepath.Dir(target), 0o777)
		if err == nil {
			err = os.Rename(w.loose.path(oid), target)
		}
		if err == nil || attempt == 3 || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}
