package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// What a person recorded is a claim. A flow takes the model of such a run, lets it score the pinned rows here, and believes these scores alone; the
// numbers that the person recorded have to be those that the model gives, or the run is refused. What can't be told this way is whether the model was
// trained as its inputs say: that is why every face says who trained it.

// refusal is a run that contradicts itself, the documents or the pinned rows.
type refusal struct {
	run record.Run
	why string
}

func (r *refusal) Error() string {
	who := ""
	if r.run.By.Who != "" {
		who = ", which " + brief.Person(r.run.By.Who) + " recorded,"
	}
	return fmt.Sprintf("run %s of %s%s is refused: %s", r.run.ID, r.run.Experiment, who, r.why)
}

func refuse(run record.Run, format string, args ...any) error {
	return &refusal{run, fmt.Sprintf(format, args...)}
}

// attempt says whether a run was made from what no commit has: it helps the person who made it, and is never taken for a commit's.
func attempt(run record.Run) bool {
	return run.Actor != record.ActorCI && (run.Code.Dirty || run.Code.Commit == "" || len(run.Set) > 0 || run.Sweep != "")
}

// vet loads the model of a person's run, and holds the record and the model against the documents.
func (w *workshop) vet(ctx context.Context, by seeker, run record.Run) (*execution, error) {
	e := by.tree.Docs.Experiments[by.experiment]
	uses, err := by.tree.Docs.Uses(by.experiment)
	if err != nil {
		return nil, err
	}
	var features []string
	for _, u := range uses {
		features = append(features, u.Name)
	}
	switch task := by.tree.Docs.Models[e.Model].Task; {
	case run.Task != task || run.Learner != e.Train.Learner:
		return nil, refuse(run, "it is of %s for a %s task, and %s is of %s for a %s task", run.Learner, run.Task, e.Path, e.Train.Learner, task)
	case !sameJSONValue(run.Params, e.Params) && len(run.Params)+len(e.Params) > 0:
		return nil, refuse(run, "its parameters are not those of %s", e.Path)
	case !slices.Equal(run.Features, features):
		return nil, refuse(run, "it says that the model saw %s, and %s uses %s", list(run.Features), e.Path, list(features))
	}
	encoded, err := w.p.Store.Get(ctx, run.Artifact)
	switch {
	case errors.Is(err, store.ErrNotFound) || ctx.Err() != nil:
		return nil, fmt.Errorf("fetching the model of run %s: %w", run.ID, err)
	case err != nil: // spoiled bytes, or a store that does not answer: no reason to train for hours
		return nil, refuse(run, "its model can't be had: %.400v", err)
	}
	x := &execution{run: run}
	if x.model, err = w.scorerOf(by.tree, run, encoded); err != nil {
		return nil, refuse(run, "%.400v", err)
	}
	if err := sameModel(x.model, run, encoded); err != nil {
		return nil, err
	}
	if by.laptop && run.Repeats > 1 {
		x.eval, err = w.stored(ctx, run)
		return x, err
	}
	x.oneSeed()
	x.eval.Task = run.Task
	x.eval.Classes, err = w.classesOf(ctx, x)
	return x, err
}

// oneSeed leaves the model that is served of a run with repeats.
func (x *execution) oneSeed() {
	x.claimed, x.run.Repeats, x.run.SameSeeds = x.run.Repeats, 0, false
}

// unasked says of a person's run with repeats that only the served model counts: those of further seeds are not kept, so nobody can ask them.
func unasked(x *execution) []string {
	if x.claimed < 2 {
		return nil
	}
	return []string{fmt.Sprintf("run %s was trained with %d seeds elsewhere; only the model that is served can be scored here, so the others do not count", x.run.ID, x.claimed)}
}

// classesOf gives the classes that a model answers for, in the order of its scores. A program's model does not say: those that it answered for do.
func (w *workshop) classesOf(ctx context.Context, x *execution) ([]string, error) {
	own, isOwn := x.model.(builtin)
	switch {
	case x.run.Task != record.TaskMulticlass:
		return nil, nil
	case isOwn:
		return own.Describe().Classes, nil
	}
	stored, err := w.stored(ctx, x.run)
	return stored.Classes, err
}

// sameModel holds a built-in model against its record. What a program wrote is for its predict command to read.
func sameModel(m scorer, run record.Run, encoded []byte) error {
	own, ok := m.(builtin)
	if !ok {
		return nil
	}
	back, err := own.Encode()
	s := own.Describe()
	switch {
	case digest.Bytes(encoded) != run.Result.Model:
		return refuse(run, "its model is not the one that its result names")
	case err != nil || !bytes.Equal(back, encoded):
		return refuse(run, "its model is not as plumb writes it")
	case s.Kind != run.Learner || s.Task != run.Task:
		return refuse(run, "its model is a %s for a %s task", s.Kind, s.Task)
	case !slices.Equal(s.Features, run.Features):
		return refuse(run, "its model was trained on %s, and the run is of %s", list(s.Features), list(run.Features))
	}
	return nil
}

