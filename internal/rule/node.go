package rule

import "github.com/plumb-ml/plumb/internal/table"

type kind int

const (
	kindLiteral  kind = iota
	kindColumn        // reads a name
	kindStrict        // null when any argument is null, else what do.eval says
	kindAnd           // three-valued
	kindOr            // three-valued
	kindChoose        // args: condition, then, otherwise
	kindCoalesce      // the first argument that is not null
	kindIsNull
)

// node is one typed step. Dates are held as int64 days, timestamps as int64 microseconds and durations as int64 milliseconds since the epoch.
type node struct {
	kind  kind
	typ   table.Type
	at    int    // byte offset in the source
	value any    // kindLiteral
	name  string // kindColumn
	cast  bool   // kindColumn: a decimal, read as float64
	args  []*node
	do    *action // kindStrict

	aggregate *Aggregate // kindColumn: a number about a column
}

// action is what a strict step does, both ways.
type action struct {
	eval func(args []any) any        // never sees nil; nil when there is no answer
	sql  func(args []operand) string // never raises an error; nil when there is no SQL form
}

// operand is an argument as SQL.
type operand struct {
	text    string
	literal bool // and so never null
	isInt   bool
	value   any // of a literal
}

// walk calls f on every step, parents first. It accepts nil.
func (n *node) walk(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	for _, a := range n.args {
		a.walk(f)
	}
}

func literal(at int, typ table.Type, value any) *node {
	return &node{kind: kindLiteral, at: at, typ: typ, value: value}
}

// strict makes a strict step; when all arguments are literals it is worked out here, so that no engine has to round a constant.
func strict(at int, typ table.Type, do *action, args ...*node) (*node, error) {
	n := &node{kind: kindStrict, at: at, typ: typ, do: do, args: args}
	values := make([]any, len(args))
	for i, a := range args {
		if a.kind != kindLiteral {
			return n, nil
		}
		values[i] = a.value
	}
	if typ == table.Date || typ == table.Timestamp {
		return n, nil
	}
	v := do.eval(values)
	if f, ok := v.(float64); v == nil || ok && !finite(f) {
		return nil, &Error{Offset: at, Msg: "this has no answer: it overflows, divides by zero or leaves the function's domain"}
	}
	return literal(at, typ, v), nil
}
