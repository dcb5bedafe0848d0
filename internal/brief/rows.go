package brief

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Row is a line of the table, ready to be shown. What does not exist is Absent, and Reason says why.
type Row struct {
	Model      string // "delay", or "delay, origin-history" where several experiments answer it
	Metric     string // with its slice and unit
	Base       string
	Head       string
	BaseSpread string // "± 0.002" where the number is a mean over seeds
	HeadSpread string
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
	row.BaseSpread, row.HeadSpread = plusMinus(m.BaseSpread, d), plusMinus(m.HeadSpread, d)
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
	if v.AssumeLow != nil && v.AssumeHigh != nil {
		// The interval holds the assumptions fixed. A verdict must hold whatever they are within their ranges.
		if row.Verdict != verdictOfInterval(*v.AssumeLow, *v.AssumeHigh) {
			row.Verdict = record.Inconclusive
		}
		row.Reason = fmt.Sprintf("%s … %s within the ranges of %s", SignedMoney(v.Currency, *v.AssumeLow), SignedMoney(v.Currency, *v.AssumeHigh), assumptions(v))
	}
	return row, true
}

func assumptions(v *record.ValueDifference) string {
	if v.Guesses == v.Ranged {
		return map[bool]string{true: "1 guess", false: Count(v.Guesses) + " guesses"}[v.Guesses == 1]
	}
	return fmt.Sprintf("%d assumptions, %d of them guesses", v.Ranged, v.Guesses)
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

// SliceRows shows the slices of a comparison, those that lost most first.
func SliceRows(c record.Comparison) []Row {
	var out []Row
	for _, m := range slicesOf(c) {
		out = append(out, RowOf(m))
	}
	return out
}

// SlicesLost says how many slices lost, in numbers alone, and which lost most; "" without slices.
func SlicesLost(c record.Comparison) (count, most string) {
	lost, sure := 0, 0
	all := slicesOf(c)
	for _, m := range all {
		if gain, ok := gainOf(m); ok && gain < 0 {
			lost++
		}
		if m.Verdict == record.Worse {
			sure++
		}
	}
	switch {
	case len(all) == 0:
		return "", ""
	case lost == 0:
		return "none lost", ""
	}
	count = fmt.Sprintf("%d lost, %d for sure", lost, sure)
	if sure == 0 {
		count = fmt.Sprintf("%d lost, none for sure", lost)
	}
	return count, fmt.Sprintf("%s lost most: %s", all[0].Slice, RowOf(all[0]).Difference)
}

// slicesOf gives the slices, those that lost most first and those without a number last.
func slicesOf(c record.Comparison) []record.MetricDifference {
	var out []record.MetricDifference
	for _, m := range c.Metrics {
		if m.Slice != "" {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b record.MetricDifference) int {
		x, okX := gainOf(a)
		y, okY := gainOf(b)
		if okX != okY {
			return map[bool]int{true: -1, false: 1}[okX]
		}
		return cmp.Compare(x, y)
	})
	return out
}

// gainOf is a difference signed so that up is good.
func gainOf(m record.MetricDifference) (float64, bool) {
	switch {
	case m.Difference == nil:
		return 0, false
	case m.Direction == "down":
		return -*m.Difference, true
	}
	return *m.Difference, true
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
