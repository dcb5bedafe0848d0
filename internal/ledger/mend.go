package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// Mending is what one commit on top of the branch puts right. It adds to history and takes nothing of it away, so no force is needed.
type Mending struct {
	Put  map[string][]byte // path → the bytes that the record was written with
	Drop map[string]string // path → object id of what stands there and is no record
	Join []string          // tips that the branch has lost: they become parents, so that their commits are part of it again
}

// Mended says what a mending did.
type Mended struct {
	Commit  string   // the branch's tip; as it was when there was nothing to do
	Put     []string // paths
	Dropped []string // at most a hundred of those that are no plain files
	Joined  []string // those tips whose whole history could be had
}

const mendTries = 5

// Mend puts the branch right, and takes out what plumb neither reads nor writes. What somebody else has put right meanwhile is left alone. A refused push is an error: who may not write the branch can't mend it.
func (l *Ledger) Mend(ctx context.Context, m Mending) (Mended, error) {
	for try := 1; ; try++ {
		p, err := l.present(ctx, try > 1)
		if err != nil {
			return Mended{}, fmt.Errorf("mending the ledger: %w", err)
		}
		done, err := l.mend(ctx, p, m)
		if err == nil {
			return done, nil
		}
		again := errors.As(err, new(*notPushed)) && !errors.Is(err, gitdb.ErrRefused)
		if again = again || errors.Is(err, errMoved); !again || try == mendTries {
			return Mended{}, fmt.Errorf("mending the ledger: %w", err)
		}
	}
}

// Unwrap gives what the push said.
func (e *notPushed) Unwrap() error { return e.err }

func (l *Ledger) mend(ctx context.Context, p published, m Mending) (Mended, error) {
	files, done, err := m.onto(p)
	if err != nil {
		return done, err
	}
	known := map[string]bool{}
	if p.tip != "" {
		if known, _, err = p.repo.Ancestors(p.tip); err != nil {
			return done, err
		}
	}
	for _, tip := range m.Join {
		if !known[tip] && l.hold(ctx, p, tip) {
			done.Joined = append(done.Joined, tip)
		}
	}
	odd, err := oddOf(p)
	if err != nil {
		return done, err
	}
	if done.Commit = p.tip; len(files)+len(done.Joined)+len(odd) == 0 {
		return done, nil
	}
	for _, o := range odd {
		done.Dropped = append(done.Dropped, o.Path)
	}
	write := func(w *gitdb.Writer) (string, error) { return done.write(w, p.tip, files, len(odd) > 0) }
	if p.mirror == nil {
		done.Commit, err = l.repo.Update(ctx, l.branch, func(w *gitdb.Writer, now string) (string, error) {
			if now != p.tip {
				return "", errMoved
			}
			return write(w)
		})
		return done, err
	}
	err = p.mirror.Write(ctx, func(w *gitdb.Writer) (err error) {
		done.Commit, err = write(w)
		return err
	})
	if err != nil {
		return done, err
	}
	if err := p.mirror.Push(ctx, done.Commit+":"+l.branch); err != nil {
		return done, &notPushed{err}
	}
	return done, p.mirror.Advance(ctx, l.branch, p.known, done.Commit)
}

// write makes the commit that mends a tip, without what is odd there.
func (done *Mended) write(w *gitdb.Writer, tip string, files []gitdb.File, odd bool) (string, error) {
	tree := tip
	var err error
	if odd {
		tree, err = w.Sound(tree)
	}
	if err == nil {
		tree, err = w.Tree(tree, files)
	}
	if err != nil {
		return "", err
	}
	parents := slices.DeleteFunc(append([]string{tip}, done.Joined...), func(tip string) bool { return tip == "" })
	return w.Commit(tree, gitdb.CommitInfo{Parents: parents,
		Message: fmt.Sprintf("mend: put back %d records, take out %d files that are none, join %d lost tips\n", len(done.Put), len(done.Dropped), len(done.Joined))})
}

// oddOf lists what stands at a tip and is neither a file nor a folder of plumb's.
func oddOf(p published) ([]gitdb.Odd, error) {
	if p.tip == "" {
		return nil, nil
	}
	_, err := p.repo.FilesUnder(p.tip, "")
	var odd *gitdb.OddError
	if errors.As(err, &odd) {
		return odd.Entries, nil
	}
	return nil, err
}

// onto gives what is not as it should be at a tip.
func (m Mending) onto(p published) (files []gitdb.File, done Mended, err error) {
	put, drop := slices.Sorted(maps.Keys(m.Put)), slices.Sorted(maps.Keys(m.Drop))
	now, err := p.repo.LookupAll(p.tip, slices.Concat(put, drop)...)
	if err != nil {
		return nil, done, err
	}
	for _, path := range put {
		if now[path] != p.repo.BlobID(m.Put[path]) {
			files = append(files, gitdb.File{Path: path, Data: m.Put[path]})
			done.Put = append(done.Put, path)
		}
	}
	for _, path := range drop {
		if now[path] == m.Drop[path] {
			files = append(files, gitdb.File{Path: path, Remove: true})
			done.Dropped = append(done.Dropped, path)
		}
	}
	return files, done, nil
}

// hold brings a lost tip with its whole history to where a commit on the branch is made: of the remote, as long as that keeps what no ref names, or of this clone.
func (l *Ledger) hold(ctx context.Context, p published, tip string) bool {
	whole := func() bool {
		_, cut, err := p.repo.Steps(tip)
		return err == nil && len(cut) == 0
	}
	if p.mirror == nil || !p.repo.Shallow() && whole() {
		return whole()
	}
	// Git pushes no commit that its list of shallow ones names, even when all is there.
	return p.mirror.FetchWhole(ctx, tip, l.limits) == nil && whole() || l.repo.Has(tip) && p.mirror.Take(ctx, tip) == nil && whole()
}
