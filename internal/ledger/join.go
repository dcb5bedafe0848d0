package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// join brings what was recorded before the repository had a remote to the remote's branch, as the commits that it was recorded in: versions, stages and tags
// name them, so replaying the records as a new commit would leave every one of those names without its commit. A remote without a ledger gets the local branch
// itself; where both have grown, a merge has both for parents. The local branch stays where it is: it is an ancestor then, which later joins see. Where both
// have given out the same number, nothing is joined. The result is the commit that was pushed, or "".
func (l *Ledger) join(ctx context.Context) (commit string, err error) {
	local, err := l.repo.Ref(l.branch)
	if err != nil || local == "" {
		return "", err
	}
	if _, err := l.repo.Mirror(ctx); errors.Is(err, gitdb.ErrNoRemote) {
		return "", nil
	}
	p, err := l.present(ctx, false)
	for try := 1; err == nil; try++ {
		if commit, err = l.joined(ctx, p, local); err != nil || commit == "" {
			break
		}
		failure := l.repo.Push(ctx, commit+":"+l.branch)
		if failure == nil {
			break
		}
		tip := p.tip
		if p, err = l.present(ctx, true); err == nil && (p.tip == tip || try == joinTries) {
			err = failure
		}
	}
	if err != nil {
		return "", fmt.Errorf("bringing the local %s to the remote: %w", l.Branch(), err)
	}
	return commit, nil
}

const joinTries = 5

// joined gives the commit that has the histories of the remote's branch and of the local one; "" when the remote's has both, or can't have.
func (l *Ledger) joined(ctx context.Context, p published, local string) (string, error) {
	if p.tip == "" {
		return local, nil
	}
	if p.tip == local || p.mirror == nil {
		return "", nil
	}
	// Which local tip is known to be in the branch is remembered, as looking takes all of its history. Somebody who forces the branch back is told of by compare.
	seen := "refs/plumb/joined/" + l.Branch() + "/" + local
	if at, err := p.mirror.Ref(seen); err != nil || at != "" {
		return "", err
	}
	if err := p.mirror.FetchWhole(ctx, l.branch, l.limits); err != nil {
		return "", err
	}
	before, _, err := p.mirror.Ancestors(p.tip)
	if err != nil {
		return "", err
	}
	if before[local] {
		return "", p.mirror.Swap(ctx, seen, "", p.tip)
	}
	if !l.repo.Has(p.tip) {
		if err := l.repo.Borrow(ctx, l.branch); err != nil {
			return "", err
		}
	}
	if before, _, err = l.repo.Ancestors(local); err != nil {
		return "", err
	}
	if before[p.tip] {
		return local, nil
	}
	return l.merge(ctx, p, local)
}

// merge makes a commit of all records of both branches; "" when they have one with other bytes.
func (l *Ledger) merge(ctx context.Context, p published, local string) (string, error) {
	entries, err := source{repo: l.repo, tip: local}.records()
	if err != nil {
		return "", err
	}
	there, err := l.repo.LookupAll(p.tip, paths(entries)...)
	if err != nil {
		return "", err
	}
	var added []gitdb.File
	for _, entry := range entries {
		switch there[entry.Path] {
		case entry.OID:
		case "":
			added = append(added, gitdb.File{Path: entry.Path, OID: entry.OID})
		default: // both have given out this number: a merge could only keep one, and would edit the other
			return "", nil
		}
	}
	var commit string
	err = l.repo.Write(ctx, func(w *gitdb.Writer) error {
		tree, err := w.Tree(p.tip, added)
		if err != nil {
			return err
		}
		message := fmt.Sprintf("join %d records of a ledger that grew apart\n", len(added))
		commit, err = w.Commit(tree, gitdb.CommitInfo{Message: message, Parents: []string{p.tip, local}})
		return err
	})
	return commit, err
}
