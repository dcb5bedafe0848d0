package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
)

// run checks one run record: that it may be recorded, that its inputs are the tree's, its rows the data's, its numbers those of its scores.
func (i *inspection) run(ctx context.Context, run record.Run) error {
	key := run.Inputs.Key()
	asked := recordable(i.event.Name, i.base.Docs, i.head.Docs)[key]
	if asked == nil {
		return fmt.Errorf("this event may not record the inputs %s: it records what it asks for, head has and base has not", shortDigest(key))
	}
	if i.made[key] != nil {
		return fmt.Errorf("two runs have the inputs %s", shortDigest(key))
	}
	e := i.head.Docs.Experiments[run.Experiment]
	if e == nil || !slices.Contains(asked, run.Experiment) || run.Model != e.Model {
		return errors.New("its experiment and model are not those of the documents in the tree")
	}
	in, err := inputs(i.head.Docs, run.Experiment)
	if err != nil {
		return err
	}
	m := i.head.Docs.Models[run.Model]
	switch {
	case !sameInputs(in, run.Inputs):
		return errors.New("its inputs are not those of the documents in the tree")
	case !sameJSONValue(run.Params, e.Params) && len(run.Params)+len(e.Params) > 0, run.Hypothesis != e.HypothesisDigest(), run.Learner != e.Train.Learner, len(run.Set) > 0, run.Sweep != "":
		return errors.New("its parameters or hypothesis are not those of the documents in the tree")
	case run.Task != m.Task || run.Status != "ok" || run.Error != "":
		return fmt.Errorf("it says %.20q of a task %.20q, and only runs that went well are recorded", run.Status, run.Task)
	}
	t := run.Timings
	if !plainText(run.Environment, 200) || !duration(t.Features) || !duration(t.Train) || !duration(t.Repeats) || !duration(t.Evaluate) || !duration(t.Total) || !soundSpeed(run.Speed) {
		return errors.New("its environment or timings can't be true")
	}
	if err := i.trueLocks(ctx, i.head, datasetsOf(i.head.Docs, run.Experiment)...); err != nil {
		return err
	}
	rows, err := i.headRows(ctx, run.Model)
	if err != nil {
		return err
	}
	if run.Rows != rows.Counts || run.Split != rows.Split {
		return errors.New("its rows or its split are not those of the pinned data")
	}
	x := &execution{run: run}
	if x.eval, err = i.evaluation(ctx, run.Evaluation, rows.Evaluation(nil)); err != nil {
		return err
	}
	again := run
	if err := claimSeeds(&again, e, x.eval); err != nil {
		return err
	}
	if again.Repeats != run.Repeats || again.SameSeeds != run.SameSeeds {
		return errors.New("its seeds are not those of the documents and its evaluation")
	}
	if err := i.numbers(x); err != nil {
		return err
	}
	i.made[key], i.artifacts[key] = x, run.Artifact
	return i.agrees(ctx, key, x)
}

// agrees compares a run of the bundle with the ledger's of the same inputs, when there is one by now: the same is not recorded twice, and
// another is refused, or a job could replace what is known.
func (i *inspection) agrees(ctx context.Context, key string, x *execution) error {
	hit := i.byCI(ctx, i.head, key)
	if hit == nil {
		return nil
	}
	if hit.run.Result.Digest != x.run.Result.Digest {
		return fmt.Errorf("run %s in the ledger has these inputs and another result; run `plumb runs show %s`, and measure again", hit.run.ID, hit.run.ID)
	}
	i.known[key] = hit.run.ID
	return nil
}

func (i *inspection) seeker(key string) seeker {
	return i.event.seeker(i.event.Name == "push" || has(i.base.Docs, key), nil, "")
}

// byCI finds the run of a tree's inputs that CI recorded, when it can be read. What a person recorded meanwhile contradicts no job: it is a claim.
func (i *inspection) byCI(ctx context.Context, t *Tree, key string) *execution {
	for _, run := range usable(i.view, key, i.seeker(key)) {
		if run.Actor != record.ActorCI {
			continue
		}
		if x, err := i.shop.load(ctx, t, run); err == nil {
			return x
		}
	}
	return nil
}

// numbers recomputes every metric and digest of the result, and what the page shows beside them, from the evaluation and the model.
func (i *inspection) numbers(x *execution) error {
	run, question := x.run, i.head.Docs.Models[x.run.Model].Question
	threshold, err := evaluate.Threshold(question.Threshold, x.eval)
	if err != nil {
		return err
	}
	again := record.Result{Metrics: evaluate.Metrics(x.eval, "test", threshold), Valid: evaluate.Metrics(x.eval, "valid", threshold)}
	if again.Predictions, err = x.eval.PredictionsDigest(); err != nil {
		return err
	}
	if x.model, again.Model, err = i.learned(run, x.eval.Classes); err != nil {
		return err
	}
	if err := again.SetDigest(); err != nil {
		return err
	}
	if threshold != run.Threshold || again.Digest != run.Result.Digest || !reflect.DeepEqual(again, run.Result) {
		return errors.New("its numbers are not those of its evaluation")
	}
	if err := i.beside(run); err != nil {
		return err
	}
	said, err := i.take(run.Detail, typeJSON, 0)
	if err != nil {
		return err
	}
	var curves []record.ReportedCurve
	if run.Learner == learnerCommand {
		if curves, err = reported(said); err != nil {
			return err
		}
	}
	if want, err := x.details(question.Threshold, curves); err != nil || !bytes.Equal(said, want) {
		return errors.Join(errors.New("its details are not those of its evaluation and model"), err)
	}
	return nil
}

