// Package learn trains plumb's built-in models: glm (linear and logistic regression) and gbdt (gradient-boosted trees).
//
// They are there so that the whole loop runs with no other program installed; they are not a machine-learning library, and have few
// parameters. It reads no files and stores nothing: what it learns comes out as a model of internal/model. The same job gives the same
// bytes whatever the number of cores.
//
// Both take columns alike. A string column is a category, every other type a number. A null, a NaN and an infinity are missing. Of a
// category the most frequent levels are kept (parameter `levels`), and rarer ones share the level "other". A column that has one value
// only, or none, is not used, and the model's notes say so.
package learn

import (
	"context"
	"fmt"
	"math"
	"runtime"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// Set is rows to learn from or to validate on.
type Set struct {
	X table.Frame // one column a feature
	Y []float64   // binary 0 or 1; regression the value; one a row
	W []float64   // weights, 0 or more; nil: all 1
}

// Job is one training.
type Job struct {
	Task         string         // binary or regression
	Learner      string         // glm or gbdt
	Params       map[string]any // as the document has them: int64, float64, bool, string
	Seed         int64          // of row and column sampling
	Train, Valid Set            // Valid may be empty; early stopping needs it
	Classes      []string       // multiclass only
	Threads      int            // 0: as many as there are processors
	Progress     func(step, total int, metrics map[string]float64)
}

// algorithms name what a learner does with its inputs. A change of results is a new number, and so another code digest.
var algorithms = map[string]string{model.KindGLM: "glm/1", model.KindGBDT: "gbdt/1"}

// Algorithm is the name and version of a built-in learner that goes into the code digest, or "".
func Algorithm(learner string) string { return algorithms[learner] }

// Train learns a model. Rows, labels, weights and parameters that can't be learned from are errors of the exit code 2 that say why.
// A cancelled ctx ends it within a round with ctx's error.
func Train(ctx context.Context, job Job) (model.Model, error) {
	if job.Task == model.TaskMulticlass {
		return nil, problem.Wrongf("use a learner of your own: learner = \"command\"", "%s does not learn multiclass tasks yet", job.Learner)
	}
	if job.Task != model.TaskBinary && job.Task != model.TaskRegression {
		return nil, problem.Wrongf("allowed: binary, regression", "unknown task %q", job.Task)
	}
	p, wrong := readParams(job.Learner, job.Params)
	if len(wrong) > 0 {
		return nil, problem.Wrongf("", "%s", wrong[0])
	}
	if err := job.Train.check(job.Task, "train"); err != nil {
		return nil, err
	}
	if err := job.Valid.check(job.Task, "valid"); err != nil {
		return nil, err
	}
	if err := learnable(job); err != nil {
		return nil, err
	}
	if len(job.Train.X.Columns) == 0 {
		return nil, problem.Wrongf("name features in [features] use", "there is no feature to learn from")
	}
	if job.Threads < 1 {
		job.Threads = runtime.NumCPU()
	}
	if job.Progress == nil {
		job.Progress = func(int, int, map[string]float64) {}
	}
	if job.Learner == model.KindGLM {
		return trainGLM(ctx, &job, p)
	}
	return trainGBDT(ctx, &job, p)
}

// check looks at the shape and the values of labels and weights.
func (s *Set) check(task, part string) error {
	n := s.X.N
	if len(s.Y) != n || s.W != nil && len(s.W) != n {
		return fmt.Errorf("the %s part has %d rows, %d labels and %d weights", part, n, len(s.Y), len(s.W))
	}
	for i, y := range s.Y {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return problem.Wrongf("", "the label of row %d of the %s part is not a number", i, part)
		}
		if task == model.TaskBinary && y != 0 && y != 1 {
			return problem.Wrongf("write the label as a condition, such as `delay > 15`, or use task = \"regression\"",
				"the label of row %d of the %s part is %g; a binary task has 0 and 1", i, part, y)
		}
	}
	for i, w := range s.W {
		if !(w >= 0) || math.IsInf(w, 0) {
			return problem.Wrongf("a weight is a number of 0 or more", "the weight of row %d of the %s part is %g", i, part, w)
		}
	}
	return nil
}

// learnable says why nothing can be learned from the train part.
func learnable(job Job) error {
	s := &job.Train
	if s.X.N == 0 {
		return problem.Wrongf("check the split and the label", "the train part has no rows")
	}
	total, positive := 0.0, 0.0
	for i, y := range s.Y {
		total += s.weight(i)
		positive += float64(s.weight(i) * y)
	}
	if total == 0 {
		return problem.Wrongf("check the weight", "every weight of the train part is 0")
	}
	if job.Task == model.TaskBinary && (positive == 0 || positive == total) {
		return problem.Wrongf("check the label and the split", "the train part has one class only: the label is %g in all %d rows", s.Y[0], s.X.N)
	}
	return nil
}

func (s *Set) weight(i int) float64 {
	if s.W == nil {
		return 1
	}
	return s.W[i]
}
