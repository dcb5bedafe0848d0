package quality_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/quality"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

func half() *float64 { h := 0.5; return &h }

func testFrame() table.Frame {
	return table.Frame{N: 5, Columns: []table.Vector{
		{Column: table.Column{Name: "row_id", Type: table.Int64}, Ints: []int64{0, 1, 2, 3, 4}},
		{Column: table.Column{Name: "n", Type: table.Int64}, Ints: []int64{1, 2, 2, 0, 9}, Null: []bool{false, false, false, true, false}},
		{Column: table.Column{Name: "x", Type: table.Float64}, Floats: []float64{0.5, math.NaN(), math.Inf(1), 2, -1}},
		{Column: table.Column{Name: "s", Type: table.String}, Strings: []string{"ann", "bo", "bo", "", "héé"}, Null: []bool{false, false, false, true, false}},
		{Column: table.Column{Name: "day", Type: table.Date}, Ints: []int64{11500, 11501, 11502, 11503, 11504}},
		{Column: table.Column{Name: "at", Type: table.Timestamp}, Ints: []int64{0, 1e6, 2e6, 3e6, 4e6}},
		{Column: table.Column{Name: "gone", Type: table.String}, Strings: make([]string, 5), Null: []bool{true, true, true, true, true}},
		{Column: table.Column{Name: "flag", Type: table.Bool}, Bools: []bool{true, false, true, true, true}},
	}}
}

