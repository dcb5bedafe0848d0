package rule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/plumb-ml/plumb/internal/table"
)

// Aggregates lets an expression speak of columns of many rows: mean(age), ref.share(plan, "gold"). Whoever evaluates it works the numbers out
// and lays them under Aggregate.String.
type Aggregates struct {
	Columns map[string]table.Type
	Sides   []string // names of other rows than the ones at hand, as "ref"
}

// Aggregate is one number about a column.
type Aggregate struct {
	Side     string // "" or one of Sides
	Function string
	Column   string
	Share    string  // share: the value, as text
	Quantile float64 // quantile: 0 to 1
}

// String is the name under which an expression looks the number up, and how a person writes it.
func (a Aggregate) String() string {
	name := a.Function
	if a.Side != "" {
		name = a.Side + "." + name
	}
	switch column := Name(a.Column); a.Function {
	case "share":
		return fmt.Sprintf("%s(%s, %s)", name, column, Literal(a.Share))
	case "quantile":
		return fmt.Sprintf("%s(%s, %s)", name, column, strconv.FormatFloat(a.Quantile, 'g', -1, 64))
	default:
		return fmt.Sprintf("%s(%s)", name, column)
	}
}

// aggregateUsage is every function over a column.
var aggregateUsage = map[string]string{
	"mean": "mean(column)", "median": "median(column)", "std": "std(column): the sample's standard deviation", "min": "min(column)", "max": "max(column)",
	"quantile": "quantile(column, 0.95)", "null_rate": "null_rate(column): the share of rows without a value",
	"distinct": "distinct(column): how many different values", "share": `share(column, "value"): the share of rows that have it`,
}

// AggregateFunctions lists every function over a column with its arguments, in alphabetical order, for reference pages.
func AggregateFunctions() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(aggregateUsage)) {
		out = append(out, aggregateUsage[name])
	}
	return out
}

// Aggregates lists the numbers about columns that the expression reads, each once, in order of first use.
func (e Expr) Aggregates() []Aggregate {
	var out []Aggregate
	e.root.walk(func(n *node) {
		if n.aggregate != nil && !slices.Contains(out, *n.aggregate) {
			out = append(out, *n.aggregate)
		}
	})
	return out
}

// aggregate builds a call that is about a column, or gives nil when it is an ordinary one.
func (b *builder) aggregate(at int, name string, arguments []ast.Node) (*node, error) {
	if b.env.Aggregates == nil {
		return nil, nil
	}
	side, function, dotted := strings.Cut(name, ".")
	if !dotted {
		side, function = "", name
	}
	usage, known := aggregateUsage[function]
	if dotted && (!slices.Contains(b.env.Aggregates.Sides, side) || !known) {
		return nil, b.unknownAggregate(at, side, function)
	}
	if _, both := functions[function]; !known || both && !dotted && !b.isColumn(arguments) { // min(a, b) of numbers stays what it is
		return nil, nil
	}
	a := Aggregate{Side: side, Function: function}
	if len(arguments) == 0 {
		return nil, &Error{Offset: at, Msg: function + " needs a column", Hint: usage}
	}
	var typ table.Type
	var err error
	if a.Column, typ, err = b.aggregated(arguments[0], usage); err != nil {
		return nil, err
	}
	if err := a.rest(at, arguments[1:], usage); err != nil {
		return nil, err
	}
	out := table.Float64
	switch function {
	case "distinct":
		out = table.Int64
	case "null_rate", "share":
	default:
		if typ != table.Int64 && typ != table.Float64 && typ != table.Decimal && typ != table.Bool {
			return nil, &Error{Offset: at, Msg: fmt.Sprintf("%s takes a number, and %s is %s", function, a.Column, typeName(typ)), Hint: "of other columns there are share, null_rate and distinct"}
		}
	}
	return &node{kind: kindColumn, at: at, typ: out, name: a.String(), aggregate: &a}, nil
}

