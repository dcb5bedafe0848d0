package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// The media types of the blobs that a run leaves.
const (
	typeParquet = "application/vnd.apache.parquet"
	typeJSON    = "application/json"
	typeModel   = "application/vnd.plumb.model+json"
)

// execution is a run as it was just made: the record and what its pointers name.
type execution struct {
	run   record.Run
	model scorer // nil where only what it predicted is known
	eval  record.Evaluation
	blobs []store.Blob
	notes []string // what the reader should know of how it was made

	scored  bool     // a person's run, whose model scored the rows here; eval is that
	claimed int      // seeds that a person says it was trained with
	why     []string // it was made now: why runs of the ledger could not be used
}

// inputs gives what decides the outcome of an experiment in a tree, with its digest.
func inputs(docs *doc.Set, experiment string) (record.Inputs, error) {
	in, err := docs.Inputs(experiment, Semantics, map[string]string{"glm": learn.Algorithm("glm"), "gbdt": learn.Algorithm("gbdt")})
	if err != nil {
		return nil, err
	}
	out := record.Inputs(in)
	if out["digest"], err = out.Digest(); err != nil {
		return nil, fmt.Errorf("digesting the inputs of %s: %w", experiment, err)
	}
	return out, nil
}

// digestOf is the input digest alone.
func digestOf(docs *doc.Set, experiment string) (string, error) {
	in, err := inputs(docs, experiment)
	if err != nil {
		return "", err
	}
	return in.Key(), nil
}

// execute answers the question: features, training, scores, metrics. It records nothing.
func (w *workshop) execute(ctx context.Context, t *Tree, experiment string) (*execution, error) {
	start := time.Now()
	if t.Docs.Experiments[experiment] == nil {
		return nil, problem.Wrongf("`plumb check` lists what there is", "there is no experiments/%s.toml", experiment)
	}
	w.p.progress("%s: reading rows and features", experiment)
	s, err := w.sheet(ctx, t, experiment)
	if err != nil {
		return nil, err
	}
	x, err := w.answer(ctx, t, experiment, reading{s, time.Since(start)})
	if err != nil {
		return nil, err
	}
	x.run.Speed = speed(ctx, x.model, s.of(trainset.Test, trainset.Valid))
	return x, nil
}

// reading is a sheet and how long it took to read: the cells of a sweep share one.
type reading struct {
	sheet
	took time.Duration
}

// answer is execute with the sheet read.
func (w *workshop) answer(ctx context.Context, t *Tree, experiment string, s reading) (*execution, error) {
	e := t.Docs.Experiments[experiment]
	if err := wrongParams(t.Docs, e); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	if err := roomForRepeats(e, len(s.rows.Classes)); err != nil {
		return nil, err
	}
	x := &execution{}
	in, err := inputs(t.Docs, experiment)
	if err != nil {
		return nil, err
	}
	rows := s.rows
	x.run = record.Run{Header: w.p.header(record.KindRun, t), Experiment: experiment, Model: e.Model, Task: rows.Task, Status: "ok",
		Hypothesis: e.HypothesisDigest(), Learner: e.Train.Learner, Inputs: in, Params: e.Params, Split: rows.Split, Rows: rows.Counts,
		Environment: environment()}
	for _, c := range s.features.Columns {
		x.run.Features = append(x.run.Features, c.Name)
	}
	x.run.Timings.Features = s.took.Seconds()

	w.p.progress("%s: training %s on %d rows", experiment, e.Train.Learner, rows.Counts.Train)
	mark := time.Now()
	learned, err := w.train(ctx, t, e, s.sheet, e.Train.Seed)
	if err != nil {
		return nil, fmt.Errorf("training %s: %w", experiment, err)
	}
	x.run.Timings.Train = time.Since(mark).Seconds()

	w.p.progress("%s: evaluating on %d rows", experiment, rows.Counts.Test+rows.Counts.Valid)
	mark = time.Now()
	if err := w.evaluate(ctx, t, s.sheet, learned, x); err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", experiment, err)
	}
	x.run.Timings = took(x.run.Timings, time.Since(mark))
	x.run.Speed.Why = "it was run in a sweep, whose runs share the machine"
	return x, nil
}

