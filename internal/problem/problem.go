// Package problem holds what is wrong with the files a person wrote: positions in them, lists of problems, and failures that carry an exit code.
//
// It is not an error log: a List gathers every problem of every document, so that one run shows them all; a Failure ends a command.
// It stores nothing.
package problem

import (
	"cmp"
	"fmt"
	"slices"
)

// Level says whether a problem stops the command.
type Level string

// The levels of a problem.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Pos is a place in a file. Line and Col count from 1; Col counts bytes. Zero means "the whole file".
type Pos struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

// String gives file:line:col, leaving out what is zero.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Problem is one thing that is wrong in one place.
type Problem struct {
	Pos
	Rule    string `json:"rule"` // kebab-case id of the rule that found it
	Level   Level  `json:"level"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do next; may be empty
}

// List gathers problems. Its zero value is ready to use.
type List struct {
	items []Problem
}

// Add puts problems on the list.
func (l *List) Add(ps ...Problem) { l.items = append(l.items, ps...) }

// Errorf adds an error at pos.
func (l *List) Errorf(pos Pos, rule, format string, args ...any) {
	l.Add(Problem{Pos: pos, Rule: rule, Level: LevelError, Message: fmt.Sprintf(format, args...)})
}

// Len counts what was added so far.
func (l *List) Len() int { return len(l.items) }

// Warnf adds a warning at pos.
func (l *List) Warnf(pos Pos, rule, format string, args ...any) {
	l.Add(Problem{Pos: pos, Rule: rule, Level: LevelWarning, Message: fmt.Sprintf(format, args...)})
}

// Hint sets the hint of the problem added last.
func (l *List) Hint(format string, args ...any) {
	if n := len(l.items); n > 0 {
		l.items[n-1].Hint = fmt.Sprintf(format, args...)
	}
}

// All gives the problems ordered by file, line, column and rule, without repeats.
func (l *List) All() []Problem {
	out := slices.Clone(l.items)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(out)
}

// Errors counts the problems that stop a command.
func (l *List) Errors() int {
	n := 0
	for _, p := range l.All() {
		if p.Level == LevelError {
			n++
		}
	}
	return n
}
