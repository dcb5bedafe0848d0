package learn

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
)

// checkTask looks at the task and its classes.
func (job *Job) checkTask(p settings) error {
	switch job.Task {
	case model.TaskBinary, model.TaskRegression:
		if len(job.Classes) > 0 {
			return fmt.Errorf("a %s task has no classes", job.Task)
		}
		return nil
	case model.TaskMulticlass:
	default:
		return problem.Wrongf("allowed: binary, multiclass, regression", "unknown task %q", job.Task)
	}
	n := len(job.Classes)
	if n > model.MaxClasses {
		return problem.Wrongf("let rare classes share one in the label's expression", "%d classes; at most %d are learned", n, model.MaxClasses)
	}
	if n < 2 {
		return problem.Wrongf("check the label and the split", "a multiclass task needs two classes or more, and there are %d", n)
	}
	for i, class := range job.Classes {
		if !utf8.ValidString(class) {
			return problem.Wrongf("", "the name of class %d, %q, is not text", i+1, class)
		}
	}
	if rows := max(job.Train.X.N, job.Valid.X.N); rows*n > maxMargins {
		return problem.Wrongf("let rare classes share one in the label's expression", "%d rows × %d classes are more than %d", rows, n, maxMargins)
	}
	if leaves := p.number["rounds"] * p.number["leaves"] * float64(n); leaves > maxLeaves {
		return problem.Wrongf("lower rounds or leaves", "params.rounds × params.leaves × %d classes is %.0f; at most %d are allowed", n, leaves, maxLeaves)
	}
	return nil
}

// Labels and weights beyond these would leave float64 when they are squared and summed, or float32, in which trees keep their values.
const (
	maxLabel  = 1e100
	maxSingle = 1e30
	maxWeight = 1e100
)

// checkSize looks at how large labels are.
func (job *Job) checkSize() error {
	if job.Task != model.TaskRegression {
		return nil
	}
	limit := maxLabel
	if job.Learner == model.KindGBDT {
		limit = maxSingle
	}
	for _, s := range []*Set{&job.Train, &job.Valid} {
		top := 0.0
		for _, y := range s.Y {
			top = math.Max(top, math.Abs(y))
		}
		if top > limit || top > 0 && top < 1/limit {
			return problem.Wrongf("scale it in the label's expression", "the largest label is %g; %s learns values from %g to %g", top, job.Learner, 1/limit, limit)
		}
	}
	return nil
}

// check looks at the shape and the values of labels and weights.
func (s *Set) check(job *Job, part string) error {
	n := s.X.N
	if len(s.Y) != n || s.W != nil && len(s.W) != n {
		return fmt.Errorf("the %s part has %d rows, %d labels and %d weights", part, n, len(s.Y), len(s.W))
	}
	for i, y := range s.Y {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return problem.Wrongf("", "the label of row %d of the %s part is not a number", i, part)
		}
		if job.Task == model.TaskBinary && y != 0 && y != 1 {
			return problem.Wrongf("write the label as a condition, such as `delay > 15`, or use task = \"regression\"",
				"the label of row %d of the %s part is %g; a binary task has 0 and 1", i, part, y)
		}
		if job.Task == model.TaskMulticlass && (y != math.Trunc(y) || y < 0 || int(y) >= len(job.Classes)) {
			return fmt.Errorf("the label of row %d of the %s part is %g; there are the classes 0 to %d", i, part, y, len(job.Classes)-1)
		}
	}
	for i, w := range s.W {
		if !(w >= 0 && w <= maxWeight) {
			return problem.Wrongf("a weight is a number from 0 to 1e100", "the weight of row %d of the %s part is %g", i, part, w)
		}
	}
	return nil
}

// checkCounts looks at the labels of Poisson's distribution.
func (s *Set) checkCounts(part string) error {
	for i, y := range s.Y {
		if y < 0 {
			return problem.Wrongf("poisson is for counts, 0 or more", "the label of row %d of the %s part is %g", i, part, y)
		}
	}
	if part == "train" && s.mean() == 0 {
		return problem.Wrongf("check the label and the split", "the label is 0 in all rows of the train part that have a weight")
	}
	return nil
}

// learnable says why nothing can be learned from the train part.
func learnable(job *Job) error {
	s := &job.Train
	if s.X.N == 0 {
		return problem.Wrongf("check the split and the label", "the train part has no rows")
	}
	classes := max(2, len(job.Classes))
	if job.Task == model.TaskRegression {
		classes = 0
	}
	weights, total := s.classWeights(classes)
	if total == 0 {
		return problem.Wrongf("check the weight", "every weight of the train part is 0")
	}
	for _, w := range weights {
		if w == total {
			return problem.Wrongf("check the label and the split", "the train part has one class only: the label is %s in all %d rows", job.class(s.Y[0]), s.X.N)
		}
	}
	return nil
}

// class names a label.
func (job *Job) class(y float64) string {
	if job.Task == model.TaskMulticlass {
		return fmt.Sprintf("%q", job.Classes[int(y)])
	}
	return fmt.Sprint(y)
}

// lostClasses is a note for each class that no train row has.
func (job *Job) lostClasses() (notes []string) {
	weights, _ := job.Train.classWeights(len(job.Classes))
	for k, w := range weights {
		if w == 0 {
			notes = append(notes, fmt.Sprintf("class %q has no rows in the train part", job.Classes[k]))
		}
	}
	return notes
}

// classWeights sums the weights of the labels 0, 1, … below classes, and of all.
func (s *Set) classWeights(classes int) (weights []float64, total float64) {
	weights = make([]float64, classes)
	for i, y := range s.Y {
		if classes > 0 {
			weights[int(y)] += s.weight(i)
		}
		total += s.weight(i)
	}
	return weights, total
}

// mean is that of the labels, by weight.
func (s *Set) mean() float64 {
	sum, total := 0.0, 0.0
	for i, y := range s.Y {
		w := s.weight(i)
		sum += float64(w * y)
		total += w
	}
	return sum / total
}

func (s *Set) weight(i int) float64 {
	if s.W == nil {
		return 1
	}
	return s.W[i]
}
