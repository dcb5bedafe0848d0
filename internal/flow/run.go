package flow

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// RunOptions say what `plumb run` does.
type RunOptions struct {
	Experiment string            // "" when the project has one only
	Set        map[string]string // --set key=value
	Force      bool              // run again though the ledger has a run with these inputs
	DryRun     bool              // say what would run
	Save       string            // the experiment to write what Set says to; "" writes nothing
}

// RunResult is what came of it.
type RunResult struct {
	Run        record.Run
	Cached     bool                  // the ledger had it
	Made       bool                  // false with DryRun and nothing cached
	Why        string                // why it ran, or did not
	Notes      []string              // what the reader should know, as a hypothesis that changed after the run
	Seeds      []record.RepeatDetail // of a run with repeats: what each seed reached
	Bounds     []record.Requirement  // of the design card, held against the run
	Comparison *record.Comparison    // against the champion's run, when there is one on the same rows
	Saved      string                // the document that was written
}

// Run executes an experiment of the working folder, unless the ledger has a run with the same inputs, and records it privately.
func (p *Project) Run(ctx context.Context, o RunOptions) (*RunResult, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if err := t.sound(); err != nil {
		return nil, err
	}
	if o.Experiment, err = t.theExperiment(o.Experiment); err != nil {
		return nil, err
	}
	if o.Save != "" {
		if err := t.saveable(o.Experiment, o.Save); err != nil {
			return nil, err
		}
	}
	if len(o.Set) > 0 {
		if t.Docs, err = t.Docs.WithSet(o.Experiment, o.Set); err != nil {
			return nil, err
		}
		if err := wrongParams(t.Docs, t.Docs.Experiments[o.Experiment]); err != nil {
			return nil, err
		}
		t.Dirty = true
	}
	key, err := digestOf(t.Docs, o.Experiment)
	if err != nil {
		return nil, err
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	result := &RunResult{Why: fmt.Sprintf("%s would run: no run has the inputs %s", o.Experiment, shortDigest(key))}
	hits := countingFirst(v.RunsByInputs(key))
	switch {
	case len(hits) > 0 && !o.Force:
		result, err = p.cached(ctx, t, v, hits[0])
	case !o.DryRun:
		result, err = p.execute(ctx, t, v, o)
	}
	if err != nil {
		return nil, err
	}
	if result.Cached || result.Made {
		result.Bounds = evaluate.Requirements(t.Docs.Design, &result.Run)
	}
	result.Notes = append(result.Notes, p.movedData(ctx, t, o.Experiment)...)
	if o.Save != "" && !o.DryRun {
		result.Saved, err = p.save(variant{experiment: o.Experiment, name: o.Save, set: settings(t.Docs.Experiments[o.Experiment], o.Set), inputs: key,
			found: "What `plumb run " + o.Experiment + " --set …` tried."})
	}
	return result, err
}

// countingFirst puts runs of commits before attempts, which have the same inputs and the same result, but count for nobody else.
func countingFirst(runs []record.Run) []record.Run {
	slices.SortStableFunc(runs, func(a, b record.Run) int {
		switch {
		case attempt(a) == attempt(b):
			return 0
		case attempt(a):
			return 1
		}
		return -1
	})
	return runs
}

// movedData says which data of an experiment is no longer what is pinned: a run is of the pinned rows, which who just edited a file may not expect.
func (p *Project) movedData(ctx context.Context, t *Tree, experiment string) []string {
	var notes []string
	for _, id := range union2(datasetsOf(t.Docs, experiment), nil) {
		state, why, err := dataset.State(ctx, p.Root, t.Docs.Datasets[id], t.Docs.Locks[id])
		if err != nil {
			state, why = dataset.Broken, err.Error()
		}
		if state != dataset.Current {
			notes = append(notes, fmt.Sprintf("this is of the rows as pinned; dataset %s is %s: %s", id, state, why))
		}
	}
	return notes
}

// execute runs and records.
func (p *Project) execute(ctx context.Context, t *Tree, v *ledger.View, o RunOptions) (*RunResult, error) {
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	x, err := w.execute(ctx, t, o.Experiment)
	if err != nil {
		return nil, err
	}
	if len(o.Set) > 0 {
		x.run.Set = map[string]any{}
		for k, value := range o.Set {
			x.run.Set[k] = value
		}
	}
	result := &RunResult{Run: x.run, Made: true, Why: "no run had these inputs"}
	if hits := v.RunsByInputs(x.run.Inputs.Key()); len(hits) > 0 {
		result.Why = "run again because of --force"
		if hits[0].Result.Digest != x.run.Result.Digest {
			result.Notes = append(result.Notes, fmt.Sprintf("the result differs from that of run %s with the same inputs (made with %s)", hits[0].ID, hits[0].Environment))
		}
	}
	p.progress("%s: storing the model and the evaluation", o.Experiment)
	stored, err := p.Store.Put(ctx, x.blobs)
	if err != nil {
		return nil, fmt.Errorf("storing the run: %w", err)
	}
	located(stored, pointersOf(&x.run)...)
	p.progress("%s: recording the run", o.Experiment)
	if result.Run.ID, err = p.recordPrivately(ctx, x.run); err != nil {
		return nil, err
	}
	x.run.ID = result.Run.ID
	result.Notes = append(append(result.Notes, x.notes...), tooGood(x)...)
	return result, w.reflect(ctx, t, reflected{v, x}, result)
}

func (p *Project) recordPrivately(ctx context.Context, run record.Run) (string, error) {
	name, data, err := record.Encode(run)
	if err != nil {
		return "", fmt.Errorf("writing the record: %w", err)
	}
	if err := p.Ledger.AppendPrivate(ctx, []ledger.File{{Path: name, Data: data}}); err != nil {
		return "", fmt.Errorf("recording the run: %w", err)
	}
	return idOf(name), nil
}

// cached answers from the ledger and says what changed beside the inputs.
func (p *Project) cached(ctx context.Context, t *Tree, v *ledger.View, run record.Run) (*RunResult, error) {
	r := &RunResult{Run: run, Cached: true, Why: fmt.Sprintf("run %s has the same inputs", run.ID)}
	r.Notes = hypothesisNotes(t, run)
	if !t.Dirty && attempt(run) {
		r.Notes = append(r.Notes, fmt.Sprintf("CI will not take run %s for this commit: it was made with --set, or from files that no commit had. `plumb run %s --force` makes one that counts",
			run.ID, run.Experiment))
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	eval, err := w.stored(ctx, run)
	if err != nil { // the record is there and the blob is not: the numbers still stand
		r.Notes = append(r.Notes, "its evaluation can't be read: "+err.Error())
		return r, nil
	}
	return r, w.reflect(ctx, t, reflected{v, &execution{run: run, eval: eval}}, r)
}

// reflected is an execution and what is recorded beside it.
type reflected struct {
	view *ledger.View
	*execution
}

// reflect adds what an execution says about itself and against the champion.
func (w *workshop) reflect(ctx context.Context, t *Tree, x reflected, r *RunResult) (err error) {
	first, _ := x.run.Inputs["seed"].(int64)
	if r.Seeds, err = evaluate.Repeats(t.Docs.Models[x.run.Model].Question.Threshold, first, x.eval); err != nil {
		return err
	}
	r.Comparison, err = w.againstChampion(ctx, t, x.view, x.execution)
	return err
}

// hypothesisNotes says when what was claimed is not what was claimed before the run.
func hypothesisNotes(t *Tree, run record.Run) []string {
	e := t.Docs.Experiments[run.Experiment]
	if e == nil || run.Hypothesis == "" || e.HypothesisDigest() == run.Hypothesis {
		return nil
	}
	return []string{fmt.Sprintf("the hypothesis of %s was changed after run %s was made", run.Experiment, run.ID)}
}

// againstChampion compares an execution with the champion's newest run on the same rows; nil when there is none.
func (w *workshop) againstChampion(ctx context.Context, t *Tree, v *ledger.View, x *execution) (*record.Comparison, error) {
	champion := t.Docs.Models[x.run.Model].Champion
	if champion == "" || champion == x.run.Experiment && len(x.run.Set) == 0 {
		return nil, nil
	}
	written, err := w.p.Working() // a try with --set is compared with the champion as its documents are
	if err != nil {
		return nil, err
	}
	key, err := digestOf(written.Docs, champion)
	if err != nil || key == x.run.Inputs.Key() {
		return nil, err
	}
	runs := countingFirst(v.RunsByInputs(key))
	if len(runs) == 0 {
		return nil, nil
	}
	base, err := w.stored(ctx, runs[0])
	if err != nil {
		return nil, nil // a comparison is a courtesy here; `plumb diff` says why it can't be had
	}
	c := comparing{model: t.Docs.Models[x.run.Model], design: t.Docs.Design, experiment: t.Docs.Experiments[x.run.Experiment],
		base: sideOf(runs[0], base), head: sideOf(x.run, x.eval)}
	return asRecorded(c.judge())
}

// asRecorded takes from a comparison of two records what is said of a review only: nobody tried to run the base again, and no CI scored the head.
func asRecorded(c *record.Comparison, err error) (*record.Comparison, error) {
	if err != nil {
		return nil, err
	}
	if c.Head.Who = ""; c.Method == storedBy {
		c.Method = ""
	}
	return c, nil
}

// What is hardly ever reached by honest work on tabular data.
const (
	tooGoodAUC  = 0.999
	tooGoodR2   = 0.999
	tooGoodOf   = 0.999 // the accuracy of several classes
	tooGoodRows = 200   // a few rows of classes that lie apart are all right by themselves
)

// tooGood wonders at a result that is next to perfect: most often a column holds the answer.
func tooGood(x *execution) []string {
	limits := map[string]struct {
		metric string
		least  float64
		rows   int
	}{record.TaskBinary: {"auc", tooGoodAUC, 0}, record.TaskRegression: {"r2", tooGoodR2, 0}, record.TaskMulticlass: {"accuracy", tooGoodOf, tooGoodRows}}
	limit := limits[x.run.Task]
	name, value := brief.Label(limit.metric), x.run.Result.Metrics[limit.metric]
	if value < limit.least || x.run.Rows.Test < limit.rows {
		return nil
	}
	top, most, sum := "", 0.0, 0.0
	importance := x.model.importance()
	for _, f := range keys(importance) {
		sum += importance[f]
		if importance[f] > most {
			top, most = f, importance[f]
		}
	}
	said := fmt.Sprintf("%s %.3f is next to perfect: look whether a column holds the answer, or is known only after it", name, value)
	if sum > 0 {
		said += fmt.Sprintf(" (%s has %.0f %% of the importance)", top, 100*most/sum)
	}
	return []string{said}
}

// theExperiment is the one that is meant: the named one, the only one, or the champion of the only model.
func (t *Tree) theExperiment(name string) (string, error) {
	if name != "" {
		if t.Docs.Experiments[name] == nil {
			return "", problem.Wrongf("there are: "+list(keys(t.Docs.Experiments)), "there is no experiments/%s.toml", name)
		}
		return name, nil
	}
	names := keys(t.Docs.Experiments)
	switch len(names) {
	case 0:
		return "", problem.Wrongf("`plumb init --data FILE --label COLUMN` writes a first one", "the project has no experiments")
	case 1:
		return names[0], nil
	}
	if models := keys(t.Docs.Models); len(models) == 1 && t.Docs.Experiments[t.Docs.Models[models[0]].Champion] != nil {
		return t.Docs.Models[models[0]].Champion, nil // of one model, what it serves is meant
	}
	return "", problem.Wrongf("name one of them", "which experiment? there are %s", list(names))
}

// idOf is the id in a record's path.
func idOf(recordPath string) string { return strings.TrimSuffix(path.Base(recordPath), ".toml") }

func shortDigest(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}
