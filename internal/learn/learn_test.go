package learn

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

var learners = []string{model.KindGLM, model.KindGBDT}

// TestThreads: the same bytes from 1, 2, 3 and 8 goroutines, with sampling and early stopping too.
func TestThreads(t *testing.T) {
	for _, learner := range learners {
		for task, set := range madeAll(40_000) {
			job := madeJob(task, learner, 1)
			if job.Seed = 7; learner == model.KindGBDT {
				maps.Copy(job.Params, map[string]any{"rounds": int64(12), "rows": 0.7, "columns": 0.6, "early_stopping": int64(3)})
			}
			var first []byte
			for _, threads := range []int{1, 2, 3, 8} {
				job.Threads, job.Train, job.Valid = threads, set.part(0, 35_000), set.part(35_000, 40_000)
				got := encoded(t, train(t, job))
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Errorf("%s %s differs with %d threads", learner, task, threads)
				}
			}
		}
	}
}

// TestSeed: sampling follows the seed, and nothing else does.
func TestSeed(t *testing.T) {
	binary, _ := made(2000)
	bytesOf := func(seed int64, params map[string]any) string {
		return string(encoded(t, train(t, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary, Seed: seed, Params: params})))
	}
	few := map[string]any{"rounds": int64(5)}
	if bytesOf(1, few) != bytesOf(2, few) {
		t.Error("the seed changes a training that samples nothing")
	}
	for _, name := range []string{"rows", "columns"} {
		sampled := map[string]any{"rounds": int64(5), name: 0.5}
		first, again := bytesOf(1, sampled), bytesOf(1, sampled)
		if first != again || first == bytesOf(2, sampled) {
			t.Errorf("%s do not follow the seed", name)
		}
	}
}

// TestRoundTrip: a model that was written and read scores the same bits, and writes the same bytes.
func TestRoundTrip(t *testing.T) {
	for _, learner := range learners {
		for _, task := range []string{model.TaskBinary, model.TaskRegression, model.TaskMulticlass, counts} {
			job := madeJob(task, learner, 3000)
			set, m := job.Train, train(t, job)
			file := encoded(t, m)
			again, err := model.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(scores(t, m, set.X), scores(t, again, set.X)) || !bytes.Equal(file, encoded(t, again)) {
				t.Errorf("%s %s changes when it is written", learner, task)
			}
			sum := 0.0
			for _, share := range again.Importance() {
				sum += share
			}
			if !near(sum, 1, 1e-9) || again.Kind() != learner || len(again.Features()) != 5 || again.Describe().Task != job.Task {
				t.Errorf("%s %s: shares add up to %v; %+v", learner, task, sum, again.Describe())
			}
		}
	}
}

// TestWrong: what can't be learned from is the user's to mend, so exit 2, and says why.
func TestWrong(t *testing.T) {
	binary, _ := made(50)
	one := func(y float64) Set { return Set{X: binary.X, Y: filled(50, y)} }
	negative, lost := filled(50, 1), slices.Clone(binary.Y)
	negative[3], lost[4] = -1, math.NaN()
	twice := table.Frame{N: 50, Columns: []table.Vector{binary.X.Columns[0], binary.X.Columns[0]}}
	for want, job := range map[string]Job{
		"no rows":                  {},
		"one class only":           {Train: one(1)},
		"is 0.5":                   {Train: one(0.5)},
		"label of row 4":           {Train: Set{X: binary.X, Y: lost}},
		"weight of row 3":          {Train: Set{X: binary.X, Y: binary.Y, W: negative}},
		"every weight":             {Train: Set{X: binary.X, Y: binary.Y, W: filled(50, 0)}},
		"no feature":               {Train: Set{X: table.Frame{N: 50}, Y: binary.Y}},
		"two features are named":   {Train: Set{X: twice, Y: binary.Y}},
		"two classes or more":      {Task: model.TaskMulticlass, Train: binary},
		"unknown task":             {Task: "forecast", Train: binary},
		"has no parameter \"rnd\"": {Train: binary, Params: map[string]any{"rnd": int64(1)}},
	} {
		for _, learner := range learners {
			job.Learner = learner
			if job.Task == "" {
				job.Task = model.TaskBinary
			}
			if _, err := Train(context.Background(), job); err == nil || problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v", learner, want, err)
			}
		}
	}
	if _, err := Train(context.Background(), Job{Task: model.TaskBinary, Learner: "svm", Train: binary}); problem.Exit(err) != problem.ExitWrong {
		t.Error(err)
	}
	early := Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary, Params: map[string]any{"early_stopping": int64(5)}}
	if _, err := Train(context.Background(), early); err == nil || !strings.Contains(err.Error(), "valid part") {
		t.Error(err)
	}
	short := binary.X
	short.Columns = slices.Clone(short.Columns)
	short.Columns[0].Floats = short.Columns[0].Floats[:10]
	if _, err := Train(context.Background(), Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: Set{X: short, Y: binary.Y}}); err == nil {
		t.Error("a short column is taken")
	}
}

// TestCancel: a cancelled training ends with the context's error.
func TestCancel(t *testing.T) {
	binary, _ := made(2000)
	for _, learner := range learners {
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		_, err := Train(ctx, Job{Task: model.TaskBinary, Learner: learner, Train: binary, Progress: func(step, total int, _ map[string]float64) {
			if steps++; step != steps || total != 100 {
				t.Errorf("%s: step %d of %d", learner, step, total)
			}
			cancel()
		}})
		if !errors.Is(err, context.Canceled) || steps != 1 {
			t.Errorf("%s: %v after %d steps", learner, err, steps)
		}
	}
}

