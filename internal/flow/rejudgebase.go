package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// programSilent is what is known here of a base whose program should have scored head's rows and did not. What it printed is the job's word.
const programSilent = "its program did not score head's rows in the measuring job"

// baseSide finds base's rows as scored. They must be all test rows of head that base did not train on, and be re-scored where that can be done:
// which rows and which method is nobody's choice.
func (i *inspection) baseSide(ctx context.Context, t task, said record.Comparison, c *comparing) error {
	key, err := digestOf(i.base.Docs, t.Base)
	if err != nil {
		return err
	}
	x, err := i.recordedBase(ctx, t, key, said)
	if err != nil {
		return err
	}
	switch {
	case said.Method != rescored && said.Base.Run == "":
		return i.passingStored(ctx, t, said, c)
	case said.Method != rescored:
		return i.storedBase(ctx, t, said, c, x)
	}
	var want record.Evaluation
	repeated := false
	if x != nil {
		want, c.leftOut, repeated, err = i.rescored(ctx, t, x)
	} else {
		x = &execution{}
		x.run, want, c.leftOut, err = i.passingBase(ctx, t)
	}
	if err != nil {
		return err
	}
	eval, err := i.evaluation(ctx, said.Base.Evaluation, want)
	if err != nil {
		return err
	}
	c.method = rescored
	if x.model == nil {
		return i.passingSeeds(t, said, c, &execution{run: x.run, eval: eval})
	}
	if repeated && !sameScores(eval.Scores, want.Scores) {
		return errors.New("its scores are not those of the model in the ledger")
	}
	run := x.run
	run.ID = said.Base.Run // "" where the job had to make it and the ledger has it by now
	x.run = run
	c.base = (&execution{run: run, eval: eval}).as(t.Base)
	c.base.Evaluation = said.Base.Evaluation
	if err := c.base.recall(x, i.base.Docs.Models[t.Model].Question.Threshold, i.trees().sameData(t, run)); err != nil {
		return err
	}
	if !slices.EqualFunc(c.base.eval.Repeats, eval.Repeats, sameScores) {
		return errors.New("the scores of its further seeds are not those of the run in the ledger")
	}
	c.base.eval.Repeats = eval.Repeats // to the digit, whatever machine made them
	return nil
}

// rescored scores head's rows again with a model of the ledger. A person's program is not run here: of that only the rows are made again, and its
// scores are the job's word.
func (i *inspection) rescored(ctx context.Context, t task, x *execution) (want record.Evaluation, leftOut int, repeated bool, err error) {
	c, isProgram := x.model.(*commanded)
	if !isProgram {
		want, leftOut, err = i.shop.rescore(ctx, i.trees(), t, x)
		return want, leftOut, true, err
	}
	if !c.canScore() {
		return want, 0, false, program.ErrNoPredict
	}
	s, leftOut, err := i.shop.questions(ctx, i.trees(), t, x)
	if err != nil {
		return want, 0, false, err
	}
	return s.rows.Evaluation(nil).Answered(x.eval.Classes), leftOut, false, nil
}

// passingSeeds takes a base that was run for this comparison only and re-scored: all of its scores are the job's word, those of further seeds too. That
// there are none is its word as well: they made no difference, or they answered other rows than these, and then they do not count.
func (i *inspection) passingSeeds(t task, said record.Comparison, c *comparing, x *execution) error {
	rule := i.base.Docs.Models[t.Model].Question.Threshold
	var err error
	if x.run.Threshold, err = i.baseThreshold(t, said.Base.Threshold, x.eval); err != nil {
		return err
	}
	if err := claimSeeds(&x.run, i.base.Docs.Experiments[t.Base], x.eval); err != nil {
		return err
	}
	c.base = x.as(t.Base)
	c.base.Evaluation = said.Base.Evaluation
	if c.base.Seeds != nil && c.base.Seeds.Same && (said.Base.Seeds == nil || !said.Base.Seeds.Same) {
		c.base.Seeds = nil
	}
	c.base.thresholds, err = saidThresholds(rule, said.Base.Seeds, x.eval)
	return err
}

// recordedBase finds base's run in the ledger: the one that re-scored it, where it was re-scored, else the one that counts; nil when there is none that
// can be read.
func (i *inspection) recordedBase(ctx context.Context, t task, key string, said record.Comparison) (*execution, error) {
	by := i.event.ofBase(i.base, t.Base)
	if said.Base.Run != "" && said.Method == rescored {
		run, err := i.ledgers(key, said.Base.Run)
		if err != nil {
			return nil, err
		}
		return i.shop.take(ctx, by, run)
	}
	x, _, err := i.shop.hit(ctx, i.view, key, by)
	if err != nil && ctx.Err() == nil { // runs that are refused: their stored rows are, too
		return nil, nil
	}
	return x, err
}

