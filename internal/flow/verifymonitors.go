package flow

import (
	"context"

	"github.com/plumb-ml/plumb/internal/record"
)

// watched judges the results of monitors again: the verdict from the drift's numbers, the failed checks from the quality's, the triggers from the values that they
// read. The rows themselves are the measuring job's word: the source is not in Git.
func (v *verifying) watched(ctx context.Context) (string, error) {
	if v.o.Quick {
		return "", skip("--quick makes no number again")
	}
	paths := v.ofKind(record.KindMonitor)
	if len(paths) == 0 {
		return "", skip("there are none")
	}
	v.skip("", "the rows that monitors looked at", "a source's windows are not kept, only what was counted in them")
	err := each(ctx, v, record.KindMonitor, func(p string, m *record.Monitor) error { return v.monitor(ctx, p, *m) })
	return countOf(len(paths), "monitor result"), err
}

func (v *verifying) monitor(ctx context.Context, p string, m record.Monitor) error {
	if v.has(m.Drift) && v.has(m.Quality) {
		var found record.Drift
		var q record.Quality
		for _, blob := range []struct {
			of   record.Pointer
			into any
		}{{m.Drift, &found}, {m.Quality, &q}} {
			data, err := v.p.Store.Get(ctx, blob.of)
			if err == nil {
				err = strictJSON(data, blob.into)
			}
			if err != nil {
				v.finding(record.RuleBlob, p, v.restore(p), "blob %.12s… can't be read: %v", blob.of.SHA256, err)
				return ctx.Err()
			}
		}
		if err := follows(m, found, q); err != nil {
			v.finding(record.RuleNumber, p, v.restore(p), "%v", err)
		}
	} else if m.Drift.SHA256 != "" {
		v.skip(p, "its verdict", "its drift or its quality can't be read")
	}
	t, why := v.treeOf(m.Code.Commit)
	switch {
	case t == nil:
		v.skip(p, "its triggers", why)
		return nil
	case t.Docs.Monitors[m.Monitor] == nil || m.Code.Dirty:
		v.skip(p, "its triggers", "commit "+short(m.Code.Commit)+" does not describe it so")
		return nil
	}
	if err := triggersFollow(t.Docs, v.view, m); err != nil {
		v.finding(record.RuleNumber, p, v.restore(p), "%v", err)
	}
	return nil
}
