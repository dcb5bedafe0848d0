package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// inspection is what a bundle proves. Documents come from the Git trees, rows and labels from the pinned data, verdicts from judging again;
// only the scores are head's word.
type inspection struct {
	p           *Project
	bundle      *received
	event       Event
	base, head  *Tree
	shop        *workshop
	view        *ledger.View
	runs        []record.Run
	comparisons []record.ComparisonRecord
	snapshots   []record.Snapshot
	pointers    []record.Pointer // blobs that the records name
}

// inspect checks every claim of a bundle. Its errors say which claim does not hold.
func (p *Project) inspect(ctx context.Context, b *received, e Event) (*inspection, error) {
	i := &inspection{p: p, bundle: b, event: e}
	if err := i.load(ctx); err != nil {
		return nil, err
	}
	if i.head.Docs.Problems.Errors() > 0 {
		return i, i.onlyProblems()
	}
	var err error
	settings := i.base.Docs.Project
	if settings == nil {
		settings = &doc.Project{}
	}
	if i.shop, err = p.workshop(ctx, settings); err != nil {
		return nil, err
	}
	defer i.shop.close()
	if err := i.sort(); err != nil {
		return nil, err
	}
	for _, run := range i.runs {
		if err := i.run(ctx, run); err != nil {
			return nil, fmt.Errorf("run of %s: %w", run.Experiment, err)
		}
	}
	for _, s := range i.snapshots {
		if err := i.snapshot(ctx, s); err != nil {
			return nil, fmt.Errorf("snapshot of %s: %w", s.Dataset, err)
		}
	}
	if err := i.judgements(ctx); err != nil {
		return nil, err
	}
	if extra := b.unclaimed(i.pointers); len(extra) > 0 {
		return nil, fmt.Errorf("blob %s is named by no record", extra[0])
	}
	return i, i.result()
}

func (i *inspection) load(ctx context.Context) error {
	base := i.event.Head
	var err error
	if i.event.Name == "pull_request" {
		if base, err = i.p.Repo.MergeBase(ctx, i.event.Base, i.event.Head); err != nil {
			return fmt.Errorf("finding the merge base: %w", err)
		}
	}
	if i.bundle.table.Base != base {
		return fmt.Errorf("the bundle compares with %.40q, and the merge base is %s", i.bundle.table.Base, base)
	}
	i.event.Base = base
	if i.base, err = i.p.At(base); err != nil {
		return err
	}
	if i.head, err = i.p.At(i.event.Head); err != nil {
		return err
	}
	i.view, err = i.p.view(ctx)
	return err
}

// onlyProblems is a head whose documents are wrong: nothing was measured, and the problems are those of the tree.
func (i *inspection) onlyProblems() error {
	if len(i.bundle.records)+len(i.bundle.blobs) > 0 {
		return errors.New("head's documents are wrong, and yet the bundle has records")
	}
	i.bundle.result.Problems = i.head.Docs.Problems.All()
	i.bundle.result.Exit = 2
	i.bundle.result.Comparisons, i.bundle.result.Runs = nil, nil
	normalise(&i.bundle.result)
	return nil
}

// sort takes the records by kind.
func (i *inspection) sort() error {
	for _, path := range keys(i.bundle.records) {
		switch r := i.bundle.records[path].(type) {
		case *record.Run:
			i.runs = append(i.runs, *r)
			i.pointers = append(i.pointers, r.Artifact, r.Evaluation, r.Detail)
		case *record.ComparisonRecord:
			i.comparisons = append(i.comparisons, *r)
		case *record.Snapshot:
			i.snapshots = append(i.snapshots, *r)
			i.pointers = append(i.pointers, r.Profile, r.Quality)
		default:
			return fmt.Errorf("%s: a bundle holds no record of this kind", path)
		}
	}
	return nil
}

// recordable gives the input digests that this event may record, and the experiment of each.
func (i *inspection) recordable() map[string]string {
	if i.event.Name == "pull_request" {
		return mayRecord(i.base.Docs, i.head.Docs)
	}
	out := map[string]string{}
	for _, m := range i.head.Docs.Models {
		if key := served(i.head.Docs, m.Champion); m.Champion != "" && key != "" {
			out[key] = m.Champion
		}
	}
	return out
}

// run checks one run record: that it may be recorded, that its inputs are the tree's, its rows the data's, its numbers those of its scores.
func (i *inspection) run(ctx context.Context, run record.Run) error {
	key := run.Inputs.Key()
	experiment, ok := i.recordable()[key]
	if !ok {
		return fmt.Errorf("this event may not record the inputs %s: it records what head has and base has not", shortDigest(key))
	}
	e := i.head.Docs.Experiments[experiment]
	in, err := inputs(i.head.Docs, experiment)
	if err != nil {
		return err
	}
	if run.Experiment != experiment || run.Model != e.Model || !sameInputs(in, run.Inputs) {
		return errors.New("its inputs are not those of the documents in the tree")
	}
	if !sameJSON(run.Params, e.Params) || run.Hypothesis != e.HypothesisDigest() || run.Learner != e.Train.Learner || len(run.Set) > 0 {
		return errors.New("its parameters or hypothesis are not those of the documents in the tree")
	}
	if run.Code.Commit != i.event.Head || run.Code.Dirty {
		return fmt.Errorf("it was made at %.40q, and head is %s", run.Code.Commit, i.event.Head)
	}
	rows, err := i.shop.ask(ctx, i.head, run.Model)
	if err != nil {
		return fmt.Errorf("recomputing the rows: %w", err)
	}
	eval, err := i.evaluation(ctx, run.Evaluation, rows)
	if err != nil {
		return err
	}
	if len(eval.RowID) != rows.Counts.Test+rows.Counts.Valid || run.Rows != rows.Counts || run.Split != rows.Split {
		return errors.New("its rows or its split are not those of the pinned data")
	}
	return i.numbers(run, eval)
}

