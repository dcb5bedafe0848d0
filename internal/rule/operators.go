package rule

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

// operate types `l op r` and says what it does.
func operate(op string, at int, l, r *node) (*node, error) {
	if l.typ == nullType || r.typ == nullType {
		return nil, &Error{Offset: at, Msg: "an operation with null is always null", Hint: "write is_null(x)"}
	}
	var out *node
	var err error
	switch op {
	case "and", "or":
		out = connect(op, at, l, r)
	case "==", "!=", "<", "<=", ">", ">=":
		out, err = compareNodes(op, at, l, r)
	case "&&": // the parser writes 1 < x < 5 as 1 < x && x < 5; a && of the user's own does not get here
		out = connect("and", at, l, r)
	case "+", "-", "*", "/", "%", "**":
		out, err = arithmetic(op, at, l, r)
	case "startsWith", "endsWith", "contains", "matches":
		return textTest(op, at, l, r)
	case "??":
		return coalesce(at, []*node{l, r})
	default:
		return nil, &Error{Offset: at, Msg: fmt.Sprintf("%q is not part of the language", op)}
	}
	if err == nil && out == nil {
		err = &Error{Offset: at, Msg: fmt.Sprintf("%s does not go between %s and %s", op, typeName(l.typ), typeName(r.typ)), Hint: mismatch(op, l, r)}
	}
	return out, err
}

// mismatch says what would go where l and r do not.
func mismatch(op string, l, r *node) string {
	for _, pair := range [][2]*node{{l, r}, {r, l}} {
		other := pair[1]
		if (other.typ == table.Date || other.typ == table.Timestamp) && pair[0].kind == kindLiteral {
			return `write times as date("2001-06-30") or timestamp("2001-06-30T12:00:00Z"), spans as days(7) or minutes(30)`
		}
	}
	switch op {
	case "and", "or":
		return "both sides must be true or false: compare them, x > 0 and y > 0"
	case "==", "!=", "<", "<=", ">", ">=":
		return "only values of one type can be compared"
	case "+":
		return "+ adds numbers, joins text, and moves a time by a duration"
	}
	return "it takes numbers; - also takes times and durations"
}

func connect(op string, at int, l, r *node) *node {
	if l.typ != table.Bool || r.typ != table.Bool {
		return nil
	}
	k := kindAnd
	if op == "or" {
		k = kindOr
	}
	return &node{kind: k, at: at, typ: table.Bool, args: []*node{l, r}}
}

func compareNodes(op string, at int, l, r *node) (*node, error) {
	args, typ, ok := unify([]*node{l, r})
	equality := op == "==" || op == "!="
	if !ok || !isOrdered(typ) && !(equality && typ == table.Bool) {
		return nil, nil
	}
	return strict(at, table.Bool, comparison[op], args...)
}

// arithmetic finds the meaning of op for the two types; nil when there is none.
func arithmetic(op string, at int, l, r *node) (*node, error) {
	if isNumber(l.typ) && isNumber(r.typ) {
		return numeric(op, at, l, r)
	}
	if out, err := temporal(op, at, l, r); out != nil || err != nil {
		return out, err
	}
	if op == "+" && l.typ == table.String && r.typ == table.String {
		return strict(at, table.String, concat, l, r)
	}
	return nil, nil
}

func numeric(op string, at int, l, r *node) (*node, error) {
	if (op == "/" || op == "%") && isZero(r) {
		return nil, &Error{Offset: r.at, Msg: "division by zero is always null"}
	}
	if l.typ == table.Int64 && r.typ == table.Int64 {
		if do, ok := intArithmetic[op]; ok {
			return strict(at, table.Int64, do, l, r)
		}
	}
	return strict(at, table.Float64, floatArithmetic[op], convert(l, table.Float64), convert(r, table.Float64))
}

func isZero(n *node) bool {
	return n.kind == kindLiteral && (n.value == int64(0) || n.value == float64(0))
}

