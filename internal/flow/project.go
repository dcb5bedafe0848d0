// Package flow is what happens when: the ordered lists of steps for a pull request, a push and a publication, and the single acts behind the
// commands (run, diff, why, pin, init, report, demo).
//
// A flow is a slice of steps; no step calls another, and a step that has nothing to do says why (steps.go). Measuring (pullrequest.go, push.go)
// reads the repository and leaves a bundle; publishing (publish.go) checks the bundle as hostile input and alone writes the ledger.
// The package keeps its scratch files in the repository's `.git/plumb`; nothing else is left behind.
package flow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Semantics is the version of plumb's own meaning: split algorithm, feature semantics, learners. It is part of every input digest.
const Semantics = 1

// Options are what every command knows about the world.
type Options struct {
	Dir       string           // where the command was called
	Now       time.Time        // zero: the clock
	Actor     string           // record.ActorHuman or, in a publishing job, record.ActorCI
	Who       string           // login or e-mail; "" takes Git's
	URL       string           // of the CI run
	Program   string           // name and version
	Token     string           // of the forge, for an HTTPS remote; "" leaves it to Git's own credentials
	TokenHost string           // the only host that gets it; "" stands for the remote's
	Progress  func(msg string) // told what is going on; nil: nobody is
	Warn      func(msg string) // told what is wrong and no reason to stop; nil: nobody is

	// Env is the environment of plumb, as of os.Environ: what of it a person's program gets, its experiment says.
	Env []string

	// Log is given what a person's program printed, without secrets. nil: it is in the run's log only.
	Log func(title string, text []byte)

	// Meter is told how far that is: done of total, and a word on it. nil: nobody is.
	Meter func(done, total int, note string)
}

// Project is one project of one repository.
type Project struct {
	Root    string // absolute path of the folder that holds plumb.toml
	Prefix  string // the same from the repository's root, slash-separated; "." at the root
	Repo    *gitdb.Repo
	Ledger  *ledger.Ledger
	Store   store.Store
	opt     Options
	mending bool                         // what the ledger has lost is put back, and told of only when that fails
	warned  []string                     // what opt.Warn was told
	seen    *atomic.Pointer[ledger.View] // the last one that was read

	refuse func(ctx context.Context, sum string) error // which blobs are not handed out
}

// Open finds the project that dir is in: it climbs to the first folder with a plumb.toml, and to the Git repository around it.
func Open(opt Options) (*Project, error) {
	root, err := findRoot(opt.Dir)
	if err != nil {
		return nil, err
	}
	repo, err := gitdb.Open(root)
	if err != nil {
		return nil, fmt.Errorf("opening the repository: %w", err)
	}
	if opt.Token != "" {
		repo.SetToken(opt.Token, opt.TokenHost)
	}
	p := &Project{Root: root, Repo: repo, opt: opt, seen: &atomic.Pointer[ledger.View]{}}
	p.refuse = p.refuseGone
	prefix, err := filepath.Rel(repo.Root(), root)
	if err != nil {
		return nil, err
	}
	p.Prefix = filepath.ToSlash(prefix)
	return p, p.connect()
}

// findRoot climbs from a folder to the first that holds a plumb.toml.
func findRoot(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", problem.Wrongf("-C takes a folder that is there", "there is no folder %s", from)
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "plumb.toml")); err == nil {
			return root, nil
		}
		if root == filepath.Dir(root) {
			return "", problem.Wrongf("`plumb init --data FILE --label COLUMN` makes one, `plumb demo` shows one", "no plumb.toml here or above %s", dir)
		}
	}
}

// connect opens the ledger and the store that the project's own plumb.toml names.
func (p *Project) connect() error {
	settings := doc.LoadProject(os.DirFS(p.Root))
	limits := ledger.Options{}
	if p.Prefix != "." {
		limits.Name = settings.Name
		if err := p.aloneWith(settings.Name); err != nil {
			return err
		}
	}
	var err error
	if settings.Limits.Ledger != "" {
		if limits.MaxBytes, err = doc.Bytes(settings.Limits.Ledger); err != nil {
			return problem.Wrongf("for example ledger = \"512MiB\"", "plumb.toml: [limits] ledger: %w", err)
		}
	}
	if p.Ledger, err = ledger.Open(p.Repo, limits); err != nil {
		return fmt.Errorf("opening the ledger: %w", err)
	}
	p.Store, err = p.storeAt(settings.Name, settings.Store.URL)
	return err
}

// aloneWith refuses a name that another project of the repository has too: both would write plumb/ledger-<name>.
func (p *Project) aloneWith(name string) error {
	files, err := p.Repo.Tracked("plumb.toml")
	if err != nil {
		return fmt.Errorf("looking for other projects: %w", err)
	}
	for _, file := range files {
		folder := path.Dir(file)
		if folder == p.Prefix || folder == "." { // the ledger of the one at the top has no name
			continue
		}
		if other := doc.LoadProject(os.DirFS(filepath.Join(p.Repo.Root(), filepath.FromSlash(folder)))); other.Name == name {
			return problem.Wrongf("give one of them another name in its plumb.toml, before it has records",
				"the projects in %s and %s are both named %q, and would share the ledger plumb/ledger-%s", p.Prefix, folder, name, name)
		}
	}
	return nil
}

// storeAt opens a store by its address.
func (p *Project) storeAt(name, address string) (store.Store, error) {
	return store.Open(p.Repo, address, store.Options{Root: p.Root, Now: p.opt.Now, Update: p.meter, Project: p.mark(name), Refuse: p.refuse})
}

