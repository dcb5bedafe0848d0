package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/record"
)

// pinned makes the snapshots and data checks of the event again. A bundle has each of them or is refused: what is left out could be the check
// that fails.
func (i *inspection) pinned(ctx context.Context) error {
	var all []*snapshot
	var err error
	switch i.event.Name {
	case "push":
		all, err = i.landedData(ctx)
	case "pull_request":
		all, err = i.shop.checkData(ctx, i.base, i.head)
	}
	if err != nil {
		return err
	}
	checked := map[string]*snapshot{}
	for _, s := range all {
		i.data = append(i.data, s.data)
		if s.data.Changed || i.event.Name == "push" {
			checked[s.record.Dataset] = s
		}
	}
	for _, said := range i.snapshots {
		s := checked[said.Dataset]
		if s == nil {
			return fmt.Errorf("this event asks for no snapshot of %s, or for one only", said.Dataset)
		}
		delete(checked, said.Dataset)
		if err := i.snapshot(said, s); err != nil {
			return fmt.Errorf("snapshot of %s: %w", said.Dataset, err)
		}
	}
	for _, id := range keys(checked) {
		return fmt.Errorf("the pinned data of %s changed, and the bundle has no snapshot of it", id)
	}
	if len(i.data)+len(i.bundle.result.Data) > 0 && !sameJSONValue(i.data, i.bundle.result.Data) {
		return errors.New("result.json says something else of the data than their checks")
	}
	return nil
}

// landedData makes again what a push says of datasets: of those that the ledger has no snapshot of, and of those that the job found without one.
func (i *inspection) landedData(ctx context.Context) ([]*snapshot, error) {
	var out []*snapshot
	for _, id := range keys(i.head.Docs.Datasets) {
		lock := i.head.Docs.Locks[id]
		said := slices.ContainsFunc(i.snapshots, func(s record.Snapshot) bool { return s.Dataset == id })
		if lock == nil || !said && hasSnapshot(i.view, id, lock) {
			continue
		}
		s, err := i.shop.snapshot(ctx, i.head, i.head.Docs.Datasets[id])
		if err != nil {
			return nil, fmt.Errorf("checking %s: %w", id, err)
		}
		s.data = s.change(lock, false)
		out = append(out, s)
	}
	return out, nil
}

// snapshot compares a snapshot with the one made here, as bytes: an empty table and none are written alike.
func (i *inspection) snapshot(said record.Snapshot, found *snapshot) error {
	again := found.record
	again.Header, again.ID = said.Header, said.ID
	_, a, err := record.Encode(said)
	if err != nil {
		return err
	}
	_, b, err := record.Encode(again)
	if err != nil {
		return err
	}
	if string(a) != string(b) {
		return errors.New("it is not what the pinned data says")
	}
	for _, p := range []record.Pointer{said.Profile, said.Quality} {
		if _, err := i.take(p, typeJSON, 0); err != nil {
			return err
		}
	}
	return nil
}

// judgements checks the comparisons: that they are the ones this pull request asks for, and that judging again gives the same. What is recorded
// and shown is what was found here.
func (i *inspection) judgements(ctx context.Context) error {
	if i.event.Name != "pull_request" {
		if len(i.comparisons) > 0 {
			return fmt.Errorf("the event %s compares nothing, and the bundle has a comparison", i.event.Name)
		}
		return nil
	}
	i.tasks = plan(i.base.Docs, i.head.Docs)
	if len(i.tasks) != len(i.comparisons) {
		return fmt.Errorf("%d comparisons, and the pull request asks for %d", len(i.comparisons), len(i.tasks))
	}
	var checked []record.ComparisonRecord
	for _, t := range i.tasks {
		at := slices.IndexFunc(i.comparisons, func(c record.ComparisonRecord) bool {
			return c.Comparison.Model == t.Model && c.Comparison.Experiment == t.Experiment && c.Comparison.Promotes == t.Promotes
		})
		if at < 0 {
			return fmt.Errorf("there is no comparison of %s for model %s", t.Experiment, t.Model)
		}
		said := i.comparisons[at]
		if !slices.ContainsFunc(i.bundle.result.Comparisons, func(o record.Comparison) bool { return differs(o, said.Comparison) == "" }) {
			return fmt.Errorf("result.json says something else of %s than its record", t.Experiment)
		}
		again, err := i.comparison(ctx, t, said.Comparison)
		if err != nil {
			return fmt.Errorf("comparison of %s: %w", t.Experiment, err)
		}
		checked = append(checked, record.ComparisonRecord{Header: said.Header, Comparison: *again})
	}
	i.comparisons = checked
	return nil
}

