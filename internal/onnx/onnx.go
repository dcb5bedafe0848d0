// Package onnx writes models in the ONNX format (onnx.proto of ONNX 1.15, IR version 8), for other tools to run.
//
// It knows nothing of plumb's models: internal/model says which graph one is. It reads nothing, checks no operator against its definition
// (tests do, with onnx and onnxruntime) and stores nothing. The protobuf is written by hand: a model is a dozen kinds of message, all
// written and never read, and the generated code of the schema is larger than all of this package's users.
package onnx

import "fmt"

// Type is an element type, by its number in TensorProto.
type Type int64

// The element types in use.
const (
	Float  Type = 1
	Int64  Type = 7
	String Type = 8
	Double Type = 11
)

// The operator sets that operators are of.
const (
	irVersion = 8
	opset     = 15 // of ai.onnx
	opsetML   = 3  // of ai.onnx.ml
)

// domainML has the operators of classical models.
const domainML = "ai.onnx.ml"

// ml are the operators in use that stand in domainML.
var ml = map[string]bool{"LabelEncoder": true, "TreeEnsembleRegressor": true}

// Graph is a model being built. Tensors go by name; those that Node and Constant make have names that no input has.
type Graph struct {
	name     string
	prefix   string
	made     int
	nodes    message
	constant message
	inputs   message
	outputs  message
}

// New starts a graph whose inputs and outputs will be the given ones.
func New(name string, ends ...string) *Graph {
	g := &Graph{name: name, prefix: "t"}
	for _, end := range ends {
		for len(end) >= len(g.prefix) && end[:len(g.prefix)] == g.prefix {
			g.prefix += "_"
		}
	}
	return g
}

// End is an input or output: a matrix of one row a case.
type End struct {
	Name    string
	Type    Type
	Columns int
	About   string // for people
}

func (e End) message() (m message) {
	var rows, columns, shape, tensor, kind message
	rows.text(2, "N")
	columns.number(1, int64(e.Columns))
	shape.message(1, rows)
	shape.message(1, columns)
	tensor.number(1, int64(e.Type))
	tensor.message(2, shape)
	kind.message(1, tensor)
	m.text(1, e.Name)
	m.message(2, kind)
	m.text(3, e.About)
	return m
}

// Input takes a matrix from the caller.
func (g *Graph) Input(e End) string {
	g.inputs.message(11, e.message())
	return e.Name
}

// Output gives a tensor to the caller, as e.
func (g *Graph) Output(tensor string, e End) {
	g.node("Identity", []string{tensor}, e.Name, nil)
	g.outputs.message(12, e.message())
}

// Node applies an operator and names its one result.
func (g *Graph) Node(op string, inputs []string, attributes ...Attribute) string {
	out := g.fresh()
	g.node(op, inputs, out, attributes)
	return out
}

func (g *Graph) fresh() string {
	g.made++
	return fmt.Sprintf("%s%d", g.prefix, g.made)
}

func (g *Graph) node(op string, inputs []string, output string, attributes []Attribute) {
	var m message
	for _, in := range inputs {
		m.text(1, in)
	}
	m.text(2, output)
	m.text(3, output)
	m.text(4, op)
	for _, a := range attributes {
		m.message(5, a.m)
	}
	if ml[op] {
		m.text(7, domainML)
	}
	g.nodes.message(1, m)
}

// Doubles is a constant of the given shape; no shape is a scalar.
func (g *Graph) Doubles(values []float64, shape ...int) string {
	var m message
	m.doubles(10, values)
	return g.tensor(m, Double, shape)
}

// Ints is a constant list.
func (g *Graph) Ints(values ...int64) string {
	var m message
	m.numbers(7, values)
	return g.tensor(m, Int64, []int{len(values)})
}

func (g *Graph) tensor(data message, t Type, shape []int) string {
	var m message
	for _, d := range shape {
		m.number(1, int64(d))
	}
	m.number(2, int64(t))
	m = append(m, data...)
	name := g.fresh()
	m.text(8, name)
	g.constant.message(5, m)
	return name
}

// Property is a text that a model carries beside its graph.
type Property struct{ Key, Value string }

// Encode gives the file: the same bytes for the same calls.
func (g *Graph) Encode(producer, about string, properties ...Property) []byte {
	var graph, m message
	graph = append(graph, g.nodes...)
	graph.text(2, g.name)
	graph = append(append(append(graph, g.constant...), g.inputs...), g.outputs...)
	m.number(1, irVersion)
	m.text(2, producer)
	m.text(6, about)
	m.message(7, graph)
	m.message(8, operatorSet("", opset))
	m.message(8, operatorSet(domainML, opsetML))
	for _, p := range properties {
		var entry message
		entry.text(1, p.Key)
		entry.text(2, p.Value)
		m.message(14, entry)
	}
	return m
}

func operatorSet(domain string, version int64) (m message) {
	m.text(1, domain)
	m.number(2, version)
	return m
}
