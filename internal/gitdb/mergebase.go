package gitdb

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// mark says from where a commit was reached.
type mark uint8

const (
	fromA mark = 1 << iota
	fromB
	stale  // an ancestor of a common ancestor that was found
	common // is such a one
)

// node is a commit on the walk.
type node struct {
	oid     string
	parents []string
	time    int64
	marks   mark
	queued  bool
	cut     bool // a parent is not in this clone
}

// newestFirst is a heap of commits.
type newestFirst []*node

func (q newestFirst) Len() int           { return len(q) }
func (q newestFirst) Less(i, j int) bool { return q[i].time > q[j].time }
func (q newestFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *newestFirst) Push(x any)        { *q = append(*q, x.(*node)) }
func (q *newestFirst) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// errCut says that history ends in this clone before the answer is sure.
var errCut = errors.New("the clone is too shallow to say")

// deepenings are how many more commits each further try asks for; the last asks for all.
var deepenings = []string{"--deepen=64", "--deepen=512", "--deepen=4096", "--depth=2147483647"}

// MergeBase gives the best common ancestor of two commits (object ids), as git merge-base does. A shallow clone is deepened from the remote until the answer
// is sure; when it cannot be, that is an error: any other commit would be a wrong baseline.
func (r *Repo) MergeBase(ctx context.Context, a, b string) (string, error) {
	base, err := r.mergeBase(a, b)
	for _, depth := range deepenings {
		if !errors.Is(err, errCut) {
			break
		}
		if deepenErr := r.deepen(ctx, depth, a, b); deepenErr != nil {
			return "", problem.Failedf("run `git fetch --unshallow`, or check out with the whole history (fetch-depth: 0)",
				"finding the merge base of %.10s and %.10s: %w: %w", a, b, err, deepenErr)
		}
		base, err = r.mergeBase(a, b)
	}
	if errors.Is(err, errCut) {
		return "", problem.Failedf("run `git fetch --unshallow`, or check out with the whole history (fetch-depth: 0)",
			"finding the merge base of %.10s and %.10s: %w", a, b, err)
	}
	return base, err
}

// Find is Resolve, and asks the remote for a commit that is named by its id and is not here, as in a clone of a single merge commit.
func (r *Repo) Find(ctx context.Context, rev string) (string, error) {
	commit, err := r.Resolve(rev)
	if err == nil || !r.format.is(rev) {
		return commit, err
	}
	if _, remote := r.Remote(); !remote || r.program == "" || r.fetch(ctx, fetchCall{args: []string{"--depth=1"}, specs: []string{rev}}) != nil {
		return "", err
	}
	return r.Resolve(rev)
}

// deepen asks for the history of the two commits themselves; a remote that does not have one of them (it was never pushed) for that of its branches.
func (r *Repo) deepen(ctx context.Context, depth, a, b string) error {
	at, err := r.remote()
	if err != nil {
		return err
	}
	if r.program == "" {
		return errNoProgram
	}
	if err = r.fetch(ctx, fetchCall{args: []string{depth}, specs: []string{a, b}}); err != nil {
		// By its name: the configured refspecs say which branches.
		_, err = r.git(ctx, call{args: []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", depth, "--", at.name}, config: r.tokenSettings()})
	}
	return err
}

func (r *Repo) tokenSettings() [][2]string {
	at, err := r.remote()
	if err != nil {
		return nil
	}
	return r.asToken(at.url)
}

func (r *Repo) mergeBase(a, b string) (string, error) {
	w := walk{repo: r, nodes: map[string]*node{}}
	if err := errors.Join(w.start(a, fromA), w.start(b, fromB)); err != nil {
		return "", err
	}
	if err := w.paint(func() bool { return slices.ContainsFunc(w.queue, func(n *node) bool { return n.marks&stale == 0 }) }); err != nil {
		return "", err
	}
	found, cut := w.found()
	if len(found) > 1 || cut {
		// Commit times that run backwards can leave an ancestor of a common ancestor unmarked: now go to the very end.
		if err := w.paint(func() bool { return len(w.queue) > 0 }); err != nil {
			return "", err
		}
		found, cut = w.found()
	}
	switch {
	case cut || len(found) > 1 && slices.ContainsFunc(found, func(n *node) bool { return n.cut }):
		return "", errCut
	case len(found) == 0:
		return "", problem.Failedf("rebase one onto the other", "%.10s and %.10s have no common ancestor", a, b)
	}
	best := slices.MinFunc(found, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.time, a.time), strings.Compare(a.oid, b.oid))
	})
	return best.oid, nil
}

// found gives the common ancestors that are not ancestors of one another, and whether history was cut before one could be found. What is cut behind a common
// ancestor does not matter.
func (w *walk) found() (bases []*node, cut bool) {
	for _, n := range w.nodes {
		switch {
		case n.marks&stale != 0:
		case n.marks&common != 0:
			bases = append(bases, n)
		default:
			cut = cut || n.cut
		}
	}
	return bases, cut
}

// walk goes through history from the newest commit on.
type walk struct {
	repo  *Repo
	nodes map[string]*node
	queue newestFirst
}

func (w *walk) start(oid string, marks mark) error {
	known, err := w.reach(oid, marks)
	if err == nil && !known {
		err = errCut
	}
	return err
}

// reach marks a commit and queues it when that is news; false when the clone does not have it.
func (w *walk) reach(oid string, marks mark) (bool, error) {
	n := w.nodes[oid]
	if n == nil {
		c, err := w.repo.commitAt(oid)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("reading commit %s: %w", oid, err)
		}
		n = &node{oid: oid, parents: c.parents, time: c.time}
		w.nodes[oid] = n
	}
	if n.marks&marks == marks {
		return true, nil
	}
	n.marks |= marks
	if !n.queued {
		n.queued = true
		heap.Push(&w.queue, n)
	}
	return true, nil
}

// paint is Git's paint_down_to_common: marks flow from children to parents as long as more says so.
func (w *walk) paint(more func() bool) error {
	for more() {
		n := heap.Pop(&w.queue).(*node)
		n.queued = false
		marks := n.marks &^ common
		if marks&(fromA|fromB) == fromA|fromB && marks&stale == 0 {
			n.marks |= common
			marks |= stale
		}
		for _, parent := range n.parents {
			known, err := w.reach(parent, marks)
			if err != nil {
				return err
			}
			n.cut = n.cut || !known
		}
	}
	return nil
}

// Distance counts the commits that b has and a does not; -1 when it cannot be said.
func (r *Repo) Distance(a, b string) int {
	without, err := r.ancestors(a, nil)
	if err != nil {
		return -1
	}
	only, err := r.ancestors(b, without)
	if err != nil {
		return -1
	}
	return len(only)
}

func (r *Repo) ancestors(oid string, except map[string]*node) (map[string]*node, error) {
	w := walk{repo: r, nodes: map[string]*node{}}
	if except[oid] != nil {
		return nil, nil
	}
	if err := w.start(oid, fromA); err != nil {
		return nil, err
	}
	for len(w.queue) > 0 {
		n := heap.Pop(&w.queue).(*node)
		for _, parent := range n.parents {
			if except[parent] != nil {
				continue
			}
			if _, err := w.reach(parent, fromA); err != nil {
				return nil, err
			}
		}
	}
	return w.nodes, nil
}
