// Package learn trains plumb's built-in models: glm (linear, Poisson, logistic and multinomial regression) and gbdt (gradient-boosted trees).
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
	"errors"
	"runtime"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// Set is rows to learn from or to validate on.
type Set struct {
	X table.Frame // one column a feature
	Y []float64   // binary 0 or 1; multiclass the place in Job.Classes; regression the value; one a row
	W []float64   // weights, 0 or more; nil: all 1
}

// Job is one training.
type Job struct {
	Task         string         // binary, multiclass or regression
	Learner      string         // glm or gbdt
	Params       map[string]any // as the document has them: int64, float64, bool, string
	Seed         int64          // of row and column sampling
	Train, Valid Set            // Valid may be empty; early stopping needs it
	Classes      []string       // multiclass only: their names, 2 or more; scores come in this order
	Threads      int            // 0: as many as there are processors
	Progress     func(step, total int, metrics map[string]float64)
}

// algorithms name what a learner does with its inputs. A change of results is a new number, and so another code digest.
var algorithms = map[string]string{model.KindGLM: "glm/1", model.KindGBDT: "gbdt/2"}

// Algorithm is the name and version of a built-in learner that goes into the code digest, or "".
func Algorithm(learner string) string { return algorithms[learner] }

// Train learns a model. Rows, labels, weights and parameters that can't be learned from are errors of the exit code 2 that say why.
// A cancelled ctx ends it within a round with ctx's error.
func Train(ctx context.Context, job Job) (model.Model, error) {
	p, wrong := readParams(job.Learner, job.Task, job.Params)
	if len(wrong) > 0 {
		return nil, problem.Wrongf("", "%s", wrong[0])
	}
	if err := job.checkTask(p); err != nil {
		return nil, err
	}
	if err := job.Train.check(&job, "train"); err != nil {
		return nil, err
	}
	if err := job.Valid.check(&job, "valid"); err != nil {
		return nil, err
	}
	if err := job.checkSize(); err != nil {
		return nil, err
	}
	if err := learnable(&job); err != nil {
		return nil, err
	}
	if p.word == model.LossPoisson {
		if err := errors.Join(job.Train.checkCounts("train"), job.Valid.checkCounts("valid")); err != nil {
			return nil, err
		}
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
