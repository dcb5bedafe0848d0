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

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Writer makes blobs, trees and commits in a temporary folder. They enter the repository all at once, whole, when the function that was given the Writer
// returns. It is for one goroutine.
type Writer struct {
	repo   *Repo
	dir    string
	remove func()
	store  *filesystem.Storage
}

// File is a file to put into a tree: Data, or OID of a blob that is in the repository already.
type File struct {
	Path string // slash-separated
	Data []byte
	OID  string
}

// CommitInfo is what a commit says beside its tree. Without an author it is the user that Git is configured for, else plumb <plumb@localhost>.
type CommitInfo struct {
	Message string
	Parents []string
	Author  *Identity
	Time    time.Time // zero: now
}

// Identity is a name and an e-mail address.
type Identity struct{ Name, Email string }

// newWriter is for holders of the repository's lock.
func (r *Repo) newWriter() (*Writer, error) {
	dir, remove, err := r.tempDirLocked()
	if err != nil {
		return nil, err
	}
	store := filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRU(cache.MiByte))
	return &Writer{repo: r, dir: dir, remove: remove, store: store}, nil
}

func (w *Writer) close() { w.remove() }

// Blob writes a blob and gives its object id.
func (w *Writer) Blob(data []byte) (string, error) {
	hash, err := w.put(plumbing.BlobObject, data)
	return hash.String(), err
}

func (w *Writer) put(kind plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	obj := &plumbing.MemoryObject{}
	obj.SetType(kind)
	if _, err := obj.Write(data); err != nil {
		return plumbing.ZeroHash, err
	}
	hash, err := w.store.SetEncodedObject(obj)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("writing %s: %w", kind, err)
	}
	return hash, nil
}

// Tree writes the tree that base (a commit or tree; "" for an empty one) becomes when files are put into it, replacing those of the same path.
func (w *Writer) Tree(base string, files []File) (string, error) {
	var entries []object.TreeEntry
	if base != "" {
		var err error
		if entries, err = w.repo.treeOf(base); err != nil {
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
	hash, err := w.tree(entries, sorted)
	return hash.String(), err
}

// tree merges files, sorted by path and relative to this folder, into its entries.
func (w *Writer) tree(entries []object.TreeEntry, files []File) (plumbing.Hash, error) {
	at := make(map[string]int, len(entries))
	for i, entry := range entries {
		at[entry.Name] = i
	}
	entries = slices.Clone(entries)
	for len(files) > 0 {
		name, _, _ := strings.Cut(files[0].Path, "/")
		same := 1
		for same < len(files) && isOrUnder(files[same].Path, name) {
			same++
		}
		i, there := at[name]
		var old *object.TreeEntry
		if there {
			old = &entries[i]
		}
		entry, err := w.entry(name, old, files[:same])
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if there {
			entries[i] = entry
		} else {
			at[name] = len(entries)
			entries = append(entries, entry)
		}
		files = files[same:]
	}
	sort.Sort(object.TreeEntrySorter(entries))
	tree := object.Tree{Entries: entries}
	var obj plumbing.MemoryObject
	if err := tree.Encode(&obj); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("writing tree: %w", err)
	}
	return w.store.SetEncodedObject(&obj)
}

func isOrUnder(path, name string) bool { return path == name || strings.HasPrefix(path, name+"/") }

// entry makes the entry of name from the one that is there, if any, and the files that are it or are under it.
func (w *Writer) entry(name string, old *object.TreeEntry, files []File) (object.TreeEntry, error) {
	isFile := files[0].Path == name
	switch {
	case isFile && len(files) > 1, old != nil && isFile == (old.Mode == filemode.Dir):
		return object.TreeEntry{}, fmt.Errorf("%q is a file and a folder", name)
	case isFile:
		hash, err := w.blobOf(files[0])
		return object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: hash}, err
	}
	var entries []object.TreeEntry
	if old != nil {
		var err error
		if entries, err = w.repo.treeOf(old.Hash.String()); err != nil {
			return object.TreeEntry{}, err
		}
	}
	under := make([]File, len(files))
	for i, file := range files {
		file.Path = strings.TrimPrefix(file.Path, name+"/")
		under[i] = file
	}
	hash, err := w.tree(entries, under)
	return object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}, err
}

func (w *Writer) blobOf(file File) (plumbing.Hash, error) {
	if file.OID == "" {
		return w.put(plumbing.BlobObject, file.Data)
	}
	if !plumbing.IsHash(file.OID) {
		return plumbing.ZeroHash, fmt.Errorf("%q is not an object id", file.OID)
	}
	return plumbing.NewHash(file.OID), nil
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
	who := object.Signature{Name: plain(info.Author.Name), Email: plain(info.Author.Email), When: info.Time.UTC()}
	commit := object.Commit{Author: who, Committer: who, Message: info.Message, TreeHash: plumbing.NewHash(tree)}
	for _, parent := range info.Parents {
		commit.ParentHashes = append(commit.ParentHashes, plumbing.NewHash(parent))
	}
	var obj plumbing.MemoryObject
	if err := commit.Encode(&obj); err != nil {
		return "", fmt.Errorf("writing commit: %w", err)
	}
	hash, err := w.store.SetEncodedObject(&obj)
	if err != nil {
		return "", fmt.Errorf("writing commit: %w", err)
	}
	return hash.String(), nil
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

// publish renames the new objects into the repository. An object that is there already gets the fresh file, and with it a fresh time, which keeps a
// running gc from pruning it.
func (w *Writer) publish() error {
	objects := filepath.Join(w.dir, "objects")
	folders, err := fs.Glob(os.DirFS(objects), "[0-9a-f][0-9a-f]") // not filepath.Glob: the repository's own path may hold [ or *
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := w.publishFolder(filepath.Join(objects, folder)); err != nil {
			return fmt.Errorf("storing objects: %w", err)
		}
	}
	return nil
}

func (w *Writer) publishFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	target := filepath.Join(w.repo.common, "objects", filepath.Base(folder))
	for _, entry := range entries {
		// Git removes folders of objects that became empty, also between these two lines.
		for attempt := 0; ; attempt++ {
			err := os.MkdirAll(target, 0o777)
			if err == nil {
				err = os.Rename(filepath.Join(folder, entry.Name()), filepath.Join(target, entry.Name()))
			}
			if err == nil {
				break
			}
			if attempt == 3 || !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// BlobID gives the object id that data has as a blob, without writing it.
func BlobID(data []byte) string {
	return plumbing.ComputeHash(plumbing.BlobObject, data).String()
}
