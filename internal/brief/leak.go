package brief

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Leak says in words what a checked feature sees and what to do about it, "" for one that is clean.
func Leak(c record.FeatureCheck) (sentence, advice string) {
	l := c.Example
	switch {
	case c.State == record.FeatureUntried:
		return "not tried: " + c.Reason, ""
	case c.State == record.FeatureUnstable && l != nil:
		return "its value depends on the order in which rows are read: " + leakRow(c.Name, l, "read in reverse"),
			"order fully: every order by, limit, first and row_number needs a column that no two rows share"
	case c.State != record.FeatureLeaks || l == nil:
		return "", ""
	}
	sees, advice := sight(l.Sees)
	return sees + ": " + leakRow(c.Name, l, after(l)), advice
}

// sight says what a leak sees, and how such a thing comes about. The order is from the plainest mistake to the widest.
func sight(sees []string) (sentence, advice string) {
	own, late, later := has(sees, "own_row"), has(sees, "late_columns"), has(sees, "later_rows")
	switch {
	case own && !late && !later:
		return "it sees late columns of the row that asks",
			"a known_time before they are known, or a window that includes the current row: select when they are known as known_time"
	case own && !later:
		return "it sees late columns before they are known, also those of the row that asks",
			"a window that includes the current row, most likely: let it end before the row, at what was known by then"
	case late && !later:
		return "it sees late columns before they are known", "its known_time is too early: it must be when the last value that it is made of was known"
	case later && !own && !late:
		return "it sees rows that were not there yet",
			"bound it in time: no lead, no frame that follows, no join or rank over later rows, and neither feature_time nor known_time before a row that it is made of was there"
	case later:
		return "it sees rows that were not there yet, and late columns before they are known",
			"an aggregate over all rows, most likely, as of target encoding or of a day that is not over: use agg with a window, or bound the query in time"
	}
	return "it changes with what comes after the question", "bound the query in time"
}

func has(list []string, word string) bool {
	for _, s := range list {
		if s == word {
			return true
		}
	}
	return false
}

// after says what was done to the future.
func after(l *record.FeatureLeak) string {
	what := "without the rows that come after"
	if l.Pass == "randomise" {
		what = "with other values in the rows that come after"
	}
	if has(l.Sees, "own_row") || has(l.Sees, "late_columns") {
		what += " and other late values"
	}
	return what
}

// leakRow shows the question. Values that are not public are not there, and only that they differ is said.
func leakRow(name string, l *record.FeatureLeak, when string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "row %d", l.RowID)
	if l.Time != "" {
		b.WriteString(", asked at " + l.Time)
	}
	if l.Redacted {
		fmt.Fprintf(&b, ", gets another value %s (not shown: it is of columns that are not public)", when)
	} else {
		fmt.Fprintf(&b, ", gets %s, and %s %s", value(l.Before), value(l.After), when)
	}
	fmt.Fprintf(&b, "; so do %s of %s questions", Count(l.Changed), Count(l.Asked))
	return b.String()
}

func value(text *string) string {
	if text == nil {
		return "null"
	}
	return Clip(*text, 60)
}

func joined(sep, text string) string {
	if text == "" {
		return ""
	}
	return sep + text
}
