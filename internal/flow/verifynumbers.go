package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// unless tells of an error as of something that could not be assessed, unless it says that the data are others.
func (v *verifying) unless(p, what string, err error) {
	if problem.Exit(err) == problem.ExitFailed {
		v.skip(p, what, err.Error())
		return
	}
	v.finding(record.RuleRows, p, "`plumb data show` says which pinned file differs", "%s: %v", what, err)
}

// dataGone tells of pinned data that is nowhere, once: it is a loss, and an error where what serves now was made of it.
func (v *verifying) dataGone(p, content string, err error) bool {
	if !errors.Is(err, store.ErrNotFound) || v.unread != nil {
		return false
	}
	if sum := v.droppedData(content); sum != "" {
		v.unproved(p, "its rows, labels and scores", "its data", sum)
		return true
	}
	if v.told[content] {
		return true
	}
	v.told[content] = true
	report := v.warning
	if v.serves(content) {
		report = v.finding
	}
	report(record.RuleRows, p, "in a clone that has the file, `plumb push` brings it to the store", "the data that it was made of is gone: %v", err)
	return true
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
	n := &numbers{v: v, w: w, asked: map[string]*answerable{}, until: time.Now().Add(askingModels)}
	defer n.close()
	paths := v.ofKind(record.KindRun)
	served := map[string]bool{}
	for _, p := range v.ofKind(record.KindVersion) {
		served[v.facts[p].run] = true
	}
	slices.SortStableFunc(paths, func(a, b string) int { // what versions are made of first
		switch {
		case served[a] == served[b]:
			return 0
		case served[a]:
			return -1
		}
		return 1
	})
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
			n.always = served[p]
			n.run(ctx, p, *run)
		}
	}
	return fmt.Sprintf("%d numbers of %s", v.out.Checked.Numbers, countOf(v.out.Checked.Runs, "run")), ctx.Err()
}

// askingModels is how long models are asked again that no version is made of.
const askingModels = 5 * time.Minute

// numbers makes numbers again. The rows of the question asked last are kept, with the data that they are of, since most runs ask the same.
type numbers struct {
	v      *verifying
	w      *workshop
	asked  map[string]*answerable
	until  time.Time
	always bool // the run at hand is a version's
}

func (n *numbers) run(ctx context.Context, p string, run record.Run) {
	v := n.v
	if !v.has(run.Evaluation) {
		v.unproved(p, "its metrics", "its evaluation", run.Evaluation.SHA256)
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
	n.documents(p, run, eval)
}

// documents holds a run against the documents of the commit that it says it was made at. Code and semantics belong to the program that made it.
func (n *numbers) documents(p string, run record.Run, eval record.Evaluation) {
	t, _ := n.v.treeOf(run.Code.Commit)
	if t == nil || run.Code.Dirty || len(run.Set) > 0 || t.Docs.Experiments[run.Experiment] == nil {
		return // samples tells why the commit can't be read; what is not of the commit can't be held against it
	}
	in, err := inputs(t.Docs, run.Experiment)
	if err != nil {
		return
	}
	e, restore := t.Docs.Experiments[run.Experiment], n.v.restore(p)
	commit := "commit " + short(run.Code.Commit)
	if changed := slices.DeleteFunc(changedInputs(run.Inputs, in), ofProgram); len(changed) > 0 {
		n.v.finding(record.RuleReference, p, restore, "it says that it was made of %s, whose documents give another %s", commit, list(changed))
		return
	}
	m := t.Docs.Models[e.Model]
	uses, err := t.Docs.Uses(run.Experiment)
	var other []string
	for _, part := range []struct {
		name string
		same bool
	}{
		{"model", run.Model == e.Model && run.Task == m.Task},
		{"learner", run.Learner == e.Train.Learner},
		{"parameters", len(run.Params)+len(e.Params) == 0 || sameJSONValue(run.Params, e.Params)},
		{"hypothesis", run.Hypothesis == e.HypothesisDigest()},
		{"features", err != nil || slices.EqualFunc(uses, run.Features, func(u doc.Use, name string) bool { return u.Name == name })},
	} {
		if !part.same {
			other = append(other, part.name)
		}
	}
	if len(other) > 0 {
		n.v.finding(record.RuleReference, p, restore, "its %s not what the documents of %s say", isOrAre(other), commit)
	}
	if threshold, err := evaluate.Threshold(m.Question.Threshold, eval); err == nil && contradiction(run.Threshold, threshold) != "" {
		n.v.finding(record.RuleNumber, p, restore, "its threshold is %.6g, and the rule of %s gives %.6g", run.Threshold, commit, threshold)
	}
}

// ofProgram says whether an input belongs to the program and not to the documents.
func ofProgram(input string) bool { return input == "code" || input == "semantics" }

func isOrAre(names []string) string {
	if len(names) == 1 && !strings.HasSuffix(names[0], "s") || len(names) == 1 && names[0] == "hypothesis" {
		return names[0] + " is"
	}
	return list(names) + " are"
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
		if d := m.Describe(); d.Kind != run.Learner || d.Task != run.Task || !slices.Equal(d.Features, run.Features) || !slices.Equal(d.Classes, eval.Classes) {
			v.finding(record.RuleNumber, p, v.restore(p), "its model is not of its learner, task, features and classes")
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
