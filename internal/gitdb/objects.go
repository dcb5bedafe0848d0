package gitdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Entry is a file in a tree.
type Entry struct {
	Path string
	OID  string
}

// MaxBlob is the largest blob that is read, in bytes.
const MaxBlob = 1 << 30

// maxInMemory is the size above which go-git does not read an object before it is asked to, so that a small file that unpacks to a huge one is refused by
// the size that it states.
const maxInMemory = 8 << 20

// object reads an object. go-git learns of packs once: when one has come since, or was replaced by a gc that is running, it has to look again.
func (r *Repo) object(kind plumbing.ObjectType, oid string) (obj plumbing.EncodedObject, err error) {
	if !plumbing.IsHash(oid) {
		return nil, fmt.Errorf("%q is not an object id", oid)
	}
	for attempt := range 5 {
		obj, err = r.store.EncodedObject(kind, plumbing.NewHash(oid))
		missing := errors.Is(err, plumbing.ErrObjectNotFound)
		if err == nil || missing && attempt > 0 {
			break
		}
		r.store.Reindex()
		if attempt > 0 {
			time.Sleep(time.Millisecond << attempt)
		}
	}
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("%s %s: %w", kind, oid, ErrNotFound)
	}
	return obj, err
}

// Blob reads a blob. The error is ErrNotFound when the repository does not have it.
func (r *Repo) Blob(oid string) ([]byte, error) { return r.blob(oid, MaxBlob) }

func (r *Repo) blob(oid string, limit int64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	obj, err := r.object(plumbing.BlobObject, oid)
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if obj.Size() > limit {
		return nil, fmt.Errorf("reading blob %s: %d bytes, %d allowed", oid, obj.Size(), limit)
	}
	reader, err := obj.Reader()
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", oid, err)
	}
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", oid, err)
	}
	return data, nil
}

func (r *Repo) sizeOf(oid string) (int64, error) {
	size, err := r.store.EncodedObjectSize(plumbing.NewHash(oid))
	if err == nil {
		return size, nil
	}
	obj, err := r.object(plumbing.BlobObject, oid) // alternates too
	if err != nil {
		return 0, err
	}
	return obj.Size(), nil
}

// Has says whether the repository has the object.
func (r *Repo) Has(oid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.object(plumbing.AnyObject, oid)
	return err == nil
}

// treeOf gives the entries of a tree, or of a commit's tree.
func (r *Repo) treeOf(oid string) ([]object.TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	obj, err := r.object(plumbing.AnyObject, oid)
	if err != nil {
		return nil, fmt.Errorf("reading tree: %w", err)
	}
	if obj.Type() == plumbing.CommitObject {
		var commit object.Commit
		if err := commit.Decode(obj); err != nil {
			return nil, fmt.Errorf("reading commit %s: %w", oid, err)
		}
		if obj, err = r.object(plumbing.TreeObject, commit.TreeHash.String()); err != nil {
			return nil, fmt.Errorf("reading tree of %s: %w", oid, err)
		}
	}
	if obj.Type() != plumbing.TreeObject {
		return nil, fmt.Errorf("reading tree: %s is a %s", oid, obj.Type())
	}
	var tree object.Tree
	if err := tree.Decode(obj); err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", oid, err)
	}
	return tree.Entries, nil
}

// Files lists the regular files of a commit or tree, by path. Entries that are no plain files (links, submodules) and names that plumb does not read
// are left out.
func (r *Repo) Files(oid string) ([]Entry, error) {
	var files []Entry
	err := r.walk(oid, "", &files, 0)
	return files, err
}

const maxDepth = 64

func (r *Repo) walk(oid, folder string, files *[]Entry, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("reading tree: more than %d folders deep", maxDepth)
	}
	entries, err := r.treeOf(oid)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if checkPath(entry.Name) != nil || strings.Contains(entry.Name, "/") {
			continue
		}
		switch path := folder + entry.Name; entry.Mode {
		case filemode.Dir:
			if err := r.walk(entry.Hash.String(), path+"/", files, depth+1); err != nil {
				return err
			}
		case filemode.Regular, filemode.Executable, filemode.Deprecated:
			*files = append(*files, Entry{path, entry.Hash.String()})
		}
	}
	return nil
}

var fallbackIdentity = Identity{"plumb", "plumb@localhost"}

// Identity is the e-mail address of who commits: of the environment (GIT_COMMITTER_NAME and _EMAIL) or Git's configuration, else plumb@localhost.
func (r *Repo) Identity() string { return r.committer().Email }

func (r *Repo) committer() Identity {
	r.whoOnce.Do(func() { r.who = r.findIdentity() })
	return r.who
}

func (r *Repo) findIdentity() Identity {
	who := Identity{os.Getenv("GIT_COMMITTER_NAME"), os.Getenv("GIT_COMMITTER_EMAIL")}
	if who.Name != "" && who.Email != "" {
		return who
	}
	if r.program != "" { // it also knows conditional includes
		who = r.configuredIdentity()
	} else {
		r.mu.Lock()
		defer r.mu.Unlock()
		settings, err := r.repo.ConfigScoped(config.GlobalScope)
		if err != nil { // the user's own file cannot be read: the repository's can
			settings, err = r.repo.Config()
		}
		if err == nil {
			who = Identity{settings.User.Name, settings.User.Email}
		}
	}
	if plain(who.Name) == "" || plain(who.Email) == "" {
		return fallbackIdentity
	}
	return who
}

func (r *Repo) configuredIdentity() (who Identity) {
	out, err := r.git(context.Background(), call{args: []string{"config", "-z", "--get-regexp", `^user\.(name|email)$`}})
	if err != nil {
		return Identity{} // exit status 1: neither is set
	}
	for entry := range strings.SplitSeq(out, "\x00") { // what comes later counts
		switch key, value, _ := strings.Cut(entry, "\n"); key {
		case "user.name":
			who.Name = strings.TrimSpace(value)
		case "user.email":
			who.Email = strings.TrimSpace(value)
		}
	}
	return who
}

// Lookup gives the object id of the file at path in a commit or tree ("" for an empty one), or "".
func (r *Repo) Lookup(oid, path string) (string, error) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if oid == "" {
			return "", nil
		}
		entries, err := r.treeOf(oid)
		if err != nil {
			return "", err
		}
		oid = ""
		for _, entry := range entries {
			if entry.Name == part && (entry.Mode == filemode.Dir) == (i < len(parts)-1) {
				oid = entry.Hash.String()
			}
		}
	}
	return oid, nil
}