// confirm lets the model of a person's run score the pinned rows. The execution has these scores; its blob is the evaluation that they make.
func (w *workshop) confirm(ctx context.Context, by seeker, run record.Run) (*execution, error) {
	x, err := w.vet(ctx, by, run)
	if err != nil {
		return nil, err
	}
	w.p.progress("%s: scoring the model of run %s", by.experiment, run.ID)
	s, err := w.sheet(ctx, by.tree, by.experiment)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(x.eval.Classes, s.rows.Classes) {
		return nil, refuse(run, "its model answers for the classes %s, and the pinned data has %s", list(x.eval.Classes), list(s.rows.Classes))
	}
	held := s.of(trainset.Test, trainset.Valid)
	scores, err := x.model.score(ctx, held)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, refuse(run, "its model can't score the rows: %.400v", err)
	}
	x.eval = held.rows.Evaluation(scores)
	if err := w.agrees(ctx, by, x, s.rows); err != nil {
		return nil, err
	}
	data, err := w.parquet(ctx, x.eval)
	if err != nil {
		return nil, err
	}
	x.scored = true
	x.run.Evaluation = x.keep(data, typeParquet, int64(len(x.eval.RowID)))
	return x, nil
}

// agrees holds what a person recorded against the scores that the model gave here.
func (w *workshop) agrees(ctx context.Context, by seeker, x *execution, rows *trainset.Rows) error {
	run := x.run
	if run.Rows != rows.Counts || run.Split != rows.Split {
		return refuse(run, "it says %d train, %d valid and %d test rows, and the pinned data has %d, %d and %d by its split",
			run.Rows.Train, run.Rows.Valid, run.Rows.Test, rows.Counts.Train, rows.Counts.Valid, rows.Counts.Test)
	}
	stored, err := w.stored(ctx, run)
	switch {
	case errors.Is(err, store.ErrNotFound): // evaluations are not kept for ever, and these rows were just scored anew
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return refuse(run, "%.400v", err)
	default:
		if err := sameScoring(stored, x.eval, leeway(run)); err != nil {
			return refuse(run, "its evaluation is not of its model: %v", err)
		}
		x.eval.Repeats = nil
		if by.laptop {
			x.eval.Repeats = stored.Repeats
		}
	}
	if x.run.Repeats > 1 && !x.run.SameSeeds && len(x.eval.Repeats) == 0 {
		x.oneSeed()
	}
	return x.sameNumbers(by)
}

// sameNumbers holds the metrics that a person recorded against those of the scores that the model gave here, and takes over the threshold that these
// scores choose.
func (x *execution) sameNumbers(by seeker) error {
	run := x.run
	threshold, err := evaluate.Threshold(by.tree.Docs.Models[run.Model].Question.Threshold, x.eval)
	if err != nil {
		return err
	}
	for part, said := range map[string]map[string]float64{"test": run.Result.Metrics, "valid": run.Result.Valid} {
		found := evaluate.Metrics(x.eval, part, threshold)
		for _, name := range slices.Sorted(maps.Keys(union2Maps(said, found))) {
			a, hasA := said[name]
			b, hasB := found[name]
			if hasA != hasB || !near(a, b, leeway(run)) {
				return refuse(run, "it says %s %s on the %s part, and its model gives %s", name, digits(a, hasA), part, digits(b, hasB))
			}
		}
	}
	if !near(threshold, run.Threshold, leeway(run)) {
		return refuse(run, "it says threshold %v, and its scores give %v", run.Threshold, threshold)
	}
	x.run.Threshold = threshold
	return nil
}

func union2Maps(a, b map[string]float64) map[string]float64 {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]float64{}
	}
	maps.Copy(out, b)
	return out
}

func digits(v float64, ok bool) string {
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%.10g", v)
}

const (
	exactly = 1e-9 // built-in models give the same scores on every machine, and records hold 10 digits
	roughly = 1e-3 // a program's scores differ in their last digits, and then a row falls on the other side of a threshold
)

// leeway is how much of a number, relative to it or to 1, two machines may differ by.
func leeway(run record.Run) float64 {
	if run.Learner == learnerCommand {
		return roughly
	}
	return exactly
}

func near(a, b, leeway float64) bool {
	return a == b || math.Abs(a-b) <= leeway*max(1, math.Abs(a), math.Abs(b))
}

// sameScoring holds a stored evaluation against one that was made here: the same rows with the same labels, and the same scores. Groups and slices
// are how an answer is looked at, and may have changed.
func sameScoring(stored, found record.Evaluation, leeway float64) error {
	stored.Group, stored.Slices = found.Group, found.Slices
	if err := sameRowsAs(stored, found); err != nil {
		return err
	}
	if len(stored.Scores) != len(found.Scores) {
		return fmt.Errorf("it has %s, and the model gives %d", countOf(len(stored.Scores), "score column"), len(found.Scores))
	}
	for c := range found.Scores {
		if len(stored.Scores[c]) != len(found.Scores[c]) {
			return fmt.Errorf("it has %s, and there are %d rows", countOf(len(stored.Scores[c]), "score"), len(found.Scores[c]))
		}
		for i, v := range found.Scores[c] {
			if !near(stored.Scores[c][i], v, leeway) {
				return fmt.Errorf("row %d has the score %.6g, and the model gives %.6g", found.RowID[i], stored.Scores[c][i], v)
			}
		}
	}
	return nil
}

// liars are records that claim an input digest and that the ledger's reader left out, because they are not what they say.
func liars(v *ledger.View, key string) []error {
	var out []error
	for _, p := range v.Problems() {
		data, err := v.Bytes(p.Pos.File)
		if err == nil && strings.HasPrefix(p.Pos.File, "runs/") && bytes.Contains(data, []byte(key)) {
			out = append(out, fmt.Errorf("%s is refused: %s", p.Pos.File, p.Message))
		}
	}
	return out
}

// refused is the end of a flow that found nothing but runs that do not hold.
func refused(errs []error) error {
	return problem.Failedf("make the run again on a clean commit (`plumb run --force`), and `plumb push`: a run that holds counts, though what was refused stays in the ledger",
		"%w", errors.Join(errs...))
}