// TestEarlyStopping: stops when the valid part gets no better and keeps the best round.
func TestEarlyStopping(t *testing.T) {
	binary, _ := made(3000)
	var losses []float64
	m := train(t, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary.part(0, 2000), Valid: binary.part(2000, 3000),
		Params:   map[string]any{"rounds": int64(500), "early_stopping": int64(10)},
		Progress: func(_, _ int, metrics map[string]float64) { losses = append(losses, metrics["log_loss"]) }})
	best := slices.Index(losses, slices.Min(losses)) + 1
	if trees := m.Describe().Trees; trees != best || len(losses) != best+10 {
		t.Errorf("%d trees kept, best round %d of %d", trees, best, len(losses))
	}
	valid := binary.part(2000, 3000).unweighted()
	unweighted := train(t, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary.part(0, 2000), Valid: valid,
		Params:   map[string]any{"rounds": int64(5), "early_stopping": int64(10)},
		Progress: func(_, _ int, metrics map[string]float64) { losses = append(losses[:0], metrics["log_loss"]) }})
	if got := logLoss(valid.Y, score(t, unweighted, valid.X)); !near(got, losses[0], 1e-6) {
		t.Errorf("reported %v, scored %v", losses[0], got)
	}
}

// TestTreeLimits: leaves, depth, min_child and l2 do what they say.
func TestTreeLimits(t *testing.T) {
	binary, _ := made(3000)
	grow := func(params map[string]any) *model.Trees {
		params["rounds"] = int64(3)
		return train(t, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary, Params: params}).(*model.Trees)
	}
	if s := grow(map[string]any{"leaves": int64(5)}).Describe(); s.Leaves != 15 {
		t.Errorf("%+v", s)
	}
	if s := grow(map[string]any{"depth": int64(2)}).Describe(); s.Depth != 2 || s.Leaves != 12 {
		t.Errorf("%+v", s)
	}
	if s := grow(map[string]any{"min_child": int64(1600)}).Describe(); s.Leaves != 1 || s.Trees != 1 {
		t.Errorf("%+v", s)
	}
	plain, shrunk := grow(map[string]any{}), grow(map[string]any{"l2": 1e6})
	if a, b := plain.Trees[0][1].Value, shrunk.Trees[0][1].Value; math.Abs(float64(b)) > 0.01*math.Abs(float64(a)) {
		t.Errorf("l2 does not shrink: %v %v", a, b)
	}
}

// TestMemory: histograms that do not fit are counted again instead of kept, with the same result.
func TestMemory(t *testing.T) {
	binary, _ := made(3000)
	job := Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary, Params: map[string]any{"rounds": int64(3)}}
	want := encoded(t, train(t, job))
	defer func(kept int) { maxHistograms = kept }(maxHistograms)
	maxHistograms = 0
	if got := encoded(t, train(t, job)); !bytes.Equal(want, got) {
		t.Error("another model")
	}
}

func TestCheckParams(t *testing.T) {
	for _, c := range []struct {
		learner, task string
		params        map[string]any
		want          []string
	}{
		{"gbdt", "binary", map[string]any{"rounds": int64(300), "rate": 0.05, "l2": int64(1), "leaves": 31.0}, nil},
		{"glm", "binary", nil, nil},
		{"command", "binary", map[string]any{"anything": "goes"}, nil},
		{"gbdt", "binary", map[string]any{"round": int64(3), "rate": int64(0)}, []string{"params.rate (learning rate) is 0; it must be a number above 0, at most 1",
			`gbdt has no parameter "round"; did you mean "rounds"?`}},
		{"gbdt", "binary", map[string]any{"learning_rate": 0.1}, []string{`gbdt has no parameter "learning_rate"; did you mean "rate"?`}},
		{"gbdt", "binary", map[string]any{"rounds": 1.5}, []string{"params.rounds (trees) is 1.5; it must be a whole number of 1 to 10000"}},
		{"gbdt", "binary", map[string]any{"rounds": "many"}, []string{"params.rounds (trees) is many; it must be a whole number of 1 to 10000"}},
		{"gbdt", "binary", map[string]any{"rounds": int64(10_000), "leaves": int64(4096)}, []string{"params.rounds × params.leaves is 40960000; at most 1000000 are allowed"}},
		{"glm", "binary", map[string]any{"qqqqqq": true}, []string{`glm has no parameter "qqqqqq"; it has family, iterations, l1, l2, levels`}},
		{"glm", "binary", map[string]any{"l2": math.NaN()}, []string{"params.l2 (ridge penalty, as in l1's formula) is NaN; it must be 0 or more"}},
		{"glm", "regression", map[string]any{"family": "poisson"}, nil},
		{"glm", "binary", map[string]any{"family": "poisson"}, []string{"params.family (distribution of the label) is poisson; for a binary task it must be binomial"}},
		{"gbdt", "regression", map[string]any{"objective": "poisson"}, []string{`gbdt has no parameter "objective"; did you mean "loss"?`}},
		{"gbdt", "", map[string]any{"loss": int64(1)}, []string{"params.loss (what the trees make small) is 1; it must be squared_error, log_loss or poisson"}},
		{"svm", "binary", nil, []string{`unknown learner "svm": allowed are glm and gbdt`}},
	} {
		if got := CheckParams(c.learner, c.task, c.params); !slices.Equal(got, c.want) {
			t.Errorf("%s %v:\n%q\n%q", c.learner, c.params, got, c.want)
		}
	}
	if Algorithm("gbdt") == "" || Algorithm("glm") == "" || Algorithm("command") != "" {
		t.Error("algorithms")
	}
}
