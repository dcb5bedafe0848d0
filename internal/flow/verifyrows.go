package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// answerable is the rows of a question and the data that they are of, or why they can't be had.
type answerable struct {
	w    *workshop
	rows *trainset.Rows
	err  error
}

func (n *numbers) close() {
	for key, a := range n.asked {
		if a.w != nil {
			a.w.close()
		}
		if a.err == nil {
			delete(n.asked, key)
		}
	}
}

// samples holds the rows of an evaluation, scores left aside, against the pinned data that the run names, and then its scores against the model. Groups and slices
// are no part of a question, so they are not compared: a later document may say otherwise.
func (n *numbers) samples(ctx context.Context, p string, run record.Run, eval record.Evaluation) {
	v := n.v
	key := fmt.Sprint(run.Inputs["question"], run.Inputs["dataset"])
	a := n.asked[key]
	if a == nil {
		n.close() // one at a time, for memory's sake
		a = n.ask(ctx, run)
		if a.w != nil { // what a commit lacks, another may have
			n.asked[key] = a
		}
	}
	if a.err != nil {
		if content, _ := run.Inputs["dataset"].(string); !v.dataGone(p, content, a.err) {
			v.skip(p, "its rows, labels and scores", a.err.Error())
		}
		return
	}
	want := a.rows.Evaluation(nil)
	want.Group, want.Slices = eval.Group, eval.Slices
	if err := sameRowsAs(eval, want); err != nil {
		v.finding(record.RuleRows, p, v.restore(p), "its evaluation is not of the pinned data: %v", err)
		return
	}
	if run.Rows != a.rows.Counts || run.Split != a.rows.Split {
		v.finding(record.RuleRows, p, v.restore(p), "its rows or its split are not those of the pinned data, %d, %d and %d rows", a.rows.Counts.Train, a.rows.Counts.Valid, a.rows.Counts.Test)
	}
	v.out.Checked.Numbers += 2 * len(eval.RowID)
	n.scores(ctx, p, run, scored{a, eval})
}

// scored is an evaluation and the rows that it is of.
type scored struct {
	*answerable
	eval record.Evaluation
}

// scores asks the model again for the rows of its evaluation. A person's program is not run: it may do anything, and its bytes are its own business.
func (n *numbers) scores(ctx context.Context, p string, run record.Run, s scored) {
	v := n.v
	const what = "whether its scores are its model's"
	switch {
	case run.Learner == learnerCommand:
		v.skip("", "whether the scores of runs of programs are their models'", "a program is not run to verify; `plumb reproduce RUN` does")
		return
	case !v.has(run.Artifact) && v.unproved(p, what, "its model", run.Artifact.SHA256):
		return
	case !v.has(run.Artifact):
		v.skip(p, what, "its model can't be read")
		return
	case !n.always && time.Now().After(n.until):
		v.skip(p, what, fmt.Sprintf("models of no version are asked for %s", askingModels))
		return
	}
	again, err := n.answer(ctx, run, s)
	switch {
	case err != nil:
		v.skip(p, what, err.Error())
	case !sameScores(again.Scores, s.eval.Scores):
		v.finding(record.RuleNumber, p, v.restore(p), "its model, asked again, does not give the scores of its evaluation")
	default:
		v.out.Checked.Numbers += len(again.Scores) * len(again.RowID)
	}
}

func (n *numbers) answer(ctx context.Context, run record.Run, s scored) (record.Evaluation, error) {
	var none record.Evaluation
	t, why := n.v.treeOf(run.Code.Commit)
	if t == nil || t.Docs.Experiments[run.Experiment] == nil {
		return none, errors.New(cmp.Or(why, "commit "+short(run.Code.Commit)+" does not describe it"))
	}
	in, err := inputs(t.Docs, run.Experiment)
	if err != nil {
		return none, err
	}
	for _, name := range changedInputs(run.Inputs, in) {
		if name != "code" && name != "seed" && name != "experiment" {
			return none, fmt.Errorf("commit %s and this program give another %s", short(run.Code.Commit), name)
		}
	}
	encoded, err := n.v.p.Store.Get(ctx, run.Artifact)
	if err != nil {
		return none, err
	}
	m, err := model.Load(encoded)
	if err != nil {
		return none, err
	}
	data, err := s.w.data(ctx, t, datasetsOf(t.Docs, run.Experiment)...)
	if err != nil {
		return none, err
	}
	held := s.rows.Select(append(s.rows.Of(trainset.Test), s.rows.Of(trainset.Valid)...))
	features, err := trainset.Features(ctx, data, t.Docs, run.Experiment, held)
	if err != nil {
		return none, err
	}
	names := make([]string, len(features.Columns))
	for i, c := range features.Columns {
		names[i] = c.Name
	}
	if !slices.Equal(names, m.Describe().Features) {
		return none, errors.New("the documents give other features than its model has")
	}
	scores, err := m.Score(features)
	if err != nil {
		return none, err
	}
	return held.Evaluation(scores), nil
}

// ask gives the rows of a run's question, from its commit's documents and its pinned data.
func (n *numbers) ask(ctx context.Context, run record.Run) *answerable {
	t, why := n.v.treeOf(run.Code.Commit)
	if t == nil {
		return &answerable{err: errors.New(why)}
	}
	m := t.Docs.Models[run.Model]
	if m == nil || t.Docs.Experiments[run.Experiment] == nil {
		return &answerable{err: errors.New("commit " + short(run.Code.Commit) + " does not describe it")}
	}
	in, err := inputs(t.Docs, run.Experiment)
	if err != nil {
		return &answerable{err: err}
	}
	if in["question"] != run.Inputs["question"] || in["dataset"] != run.Inputs["dataset"] {
		return &answerable{err: errors.New("it was made of documents that commit " + short(run.Code.Commit) + " does not have")}
	}
	w, err := n.v.p.workshop(ctx, t.Docs.Project) // one of its own: what it holds of the data goes with it
	if err != nil {
		return &answerable{err: err}
	}
	a := &answerable{w: w}
	id := m.Question.Dataset
	data, err := w.data(ctx, t, id)
	if err == nil {
		err = dataset.Verify(ctx, w.db, data.Relations[id], t.Docs.Locks[id])
	}
	if err == nil {
		a.rows, err = w.ask(ctx, t, run.Model)
	}
	a.err = err
	return a
}
