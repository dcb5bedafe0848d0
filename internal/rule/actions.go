package rule

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// What the strict operators do, in Go and in SQL. The two halves stand side by side because they must say the same.
//
// SQL that could raise an error (an overflow, ln(0)) is written so that it can not. Wrapping it in try() would be shorter, and both engines have
// it, but DuckDB 1.5 moves a subexpression that occurs twice out of its try, and the error with it. What stands behind a `case when` is not moved.

func infix(op string) func(a []operand) string {
	return func(a []operand) string { return "(" + a[0].text + " " + op + " " + a[1].text + ")" }
}

func called(name string) func(a []operand) string {
	return func(a []operand) string {
		texts := make([]string, len(a))
		for i := range a {
			texts[i] = a[i].text
		}
		return name + "(" + strings.Join(texts, ", ") + ")"
	}
}

func same(a []operand) string { return a[0].text }

var (
	notBool     = &action{eval: func(a []any) any { return !a[0].(bool) }, sql: func(a []operand) string { return "(not " + a[0].text + ")" }}
	negateFloat = &action{eval: func(a []any) any { return -a[0].(float64) }, sql: func(a []operand) string { return "(- " + a[0].text + ")" }}
	negateInt   = &action{
		eval: func(a []any) any { return orNull(subInt(0, a[0].(int64))) },
		sql:  func(a []operand) string { return exact("0 - " + wide(a[0])) },
	}
	widen  = &action{eval: func(a []any) any { return float64(a[0].(int64)) }, sql: same}
	concat = &action{eval: func(a []any) any { return a[0].(string) + a[1].(string) }, sql: infix("||")}
	isIn   = &action{
		eval: func(a []any) any {
			for _, x := range a[1:] {
				if compareValues(a[0], x) == 0 {
					return true
				}
			}
			return false
		},
		sql: func(a []operand) string { return "(" + a[0].text + " in " + called("")(a[1:]) + ")" },
	}
)

var comparison = map[string]*action{
	"==": ordered("=", func(c int) bool { return c == 0 }),
	"!=": ordered("<>", func(c int) bool { return c != 0 }),
	"<":  ordered("<", func(c int) bool { return c < 0 }),
	"<=": ordered("<=", func(c int) bool { return c <= 0 }),
	">":  ordered(">", func(c int) bool { return c > 0 }),
	">=": ordered(">=", func(c int) bool { return c >= 0 }),
}

func ordered(sql string, holds func(c int) bool) *action {
	return &action{eval: func(a []any) any { return holds(compareValues(a[0], a[1])) }, sql: infix(sql)}
}

// compareValues orders two values of one type: text by its bytes, false before true, NaN above every number and equal to itself.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return compareFloats(a, b.(float64))
	case string:
		return cmp.Compare(a, b.(string))
	case bool:
		if a == b.(bool) {
			return 0
		}
		if a {
			return 1
		}
	}
	return -1
}

func compareFloats(a, b float64) int {
	switch aNaN, bNaN := math.IsNaN(a), math.IsNaN(b); {
	case aNaN && bNaN:
		return 0
	case aNaN:
		return 1
	case bNaN:
		return -1
	}
	return cmp.Compare(a, b)
}

var intArithmetic = map[string]*action{
	"+": {eval: func(a []any) any { return orNull(addInt(a[0].(int64), a[1].(int64))) }, sql: exactly("+")},
	"-": {eval: func(a []any) any { return orNull(subInt(a[0].(int64), a[1].(int64))) }, sql: exactly("-")},
	"*": {eval: func(a []any) any { return orNull(mulInt(a[0].(int64), a[1].(int64))) }, sql: exactly("*")},
	"%": {
		eval: func(a []any) any {
			if a[1].(int64) == 0 {
				return nil
			}
			return a[0].(int64) % a[1].(int64)
		},
		sql: remainder,
	},
}

// exactly is integer arithmetic in decimals, where two 64-bit integers can not overflow, brought back to 64 bits or null.
func exactly(op string) func(a []operand) string {
	return func(a []operand) string { return exact(wide(a[0]) + " " + op + " " + wide(a[1])) }
}

// exact brings a decimal back. The step with one decimal keeps DuckDB 1.5 from rewriting `try_cast(x as bigint) > 0` to `x > 0`, which forgets
// that the left side may be null; it only does so for casts that lose no decimals.
func exact(sql string) string { return narrow("try_cast(" + sql + " as decimal(38,1))") }

func wide(a operand) string {
	if a.literal {
		return a.text
	}
	return "cast(" + a.text + " as decimal(19,0))"
}

func narrow(sql string) string { return "try_cast(" + sql + " as bigint)" }

// remainder keeps clear of the least integer % -1, an overflow to DuckDB: by -1 and by 1 the remainder is the same.
func remainder(a []operand) string {
	if a[1].literal {
		if a[1].value == int64(-1) {
			a[1].text = "1"
		}
		return infix("%")(a)
	}
	return fmt.Sprintf("case when %s = -1 then %s %% 1 else %s %% nullif(%s, 0) end", a[1].text, a[0].text, a[0].text, a[1].text)
}

var floatArithmetic = map[string]*action{
	"+": {eval: func(a []any) any { return a[0].(float64) + a[1].(float64) }, sql: infix("+")},
	"-": {eval: func(a []any) any { return a[0].(float64) - a[1].(float64) }, sql: infix("-")},
	"*": {eval: func(a []any) any { return a[0].(float64) * a[1].(float64) }, sql: infix("*")},
	"/": {eval: func(a []any) any { return ratio(a[0].(float64), a[1].(float64)) }, sql: divided},
	"%": {
		eval: func(a []any) any {
			if a[1].(float64) == 0 {
				return nil
			}
			return math.Mod(a[0].(float64), a[1].(float64))
		},
		sql: byNonZero("%"),
	},
	"**": {eval: func(a []any) any { return power(a[0].(float64), a[1].(float64)) }, sql: called("power")},
}

func ratio(a, b float64) any {
	if b == 0 {
		return nil
	}
	return a / b
}

// nonZero is the operand, null when it is zero.
func nonZero(a operand) string {
	if a.literal { // a literal zero has been refused
		return a.text
	}
	return "nullif(" + a.text + ", 0)"
}

func byNonZero(op string) func(a []operand) string {
	return func(a []operand) string { return "(" + a[0].text + " " + op + " " + nonZero(a[1]) + ")" }
}

// divided writes x * 1e0 / y for two integers, because / between integers means another thing on every engine.
func divided(a []operand) string {
	if a[0].isInt && a[1].isInt {
		return "(" + a[0].text + " * 1e0 / " + nonZero(a[1]) + ")"
	}
	return byNonZero("/")(a)
}

func orNull(v int64, ok bool) any {
	if !ok {
		return nil
	}
	return v
}

func addInt(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

func subInt(a, b int64) (int64, bool) {
	c := a - b
	return c, (c < a) == (b > 0)
}

func mulInt(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, (c < 0) == ((a < 0) != (b < 0)) && c/b == a
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