// mark names the project in a store that it may share with others: alike in all clones, however the remote is reached. Without a remote there is none.
func (p *Project) mark(name string) string {
	at := p.Repo.RemoteURL()
	if at == "" || name == "" {
		return ""
	}
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		at = u.Host + u.Path
	} else if host, rest, ok := strings.Cut(at, ":"); ok && !strings.Contains(host, "/") { // git@github.com:owner/repo
		at = host[strings.LastIndex(host, "@")+1:] + "/" + rest
	}
	at = strings.ToLower(strings.TrimSuffix(strings.Trim(at, "/"), ".git"))
	return name + "-" + record.Sum([]byte(at + "\n" + p.Prefix))[:8]
}

// now is the time that records carry, to the second.
func (p *Project) now() time.Time {
	if p.opt.Now.IsZero() {
		return time.Now().UTC().Truncate(time.Second)
	}
	return p.opt.Now.UTC().Truncate(time.Second)
}

func (p *Project) progress(format string, args ...any) {
	if p.opt.Progress != nil {
		p.opt.Progress(fmt.Sprintf(format, args...))
	}
}

func (p *Project) meter(done, total int, note string) {
	if p.opt.Meter != nil {
		p.opt.Meter(done, total, note)
	}
}

func (p *Project) tellLog(title string, text []byte) {
	if p.opt.Log != nil && len(text) > 0 {
		p.opt.Log(title, text)
	}
}

// header starts a record of this kind made by this command.
func (p *Project) header(kind string, t *Tree) record.Header {
	h := record.Header{Schema: 1, Kind: kind, Time: p.now(), Actor: p.actor(),
		By: record.By{Who: p.who(), URL: p.opt.URL, Program: p.opt.Program, Now: !p.opt.Now.IsZero()}}
	if t != nil {
		h.Code = record.Code{Commit: t.Commit, Dirty: t.Dirty, Difference: t.Difference}
	}
	return h
}

func (p *Project) actor() string {
	if p.opt.Actor == "" {
		return record.ActorHuman
	}
	return p.opt.Actor
}

func (p *Project) who() string {
	if p.opt.Who != "" {
		return p.opt.Who
	}
	return p.Repo.Identity()
}

func short(commit string) string {
	if len(commit) > 9 {
		return commit[:9]
	}
	return commit
}

// view reads the ledger, private records included.
func (p *Project) view(ctx context.Context) (*ledger.View, error) {
	return p.sound(p.Ledger.Read(ctx))
}

// glance is view for who needs the runs by column, or a record or two: nothing is listed.
func (p *Project) glance(ctx context.Context) (*ledger.View, error) {
	return p.sound(p.Ledger.Glance(ctx))
}

// sound warns of what is wrong with a view as a whole.
func (p *Project) sound(v *ledger.View, err error) (*ledger.View, error) {
	if err != nil {
		return nil, err
	}
	p.seen.Store(v)
	if v.Offline != "" {
		p.warn("the ledger is as it was last seen, without what others recorded since: %s", v.Offline)
	}
	for _, lost := range v.Rewritten {
		if p.mending {
			break // it is told of when it is there still
		}
		p.warn("%s\nhint: %s", lost, lost.Hint(p.Ledger.Branch()))
	}
	return v, nil
}

// warn says something once.
func (p *Project) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.opt.Warn != nil && !slices.Contains(p.warned, text) {
		p.warned = append(p.warned, text)
		p.opt.Warn(text)
	}
}

// IntentBranch is the branch that pull requests go to.
func (p *Project) IntentBranch() string {
	settings := doc.LoadProject(os.DirFS(p.Root))
	if settings.Branch != "" {
		return settings.Branch
	}
	return "main"
}

// baseProject is plumb.toml as the event's base has it, or the defaults: what decides is never read from head.
func (p *Project) baseProject(e Event) (*doc.Project, error) {
	base := e.Base
	if base == "" {
		base = e.Head
	}
	t, err := p.At(base)
	if err != nil {
		return nil, err
	}
	if t.Docs.Project == nil {
		return &doc.Project{}, nil
	}
	return t.Docs.Project, nil
}

// trustStore turns to the store that the event's base names. An address decides where credentials go, so head may not choose it.
func (p *Project) trustStore(e Event) error {
	base, err := p.baseProject(e)
	if err != nil {
		return err
	}
	p.Store, err = p.storeAt(base.Name, base.Store.URL)
	return err
}

// Resolve turns an event's names of branches into commits. No head is the checked-out commit.
func (p *Project) Resolve(ctx context.Context, e Event) (Event, error) {
	var err error
	base, head := e.Base, e.Head
	if head == "" {
		head = "HEAD"
	}
	if e.Head, err = p.Repo.Find(ctx, head); errors.Is(err, gitdb.ErrNoCommit) {
		return e, problem.Wrongf("git add -A && git commit", "there is nothing to measure: the repository has no commit yet")
	} else if err != nil {
		return e, problem.Wrongf("--head takes a branch or a commit", "head %q: %w", head, err)
	}
	if base == "" {
		return e, nil
	}
	if e.Base, err = p.Repo.Find(ctx, base); err != nil {
		return e, problem.Wrongf("--base takes a branch or a commit; a shallow clone may not have it: git fetch origin "+base, "base %q: %w", base, err)
	}
	return e, nil
}
