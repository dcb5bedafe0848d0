package ledger

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// Decisions lists what was decided, by time, then id; "" stands for every choice (record.Expired, record.Forgotten …).
func (v *View) Decisions(choice string) []record.Decision {
	all := of(v, record.KindDecision, func(d *record.Decision) bool { return choice == "" || d.Choice == choice })
	slices.SortFunc(all, func(a, b record.Decision) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Dropped gives, for each blob that somebody decided not to keep, the last decision that says so. Some may have come back since: see Gone. Do not change it.
func (v *View) Dropped() map[string]record.Decision {
	v.dropOnce.Do(func() {
		v.dropped = map[string]record.Decision{}
		for _, choice := range []string{record.Expired, record.Forgotten} {
			for _, d := range v.Decisions(choice) {
				for _, sum := range d.Blobs {
					v.dropped[sum] = d
				}
			}
		}
	})
	return v.dropped
}

// Gone gives the decision by which a blob is not kept any more. One that a record made later names again has come back: the same program made it anew.
func (v *View) Gone(sum string) (record.Decision, bool) {
	d, ok := v.Dropped()[sum]
	if !ok {
		return d, false
	}
	for _, p := range counting(v.Paths(), v.Disowned()) {
		if !MadeAfter(p, d.Time) {
			continue
		}
		if data, err := v.Bytes(p); err == nil && bytes.Contains(data, []byte(sum)) {
			return d, false
		}
	}
	return d, true
}

// MadeAfter says whether a record that makes blobs was made after a time, by its path. A version or a stage only names what a run made, and a decision what it drops.
func MadeAfter(path string, t time.Time) bool {
	at, err := record.ParsePath(path)
	if err != nil || at.Kind == record.KindDecision {
		return false
	}
	made, ok := at.Made()
	return ok && made.After(t)
}