// rest reads what stands behind the column.
func (a *Aggregate) rest(at int, arguments []ast.Node, usage string) error {
	wants := 0
	if a.Function == "share" || a.Function == "quantile" {
		wants = 1
	}
	if len(arguments) != wants {
		return &Error{Offset: at, Msg: fmt.Sprintf("%s takes %d values behind the column, not %d", a.Function, wants, len(arguments)), Hint: usage}
	}
	if wants == 0 {
		return nil
	}
	switch n := arguments[0].(type) {
	case *ast.StringNode:
		a.Share = n.Value
		if a.Function == "share" {
			return nil
		}
	case *ast.IntegerNode:
		a.Share, a.Quantile = strconv.Itoa(n.Value), float64(n.Value)
	case *ast.FloatNode:
		a.Share, a.Quantile = strconv.FormatFloat(n.Value, 'g', -1, 64), n.Value
	case *ast.BoolNode:
		a.Share = strconv.FormatBool(n.Value)
		if a.Function == "share" {
			return nil
		}
	default:
		return &Error{Offset: at, Msg: a.Function + " takes a plain value behind the column", Hint: usage}
	}
	if a.Function == "share" {
		a.Quantile = 0
		return nil
	}
	if a.Share = ""; !(a.Quantile >= 0 && a.Quantile <= 1) {
		return &Error{Offset: at, Msg: "a quantile is of a share from 0 to 1", Hint: usage}
	}
	return nil
}

func (b *builder) isColumn(arguments []ast.Node) bool {
	if len(arguments) != 1 {
		return false
	}
	name, ok := columnName(arguments[0])
	_, known := b.env.Aggregates.Columns[name]
	return ok && known
}

// aggregated is the column that an argument names.
func (b *builder) aggregated(n ast.Node, usage string) (string, table.Type, error) {
	name, ok := columnName(n)
	if !ok {
		return "", "", &Error{Offset: b.at(n), Msg: "a column is needed here", Hint: usage}
	}
	typ, known := b.env.Aggregates.Columns[name]
	if known {
		return name, typ, nil
	}
	e := &Error{Offset: b.at(n), Msg: fmt.Sprintf("there is no column %q", name)}
	if near := nearest(name, slices.Sorted(maps.Keys(b.env.Aggregates.Columns))); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", Name(near))
	}
	return "", "", e
}

// columnName reads a plain or dotted name, or col("…").
func columnName(n ast.Node) (string, bool) {
	if call, ok := n.(*ast.CallNode); ok && len(call.Arguments) == 1 {
		callee, plain := call.Callee.(*ast.IdentifierNode)
		text, quoted := call.Arguments[0].(*ast.StringNode)
		if plain && quoted && callee.Value == "col" {
			return text.Value, true
		}
	}
	return dotted(n)
}

// ofSide reads the name of a called function of another side, as ref.mean.
func ofSide(callee ast.Node) (string, bool) {
	m, ok := callee.(*ast.MemberNode)
	if !ok || m.Optional {
		return "", false
	}
	side, plain := m.Node.(*ast.IdentifierNode)
	function, named := m.Property.(*ast.StringNode)
	if !plain || !named {
		return "", false
	}
	return side.Value + "." + function.Value, true
}

func (b *builder) unknownAggregate(at int, side, function string) error {
	sides := b.env.Aggregates.Sides
	if !slices.Contains(sides, side) {
		e := &Error{Offset: at, Msg: fmt.Sprintf("there is nothing called %q to ask about", side), Hint: "there is " + strings.Join(sides, ", ")}
		if near := nearest(side, sides); near != "" {
			e.Hint = fmt.Sprintf("did you mean %s.%s?", near, function)
		}
		return e
	}
	e := &Error{Offset: at, Msg: fmt.Sprintf("there is no function %s.%s", side, function), Hint: "there is " + strings.Join(slices.Sorted(maps.Keys(aggregateUsage)), ", ")}
	if near := nearest(function, slices.Sorted(maps.Keys(aggregateUsage))); near != "" {
		e.Hint = fmt.Sprintf("did you mean %s.%s?", side, near)
	}
	return e
}
