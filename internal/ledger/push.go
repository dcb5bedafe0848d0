package ledger

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// Pushed says what a push did.
type Pushed struct {
	Tip     string   // of the ledger afterwards
	Added   []string // paths that the ledger did not have
	Already int      // records that it had
	Refused []string // paths that it has with other bytes; they stay in this clone
}

// Push replays the records of this clone onto the ledger's branch and then forgets them here, keeping what was recorded meanwhile. Push the blobs that they
// name before. It may be killed and run again at any point: what is there already is not added twice.
func (l *Ledger) Push(ctx context.Context) (Pushed, error) {
	var done Pushed
	tip, err := l.Append(ctx, func(view *View) ([]File, error) {
		done = Pushed{}
		return l.unpushed(view, &done)
	})
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing records: %w", err)
	}
	done.Tip = tip
	if err := l.forget(ctx, tip); err != nil {
		return Pushed{}, fmt.Errorf("pushing records: %w", err)
	}
	return done, nil
}

// unpushed gives the clone's records that the branch does not have, and counts the others.
func (l *Ledger) unpushed(view *View, done *Pushed) ([]File, error) {
	var files []File
	seen := map[string]bool{}
	for _, ref := range []string{l.private, l.branch} {
		tip, err := l.repo.Ref(ref)
		if err != nil {
			return nil, err
		}
		if tip == "" || tip == view.Tip {
			continue
		}
		entries, err := l.repo.Files(tip)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			known, ok := view.files[entry.Path]
			switch {
			case !ok || seen[entry.Path]: // no record, or met before
			case known.oid != entry.OID:
				done.Refused = append(done.Refused, entry.Path)
			case !known.private:
				done.Already++
			default:
				data, err := l.repo.Blob(entry.OID)
				if err != nil {
					return nil, err
				}
				files = append(files, File{entry.Path, data})
				done.Added = append(done.Added, entry.Path)
			}
			seen[entry.Path] = true
		}
	}
	return files, nil
}

// forget takes the records that a tip of the branch has out of the private ref.
func (l *Ledger) forget(ctx context.Context, branchTip string) error {
	published := map[string]string{}
	repo := l.repo
	if mirror, err := l.repo.Mirror(ctx); err == nil {
		repo = mirror.Repo
	}
	if branchTip != "" {
		entries, err := repo.Files(branchTip)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			published[entry.Path] = entry.OID
		}
	}
	_, err := l.repo.Update(ctx, l.private, func(w *gitdb.Writer, tip string) (string, error) {
		if tip == "" {
			return "", nil
		}
		entries, err := l.repo.Files(tip)
		if err != nil {
			return "", err
		}
		var rest []gitdb.File
		for _, entry := range entries {
			if published[entry.Path] != entry.OID {
				rest = append(rest, gitdb.File{Path: entry.Path, OID: entry.OID})
			}
		}
		if len(rest) == len(entries) {
			return "", nil
		}
		// A commit of its own, without the past: what was pushed need not be kept twice. The ref stays, if only with an empty tree, because
		// taking one away cannot be done by a rename.
		tree, err := w.Tree("", rest)
		if err != nil {
			return "", err
		}
		return w.Commit(tree, gitdb.CommitInfo{Message: fmt.Sprintf("keep %d records that were not pushed\n", len(rest))})
	})
	return err
}