func (i *inspection) trees() trees { return trees{i.p, i.base, i.head, i.event} }

// comparison judges one task again from the evaluations that the record points at.
func (i *inspection) comparison(ctx context.Context, t task, said record.Comparison) (*record.Comparison, error) {
	c := i.trees().comparing(t)
	if t.Experiment != "" {
		if err := i.headSide(ctx, t, said.Head, &c); err != nil {
			return nil, fmt.Errorf("head: %w", err)
		}
	}
	if t.Kind == "" {
		if err := i.baseSide(ctx, t, said, &c); err != nil {
			return nil, fmt.Errorf("base: %w", err)
		}
	}
	again, err := i.trees().decide(t, &c)
	if err != nil {
		return nil, err
	}
	// Texts and distances depend on where they were found: they are shown as found here.
	said.Notes, said.Base.Distance = again.Notes, again.Base.Distance
	if where := differs(said, *again); where != "" {
		return nil, fmt.Errorf("its verdict or numbers are not what its rows say: %s", where)
	}
	return again, nil
}

// headSide finds the answer that head's side stands for: the bundle's run, the ledger's, or one that was made for this comparison only.
func (i *inspection) headSide(ctx context.Context, t task, said record.Side, c *comparing) error {
	key, err := digestOf(i.head.Docs, t.Experiment)
	if err != nil {
		return err
	}
	x := i.made[key]
	switch {
	case x != nil && said.Run != "":
		return errors.New("it names a run of the ledger, and the bundle has one of its inputs")
	case x == nil && said.Run != "":
		if x, err = i.recordedHead(ctx, t, key, said); err != nil {
			return err
		}
	case x == nil:
		if x, err = i.passing(ctx, t, said); err != nil {
			return err
		}
	}
	if x.model != nil {
		i.artifacts[key] = x.run.Artifact
	}
	c.head, c.notes = x.as(t.Experiment), slices.Concat(hypothesisNotes(i.head, x.run), unmet(c.design, x.run), unasked(x))
	c.head.Who = i.event.trainedBy(x.run)
	c.head.eval, err = i.shop.ruled(ctx, i.trees(), t, x.eval)
	return err
}

// recordedHead finds the run of the ledger that head's side names. One that a person recorded is scored here too, and the rows as scored are those
// of the bundle. A program is not run here: of its model the scores are the job's word, and have to give what the person recorded.
func (i *inspection) recordedHead(ctx context.Context, t task, key string, said record.Side) (*execution, error) {
	run, err := i.ledgers(key, said.Run)
	if err != nil {
		return nil, err
	}
	by := i.seeker(key)
	by.tree, by.experiment = i.head, t.Experiment
	if run.Actor == record.ActorCI {
		return i.shop.load(ctx, i.head, run)
	}
	rows, err := i.headRows(ctx, t.Model)
	if err != nil {
		return nil, err
	}
	check, want := i.shop.confirm, rows.Evaluation(nil)
	if run.Learner == learnerCommand {
		check = i.shop.vet
	}
	x, err := check(ctx, by, run)
	if err != nil {
		return nil, err
	}
	if run.Learner != learnerCommand {
		want = x.eval
	}
	seeds := x.eval.Repeats
	if x.eval, err = i.evaluation(ctx, said.Evaluation, want); err != nil {
		return nil, err
	}
	if want.Scores != nil && !sameScores(x.eval.Scores, want.Scores) {
		return nil, fmt.Errorf("its scores are not those of the model of run %s", run.ID)
	}
	if !slices.EqualFunc(x.eval.Repeats, seeds, sameScores) {
		return nil, fmt.Errorf("the scores of its further seeds are not those that may count of run %s", run.ID)
	}
	x.run.Evaluation = said.Evaluation
	return x, x.sameNumbers(by)
}

