// Package rule is plumb's one expression language: row features, labels, `known` times, groups, gates, triggers and the worth of a case.
//
// An expression is parsed and typed once, then evaluated in Go (Eval) or written as SQL that DuckDB and Trino both accept (SQL); a conformance
// table holds that the two agree. It is not a programming language: no variables, no loops, no effects, and it never fails on a row.
// It stores nothing.
//
// What holds both ways:
//
//   - null propagates through operators and functions; and, or, not are three-valued; a comparison with null is null; a `?:` whose condition
//     is null takes its second branch, as SQL's case does.
//   - ?? binds tightest and wants brackets before a following operator: `(x ?? 0) > 1`. not binds tighter than a comparison.
//   - Integers are 64 bits; what overflows is null. `/` always gives a float64. Division and remainder by zero are null; so are sqrt, ln and
//     log10 outside their domain. `%` has the sign of its left side.
//   - Floats are IEEE 754. A NaN or infinity in a column counts as null; one that arithmetic makes stays, NaN ordered above everything.
//   - min and max of values are null when one of them is.
//   - A duration is a whole number of milliseconds; times are UTC, in microseconds, and cut to milliseconds before one is taken from another.
package rule

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/table"
)

// The types that only expressions have, beside those of package table.
const (
	DurationType table.Type = "duration" // milliseconds; in SQL a bigint
	Numbers      table.Type = "numbers"  // a list of numbers, []float64; gates and triggers only, has no SQL

	nullType table.Type = "null"
)

// Limits of one expression.
const (
	MaxBytes = 4 << 10 // of source
	MaxDepth = 64      // of brackets and of the tree
	MaxNodes = 500     // of the tree
	maxSQL   = 64 << 10
)

// Duration is a length of time in milliseconds.
type Duration int64

// Env says which names an expression may use. A name may hold dots: "params.rounds". Columns that the SQL form reads must have exactly these
// types: bigint, double, boolean, varchar, date, timestamp without zone, or any decimal.
type Env struct {
	Columns    map[string]table.Type
	Aggregates *Aggregates // nil: an expression is about one row
}

// Expr is a checked expression. Its zero value evaluates to null.
type Expr struct {
	source string
	root   *node
}

// Error is what is wrong with an expression, and where.
type Error struct {
	Offset int // in bytes, from 0
	Msg    string
	Hint   string // what is allowed or meant; may be empty
}

func (e *Error) Error() string { return fmt.Sprintf("%s (at character %d)", e.Msg, e.Offset+1) }

// Parse reads one expression over the names of env. The error is always an *Error.
func Parse(src string, env Env) (Expr, error) {
	if err := scan(src, env.Aggregates != nil); err != nil {
		return Expr{}, err
	}
	tree, err := parseTree(src)
	if err != nil {
		return Expr{}, err
	}
	b := builder{env: env, offsets: byteOffsets(src)}
	root, err := b.build(tree, 1)
	if err != nil {
		return Expr{}, err
	}
	if root.typ == nullType {
		return Expr{}, &Error{Offset: root.at, Msg: "this is always null", Hint: "null is for a branch of ?: only"}
	}
	if _, ok := (&emitter{quote: Quote, limit: maxSQL}).text(root); !ok {
		return Expr{}, &Error{Msg: "this is too nested to be written as SQL", Hint: "name a part of it as an expression of its own"}
	}
	return Expr{source: src, root: root}, nil
}

// String gives the source.
func (e Expr) String() string { return e.source }

// Type gives the type of the value: one of package table's, DurationType, or Numbers.
func (e Expr) Type() table.Type {
	if e.root == nil {
		return nullType
	}
	return e.root.typ
}

// Columns lists the names that the expression reads, each once, in order of first use.
func (e Expr) Columns() []string {
	var names []string
	seen := map[string]bool{}
	e.root.walk(func(n *node) {
		if n.kind == kindColumn && !seen[n.name] {
			seen[n.name] = true
			names = append(names, n.name)
		}
	})
	return names
}
