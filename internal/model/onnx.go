package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/onnx"
	"github.com/plumb-ml/plumb/internal/table"
)

// ONNX writes a model as an ONNX graph that takes the features as they are in the data and gives the scores of Score.
//
// Each feature is an input of one column, under its own name: a number as double, NaN where missing (bool 0 or 1, date in days, timestamp in
// microseconds since 1970); a category as string, with a text that stands for a missing one, see MissingText. The output "score" is double,
// one column, or one a class in the order of the property "classes", a JSON list. A level that training did not see is treated as in Score.
func ONNX(m Model) ([]byte, error) {
	var of interface {
		onnx(g *onnx.Graph) (margins string)
	}
	switch m := m.(type) {
	case *Trees:
		of = m
	case *Linear:
		of = m
	default:
		return nil, fmt.Errorf("a %s can't be written as ONNX", m.Kind())
	}
	s := m.Describe()
	ends := append(m.Features(), scoreOutput)
	if err := distinct(ends); err != nil {
		return nil, fmt.Errorf("writing ONNX: a feature may not be named %q, which is the output: %w", scoreOutput, err)
	}
	g := onnx.New(s.Kind, ends...)
	score := g.Node("Cast", []string{of.onnx(g)}, onnx.Int("to", int64(onnx.Double)))
	about := "the value"
	switch {
	case s.Task == TaskBinary:
		score, about = g.Node("Sigmoid", []string{score}), "the probability that the label is true"
	case s.Task == TaskMulticlass:
		score, about = g.Node("Softmax", []string{score}, onnx.Int("axis", 1)), "the probability of each class"
	case logLink(m):
		score, about = g.Node("Exp", []string{score}), "the mean of the count"
	}
	g.Output(score, onnx.End{Name: scoreOutput, Type: onnx.Double, Columns: len(s.Base), About: about})
	properties := []onnx.Property{{Key: "task", Value: s.Task}}
	if len(s.Classes) > 0 {
		classes, err := json.Marshal(s.Classes)
		if err != nil {
			return nil, fmt.Errorf("writing ONNX: %w", err)
		}
		properties = append(properties, onnx.Property{Key: "classes", Value: string(classes)})
	}
	b := g.Encode("plumb", "One input a feature, as in the training data; each says how a missing value is given.", properties...)
	if len(b) > maxONNX {
		return nil, errors.New("writing ONNX: the model is larger than the 2 GB that a protobuf can hold")
	}
	return b, nil
}

const (
	scoreOutput = "score"
	maxONNX     = 1<<31 - 1
)

func logLink(m Model) bool {
	switch m := m.(type) {
	case *Trees:
		return m.Loss == LossPoisson
	case *Linear:
		return m.Family == FamilyPoisson
	}
	return false
}

// MissingText is what stands for a missing value where a tool has no missing text: the empty text, or, for a category of which that is a
// level, U+2400 "␀".
func (f *Feature) MissingText() string {
	for _, level := range f.Levels {
		if level == "" {
			return "␀"
		}
	}
	return ""
}

// inputs declares the features. It gives the numbers as one matrix of doubles, NaN where missing or infinite ("" without any), and the
// categories one by one; in both cases in the order of the features.
func inputs(g *onnx.Graph, features []Feature) (numbers string, categories []string) {
	var columns []string
	for i := range features {
		f := &features[i]
		in := g.Input(f.end())
		if f.IsCategory() {
			categories = append(categories, in)
		} else {
			columns = append(columns, in)
		}
	}
	if len(columns) > 0 {
		all := concat(g, columns)
		numbers = g.Node("Where", []string{g.Node("IsInf", []string{all}), g.Doubles([]float64{math.NaN()}), all})
	}
	return numbers, categories
}

func concat(g *onnx.Graph, columns []string) string {
	return g.Node("Concat", columns, onnx.Int("axis", 1))
}

func (f *Feature) end() onnx.End {
	e := onnx.End{Name: f.Name, Type: onnx.Double, Columns: 1}
	switch f.Type {
	case table.String:
		e.Type, e.About = onnx.String, fmt.Sprintf("text; %q is a missing one", f.MissingText())
	case table.Bool:
		e.About = "1 is true, 0 false, NaN missing"
	case table.Date:
		e.About = "days since 1970-01-01, NaN missing"
	case table.Timestamp:
		e.About = "microseconds since 1970-01-01 UTC, NaN missing"
	default:
		e.About = "a number, NaN missing"
	}
	return e
}

