package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// rewrittenRefs is where the mirror keeps tips of a branch whose records are not all there any more.
func (l *Ledger) rewrittenRefs() string { return "refs/plumb/rewritten/" + l.Branch() + "/" }

// compare keeps the tip that this clone has seen before when the branch has lost records since: somebody has pushed by force. That history itself was rewritten
// is for `plumb verify` to find; here there is none.
func (l *Ledger) compare(ctx context.Context, now published, before string) error {
	if before == "" || before == now.tip || !now.mirror.Has(before) {
		return nil
	}
	lost, _, err := l.lostRecords(now, before)
	if err == nil && len(lost) > 0 && now.tip != "" && !slices.ContainsFunc(lost, named) {
		lost, err = l.unlessAdded(ctx, now, before, lost)
	}
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

// shownLost is how many lost records are listed.
const shownLost = 100

// lostRecords lists what an earlier tip had and the branch has no more. What was no record then is no loss: it was taken out again, or put
// right; nor is what was disowned.
func (l *Ledger) lostRecords(p published, before string) (lost []string, more bool, err error) {
	all, more, err := p.mirror.Lost(before, p.tip, shownLost)
	if err != nil {
		return nil, false, err
	}
	oids, err := p.mirror.LookupAll(before, all...)
	if err != nil {
		return nil, false, err
	}
	if len(all) == 0 {
		return nil, more, nil
	}
	for _, file := range all {
		data, err := p.mirror.BlobLimit(oids[file], maxRecord)
		if err == nil && IsRecord(file, data) {
			lost = append(lost, file)
		}
	}
	return lost, more, nil
}

// IsRecord says whether bytes can be the record at a path; of a newer program's, as far as this one can tell.
func IsRecord(file string, data []byte) bool {
	if _, err := record.ParsePath(file); errors.Is(err, record.ErrNewer) {
		return path.Ext(file) == ".toml"
	}
	if record.CheckPath(file, data) != nil {
		return false
	}
	_, err := record.Decode(file, data)
	return err == nil || errors.Is(err, record.ErrNewer)
}

// named says whether a record is named by its bytes, which are then known to be right.
func named(file string) bool {
	at, err := record.ParsePath(file)
	return err != nil || at.Number == 0
}

// unlessAdded looks, of numbered records that have other bytes now, whether the branch was only added to: an edit that this clone saw was taken back then, or is an
// edit, and `plumb verify` says which.
func (l *Ledger) unlessAdded(ctx context.Context, now published, before string, lost []string) ([]string, error) {
	there, err := now.mirror.LookupAll(now.tip, lost...)
	if err != nil || len(there) < len(lost) || now.mirror.FetchWhole(ctx, l.branch, l.limits) != nil {
		return lost, err
	}
	if known, _, err := now.mirror.Ancestors(now.tip); err != nil || known[before] {
		return nil, err
	}
	return lost, nil
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
func (r Rewritten) Hint(branch string) string {
	return fmt.Sprintf("`plumb verify --mend` brings them back to %s by a commit on top of it; then see who pushed by force, and forbid it in the branch's rule. Deleting %s, a cache, accepts the loss",
		branch, r.Cache)
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
		lost, more, err := l.lostRecords(p, ref.OID)
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