func TestKinds(t *testing.T) {
	for i, c := range []struct {
		check doc.Check
		want  string // state, observed or unexpected rows, and part of the reason
	}{
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: int64(2)}, "fail [0] 1 of 4 values (25 %) are not at least 2"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: int64(2), Mostly: half()}, "pass [0]"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: 1.5, MaxValue: 9.0, StrictMax: true}, "fail [0 4] 2 of 4 values (50 %) are not at least 1.5 and below 9"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "x", MinValue: int64(-1)}, "fail [1] 1 of 5"}, // NaN is not at least anything
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "day", MinValue: "2001-06-28"}, "fail [0]"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "at", MaxValue: time.UnixMicro(2e6)}, "fail [3 4]"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: "x"}, "error [] min_value must be a number"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "n"}, "error [] neither min_value nor max_value"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "gone", MinValue: "a"}, "pass [] there is no value to look at (5 rows, 5 missing)"},
		{doc.Check{Kind: "expect_column_values_to_be_between", Column: "no\"such", MinValue: int64(1)}, `error [] there is no column "no\"such"`},
		{doc.Check{Kind: "expect_column_values_to_not_be_null", Column: "s"}, "fail [3] 1 of 5 values (20 %) are not there"},
		{doc.Check{Kind: "expect_column_values_to_not_be_null", Column: "n", Mostly: half()}, "pass [3]"},
		{doc.Check{Kind: "expect_column_values_to_be_unique", Column: "s"}, "fail [1 2] 2 of 4 values (50 %) are not unique"},
		{doc.Check{Kind: "expect_column_values_to_be_unique", Column: "day"}, "pass []"},
		{doc.Check{Kind: "expect_compound_columns_to_be_unique", Columns: []string{"n", "s"}}, "fail [1 2]"},
		{doc.Check{Kind: "expect_compound_columns_to_be_unique", Columns: []string{"n", "nope"}}, `error [] there is no column "nope"`},
		{doc.Check{Kind: "expect_column_values_to_be_in_set", Column: "s", ValueSet: []any{"ann", "bo", int64(3)}}, "fail [4]"},
		{doc.Check{Kind: "expect_column_values_to_be_in_set", Column: "n", ValueSet: []any{"1"}}, "fail [0 1 2 4]"},
		{doc.Check{Kind: "expect_column_values_to_be_in_set", Column: "flag", ValueSet: []any{true}}, "fail [1]"},
		{doc.Check{Kind: "expect_column_values_to_match_regex", Column: "s", Regex: "^[a-z']+$"}, "fail [4]"},
		{doc.Check{Kind: "expect_column_values_to_match_regex", Column: "s", Regex: "("}, "error [] is not valid"},
		{doc.Check{Kind: "expect_column_values_to_match_regex", Column: "n", Regex: "1"}, "error [] a pattern is about text"},
		{doc.Check{Kind: "expect_column_value_lengths_to_be_between", Column: "s", MinValue: int64(3), MaxValue: int64(3)}, "fail [1 2]"},
		{doc.Check{Kind: "expect_column_values_to_be_of_type", Column: "n", Type: "int64"}, "pass [] int64"},
		{doc.Check{Kind: "expect_column_values_to_be_of_type", Column: "n", Type: "string"}, "fail [] int64 the column is int64, not string"},
		{doc.Check{Kind: "expect_column_to_exist", Column: "n"}, "pass []"},
		{doc.Check{Kind: "expect_column_to_exist", Column: "m"}, `fail [] there is no column "m"`},
		{doc.Check{Kind: "expect_table_row_count_to_be_between", MinValue: int64(6)}, "fail [] 5 the table has 5 rows, not at least 6"},
		{doc.Check{Kind: "expect_table_row_count_to_be_between", MinValue: int64(5), MaxValue: int64(5)}, "pass [] 5"},
		{doc.Check{Kind: "expect_column_mean_to_be_between", Column: "n", MinValue: 3.5, MaxValue: 3.5}, "pass [] 3.5"},
		{doc.Check{Kind: "expect_column_mean_to_be_between", Column: "n", MinValue: 3.5, StrictMin: true}, "fail [] 3.5 the mean is 3.5, not above 3.5"},
		{doc.Check{Kind: "expect_column_mean_to_be_between", Column: "flag", MinValue: 0.8}, "pass [] 0.8"},
		{doc.Check{Kind: "expect_column_mean_to_be_between", Column: "x", MinValue: 0.8}, "fail [] there is no number"},
		{doc.Check{Kind: "expect_column_mean_to_be_between", Column: "s", MinValue: 0.8}, "error [] only numbers have a mean"},
		{doc.Check{Kind: "expect_column_pair_values_a_to_be_greater_than_b", ColumnA: "n", ColumnB: "x"}, "fail [1 2 3]"},
		{doc.Check{Kind: "expect_column_pair_values_a_to_be_greater_than_b", ColumnA: "n", ColumnB: "n"}, "fail [0 1 2 4]"},
		{doc.Check{Kind: "expect_column_pair_values_a_to_be_greater_than_b", ColumnA: "n", ColumnB: "n", OrEqual: true}, "pass []"},
		{doc.Check{Kind: "expect_column_pair_values_a_to_be_greater_than_b", ColumnA: "n", ColumnB: "s"}, "error [] can't be compared"},
		{doc.Check{Kind: "newest_event_within", Column: "day", Value: "7d"}, "not_assessed [] 2001-07-01T00:00:00Z it is asked of data as it is now"},
		{doc.Check{Kind: "newest_event_within", Column: "day", Value: "soon"}, "error [] must be a duration"},
		{doc.Check{Kind: "expect_the_unexpected", Column: "n"}, `error [] the kind "expect_the_unexpected" is not known`},
	} {
		c.check.ID = fmt.Sprint("check", i)
		got, err := run(t.Context(), testFrame(), c.check)
		if err != nil {
			t.Errorf("%+v: %v", c.check, err)
			continue
		}
		observed := ""
		if got.Observed != nil {
			observed = fmt.Sprint(got.Observed, " ")
		}
		text := fmt.Sprintf("%s %v %s%s", got.State, got.UnexpectedIndex, observed, got.Reason)
		state, rest, _ := strings.Cut(c.want, "] ")
		if !strings.HasPrefix(text, strings.TrimSuffix(state, "]")) || !strings.Contains(text, rest) || got.Success != (got.State == "pass") {
			t.Errorf("%s(%s): %s, want %s", c.check.Kind, c.check.Column, text, c.want)
		}
	}
}

