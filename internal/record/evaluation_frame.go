package record

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

// The tasks.
const (
	TaskBinary     = "binary"
	TaskMulticlass = "multiclass"
	TaskRegression = "regression"
)

// The parts of an evaluation.
const (
	PartTest  = "test"
	PartValid = "valid"
)

const (
	scorePrefix = "score_"
	slicePrefix = "slice_"
)

// Frame lays the evaluation out as the columns of its blob: part, row_id, key (when there is one), label (int64 for binary, string for multiclass,
// float64 for regression), score or score_<class>, repeat_<k> or repeat_<k>_<class> of each further seed, weight and group (when there are any), slice_<column> in order of name.
func (e Evaluation) Frame() table.Frame {
	f := table.Frame{N: len(e.RowID)}
	add := func(v table.Vector) { f.Columns = append(f.Columns, v) }
	add(text("part", e.Part))
	add(table.Vector{Column: table.Column{Name: "row_id", Type: table.Int64}, Ints: notNil(e.RowID)})
	if e.Key != nil {
		add(text("key", e.Key))
	}
	add(e.labelVector())
	for c, name := range e.scoreNames() {
		add(number(name, e.Scores[c]))
	}
	for i, scores := range e.Repeats {
		for c, name := range e.repeatNames(i + 2) {
			add(number(name, scores[c]))
		}
	}
	if e.Weight != nil {
		add(number("weight", e.Weight))
	}
	if e.Group != nil {
		add(text("group", e.Group))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Slices)) {
		add(text(slicePrefix+name, e.Slices[name]))
	}
	return f
}

func (e Evaluation) labelVector() table.Vector {
	switch e.Task {
	case TaskBinary:
		ints := make([]int64, len(e.Label))
		for i, label := range e.Label {
			ints[i] = int64(label)
		}
		return table.Vector{Column: table.Column{Name: "label", Type: table.Int64}, Ints: ints}
	case TaskMulticlass:
		names := make([]string, len(e.Label))
		for i, label := range e.Label {
			if class := int(label); class >= 0 && class < len(e.Classes) {
				names[i] = e.Classes[class]
			}
		}
		return text("label", names)
	}
	return number("label", e.Label)
}

func (e Evaluation) scoreNames() []string {
	if e.Task != TaskMulticlass {
		return []string{"score"}
	}
	names := make([]string, len(e.Classes))
	for i, class := range e.Classes {
		names[i] = scorePrefix + class
	}
	return names
}

func text(name string, values []string) table.Vector {
	return table.Vector{Column: table.Column{Name: name, Type: table.String}, Strings: notNil(values)}
}

func number(name string, values []float64) table.Vector {
	return table.Vector{Column: table.Column{Name: name, Type: table.Float64}, Floats: notNil(values)}
}

func notNil[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}

// EvaluationOf reads the columns of an evaluation blob back. The blob may come from a job that ran anyone's code: a missing or doubled column,
// a null, a part, label or score that cannot be, and rows out of order are errors.
func EvaluationOf(f table.Frame) (Evaluation, error) {
	e, err := readEvaluation(f)
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return Evaluation{}, fmt.Errorf("reading evaluation: %w", err)
	}
	return e, nil
}

func readEvaluation(f table.Frame) (Evaluation, error) {
	var e Evaluation
	var repeats repeatColumns
	r := columnReader{rows: f.N, seen: map[string]bool{}}
	for i := range f.Columns {
		v := &f.Columns[i]
		switch name := v.Name; {
		case name == "part":
			e.Part = r.strings(v)
		case name == "row_id":
			e.RowID = r.ints(v)
		case name == "key":
			e.Key = r.strings(v)
		case name == "score":
			e.Scores = append(e.Scores, r.floats(v))
		case name == "weight":
			e.Weight = r.floats(v)
		case name == "group":
			e.Group = r.strings(v)
		case name == "label":
			if e.Task != "" {
				return e, fmt.Errorf("column %q is there twice", name)
			}
			e.Task = taskOf(v.Type)
		case strings.HasPrefix(name, scorePrefix):
			e.Classes = append(e.Classes, strings.TrimPrefix(name, scorePrefix))
			e.Scores = append(e.Scores, r.floats(v))
		case strings.HasPrefix(name, repeatPrefix):
			if err := repeats.take(*v); err != nil {
				return e, err
			}
		case strings.HasPrefix(name, slicePrefix):
			if e.Slices == nil {
				e.Slices = map[string][]string{}
			}
			e.Slices[strings.TrimPrefix(name, slicePrefix)] = r.strings(v)
		default:
			return e, fmt.Errorf("column %q is not one of an evaluation", name)
		}
	}
	e.readLabel(&r, f.Column("label"))
	e.readRepeats(&r, repeats)
	return e, r.err
}

func taskOf(label table.Type) string {
	switch label {
	case table.Int64:
		return TaskBinary
	case table.String:
		return TaskMulticlass
	case table.Float64:
		return TaskRegression
	}
	return ""
}