// took ends a run's timings: evaluating includes the further seeds, which are counted apart.
func took(t record.Timings, evaluating time.Duration) record.Timings {
	t.Evaluate = evaluating.Seconds() - t.Repeats
	t.Total = t.Features + t.Train + t.Repeats + t.Evaluate
	for _, seconds := range []*float64{&t.Features, &t.Train, &t.Repeats, &t.Evaluate, &t.Total} {
		*seconds = threeDigits(*seconds)
	}
	return t
}

// sheet gives the rows of an experiment's question and what its learner sees of them.
func (w *workshop) sheet(ctx context.Context, t *Tree, experiment string) (sheet, error) {
	rows, err := w.ask(ctx, t, t.Docs.Experiments[experiment].Model)
	if err != nil {
		return sheet{}, err
	}
	data, err := w.data(ctx, t, datasetsOf(t.Docs, experiment)...)
	if err != nil {
		return sheet{}, err
	}
	s := sheet{rows: rows, beside: table.Frame{N: len(rows.RowID)}}
	if s.features, err = trainset.Features(ctx, data, t.Docs, experiment, rows); err != nil {
		return s, err
	}
	if t.Docs.Experiments[experiment].Train.Learner == learnerCommand {
		s.beside, err = trainset.Beside(ctx, data, t.Docs, experiment, rows)
	}
	return s, err
}

// evaluate scores the test and the valid part and fills the record's result and blobs.
func (w *workshop) evaluate(ctx context.Context, t *Tree, s sheet, learned *trained, x *execution) error {
	x.model = learned.scorer
	held := s.of(trainset.Test, trainset.Valid)
	scores := learned.scores
	if scores == nil {
		var err error
		if scores, err = x.model.score(ctx, held); err != nil {
			return err
		}
	}
	x.eval = held.rows.Evaluation(scores)
	if err := w.repeat(ctx, t, s, held, x); err != nil {
		return err
	}
	rule := t.Docs.Models[x.run.Model].Question.Threshold
	threshold, err := evaluate.Threshold(rule, x.eval)
	if err != nil {
		return err
	}
	x.run.Threshold = threshold
	x.run.Result.Metrics = evaluate.Metrics(x.eval, "test", threshold)
	x.run.Result.Valid = evaluate.Metrics(x.eval, "valid", threshold)
	if x.run.Result.Predictions, err = x.eval.PredictionsDigest(); err != nil {
		return err
	}
	x.run.Result.Model = learned.digest
	if err := x.run.Result.SetDigest(); err != nil {
		return err
	}
	details, err := x.details(rule, learned.reported)
	if err != nil {
		return fmt.Errorf("writing the details: %w", err)
	}
	evaluation, err := w.parquet(ctx, x.eval)
	if err != nil {
		return err
	}
	x.run.Artifact = x.keep(learned.artifact.Data, learned.artifact.Type, 0)
	x.run.Detail = x.keep(details, typeJSON, 0)
	x.run.Evaluation = x.keep(evaluation, typeParquet, int64(len(x.eval.RowID)))
	x.ofProgram(learned)
	return nil
}

// ofProgram adds what only a run of a person's program has.
func (x *execution) ofProgram(learned *trained) {
	if x.run.Learner != learnerCommand {
		return
	}
	x.run.Artifact.Name, x.run.Sandbox, x.notes = learned.name, learned.sandbox, learned.notes
	if learned.version != "" {
		x.run.Environment = learned.version + ", " + x.run.Environment
	}
	if log := learned.told(); len(log) > 0 {
		x.run.Log = x.keep(log, typeLog, 0)
	}
	if why, none := strings.CutPrefix(learned.sandbox, "none: "); none {
		x.notes = append(x.notes, "nothing kept its program from reading the repository, labels among it: "+why)
	}
}

// details is what the run's page shows, as JSON.
func (x *execution) details(rule any, reported []record.ReportedCurve) ([]byte, error) {
	detail := evaluate.Detail(x.eval, evaluate.Options{Threshold: x.run.Threshold})
	detail.Importance, detail.Reported = x.model.importance(), reported
	first, _ := x.run.Inputs["seed"].(int64)
	var err error
	if detail.Repeats, err = evaluate.Repeats(rule, first, x.eval); err != nil {
		return nil, err
	}
	return json.Marshal(detail)
}