func TestNewest(t *testing.T) {
	ds := &doc.Dataset{Time: doc.Time{Event: "day"}, Checks: map[string]doc.Check{"f": {Kind: "newest_event_within", Value: "2d"}}, Order: []string{"f"}}
	lock := &doc.Lock{Columns: []doc.LockColumn{{Name: "day", Type: "date"}}}
	newest := time.Date(2001, 7, 1, 0, 0, 0, 0, time.UTC)
	answers := map[string]table.Rows{"rows 0": {Columns: []table.Column{{Name: "n_rows"}, {Name: "a_0"}}, Values: [][]any{{int64(5), newest}}}}
	for hours, want := range map[int]string{48: "pass ", 49: "fail the newest event is 49h0m0s old, at most 2d may be", -3: "pass "} {
		c := quality.JudgeAt(ds, lock, answers, newest.Add(time.Duration(hours)*time.Hour)).Checks[0]
		if got := c.State + " " + c.Reason; got != want || c.Dimension != "timeliness" {
			t.Errorf("%d h: %s (%s)", hours, got, c.Dimension)
		}
	}
}

// Values are shown of public columns only, records when all their columns are.
func TestRedaction(t *testing.T) {
	ds := &doc.Dataset{Columns: map[string]doc.ColumnNote{"n": {Public: true}}, Order: []string{"a", "b", "c", "d"}, Checks: map[string]doc.Check{
		"a": {Kind: "expect_column_values_to_be_between", Column: "n", MaxValue: int64(0)}, "b": {Kind: "expect_column_values_to_be_in_set", Column: "s", ValueSet: []any{"zz"}},
		"c": {Kind: "expect_compound_columns_to_be_unique", Columns: []string{"n", "s"}}, "d": {Kind: "expect_column_values_to_be_unique", Column: "n"},
	}}
	report, err := ask(t.Context(), testFrame(), ds)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"[1 2 2 9]", "[]", "[]", "[2 2]"} {
		if got := fmt.Sprint(report.Checks[i].PartialUnexpected); got != want {
			t.Errorf("%s: %s, want %s", ds.Order[i], got, want)
		}
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "ann") || strings.Contains(string(text), `"bo"`) {
		t.Errorf("text of a column that is not public: %s", text)
	}
	ds.Columns["s"] = doc.ColumnNote{Public: true}
	if report, err = ask(t.Context(), testFrame(), ds); err != nil {
		t.Fatal(err)
	}
	if want := []any{map[string]any{"n": int64(2), "s": "bo"}, map[string]any{"n": int64(2), "s": "bo"}}; !reflect.DeepEqual(report.Checks[2].PartialUnexpected, want) {
		t.Errorf("records: %v", report.Checks[2].PartialUnexpected)
	}
}

// Scores worked out by hand.
func TestScores(t *testing.T) {
	between := func(level string, low int64) doc.Check {
		return doc.Check{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: low, Level: level}
	}
	for name, c := range map[string]struct {
		checks  []doc.Check
		want    string // accuracy
		success bool
	}{
		"none":                  {nil, "not_assessed", true},
		"all pass":              {[]doc.Check{between("", 1), between("critical", 0)}, "100 pass 2", true},
		"weights":               {[]doc.Check{between("critical", 1), between("warning", 2)}, "93.75 fail 2", false}, // (3·1 + 1·0.75) / 4
		"capped":                {[]doc.Check{between("critical", 2), between("warning", 1)}, "59 fail 2", false},    // (3·0.75 + 1) / 4 = 81.25
		"below the cap":         {[]doc.Check{between("critical", 9)}, "25 fail 1", false},                           // 1 of 4
		"info":                  {[]doc.Check{between("info", 9)}, "not_assessed", true},                             //
		"vacuous":               {[]doc.Check{{Kind: "expect_column_values_to_be_unique", Column: "gone", Dimension: "accuracy"}}, "not_assessed", true},
		"could not be asked":    {[]doc.Check{between("", 1), {Kind: "expect_column_values_to_be_unique", Column: "nope", Dimension: "accuracy"}}, "50 fail 2", false},
		"mostly lets it pass":   {[]doc.Check{{Kind: "expect_column_values_to_be_between", Column: "n", MinValue: int64(2), Mostly: half()}}, "75 pass 1", true},
		"critical not assessed": {[]doc.Check{{Kind: "newest_event_within", Column: "day", Value: "1d", Level: "critical", Dimension: "accuracy"}}, "not_assessed", true},
	} {
		ds := &doc.Dataset{Checks: map[string]doc.Check{}}
		for i, k := range c.checks {
			id := fmt.Sprint("c", i)
			ds.Checks[id], ds.Order = k, append(ds.Order, id)
		}
		report, err := ask(t.Context(), testFrame(), ds)
		if err != nil {
			t.Fatal(err)
		}
		s := report.Scores["accuracy"]
		got := s.State
		if s.Score != nil {
			got = fmt.Sprintf("%v %s %d", *s.Score, s.State, s.Checks)
		}
		if got != c.want || report.Success != c.success || len(report.Scores) != 4 {
			t.Errorf("%s: %s, success %v, want %s", name, got, report.Success, c.want)
		}
	}
}

