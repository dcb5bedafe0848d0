package flow

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Forgotten says what was erased and what could not be: plumb.forget/v1.
type Forgotten struct {
	Schema  string       `json:"schema"`
	Applied bool         `json:"applied"`
	Blobs   []StoredBlob `json:"blobs"`
	Serves  []string     `json:"serves"`   // versions whose models they are
	By      []string     `json:"named_by"` // records and locks that name them, and keep their digests
	Record  string       `json:"record"`   // the decision
	Erased  []string     `json:"erased"`   // places
	Left    []string     `json:"left"`     // where bytes may still be, and what to do about it
}

var (
	sumStart = regexp.MustCompile(`^[0-9a-f]{8,64}$`)
	runStart = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{1,12}$`)
)

// ForgetOptions say what is erased.
type ForgetOptions struct {
	What   string // a blob's SHA-256, 8 digits or more of it, or a run's id: all blobs that it names
	Reason string
	Apply  bool
	Force  bool // also the model of a version
}

// Forget erases one blob, or all that a run names, everywhere that this machine can reach, and leaves the reason as a record. The record comes first, so that
// nobody takes what is half erased for damage. Without apply it only says what it would do.
func (p *Project) Forget(ctx context.Context, o ForgetOptions) (*Forgotten, error) {
	if err := p.notFromTheFuture(o.Apply); err != nil {
		return nil, err
	}
	if strings.TrimSpace(o.Reason) == "" {
		return nil, problem.Wrongf(`for example --reason "a customer asked for it, ticket 123"`, "to forget something takes a reason, which stays in the ledger")
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	n, err := p.namesIn(v, p.settings().Store.Keep)
	if err != nil {
		return nil, err
	}
	if err := p.namesInLocks(ctx, n); err != nil {
		return nil, err
	}
	blobs, err := p.toForget(ctx, v, n, o.What)
	if err != nil {
		return nil, err
	}
	out := &Forgotten{Schema: "plumb.forget/v1", Applied: o.Apply, Blobs: blobs, Serves: versionsOf(v, blobs), By: []string{}, Erased: []string{}, Left: []string{}}
	for _, b := range blobs {
		out.By = append(out.By, n.by[b.SHA256]...)
	}
	slices.Sort(out.By)
	out.By = slices.Compact(out.By)
	if !o.Apply {
		return out, p.whatStays(n, out)
	}
	if len(out.Serves) > 0 && !o.Force && p.othersHave(ctx, n, blobs) {
		return nil, problem.Wrongf("promote another version first, or say --force: it can't be served, scored or gone back to then", "it is the model of %s", problem.And(out.Serves))
	}
	if err := p.recordForgotten(ctx, o.Reason, out); err != nil {
		return nil, err
	}
	if err := p.erase(ctx, sums(blobs), out); err != nil {
		return nil, err
	}
	return out, p.whatStays(n, out)
}

// othersHave says whether the store still has one of the blobs: who only accepts that they are lost takes nothing away.
func (p *Project) othersHave(ctx context.Context, n *nameList, blobs []StoredBlob) bool {
	var named []store.Named
	for _, b := range blobs {
		if ptr, ok := n.pointers[b.SHA256]; ok {
			named = append(named, store.Named{Pointer: ptr})
		}
	}
	missing, err := p.Store.Missing(ctx, named)
	return err != nil || len(missing) < len(named)
}

// versionsOf names the versions whose models are among blobs, and the stages that they are in.
func versionsOf(v *ledger.View, blobs []StoredBlob) []string {
	in := map[string][]string{} // "model@vN" → stages
	for _, s := range v.Stages("", "") {
		for version, stages := range in { // a later record of the stage counts
			if strings.HasPrefix(version, s.Model+"@") {
				in[version] = slices.DeleteFunc(stages, func(name string) bool { return name == s.Stage })
			}
		}
		at := fmt.Sprintf("%s@v%d", s.Model, s.Version)
		in[at] = append(in[at], s.Stage)
	}
	out := []string{}
	for _, version := range v.Versions("") {
		if !slices.ContainsFunc(blobs, func(b StoredBlob) bool { return b.SHA256 == version.Artifact.SHA256 }) {
			continue
		}
		text := fmt.Sprintf("%s@v%d", version.Model, version.Number)
		if stages := in[text]; len(stages) > 0 {
			text += " (" + list(stages) + ")"
		}
		out = append(out, text)
	}
	return out
}

// toForget finds the blobs that are meant.
func (p *Project) toForget(ctx context.Context, v *ledger.View, n *nameList, what string) ([]StoredBlob, error) {
	var found []string
	switch {
	case runStart.MatchString(what):
		run, err := anyRun(v, what)
		if err != nil {
			return nil, err
		}
		for _, ptr := range record.Pointers(run) {
			found = append(found, ptr.SHA256)
		}
	case sumStart.MatchString(what):
		for _, all := range [][]string{keys(n.by), keys(n.keep)} {
			found = append(found, slices.DeleteFunc(all, func(sum string) bool { return !strings.HasPrefix(sum, what) })...)
		}
		if len(found) == 0 && len(what) == 64 {
			found = []string{what} // in the store, perhaps, without anything that names it
		}
	default:
		return nil, problem.Wrongf("`plumb store ls --all` lists the blobs, `plumb runs` the runs", "%q is neither a SHA-256 (8 digits or more) nor the id of a run", what)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	switch {
	case len(found) == 0:
		return nil, problem.Wrongf("`plumb store ls --all` lists them", "nothing that is known here has a blob %s", what)
	case sumStart.MatchString(what) && len(found) > 1:
		return nil, problem.Wrongf("give more of it", "%d blobs begin with %s", len(found), what)
	}
	var blobs []StoredBlob
	for _, sum := range found {
		blobs = append(blobs, describe(store.Item{SHA256: sum, Bytes: -1}, n, n))
	}
	return blobs, nil
}

// recordForgotten writes the reason, unless an earlier try did.
func (p *Project) recordForgotten(ctx context.Context, reason string, out *Forgotten) error {
	_, err := p.Ledger.Append(ctx, func(v *ledger.View) ([]ledger.File, error) {
		fresh := slices.DeleteFunc(slices.Clone(out.Blobs), func(b StoredBlob) bool {
			d, gone := v.Gone(b.SHA256)
			return gone && d.Choice == record.Forgotten
		})
		if len(fresh) == 0 {
			return nil, nil
		}
		d := record.Decision{Header: p.header(record.KindDecision, nil), Choice: record.Forgotten, Reason: reason, Blobs: sums(fresh)}
		for _, b := range fresh {
			if b.Bytes != nil {
				d.Bytes += *b.Bytes
			}
		}
		path, data, err := record.Encode(d)
		out.Record = path
		return []ledger.File{{Path: path, Data: data}}, err
	})
	return err
}

const forgetTries = 3

// erase takes blobs out of every place that this machine reaches: the store, the Git store where that is another, and what was kept here.
func (p *Project) erase(ctx context.Context, doomed []string, out *Forgotten) error {
	stores := []store.Store{p.Store}
	if p.Store.String() != "git" {
		git, err := p.anyStore("git")
		if err != nil {
			return err
		}
		stores = append(stores, git)
	}
	for _, s := range stores {
		p.progress("erasing from %s", s)
		if err := p.eraseFrom(ctx, s, doomed); err != nil {
			return err
		}
		out.Erased = append(out.Erased, s.String())
	}
	for _, sum := range doomed {
		copies, err := filepath.Glob(filepath.Join(p.cacheDir(), sum+"*"))
		if err != nil {
			return err
		}
		for _, c := range copies {
			if err := os.Remove(c); err != nil {
				return err
			}
		}
	}
	out.Erased = append(out.Erased, "the caches of this clone")
	return p.Repo.DropCaches(ctx)
}

// eraseFrom removes blobs and looks whether they are gone: a packing that ran at the same time may have brought them back.
func (p *Project) eraseFrom(ctx context.Context, s store.Store, doomed []string) error {
	for range forgetTries {
		if err := s.Remove(ctx, doomed, time.Time{}); err != nil {
			return err
		}
		there := 0
		for item, err := range s.List(ctx) {
			if err != nil {
				return err
			}
			if slices.Contains(doomed, item.SHA256) {
				there++
			}
		}
		if there == 0 {
			return nil
		}
	}
	return problem.Failedf("run it again when nobody packs or pushes", "%s still has what was to be erased", s)
}

// whatStays says honestly where bytes may be that this machine can't erase.
func (p *Project) whatStays(n *nameList, out *Forgotten) error {
	left := []string{"other clones, forks and their caches: tell whoever may have one"}
	usesGit := p.Store.String() == "git"
	for _, b := range out.Blobs {
		usesGit = usesGit || n.pointers[b.SHA256].OID != ""
	}
	if usesGit {
		left = append(left, "Git's own database: `git reflog expire --expire=now --all && git gc --prune=now` here; a forge keeps what nothing reaches until it collects (GitHub: ask its support)")
	}
	if p.Store.String() != "git" {
		left = append(left, "older versions, backups and replicas that "+p.Store.String()+" may keep by its own rules")
	}
	left = append(left, "the records themselves, with digest, size and metrics; they are never edited")
	t, err := p.Working()
	if err != nil {
		return err
	}
	for _, b := range out.Blobs {
		for _, id := range keys(t.Docs.Locks) {
			for _, f := range t.Docs.Locks[id].Files {
				if f.SHA256 != b.SHA256 {
					continue
				}
				left = append(left, "the working file "+f.Path)
				if oid, err := p.Repo.Lookup(t.Commit, path.Join(p.Prefix, f.Path)); err == nil && oid != "" {
					left = append(left, "the commits that hold "+f.Path+": rewriting history is for people (`git filter-repo`)")
				}
			}
		}
	}
	out.Left = left
	return nil
}
