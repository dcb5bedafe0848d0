package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// Pushed says what a push did.
type Pushed struct {
	Tip     string   // of the ledger afterwards
	Added   []string // paths that the ledger did not have
	Already int      // records that it had
	Joined  string   // the commit that brought the local branch's history; "" when the remote had it, or there is none
	Refused []string // paths that it has with other bytes, and numbers that a local branch gave out beside them; they stay in this clone
}

// Push brings the history of a branch that grew in this repository to the remote's, replays the private records of this clone onto it, and then forgets them
// here, keeping what was recorded meanwhile. Push the blobs that they name before. It may be killed and run again at any point: what is there already is not
// added twice.
func (l *Ledger) Push(ctx context.Context) (Pushed, error) {
	var done Pushed
	joined, err := l.join(ctx)
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing records: %w", err)
	}
	tip, err := l.Append(ctx, func(view *View) ([]File, error) {
		done = Pushed{}
		return l.unpushed(view, &done)
	})
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing records: %w", err)
	}
	done.Tip, done.Joined = tip, joined
	if err := l.forget(ctx, tip); err != nil {
		return Pushed{}, fmt.Errorf("pushing records: %w", err)
	}
	return done, nil
}

// unpushed gives the clone's records that the branch does not have, and counts the others.
func (l *Ledger) unpushed(view *View, done *Pushed) ([]File, error) {
	branch := view.sources[0]
	var files []File
	seen := map[string]bool{}
	for _, own := range view.sources[1:] {
		if own.tip == "" || own.tip == branch.tip {
			continue
		}
		entries, err := own.records()
		if err != nil {
			return nil, err
		}
		there, err := branch.repo.LookupAll(branch.tip, paths(entries)...)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			switch oid := there[entry.Path]; {
			case seen[entry.Path]:
			case oid == entry.OID:
				done.Already++
			case oid != "" || own.ref == l.branch && record.IsNumbered(entry.Path): // the commits that it names could not be joined
				done.Refused = append(done.Refused, entry.Path)
			default:
				data, err := file{own.repo, entry.OID, true}.read(entry.Path)
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

// records lists what of a commit are records.
func (s source) records() ([]gitdb.Entry, error) {
	entries, err := s.repo.Files(s.tip)
	return slices.DeleteFunc(entries, func(e gitdb.Entry) bool {
		_, err := record.ParsePath(e.Path)
		return err != nil
	}), err
}

func paths(entries []gitdb.Entry) []string {
	list := make([]string, len(entries))
	for i, entry := range entries {
		list[i] = entry.Path
	}
	return list
}

// forget takes the records that a tip of the branch has out of the private ref.
func (l *Ledger) forget(ctx context.Context, branchTip string) error {
	repo := l.repo
	if mirror, err := l.repo.Mirror(ctx); err == nil {
		repo = mirror.Repo
	}
	_, err := l.repo.Update(ctx, l.private, func(w *gitdb.Writer, tip string) (string, error) {
		if tip == "" {
			return "", nil
		}
		entries, err := l.repo.Files(tip)
		if err != nil {
			return "", err
		}
		published, err := repo.LookupAll(branchTip, paths(entries)...)
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
