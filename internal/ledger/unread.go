package ledger

import (
	"slices"

	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/problem"
)

// maxProblems is how many records that can't be read are told of one by one. Whoever can write the branch can add any number of them, and the others are counted.
const maxProblems = 1000

// unread are records that could not be taken in: the first of them, and how many more there are.
type unread struct {
	first []index.Problem
	more  int
}

func (u *unread) add(p index.Problem) {
	if len(u.first) == maxProblems {
		u.more++
		return
	}
	u.first = append(u.first, p)
}

func (u *unread) take(other unread) {
	for _, p := range other.first {
		u.add(p)
	}
	u.more += other.more
}

// report takes note of a record that can't be read, once. The caller holds v.mu.
func (v *View) report(path string, err error) {
	if v.reported[path] {
		return
	}
	if v.reported == nil {
		v.reported = map[string]bool{}
	}
	if v.reported[path] = true; v.problems.Len() >= maxProblems {
		return
	}
	v.problems.Add(problem.Problem{Pos: problem.Pos{File: path}, Rule: "ledger-record", Level: problem.LevelWarning, Message: err.Error(),
		Hint: "the record is left out; records are never edited, so see `git log` of the ledger for who changed it"})
}

// Unread counts what is wrong with the records that were decoded so far, and with paths that are no record's. Such records are left out everywhere else.
func (v *View) Unread() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.reported) + v.unread
}

// Strays lists the TOML files whose paths are no record's.
func (v *View) Strays() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.load("")
	return slices.Clone(v.strays)
}

// Problems lists the first thousand of what Unread counts.
func (v *View) Problems() []problem.Problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.problems.All()
}
