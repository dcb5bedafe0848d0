package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/plumb-ml/plumb/internal/table"
)

// builder turns the parser's tree into typed steps and refuses what is not in the language.
type builder struct {
	env     Env
	offsets []int
	nodes   int
}

func (b *builder) at(n ast.Node) int {
	return b.offsets[min(max(n.Location().From, 0), len(b.offsets)-1)]
}

// build types one tree. A chain of one operator counts as one level, so that a sum of 100 terms is not "deep".
func (b *builder) build(n ast.Node, depth int) (*node, error) {
	b.nodes++
	switch {
	case n == nil:
		return nil, &Error{Msg: "the expression can not be read"}
	case b.nodes > MaxNodes:
		return nil, &Error{Offset: b.at(n), Msg: fmt.Sprintf("the expression has more than %d parts", MaxNodes), Hint: "name a part of it as an expression of its own"}
	case depth > MaxDepth:
		return nil, &Error{Offset: b.at(n), Msg: fmt.Sprintf("the expression is nested more than %d deep", MaxDepth), Hint: "name a part of it as an expression of its own"}
	}
	at := b.at(n)
	switch n := n.(type) {
	case *ast.IntegerNode:
		return literal(at, table.Int64, int64(n.Value)), nil
	case *ast.FloatNode:
		if !finite(n.Value) {
			return nil, &Error{Offset: at, Msg: "this number is too large"}
		}
		return literal(at, table.Float64, n.Value), nil
	case *ast.BoolNode:
		return literal(at, table.Bool, n.Value), nil
	case *ast.StringNode:
		return literal(at, table.String, n.Value), nil
	case *ast.IdentifierNode:
		if n.Value == "null" {
			return literal(at, nullType, nil), nil
		}
		return b.column(at, n.Value)
	case *ast.MemberNode:
		name, ok := dotted(n)
		if !ok {
			return nil, &Error{Offset: at, Msg: "there are no lists to index and no fields to read here", Hint: "a name may hold dots: params.rounds"}
		}
		return b.column(b.at(first(n)), name)
	case *ast.UnaryNode:
		return b.unary(n, depth)
	case *ast.BinaryNode:
		return b.binary(n, depth)
	case *ast.ConditionalNode:
		return b.conditional(n, depth)
	case *ast.BuiltinNode:
		return b.call(at, n.Name, n.Arguments, depth)
	case *ast.CallNode:
		if f, ok := n.Callee.(*ast.IdentifierNode); ok {
			return b.call(at, f.Value, n.Arguments, depth)
		}
		if name, ok := ofSide(n.Callee); ok && b.env.Aggregates != nil {
			return b.call(b.at(first(n.Callee)), name, n.Arguments, depth)
		}
		return nil, &Error{Offset: at, Msg: "values have no methods", Hint: "call a function by its name: abs(x)"}
	case *ast.ArrayNode:
		return nil, &Error{Offset: at, Msg: "a list stands only behind in"}
	}
	return nil, &Error{Offset: at, Msg: "this is not part of the language"}
}

