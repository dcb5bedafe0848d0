package engine_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// generator draws rows and expressions over columns, for TestExpressionsDiffer.
type generator struct{ *rand.Rand }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// row draws values with many nulls, zeros, equal values and ends of ranges.
func (g generator) row() map[string]any {
	row := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		if g.IntN(5) > 0 {
			row[name] = g.value(columns[name])
		}
	}
	return row
}

func (g generator) value(typ table.Type) any {
	switch typ {
	case table.Int64:
		edges := []int64{0, 1, -1, 2, 7, -13, 100, 86400, 1 << 53, math.MaxInt64, math.MinInt64, math.MaxInt64 / 2}
		if g.IntN(2) == 0 {
			return int64(g.IntN(41) - 20)
		}
		return edges[g.IntN(len(edges))]
	case table.Float64:
		edges := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -2.5, 1e-300, 1e300, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 1000}
		if g.IntN(2) == 0 {
			return math.Round(g.NormFloat64()*400) / 100
		}
		return edges[g.IntN(len(edges))]
	case table.Bool:
		return g.IntN(2) == 0
	case table.String:
		return g.pick("", "A", "ATL", "a'b", "100%", "a_b", "Ünï", "😀x", "l1\nl2", "\\d", "$x")
	case table.Date:
		return time.Unix(int64(g.IntN(60000)-20000)*86400, 0).UTC()
	case table.Timestamp:
		return time.UnixMicro(g.Int64N(4e15) - 1e15).UTC()
	}
	return fmt.Sprintf("%.4f", g.NormFloat64()*100)
}

// root draws an expression. The functions whose last digit the two sides may round differently stand outermost, where 1e-12 forgives it.
func (g generator) root() string {
	switch g.IntN(10) {
	case 0:
		return g.pick("exp", "ln", "log10") + "(" + g.number(3) + ")"
	case 1:
		return "(" + g.number(2) + ") ** " + g.pick("2", "0.5", "-1", "3", "x")
	case 2:
		return g.time(3)
	case 3:
		return g.span(3)
	case 4:
		return g.text(2)
	case 5, 6, 7:
		return g.truth(4)
	}
	return g.number(4)
}

func (g generator) number(depth int) string {
	if depth == 0 {
		return g.pick("i", "j", "k", "x", "y", "z", "p", "2", "0.5", "-3", "7", "100000", "0")
	}
	a, b := g.number(depth-1), g.number(g.IntN(depth))
	switch g.IntN(9) {
	case 0, 1, 2:
		return "(" + a + " " + g.pick("+", "-", "*", "/", "%") + " " + b + ")"
	case 3:
		return g.pick("abs", "floor", "ceil", "round", "sqrt") + "(" + a + ")"
	case 4:
		return g.pick("min", "max", "coalesce") + "(" + a + ", " + b + ")"
	case 5:
		return "(" + g.truth(depth-1) + " ? " + a + " : " + g.pick(b, "null") + ")"
	case 6:
		return g.pick("hour", "minute") + "(" + g.time(1) + ")"
	case 7:
		return g.pick("weekday", "month", "year") + "(" + g.pick("d", "e", g.time(1)) + ")"
	}
	return g.pick("length("+g.text(1)+")", "days_between("+g.time(1)+", d)", "("+g.span(1)+") / minutes(90)", "-"+a)
}

func (g generator) truth(depth int) string {
	if depth == 0 {
		return g.pick("b", "c", "f", "true", "false")
	}
	switch g.IntN(8) {
	case 0, 1:
		return "(" + g.truth(depth-1) + g.pick(" and ", " or ") + g.truth(g.IntN(depth)) + ")"
	case 2:
		return "not (" + g.truth(depth-1) + ")"
	case 3:
		return "is_null(" + g.pick(g.number(depth-1), g.text(1), g.time(1)) + ")"
	case 4:
		return g.text(1) + g.pick(" startsWith 'A'", " contains '%'", " endsWith '_b'", " matches '^.+l'", " not contains 'x'", " matches '[A-Z]{2}|_'", " in ['A', 'ATL']")
	case 5:
		return "(" + g.time(1) + g.pick(" < ", " >= ", " == ") + g.time(1) + ")"
	case 6:
		return g.pick("i", "x") + g.pick(" in ", " not in ") + "[0, -1, 2.5, 7]"
	}
	return "(" + g.number(depth-1) + " " + g.pick("<", "<=", "==", "!=", ">", ">=") + " " + g.number(g.IntN(depth)) + ")"
}

func (g generator) text(depth int) string {
	if depth == 0 {
		return g.pick("s", "r", "w", "'A'", "'a_b'")
	}
	return g.pick("lower("+g.text(depth-1)+")", "upper("+g.text(depth-1)+")", "("+g.text(depth-1)+" + "+g.text(0)+")", "coalesce("+g.text(0)+", 'none')", "min(s, r)", "concat("+g.text(0)+", i, d)")
}

func (g generator) time(depth int) string {
	if depth == 0 {
		return g.pick("t", "u", "t", "timestamp('2001-06-30T12:00:00Z')")
	}
	return g.pick("("+g.time(depth-1)+g.pick(" + ", " - ")+g.span(depth-1)+")", "max(t, u)", "coalesce(t, u)", "(d + days(1))", g.time(0))
}

func (g generator) span(depth int) string {
	if depth == 0 {
		return g.pick("minutes(5)", "hours(i)", "seconds(x)", "days(0.5)", "milliseconds(j)")
	}
	return "(" + g.pick(g.span(depth-1)+g.pick(" + ", " - ")+g.span(0), "t - u", "d - e", g.span(0)+" * "+g.pick("2", "x", "i"), g.span(0)+" / "+g.pick("x", "7", "k"), "minutes("+g.number(depth-1)+")") + ")"
}