// beside checks what only a run of a person's program has: its log, and the name of what held it. They are the job's own word.
func (i *inspection) beside(run record.Run) error {
	if run.Learner != learnerCommand {
		if !run.Log.IsZero() || run.Sandbox != "" || run.Artifact.Name != "" {
			return errors.New("it has what only a person's program leaves")
		}
		return nil
	}
	if !plainText(run.Sandbox, 200) {
		return errors.New("what it says of its sandbox can't be true")
	}
	if run.Log.IsZero() {
		return nil
	}
	log, err := i.take(run.Log, typeLog, 0)
	if err == nil && (len(log) > maxLog || !utf8.Valid(log)) {
		err = fmt.Errorf("its log of %d bytes is not as plumb keeps logs", len(log))
	}
	return err
}

// reported reads what a program says of its own learning out of the details. It can't be made again, only bounded.
func reported(details []byte) ([]record.ReportedCurve, error) {
	var d struct {
		Reported []record.ReportedCurve `json:"reported"`
	}
	if err := json.Unmarshal(details, &d); err != nil {
		return nil, fmt.Errorf("its details can't be read: %w", err)
	}
	if len(d.Reported) > record.MaxReportedCurves {
		return nil, fmt.Errorf("it reports %d curves, and at most %d are kept", len(d.Reported), record.MaxReportedCurves)
	}
	for _, c := range d.Reported {
		if err := c.Check(); err != nil {
			return nil, err
		}
	}
	return d.Reported, nil
}

// learnedByProgram takes the model of a person's program. Its bytes are the program's business, and nobody opens them here.
func (i *inspection) learnedByProgram(run record.Run) (scorer, error) {
	kind := program.TypeTar
	if run.Artifact.Name != "" {
		kind = program.TypeFile
	}
	encoded, err := i.take(run.Artifact, kind, 0)
	if err != nil {
		return nil, err
	}
	uses, err := i.head.Docs.Uses(run.Experiment)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(uses, run.Features, func(u doc.Use, name string) bool { return u.Name == name }) {
		return nil, errors.New("its features are not those of the documents in the tree")
	}
	return i.shop.commandModel(i.head, run, encoded)
}

// learned reads the model of a run, which has to be one that its learner could have written, of the evaluation's classes, and gives what of it
// enters the result.
func (i *inspection) learned(run record.Run, classes []string) (scorer, string, error) {
	if run.Learner == learnerCommand {
		m, err := i.learnedByProgram(run)
		return m, "", err
	}
	encoded, err := i.take(run.Artifact, typeModel, 0)
	if err != nil {
		return nil, "", err
	}
	m, err := model.Load(encoded)
	if err != nil {
		return nil, "", fmt.Errorf("its model can't be read: %w", err)
	}
	if back, err := m.Encode(); err != nil || !bytes.Equal(back, encoded) {
		return nil, "", errors.New("its model is not as plumb writes it")
	}
	if s := m.Describe(); s.Kind != run.Learner || s.Task != run.Task || !slices.Equal(s.Features, run.Features) || !slices.Equal(s.Classes, classes) {
		return nil, "", errors.New("its model is not of its learner, task, features and classes")
	}
	return builtin{m}, digest.Bytes(encoded), nil
}

// elsewhere checks the runs of champions that a person recorded and the job of a push only scored: they may become versions.
func (i *inspection) elsewhere(ctx context.Context) error {
	said := i.bundle.result.Scored
	if i.event.Name != "push" {
		if len(said) > 0 {
			return errors.New("result.json has runs_scored, which is for a push")
		}
		return nil
	}
	waiting, err := unstaged(i.head.Docs, i.view)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		by := i.event.seeker(true, i.head, w.experiment)
		for _, run := range usable(i.view, w.digest, by) {
			if run.Actor == record.ActorCI || !slices.Contains(said, run.ID) {
				continue
			}
			check := i.shop.confirm
			if run.Learner == learnerCommand { // no program runs here: that its model gives these numbers is the job's word
				check = i.shop.vet
			}
			if _, err := check(ctx, by, run); err != nil {
				return err
			}
			i.scored[run.ID] = true
		}
	}
	for _, id := range said {
		if !i.scored[id] {
			return fmt.Errorf("result.json says that run %.60q was scored, which is no run of a champion that waits for a stage", id)
		}
	}
	i.result.Scored = said
	return nil
}

func sameInputs(a, b record.Inputs) bool { return len(changedInputs(a, b)) == 0 && a.Key() == b.Key() }

func sameJSONValue(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
