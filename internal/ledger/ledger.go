// Package ledger keeps the records: immutable small TOML files on the branch plumb/ledger, added to and never edited.
//
// It is not a database of results: it moves bytes and names, and decodes a record when it is asked for. Where blobs live is the store's business.
//
// It stores:
//
//	refs/heads/plumb/ledger        the branch (plumb/ledger-<name> for a second project): of the remote when there is one, else of this repository
//	refs/plumb/private             records of this clone that were not pushed yet (refs/plumb/private-<name>)
//	.git/plumb/cache/              the remote's branch without its history, a cache; in it refs/plumb/rewritten/…, tips that the branch lost records of, and
//	                               refs/plumb/joined/…/<tip>, tips of the local branch that are known to be in the remote's
//	.git/plumb/index-<commit>      the runs of a commit by column, a cache (package index)
//
// A writer builds a commit on the tip that it knows and pushes it plainly; when the tip has moved meanwhile it starts again from the new one. Paths are
// unique, so two writers never touch one file, and a record that is there already is a success: a retry adds nothing twice.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Options say which ledger of the repository it is and what is taken in from the remote.
type Options struct {
	Name     string // "" for plumb/ledger; a second project's name for plumb/ledger-<name>
	Offline  bool   // do not ask the remote: read what is cached
	MaxBytes int64  // of a pack that is received; 0 stands for DefaultMaxBytes
}

// DefaultMaxBytes is 512 MiB, room for some 400,000 records.
const DefaultMaxBytes = 512 << 20

// File is a record's path in the ledger and its bytes, as record.Encode gives them.
type File struct {
	Path string
	Data []byte
}

// Ledger is the records of one project.
type Ledger struct {
	repo    *gitdb.Repo
	branch  string // full ref name
	private string // full ref name
	offline bool
	limits  gitdb.Limits
	beaten  int // how often another was faster than Append
}

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Open gives the ledger of a repository. Nothing is read or made yet.
func Open(repo *gitdb.Repo, opts Options) (*Ledger, error) {
	l := &Ledger{repo: repo, branch: "refs/heads/plumb/ledger", private: "refs/plumb/private", offline: opts.Offline}
	l.limits = gitdb.Limits{Pack: cmp.Or(opts.MaxBytes, DefaultMaxBytes), File: maxFile}
	if opts.Name != "" {
		if !namePattern.MatchString(opts.Name) {
			return nil, fmt.Errorf("opening ledger: %q is not a project's name", opts.Name)
		}
		l.branch += "-" + opts.Name
		l.private += "-" + opts.Name
	}
	return l, nil
}

// remotePatience is how long reading waits for the remote before it falls back on the cache.
const remotePatience = 20 * time.Second

// published is the branch as it is known: in which repository, at which commit ("" when nothing was ever recorded).
type published struct {
	repo    *gitdb.Repo
	mirror  *gitdb.Mirror // nil when there is no remote, or no room for a cache of it
	tip     string
	known   string // what the mirror's own ref is at
	offline string // why the remote was not asked or did not answer
	unasked bool   // this is what the cache has, and the remote was not asked whether it is still so
}

// find gives the newest tip of the branch. For one that has probably moved it fetches without asking first.
func (l *Ledger) find(ctx context.Context, moved bool) (published, error) {
	mirror, err := l.repo.Mirror(ctx)
	if errors.Is(err, gitdb.ErrNoRemote) {
		tip, err := l.repo.Ref(l.branch)
		return published{repo: l.repo, tip: tip}, err
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) { // no cache can be kept here
		return l.fetched(err)
	}
	if err != nil {
		return published{}, err
	}
	p := published{repo: mirror.Repo, mirror: mirror}
	if l.offline {
		return l.cached(p, errors.New("told to work offline"))
	}
	if moved {
		before, err := p.mirror.Ref(l.branch)
		if err == nil && p.mirror.FetchTip(ctx, l.branch, l.limits) == nil {
			err = l.arrived(ctx, &p, before)
			return p, err
		}
	}
	if err = l.refresh(ctx, &p); err == nil {
		return p, nil
	}
	if ctx.Err() != nil {
		return published{}, ctx.Err()
	}
	if errors.As(err, new(unreachable)) {
		return l.cached(p, err)
	}
	return published{}, err
}

// unreachable says that the remote does not answer. What else goes wrong is not a reason to go on with an old view.
type unreachable struct{ error }

func (e unreachable) Unwrap() error { return e.error }

