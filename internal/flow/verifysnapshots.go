package flow

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/plumb-ml/plumb/internal/record"
)

// snapshotsAre makes the numbers of snapshots again: the content digest and the profile from the pinned rows, the scores from the checks' results.
func (v *verifying) snapshotsAre(ctx context.Context) (string, error) {
	if v.o.Quick {
		return "", skip("--quick makes no number again")
	}
	err := each(ctx, v, record.KindSnapshot, func(p string, s *record.Snapshot) error { return v.snapshotIs(ctx, p, s) })
	return countOf(v.out.Checked.Snapshots, "snapshot"), err
}

func (v *verifying) snapshotIs(ctx context.Context, p string, s *record.Snapshot) error {
	if v.has(s.Quality) {
		var q record.Quality
		data, err := v.p.Store.Get(ctx, s.Quality)
		if err == nil {
			err = json.Unmarshal(data, &q)
		}
		if err != nil {
			v.finding(record.RuleBlob, p, v.restore(p), "quality %s is no quality result: %v", s.Quality.SHA256, err)
		} else if where := contradiction(s.Scores, q.ScoreMap()); where != "" {
			v.finding(record.RuleNumber, p, v.restore(p), "its scores do not follow from its checks: %s", where)
		}
	}
	t, why := v.pinning(s)
	if t == nil {
		v.skip(p, "its content and profile", why)
		return nil
	}
	w, err := v.p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return err
	}
	defer w.close()
	found, err := w.snapshot(ctx, t, t.Docs.Datasets[s.Dataset])
	if err != nil {
		if !v.dataGone(p, s.Content, err) {
			v.unless(p, "the content of "+s.Dataset, err)
		}
		return ctx.Err()
	}
	v.out.Checked.Snapshots++
	v.out.Checked.Numbers += len(s.Scores) + 2
	if found.record.Content != s.Content || found.record.Rows != s.Rows {
		v.finding(record.RuleRows, p, v.restore(p), "it says content %s of %d rows, and the pinned rows give %s of %d", shortDigest(s.Content), s.Rows, shortDigest(found.record.Content), found.record.Rows)
	}
	if where := contradiction(s.Scores, found.record.Scores); where != "" {
		v.finding(record.RuleNumber, p, v.restore(p), "the checks of commit %s, run again on the pinned rows, give other scores: %s", short(t.Commit), where)
	}
	return v.profileIs(ctx, p, s, found)
}

// pinning finds a tree that pins a dataset as a snapshot says: that of its commit, else what is checked out, else what lies in the working folder.
func (v *verifying) pinning(s *record.Snapshot) (*Tree, string) {
	pins := func(t *Tree) bool {
		return t != nil && t.Docs.Problems.Errors() == 0 && t.Docs.Datasets[s.Dataset] != nil && t.Docs.Locks[s.Dataset] != nil && t.Docs.Locks[s.Dataset].Digest() == s.Lock
	}
	t, why := v.treeOf(s.Code.Commit)
	if pins(t) {
		return t, ""
	}
	if here, err := v.p.Working(); err == nil && pins(here) {
		return here, ""
	}
	return nil, cmp.Or(why, "commit "+short(s.Code.Commit)+" does not pin "+s.Dataset+" so")
}

func (v *verifying) profileIs(ctx context.Context, p string, s *record.Snapshot, found *snapshot) error {
	if !v.has(s.Profile) {
		return nil
	}
	data, err := v.p.Store.Get(ctx, s.Profile)
	if err != nil {
		return err
	}
	var said any
	if err := json.Unmarshal(data, &said); err != nil {
		v.finding(record.RuleBlob, p, v.restore(p), "profile %s is no profile: %v", s.Profile.SHA256, err)
	} else if where := contradiction(said, found.profile); where != "" {
		v.finding(record.RuleNumber, p, v.restore(p), "its profile is not that of the pinned rows: %s", where)
	}
	return nil
}