// all builds several trees.
func (b *builder) all(nodes []ast.Node, depth int) ([]*node, error) {
	out := make([]*node, len(nodes))
	for i, n := range nodes {
		var err error
		if out[i], err = b.build(n, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// dotted joins a.b.c to one name.
func dotted(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, true
	case *ast.MemberNode:
		property, isName := n.Property.(*ast.StringNode)
		left, ok := dotted(n.Node)
		if !isName || !ok || n.Optional || n.Method {
			return "", false
		}
		return left + "." + property.Value, true
	}
	return "", false
}

func first(n ast.Node) ast.Node {
	for {
		m, ok := n.(*ast.MemberNode)
		if !ok {
			return n
		}
		n = m.Node
	}
}

// column looks a name up.
func (b *builder) column(at int, name string) (*node, error) {
	typ, ok := b.env.Columns[name]
	if !ok {
		return nil, b.unknown(at, name)
	}
	n := &node{kind: kindColumn, at: at, typ: typ, name: name}
	switch typ {
	case table.Decimal:
		n.typ, n.cast = table.Float64, true
	case table.Int64, table.Float64, table.Bool, table.String, table.Date, table.Timestamp, DurationType, Numbers:
	default:
		return nil, &Error{Offset: at, Msg: fmt.Sprintf("%s has type %s, which expressions can not read", name, typ)}
	}
	return n, nil
}

func (b *builder) unknown(at int, name string) error {
	if b.env.Aggregates != nil {
		if _, ok := b.env.Aggregates.Columns[name]; ok {
			return &Error{Offset: at, Msg: fmt.Sprintf("%s is a column of many rows", name), Hint: fmt.Sprintf("say what about it: mean(%[1]s), share(%[1]s, …), null_rate(%[1]s)", Name(name))}
		}
	}
	e := &Error{Offset: at, Msg: fmt.Sprintf("there is no column or name %q", name)}
	names := slices.Sorted(maps.Keys(b.env.Columns))
	if near := nearest(name, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", Name(near))
		return e
	}
	if _, ok := functions[name]; ok {
		e.Hint = fmt.Sprintf("%s is a function: %s", name, functions[name].usage)
		return e
	}
	inside := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !strings.HasPrefix(s, name+".") })
	if len(inside) > 0 {
		names = inside
	}
	for i := range names {
		names[i] = Name(names[i])
	}
	const shown = 12
	switch {
	case len(names) == 0:
		e.Hint = "no names can be used here"
	case len(names) > shown:
		e.Hint = fmt.Sprintf("known: %s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
	default:
		e.Hint = "known: " + strings.Join(names, ", ")
	}
	return e
}

func (b *builder) unary(n *ast.UnaryNode, depth int) (*node, error) {
	at := b.at(n)
	x, err := b.build(n.Node, depth+1)
	if err != nil {
		return nil, err
	}
	switch n.Operator {
	case "not":
		if x.typ != table.Bool {
			return nil, &Error{Offset: at, Msg: "not takes a bool, not " + typeName(x.typ), Hint: "not binds tighter than a comparison: write not (a == b)"}
		}
		return strict(at, table.Bool, notBool, x)
	case "-":
		switch x.typ {
		case table.Int64, DurationType:
			return strict(at, x.typ, negateInt, x)
		case table.Float64:
			return strict(at, x.typ, negateFloat, x)
		}
		return nil, &Error{Offset: at, Msg: "- takes a number or a duration, not " + typeName(x.typ)}
	}
	return nil, &Error{Offset: at, Msg: fmt.Sprintf("%q before a value is not part of the language", n.Operator), Hint: "leave it out"}
}

func (b *builder) binary(n *ast.BinaryNode, depth int) (*node, error) {
	at := b.at(n)
	down := depth + 1
	if same, ok := n.Left.(*ast.BinaryNode); ok && same.Operator == n.Operator {
		down = depth
	}
	l, err := b.build(n.Left, down)
	if err != nil {
		return nil, err
	}
	if n.Operator == "in" {
		return b.in(at, l, n.Right, depth+1)
	}
	r, err := b.build(n.Right, depth+1)
	if err != nil {
		return nil, err
	}
	return operate(n.Operator, at, l, r)
}

func (b *builder) in(at int, x *node, right ast.Node, depth int) (*node, error) {
	list, ok := right.(*ast.ArrayNode)
	if !ok || len(list.Nodes) == 0 {
		return nil, &Error{Offset: at, Msg: "in needs a list of values", Hint: `write x in ["a", "b"]`}
	}
	items, err := b.all(list.Nodes, depth)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if item.kind != kindLiteral && !isDateLiteral(item) || item.typ == nullType {
			return nil, &Error{Offset: item.at, Msg: "a list behind in holds plain values only", Hint: "compare with == for anything else"}
		}
	}
	args, typ, ok := unify(append([]*node{x}, items...))
	if !ok || typ == Numbers || typ == nullType {
		return nil, &Error{Offset: at, Msg: "the list does not hold values of the type on its left, " + typeName(x.typ)}
	}
	return strict(at, table.Bool, isIn, args...)
}

func (b *builder) conditional(n *ast.ConditionalNode, depth int) (*node, error) {
	args, err := b.all([]ast.Node{n.Cond, n.Exp1, n.Exp2}, depth+1)
	if err != nil {
		return nil, err
	}
	at := args[0].at
	if args[0].typ != table.Bool {
		return nil, &Error{Offset: at, Msg: "the condition before ? must be a bool, not " + typeName(args[0].typ), Hint: "compare it: x > 0 ? a : b"}
	}
	branches, typ, ok := unify(args[1:])
	if !ok || typ == nullType {
		return nil, &Error{Offset: args[2].at, Msg: fmt.Sprintf("both branches of ?: must have one type, not %s and %s", typeName(args[1].typ), typeName(args[2].typ))}
	}
	return &node{kind: kindChoose, at: at, typ: typ, args: []*node{args[0], branches[0], branches[1]}}, nil
}

func (b *builder) call(at int, name string, arguments []ast.Node, depth int) (*node, error) {
	if n, err := b.aggregate(at, name, arguments); n != nil || err != nil {
		return n, err
	}
	f, ok := functions[name]
	if !ok {
		return nil, checkFunction(name, at)
	}
	args, err := b.all(arguments, depth+1)
	if err != nil {
		return nil, err
	}
	if name == "col" {
		if text, ok := soleText(args); ok {
			return b.column(at, text)
		}
		return nil, &Error{Offset: at, Msg: "col takes a column's name in quotes", Hint: f.usage}
	}
	if len(args) == 0 {
		return nil, &Error{Offset: at, Msg: name + " needs a value", Hint: f.usage}
	}
	out, err := f.make(at, args)
	if err == nil && out == nil {
		err = &Error{Offset: at, Msg: fmt.Sprintf("%s does not take %s", name, typeNames(args)), Hint: f.usage}
	}
	return out, err
}

func soleText(args []*node) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	text, ok := args[0].value.(string)
	return text, ok && args[0].kind == kindLiteral && args[0].typ == table.String
}
