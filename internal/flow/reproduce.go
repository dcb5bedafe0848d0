package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// ReproduceOptions say what `plumb reproduce` does.
type ReproduceOptions struct {
	Run       string  // as FindRun takes it
	Tolerance float64 // the largest difference of a metric or a score that is no difference; negative: that of the learner
	Private   bool    // keep no record
	DryRun    bool    // find everything that it takes, run nothing
}

// The tolerances that hold where nobody says one. Built-in learners give the same bytes; of a command the seed is told and no more is known.
const (
	builtinTolerance = 0
	commandTolerance = 1e-6
)

// reproducing is the state of a reproduction.
type reproducing struct {
	p     *Project
	o     ReproduceOptions
	was   record.Run
	path  string // of its record
	tree  *Tree
	shop  *workshop
	again *execution
	out   record.Reproduced
}

// onReproduce is what it takes. Nothing is checked out: documents and code are read from the commit's objects, data by their digests from wherever they are.
var onReproduce = []step[*reproducing]{
	{"find run", (*reproducing).find},
	{"find documents", (*reproducing).documents}, // that give the run's inputs
	{"run again", (*reproducing).run},
	{"compare", (*reproducing).compare},
	{"record", (*reproducing).record},
}

// Reproduce makes a recorded run again, compares, and records what came of it.
func (p *Project) Reproduce(ctx context.Context, o ReproduceOptions) (*record.Reproduced, error) {
	r := &reproducing{p: p, o: o}
	r.out = record.Reproduced{Schema: "plumb.reproduce/v1", Metrics: []record.MetricAgain{}, Notes: []string{}}
	defer func() {
		if r.shop != nil {
			r.shop.close()
		}
	}()
	if _, err := walk(ctx, p, onReproduce, r); err != nil {
		return nil, err
	}
	return &r.out, nil
}

func (r *reproducing) find(ctx context.Context) (string, error) {
	v, err := r.p.view(ctx)
	if err != nil {
		return "", err
	}
	if r.was, err = r.p.named(v, r.o.Run); err != nil {
		return "", err
	}
	r.path = v.PathOf(r.was.ID)
	if r.was.Status != "ok" {
		return "", problem.Wrongf("`plumb runs` lists those that went well", "run %s %s: there is no result to compare with", r.was.ID, r.was.Status)
	}
	r.out.Run, r.out.Experiment, r.out.Commit = r.was.ID, r.was.Experiment, r.was.Code.Commit
	r.out.EnvironmentWas, r.out.Environment = r.was.Environment, environment()
	if r.out.Tolerance = r.o.Tolerance; r.o.Tolerance < 0 {
		r.out.Tolerance = builtinTolerance
		if r.was.Learner == "command" {
			r.out.Tolerance = commandTolerance
		}
	}
	return r.was.ID, nil
}

// documents finds the documents that give the run's inputs: those of its commit, with what --set changed; of a run that was made before its documents were
// committed, those that lie here, when they are the same.
func (r *reproducing) documents(ctx context.Context) (string, error) {
	var why []string
	for _, from := range []struct {
		name string
		load func() (*Tree, error)
	}{
		{"commit " + short(r.was.Code.Commit), func() (*Tree, error) { return r.committed(ctx) }},
		{"the working folder", r.p.Working},
	} {
		t, err := from.load()
		if err == nil {
			err = r.fits(t)
		}
		if err == nil {
			r.tree = t
			return from.name, nil
		}
		why = append(why, fmt.Sprintf("%s: %v", from.name, err))
	}
	hint := "a shallow clone may need `git fetch --unshallow`"
	if r.was.Code.Dirty {
		hint = "it was made of documents that were not committed; who made it can commit them and run it again"
	}
	return "", problem.Failedf(hint, "the inputs of run %s can't be had: %s; %s", r.was.ID, why[0], why[1])
}

func (r *reproducing) committed(ctx context.Context) (*Tree, error) {
	if r.was.Code.Commit == "" {
		return nil, fmt.Errorf("the run names none")
	}
	commit, err := r.p.Repo.Find(ctx, r.was.Code.Commit)
	if err != nil {
		return nil, err
	}
	return r.p.At(commit)
}

// fits says whether a tree's documents give the inputs that the run had. The program's own part of them, code of built-in learners and semantics, may be newer.
func (r *reproducing) fits(t *Tree) error {
	if err := t.sound(); err != nil {
		return err
	}
	if t.Docs.Experiments[r.was.Experiment] == nil {
		return fmt.Errorf("there is no experiments/%s.toml", r.was.Experiment)
	}
	if len(r.was.Set) > 0 {
		set := map[string]string{}
		for key, value := range r.was.Set {
			set[key] = fmt.Sprint(value)
		}
		var err error
		if t.Docs, err = t.Docs.WithSet(r.was.Experiment, set); err != nil {
			return err
		}
	}
	in, err := inputs(t.Docs, r.was.Experiment)
	if err != nil {
		return err
	}
	changed := changedInputs(r.was.Inputs, in)
	others := slices.DeleteFunc(slices.Clone(changed), func(name string) bool {
		return r.was.Learner != "command" && name == "code" || name == "semantics"
	})
	if len(others) > 0 {
		return fmt.Errorf("another %s", list(others))
	}
	if len(changed) > 0 {
		r.note("this program's %s is another than that which made the run (%s): the same result is not to be expected", list(changed), r.was.By.Program)
	}
	return nil
}