// keep adds a blob to what has to be stored and gives its pointer.
func (x *execution) keep(data []byte, kind string, rows int64) record.Pointer {
	b := store.Blob{Data: data, Type: kind, Rows: rows}
	x.blobs = append(x.blobs, b)
	return pointerOf(b)
}

// pointerOf names a blob before it is stored; the `git` store adds the object id.
func pointerOf(b store.Blob) record.Pointer {
	return record.Pointer{SHA256: record.Sum(b.Data), Bytes: int64(len(b.Data)), Type: b.Type, Rows: b.Rows}
}

// pointersOf are those of a run.
func pointersOf(run *record.Run) []*record.Pointer {
	return []*record.Pointer{&run.Artifact, &run.Evaluation, &run.Detail, &run.Log}
}

// located takes over what the store says about where blobs are.
func located(stored []record.Pointer, pointers ...*record.Pointer) {
	for _, p := range pointers {
		for _, s := range stored {
			if s.SHA256 == p.SHA256 {
				p.OID = s.OID
			}
		}
	}
}

// environment says where this runs; it explains a result that differs, and is no input.
func environment() string {
	return fmt.Sprintf("%s %s/%s, %d cores", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// parquet writes an evaluation as its blob.
func (w *workshop) parquet(ctx context.Context, e record.Evaluation) ([]byte, error) {
	dir, err := os.MkdirTemp(w.dir, "evaluation-") // several may be written at a time
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "evaluation.parquet")
	if err := w.db.WriteFrame(ctx, e.Frame(), path); err != nil {
		return nil, fmt.Errorf("writing the evaluation: %w", err)
	}
	return os.ReadFile(path)
}

// evaluation reads an evaluation blob. The bytes may come from anyone.
func (w *workshop) evaluation(ctx context.Context, data []byte, task string) (record.Evaluation, error) {
	file, err := os.CreateTemp(w.dir, "evaluation-*.parquet")
	if err != nil {
		return record.Evaluation{}, err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(data); err != nil {
		return record.Evaluation{}, err
	}
	if err := file.Close(); err != nil {
		return record.Evaluation{}, err
	}
	frame, err := w.db.Frame(ctx, "select * from read_parquet('"+file.Name()+"')")
	if err != nil {
		return record.Evaluation{}, fmt.Errorf("reading an evaluation: %w", err)
	}
	eval, err := record.EvaluationOf(frame)
	if err == nil && eval.Task != task {
		err = fmt.Errorf("it is of a %s task, and the model's is %s", eval.Task, task)
	}
	return eval, err
}

// load fetches a run's model and evaluation from the store. t is a tree that has the run's inputs.
func (w *workshop) load(ctx context.Context, t *Tree, run record.Run) (*execution, error) {
	x := &execution{run: run}
	encoded, err := w.p.Store.Get(ctx, run.Artifact)
	if err != nil {
		return nil, fmt.Errorf("fetching the model of run %s: %w", run.ID, err)
	}
	if x.model, err = w.scorerOf(t, run, encoded); err != nil {
		return nil, err
	}
	x.eval, err = w.stored(ctx, run)
	return x, err
}

// storedOf is stored for a run whose model can't be asked. What a person's model contradicts is refused here too.
func (w *workshop) storedOf(ctx context.Context, by seeker, run record.Run) (record.Evaluation, error) {
	var no *refusal
	if run.Actor != record.ActorCI {
		if _, err := w.vet(ctx, by, run); errors.As(err, &no) {
			return record.Evaluation{}, err
		}
	}
	return w.stored(ctx, run)
}

// stored fetches a run's evaluation alone.
func (w *workshop) stored(ctx context.Context, run record.Run) (record.Evaluation, error) {
	data, err := w.p.Store.Get(ctx, run.Evaluation)
	if err != nil {
		return record.Evaluation{}, fmt.Errorf("fetching the evaluation of run %s: %w", run.ID, err)
	}
	return w.evaluation(ctx, data, run.Task)
}
