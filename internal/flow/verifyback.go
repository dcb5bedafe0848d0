package flow

import (
	"context"
	"slices"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// What was forgotten may come back: out of a clone, a backup, or a push that had begun before. Nobody is handed it by plumb, and its bytes lie there all the same, which
// is what somebody wanted not to be. What expired and lies there costs room, which is less.

// readFalselyGone gives the verification a store of its own, which hands out what a decision drops against the rules: that is how honest blobs would be made to look lost,
// and the records that name them false.
func (v *verifying) readFalselyGone() error {
	p := *v.p
	p.refuse = func(ctx context.Context, sum string) error {
		if v.dropped[sum] == nil {
			return nil
		}
		return p.refuseGone(ctx, sum)
	}
	settings := p.settings()
	var err error
	if p.Store, err = p.storeAt(settings.Name, settings.Store.URL); err == nil {
		v.p = &p
	}
	return err
}

// isBack says whether a blob that a store has was to be gone. One that a run made anew since has come back by right.
func (v *verifying) isBack(b *namedBlob) bool {
	d := v.dropped[b.SHA256]
	return d != nil && !slices.ContainsFunc(b.by, func(by naming) bool {
		return by.key != classData && ledger.MadeAfter(by.path, d.time) && !isDisowned(v.view, by.path)
	})
}

// tellBack tells of what is in the store and was to be gone, also when no record names it any more.
func (v *verifying) tellBack(there map[string]int64) {
	expired := map[string]int{} // by decision
	for _, sum := range keys(v.dropped) {
		d := v.dropped[sum]
		if _, ok := there[sum]; !ok {
			continue
		}
		if b := v.blobs[sum]; b != nil && !v.isBack(b) {
			continue
		}
		if d.choice == record.Expired {
			expired[d.path]++
			continue
		}
		v.tellOf(sum, record.Finding{Rule: record.RuleBlob, Level: string(problem.LevelError), Path: d.path,
			Message: "blob " + sum + " was forgotten, and " + v.p.Store.String() + " has it again",
			Hint:    "`plumb forget " + sum + " --reason WHY --apply` erases it again; whoever brought it has a copy of the store, as `plumb push` sends none that was forgotten"})
	}
	for _, path := range keys(expired) {
		v.note(record.RuleBlob, path, "%s that expired by it are there still: `plumb store gc --apply` takes them", countOf(expired[path], "blob"))
	}
}
