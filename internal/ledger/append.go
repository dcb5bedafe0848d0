package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	patience = 20 * time.Minute // of a writer whom others are faster than
	maxWait  = time.Minute
	calm     = 7 // doublings after which a wait no longer grows: enough for some fifty writers
	tries    = 3 // pushes onto a tip that stays where it is: the remote may be at work on that of another, and refuse both
)

// AppendPrivate adds records to those of this clone. A record that is there already is a success; other bytes under a path that is taken are an error, and so
// are numbered records (versions, stages), whose numbers only the branch gives out.
func (l *Ledger) AppendPrivate(ctx context.Context, files []File) error {
	for _, f := range files {
		p, err := record.ParsePath(f.Path)
		if err == nil && p.Number != 0 {
			err = fmt.Errorf("%s is numbered, and only the ledger's branch gives out numbers", f.Path)
		}
		if err == nil {
			err = record.CheckPath(f.Path, f.Data)
		}
		if err != nil {
			return fmt.Errorf("recording: %w", err)
		}
	}
	_, err := l.repo.Update(ctx, l.private, func(w *gitdb.Writer, tip string) (string, error) {
		fresh, err := missing(l.repo, tip, files)
		if err != nil || len(fresh) == 0 {
			return "", err
		}
		return l.commit(w, tip, fresh)
	})
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	return nil
}

// missing gives the files that a commit does not have. One that it has with other bytes is an error.
func missing(repo *gitdb.Repo, tip string, files []File) ([]File, error) {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	there, err := repo.LookupAll(tip, paths...)
	if err != nil {
		return nil, err
	}
	seen := map[string][]byte{}
	var fresh []File
	for _, f := range files {
		other, again := seen[f.Path]
		oid := there[f.Path]
		if again && !bytes.Equal(other, f.Data) || oid != "" && oid != repo.BlobID(f.Data) {
			return nil, errTaken(f.Path)
		}
		if !again && oid == "" {
			fresh = append(fresh, f)
		}
		seen[f.Path] = f.Data
	}
	return fresh, nil
}

func errTaken(path string) error {
	return problem.Failedf("a correction is a new record", "%s is there with other bytes: %w", path, ErrImmutable)
}

// ErrImmutable says that something tried to change a record.
var ErrImmutable = errors.New("records are never edited")

// commit writes a commit that adds files to the tip's tree.
func (l *Ledger) commit(w *gitdb.Writer, tip string, files []File) (string, error) {
	added := make([]gitdb.File, len(files))
	for i, f := range files {
		added[i] = gitdb.File{Path: f.Path, Data: f.Data}
	}
	tree, err := w.Tree(tip, added)
	if err != nil {
		return "", err
	}
	info := gitdb.CommitInfo{Message: message(files)}
	if tip != "" {
		info.Parents = []string{tip}
	}
	return w.Commit(tree, info)
}

// Append adds the records that build gives to the ledger's branch: of the remote, when there is one, else of this repository. build is called with the ledger as
// it was last seen, and again whenever that turns out to be old, so a number that it takes from the view is right when Append succeeds. Records that are there
// already are left alone; nothing to add is a success. The result is the tip that has them.
//
// What a failed push means is not read from its text, which differs by server, but from the remote's tip afterwards: it has the commit (only the answer was
// lost), or it has moved (again, after a while), or neither (then it is an error).
func (l *Ledger) Append(ctx context.Context, build func(*View) ([]File, error)) (tip string, err error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	at, err := l.lastSeen(limited)
	still := 0 // pushes onto the same tip that failed
	for try := 1; err == nil; try++ {
		began := time.Now()
		tip, err = l.appendTo(limited, at, build)
		if errors.Is(err, errUnasked) {
			at, err = l.present(limited, false)
			continue
		}
		var failed *notPushed
		if err == nil || !errors.As(err, &failed) && !errors.Is(err, errMoved) {
			break
		}
		// How long a try takes says how far away the remote is and how busy: waits are counted in tries.
		wait := rand.N(min(time.Since(began)<<min(try, calm), maxWait))
		var now published
		if now, err = l.after(limited, wait); err != nil {
			err = errors.Join(failed.because(), err)
			break
		}
		if still++; now.tip != at.tip {
			l.beaten++
			still = 0
		}
		if failed != nil && (still == tries || still > 0 && errors.Is(failed.err, gitdb.ErrRefused)) {
			err = failed.err
		}
		at = now
	}
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = problem.Failedf("many jobs are recording at once: run it again", "others were faster %d times", l.beaten)
	}
	if err != nil {
		return "", fmt.Errorf("recording in the ledger: %w", err)
	}
	return tip, nil
}

