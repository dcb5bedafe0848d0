package gitdb

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/plumb-ml/plumb/internal/problem"
)

// CommitTime is when a commit was made, in UTC.
func (r *Repo) CommitTime(oid string) (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	commit, err := r.commit(oid)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading commit %s: %w", oid, err)
	}
	return commit.Committer.When.UTC(), nil
}

func (r *Repo) commit(oid string) (c object.Commit, err error) {
	obj, err := r.object(plumbing.CommitObject, oid)
	if err == nil {
		err = c.Decode(obj)
	}
	return c, err
}

// Ancestors gives a commit and those before it. whole is false when history ends in this clone before its beginning.
func (r *Repo) Ancestors(oid string) (set map[string]bool, whole bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := walk{repo: r, nodes: map[plumbing.Hash]*node{}}
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
	for hash := range w.nodes {
		set[hash.String()] = true
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