func (r *reproducing) note(format string, args ...any) {
	r.out.Notes = append(r.out.Notes, fmt.Sprintf(format, args...))
}

func (r *reproducing) run(ctx context.Context) (string, error) {
	var err error
	if r.shop, err = r.p.workshop(ctx, r.tree.Docs.Project); err != nil {
		return "", err
	}
	if r.o.DryRun {
		r.out.Outcome = record.NotRun
		_, err := r.shop.data(ctx, r.tree, datasetsOf(r.tree.Docs, r.was.Experiment)...)
		if err != nil {
			return "", err
		}
		return "", skip("--dry-run: documents and data are there")
	}
	start := time.Now()
	if r.again, err = r.shop.execute(ctx, r.tree, r.was.Experiment); err != nil {
		return "", err
	}
	r.out.Seconds = time.Since(start).Seconds()
	return fmt.Sprintf("%.1f s", r.out.Seconds), nil
}

// compare holds the new result against the recorded one: digest by digest, then number by number.
func (r *reproducing) compare(ctx context.Context) (string, error) {
	if r.again == nil {
		return "", skip("nothing was run")
	}
	was, now := r.was.Result, r.again.run.Result
	r.out.Identical = was.Digest == now.Digest
	r.compareMetrics("test", was.Metrics, now.Metrics)
	r.compareMetrics("valid", was.Valid, now.Valid)
	r.out.SamePredictions = was.Predictions == now.Predictions
	if !r.out.SamePredictions {
		r.compareScores(ctx)
	}
	within := r.out.SamePredictions || r.out.Scores != nil && *r.out.Scores <= r.out.Tolerance
	for _, m := range r.out.Metrics {
		within = within && m.Within
	}
	switch {
	case r.out.Identical:
		r.out.Outcome = record.Identical
	case within:
		r.out.Outcome = record.Within
	default:
		r.out.Outcome, r.out.Exit = record.Differs, problem.ExitNo
	}
	if !r.out.Identical && r.was.Environment != r.again.run.Environment {
		r.note("the run was made with %s, and this is %s", cmp.Or(r.was.Environment, "an unknown environment"), environment())
	}
	return r.out.Outcome, nil
}

// compareMetrics compares the metrics that were recorded; a newer program may know more.
func (r *reproducing) compareMetrics(part string, was, now map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		m := record.MetricAgain{Name: name, Part: part, Was: was[name]}
		if again, ok := now[name]; ok {
			m.Now = &again
			m.Within = math.Abs(again-was[name]) <= r.out.Tolerance
		}
		r.out.Metrics = append(r.out.Metrics, m)
	}
}

// compareScores finds the largest difference of a score, from the stored evaluation.
func (r *reproducing) compareScores(ctx context.Context) {
	stored, err := r.shop.stored(ctx, r.was)
	if err != nil {
		r.note("the predictions are others; by how much can't be said: %v", err)
		return
	}
	again := r.again.eval
	then, now := slices.Concat(append([][][]float64{stored.Scores}, stored.Repeats...)...), slices.Concat(append([][][]float64{again.Scores}, again.Repeats...)...)
	if !slices.Equal(stored.RowID, again.RowID) || len(then) != len(now) {
		r.note("the predictions are of other rows or seeds: %d rows then, %d now", len(stored.RowID), len(again.RowID))
		return
	}
	most := 0.0
	for c := range then {
		for i, s := range then[c] {
			most = max(most, math.Abs(s-now[c][i])) // NaN stays NaN, and is within nothing
		}
	}
	if !math.IsNaN(most) && !math.IsInf(most, 0) {
		r.out.Scores = &most
	}
}

// record keeps what came of it: a decision, since it is a fact about a run and no run. It names the run's record and says how far the numbers are apart.
func (r *reproducing) record(ctx context.Context) (string, error) {
	switch {
	case r.again == nil:
		return "", skip("nothing was run")
	case r.o.Private:
		return "", skip("--no-record")
	}
	most := 0.0
	for _, m := range r.out.Metrics {
		if m.Now != nil {
			most = max(most, math.Abs(*m.Now-m.Was))
		}
	}
	d := record.Decision{Header: r.p.header(record.KindDecision, r.tree), Choice: record.ReproducedRun, Reason: reproducedSentence(r.out),
		Run: r.path, Reproduction: &record.Reproduction{Outcome: r.out.Outcome, Tolerance: r.out.Tolerance, Metrics: most, Scores: r.out.Scores,
			Environment: r.out.Environment, Seconds: r.out.Seconds}}
	path, data, err := record.Encode(d)
	if err != nil {
		return "", fmt.Errorf("writing the record: %w", err)
	}
	if err := r.p.Ledger.AppendPrivate(ctx, []ledger.File{{Path: path, Data: data}}); err != nil {
		return "", fmt.Errorf("recording the reproduction: %w", err)
	}
	r.out.Record = path
	return path, nil
}

// reproducedSentence says what came of it.
func reproducedSentence(out record.Reproduced) string {
	switch out.Outcome {
	case record.Identical:
		return "made again with the very same result"
	case record.Within:
		return fmt.Sprintf("made again, every metric and score within %g", out.Tolerance)
	}
	n := 0
	for _, m := range out.Metrics {
		if !m.Within {
			n++
		}
	}
	return fmt.Sprintf("made again with another result: %d of %d metrics differ by more than %g", n, len(out.Metrics), out.Tolerance)
}
