package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// unless tells of an error as of something that could not be assessed, unless it says that the data are others.
func (v *verifying) unless(p, what string, err error) {
	if errors.Is(err, store.ErrNotFound) || problem.Exit(err) == problem.ExitFailed {
		v.skip(p, what, err.Error())
		return
	}
	v.finding(record.RuleRows, p, "`plumb data show` says which pinned file differs", "%s: %v", what, err)
}

// runs makes every number of the runs again: metrics from the evaluation, details from the evaluation and the model, and the rows from the pinned data.
func (v *verifying) runs(ctx context.Context) (string, error) {
	if v.o.Quick {
		return "", skip("--quick makes no number again")
	}
	w, err := v.p.workshop(ctx, nil)
	if err != nil {
		return "", err
	}
	defer w.close()
	n := &numbers{v: v, w: w, rows: map[string]*trainset.Rows{}, whyNot: map[string]string{}}
	paths := v.ofKind(record.KindRun)
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		v.tell("numbers of runs", i, len(paths))
		run, err := decoded[record.Run](v, p)
		if err != nil {
			return "", err
		}
		if run.Status == "ok" {
			n.run(ctx, p, *run)
		}
	}
	return fmt.Sprintf("%d numbers of %s", v.out.Checked.Numbers, countOf(v.out.Checked.Runs, "run")), ctx.Err()
}

// numbers makes numbers again. The rows of the question asked last are kept, since most runs ask the same.
type numbers struct {
	v      *verifying
	w      *workshop
	rows   map[string]*trainset.Rows
	whyNot map[string]string
}

func (n *numbers) run(ctx context.Context, p string, run record.Run) {
	v := n.v
	if !v.has(run.Evaluation) {
		if gone := v.goneOnPurpose(run.Evaluation); gone != "" {
			v.skip(p, "its metrics", "its evaluation is gone on purpose: "+gone)
		}
		return
	}
	eval, err := n.evaluation(ctx, run.Evaluation, run.Task)
	if err != nil {
		v.finding(record.RuleBlob, p, v.restore(p), "evaluation %s: %v", run.Evaluation.SHA256, err)
		return
	}
	v.out.Checked.Runs++
	again := record.Result{Metrics: evaluate.Metrics(eval, "test", run.Threshold), Valid: evaluate.Metrics(eval, "valid", run.Threshold)}
	if again.Predictions, err = eval.PredictionsDigest(); err != nil {
		v.finding(record.RuleBlob, p, v.restore(p), "evaluation %s: %v", run.Evaluation.SHA256, err)
		return
	}
	v.out.Checked.Numbers += len(run.Result.Metrics) + len(run.Result.Valid)
	for _, part := range []struct {
		name        string
		said, again map[string]float64
	}{{"test", run.Result.Metrics, again.Metrics}, {"valid", run.Result.Valid, again.Valid}} {
		if where := contradiction(part.said, part.again); where != "" {
			v.finding(record.RuleNumber, p, v.restore(p), "a metric of the %s part is not that of its evaluation: %s", part.name, where)
		}
	}
	if run.Result.Predictions != again.Predictions {
		v.finding(record.RuleNumber, p, v.restore(p), "its predictions have the digest %s, and the record says %s", shortDigest(again.Predictions), shortDigest(run.Result.Predictions))
	}
	n.detail(ctx, p, run, eval)
	n.samples(ctx, p, run, eval)
	n.documents(p, run)
}

// documents holds the inputs against the documents of the commit that the run says it was made at. Code and semantics belong to the program that made it.
func (n *numbers) documents(p string, run record.Run) {
	t, _ := n.v.treeOf(run.Code.Commit)
	if t == nil || run.Code.Dirty || len(run.Set) > 0 || t.Docs.Experiments[run.Experiment] == nil {
		return // samples tells why the commit can't be read; what is not of the commit can't be held against it
	}
	in, err := inputs(t.Docs, run.Experiment)
	if err != nil {
		return
	}
	changed := slices.DeleteFunc(changedInputs(run.Inputs, in), func(name string) bool { return name == "code" || name == "semantics" })
	if len(changed) > 0 {
		n.v.finding(record.RuleReference, p, n.v.restore(p), "it says that it was made of commit %s, whose documents give another %s", short(run.Code.Commit), list(changed))
	}
}

func (n *numbers) evaluation(ctx context.Context, p record.Pointer, task string) (record.Evaluation, error) {
	data, err := n.v.p.Store.Get(ctx, p)
	if err != nil {
		return record.Evaluation{}, err
	}
	return n.w.untrusted(ctx, data, task, int(p.Rows))
}

