// Package table is how rows travel between packages: a Frame of typed columns, plain Rows of a small result, and the Query that asks for them.
//
// It is not a data-frame library: nothing here computes. It stores nothing.
package table

import (
	"fmt"
	"math"
)

// Type is the type of a column, as package record digests it.
type Type string

// The column types.
const (
	Int64     Type = "int64"
	Float64   Type = "float64"
	Bool      Type = "bool"
	String    Type = "string"
	Date      Type = "date"      // days since 1970-01-01, in Ints
	Timestamp Type = "timestamp" // microseconds since 1970-01-01 UTC, in Ints
	Decimal   Type = "decimal"   // unscaled text and scale, in Strings as "123.45"
)

// Column names a column and gives its type.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Vector is one column's values. Exactly one of Ints, Floats, Bools and Strings is set, by Type.
type Vector struct {
	Column
	Null    []bool // nil when nothing is null, else one a row
	Ints    []int64
	Floats  []float64
	Bools   []bool
	Strings []string
}

// Frame is a set of columns of equal length.
type Frame struct {
	Columns []Vector
	N       int // rows
}

// Query is a question that a judge asks and an engine answers.
type Query struct {
	Name string // says to the judge which answer this is
	SQL  string
}

// Rows is a small result, row by row. Values are nil, bool, int64, float64, string or time.Time.
type Rows struct {
	Columns []Column
	Values  [][]any
}

// Column finds a column by name, or nil.
func (f *Frame) Column(name string) *Vector {
	for i := range f.Columns {
		if f.Columns[i].Name == name {
			return &f.Columns[i]
		}
	}
	return nil
}

// IsNull says whether row i has no value.
func (v *Vector) IsNull(i int) bool { return v.Null != nil && v.Null[i] }

// Float gives row i as a number: NaN for null and for text that is not one.
func (v *Vector) Float(i int) float64 {
	switch {
	case v.IsNull(i):
		return math.NaN()
	case v.Floats != nil:
		return v.Floats[i]
	case v.Ints != nil:
		return float64(v.Ints[i])
	case v.Bools != nil:
		if v.Bools[i] {
			return 1
		}
		return 0
	}
	return math.NaN()
}

// Text gives row i as text, "" for null. Numbers print in their shortest exact form.
func (v *Vector) Text(i int) string {
	switch {
	case v.IsNull(i):
		return ""
	case v.Strings != nil:
		return v.Strings[i]
	case v.Ints != nil:
		return fmt.Sprint(v.Ints[i])
	case v.Floats != nil:
		return fmt.Sprint(v.Floats[i])
	case v.Bools != nil:
		return fmt.Sprint(v.Bools[i])
	}
	return ""
}

// Select gives a frame of the rows whose numbers are listed, in that order.
func (f *Frame) Select(rows []int) Frame {
	out := Frame{N: len(rows), Columns: make([]Vector, len(f.Columns))}
	for c := range f.Columns {
		v := &f.Columns[c]
		out.Columns[c] = Vector{Column: v.Column, Null: pick(v.Null, rows), Ints: pick(v.Ints, rows),
			Floats: pick(v.Floats, rows), Bools: pick(v.Bools, rows), Strings: pick(v.Strings, rows)}
	}
	return out
}

func pick[T any](from []T, rows []int) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = from[r]
	}
	return out
}
