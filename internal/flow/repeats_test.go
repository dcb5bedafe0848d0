package flow

import (
	"math"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

func seeded() record.Evaluation {
	return record.Evaluation{Task: record.TaskBinary, Part: []string{"test", "test", "valid"}, RowID: []int64{1, 5, 2}, Label: []float64{0, 1, 1},
		Scores: [][]float64{{0.2, 0.7, 0.6}}, Repeats: [][][]float64{{{0.3, 0.6, 0.5}}}}
}

// What further seeds said counts again only for rows that they were asked about, of which the served model says what it said then.
func TestSameAnswers(t *testing.T) {
	again := record.Evaluation{Task: record.TaskBinary, Part: []string{"test"}, RowID: []int64{5}, Scores: [][]float64{{0.7}}}
	if got := sameAnswers(seeded(), again, true); len(got) != 1 || got[0][0][0] != 0.6 {
		t.Errorf("%v", got)
	}
	for name, c := range map[string]struct {
		spoil    func(e *record.Evaluation)
		sameData bool
	}{
		"other data":        {func(*record.Evaluation) {}, false},
		"a row more":        {func(e *record.Evaluation) { e.RowID[0] = 7 }, true},
		"a row of training": {func(e *record.Evaluation) { e.RowID[0] = 2 }, true},
		"another answer":    {func(e *record.Evaluation) { e.Scores[0][0] = 0.71 }, true},
		"another class":     {func(e *record.Evaluation) { e.Classes = []string{"a"} }, true},
	} {
		e := record.Evaluation{Task: record.TaskBinary, Part: []string{"test"}, RowID: []int64{5}, Scores: [][]float64{{0.7}}}
		c.spoil(&e)
		if got := sameAnswers(seeded(), e, c.sameData); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestClaimSeeds(t *testing.T) {
	e := &doc.Experiment{Train: doc.Train{Seed: 1, Repeats: 2}}
	var run record.Run
	if err := claimSeeds(&run, e, seeded()); err != nil || run.Repeats != 2 || run.SameSeeds {
		t.Errorf("%+v, %v", run, err)
	}
	none := seeded()
	none.Repeats = nil
	if err := claimSeeds(&run, e, none); err != nil || run.Repeats != 2 || !run.SameSeeds {
		t.Errorf("without scores: %+v, %v", run, err)
	}
	e.Train.Repeats = 5
	if err := claimSeeds(&run, e, seeded()); err == nil {
		t.Error("2 seeds of 5 are taken for 5")
	}
	e.Train.Repeats = 1
	if err := claimSeeds(&run, e, seeded()); err == nil {
		t.Error("seeds that nobody asked for are taken")
	}
	if err := claimSeeds(&run, e, none); err != nil || run.Repeats != 0 || run.SameSeeds {
		t.Errorf("trained once: %+v, %v", run, err)
	}
}

func TestRoomForRepeats(t *testing.T) {
	e := &doc.Experiment{Train: doc.Train{Seed: 1, Repeats: 5}}
	if err := roomForRepeats(e, 96); err != nil {
		t.Error(err)
	}
	if err := roomForRepeats(e, 97); err == nil {
		t.Error("5 repeats of 97 classes fit")
	}
	e.Train.Repeats = 1
	if err := roomForRepeats(e, 200); err != nil {
		t.Error(err)
	}
}

// A threshold that every seed chose is the job's word where the valid rows are not in the bundle; it has to be a number for each of them.
func TestSaidThresholds(t *testing.T) {
	e := seeded()
	if got, err := saidThresholds(0.5, nil, e); err != nil || len(got) != 1 || got[0] != 0.5 {
		t.Error(got, err)
	}
	if got, err := saidThresholds("best:f1", &record.Seeds{Thresholds: []float64{0.4}}, e); err != nil || got[0] != 0.4 {
		t.Error(got, err)
	}
	for _, said := range []*record.Seeds{nil, {}, {Thresholds: []float64{0.4, 0.5}}, {Thresholds: []float64{math.NaN()}}} {
		if _, err := saidThresholds("best:f1", said, e); err == nil {
			t.Errorf("%+v is taken", said)
		}
	}
}