func TestNoRows(t *testing.T) {
	f := testFrame()
	f = f.Select(nil)
	got, err := run(t.Context(), f, doc.Check{ID: "c", Kind: "expect_column_values_to_not_be_null", Column: "n"})
	if err != nil || got.State != "pass" || got.UnexpectedPercent != nil || !strings.Contains(got.Reason, "0 rows") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoAnswers(t *testing.T) {
	ds := &doc.Dataset{Checks: map[string]doc.Check{"a": {Kind: "expect_column_values_to_not_be_null", Column: "n"}, "b": {Kind: "expect_column_mean_to_be_between", Column: "n", MinValue: int64(0)}}, Order: []string{"a", "b"}}
	report := quality.Judge(ds, &doc.Lock{Columns: []doc.LockColumn{{Name: "n", Type: "int64"}}}, nil)
	for _, c := range report.Checks {
		if c.State != record.CheckError || c.Success {
			t.Errorf("%+v", c)
		}
	}
}

func BenchmarkThousandChecks(b *testing.B) {
	var items []string
	lock := &doc.Lock{}
	ds := &doc.Dataset{Checks: map[string]doc.Check{}}
	for i := range 50 {
		items = append(items, fmt.Sprintf("(hash(i, %d) %% 1000)::bigint as c%d", i, i))
		lock.Columns = append(lock.Columns, doc.LockColumn{Name: fmt.Sprint("c", i), Type: "int64"})
	}
	rel, drop, err := db.Keep(b.Context(), "select i as row_id, "+strings.Join(items, ", ")+" from range(100000) t(i)")
	if err != nil {
		b.Fatal(err)
	}
	defer drop()
	for i := range 1000 {
		k := doc.Check{Kind: "expect_column_values_to_be_between", Column: fmt.Sprint("c", i%50), MinValue: int64(i % 7), MaxValue: int64(999)}
		switch i % 5 {
		case 1:
			k = doc.Check{Kind: "expect_column_values_to_not_be_null", Column: k.Column}
		case 2:
			k = doc.Check{Kind: "expect_column_values_to_be_in_set", Column: k.Column, ValueSet: []any{int64(1), int64(2), int64(3)}}
		case 3:
			k = doc.Check{Kind: "expect_column_mean_to_be_between", Column: k.Column, MinValue: int64(0)}
		}
		id := fmt.Sprint("k", i)
		ds.Checks[id], ds.Order = k, append(ds.Order, id)
	}
	for b.Loop() {
		answers := map[string]table.Rows{}
		for _, q := range quality.Plan(ds, lock, rel) {
			if answers[q.Name], err = db.Query(context.Background(), q.SQL); err != nil {
				b.Fatal(err)
			}
		}
		if r := quality.Judge(ds, lock, answers); len(r.Checks) != 1000 || r.Checks[1].State != "pass" {
			b.Fatal(r.Checks[1])
		}
	}
}
