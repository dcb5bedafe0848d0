package record

import (
	"reflect"
	"strings"
	"testing"
)

func TestSortClasses(t *testing.T) {
	for given, want := range map[string]string{"10 9 -1": "-1 9 10", "b a B": "B a b", "10 9 x": "10 9 x", "07 1": "07 1", "1": "1"} {
		names := strings.Fields(given)
		SortClasses(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q is put in order %q, want %q", given, got, want)
		}
	}
}

// A base model that knows the classes b and c answers for rows of a and b: what it never saw it gives 0, and its own class stays.
func TestAnswered(t *testing.T) {
	rows := Evaluation{Task: TaskMulticlass, Classes: []string{"a", "b"}, Part: []string{"test", "test"}, RowID: []int64{1, 2}, Label: []float64{0, 1}}
	if got := rows.Answered([]string{"b", "c"}); got.Scores != nil || !reflect.DeepEqual(got.Classes, []string{"a", "b", "c"}) {
		t.Errorf("without scores: %+v", got)
	}
	rows.Scores = [][]float64{{0.9, 0.2}, {0.1, 0.8}}
	got := rows.Answered([]string{"b", "c"})
	if want := [][]float64{{0, 0}, {0.9, 0.2}, {0.1, 0.8}}; !reflect.DeepEqual(got.Scores, want) || !reflect.DeepEqual(got.Label, []float64{0, 1}) {
		t.Errorf("%+v", got)
	}
	if err := got.check(); err != nil {
		t.Error(err)
	}
	wide := got.Widened([]string{"0", "c"})
	if want := []float64{1, 2}; !reflect.DeepEqual(wide.Label, want) || len(wide.Scores) != 4 || wide.Scores[2][0] != 0.9 {
		t.Errorf("widened: %+v", wide)
	}
	if same := got.Widened([]string{"c"}); !reflect.DeepEqual(same, got) {
		t.Errorf("nothing was added: %+v", same)
	}
	binary := Evaluation{Task: TaskBinary, Label: []float64{1}, Scores: [][]float64{{0.5}}}
	if !reflect.DeepEqual(binary.Widened([]string{"x"}), binary) {
		t.Error("a yes-or-no question has no classes")
	}
}
