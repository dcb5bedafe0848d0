package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// refuseGone keeps every reader of the store from a blob that was dropped on purpose: bytes may lie in a cache, an old pack or at a server for long after.
func (p *Project) refuseGone(ctx context.Context, sum string) error {
	v := p.seen.Load()
	if v == nil {
		var err error
		if v, err = p.glance(ctx); err != nil {
			return err
		}
	}
	if d, gone := v.Gone(sum); gone {
		return goneBy(d, sum)
	}
	return nil
}

// goneBy says since when, by whom and why a blob is not kept.
func goneBy(d record.Decision, sum string) error {
	who := d.By.Who
	if who != "" {
		who = " by " + who
	}
	return problem.Failedf(fmt.Sprintf("`plumb run EXPERIMENT --force` makes it anew, then `plumb push`; `decisions/%s` in the ledger says what else went", d.Choice),
		"blob %s is %s since %s%s (%s): %w", sum, d.Choice, d.Time.Format("2006-01-02"), who, d.Reason, store.ErrNotFound)
}
