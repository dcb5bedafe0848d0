package rule

import (
	"fmt"
	"math"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

var timestampLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly}

func timestampLiteral(at int, args []*node) (*node, error) {
	text, ok := soleText(args)
	if !ok {
		return nil, nil
	}
	for _, layout := range timestampLayouts {
		t, err := time.Parse(layout, text)
		if err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 && t.Nanosecond()%1000 == 0 {
			return literal(at, table.Timestamp, t.UnixMicro()), nil
		}
	}
	return nil, &Error{Offset: args[0].at, Msg: fmt.Sprintf("%q is not a time of at most six decimals", text), Hint: `write timestamp("2001-06-30T12:00:00Z")`}
}

func makeAbs(at int, args []*node) (*node, error) {
	if len(args) != 1 {
		return nil, nil
	}
	switch args[0].typ {
	case table.Int64, DurationType:
		return strict(at, args[0].typ, absInt, args[0])
	case table.Float64:
		return strict(at, table.Float64, absFloat, args[0])
	}
	return nil, nil
}

var (
	absFloat = &action{eval: onFloat(math.Abs), sql: called("abs")}
	absInt   = &action{
		eval: func(a []any) any {
			x := a[0].(int64)
			switch {
			case x == math.MinInt64:
				return nil
			case x < 0:
				return -x
			}
			return x
		},
		sql: func(a []operand) string { return exact("abs(" + wide(a[0]) + ")") },
	}
)

// makeRound rounds to whole numbers, or to decimals by way of a power of ten: round(x * 1e2) / 1e2 is the same everywhere, round(x, 2) is not.
func makeRound(at int, args []*node) (*node, error) {
	whole := wholeNumber(&action{eval: onFloat(math.Round), sql: called("round")})
	if len(args) != 2 {
		return whole(at, args)
	}
	digits, ok := args[1].value.(int64)
	if !ok || digits < 0 || digits > 9 || !isNumber(args[0].typ) {
		return nil, nil
	}
	if args[0].typ == table.Int64 {
		return args[0], nil
	}
	ten := literal(at, table.Float64, math.Pow10(int(digits)))
	scaled, err := strict(at, table.Float64, floatArithmetic["*"], args[0], ten)
	if err != nil {
		return nil, err
	}
	rounded, err := whole(at, []*node{scaled})
	if err != nil {
		return nil, err
	}
	return strict(at, table.Float64, floatArithmetic["/"], rounded, ten)
}

// extreme is min or max: of a list, or of two or more values. sign is that of the comparison a later value must win by.
func extreme(name, sql string, sign int) func(int, []*node) (*node, error) {
	overList := &action{eval: func(a []any) any { return listExtreme(a[0].([]float64), sign) }}
	overValues := &action{
		eval: func(a []any) any {
			best := a[0]
			for _, x := range a[1:] {
				if compareValues(x, best)*sign > 0 {
					best = x
				}
			}
			return best
		},
		sql: func(a []operand) string { return whenAll(a, called(sql)(a)) },
	}
	return func(at int, args []*node) (*node, error) {
		if len(args) == 1 && args[0].typ == Numbers {
			return strict(at, table.Float64, overList, args[0])
		}
		if len(args) < 2 {
			return nil, nil
		}
		for _, a := range args {
			if a.typ == nullType {
				return nil, &Error{Offset: a.at, Msg: name + " with null is always null", Hint: "write coalesce(x, 0) for a value that may be null"}
			}
		}
		same, typ, ok := unify(args)
		if !ok || !isOrdered(typ) {
			return nil, nil
		}
		return strict(at, typ, overValues, same...)
	}
}

// whenAll guards greatest and least: with a null among their arguments DuckDB gives the other one and Trino gives null.
func whenAll(a []operand, then string) string {
	guard := ""
	for _, x := range a {
		if x.literal {
			continue
		}
		if guard != "" {
			guard += " and "
		}
		guard += x.text + " is not null"
	}
	return "case when " + guard + " then " + then + " end"
}

// listExtreme is null for an empty list and for one with a number missing: an unknown slice could be the worst.
func listExtreme(list []float64, sign int) any {
	if len(list) == 0 {
		return nil
	}
	best := list[0]
	for _, x := range list {
		if math.IsNaN(x) {
			return nil
		}
		if compareFloats(x, best)*sign > 0 {
			best = x
		}
	}
	return best
}

func makeCoalesce(at int, args []*node) (*node, error) {
	if len(args) < 2 {
		return nil, nil
	}
	for _, a := range args {
		if a.typ == nullType {
			return nil, &Error{Offset: a.at, Msg: "coalesce chooses among values; null is none"}
		}
	}
	return coalesce(at, args)
}

func makeIsNull(at int, args []*node) (*node, error) {
	if len(args) != 1 || args[0].typ == nullType {
		return nil, nil
	}
	return &node{kind: kindIsNull, at: at, typ: table.Bool, args: args}, nil
}
