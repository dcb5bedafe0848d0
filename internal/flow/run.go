package flow

import (
	"context"
	"fmt"
	"path"
	"strings"

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
}

// RunResult is what came of it.
type RunResult struct {
	Run        record.Run
	Cached     bool               // the ledger had it
	Made       bool               // false with DryRun and nothing cached
	Why        string             // why it ran, or did not
	Notes      []string           // what the reader should know, as a hypothesis that changed after the run
	Comparison *record.Comparison // against the champion's run, when there is one on the same rows
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
	if len(o.Set) > 0 {
		if t.Docs, err = t.Docs.WithSet(o.Experiment, o.Set); err != nil {
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
	hits := v.RunsByInputs(key)
	if len(hits) > 0 && !o.Force {
		return p.cached(ctx, t, v, hits[0])
	}
	if o.DryRun {
		return &RunResult{Why: fmt.Sprintf("%s would run: no run has the inputs %s", o.Experiment, shortDigest(key))}, nil
	}
	return p.execute(ctx, t, v, o)
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
	located(stored, &x.run.Artifact, &x.run.Evaluation, &x.run.Detail)
	p.progress("%s: recording the run", o.Experiment)
	if result.Run.ID, err = p.recordPrivately(ctx, x.run); err != nil {
		return nil, err
	}
	x.run.ID = result.Run.ID
	result.Comparison, err = w.againstChampion(ctx, t, v, x)
	return result, err
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
	r.Comparison, err = w.againstChampion(ctx, t, v, &execution{run: run, eval: eval})
	return r, err
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
	key, err := digestOf(t.Docs, champion)
	if err != nil || key == x.run.Inputs.Key() {
		return nil, err
	}
	runs := v.RunsByInputs(key)
	if len(runs) == 0 {
		return nil, nil
	}
	base, err := w.stored(ctx, runs[0])
	if err != nil {
		return nil, nil // a comparison is a courtesy here; `plumb diff` says why it can't be had
	}
	c := comparing{model: t.Docs.Models[x.run.Model], design: t.Docs.Design, experiment: t.Docs.Experiments[x.run.Experiment],
		base: sideOf(runs[0], base), head: sideOf(x.run, x.eval)}
	return c.judge()
}

// theExperiment is the one that is meant: the named one, or the only one.
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
	return "", problem.Wrongf("plumb run "+names[0], "which experiment? there are %s", list(names))
}

// idOf is the id in a record's path.
func idOf(recordPath string) string { return strings.TrimSuffix(path.Base(recordPath), ".toml") }

func shortDigest(d string) string {
	if len(d) > 19 {
		return d[:19]
	}
	return d
}