// ask gives the branch's tip at the remote.
func (l *Ledger) ask(ctx context.Context, mirror *gitdb.Mirror) (string, error) {
	limited, cancel := context.WithTimeout(ctx, remotePatience)
	defer cancel()
	refs, err := mirror.ListRemote(limited, l.branch)
	if err != nil {
		return "", unreachable{err}
	}
	return refs[l.branch], nil
}

// refresh brings the mirror to the remote's tip.
func (l *Ledger) refresh(ctx context.Context, p *published) (err error) {
	if p.tip, err = l.ask(ctx, p.mirror); err != nil {
		return err
	}
	if p.known, err = p.mirror.Ref(l.branch); err == nil && (p.tip == "" || p.known == p.tip && p.mirror.Has(p.tip)) {
		return l.compare(ctx, *p, p.known)
	}
	before := p.known
	if err = p.mirror.FetchTip(ctx, l.branch, l.limits); err != nil {
		if errors.Is(err, gitdb.ErrTooLarge) {
			return err
		}
		if _, err := l.ask(ctx, p.mirror); err != nil {
			return err // the remote is gone again: keep the cache
		}
		// The cache is broken, it seems: begin it anew.
		if err := p.mirror.Drop(ctx); err != nil {
			return err
		}
		if p.mirror, err = l.repo.Mirror(ctx); err != nil {
			return err
		}
		p.repo = p.mirror.Repo
		if err := p.mirror.FetchTip(ctx, l.branch, l.limits); err != nil {
			return err
		}
	}
	return l.arrived(ctx, p, before)
}

// arrived takes in what a fetch brought.
func (l *Ledger) arrived(ctx context.Context, p *published, before string) (err error) {
	p.known, err = p.mirror.Ref(l.branch)
	p.tip = p.known // newer than what was listed, perhaps
	if err != nil {
		return err
	}
	return l.compare(ctx, *p, before)
}

// cached falls back on what an earlier read left, or on what an ordinary fetch brought.
func (l *Ledger) cached(p published, why error) (published, error) {
	p.offline = why.Error()
	tip, err := p.mirror.Ref(l.branch)
	if err == nil && tip != "" && p.mirror.Has(tip) {
		p.tip = tip
		return p, nil
	}
	return l.fetched(why)
}

// fetched gives the branch as an ordinary fetch brought it.
func (l *Ledger) fetched(why error) (published, error) {
	name, _ := l.repo.Remote()
	tip, err := l.repo.Ref("refs/remotes/" + name + l.branch[len("refs/heads"):])
	return published{repo: l.repo, tip: tip, offline: why.Error()}, err
}

// Branch is the ledger's branch, "plumb/ledger".
func (l *Ledger) Branch() string { return strings.TrimPrefix(l.branch, "refs/heads/") }

// Read gives the records as they are now: those of the branch, of the remote when there is one, and those of this clone. When the remote does not answer,
// the view is of what was last seen and says so (View.Offline).
func (l *Ledger) Read(ctx context.Context) (*View, error) {
	v, err := l.Glance(ctx)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	v.load("")
	v.mu.Unlock()
	if err = v.err(); err != nil {
		return nil, fmt.Errorf("reading ledger: %w", err)
	}
	return v, nil
}

// Glance is Read without listing what there is: for who asks for the runs by column, or for a record or two by their paths.
func (l *Ledger) Glance(ctx context.Context) (*View, error) {
	p, err := l.find(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("reading ledger: %w", err)
	}
	v, err := l.view(p)
	if err != nil {
		return nil, fmt.Errorf("reading ledger: %w", err)
	}
	v.disownings()
	if err = v.err(); err != nil {
		return nil, fmt.Errorf("reading ledger: %w", err)
	}
	return v, nil
}

func (l *Ledger) view(p published) (*View, error) {
	lost, err := l.rewritten(p)
	if err != nil {
		return nil, err
	}
	v := &View{ledger: l, Tip: p.tip, Offline: p.offline, Rewritten: lost, loaded: map[string]bool{}, files: map[string]file{}}
	v.sources = append(v.sources, source{p.repo, l.branch, p.tip, false})
	own := []string{l.private}
	if p.mirror != nil || p.offline != "" {
		own = append(own, l.branch) // recorded before the repository had a remote
	}
	for _, ref := range own {
		tip, err := l.repo.Ref(ref)
		if err != nil {
			return nil, err
		}
		v.sources = append(v.sources, source{l.repo, ref, tip, true})
	}
	return v, nil
}

// mustBeOnline turns the state of having no answer into the error that it is for a writer.
func (p published) mustBeOnline() error {
	if p.offline == "" {
		return nil
	}
	return problem.Failedf("try again when the remote can be reached; nothing is lost meanwhile", "the remote's ledger cannot be read: %s", p.offline)
}
