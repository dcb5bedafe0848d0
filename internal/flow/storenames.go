package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// nameList is what is known about blobs from everything that may name one.
type nameList struct {
	pointers map[string]record.Pointer // of records
	sizes    map[string]int64          // of what locks name
	classes  map[string]string         // models, evaluations, logs, data, or the key in the record
	by       map[string][]string       // paths of the records and locks that name it
	keep     map[string]string         // why a blob stays
	ended    map[string]string         // whose retention has ended, and by which rule; not in keep
	dropped  map[string]record.Decision
}

// classOf gives retention's word for a record's key.
var classOf = map[string]string{"artifact": "models", "evaluation": "evaluations", "log": "logs"}

const classData = "data"

var sumInText = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// namesIn goes through the records. What a version was made of stays, whatever its age; a record that this program can't decode keeps everything in it that looks
// like a blob's name.
func (p *Project) namesIn(v *ledger.View, keep doc.Keep) (*nameList, error) {
	n := &nameList{sizes: map[string]int64{}, pointers: map[string]record.Pointer{}, classes: map[string]string{}, by: map[string][]string{}, keep: map[string]string{},
		ended: map[string]string{}, dropped: maps.Clone(v.Dropped())}
	versions := map[string]string{} // path of a run → of the version
	for _, version := range v.Versions("") {
		versions[version.Run] = fmt.Sprintf("version %d of %s", version.Number, version.Model)
	}
	for _, at := range v.Paths() {
		data, err := v.Bytes(at)
		if err != nil {
			return nil, err
		}
		r, err := record.Decode(at, data)
		if err != nil {
			n.keepAll(data, at)
			continue
		}
		age := recordTime(at, p.now())
		for _, pointer := range record.Pointers(r) {
			n.add(at, pointer)
			class := n.classes[pointer.SHA256]
			lasts, ends := keep.For(class)
			switch {
			case versions[at] != "":
				n.keep[pointer.SHA256] = versions[at]
			case strings.HasPrefix(at, "versions/") || !ends || p.now().Sub(age) <= lasts:
				n.keep[pointer.SHA256] = at
			default:
				n.ended[pointer.SHA256] = fmt.Sprintf("%s are kept for %s", class, map[string]string{"models": keep.Models, "evaluations": keep.Evaluations, "logs": keep.Logs}[class])
			}
		}
	}
	maps.DeleteFunc(n.dropped, func(sum string, d record.Decision) bool { // it has come back since
		return slices.ContainsFunc(n.by[sum], func(at string) bool { return ledger.MadeAfter(at, d.Time) && !isDisowned(v, at) })
	})
	return n, nil
}

func (n *nameList) add(at string, p record.Named) {
	class, ok := classOf[p.Key]
	if !ok {
		class = p.Key
	}
	n.pointers[p.SHA256], n.classes[p.SHA256] = p.Pointer, class
	n.by[p.SHA256] = append(n.by[p.SHA256], at)
}

// keepAll keeps everything in a text that could be a blob's name.
func (n *nameList) keepAll(text []byte, at string) {
	for _, sum := range sumInText.FindAllString(string(text), -1) {
		n.keep[sum] = at
		n.by[sum] = append(n.by[sum], at)
	}
}

// recordTime reads the time in a record's path; a numbered record has none and is as young as can be.
func recordTime(at string, now time.Time) time.Time {
	if path, err := record.ParsePath(at); err == nil {
		if made, ok := path.Made(); ok {
			return made
		}
	}
	return now
}

// lockFiles is the name of locks anywhere in a repository, which may hold several projects.
const lockFiles = "*.lock.toml"

// intentRefs are the refs of a remote on which a lock may stand; the ledger's branches are long, and none of these.
var intentRefs = []string{"refs/heads/", "refs/tags/", "refs/pull/", "refs/merge-requests/", "^refs/heads/plumb/*"}

// namesInLocks keeps the pinned data of every lock that ever stood on a branch, a tag or a pull request of the remote or of this clone, or lies in the working
// folder: a run can be made again only with the data of its day.
func (p *Project) namesInLocks(ctx context.Context, n *nameList) error {
	outline, err := p.Repo.Outline(ctx)
	switch {
	case errors.Is(err, gitdb.ErrNoRemote):
		if p.Repo.Shallow() {
			return problem.Failedf("clone it whole", "this clone is shallow and has no remote: which data older commits pinned can't be seen")
		}
	case err != nil:
		return err
	default:
		defer outline.Close()
		p.progress("looking through the history of locks")
		if _, err := outline.Sync(ctx, intentRefs...); err != nil {
			return err
		}
		oids, err := outline.History(ctx, lockFiles, intentRefs[:4]...)
		if err == nil {
			err = outline.Bring(ctx, oids...)
		}
		if err == nil {
			err = n.keepLocks(outline.Repo, oids)
		}
		if err != nil {
			return err
		}
	}
	oids, err := p.Repo.History(ctx, lockFiles, "refs/heads/", "refs/remotes/", "refs/tags/", "HEAD")
	if err == nil {
		err = n.keepLocks(p.Repo, oids)
	}
	if err != nil {
		return err
	}
	return filepath.WalkDir(p.Repo.Root(), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return filepath.SkipDir
		case !strings.HasSuffix(path, strings.TrimPrefix(lockFiles, "*")) || !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			n.keepLock(text)
		}
		return err
	})
}

func (n *nameList) keepLocks(repo *gitdb.Repo, oids []string) error {
	for _, oid := range oids {
		text, err := repo.Blob(oid)
		if err != nil {
			return fmt.Errorf("reading an old lock: %w", err)
		}
		n.keepLock(text)
	}
	return nil
}

func (n *nameList) keepLock(text []byte) {
	for _, sum := range sumInText.FindAllString(string(text), -1) {
		n.keep[sum] = "a dataset's lock"
		if n.classes[sum] == "" {
			n.classes[sum] = classData
		}
	}
}

// namesInTags keeps what annotated tags name.
func (p *Project) namesInTags(n *nameList) error {
	tags, err := p.Repo.Tags(func(string) bool { return true })
	if err != nil {
		return err
	}
	for _, tag := range tags {
		n.keepAll([]byte(tag.Message), "tag "+tag.Name)
	}
	return nil
}
