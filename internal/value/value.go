// Package value says what a model's answers are worth: the design card's money and hours per case, times a confusion matrix, scaled to a period.
//
// It needs the four counts. It is no forecast: it multiplies, shows every factor, and says how far the assumptions carry. It stores nothing.
package value

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// outcomes are the cells of the confusion matrix, in the order in which they are shown.
var outcomes = [4]string{"tp", "fp", "fn", "tn"}

// Counts is a confusion matrix: how many cases, or how much weight, of each outcome.
type Counts struct {
	TP, FP, FN, TN float64
}

func (c Counts) cells() [4]float64 { return [4]float64{c.TP, c.FP, c.FN, c.TN} }

// Money is the worth of a case by outcome, ready to be multiplied.
type Money struct {
	currency, period string
	population       float64 // cases a period
	assumptions      []assumption
	money, hours     rates
}

// assumption is one number that nobody measured: low ≤ mode ≤ high.
type assumption struct {
	name            string
	mode, low, high float64
	source          string
}

// rates are the four expressions of one table of the design card; an outcome that is left out is worth nothing.
type rates struct {
	stated [4]bool
	expr   [4]rule.Expr
	worth  [4]float64 // with the assumptions at their mode
}

// Of reads the worth of a case from a design card. It errs when the card states none, when an expression is wrong, uses a name that
// value.assume does not have, or has no value at the assumptions' modes.
func Of(d *doc.Design) (*Money, error) {
	if d == nil || len(d.Value.Case) == 0 && len(d.Value.Hours) == 0 {
		return nil, problem.Wrongf("say what a right and a wrong answer are worth in [value.case] of design.toml", "the design card has no value of a case")
	}
	v := d.Value
	m := &Money{currency: v.Currency, period: v.Period, population: v.Population}
	env := d.AssumptionEnv()
	for _, name := range slices.Sorted(maps.Keys(v.Assume)) {
		a := assumption{name: name, mode: v.Assume[name].Mode, source: v.Assume[name].Source}
		a.low, a.high = a.mode, a.mode
		if low := v.Assume[name].Low; low != nil {
			a.low = min(*low, a.mode)
		}
		if high := v.Assume[name].High; high != nil {
			a.high = max(*high, a.mode)
		}
		m.assumptions = append(m.assumptions, a)
	}
	var err error
	if m.money, err = m.read("value.case", v.Case, env); err != nil {
		return nil, err
	}
	m.hours, err = m.read("value.hours", v.Hours, env)
	return m, err
}

func (m *Money) read(where string, cells map[string]string, env rule.Env) (r rates, err error) {
	modes := m.modes()
	for i, name := range outcomes {
		src, ok := cells[name]
		if !ok {
			continue
		}
		r.stated[i] = true
		if r.expr[i], err = rule.Parse(src, env); err != nil {
			return r, wrong(err, where+"."+name)
		}
		if t := r.expr[i].Type(); t != table.Int64 && t != table.Float64 {
			return r, problem.Wrongf("write a number or an expression over value.assume", "%s.%s is a %s, not a number", where, name, t)
		}
		if r.worth[i], ok = number(r.expr[i], modes); !ok {
			return r, problem.Wrongf("change the expression or the modes in value.assume", "%s.%s has no value with the assumptions at their modes", where, name)
		}
	}
	return r, nil
}

func wrong(err error, where string) error {
	hint := ""
	var e *rule.Error
	if errors.As(err, &e) {
		hint = e.Hint
	}
	return problem.Wrongf(hint, "reading %s: %w", where, err)
}

func (m *Money) modes() map[string]any {
	row := map[string]any{}
	for _, a := range m.assumptions {
		row[a.name] = a.mode
	}
	return row
}

// number evaluates an expression to a finite number.
func number(e rule.Expr, row map[string]any) (float64, bool) {
	v, err := e.Eval(row)
	if err != nil {
		return 0, false
	}
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, isFinite(v)
	}
	return 0, false
}

// PerPeriod is the money that a period of `population` cases brings when they fall as the counts do: Σ worth × count / n × population, with
// the assumptions at their mode. Counts may be weights. It is not ok when there are no cases, a count is negative, or no money is stated.
func (m *Money) PerPeriod(tp, fp, fn, tn float64) (value float64, ok bool) {
	if m.money.stated == ([4]bool{}) {
		return 0, false
	}
	return m.scale(m.money.worth, Counts{tp, fp, fn, tn})
}

// HoursPerPeriod is PerPeriod in hours.
func (m *Money) HoursPerPeriod(tp, fp, fn, tn float64) (hours float64, ok bool) {
	if m.hours.stated == ([4]bool{}) {
		return 0, false
	}
	return m.scale(m.hours.worth, Counts{tp, fp, fn, tn})
}

func (m *Money) scale(worth [4]float64, c Counts) (float64, bool) {
	n, sum := 0.0, 0.0
	for i, count := range c.cells() {
		if !(count >= 0) {
			return 0, false
		}
		n += count
		sum += worth[i] * count
	}
	value := sum / n * m.population
	return value, n > 0 && isFinite(value)
}

// at is the worth of a case under other assumptions; not ok where an expression has no value.
func (r *rates) at(row map[string]any) (worth [4]float64, ok bool) {
	for i, stated := range r.stated {
		if !stated {
			continue
		}
		if worth[i], ok = number(r.expr[i], row); !ok {
			return worth, false
		}
	}
	return worth, true
}

// names lists the assumptions that r reads.
func (r *rates) names() map[string]bool {
	out := map[string]bool{}
	for _, e := range r.expr {
		for _, name := range e.Columns() {
			out[name] = true
		}
	}
	return out
}

// String names the currency and the period.
func (m *Money) String() string { return fmt.Sprintf("%s a %s", m.currency, m.period) }
