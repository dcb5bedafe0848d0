package gitdb

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Change is a file that two trees do not have alike.
type Change struct {
	Path     string
	Old, New string // object ids; "" where there is none
}

// Changes lists the regular files in which two commits or trees ("" for an empty one) differ, by folder. Folders that are the same are not looked into, so that
// the cost is that of the difference.
func (r *Repo) Changes(from, to string) ([]Change, error) {
	d := differing{repo: r}
	err := d.changes(from, to, "", 0)
	return d.out, err
}

// ChangesUnder is Changes of one folder of the top ("runs"; "" for all) of trees that only plumb writes: what lies deeper than anything of its own is left out.
// Paths are whole.
func (r *Repo) ChangesUnder(from, to, folder string) ([]Change, error) {
	d := differing{repo: r, own: true}
	if folder == "" {
		err := d.changes(from, to, "", 0)
		return d.out, err
	}
	before, err := r.entriesByName(from)
	if err != nil {
		return nil, err
	}
	after, err := r.entriesByName(to)
	if err != nil {
		return nil, err
	}
	err = d.changes(dirID(before[folder]), dirID(after[folder]), folder+"/", 1)
	return d.out, err
}

// maxCompared is how many folders a comparison looks into: a few trees that hold each other can name more than there are atoms.
const maxCompared = 100_000

// differing is a comparison of trees.
type differing struct {
	repo   *Repo
	own    bool // they are of a tree that only plumb writes
	out    []Change
	looked int
}

func (d *differing) changes(from, to, folder string, depth int) error {
	d.looked++
	switch {
	case from == to, d.own && depth > ownDepth:
		return nil
	case depth > maxDepth:
		return fmt.Errorf("comparing trees: more than %d folders deep", maxDepth)
	case d.looked > maxCompared:
		return fmt.Errorf("comparing trees: more than %d folders differ, at last %q", maxCompared, folder)
	}
	before, err := d.repo.entriesByName(from)
	if err != nil {
		return err
	}
	after, err := d.repo.entriesByName(to)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(after))
	for name, entry := range after {
		if old, ok := before[name]; !ok || old != entry {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		old, now := before[name], after[name]
		c := Change{Path: folder + name, Old: fileID(old), New: fileID(now)}
		if c.Old != c.New {
			d.out = append(d.out, c)
		}
		if oldDir, nowDir := dirID(old), dirID(now); oldDir != nowDir {
			if err := d.changes(oldDir, nowDir, folder+name+"/", depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Repo) entriesByName(oid string) (map[string]treeEntry, error) {
	if oid == "" {
		return nil, nil
	}
	entries, err := r.treeOf(oid)
	if err != nil {
		return nil, err
	}
	out := make(map[string]treeEntry, len(entries))
	for _, entry := range entries {
		if plainName(entry.name) {
			out[entry.name] = entry
		}
	}
	return out, nil
}

// fileID is the object id of a regular file, "" of anything else.
func fileID(e treeEntry) string {
	if e.mode.isFile() {
		return e.oid
	}
	return ""
}

func dirID(e treeEntry) string {
	if e.mode == modeDir {
		return e.oid
	}
	return ""
}

// Step is a commit of a history.
type Step struct {
	ID      string
	Parents []string
	By      Identity // who committed it
	Time    time.Time
}

// Steps lists a commit and those before it, each after its parents. cut lists parents that this clone does not have.
func (r *Repo) Steps(tip string) (steps []Step, cut []string, err error) {
	type frame struct {
		step Step
		next int
	}
	var stack []frame
	seen := map[string]bool{}
	enter := func(oid string) error {
		seen[oid] = true
		c, err := r.commitAt(oid)
		if errors.Is(err, ErrNotFound) {
			cut = append(cut, oid)
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading commit %s: %w", oid, err)
		}
		stack = append(stack, frame{step: Step{ID: oid, Parents: c.parents, By: c.by, Time: time.Unix(c.time, 0).UTC()}})
		return nil
	}
	if err := enter(tip); err != nil {
		return nil, nil, err
	}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.step.Parents) {
			steps = append(steps, top.step)
			stack = stack[:len(stack)-1]
			continue
		}
		parent := top.step.Parents[top.next]
		top.next++
		if !seen[parent] {
			if err := enter(parent); err != nil {
				return nil, nil, err
			}
		}
	}
	return steps, cut, nil
}
