package brief

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Drift is what a comparison of rows found, in one sentence.
func Drift(d record.Drift) string {
	changes := map[string]record.TypeChange{}
	for _, c := range d.Columns {
		if c.Changed != nil {
			changes[c.Name] = *c.Changed
		}
	}
	compared := fmt.Sprintf("of %s compared", plural(len(d.Columns)-len(changes), "column"))
	switch d.Verdict {
	case record.DriftFound:
		if len(changes) > 0 {
			return "✗ drift: " + Changes(changes) + others(d, len(changes), compared)
		}
		return fmt.Sprintf("✗ drift: %d %s, most %s%s", d.Drifted, compared, worstDrift(d), watched(d))
	case record.DriftWatch:
		return fmt.Sprintf("? watch: none %s is both sure and large; %d to watch, most %s", compared, d.Watched, worstDrift(d))
	case record.DriftInsufficient:
		return "? cannot say: " + insufficient(d)
	}
	return fmt.Sprintf("= stable: none %s moved", compared)
}

// others says what became of the columns that are what they were.
func others(d record.Drift, changed int, compared string) string {
	moved := d.Drifted - changed
	switch {
	case moved > 0:
		return fmt.Sprintf("; %d %s, most %s%s", moved, compared, worstDrift(d), watched(d))
	case d.Watched > 0:
		return fmt.Sprintf("; none %s has drifted%s", compared, watched(d))
	case slices.ContainsFunc(d.Columns, func(c record.DriftColumn) bool { return c.Verdict == record.DriftStable }):
		return fmt.Sprintf("; none %s moved", compared)
	}
	return ""
}

// Changes says what became of columns that are not what they were, by name: "a is text now, was int64"; "" of none.
func Changes(changes map[string]record.TypeChange) string {
	var said []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if c := changes[name]; c.Is == "" {
			said = append(said, name+" is gone")
		} else {
			said = append(said, fmt.Sprintf("%s is %s now, was %s", name, typeWord(c.Is), typeWord(c.Was)))
		}
	}
	if more := len(said) - 3; more > 0 {
		said = append(said[:3], plural(more, "column")+" more changed")
	}
	return strings.Join(said, "; ")
}

// typeWord is a type as people call it.
func typeWord(t string) string {
	if t == "string" {
		return "text"
	}
	return Clip(t, 20) // of a bundle it may be any text
}

func watched(d record.Drift) string {
	if d.Watched == 0 {
		return ""
	}
	return fmt.Sprintf("; %d more to watch", d.Watched)
}

func insufficient(d record.Drift) string {
	for _, c := range d.Columns {
		if c.Reason != "" {
			return c.Reason
		}
	}
	return "no column could be compared"
}

// worstDrift names the column of the verdict with the largest impact, or effect where no importance is known.
func worstDrift(d record.Drift) string {
	worst, most := "", -1.0
	for _, c := range d.Columns {
		if c.Verdict != d.Verdict || c.Effect == nil {
			continue
		}
		x := *c.Effect
		if c.Impact != nil {
			x = 1 + *c.Impact
		}
		if x > most {
			worst, most = fmt.Sprintf("%s (effect %s)", c.Name, Number(*c.Effect, 3)), x
		}
	}
	return worst
}

// WasAndIs describes both sides of a column: a number by its median, a category by the value whose share changed most, one that is not what it was by its types.
func WasAndIs(c record.DriftColumn) (was, is string) {
	if c.Changed != nil {
		return typeWord(c.Changed.Was), cmp.Or(typeWord(c.Changed.Is), "gone")
	}
	if c.Reference != nil && c.Current != nil {
		unit := ""
		if c.Kind == "text" {
			unit = " bytes"
		}
		return "median " + Value(c.Name, c.Reference.Median) + unit, "median " + Value(c.Name, c.Current.Median) + unit
	}
	most := -1.0
	for _, s := range c.Shares {
		if change := math.Abs(s.Current - s.Reference); s.Value != nil && change > most {
			most = change
			was = fmt.Sprintf("%s %s %%", Clip(*s.Value, 20), Number(100*s.Reference, 1))
			is = fmt.Sprintf("%s %%", Number(100*s.Current, 1))
		}
	}
	return was, is
}