func (e *Evaluation) readLabel(r *columnReader, v *table.Vector) {
	if v == nil {
		r.fail("there is no column %q", "label")
		return
	}
	switch e.Task {
	case TaskBinary:
		for _, label := range r.ints(v) {
			e.Label = append(e.Label, float64(label))
		}
	case TaskMulticlass:
		at := make(map[string]int, len(e.Classes))
		for class, name := range e.Classes {
			at[name] = class
		}
		for _, label := range r.strings(v) {
			class, ok := at[label]
			if !ok {
				r.fail("label %q has no column of scores", label)
			}
			e.Label = append(e.Label, float64(class))
		}
	case TaskRegression:
		e.Label = r.floats(v)
	default:
		r.fail("column %q is of type %s", "label", v.Type)
	}
}

// columnReader takes values out of vectors and keeps the first thing that is wrong.
type columnReader struct {
	rows int
	seen map[string]bool
	err  error
}

func (r *columnReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *columnReader) usable(v *table.Vector, kind table.Type, values int) bool {
	switch {
	case r.seen[v.Name]:
		r.fail("column %q is there twice", v.Name)
	case v.Type != kind:
		r.fail("column %q is of type %s, not %s", v.Name, v.Type, kind)
	case values != r.rows || v.Null != nil && len(v.Null) != r.rows:
		r.fail("column %q has %d values, not %d", v.Name, values, r.rows)
	case slices.Contains(v.Null, true):
		r.fail("column %q has a null in row %d", v.Name, slices.Index(v.Null, true))
	default:
		r.seen[v.Name] = true
		return true
	}
	return false
}

func (r *columnReader) strings(v *table.Vector) []string {
	if !r.usable(v, table.String, len(v.Strings)) {
		return nil
	}
	return notNil(v.Strings)
}

func (r *columnReader) ints(v *table.Vector) []int64 {
	if !r.usable(v, table.Int64, len(v.Ints)) {
		return nil
	}
	return notNil(v.Ints)
}

func (r *columnReader) floats(v *table.Vector) []float64 {
	if !r.usable(v, table.Float64, len(v.Floats)) {
		return nil
	}
	return notNil(v.Floats)
}

// check says whether the evaluation is whole: columns of equal length, rows in order and once each, labels and scores that can be.
func (e Evaluation) check() error {
	n := len(e.RowID)
	columns := len(e.scoreNames())
	if len(e.Scores) != columns || columns == 0 {
		return fmt.Errorf("%d columns of scores, not %d", len(e.Scores), columns)
	}
	lengths := map[string]int{"part": len(e.Part), "label": len(e.Label)}
	if e.Key != nil {
		lengths["key"] = len(e.Key)
	}
	if e.Weight != nil {
		lengths["weight"] = len(e.Weight)
	}
	if e.Group != nil {
		lengths["group"] = len(e.Group)
	}
	for name, values := range e.Slices {
		lengths[slicePrefix+name] = len(values)
	}
	for c, name := range e.scoreNames() {
		lengths[name] = len(e.Scores[c])
	}
	for _, name := range slices.Sorted(maps.Keys(lengths)) {
		if lengths[name] != n {
			return fmt.Errorf("column %q has %d values, not %d", name, lengths[name], n)
		}
	}
	return cmpErr(e.checkOrder(), e.checkValues(), e.checkRepeats())
}

func notFinite(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func (e Evaluation) checkOrder() error {
	for i, part := range e.Part {
		if part != PartTest && part != PartValid {
			return fmt.Errorf("row %d is of part %q, not %q or %q", i, part, PartTest, PartValid)
		}
		if i == 0 {
			continue
		}
		last := e.Part[i-1]
		if last > part || last == part && e.RowID[i-1] >= e.RowID[i] {
			return fmt.Errorf("row %d (%s %d) is not in order of part and row id, each once", i, part, e.RowID[i])
		}
	}
	return nil
}

func (e Evaluation) checkValues() error {
	for i, label := range e.Label {
		if !e.allowsLabel(label) {
			return fmt.Errorf("label of row %d is %v", i, label)
		}
		if e.Weight != nil && !(e.Weight[i] >= 0 && !math.IsInf(e.Weight[i], 0)) {
			return fmt.Errorf("weight of row %d is %v", i, e.Weight[i])
		}
	}
	for _, column := range e.Scores {
		for i, score := range column {
			if notFinite(score) {
				return fmt.Errorf("score of row %d is %v", i, score)
			}
		}
	}
	if e.Task != TaskBinary && e.Task != TaskMulticlass && e.Task != TaskRegression {
		return errors.New("it is of no known task")
	}
	return nil
}

func (e Evaluation) allowsLabel(label float64) bool {
	switch e.Task {
	case TaskBinary:
		return label == 0 || label == 1
	case TaskMulticlass:
		return label >= 0 && label < float64(len(e.Classes)) && label == math.Trunc(label)
	}
	return !math.IsNaN(label) && !math.IsInf(label, 0)
}
