package model

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// Feature says how a column of training becomes numbers. A String column is a category, every other type a number: bool 0 or 1, date in
// days, timestamp in microseconds.
type Feature struct {
	Name   string     `json:"name"`
	Type   table.Type `json:"type"`             // of the column in training
	Levels []string   `json:"levels,omitempty"` // a category's levels, in the order of their bytes; a level's code is its place here
	Other  bool       `json:"other,omitempty"`  // levels not listed have the code len(Levels); without it they are missing
}

// IsCategory says whether the feature has levels.
func (f *Feature) IsCategory() bool { return f.Type == table.String }

// Codes is how many codes a category has.
func (f *Feature) Codes() int {
	if f.Other {
		return len(f.Levels) + 1
	}
	return len(f.Levels)
}

func (f *Feature) check() error {
	switch {
	case f.Name == "":
		return errors.New("a feature without a name")
	case family(f.Type) == "":
		return fmt.Errorf("feature %.80q has the unknown type %.20q", f.Name, f.Type)
	case !f.IsCategory() && (f.Other || len(f.Levels) > 0):
		return fmt.Errorf("feature %.80q has levels but is not a category", f.Name)
	case !slices.IsSortedFunc(f.Levels, func(a, b string) int { return cmp.Or(cmp.Compare(a, b), -1) }):
		return fmt.Errorf("the levels of feature %.80q are not in order, each once", f.Name)
	case f.Codes() > maxCodes:
		return fmt.Errorf("feature %.80q has %d levels; at most %d are read", f.Name, f.Codes(), maxCodes)
	}
	return nil
}

// family groups the types that stand for each other: a column of integers may be scored as floats, a date may not be as a timestamp.
func family(t table.Type) string {
	switch t {
	case table.Int64, table.Float64, table.Bool, table.Decimal:
		return "number"
	case table.Date, table.Timestamp, table.String:
		return string(t)
	}
	return ""
}

// column finds the feature's column in x and checks that it is what training saw.
func (f *Feature) column(x *table.Frame) (*table.Vector, error) {
	v := x.Column(f.Name)
	if v == nil {
		return nil, problem.Wrongf("the rows to score need every feature that the model was trained on", "column %q is missing", f.Name)
	}
	if family(v.Type) != family(f.Type) {
		return nil, problem.Wrongf("the rows to score need the types that the model was trained on", "column %q is of type %s, and the model was trained on %s",
			f.Name, v.Type, f.Type)
	}
	held := max(len(v.Ints), len(v.Floats), len(v.Bools), len(v.Strings))
	if held != x.N || v.Null != nil && len(v.Null) != x.N {
		return nil, fmt.Errorf("column %q has %d values for %d rows", f.Name, held, x.N)
	}
	return v, nil
}

// Numbers gives a number feature's values in x, one a row, NaN where missing.
func (f *Feature) Numbers(x *table.Frame) ([]float64, error) {
	read, err := f.numbers(x)
	if err != nil {
		return nil, err
	}
	out := make([]float64, x.N)
	for i := range out {
		out[i] = read(i)
	}
	return out, nil
}

// Category gives a category's codes in x, one a row, -1 where missing.
func (f *Feature) Category(x *table.Frame) ([]int32, error) {
	read, err := f.codes(x)
	if err != nil {
		return nil, err
	}
	out := make([]int32, x.N)
	for i := range out {
		out[i] = read(i)
	}
	return out, nil
}

func (f *Feature) numbers(x *table.Frame) (func(row int) float64, error) {
	v, err := f.column(x)
	if err != nil {
		return nil, err
	}
	if v.Type != table.Decimal {
		return func(row int) float64 { return finite(v.Float(row)) }, nil
	}
	return func(row int) float64 {
		if v.IsNull(row) {
			return math.NaN()
		}
		y, err := strconv.ParseFloat(v.Strings[row], 64)
		if err != nil {
			return math.NaN()
		}
		return finite(y)
	}, nil
}

func (f *Feature) codes(x *table.Frame) (func(row int) int32, error) {
	v, err := f.column(x)
	if err != nil {
		return nil, err
	}
	find := f.finder(x.N)
	unlisted := int32(-1)
	if f.Other {
		unlisted = int32(len(f.Levels))
	}
	return func(row int) int32 {
		if v.IsNull(row) {
			return -1
		}
		if c, ok := find(v.Strings[row]); ok {
			return int32(c)
		}
		return unlisted
	}, nil
}

// fewRows is below how many rows a table of levels costs more than it saves.
const fewRows = 64

// finder looks levels up.
func (f *Feature) finder(rows int) func(string) (int, bool) {
	if rows < fewRows {
		return func(level string) (int, bool) { return slices.BinarySearch(f.Levels, level) }
	}
	code := make(map[string]int, len(f.Levels))
	for i, level := range f.Levels {
		code[level] = i
	}
	return func(level string) (int, bool) {
		c, ok := code[level]
		return c, ok
	}
}

// finite makes an infinity missing: it has no mean, and XGBoost refuses it.
func finite(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// Single narrows to the float32 that XGBoost compares; what is too large becomes the largest.
func Single(x float64) float32 {
	if x > math.MaxFloat32 {
		return math.MaxFloat32
	}
	if x < -math.MaxFloat32 {
		return -math.MaxFloat32
	}
	return float32(x)
}

func names(features []Feature) []string {
	out := make([]string, len(features))
	for i := range features {
		out[i] = features[i].Name
	}
	return out
}

// distinct refuses two features of one name: which column is meant could not be said.
func distinct(names []string) error {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return fmt.Errorf("two features are named %.80q", name)
		}
		seen[name] = true
	}
	return nil
}

// shares divides by the sum; all zeros stay zeros.
func shares(features []Feature, weight []float64) map[string]float64 {
	total := 0.0
	for _, w := range weight {
		total += w
	}
	out := make(map[string]float64, len(features))
	for i := range features {
		out[features[i].Name] = 0
		if total > 0 {
			out[features[i].Name] = weight[i] / total
		}
	}
	return out
}
