package rule

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// largest is the largest float64: what is not at most this far from zero is NaN or an infinity. NaN fails the comparison on both engines.
const largest = "1.7976931348623157e308"

// Quote gives name as an SQL identifier.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// SQL gives the expression as one SQL value, columns as quoted identifiers. A duration is a bigint of milliseconds. It is "" for an expression
// that reads a list of numbers, which no table has.
func (e Expr) SQL() string { return e.SQLOf(Quote) }

// SQLOf is SQL with each column written as column says: any SQL, already quoted, such as `l."delay"`.
func (e Expr) SQLOf(column func(name string) string) string {
	if e.root == nil {
		return "null"
	}
	text, _ := (&emitter{quote: column, limit: 16 * maxSQL}).text(e.root)
	return text
}

// emitter writes SQL. Some forms repeat an operand, so nesting them doubles the text: past limit it gives up.
type emitter struct {
	quote func(string) string
	limit int
	full  bool
}

// text writes a whole expression; not ok when it would pass the limit.
func (e *emitter) text(n *node) (string, bool) {
	listed := false
	n.walk(func(n *node) { listed = listed || n.typ == Numbers })
	if listed {
		return "", true
	}
	out := e.write(n)
	if e.full {
		return "", false
	}
	return out, true
}

func (e *emitter) write(n *node) string {
	if e.full {
		return ""
	}
	var out string
	switch n.kind {
	case kindLiteral:
		out = writeLiteral(n, true)
	case kindColumn:
		out = e.column(n)
	case kindAnd, kindOr:
		op := " and "
		if n.kind == kindOr {
			op = " or "
		}
		out = "(" + e.write(n.args[0]) + op + e.write(n.args[1]) + ")"
	case kindChoose:
		out = fmt.Sprintf("case when %s then %s else %s end", e.write(n.args[0]), e.write(n.args[1]), e.write(n.args[2]))
	case kindCoalesce:
		out = "coalesce(" + strings.Join(e.list(n.args), ", ") + ")"
	case kindIsNull:
		out = "(" + e.write(n.args[0]) + " is null)"
	case kindStrict:
		out = e.strict(n)
	}
	if len(out) > e.limit {
		e.full = true
		return ""
	}
	return out
}

func (e *emitter) list(nodes []*node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = e.write(n)
	}
	return out
}

func (e *emitter) strict(n *node) string {
	operands := make([]operand, len(n.args))
	for i, a := range n.args {
		source := a
		if a.kind == kindStrict && a.do == widen {
			source = a.args[0]
		}
		operands[i] = operand{literal: a.kind == kindLiteral, isInt: source.typ == table.Int64, value: a.value}
		if a.kind == kindLiteral {
			operands[i].text = writeLiteral(a, false)
		} else {
			operands[i].text = e.write(a)
		}
	}
	if e.full {
		return ""
	}
	return n.do.sql(operands)
}

// column writes a column; see inside for why a float is guarded.
func (e *emitter) column(n *node) string {
	name := e.quote(n.name)
	switch {
	case n.cast:
		return "cast(" + name + " as double)"
	case n.typ == table.Float64:
		return "case when abs(" + name + ") <= " + largest + " then " + name + " end"
	}
	return name
}

// writeLiteral writes a constant. Alone, an integer must say that it is a bigint: a plain 5 is 32 bits wide. Beside a value that is one, it need not.
func writeLiteral(n *node, alone bool) string {
	switch v := n.value.(type) {
	case nil:
		return "cast(null as " + sqlType(n.typ) + ")"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return writeFloat(v)
	case string:
		return quoteText(v)
	case int64:
		switch {
		case n.typ == table.Date:
			return "date '" + time.Unix(v*86400, 0).UTC().Format(time.DateOnly) + "'"
		case n.typ == table.Timestamp:
			return "timestamp '" + time.UnixMicro(v).UTC().Format("2006-01-02 15:04:05.000000") + "'"
		case alone:
			return "bigint '" + strconv.FormatInt(v, 10) + "'"
		case v < 0:
			return "(" + strconv.FormatInt(v, 10) + ")"
		}
		return strconv.FormatInt(v, 10)
	}
	return "null"
}

// writeFloat always writes an exponent: without one the literal is a decimal, which rounds and overflows differently.
func writeFloat(f float64) string {
	out := strconv.FormatFloat(f, 'e', -1, 64)
	out = strings.Replace(strings.Replace(out, "e+0", "e", 1), "e-0", "e-", 1)
	out = strings.Replace(out, "e+", "e", 1)
	if f < 0 {
		return "(" + out + ")"
	}
	return out
}

func sqlType(t table.Type) string {
	switch t {
	case table.Int64, DurationType:
		return "bigint"
	case table.Float64:
		return "double"
	case table.Bool:
		return "boolean"
	case table.String:
		return "varchar"
	}
	return string(t)
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
