package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

const (
	attempts  = 60
	firstWait = 10 * time.Millisecond
	maxWait   = 2 * time.Second
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
	seen := map[string][]byte{}
	var fresh []File
	for _, f := range files {
		if other, ok := seen[f.Path]; ok {
			if !bytes.Equal(other, f.Data) {
				return nil, errTaken(f.Path)
			}
			continue
		}
		seen[f.Path] = f.Data
		oid, err := repo.Lookup(tip, f.Path)
		switch {
		case err != nil:
			return nil, err
		case oid == "":
			fresh = append(fresh, f)
		case oid != gitdb.BlobID(f.Data):
			return nil, errTaken(f.Path)
		}
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

// message says what a commit adds: "add 2 runs, 1 snapshot".
func message(files []File) string {
	counts := map[string]int{}
	for _, f := range files {
		folder, _, _ := strings.Cut(f.Path, "/")
		counts[folder]++
	}
	var parts []string
	for _, folder := range slices.Sorted(maps.Keys(counts)) {
		name := folder
		if counts[folder] == 1 {
			name = strings.TrimSuffix(folder, "s")
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[folder], name))
	}
	return "add " + strings.Join(parts, ", ") + "\n"
}

// Append adds the records that build gives to the ledger's branch: of the remote, when there is one, else of this repository. build is called with the ledger as
// it is, and again whenever somebody else was faster, so a number that it takes from the view is right when Append succeeds. Records that are there already
// are left alone; nothing to add is a success. The result is the tip that has them.
func (l *Ledger) Append(ctx context.Context, build func(*View) ([]File, error)) (tip string, err error) {
	wait := firstWait
	for range attempts {
		tip, err := l.appendOnce(ctx, build)
		if err == nil {
			return tip, nil
		}
		if !errors.Is(err, errMoved) {
			return "", fmt.Errorf("recording in the ledger: %w", err)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("recording in the ledger: %w", ctx.Err())
		case <-time.After(rand.N(wait)):
		}
		wait = min(2*wait, maxWait)
	}
	return "", problem.Failedf("many jobs are recording at once: run it again", "recording in the ledger: others were faster %d times", attempts)
}

// errMoved says that somebody else was faster.
var errMoved = errors.New("the ledger has moved")

func (l *Ledger) appendOnce(ctx context.Context, build func(*View) ([]File, error)) (tip string, err error) {
	p, err := l.find(ctx)
	if err == nil {
		err = p.mustBeOnline()
	}
	if err != nil {
		return "", err
	}
	view, err := l.view(p)
	if err != nil {
		return "", err
	}
	files, err := build(view)
	if err != nil {
		return "", err
	}
	fresh, err := missing(p.repo, p.tip, files)
	if err != nil || len(fresh) == 0 {
		return p.tip, err
	}
	if err := checkNew(view, fresh); err != nil {
		return "", err
	}
	if p.mirror == nil {
		return l.appendLocal(ctx, p.tip, fresh)
	}
	return l.appendRemote(ctx, p, fresh)
}

// checkNew holds new records against the ledger's rules: names of their bytes, numbers without gaps.
func checkNew(view *View, files []File) error {
	adding := map[string]bool{}
	for _, f := range files {
		adding[f.Path] = true
	}
	for _, f := range files {
		if err := record.CheckPath(f.Path, f.Data); err != nil {
			return err
		}
		p, err := record.ParsePath(f.Path)
		if err != nil || p.Number <= 1 {
			continue
		}
		before := path.Join(path.Dir(f.Path), strconv.Itoa(p.Number-1)+".toml")
		if old, ok := view.files[before]; !adding[before] && (!ok || old.private) {
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

// appendRemote pushes plainly. What an error means is not read from its text, which differs by server, but from the remote's tip: there, or moved, or neither.
func (l *Ledger) appendRemote(ctx context.Context, p published, files []File) (string, error) {
	var commit string
	err := p.mirror.Write(ctx, func(w *gitdb.Writer) (err error) {
		commit, err = l.commit(w, p.tip, files)
		return err
	})
	if err != nil {
		return "", err
	}
	if pushErr := p.mirror.Push(ctx, commit+":"+l.branch); pushErr != nil {
		refs, err := p.mirror.ListRemote(ctx, l.branch)
		if err != nil {
			return "", errors.Join(pushErr, err)
		}
		switch refs[l.branch] {
		case commit: // it arrived, only the answer was lost
		case p.tip:
			return "", pushErr
		default:
			return "", errMoved
		}
	}
	return commit, p.mirror.Advance(ctx, l.branch, p.known, commit)
}
