package rule

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/table"
)

// function is one named function. make gives nil for arguments that it does not take.
type function struct {
	usage string
	make  func(at int, args []*node) (*node, error)
}

// Functions lists every function with its arguments, in alphabetical order, for reference pages.
func Functions() []string {
	var out []string
	for _, name := range functionNames() {
		out = append(out, functions[name].usage)
	}
	return out
}

func functionNames() []string { return slices.Sorted(maps.Keys(functions)) }

var functions = map[string]function{
	"milliseconds": {"milliseconds(number): a duration", spanOf(1)},
	"seconds":      {"seconds(number): a duration", spanOf(1000)},
	"minutes":      {"minutes(number): a duration", spanOf(60_000)},
	"hours":        {"hours(number): a duration", spanOf(3_600_000)},
	"days":         {"days(number): a duration of so many times 24 hours", spanOf(msPerDay)},

	"date":         {`date("2001-06-30")`, dateLiteral},
	"timestamp":    {`timestamp("2001-06-30T12:00:00Z"); without a zone it is UTC`, timestampLiteral},
	"day":          {"day(time): its date", oneTime(table.Date, nil)},
	"weekday":      {"weekday(time): 1 is Monday, 7 is Sunday", oneTime(table.Int64, weekdayOf)},
	"month":        {"month(time): 1 to 12", oneTime(table.Int64, monthOf)},
	"year":         {"year(time)", oneTime(table.Int64, yearOf)},
	"hour":         {"hour(timestamp): 0 to 23, in UTC", ofType(table.Timestamp, table.Int64, hourOf)},
	"minute":       {"minute(timestamp): 0 to 59", ofType(table.Timestamp, table.Int64, minuteOf)},
	"days_between": {"days_between(from, to): how many midnights lie between", makeDaysBetween},

	"abs":   {"abs(number or duration)", makeAbs},
	"min":   {"min(a, b, …): the least; min(list) in gates", extreme("min", "least", -1)},
	"max":   {"max(a, b, …): the greatest; max(list) in gates", extreme("max", "greatest", 1)},
	"floor": {"floor(number)", wholeNumber(&action{eval: onFloat(math.Floor), sql: called("floor")})},
	"ceil":  {"ceil(number)", wholeNumber(&action{eval: onFloat(math.Ceil), sql: called("ceil")})},
	"round": {"round(number): half away from zero; round(number, 0 to 9 digits)", makeRound},
	"sqrt":  {"sqrt(number): null below 0", ofFloat(within("sqrt", ">=", math.Sqrt))},
	"ln":    {"ln(number): null at and below 0", ofFloat(within("ln", ">", ln))},
	"log10": {"log10(number): null at and below 0", ofFloat(within("log10", ">", log10))},
	"exp":   {"exp(number)", ofFloat(&action{eval: onFloat(math.Exp), sql: called("exp")})},

	"length": {"length(text): in characters", ofType(table.String, table.Int64, &action{
		eval: func(a []any) any { return int64(utf8.RuneCountInString(a[0].(string))) }, sql: called("length")})},
	"lower": {"lower(text)", ofType(table.String, table.String, &action{
		eval: func(a []any) any { return strings.ToLower(a[0].(string)) }, sql: called("lower")})},
	"upper": {"upper(text)", ofType(table.String, table.String, &action{
		eval: func(a []any) any { return strings.ToUpper(a[0].(string)) }, sql: called("upper")})},

	"concat":   {"concat(a, b, …): texts, whole numbers and dates joined", makeConcat},
	"col":      {`col("any name"): the column of that name`, nil}, // made by builder.call, which knows the columns
	"coalesce": {"coalesce(a, b, …): the first that is not null", makeCoalesce},
	"is_null":  {"is_null(value)", makeIsNull},
}

func ofType(from, to table.Type, do *action) func(int, []*node) (*node, error) {
	return func(at int, args []*node) (*node, error) {
		if len(args) != 1 || args[0].typ != from {
			return nil, nil
		}
		return strict(at, to, do, args[0])
	}
}