// after gives the branch as it is after a push that failed, a while later.
func (l *Ledger) after(ctx context.Context, wait time.Duration) (published, error) {
	select {
	case <-ctx.Done():
		return published{}, ctx.Err()
	case <-time.After(wait):
	}
	return l.present(ctx, true)
}

// present is find for those who need the answer of the remote.
func (l *Ledger) present(ctx context.Context, moved bool) (published, error) {
	p, err := l.find(ctx, moved)
	if err == nil {
		err = p.mustBeOnline()
	}
	return p, err
}

var (
	errMoved   = errors.New("the ledger has moved")                     // somebody else was faster
	errUnasked = errors.New("the cache says that all is there already") // and may be wrong: a push would have told
)

// notPushed is a push that failed, perhaps because somebody else was faster.
type notPushed struct{ err error }

func (e *notPushed) Error() string { return e.err.Error() }

func (e *notPushed) because() error {
	if e == nil {
		return nil
	}
	return e.err
}

// lastSeen gives the branch as the cache has it. That it is the present one need not be asked: a push onto another is refused.
func (l *Ledger) lastSeen(ctx context.Context) (published, error) {
	mirror, err := l.repo.Mirror(ctx)
	if err == nil && !l.offline {
		if tip, err := mirror.Ref(l.branch); err == nil && tip != "" && mirror.Has(tip) {
			return published{repo: mirror.Repo, mirror: mirror, tip: tip, known: tip, unasked: true}, nil
		}
	}
	return l.present(ctx, false)
}

// appendTo tries once.
func (l *Ledger) appendTo(ctx context.Context, p published, build func(*View) ([]File, error)) (tip string, err error) {
	view, err := l.view(p)
	if err != nil {
		return "", err
	}
	files, err := build(view)
	if err = cmp.Or(view.err(), err); err != nil {
		return "", err
	}
	fresh, err := missing(p.repo, p.tip, files)
	switch {
	case err != nil:
		return "", err
	case len(fresh) == 0 && p.unasked:
		return "", errUnasked
	case len(fresh) == 0:
		return p.tip, nil
	}
	if err := l.begun(p); err != nil {
		return "", err
	}
	if err := checkNew(p, view, fresh); err != nil {
		return "", err
	}
	if p.mirror == nil {
		return l.appendLocal(ctx, p.tip, fresh)
	}
	return l.appendRemote(ctx, p, fresh)
}

// begun refuses to begin a ledger at the remote while this repository has one that never was there: the two would have no commit in common.
func (l *Ledger) begun(p published) error {
	if p.mirror == nil || p.tip != "" {
		return nil
	}
	local, err := l.repo.Ref(l.branch)
	if err != nil || local == "" {
		return err
	}
	return problem.Failedf("`plumb push` brings it there", "%s of this repository was never pushed, and the remote has none", l.Branch())
}

// checkNew holds new records against the ledger's rules: names of their bytes, numbers without gaps but for what was disowned and taken away.
func checkNew(p published, view *View, files []File) error {
	adding := map[string]bool{}
	for _, f := range files {
		adding[f.Path] = true
	}
	for _, f := range files {
		if err := record.CheckPath(f.Path, f.Data); err != nil {
			return err
		}
		at, err := record.ParsePath(f.Path)
		if err != nil || at.Number <= 1 {
			continue
		}
		before := path.Join(path.Dir(f.Path), strconv.Itoa(at.Number-1)+".toml")
		oid, err := p.repo.Lookup(p.tip, before)
		if err != nil {
			return err
		}
		if oid == "" && !adding[before] && !view.disownsAt(before) {
			return fmt.Errorf("%s comes before %s", before, f.Path)
		}
	}
	return nil
}

func (l *Ledger) appendLocal(ctx context.Context, tip string, files []File) (string, error) {
	return l.repo.Update(ctx, l.branch, func(w *gitdb.Writer, now string) (string, error) {
		if now != tip {
			return "", errMoved
		}
		return l.commit(w, tip, files)
	})
}

func (l *Ledger) appendRemote(ctx context.Context, p published, files []File) (string, error) {
	var commit string
	err := p.mirror.Write(ctx, func(w *gitdb.Writer) (err error) {
		commit, err = l.commit(w, p.tip, files)
		return err
	})
	if err != nil {
		return "", err
	}
	if err := p.mirror.Push(ctx, commit+":"+l.branch); err != nil {
		return "", &notPushed{err}
	}
	return commit, p.mirror.Advance(ctx, l.branch, p.known, commit)
}
