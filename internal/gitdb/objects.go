package gitdb

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// kind is what an object is, in Git's words.
type kind string

const (
	blobObject   kind = "blob"
	treeObject   kind = "tree"
	commitObject kind = "commit"
	tagObject    kind = "tag"
)

// How large an object may be that is read, in bytes. Whoever can push can make an object that states any size, and a small one that unpacks to any size.
const (
	MaxBlob   = 1 << 30
	maxTree   = 16 << 20 // some 300,000 entries
	maxCommit = 1 << 20
	maxBase   = 16 << 20 // what an object may be the difference to, when that is more than its own limit
)

// tooLarge says that an object is larger than the caller allows.
type tooLarge struct{ size, limit int64 }

// Is makes it ErrTooLarge for who asks.
func (e tooLarge) Is(target error) bool { return target == ErrTooLarge }

func (e tooLarge) Error() string { return fmt.Sprintf("%d bytes, %d allowed", e.size, e.limit) }

// objects is one place where objects are. Its methods may be called from several goroutines. The error is ErrNotFound when the object is not there, and
// tooLarge before more than limit bytes are unpacked.
type objects interface {
	read(oid string, limit int64) (kind, []byte, error)
	stat(oid string) (kind, int64, error)
	refresh() // look for what other programs have added or moved
	close() error
}

// openObjects gives the places of a repository's objects in the order in which they are asked: its own loose ones and packs, those of its alternates, and
// the git program for what plumb does not read itself.
func (r *Repo) openObjects() []objects {
	var places []objects
	var packed int64
	for _, dir := range objectFolders(filepath.Join(r.common, "objects")) {
		places = append(places, &loose{dir, r.format})
		if r.format == sha1Format {
			packs := newPacks(dir)
			packed += packs.indexBytes()
			places = append(places, packs)
		}
	}
	switch {
	case r.program == "":
	case r.format != sha1Format || r.promisor:
		places = append(places, &catFile{repo: r})
	case packed > largeIndexes:
		places = append(slices.DeleteFunc(places, func(o objects) bool { _, ok := o.(*packs); return ok }), &catFile{repo: r})
	}
	return places
}

// largeIndexes is the size of all pack indexes from which on the git program, which maps them, reads packs: some two million objects. Here an index is
// read whole.
var largeIndexes int64 = 64 << 20

// objectFolders lists a folder of objects and those that it borrows from (`git clone --shared`), and those that they borrow from.
func objectFolders(dir string) []string {
	const most = 100
	folders := []string{dir}
	for i := 0; i < len(folders); i++ {
		text, _ := readUpTo(filepath.Join(folders[i], "info", "alternates"), 64<<10) // most borrow nothing
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || len(folders) == most {
				continue
			}
			if from := absoluteFrom(folders[i], line); !slices.Contains(folders, from) {
				folders = append(folders, from)
			}
		}
	}
	return folders
}

// find asks one place after the other. When none has the object, a pack may have come since, or a gc that is running may be moving it: look again.
// Damage counts only when no other place has the object.
func (r *Repo) find(oid string, ask func(objects) error) error {
	if !r.format.is(oid) {
		return fmt.Errorf("%q is not an object id", oid)
	}
	var err error
	for attempt := range 4 {
		if attempt > 1 {
			time.Sleep(time.Millisecond << attempt)
		}
		err = ErrNotFound
		for _, place := range r.objects {
			if attempt > 0 {
				place.refresh()
			}
			answer := ask(place)
			if answer == nil || errors.As(answer, new(tooLarge)) {
				return answer
			}
			if !errors.Is(answer, ErrNotFound) {
				err = answer
			}
		}
	}
	return err
}

// object reads an object of at most limit bytes.
func (r *Repo) object(oid string, limit int64) (found kind, data []byte, err error) {
	err = r.find(oid, func(place objects) (err error) {
		found, data, err = place.read(oid, limit)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("object %s: %w", oid, r.explained(err))
	}
	return found, data, nil
}

// explained adds what to do about an object that is not there.
func (r *Repo) explained(err error) error {
	if errors.Is(err, ErrNotFound) && r.promisor {
		return problem.Failedf("this is a partial clone: run `git fetch --refetch --no-filter`, or clone without --filter", "%w", err)
	}
	return err
}

// Blob reads a blob. The error is ErrNotFound when the repository does not have it.
func (r *Repo) Blob(oid string) ([]byte, error) { return r.BlobLimit(oid, MaxBlob) }

// BlobLimit is Blob for at most limit bytes: more is an error, before it is read.
func (r *Repo) BlobLimit(oid string, limit int64) ([]byte, error) {
	found, data, err := r.object(oid, limit)
	if err == nil && found != blobObject {
		err = fmt.Errorf("%s is a %s: %w", oid, found, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	return data, nil
}

// Has says whether the repository has the object.
func (r *Repo) Has(oid string) bool {
	return r.find(oid, func(place objects) error {
		_, _, err := place.stat(oid)
		return err
	}) == nil
}

func (r *Repo) sizeOf(oid string) (size int64, err error) {
	err = r.find(oid, func(place objects) (err error) {
		_, size, err = place.stat(oid)
		return err
	})
	return size, err
}

// BlobID gives the object id that data has as a blob, without writing it.
func (r *Repo) BlobID(data []byte) string { return r.format.sum(blobObject, data) }
