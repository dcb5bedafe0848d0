package page

import (
	"cmp"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// driftGrid shows every column of the newest window, the most moved first.
func (s *builder) driftGrid(m *record.Monitor) (grid, string) {
	var found record.Drift
	if why := s.blob(m.Drift, &found); why != "" {
		return grid{}, why
	}
	g := grid{Caption: "Columns of the newest window", Columns: []column{{"column", ""}, {"verdict", ""}, {"effect", "n"}, {"q", "n"}, {"was", "n"}, {"is", "n"}, {"missing", "n"}}}
	columns := slices.Clone(found.Columns)
	slices.SortStableFunc(columns, func(a, b record.DriftColumn) int {
		return cmp.Or(cmp.Compare(graveness(a), graveness(b)), cmp.Compare(effectOf(b), effectOf(a)))
	})
	for _, c := range capped(columns) {
		b := state(driftState(c.Verdict))
		if c.Severe {
			b.Text += ", severe"
		}
		was, is := brief.WasAndIs(c)
		g.Rows = append(g.Rows, []cell{{Text: c.Name, Sub: c.Role}, {Text: b.Text, Sub: c.Reason, Class: b.Class}, {Text: orAbsent(c.Effect), Sub: effectName(c.EffectName)}, {Text: orAbsent(c.Q)},
			{Text: was}, {Text: is}, {Text: brief.Number(100*c.NullShareCurrent, 1) + " %"}})
	}
	g.More = more(len(g.Rows), len(columns), "columns", "plumb drift --json has them all")
	return g, ""
}

func graveness(c record.DriftColumn) int {
	return slices.Index([]string{record.DriftFound, record.DriftWatch, record.DriftInsufficient, record.DriftStable}, c.Verdict)
}

// effectOf is for the order of columns of one verdict: what is not what it was comes first.
func effectOf(c record.DriftColumn) float64 {
	if c.Changed != nil {
		return math.Inf(1)
	}
	if c.Effect == nil {
		return 0
	}
	return *c.Effect
}

func orAbsent(x *float64) string {
	if x == nil {
		return brief.Absent
	}
	return brief.Number(*x, 3)
}

// driftState is a verdict on a column in the words that badges know.
func driftState(verdict string) string {
	return map[string]string{record.DriftFound: brief.Drifted, record.DriftWatch: brief.Watch, record.DriftStable: brief.Quiet, record.DriftInsufficient: record.GateUnknown}[verdict]
}

// effectName is how a measure of difference is called by those who use it.
func effectName(name string) string {
	return map[string]string{"ks_d": "KS D", "cramers_v": "Cramér's V"}[name]
}