// passingBase is what can be said of a base champion that was run for this comparison only: its inputs, and by its split which rows it may score.
func (i *inspection) passingBase(ctx context.Context, t task) (run record.Run, want record.Evaluation, leftOut int, err error) {
	run = record.Run{Experiment: t.Base, Model: t.Model, Params: i.base.Docs.Experiments[t.Base].Params}
	if run.Inputs, err = inputs(i.base.Docs, t.Base); err != nil {
		return run, want, 0, err
	}
	of, err := i.shop.ask(ctx, i.base, t.Model)
	if err != nil {
		return run, want, 0, fmt.Errorf("recomputing the rows: %w", err)
	}
	rows, err := i.shop.rows(ctx, i.trees(), t)
	if err != nil {
		return run, want, 0, err
	}
	lock := i.head.Docs.Locks[i.head.Docs.Models[t.Model].Question.Dataset]
	var tested *trainset.Rows
	tested, leftOut, err = unseen(rows, of.Split, run.Inputs["dataset"] == lock.Content)
	if err != nil {
		return run, want, 0, err
	}
	return run, tested.Evaluation(nil).Answered(of.Classes), leftOut, nil
}

// passingStored allows what a base that was run for this comparison only predicted of its own test rows, where the trees alone say that it can't
// score head's: such as a split by ordinals that moved. Its scores are the job's word, as a re-scored base's are.
func (i *inspection) passingStored(ctx context.Context, t task, said record.Comparison, c *comparing) error {
	run := record.Run{Experiment: t.Base, Model: t.Model, Params: i.base.Docs.Experiments[t.Base].Params}
	var err error
	if run.Inputs, err = inputs(i.base.Docs, t.Base); err != nil {
		return err
	}
	own, err := i.shop.ask(ctx, i.base, t.Model)
	if err != nil {
		return fmt.Errorf("recomputing the rows: %w", err)
	}
	run.Split = own.Split
	_, _, err = i.shop.questions(ctx, i.trees(), t, &execution{run: run, eval: own.Evaluation(nil)})
	switch command := i.base.Docs.Experiments[t.Base].Train.Learner == learnerCommand; {
	case err != nil:
		c.why = err.Error()
	case command:
		c.why = programSilent
	default:
		return fmt.Errorf("nothing keeps the base model from being re-scored, and the bundle compares by %.20q", said.Method)
	}
	eval, err := i.evaluation(ctx, said.Base.Evaluation, own.Evaluation(nil))
	if err != nil {
		return err
	}
	if run.Threshold, err = i.baseThreshold(t, said.Base.Threshold, eval); err != nil {
		return err
	}
	if err := claimSeeds(&run, i.base.Docs.Experiments[t.Base], eval); err != nil {
		return err
	}
	c.base = (&execution{run: run, eval: eval}).as(t.Base)
	c.base.Evaluation = said.Base.Evaluation
	return nil
}

// baseThreshold is the question's number. One that was chosen on base's valid part, which is not in the bundle, is the job's word, as the scores are.
func (i *inspection) baseThreshold(t task, said float64, eval record.Evaluation) (float64, error) {
	rule := i.base.Docs.Models[t.Model].Question.Threshold
	if _, chosen := rule.(string); !chosen || eval.Task != record.TaskBinary {
		return evaluate.Threshold(rule, eval)
	}
	if math.IsNaN(said) || math.IsInf(said, 0) {
		return 0, fmt.Errorf("its threshold is %v", said)
	}
	return said, nil
}

// storedBase allows what a run of the ledger predicted, unchanged, and only where its model can't score head's rows here either.
func (i *inspection) storedBase(ctx context.Context, t task, said record.Comparison, c *comparing, x *execution) error {
	if x != nil {
		_, _, repeated, err := i.rescored(ctx, t, x)
		switch {
		case err != nil:
			c.why = err.Error()
		case !repeated:
			c.why = programSilent
		default:
			return fmt.Errorf("the base model can be re-scored, and the bundle compares by %.20q", said.Method)
		}
	} else {
		c.why = "no run of it in the ledger has a model that can be read"
	}
	key, err := digestOf(i.base.Docs, t.Base)
	if err != nil {
		return err
	}
	by := i.event.ofBase(i.base, t.Base)
	for _, run := range usable(i.view, key, by) {
		if run.ID != said.Base.Run {
			continue
		}
		stored, err := i.shop.storedOf(ctx, by, run)
		if err != nil {
			return err
		}
		data, err := i.take(said.Base.Evaluation, typeParquet, int64(len(stored.RowID)))
		if err != nil {
			return err
		}
		eval, err := i.shop.untrusted(ctx, data, stored.Task, len(stored.RowID))
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(eval, stored) {
			return fmt.Errorf("its rows are not those that run %s stored", run.ID)
		}
		c.base = (&execution{run: run, eval: eval}).as(t.Base)
		c.base.Evaluation = said.Base.Evaluation
		return nil
	}
	return fmt.Errorf("run %.60q has no stored predictions that may stand for base here", said.Base.Run)
}
