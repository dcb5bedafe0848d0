package flow

import (
	"context"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// Mending is done by the program and not by commands for a person to type: `git push --force` of an old tip loses what was recorded since, and `git revert` takes
// away what the same commit brought and refuses merges. One commit on top puts back exactly what history proves, and joins what was cut off.

// mend puts right what was found and can be, and looks again.
func (v *verifying) mend(ctx context.Context) (*record.Verification, error) {
	m := ledger.Mending{Put: map[string][]byte{}, Drop: v.drop, Join: v.join}
	for path, oid := range v.put {
		data, err := v.history.Blob(oid)
		if err != nil {
			v.skip(path, "its bytes, to put them back", err.Error())
			continue
		}
		m.Put[path] = data
	}
	if len(m.Put)+len(m.Drop)+len(m.Join) == 0 && !v.odd {
		return &v.out, nil
	}
	v.p.progress("mending the ledger")
	done, err := v.p.Ledger.Mend(ctx, m)
	if err != nil {
		return nil, err
	}
	o := v.o
	o.Mend = false
	out, err := v.p.Verify(ctx, o)
	if err == nil && len(done.Put)+len(done.Dropped)+len(done.Joined) > 0 {
		out.Mended = &record.Mended{Commit: done.Commit, Put: notNil(done.Put), Dropped: notNil(done.Dropped), Joined: notNil(done.Joined)}
	}
	return out, err
}

// junk lists what stands in the ledger where a record should, never was one, and can be taken out. Files that nobody takes for records may stay.
func (v *verifying) junk() error {
	now, err := v.history.Now()
	if err != nil {
		return err
	}
	beside := ""
	n := 0
	for path := range now {
		if !ledger.MayBeRecord(path) {
			if n++; beside == "" || path < beside {
				beside = path
			}
		}
	}
	if n > 0 {
		v.note(record.RuleRecord, beside, "it is no record and nobody reads it: %s of %s", countOf(n, "such file"), v.where)
	}
	for path, bad := range v.suspects {
		if oid := now[path]; oid != "" && v.put[path] == "" && (oid == bad || len(v.valid(path, []string{oid})) == 0) {
			v.drop[path] = oid
		}
	}
	return nil
}
