package rule

import (
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

func typeName(t table.Type) string {
	switch t {
	case Numbers:
		return "a list of numbers"
	case table.Bool, table.String, table.Date, table.Timestamp, DurationType, table.Float64:
		return "a " + string(t)
	case table.Int64:
		return "an int64"
	}
	return string(t)
}

func typeNames(args []*node) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = typeName(a.typ)
	}
	return strings.Join(names, ", ")
}

func isNumber(t table.Type) bool { return t == table.Int64 || t == table.Float64 }

// isOrdered says whether values of t can be compared with <.
func isOrdered(t table.Type) bool {
	switch t {
	case table.Int64, table.Float64, table.String, table.Date, table.Timestamp, DurationType:
		return true
	}
	return false
}

func isDateLiteral(n *node) bool {
	return n.kind == kindLiteral && (n.typ == table.Date || n.typ == table.Timestamp) ||
		n.kind == kindStrict && n.do == midnight && n.args[0].kind == kindLiteral
}

// unify brings nodes to one type: integers become floats beside floats, dates become timestamps (midnight) beside timestamps, null becomes
// anything. Not ok when there is no such type.
func unify(args []*node) (out []*node, typ table.Type, ok bool) {
	typ = nullType
	for _, a := range args {
		if typ, ok = wider(typ, a.typ); !ok {
			return nil, "", false
		}
	}
	out = make([]*node, len(args))
	for i, a := range args {
		out[i] = convert(a, typ)
	}
	return out, typ, true
}

func wider(a, b table.Type) (table.Type, bool) {
	switch {
	case a == b, b == nullType:
		return a, true
	case a == nullType:
		return b, true
	case isNumber(a) && isNumber(b):
		return table.Float64, true
	case a == table.Date && b == table.Timestamp, a == table.Timestamp && b == table.Date:
		return table.Timestamp, true
	}
	return "", false
}

// convert gives n as typ; the caller knows that it can be.
func convert(n *node, typ table.Type) *node {
	switch {
	case n.typ == typ:
		return n
	case n.kind == kindLiteral && n.typ == nullType:
		return literal(n.at, typ, nil)
	case n.kind == kindLiteral && n.typ == table.Int64 && typ == table.Float64:
		return literal(n.at, typ, float64(n.value.(int64)))
	case typ == table.Float64:
		return &node{kind: kindStrict, at: n.at, typ: typ, do: widen, args: []*node{n}}
	case typ == table.Timestamp:
		return &node{kind: kindStrict, at: n.at, typ: typ, do: midnight, args: []*node{n}}
	}
	return n
}
