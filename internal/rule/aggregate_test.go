package rule

import (
	"errors"
	"testing"

	"github.com/plumb-ml/plumb/internal/table"
)

func triggerEnv() Env {
	return Env{Columns: map[string]table.Type{"rows": table.Int64, "ref.rows": table.Int64},
		Aggregates: &Aggregates{Columns: map[string]table.Type{"age": table.Int64, "plan": table.String, "when": table.Timestamp, "odd name": table.Float64}, Sides: []string{"ref"}}}
}

func TestAggregates(t *testing.T) {
	row := map[string]any{"mean(age)": 31.5, "ref.mean(age)": 30.0, `share(plan, "gold")`: 0.2, "quantile(age, 0.95)": 70.0, "distinct(plan)": int64(3),
		"null_rate(when)": 0.5, `mean(col("odd name"))`: 1.5, "min(age)": 18.0, "rows": int64(200), "ref.rows": int64(100)}
	for src, want := range map[string]any{
		"abs(mean(age) - ref.mean(age)) >= 1":           true,
		`share(plan, "gold") > 0.1 and rows > ref.rows`: true,
		"quantile(age, 0.95) > 71":                      false,
		"distinct(plan) == 3":                           true,
		"null_rate(when) * 2":                           1.0,
		`mean(col("odd name")) > 1`:                     true,
		"min(age) < min(20, 30)":                        true,
		"median(age) > 3":                               nil, // nobody worked it out
		"median(age) > 3 or mean(age) > 3":              true,
		"ref.std(age) > 3 and mean(age) < 3":            false,
		"mean(age) > 1 ? mean(age) : ref.mean(age)":     31.5,
	} {
		e, err := Parse(src, triggerEnv())
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got, err := e.Eval(row); got != want || err != nil {
			t.Errorf("%s is %v, %v; want %v", src, got, err, want)
		}
	}
	e, err := Parse(`abs(mean(age) - ref.mean(age)) > mean(age) * share(plan, "gold")`, triggerEnv())
	if err != nil {
		t.Fatal(err)
	}
	got := e.Aggregates()
	want := []Aggregate{{Function: "mean", Column: "age"}, {Side: "ref", Function: "mean", Column: "age"}, {Function: "share", Column: "plan", Share: "gold"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("aggregates %+v", got)
	}
}

// What a person gets wrong is named, where it stands, with what was meant.
func TestWrongAggregates(t *testing.T) {
	for src, want := range map[string]struct {
		at        int
		msg, hint string
	}{
		"mean(agge) > 1":          {5, `there is no column "agge"`, "did you mean age?"},
		"ref.maen(age) > 1":       {0, "there is no function ref.maen", "did you mean ref.mean?"},
		"reff.mean(age) > 1":      {0, `there is nothing called "reff" to ask about`, "did you mean ref.mean?"},
		"age > 1":                 {0, "age is a column of many rows", "say what about it: mean(age), share(age, …), null_rate(age)"},
		"mean(plan) > 1":          {0, "mean takes a number, and plan is a string", "of other columns there are share, null_rate and distinct"},
		"mean() > 1":              {0, "mean needs a column", "mean(column)"},
		"mean(age, 3) > 1":        {0, "mean takes 0 values behind the column, not 1", "mean(column)"},
		"share(plan) > 1":         {0, "share takes 1 values behind the column, not 0", `share(column, "value"): the share of rows that have it`},
		"quantile(age, 95) > 1":   {0, "a quantile is of a share from 0 to 1", "quantile(column, 0.95)"},
		"quantile(age, rows) > 1": {0, "quantile takes a plain value behind the column", "quantile(column, 0.95)"},
		"mean(age + 1) > 1":       {9, "a column is needed here", "mean(column)"},
		"mean(mean(age)) > 1":     {5, "a column is needed here", "mean(column)"},
	} {
		_, err := Parse(src, triggerEnv())
		var e *Error
		if !errors.As(err, &e) || e.Offset != want.at || e.Msg != want.msg || e.Hint != want.hint {
			t.Errorf("%s: %+v", src, e)
		}
	}
	if _, err := Parse("mean(age) > 1", Env{Columns: map[string]table.Type{"age": table.Int64}}); err == nil {
		t.Error("an expression of one row took a mean")
	}
}
