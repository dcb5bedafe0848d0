package quality

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// judge holds the answers by alias.
type judge struct {
	values map[string]any
	now    time.Time
}

func (j *judge) check(a ask) record.QualityCheck {
	k := a.check
	c := record.QualityCheck{Index: a.index, ID: k.ID, Kind: k.Kind, Column: k.Column, Columns: k.Columns, Level: k.Level, Dimension: k.Dimension,
		PartialUnexpected: []any{}, UnexpectedIndex: []int64{}}
	if c.Columns == nil {
		c.Columns = []string{}
	}
	if a.problem != "" {
		c.State, c.Reason = record.CheckError, a.problem
		return c
	}
	switch k.Kind {
	case "expect_column_to_exist":
		return decided(c, a.exists, fmt.Sprintf("there is no column %q", k.Column))
	case "expect_column_values_to_be_of_type":
		c.Observed = string(a.type_)
		return decided(c, string(a.type_) == k.Type, fmt.Sprintf("the column is %s, not %s", a.type_, k.Type))
	case "expect_table_row_count_to_be_between":
		return j.within(c, a, "n_rows", "the table has %s rows, not %s")
	case "expect_column_mean_to_be_between":
		return j.within(c, a, a.alias("a"), "the mean is %s, not %s")
	case "newest_event_within":
		return j.newest(c, a)
	}
	return j.rows(c, a)
}

// decided sets the outcome; why is told only when it is a failure.
func decided(c record.QualityCheck, good bool, why string) record.QualityCheck {
	c.Success, c.State = good, record.CheckPass
	if !good {
		c.State, c.Reason = record.CheckFail, why
	}
	return c
}

func notAsked(c record.QualityCheck) record.QualityCheck {
	c.State, c.Reason = record.CheckError, "the engine gave no answer"
	return c
}

// within judges one number of the table. As in Great Expectations, a mean that does not exist is not between anything.
func (j *judge) within(c record.QualityCheck, a ask, alias, message string) record.QualityCheck {
	v, ok := j.values[alias]
	if !ok {
		return notAsked(c)
	}
	x, ok := number(v)
	if !ok {
		return decided(c, false, "there is no number: the column has no value, or one that is no number")
	}
	c.Observed = v
	if f, isFloat := v.(float64); isFloat {
		c.Observed = round(f)
		if math.IsInf(f, 0) {
			c.Observed = nil
		}
	}
	good := true
	for _, b := range limits(a.check) {
		good = good && b.holds(x)
	}
	return decided(c, good, fmt.Sprintf(message, show(round(x)), rangeWords(a.check)))
}

func (j *judge) newest(c record.QualityCheck, a ask) record.QualityCheck {
	v, ok := j.values[a.alias("a")]
	if !ok {
		return notAsked(c)
	}
	at, ok := v.(time.Time)
	if ok {
		c.Observed = at.UTC().Format(time.RFC3339)
	}
	if j.now.IsZero() {
		c.State, c.Reason = record.CheckNotAssessed, "it is asked of data as it is now, not of pinned data"
		return c
	}
	if !ok {
		return decided(c, false, "there is no event")
	}
	limit, err := duration(a.check.Value)
	if err != nil {
		return notAsked(c)
	}
	return decided(c, j.now.Sub(at) <= limit, fmt.Sprintf("the newest event is %s old, at most %v may be", j.now.Sub(at).Round(time.Second), a.check.Value))
}

// rows judges a check of rows: the share that passes among those that have a value.
func (j *judge) rows(c record.QualityCheck, a ask) record.QualityCheck {
	all, okAll := j.values["n_rows"].(int64)
	seen, okSeen := j.values[a.seenAlias].(int64)
	bad, okBad := j.values[a.alias("b")].(int64)
	if !okAll || !okSeen || !okBad {
		return notAsked(c)
	}
	missing := all - seen
	c.ElementCount, c.MissingCount, c.UnexpectedCount = &all, &missing, &bad
	c.UnexpectedIndex = rowIDs(j.values[a.alias("i")])
	if a.public {
		c.PartialUnexpected = shownValues(j.values[a.alias("v")])
	}
	if seen == 0 {
		c.Reason = fmt.Sprintf("there is no value to look at (%d rows, %d missing), so it holds without having seen one", all, missing)
		c.Success, c.State = true, record.CheckPass
		return c
	}
	percent := round(100 * float64(bad) / float64(seen))
	c.UnexpectedPercent = &percent
	mostly := 1.0
	if a.check.Mostly != nil {
		mostly = *a.check.Mostly
	}
	why := fmt.Sprintf("%d of %d values (%s %%) are not %s", bad, seen, strconv.FormatFloat(percent, 'g', 3, 64), a.expect)
	if mostly < 1 {
		why += fmt.Sprintf("; at least %s %% must be", show(round(100*mostly)))
	}
	return decided(c, float64(seen-bad)/float64(seen) >= mostly, why)
}

// rowIDs reads "3,5,8".
func rowIDs(v any) []int64 {
	out := []int64{}
	text, _ := v.(string)
	for part := range strings.SplitSeq(text, ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// shownValues reads the JSON array of unexpected values; whole numbers stay whole. A number that JSON does not have is left as text.
func shownValues(v any) []any {
	text, _ := v.(string)
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var out []any
	if err := d.Decode(&out); err != nil || out == nil {
		return []any{}
	}
	for i := range out {
		out[i] = plain(out[i])
	}
	return out
}

func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
		return x.String()
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for key := range x {
			x[key] = plain(x[key])
		}
	}
	return v
}

func round(f float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 10, 64), 64)
	if err != nil {
		return f
	}
	return out
}
