package ledger

import (
	"cmp"
	"slices"

	"github.com/plumb-ml/plumb/internal/record"
)

// Decisions lists what was decided, by time, then id; "" stands for every choice (record.Expired, record.Forgotten …).
func (v *View) Decisions(choice string) []record.Decision {
	all := of(v, record.KindDecision, func(d *record.Decision) bool { return choice == "" || d.Choice == choice })
	slices.SortFunc(all, func(a, b record.Decision) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Dropped gives, for each blob that is no longer kept on purpose, the decision that says so.
func (v *View) Dropped() map[string]record.Decision {
	out := map[string]record.Decision{}
	for _, choice := range []string{record.Expired, record.Forgotten} {
		for _, d := range v.Decisions(choice) {
			for _, sum := range d.Blobs {
				out[sum] = d
			}
		}
	}
	return out
}
