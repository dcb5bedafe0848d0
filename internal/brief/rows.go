package brief

import (
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Row is a line of the table, ready to be shown. What does not exist is Absent, and Reason says why.
type Row struct {
	Model      string // "delay", or "delay, origin-history" where several experiments answer it
	Metric     string // with its slice and unit
	Base       string
	Head       string
	Difference string
	Interval   string
	Verdict    string // one of record's
	Gate       string // pass | fail | unknown | none
	Level      string
	Reason     string
}

// VerdictText is the row's verdict as symbol and word: "✓ better".
func (r Row) VerdictText() string { return mark(r.Verdict) }

// GateText is what the gate says as symbol and word; a row that no gate reads says so.
func (r Row) GateText() string {
	switch r.Gate {
	case record.GatePass, record.GateFail:
		return mark(r.Gate)
	case record.GateUnknown:
		return "? unknown"
	}
	return "no gate"
}

func mark(state string) string {
	if s := Symbol(state); s != "" {
		return s + " " + Word(state)
	}
	return Word(state)
}

// RowOf shows one metric of a comparison.
func RowOf(m record.MetricDifference) Row {
	row := Row{Metric: Label(m.Name), Base: Absent, Head: Absent, Difference: Absent, Interval: Absent, Verdict: m.Verdict, Gate: m.Gate, Level: m.Level, Reason: m.Reason}
	if hasUnit(m) {
		row.Metric += " (" + m.Unit + ")"
	}
	if m.Slice != "" {
		row.Metric += ", " + m.Slice
	}
	d := decimals(m)
	if m.Base != nil {
		row.Base = Number(*m.Base, d)
	}
	if m.Head != nil {
		row.Head = Number(*m.Head, d)
	}
	if m.Difference != nil {
		row.Difference = Signed(*m.Difference, d)
	}
	if m.Low != nil && m.High != nil {
		row.Interval = interval(*m.Low, *m.High, d)
	}
	if m.RowsNeeded > 0 {
		row.Reason = "about " + About(m.RowsNeeded) + " more rows needed"
		if m.Reason != "" && !strings.Contains(m.Reason, "more rows needed") {
			row.Reason = m.Reason + "; " + row.Reason
		}
	}
	return row
}

// hasUnit is false where the label says the unit, and for "label", metric's word for the label's own unit, which only the dataset's document may know.
func hasUnit(m record.MetricDifference) bool {
	return m.Unit != "" && m.Unit != "label" && !strings.HasSuffix(Label(m.Name), ")")
}

// RowOfValue shows what the change is worth, or nothing when no design card says what an answer is worth.
func RowOfValue(v *record.ValueDifference) (Row, bool) {
	if v == nil || v.Base == nil && v.Head == nil && v.Reason == "" {
		return Row{}, false
	}
	row := Row{Metric: "value", Base: Absent, Head: Absent, Difference: Absent, Interval: Absent, Gate: record.GateNone, Level: "info", Reason: v.Reason}
	if v.Period != "" {
		row.Metric += " a " + v.Period
	}
	if v.Base != nil {
		row.Base = Money(v.Currency, *v.Base)
	}
	if v.Head != nil {
		row.Head = Money(v.Currency, *v.Head)
	}
	if v.Difference != nil {
		row.Difference = SignedMoney(v.Currency, *v.Difference)
	}
	if v.Low != nil && v.High != nil {
		row.Interval = SignedMoney(v.Currency, *v.Low) + " … " + SignedMoney(v.Currency, *v.High)
		row.Verdict = verdictOfInterval(*v.Low, *v.High)
	}
	return row, true
}

// verdictOfInterval reads an interval without a tolerance, money up being good.
func verdictOfInterval(low, high float64) string {
	switch {
	case low > 0:
		return record.Better
	case high < 0:
		return record.Worse
	case low == 0 && high == 0:
		return record.Same
	}
	return record.Inconclusive
}

// Rows shows a comparison's metrics over all rows, those that gate first, then guard, then the rest, and its value.
func Rows(c record.Comparison) []Row {
	var out []Row
	for _, level := range []string{"gate", "guard", "info", ""} {
		for _, m := range c.Metrics {
			if m.Slice == "" && m.Level == level {
				out = append(out, RowOf(m))
			}
		}
		if level == "guard" {
			if row, ok := RowOfValue(c.Value); ok {
				out = append(out, row)
			}
		}
	}
	return out
}

// SliceRows shows a comparison's metrics of slices, as listed.
func SliceRows(c record.Comparison) []Row {
	var out []Row
	for _, m := range c.Metrics {
		if m.Slice != "" {
			out = append(out, RowOf(m))
		}
	}
	return out
}

// table takes the most telling rows of all comparisons, as many as there is room for, and counts the rest.
func table(comparisons []record.Comparison) (rows []Row, hidden int) {
	lists := make([][]Row, len(comparisons))
	total := 0
	for i, c := range comparisons {
		lists[i] = Rows(c)
		for r := range lists[i] {
			lists[i][r].Model = modelName(c, comparisons)
		}
		total += len(lists[i])
	}
	// Fair shares: every comparison gives its next row in turn, so that none is crowded out.
	share := make([]int, len(lists))
	for taken := 0; taken < min(total, MaxRows); {
		for i := range lists {
			if share[i] < len(lists[i]) && taken < MaxRows {
				share[i]++
				taken++
			}
		}
	}
	for i, n := range share {
		rows = append(rows, lists[i][:n]...)
	}
	return rows, total - len(rows)
}

func modelName(c record.Comparison, all []record.Comparison) string {
	for _, other := range all {
		if other.Model == c.Model && other.Experiment != c.Experiment {
			return c.Model + ", " + c.Experiment
		}
	}
	return c.Model
}
