package record

import (
	"reflect"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/table"
)

// seeded is an evaluation of three seeds, of yes or no and of two classes.
func seeded(task string) Evaluation {
	e := Evaluation{Task: task, Part: []string{"test", "valid"}, RowID: []int64{3, 1}, Label: []float64{0, 1}, Scores: [][]float64{{0.2, 0.7}},
		Repeats: [][][]float64{{{0.3, 0.6}}, {{0.1, 0.9}}}}
	if task == TaskMulticlass {
		e.Classes, e.Scores = []string{"a", "b_2"}, [][]float64{{0.8, 0.3}, {0.2, 0.7}}
		e.Repeats = [][][]float64{{{0.7, 0.4}, {0.3, 0.6}}, {{0.9, 0.1}, {0.1, 0.9}}}
	}
	return e
}

func TestRepeatsComeBackAsTheyWere(t *testing.T) {
	for _, task := range []string{TaskBinary, TaskRegression, TaskMulticlass} {
		e := seeded(task)
		got, err := EvaluationOf(e.Frame())
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: %+v, %v", task, got, err)
		}
		with, err := e.PredictionsDigest()
		if err != nil {
			t.Fatal(err)
		}
		other := seeded(task)
		other.Repeats[1][0][0] = 0.11
		if d, _ := other.PredictionsDigest(); d == with {
			t.Errorf("%s: the digest does not see the scores of the third seed", task)
		}
		other.Repeats = nil
		alone, err := EvaluationOf(other.Frame())
		if d, _ := other.PredictionsDigest(); err != nil || alone.Repeats != nil || d == with {
			t.Errorf("%s without further seeds: %+v, %v", task, alone, err)
		}
		part := e.Select([]int{1})
		if len(part.Repeats) != 2 || part.Repeats[1][0][0] != e.Repeats[1][0][1] {
			t.Errorf("%s: selected %+v", task, part.Repeats)
		}
	}
}

// The blob may come from anyone.
func TestHostileRepeats(t *testing.T) {
	frame := func(names ...string) table.Frame {
		f := seeded(TaskMulticlass)
		f.Repeats = nil
		out := f.Frame()
		for _, name := range names {
			out.Columns = append(out.Columns, number(name, []float64{0.5, 0.5}))
		}
		return out
	}
	for _, c := range []struct {
		want  string
		names []string
	}{
		{"not in its place", []string{"repeat_3_a", "repeat_3_b_2"}},
		{"not in its place", []string{"repeat_2_b_2", "repeat_2_a"}},
		{"not in its place", []string{"repeat_2_a", "repeat_2_b_2", "repeat_2_c"}},
		{"2 has 1 columns of scores, not 2", []string{"repeat_2_a"}},
		{"not in its place", []string{"repeat_2_a", "repeat_2_a"}},
		{"not one of an evaluation", []string{"repeat_1_a"}},
		{"not one of an evaluation", []string{"repeat_02_a", "repeat_02_b_2"}},
		{"not one of an evaluation", []string{"repeat_"}},
		{"not in its place", []string{"repeat_2"}},
	} {
		if _, err := EvaluationOf(frame(c.names...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.names, err, c.want)
		}
	}
	many := seeded(TaskBinary)
	for range MaxScores {
		many.Repeats = append(many.Repeats, many.Repeats[0])
	}
	if _, err := EvaluationOf(many.Frame()); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%d seeds: %v", len(many.Repeats), err)
	}
}

func TestOverSeeds(t *testing.T) {
	seeds := []RepeatDetail{{Test: map[string]float64{"auc": 0.7, "mcc": 0.1}}, {Test: map[string]float64{"auc": 0.8}}, {Test: map[string]float64{"auc": 0.9}}}
	if mean, sd, ok := OverSeeds(seeds, "auc"); !ok || mean < 0.7999 || mean > 0.8001 || sd < 0.0999 || sd > 0.1001 {
		t.Error(mean, sd, ok)
	}
	if _, _, ok := OverSeeds(seeds, "mcc"); ok {
		t.Error("a metric that some seed lacks has no mean")
	}
	if _, _, ok := OverSeeds(seeds[:1], "auc"); ok {
		t.Error("one seed has no spread")
	}
}
