package learn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// describe makes a feature of every column. Levels are the most frequent ones, ties by name, in the order of their bytes.
func describe(x *table.Frame, levels int) ([]model.Feature, error) {
	var out []model.Feature
	seen := map[string]bool{}
	for i := range x.Columns {
		v := &x.Columns[i]
		switch {
		case v.Name == "" || !utf8.ValidString(v.Name):
			return nil, problem.Wrongf("", "the name of feature %d, %q, is not text", i+1, v.Name)
		case seen[v.Name]:
			return nil, problem.Wrongf("give one of them another name", "two features are named %q", v.Name)
		}
		seen[v.Name] = true
		f := model.Feature{Name: v.Name, Type: v.Type}
		if f.IsCategory() {
			if len(v.Strings) != x.N {
				return nil, fmt.Errorf("column %q has %d values for %d rows", v.Name, len(v.Strings), x.N)
			}
			f.Levels, f.Other = frequent(v, levels)
		}
		out = append(out, f)
	}
	return out, nil
}

func frequent(v *table.Vector, limit int) (levels []string, other bool) {
	count := map[string]int{}
	for i, s := range v.Strings {
		if !v.IsNull(i) {
			count[s]++
		}
	}
	for s := range count {
		if utf8.ValidString(s) { // the model's file could not say anything else
			levels = append(levels, s)
		}
	}
	if len(levels) > limit {
		slices.SortFunc(levels, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b)) })
		levels, other = levels[:limit:limit], true
	}
	slices.Sort(levels)
	for i := range levels {
		levels[i] = strings.Clone(levels[i])
	}
	return levels, other
}

// census is what the train part has in one column.
type census struct{ distinct, other, missing int }

// notes says what training can't use of a column.
func (c census) notes(f *model.Feature) (out []string) {
	switch {
	case c.distinct == 0:
		out = append(out, fmt.Sprintf("%q has no values in the train part and is not used", f.Name))
	case c.distinct == 1 && c.missing == 0:
		out = append(out, fmt.Sprintf("%q has one value only in the train part and is not used", f.Name))
	}
	if f.Other {
		out = append(out, fmt.Sprintf("%q has more than %d levels: the rarer ones, on %d rows, are one level \"other\"", f.Name, len(f.Levels), c.other))
	}
	return out
}