// onnx gives the margins: the trees as one TreeEnsembleRegressor over the numbers and then the categories' codes. The operator of opset 5
// has sets for categories, but fewer tools know it; here a set is a chain of comparisons that end in one node, as other converters do it.
func (m *Trees) onnx(g *onnx.Graph) string {
	numbers, categories := inputs(g, m.Columns)
	var columns []string
	if numbers != "" {
		columns = append(columns, g.Node("Cast", []string{numbers}, onnx.Int("to", int64(onnx.Float))))
	}
	place, at := make([]int64, len(m.Columns)), int64(len(m.Columns)-len(categories))
	seen := int64(0)
	for i := range m.Columns {
		f := &m.Columns[i]
		if !f.IsCategory() {
			place[i], seen = seen, seen+1
			continue
		}
		place[i], at = at, at+1
		values := make([]float32, len(f.Levels)+1)
		for code := range f.Levels {
			values[code] = float32(code)
		}
		missing := float32(math.NaN())
		values[len(f.Levels)] = missing
		unlisted := missing
		if f.Other {
			unlisted = float32(len(f.Levels))
		}
		columns = append(columns, g.Node("LabelEncoder", categories[:1], onnx.Texts("keys_strings", append(f.Levels[:len(f.Levels):len(f.Levels)], f.MissingText())),
			onnx.Floats("values_floats", values), onnx.OneFloat("default_float", unlisted)))
		categories = categories[1:]
	}
	e := ensemble{place: place}
	for i, t := range m.Trees {
		e.add(t, int64(i), int64(i%len(m.Base)))
	}
	return g.Node("TreeEnsembleRegressor", []string{concat(g, columns)}, e.attributes(m.Base)...)
}

// onnx gives the sums, all in double.
func (m *Linear) onnx(g *onnx.Graph) string {
	features := make([]Feature, len(m.Terms))
	for i := range m.Terms {
		features[i] = m.Terms[i].Feature
	}
	numbers, categories := inputs(g, features)
	sums := len(m.Intercept)
	total := g.Doubles(m.Intercept, 1, sums)
	var mean, coefficient, missing []float64
	for i := range m.Terms {
		t := &m.Terms[i]
		if !t.IsCategory() {
			mean, coefficient, missing = append(mean, t.Mean[0]), append(coefficient, t.Coefficient...), append(missing, t.Missing...)
			continue
		}
		total = g.Node("Add", []string{total, t.gather(g, categories[0], sums)})
		categories = categories[1:]
	}
	if numbers == "" {
		return total
	}
	lost := g.Node("IsNaN", []string{numbers})
	filled := g.Node("Where", []string{lost, g.Doubles(mean, 1, len(mean)), numbers})
	total = g.Node("Add", []string{total, g.Node("MatMul", []string{filled, g.Doubles(coefficient, len(mean), sums)})})
	lost = g.Node("Cast", []string{lost}, onnx.Int("to", int64(onnx.Double)))
	return g.Node("Add", []string{total, g.Node("MatMul", []string{lost, g.Doubles(missing, len(mean), sums)})})
}

// gather looks up what each row's level adds; the last row of the table is what a missing one does.
func (t *Term) gather(g *onnx.Graph, category string, sums int) string {
	var rows []float64
	for _, adds := range append(t.ByCode[:len(t.ByCode):len(t.ByCode)], t.Missing) {
		rows = append(rows, adds...)
	}
	codes := make([]int64, len(t.Levels)+1)
	for code := range codes {
		codes[code] = int64(code)
	}
	missing, unlisted := int64(t.Codes()), int64(t.Codes())
	if t.Other {
		unlisted = int64(len(t.Levels))
	}
	codes[len(t.Levels)] = missing
	code := g.Node("LabelEncoder", []string{category}, onnx.Texts("keys_strings", append(t.Levels[:len(t.Levels):len(t.Levels)], t.MissingText())),
		onnx.Ints("values_int64s", codes), onnx.Int("default_int64", unlisted))
	picked := g.Node("Gather", []string{g.Doubles(rows, len(t.ByCode)+1, sums), code})
	return g.Node("Squeeze", []string{picked, g.Ints(1)})
}
