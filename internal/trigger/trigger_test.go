package trigger

import (
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

func env() rule.Env {
	return rule.Env{Columns: map[string]table.Type{"rows": table.Int64, "ref.rows": table.Int64},
		Aggregates: &rule.Aggregates{Columns: map[string]table.Type{"age": table.Int64, "plan": table.String}, Sides: []string{"ref"}}}
}

func monitor(t doc.Trigger) *doc.Monitor {
	return &doc.Monitor{Triggers: map[string]doc.Trigger{"moved": t}, Order: []string{"moved"}}
}

// answers are those of `abs(mean(age) - ref.mean(age)) >= 1`: rows and mean of each side.
func answers(n int64, mean any, refMean any) map[string]table.Rows {
	return map[string]table.Rows{Current: {Values: [][]any{{n, mean}}}, Reference: {Values: [][]any{{int64(1000), refMean}}}}
}

var end = time.Date(2001, 7, 1, 0, 0, 0, 0, time.UTC)

// state is what a trigger did in the window that ended so many weeks before this one.
func state(weeks int, condition, state string, streak int) record.TriggerState {
	return record.TriggerState{Condition: condition, State: state, Streak: streak, Before: end.AddDate(0, 0, -7*weeks)}
}

func TestThreeValues(t *testing.T) {
	moved := doc.Trigger{When: "abs(mean(age) - ref.mean(age)) >= 1", MinRows: 50, For: 1}
	for name, c := range map[string]struct {
		trigger          doc.Trigger
		answers          map[string]table.Rows
		past             Past
		condition, state string
		reason           string
	}{
		"holds":                  {moved, answers(100, 31.0, 30.0), nil, "true", "fired", ""},
		"does not hold":          {moved, answers(100, 30.5, 30.0), nil, "false", "quiet", ""},
		"few rows":               {moved, answers(49, 35.0, 30.0), nil, "unknown", "unknown", "49 rows in the window, 50 needed"},
		"no value":               {moved, answers(100, nil, 30.0), nil, "unknown", "unknown", "mean(age) does not exist"},
		"no reference":           {moved, answers(100, 31.0, nil), nil, "unknown", "unknown", "ref.mean(age) does not exist"},
		"no answer":              {moved, nil, nil, "unknown", "unknown", "0 rows in the window"},
		"one of two":             {with(moved, 2, ""), answers(100, 31.0, 30.0), nil, "true", "quiet", "it holds in 1 of the 2 windows"},
		"two of two":             {with(moved, 2, ""), answers(100, 31.0, 30.0), Past{state(1, "true", "quiet", 1)}, "true", "fired", ""},
		"not in a row":           {with(moved, 2, ""), answers(100, 31.0, 30.0), Past{state(1, "false", "quiet", 0), state(2, "true", "quiet", 1)}, "true", "quiet", "it holds in 1 of the"},
		"unknown breaks the row": {with(moved, 2, ""), answers(100, 31.0, 30.0), Past{state(1, "unknown", "unknown", 0)}, "true", "quiet", "it holds in 1 of the"},
		"cools down":             {with(moved, 1, "14d"), answers(100, 31.0, 30.0), Past{state(1, "true", "fired", 1)}, "true", "quiet", "it fired on 2001-06-24 and cools down for 14d"},
		"has cooled down":        {with(moved, 1, "14d"), answers(100, 31.0, 30.0), Past{state(1, "true", "quiet", 2), state(2, "true", "fired", 1)}, "true", "fired", ""},
		"half of it is known":    {doc.Trigger{When: "mean(age) >= 1 or ref.mean(age) >= 1", For: 1}, answers(100, nil, 30.0), nil, "true", "fired", ""},
		"can't be read":          {doc.Trigger{When: "mean(agge) > 1", For: 1}, answers(100, 31.0, 30.0), nil, "unknown", "unknown", `there is no column "agge"`},
	} {
		t.Run(name, func(t *testing.T) {
			got := Judge(monitor(c.trigger), env(), Values(monitor(c.trigger), env(), c.answers), end, map[string]Past{"moved": c.past})[0]
			if got.Condition != c.condition || got.State != c.state || !strings.Contains(got.Reason, c.reason) || c.reason == "" && got.Reason != "" {
				t.Errorf("%s %s %q, want %s %s %q", got.Condition, got.State, got.Reason, c.condition, c.state, c.reason)
			}
		})
	}
}

func with(t doc.Trigger, windows int, cooldown string) doc.Trigger {
	t.For, t.Cooldown = windows, cooldown
	return t
}

func TestPlan(t *testing.T) {
	m := monitor(doc.Trigger{When: `share(plan, "it's") > 0.1 and null_rate(plan) < ref.quantile(age, 0.9) and mean(age) > 1`})
	got := Plan(m, env(), Relations{Current: "now", Reference: "then"})
	want := []table.Query{
		{Name: "current", SQL: `select count(*) as n, avg(case when cast("plan" as varchar) = 'it''s' then 1.0 else 0.0 end) as a0, 1 - count("plan") / nullif(count(*), 0) as a1, avg(cast("age" as double)) as a2 from now as d`},
		{Name: "ref", SQL: `select count(*) as n, quantile_cont(cast("age" as double), 0.9) as a0 from then as d`},
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v\nwant %+v", got[i], want[i])
		}
	}
}
