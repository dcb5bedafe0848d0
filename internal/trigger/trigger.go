// Package trigger judges the triggers of a monitor: conditions over the rows of a window and of what it is compared with.
//
// Plan says what to ask an engine, Judge what the answers mean. A condition is true, false or unknown (too few rows, or a number that does not
// exist), and a trigger fires when its condition has been true in enough windows in a row and it did not fire lately. It is pure: no clock, no
// engine, no ledger; what happened before is an argument. It stores nothing.
package trigger

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// The sides of a question, as Query names them.
const (
	Current   = "current"
	Reference = "ref"
)

// Relations are the rows of each side, as SQL in brackets or a table's name, by Current and Reference.
type Relations map[string]string

// Plan gives one query a side with every number that the monitor's triggers read; each answers with one row. A trigger that can't be read is
// left out: Judge says why.
func Plan(m *doc.Monitor, env rule.Env, from Relations) []table.Query {
	var out []table.Query
	for _, side := range []string{Current, Reference} {
		items := []string{"count(*) as n"}
		for i, a := range asked(m, env, side) {
			items = append(items, fmt.Sprintf("%s as a%d", sql(a, env.Aggregates.Columns[a.Column]), i))
		}
		out = append(out, table.Query{Name: side, SQL: "select " + strings.Join(items, ", ") + " from " + from[side] + " as d"})
	}
	return out
}

// asked lists the numbers of one side that any trigger reads, in a fixed order.
func asked(m *doc.Monitor, env rule.Env, side string) []rule.Aggregate {
	if side == Current {
		side = ""
	}
	var out []rule.Aggregate
	for _, name := range m.Order {
		e, err := rule.Parse(m.Triggers[name].When, env)
		if err != nil {
			continue
		}
		for _, a := range e.Aggregates() {
			if a.Side == side && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// sql is the query of one number. A NaN and an infinity are no values.
func sql(a rule.Aggregate, t table.Type) string {
	name := `"` + strings.ReplaceAll(a.Column, `"`, `""`) + `"`
	value := name
	switch t {
	case table.Float64:
		value = "case when isfinite(" + name + ") then " + name + " end"
	case table.Int64, table.Decimal, table.Bool:
		value = "cast(" + name + " as double)"
	}
	switch a.Function {
	case "mean":
		return "avg(" + value + ")"
	case "median":
		return "median(" + value + ")"
	case "std":
		return "stddev_samp(" + value + ")"
	case "min", "max":
		return a.Function + "(" + value + ")"
	case "quantile":
		return fmt.Sprintf("quantile_cont(%s, %s)", value, strconv.FormatFloat(a.Quantile, 'f', -1, 64))
	case "null_rate":
		return "1 - count(" + value + ") / nullif(count(*), 0)"
	case "distinct":
		return "count(distinct " + value + ")"
	}
	return fmt.Sprintf("avg(case when cast(%s as varchar) = '%s' then 1.0 else 0.0 end)", name, strings.ReplaceAll(a.Share, "'", "''"))
}

// Past is what a trigger did in the windows before this one, the newest first.
type Past []record.TriggerState

// Judge evaluates every trigger of a monitor in the document's order, over the numbers that Values gives. before is when this window ends; past
// gives each trigger's states in the windows that follow one another up to this one.
func Judge(m *doc.Monitor, env rule.Env, row map[string]any, before time.Time, past map[string]Past) []record.TriggerState {
	out := make([]record.TriggerState, 0, len(m.Order))
	for _, name := range m.Order {
		out = append(out, judge(name, m.Triggers[name], env, row, before, past[name]))
	}
	return out
}

// Values lays the answers to Plan's queries, by name, out under the names that expressions look them up by, rounded to 10 significant digits.
func Values(m *doc.Monitor, env rule.Env, answers map[string]table.Rows) map[string]any {
	row := map[string]any{}
	for _, side := range []string{Current, Reference} {
		rows := answers[side]
		if len(rows.Values) == 0 {
			continue
		}
		prefix := ""
		if side == Reference {
			prefix = "ref."
		}
		row[prefix+"rows"] = rows.Values[0][0]
		for i, a := range asked(m, env, side) {
			switch v := rows.Values[0][i+1].(type) {
			case float64:
				if !math.IsNaN(v) && !math.IsInf(v, 0) {
					row[a.String()] = rounded(v)
				}
			case int64:
				row[a.String()] = v
				if a.Function != "distinct" {
					row[a.String()] = float64(v)
				}
			}
		}
	}
	return row
}

// Lay puts values as a state holds them back under their names, for judging again what was judged elsewhere.
func Lay(values map[string]float64, row map[string]any) {
	for name, v := range values {
		_, function, dotted := strings.Cut(name, ".")
		if !dotted {
			function = name
		}
		if strings.HasPrefix(function, "distinct(") || function == "rows" {
			row[name] = int64(v)
		} else {
			row[name] = v
		}
	}
}

func rounded(v float64) float64 {
	x, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 10, 64), 64)
	if err != nil {
		return v
	}
	return x
}

// judge evaluates one trigger.
func judge(name string, t doc.Trigger, env rule.Env, row map[string]any, before time.Time, past Past) record.TriggerState {
	s := record.TriggerState{Name: name, When: t.When, Then: t.Then, Condition: record.ConditionUnknown, State: record.TriggerUnknown, Values: map[string]float64{}}
	e, err := rule.Parse(t.When, env)
	if err != nil {
		s.Reason = err.Error()
		return s
	}
	for _, a := range e.Columns() {
		switch v := row[a].(type) {
		case float64:
			s.Values[a] = v
		case int64:
			s.Values[a] = float64(v)
		default:
			s.Reason = a + " does not exist"
		}
	}
	rows, _ := row["rows"].(int64)
	if rows < t.MinRows {
		s.Reason = fmt.Sprintf("%d rows in the window, %d needed", rows, t.MinRows)
		return s
	}
	holds, err := e.Eval(row)
	if err != nil {
		s.Reason = err.Error()
		return s
	}
	switch holds {
	case true:
		s.Condition, s.Reason = record.ConditionTrue, ""
	case false:
		s.Condition, s.Reason, s.State = record.ConditionFalse, "", record.TriggerQuiet
		return s
	default:
		return s // of what does not exist
	}
	return settle(s, t, before, past)
}

// settle says whether a condition that holds makes the trigger fire.
func settle(s record.TriggerState, t doc.Trigger, before time.Time, past Past) record.TriggerState {
	s.Streak = 1
	if len(past) > 0 && past[0].Condition == record.ConditionTrue {
		s.Streak += past[0].Streak
	}
	s.State = record.TriggerQuiet
	if s.Streak < t.For {
		s.Reason = fmt.Sprintf("it holds in %d of the %d windows in a row that it takes", s.Streak, t.For)
		return s
	}
	if cooldown, err := doc.Duration(t.Cooldown); err == nil {
		for _, p := range past {
			if p.State == record.TriggerFired && before.Sub(p.Before) < cooldown {
				s.Reason = fmt.Sprintf("it fired on %s and cools down for %s", p.Before.UTC().Format(time.DateOnly), t.Cooldown)
				return s
			}
		}
	}
	s.State = record.TriggerFired
	return s
}