func ofFloat(do *action) func(int, []*node) (*node, error) {
	return func(at int, args []*node) (*node, error) {
		if len(args) != 1 || !isNumber(args[0].typ) {
			return nil, nil
		}
		return strict(at, table.Float64, do, convert(args[0], table.Float64))
	}
}

func onFloat(f func(float64) float64) func([]any) any {
	return func(a []any) any { return f(a[0].(float64)) }
}

// wholeNumber rounds floats and leaves integers as they are.
func wholeNumber(do *action) func(int, []*node) (*node, error) {
	round := ofFloat(do)
	return func(at int, args []*node) (*node, error) {
		if len(args) == 1 && args[0].typ == table.Int64 {
			return args[0], nil
		}
		return round(at, args)
	}
}

// within is a function of x that has an answer only where `x op 0`. The guard is written out because outside the domain DuckDB raises an error
// and Trino gives NaN.
func within(name, op string, f func(float64) float64) *action {
	return &action{
		eval: func(a []any) any {
			x := a[0].(float64)
			if c := compareFloats(x, 0); c > 0 || c == 0 && op == ">=" {
				return f(x)
			}
			return nil
		},
		sql: func(a []operand) string {
			return fmt.Sprintf("case when %s %s 0 then %s(%s) end", a[0].text, op, name, a[0].text)
		},
	}
}

// smallestNormal is the least float64 with all its bits. Below it Go's logarithms on amd64 are wrong in the first digit, so what is smaller
// is scaled up first.
const (
	smallestNormal = 0x1p-1022
	scaleUp        = 0x1p54
)

func ln(x float64) float64 {
	if x < smallestNormal {
		return math.Log(x*scaleUp) - 54*math.Ln2
	}
	return math.Log(x)
}

func power(x, y float64) float64 {
	if x > 0 && x < smallestNormal {
		return math.Pow(x*scaleUp, y) * math.Exp2(-54*y)
	}
	return math.Pow(x, y)
}

// log10 is exact for powers of ten, as C's is and math.Log10 is not: log10(1000) must not be 2.9999999999999996.
func log10(x float64) float64 {
	y := ln(x) / math.Ln10
	if r := math.Round(y); math.Abs(r) < 400 && math.Pow10(int(r)) == x {
		return r
	}
	return y
}

func spanOf(ms int64) func(int, []*node) (*node, error) {
	unit := literal(0, table.Int64, ms)
	return func(at int, args []*node) (*node, error) {
		switch {
		case len(args) != 1:
			return nil, nil
		case args[0].typ == table.Int64:
			return strict(at, DurationType, intArithmetic["*"], args[0], unit)
		case args[0].typ == table.Float64:
			return strict(at, DurationType, floatSpan, args[0], convert(unit, table.Float64))
		}
		return nil, nil
	}
}

var floatSpan = &action{
	eval: func(a []any) any { return wholeOrNull(a[0].(float64) * a[1].(float64)) },
	sql:  func(a []operand) string { return narrow("round(" + a[0].text + " * " + a[1].text + ")") },
}

func oneTime(to table.Type, do *action) func(int, []*node) (*node, error) {
	return func(at int, args []*node) (*node, error) {
		switch {
		case len(args) != 1:
			return nil, nil
		case do == nil:
			return asDay(at, args[0])
		}
		return onDay(at, to, do, args[0])
	}
}

func makeDaysBetween(at int, args []*node) (*node, error) {
	if len(args) != 2 {
		return nil, nil
	}
	from, err := asDay(at, args[0])
	if from == nil || err != nil {
		return nil, err
	}
	to, err := asDay(at, args[1])
	if to == nil || err != nil {
		return nil, err
	}
	return strict(at, table.Int64, daysBetween, from, to)
}

func dateLiteral(at int, args []*node) (*node, error) {
	text, ok := soleText(args)
	if !ok {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1 {
		return nil, &Error{Offset: args[0].at, Msg: fmt.Sprintf("%q is not a date", text), Hint: `write date("2001-06-30")`}
	}
	return literal(at, table.Date, t.Unix()/86400), nil
}
