package brief

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/record"
)

// Drift is what a comparison of rows found, in one sentence.
func Drift(d record.Drift) string {
	compared := fmt.Sprintf("of %s compared", plural(len(d.Columns), "column"))
	switch d.Verdict {
	case record.DriftFound:
		return fmt.Sprintf("✗ drift: %d %s, most %s%s", d.Drifted, compared, worstDrift(d), watched(d))
	case record.DriftWatch:
		return fmt.Sprintf("? watch: none %s is both sure and large; %d to watch, most %s", compared, d.Watched, worstDrift(d))
	case record.DriftInsufficient:
		return "? cannot say: " + insufficient(d)
	}
	return fmt.Sprintf("= stable: none %s moved", compared)
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

// WasAndIs describes both sides of a column: a number by its median, a category by the value whose share changed most.
func WasAndIs(c record.DriftColumn) (was, is string) {
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
