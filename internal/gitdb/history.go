package gitdb

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// CommitTime is when a commit was made, in UTC.
func (r *Repo) CommitTime(oid string) (time.Time, error) {
	c, err := r.commitAt(oid)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading commit %s: %w", oid, err)
	}
	return time.Unix(c.time, 0).UTC(), nil
}

// Ancestors gives a commit and those before it. whole is false when history ends in this clone before its beginning.
func (r *Repo) Ancestors(oid string) (set map[string]bool, whole bool, err error) {
	w := walk{repo: r, nodes: map[string]*node{}}
	if err := w.start(oid, fromA); err != nil {
		return nil, false, err
	}
	whole = true
	for len(w.queue) > 0 {
		n := heap.Pop(&w.queue).(*node)
		for _, parent := range n.parents {
			known, err := w.reach(parent, fromA)
			if err != nil {
				return nil, false, err
			}
			whole = whole && known
		}
	}
	set = make(map[string]bool, len(w.nodes))
	for oid := range w.nodes {
		set[oid] = true
	}
	return set, whole, nil
}

// AllAncestors is Ancestors with the whole history: what a shallow clone lacks is fetched.
func (r *Repo) AllAncestors(ctx context.Context, oid string) (map[string]bool, error) {
	set, whole, err := r.Ancestors(oid)
	if err != nil || whole {
		return set, err
	}
	const hint = "run `git fetch --unshallow`, or check out with the whole history (fetch-depth: 0)"
	if err := r.deepen(ctx, "--depth=2147483647", oid, oid); err != nil {
		return nil, problem.Failedf(hint, "this clone lacks the history before %.10s, and it could not be fetched: %w", oid, err)
	}
	if set, whole, err = r.Ancestors(oid); err == nil && !whole {
		err = problem.Failedf(hint, "this clone lacks the history before %.10s", oid)
	}
	return set, err
}

// Touch is a commit that changed a file: who reads history by first parents sees what came to a branch, and by which merge.
type Touch struct {
	Commit  string
	Time    time.Time
	Subject string // first line of its message
}

// Touches lists the commits at which a file came, changed or went, on the first-parent line from a commit back, newest first, at most so many.
// whole is false when there may be more.
func (r *Repo) Touches(ctx context.Context, oid, path string, most int) (touches []Touch, whole bool, err error) {
	now, err := r.versionAt(oid, path)
	if err != nil {
		return nil, false, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		var before version
		var had string
		if len(now.parents) > 0 {
			had = now.parents[0]
			before, err = r.versionAt(had, path)
			if errors.Is(err, ErrNotFound) { // a shallow clone ends here: this may be a change or not
				return touches, false, nil
			}
			if err != nil {
				return nil, false, err
			}
		}
		if now.file != before.file {
			if len(touches) == most {
				return touches, false, nil
			}
			touches = append(touches, Touch{oid, time.Unix(now.time, 0).UTC(), now.subject})
		}
		if had == "" {
			return touches, true, nil
		}
		oid, now = had, before
	}
}

// version is a file as a commit has it; "" where it has none.
type version struct {
	commit
	file string
}

func (r *Repo) versionAt(oid, path string) (version, error) {
	c, err := r.commitAt(oid)
	if err != nil {
		return version{}, err
	}
	file, err := r.Lookup(c.tree, path)
	return version{c, file}, err
}
