package learn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// TestClasses: scores are one column a class, in the order of Classes, and add up to 1; a class without rows is said and gets next to nothing.
func TestClasses(t *testing.T) {
	for _, learner := range learners {
		for _, l2 := range []float64{0, 0.1} {
			job := madeJob(model.TaskMulticlass, learner, 2000)
			job.Classes, job.Params["l2"] = append(slices.Clone(threeClasses), "never"), l2
			m := train(t, job)
			p := scores(t, m, job.Train.X)
			if s := m.Describe(); !slices.Equal(s.Classes, job.Classes) || len(s.Base) != 4 || len(p) != 4 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], `"never"`) {
				t.Errorf("%s: %d columns, %+v", learner, len(p), s.Notes)
			}
			right := 0 // 667 would be by chance
			for i, y := range job.Train.Y {
				sum, best := 0.0, 0
				for k := range p {
					if sum += p[k][i]; p[k][i] > p[best][i] {
						best = k
					}
				}
				if best == int(y) {
					right++
				}
				if !near(sum, 1, 1e-12) || p[3][i] > 0.01 {
					t.Fatalf("%s: row %d has %v", learner, i, []float64{p[0][i], p[1][i], p[2][i], p[3][i]})
				}
			}
			if right < 900 {
				t.Errorf("%s, l2 %g: %d of 2000 right", learner, l2, right)
			}
		}
	}
}

// TestThousandClasses: a class of its own for every few rows is learned in steps class by class, or refused with what to lower.
func TestThousandClasses(t *testing.T) {
	const n, classes = 4000, 1000
	job := Job{Task: model.TaskMulticlass, Learner: model.KindGLM, Train: Set{X: table.Frame{N: n, Columns: []table.Vector{numbers("x", n), numbers("noise", n)}}, Y: make([]float64, n)},
		Params: map[string]any{"iterations": int64(3), "l2": 0.001}}
	random := generator(1)
	for k := range classes {
		job.Classes = append(job.Classes, fmt.Sprint(k))
	}
	for i := range n {
		job.Train.Y[i] = float64(i % classes)
		job.Train.X.Columns[0].Floats[i] = float64(i%classes) + 0.1*random.float()
		job.Train.X.Columns[1].Floats[i] = random.float()
	}
	if p := scores(t, train(t, job), job.Train.X); manyLogLoss(job.Train.Y, p) > math.Log(classes) {
		t.Errorf("glm: log loss %g", manyLogLoss(job.Train.Y, p))
	}
	job.Learner, job.Params = model.KindGBDT, map[string]any{}
	if _, err := Train(context.Background(), job); problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), "1000 classes is 3100000") {
		t.Error(err)
	}
	job.Params = map[string]any{"rounds": int64(5), "leaves": int64(8), "min_child": int64(1)}
	if p := scores(t, train(t, job), job.Train.X); manyLogLoss(job.Train.Y, p) > math.Log(classes)-0.5 {
		t.Errorf("gbdt: log loss %g", manyLogLoss(job.Train.Y, p))
	}
}

// TestBlocks: sums that a step moves one by one settle where those that it moves together do.
func TestBlocks(t *testing.T) {
	for _, penalty := range []map[string]any{{"l2": 0.01}, {"l1": 0.01}, {}} {
		job := madeJob(model.TaskMulticlass, model.KindGLM, 500)
		job.Train.X.Columns = append(job.Train.X.Columns[:2:2], job.Train.X.Columns[3:]...)
		job.Params = penalty
		together := scores(t, train(t, job), job.Train.X)
		defer func(was int) { maxTogether = was }(maxTogether)
		maxTogether = 0
		apart := scores(t, train(t, job), job.Train.X)
		for k := range apart {
			for i := range apart[k] {
				if math.Abs(apart[k][i]-together[k][i]) > 1e-5 {
					t.Fatalf("%v: row %d class %d: %v apart, %v together", penalty, i, k, apart[k][i], together[k][i])
				}
			}
		}
	}
}

// TestCounts: labels of Poisson's distribution are 0 or more, and not all 0.
func TestCounts(t *testing.T) {
	for _, learner := range learners {
		for want, y := range map[string]float64{"is -1": -1, "0 in all rows": 0} {
			job := madeJob(counts, learner, 50)
			job.Train.Y = filled(50, y)
			if _, err := Train(context.Background(), job); problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", learner, err)
			}
		}
		job := madeJob(counts, learner, 2000)
		for i := range job.Train.Y {
			if i%100 > 0 {
				job.Train.Y[i] = 0 // of nearly all rows
			}
		}
		job.Train.Y[7] = 1e9
		for i, p := range score(t, train(t, job), job.Train.X) {
			if !(p >= 0) || math.IsInf(p, 0) {
				t.Fatalf("%s: row %d scores %v", learner, i, p)
			}
		}
	}
}