// detail holds the model against its digest, and what the page shows beside the metrics against evaluation and model.
func (n *numbers) detail(ctx context.Context, p string, run record.Run, eval record.Evaluation) {
	v := n.v
	var importance map[string]float64
	if run.Result.Model != "" && v.has(run.Artifact) {
		encoded, err := v.p.Store.Get(ctx, run.Artifact)
		if err != nil {
			v.finding(record.RuleBlob, p, v.restore(p), "artifact %s: %v", run.Artifact.SHA256, err)
			return
		}
		if got := digest.Bytes(encoded); got != run.Result.Model {
			v.finding(record.RuleNumber, p, v.restore(p), "its model has the digest %s, and the record says %s", shortDigest(got), shortDigest(run.Result.Model))
		}
		m, err := model.Load(encoded)
		if err != nil {
			v.finding(record.RuleBlob, p, v.restore(p), "artifact %s: %v", run.Artifact.SHA256, err)
			return
		}
		importance = m.Importance()
	}
	if !v.has(run.Detail) {
		return
	}
	data, err := v.p.Store.Get(ctx, run.Detail)
	var said map[string]any
	if err == nil {
		err = json.Unmarshal(data, &said)
	}
	if err != nil {
		v.finding(record.RuleBlob, p, v.restore(p), "detail %s: %v", run.Detail.SHA256, err)
		return
	}
	again := evaluate.Detail(eval, evaluate.Options{Threshold: run.Threshold})
	if again.Importance = importance; importance == nil {
		delete(said, "importance") // a command's own word
	}
	if run.Learner == learnerCommand {
		delete(said, "reported") // likewise
	}
	if again.Repeats, err = n.seeds(run, eval); err != nil {
		delete(said, "repeats")
		v.skip(p, "what each seed reached", err.Error())
	}
	if where := contradiction(said, again); where != "" {
		v.finding(record.RuleNumber, p, v.restore(p), "its details are not those of its evaluation: %s", where)
	}
	v.out.Checked.Numbers += countNumbers(said)
}

// seeds measures every seed again, by the threshold rule of the commit.
func (n *numbers) seeds(run record.Run, eval record.Evaluation) ([]record.RepeatDetail, error) {
	if len(eval.Repeats) == 0 {
		return nil, nil
	}
	t, why := n.v.treeOf(run.Code.Commit)
	if t == nil {
		return nil, errors.New(why)
	}
	m := t.Docs.Models[run.Model]
	if m == nil {
		return nil, errors.New("commit " + short(run.Code.Commit) + " does not describe its model")
	}
	first, _ := run.Inputs["seed"].(int64)
	return evaluate.Repeats(m.Question.Threshold, first, eval)
}

// samples holds the rows of an evaluation, scores left aside, against the pinned data that the run names. Groups and slices are no part of a question, so
// they are not compared: a later document may say otherwise.
func (n *numbers) samples(ctx context.Context, p string, run record.Run, eval record.Evaluation) {
	key := fmt.Sprint(run.Inputs["question"], run.Inputs["dataset"])
	if n.rows[key] == nil && n.whyNot[key] == "" {
		if len(n.rows) > 0 {
			n.rows = map[string]*trainset.Rows{} // one at a time, for memory's sake
		}
		n.rows[key], n.whyNot[key] = n.ask(ctx, run)
	}
	rows := n.rows[key]
	if rows == nil {
		n.v.skip(p, "its rows and labels", n.whyNot[key])
		return
	}
	want := rows.Evaluation(nil)
	want.Group, want.Slices = eval.Group, eval.Slices
	if err := sameRowsAs(eval, want); err != nil {
		n.v.finding(record.RuleRows, p, n.v.restore(p), "its evaluation is not of the pinned data: %v", err)
	}
	n.v.out.Checked.Numbers += 2 * len(eval.RowID)
}

// ask gives the rows of a run's question, from its commit's documents and its pinned data.
func (n *numbers) ask(ctx context.Context, run record.Run) (*trainset.Rows, string) {
	t, why := n.v.treeOf(run.Code.Commit)
	if t == nil {
		return nil, why
	}
	m := t.Docs.Models[run.Model]
	if m == nil || t.Docs.Experiments[run.Experiment] == nil {
		return nil, "commit " + short(run.Code.Commit) + " does not describe it"
	}
	in, err := inputs(t.Docs, run.Experiment)
	if err != nil {
		return nil, err.Error()
	}
	if in["question"] != run.Inputs["question"] || in["dataset"] != run.Inputs["dataset"] {
		return nil, "it was made of documents that commit " + short(run.Code.Commit) + " does not have"
	}
	w, err := n.v.p.workshop(ctx, t.Docs.Project) // one of its own: what it holds of the data goes with it
	if err != nil {
		return nil, err.Error()
	}
	defer w.close()
	id := t.Docs.Models[run.Model].Question.Dataset
	data, err := w.data(ctx, t, id)
	if err == nil {
		err = dataset.Verify(ctx, w.db, data.Relations[id], t.Docs.Locks[id])
	}
	if err != nil {
		return nil, err.Error()
	}
	rows, err := w.ask(ctx, t, run.Model)
	if err != nil {
		return nil, err.Error()
	}
	return rows, ""
}
