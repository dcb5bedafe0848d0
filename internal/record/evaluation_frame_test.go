package record

import (
	"math"
	"reflect"
	"testing"

	"github.com/plumb-ml/plumb/internal/table"
)

func evaluations() map[string]Evaluation {
	part, ids := []string{"test", "test", "valid"}, []int64{7, 9, 2}
	return map[string]Evaluation{
		"binary": {Task: TaskBinary, Part: part, RowID: ids, Label: []float64{0, 1, 1}, Scores: [][]float64{{0.25, 0.5, 0.75}}},
		"binary, everything": {Task: TaskBinary, Part: part, RowID: ids, Key: []string{"[1]", "[2]", "[3]"}, Label: []float64{0, 1, 1}, Scores: [][]float64{{0.25, 0.5, 0.75}},
			Weight: []float64{1, 0, 2.5}, Group: []string{"a", "a", "b"}, Slices: map[string][]string{"origin": {"ATL", "", "ORD"}, "label": {"x", "y", "z"}}},
		"multiclass": {Task: TaskMulticlass, Classes: []string{"no", "yes", ""}, Part: part, RowID: ids, Label: []float64{0, 2, 1},
			Scores: [][]float64{{0.2, 0.3, 0.1}, {0.5, 0.2, 0.1}, {0.3, 0.5, 0.8}}},
		"regression": {Task: TaskRegression, Part: part, RowID: ids, Label: []float64{-1.5, 0, 1e9}, Scores: [][]float64{{1, 2, 3}}},
		"no rows":    {Task: TaskRegression, Part: []string{}, RowID: []int64{}, Label: []float64{}, Scores: [][]float64{{}}},
	}
}

func TestEvaluationComesBackAsItWas(t *testing.T) {
	for name, e := range evaluations() {
		back, err := EvaluationOf(e.Frame())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(e.RowID) > 0 && !reflect.DeepEqual(back, e) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, back, e)
		}
	}
}

func TestEvaluationOfRefuses(t *testing.T) {
	column := func(f *table.Frame, name string) *table.Vector { return f.Column(name) }
	drop := func(f *table.Frame, name string) {
		for i := range f.Columns {
			if f.Columns[i].Name == name {
				f.Columns = append(f.Columns[:i:i], f.Columns[i+1:]...)
				return
			}
		}
	}
	for name, change := range map[string]func(f *table.Frame){
		"no part":               func(f *table.Frame) { drop(f, "part") },
		"no label":              func(f *table.Frame) { drop(f, "label") },
		"no score":              func(f *table.Frame) { drop(f, "score") },
		"no row ids":            func(f *table.Frame) { drop(f, "row_id") },
		"nothing":               func(f *table.Frame) { f.Columns = nil },
		"a column twice":        func(f *table.Frame) { f.Columns = append(f.Columns, f.Columns[0]) },
		"scores twice":          func(f *table.Frame) { f.Columns = append(f.Columns, *column(f, "score")) },
		"label twice":           func(f *table.Frame) { f.Columns = append(f.Columns, *column(f, "label")) },
		"an unknown column":     func(f *table.Frame) { column(f, "weight").Name = "wait" },
		"a short column":        func(f *table.Frame) { v := column(f, "group"); v.Strings = v.Strings[:1] },
		"a long null mask":      func(f *table.Frame) { column(f, "group").Null = make([]bool, 9) },
		"a null":                func(f *table.Frame) { column(f, "row_id").Null = []bool{false, true, false} },
		"another type":          func(f *table.Frame) { v := column(f, "score"); v.Type, v.Ints = table.Int64, []int64{1, 2, 3} },
		"a type without values": func(f *table.Frame) { column(f, "part").Type = table.Int64 },
		"dates as labels":       func(f *table.Frame) { column(f, "label").Type = table.Date },
		"a part to train on":    func(f *table.Frame) { column(f, "part").Strings = []string{"test", "train", "valid"} },
		"parts out of order":    func(f *table.Frame) { column(f, "part").Strings = []string{"valid", "test", "test"} },
		"a row twice":           func(f *table.Frame) { column(f, "row_id").Ints = []int64{7, 7, 2} },
		"a label of 2":          func(f *table.Frame) { column(f, "label").Ints = []int64{0, 2, 1} },
		"a score that is NaN":   func(f *table.Frame) { column(f, "score").Floats = []float64{0, math.NaN(), 1} },
		"an infinite score":     func(f *table.Frame) { column(f, "score").Floats = []float64{0, math.Inf(1), 1} },
		"a negative weight":     func(f *table.Frame) { column(f, "weight").Floats = []float64{1, -1, 1} },
		"a weight that is NaN":  func(f *table.Frame) { column(f, "weight").Floats = []float64{1, math.NaN(), 1} },
		"more rows than it has": func(f *table.Frame) { f.N = 1 << 40 },
		"a binary label as text": func(f *table.Frame) {
			v := column(f, "label")
			v.Type, v.Strings = table.String, []string{"0", "1", "1"}
		},
	} {
		e := evaluations()["binary, everything"]
		e.Part, e.RowID, e.Scores = append([]string{}, e.Part...), append([]int64{}, e.RowID...), [][]float64{append([]float64{}, e.Scores[0]...)}
		f := e.Frame()
		change(&f)
		if got, err := EvaluationOf(f); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPredictionsDigestRefusesWhatIsNotWhole(t *testing.T) {
	e := evaluations()["binary"]
	e.Scores = [][]float64{{1}}
	if sum, err := e.PredictionsDigest(); err == nil {
		t.Errorf("digest %s", sum)
	}
}