// numbers recomputes every metric and digest of the result from the evaluation.
func (i *inspection) numbers(run record.Run, eval record.Evaluation) error {
	threshold, err := evaluate.Threshold(i.head.Docs.Models[run.Model].Question.Threshold, eval)
	if err != nil {
		return err
	}
	again := record.Result{Metrics: evaluate.Metrics(eval, "test", threshold), Valid: evaluate.Metrics(eval, "valid", threshold)}
	if again.Predictions, err = eval.PredictionsDigest(); err != nil {
		return err
	}
	encoded, err := i.bundle.blob(run.Artifact)
	if err != nil {
		return err
	}
	again.Model = digest.Bytes(encoded)
	if err := again.SetDigest(); err != nil {
		return err
	}
	if threshold != run.Threshold || again.Digest != run.Result.Digest || !reflect.DeepEqual(again, run.Result) {
		return errors.New("its numbers are not those of its evaluation")
	}
	if _, err := model.Load(encoded); err != nil {
		return fmt.Errorf("its model can't be read: %w", err)
	}
	_, err = i.bundle.blob(run.Detail)
	return err
}

// evaluation reads an evaluation of the bundle and checks that every row of it is a row of the pinned data, with its part, label, weight, group and slices.
func (i *inspection) evaluation(ctx context.Context, p record.Pointer, rows *trainset.Rows) (record.Evaluation, error) {
	data, err := i.bundle.blob(p)
	if err != nil {
		return record.Evaluation{}, err
	}
	eval, err := i.shop.evaluation(ctx, data, rows.Task)
	if err != nil {
		return record.Evaluation{}, err
	}
	return eval, sameRowsAs(eval, rows)
}

// sameRowsAs compares an evaluation with the question's rows as recomputed here.
func sameRowsAs(e record.Evaluation, rows *trainset.Rows) error {
	blank := make([][]float64, len(e.Scores))
	for c := range blank {
		blank[c] = make([]float64, len(rows.RowID))
	}
	truth := rows.Evaluation(blank)
	type place struct {
		part string
		id   int64
	}
	at := make(map[place]int, len(truth.RowID))
	for i := range truth.RowID {
		at[place{truth.Part[i], truth.RowID[i]}] = i
	}
	keep := make([]int, len(e.RowID))
	for i := range e.RowID {
		j, ok := at[place{e.Part[i], e.RowID[i]}]
		if !ok {
			return fmt.Errorf("row %d is no %s row of the pinned data, or is there twice", e.RowID[i], e.Part[i])
		}
		delete(at, place{e.Part[i], e.RowID[i]})
		keep[i] = j
	}
	want := pickRows(truth, keep)
	switch {
	case !slices.Equal(e.Label, want.Label):
		return errors.New("labels are not those of the pinned data")
	case !slices.Equal(e.Weight, want.Weight):
		return errors.New("weights are not those of the pinned data")
	case !slices.Equal(e.Group, want.Group):
		return errors.New("groups are not those of the pinned data")
	case !slices.Equal(e.Key, want.Key):
		return errors.New("keys are not those of the pinned data")
	case !maps.EqualFunc(e.Slices, want.Slices, slices.Equal[[]string]):
		return errors.New("slices are not those of the pinned data")
	}
	return nil
}

// snapshot makes the profile and the quality result again and compares their bytes.
func (i *inspection) snapshot(ctx context.Context, s record.Snapshot) error {
	ds := i.head.Docs.Datasets[s.Dataset]
	if ds == nil {
		return errors.New("head has no such dataset")
	}
	again, err := i.shop.snapshot(ctx, i.head, withBaseChecks(ds, i.base.Docs.Datasets[s.Dataset]))
	if err != nil {
		return err
	}
	was := again.record
	was.Header, was.ID = s.Header, s.ID
	_, said, err := record.Encode(s)
	if err != nil {
		return err
	}
	_, found, err := record.Encode(was) // as bytes: an empty table and none are written alike
	if err == nil && !bytes.Equal(said, found) {
		err = errors.New("it is not what the pinned data says")
	}
	return err
}

func sameInputs(a, b record.Inputs) bool { return len(changedInputs(a, b)) == 0 && a.Key() == b.Key() }

// sameJSON compares values that may have come through TOML or not.
func sameJSON(a, b map[string]any) bool {
	if len(a)+len(b) == 0 {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