// ledgers finds a run of the ledger that may stand for an input digest here.
func (i *inspection) ledgers(key, id string) (record.Run, error) {
	for _, run := range usable(i.view, key, i.seeker(key)) {
		if run.ID == id {
			return run, nil
		}
	}
	return record.Run{}, fmt.Errorf("run %.60q is none that may stand for the inputs %s here", id, shortDigest(key))
}

// passing is an answer that was made for this comparison and may not be recorded. It can't replace a run that the ledger has.
func (i *inspection) passing(ctx context.Context, t task, said record.Side) (*execution, error) {
	rows, err := i.headRows(ctx, t.Model)
	if err != nil {
		return nil, err
	}
	e := i.head.Docs.Experiments[t.Experiment]
	x := &execution{run: record.Run{Experiment: t.Experiment, Model: t.Model, Params: e.Params, Hypothesis: e.HypothesisDigest(), Evaluation: said.Evaluation}}
	if x.run.Inputs, err = inputs(i.head.Docs, t.Experiment); err != nil {
		return nil, err
	}
	if err := i.trueLocks(ctx, i.head, datasetsOf(i.head.Docs, t.Experiment)...); err != nil {
		return nil, err
	}
	if x.eval, err = i.evaluation(ctx, said.Evaluation, rows.Evaluation(nil)); err != nil {
		return nil, err
	}
	if x.run.Threshold, err = evaluate.Threshold(i.head.Docs.Models[t.Model].Question.Threshold, x.eval); err != nil {
		return nil, err
	}
	if err := claimSeeds(&x.run, e, x.eval); err != nil {
		return nil, err
	}
	key := x.run.Inputs.Key()
	hit := i.byCI(ctx, i.head, key)
	if hit == nil {
		return x, nil
	}
	if d, err := x.eval.PredictionsDigest(); err != nil || d != hit.run.Result.Predictions {
		return nil, fmt.Errorf("run %s in the ledger has these inputs and other scores", hit.run.ID)
	}
	return x, nil
}

// differs says where two comparisons are not the same; "" when they are. They are compared as they are written in a record, where an empty table
// and none are alike.
func differs(said, found record.Comparison) string {
	var text [2]string
	for i, c := range []record.Comparison{said, found} {
		_, data, err := record.Encode(record.ComparisonRecord{Header: record.Header{Time: time.Unix(0, 0), Actor: record.ActorHuman}, Comparison: c})
		if err != nil {
			return fmt.Sprintf("%.200s", err)
		}
		text[i] = string(data)
	}
	a, b := text[0], text[1]
	if a == b {
		return ""
	}
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	line := func(s string) string { // the whole line, so that its key is seen
		start := strings.LastIndexByte(s[:min(n, len(s))], '\n') + 1
		end := strings.IndexByte(s[start:], '\n')
		if end < 0 {
			end = len(s) - start
		}
		return s[start : start+end]
	}
	return fmt.Sprintf("%.80q against %.80q", line(a), line(b))
}

// conclude makes the rest of the result from what holds. The measuring job's own words are left to its steps.
func (i *inspection) conclude() error {
	r, said := &i.result, i.bundle.result
	if len(said.Comparisons) != len(i.comparisons) || len(said.Runs) != len(i.made) {
		return errors.New("result.json and the records do not agree")
	}
	r.Data = append(r.Data, i.data...)
	if i.event.Name != "pull_request" {
		return nil
	}
	for _, c := range i.comparisons {
		r.Comparisons = append(r.Comparisons, c.Comparison)
	}
	if err := i.features(said.Features); err != nil {
		return err
	}
	blocked := holdFeatures(r.Features, i.head.Docs, i.tasks)
	blocked = slices.ContainsFunc(r.Data, func(d record.DataChange) bool { return d.Blocking }) || blocked
	if r.Exit = verdictExit(r.Comparisons, blocked); r.Exit != said.Exit {
		return fmt.Errorf("result.json says exit %d, and the gates say %d", said.Exit, r.Exit)
	}
	r.Changes = changes(i.base.Docs, i.head.Docs)
	r.OnMerge = onMerge(i.head.Docs, i.view, i.tasks, i.artifacts)
	return nil
}