// temporal is arithmetic with times and durations.
func temporal(op string, at int, l, r *node) (*node, error) {
	isTime := func(n *node) bool { return n.typ == table.Date || n.typ == table.Timestamp }
	isSpan := func(n *node) bool { return n.typ == DurationType }
	instant := func(n *node) *node { return convert(n, table.Timestamp) }
	if isTime(l) && tooFar(r) || isTime(r) && tooFar(l) {
		return nil, &Error{Offset: at, Msg: "a time can be moved by at most 100000 days"}
	}
	switch {
	case op == "+" && isTime(l) && isSpan(r):
		return strict(at, table.Timestamp, later, instant(l), r)
	case op == "+" && isSpan(l) && isTime(r):
		return strict(at, table.Timestamp, later, instant(r), l)
	case op == "-" && isTime(l) && isSpan(r):
		return strict(at, table.Timestamp, earlier, instant(l), r)
	case op == "-" && isTime(l) && isTime(r):
		return strict(at, DurationType, between, instant(l), instant(r))
	case (op == "+" || op == "-") && isSpan(l) && isSpan(r):
		return strict(at, DurationType, intArithmetic[op], l, r)
	case op == "*" && isSpan(l) && isNumber(r.typ):
		return scaleSpan(at, l, r)
	case op == "*" && isNumber(l.typ) && isSpan(r):
		return scaleSpan(at, r, l)
	case op == "/" && isSpan(l) && (isNumber(r.typ) || isSpan(r)) && isZero(r):
		return nil, &Error{Offset: r.at, Msg: "division by zero is always null"}
	case op == "/" && isSpan(l) && isNumber(r.typ):
		return strict(at, DurationType, divideSpan, l, convert(r, table.Float64))
	case op == "/" && isSpan(l) && isSpan(r):
		return strict(at, table.Float64, spanRatio, l, r)
	}
	return nil, nil
}

func tooFar(n *node) bool {
	ms, ok := n.value.(int64)
	return ok && n.typ == DurationType && (ms < -maxShift || ms > maxShift)
}

func scaleSpan(at int, span, by *node) (*node, error) {
	if by.typ == table.Int64 {
		return strict(at, DurationType, intArithmetic["*"], span, by)
	}
	return strict(at, DurationType, multiplySpan, span, by)
}

// textTest is startsWith, endsWith, contains and matches. The right side is a literal, so that it can be written as a LIKE pattern, or checked
// as a regular expression, once and for both engines.
func textTest(op string, at int, l, r *node) (*node, error) {
	pattern, ok := r.value.(string)
	if l.typ != table.String || !ok || r.kind != kindLiteral {
		return nil, &Error{Offset: at, Msg: op + " takes text on its left and a text in quotes on its right", Hint: fmt.Sprintf(`write name %s "abc"`, op)}
	}
	if op == "matches" {
		return matching(at, l, r, pattern)
	}
	return strict(at, table.Bool, textTests[op], l, r)
}

var textTests = map[string]*action{
	"startsWith": like("", "%", strings.HasPrefix),
	"endsWith":   like("%", "", strings.HasSuffix),
	"contains":   like("%", "%", strings.Contains),
}

func like(before, after string, test func(s, part string) bool) *action {
	return &action{
		eval: func(a []any) any { return test(a[0].(string), a[1].(string)) },
		sql: func(a []operand) string {
			part := strings.NewReplacer("$", "$$", "%", "$%", "_", "$_").Replace(a[1].value.(string))
			return fmt.Sprintf("(%s like %s escape '$')", a[0].text, quoteText(before+part+after))
		},
	}
}

func coalesce(at int, args []*node) (*node, error) {
	out, typ, ok := unify(args)
	if !ok || typ == nullType || typ == Numbers {
		return nil, &Error{Offset: at, Msg: "these values have no common type: " + typeNames(args), Hint: "the values to choose from must have one type"}
	}
	return &node{kind: kindCoalesce, at: at, typ: typ, args: out}, nil
}
