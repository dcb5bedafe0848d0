package compare

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// The prefixes of names that a gate may read beside the metrics of head.
const (
	prefixBase   = "base."
	prefixSlice  = "slice."
	prefixParams = "params."
)

// gateValues is what gates look at.
type gateValues struct {
	base, head   map[string]float64
	slices       []sliceValues // of head
	rows, groups int
}

// gateEnv says which names a gate may use: those that doc's check allows (each metric of the task and of the contract on head's test rows, the
// list of it on every large slice, head's parameters), each metric of base as base.auc, and rows and groups.
func (in Input) gateEnv() rule.Env {
	env := rule.Env{Columns: map[string]table.Type{"rows": table.Int64, "groups": table.Int64}}
	names := append(metric.For(in.Task), metric.Value)
	for _, m := range in.Contract {
		names = append(names, m.Name)
	}
	for _, name := range names {
		env.Columns[name], env.Columns[prefixBase+name], env.Columns[prefixSlice+name] = table.Float64, table.Float64, rule.Numbers
	}
	for name, value := range in.Params {
		switch value.(type) {
		case int64, int:
			env.Columns[prefixParams+name] = table.Int64
		case float64:
			env.Columns[prefixParams+name] = table.Float64
		case bool:
			env.Columns[prefixParams+name] = table.Bool
		case string:
			env.Columns[prefixParams+name] = table.String
		}
	}
	return env
}

// gates evaluates the rules, by name.
func (in Input) gates(values gateValues) []record.Gate {
	env, row := in.gateEnv(), values.row(in)
	var out []record.Gate
	for _, name := range sortedKeys(in.Gates) {
		g := record.Gate{Name: name, Require: in.Gates[name].Require, State: record.GateUnknown, Values: map[string]float64{}}
		expression, err := rule.Parse(g.Require, env)
		if err != nil {
			var e *rule.Error
			g.Reason = err.Error()
			if errors.As(err, &e) && e.Hint != "" {
				g.Reason += "; " + e.Hint
			}
			out = append(out, g)
			continue
		}
		values.judge(&g, expression, row)
		out = append(out, g)
	}
	return out
}

// row lays the values out under the names of gateEnv. What does not exist is null.
func (v gateValues) row(in Input) map[string]any {
	row := map[string]any{"rows": int64(v.rows), "groups": int64(v.groups)}
	for name, value := range in.Params {
		if i, ok := value.(int); ok {
			value = int64(i)
		}
		row[prefixParams+name] = value
	}
	for name, value := range v.head {
		row[name] = value
	}
	for name, value := range v.base {
		row[prefixBase+name] = value
	}
	for _, name := range metric.For(in.Task) {
		var list []float64
		for _, s := range v.slices {
			if value, ok := s.metrics[name]; ok {
				list = append(list, value)
			}
		}
		if list != nil {
			row[prefixSlice+name] = list
		}
	}
	return row
}

// judge evaluates one rule and says what it read.
func (v gateValues) judge(g *record.Gate, expression rule.Expr, row map[string]any) {
	var lacking []string
	for _, name := range expression.Columns() {
		switch value := row[name].(type) {
		case nil:
			lacking = append(lacking, name)
		case float64:
			g.Values[name] = *significant(value)
		case int64:
			g.Values[name] = float64(value)
		case []float64:
			v.extremes(g, strings.TrimPrefix(name, prefixSlice))
		}
	}
	result, err := expression.Eval(row)
	yes, known := result.(bool)
	switch {
	case err != nil:
		g.Reason = err.Error()
	case expression.Type() != table.Bool:
		g.Reason = fmt.Sprintf("it gives a %s; a gate is a condition", expression.Type())
	case !known && len(lacking) > 0:
		g.Reason = strings.Join(lacking, ", ") + " does not exist here"
	case !known:
		g.Reason = "it is neither true nor false here"
	case yes:
		g.State = record.GatePass
	default:
		g.State = record.GateFail
	}
}

// extremes names the least and the greatest slice of a metric.
func (v gateValues) extremes(g *record.Gate, name string) {
	var least, greatest sliceValues
	for _, s := range v.slices {
		value, ok := s.metrics[name]
		if !ok {
			continue
		}
		if least.metrics == nil || value < least.metrics[name] {
			least = s
		}
		if greatest.metrics == nil || value > greatest.metrics[name] {
			greatest = s
		}
	}
	g.Values["min("+prefixSlice+name+")"] = *significant(least.metrics[name])
	g.Values["max("+prefixSlice+name+")"] = *significant(greatest.metrics[name])
	g.Reason = fmt.Sprintf("%s is least at %s, greatest at %s; slices have at least %d rows", name, least.name, greatest.name, metric.MinSliceRows)
}
