package brief_test

import (
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// What is said of a leak teaches: what it sees, with the row, and how such a thing comes about.
func TestLeaksAreTold(t *testing.T) {
	one, two := "1", "2"
	leak := func(pass string, sees ...string) record.FeatureCheck {
		return record.FeatureCheck{Name: "v.x", State: record.FeatureLeaks, Example: &record.FeatureLeak{Pass: pass, Sees: sees, RowID: 7, Time: "2001-06-30T12:00:00Z",
			Before: &one, After: &two, Changed: 3, Asked: 1200}}
	}
	redacted := leak("drop", "later_rows")
	redacted.Example.Redacted, redacted.Example.Before, redacted.Example.After, redacted.Example.Time = true, nil, nil, ""
	unstable := leak("")
	unstable.State = record.FeatureUnstable
	for name, c := range map[string]struct {
		check        record.FeatureCheck
		says, advice string
	}{
		"own row":    {leak("drop", "own_row"), "it sees late columns of the row that asks: row 7, asked at 2001-06-30T12:00:00Z, gets 1, and 2 without", "a known_time before they are known"},
		"window":     {leak("randomise", "own_row", "late_columns"), "with other values in the rows that come after and other late values; so do 3 of 1,200 questions", "a window that includes the current row"},
		"late":       {leak("drop", "late_columns"), "it sees late columns before they are known", "its known_time is too early"},
		"later":      {leak("drop", "later_rows"), "it sees rows that were not there yet", "bound it in time"},
		"everything": {leak("drop", "own_row", "late_columns", "later_rows"), "rows that were not there yet, and late columns", "an aggregate over all rows"},
		"neither":    {leak("drop"), "it changes with what comes after the question", "bound the query in time"},
		"redacted":   {redacted, "row 7, gets another value without the rows that come after (not shown: it is of columns that are not public)", ""},
		"unstable":   {unstable, "its value depends on the order in which rows are read: row 7", "order fully"},
		"untried":    {record.FeatureCheck{State: record.FeatureUntried, Reason: "why"}, "not tried: why", ""},
		"clean":      {record.FeatureCheck{State: record.FeatureClean}, "", ""},
	} {
		says, advice := brief.Leak(c.check)
		if !strings.Contains(says, c.says) || !strings.Contains(advice, c.advice) || (says == "") != (c.says == "") {
			t.Errorf("%s: %s; %s", name, says, advice)
		}
	}
}
