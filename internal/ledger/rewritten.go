package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// rewrittenRefs is where the mirror keeps tips of a branch whose records are not all there any more.
func (l *Ledger) rewrittenRefs() string { return "refs/plumb/rewritten/" + l.Branch() + "/" }

// compare keeps the tip that this clone has seen before when the branch has lost records since: somebody has pushed by force. That history itself was rewritten
// is for `plumb verify` to find; here there is none.
func (l *Ledger) compare(ctx context.Context, now published, before string) error {
	if before == "" || before == now.tip || !now.mirror.Has(before) {
		return nil
	}
	lost, _, err := now.mirror.Lost(before, now.tip, 1)
	if err != nil || len(lost) == 0 {
		return err
	}
	// A commit of its own: the remote takes none whose parents neither side has.
	var kept string
	err = now.mirror.Write(ctx, func(w *gitdb.Writer) error {
		tree, err := w.Tree(before, nil)
		if err != nil {
			return err
		}
		kept, err = w.Commit(tree, gitdb.CommitInfo{Message: "the ledger as it was at " + before + "\n"})
		return err
	})
	if err != nil {
		return err
	}
	err = now.mirror.Swap(ctx, l.rewrittenRefs()+before, "", kept)
	if errors.Is(err, gitdb.ErrMoved) { // it is kept already
		return nil
	}
	return err
}

// Rewritten says what the branch has lost.
type Rewritten struct {
	Tip   string   // of the branch, that this clone has seen
	Paths []string // of records that are gone or have other bytes, the first of them
	More  bool
	Cache string // the repository that still has them
	Kept  string // a commit in it that has them, without history
}

func (r Rewritten) String() string {
	more := ""
	if n := len(r.Paths); n > 1 || r.More {
		more = fmt.Sprintf(" and %d more", n-1)
		if r.More {
			more = " and more"
		}
	}
	return fmt.Sprintf("the ledger was rewritten: since %.12s it has lost %s%s", r.Tip, r.Paths[0], more)
}

// Hint says what to do about it.
func (r Rewritten) Hint(branch, remote string) string {
	return fmt.Sprintf("`git --git-dir=%s push %s %s:refs/heads/%s-lost` saves them; then see who pushed by force, and forbid it in the branch's rule. Deleting that folder, a cache, accepts the loss",
		r.Cache, remote, r.Kept, branch)
}

// rewritten lists what of kept tips is not there now.
func (l *Ledger) rewritten(p published) ([]Rewritten, error) {
	if p.mirror == nil {
		return nil, nil
	}
	refs, err := p.mirror.Refs(l.rewrittenRefs())
	if err != nil {
		return nil, err
	}
	var all []Rewritten
	for _, ref := range refs {
		const shown = 100
		lost, more, err := p.mirror.Lost(ref.OID, p.tip, shown)
		if err != nil {
			return nil, err
		}
		if len(lost) > 0 {
			all = append(all, Rewritten{path.Base(ref.Name), lost, more, p.mirror.GitDir(), ref.OID})
		}
	}
	// Of tips that were lost one after the other the last one often has all that the others have.
	slices.SortStableFunc(all, func(a, b Rewritten) int { return len(b.Paths) - len(a.Paths) })
	said := map[string]bool{}
	return slices.DeleteFunc(all, func(r Rewritten) bool {
		known := true
		for _, lost := range r.Paths {
			known = known && said[lost]
			said[lost] = true
		}
		return known
	}), nil
}
