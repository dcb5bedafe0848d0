package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Difference is two runs beside each other: plumb.comparison/v1, with what else differs.
type Difference struct {
	record.Comparison
	Changes []record.RunChange `json:"changes"`
}

// Diff compares two recorded runs by their stored predictions, and lists what else differs: parameters, features, data, code, environment. The first is the base.
func (p *Project) Diff(ctx context.Context, a, b string) (*Difference, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	base, err := p.named(v, a)
	if err != nil {
		return nil, err
	}
	head, err := p.named(v, b)
	if err != nil {
		return nil, err
	}
	if base.Model != head.Model {
		return nil, problem.Wrongf("compare two runs of one model", "run %s answers model %s, and run %s answers model %s", base.ID, base.Model, head.ID, head.Model)
	}
	t, err := p.describing(ctx, head)
	if err != nil {
		return nil, err
	}
	found, err := p.beside(ctx, t, base, head)
	if err != nil {
		return nil, err
	}
	found.Schema = "plumb.comparison/v1"
	return &Difference{Comparison: *found, Changes: p.changesOf(v, base, head)}, nil
}

// describing finds documents that describe a run's model: those here, else those of its commit, for a model that is no more.
func (p *Project) describing(ctx context.Context, run record.Run) (*Tree, error) {
	t, err := p.Working()
	if err != nil || t.Docs.Models[run.Model] != nil {
		return t, err
	}
	if commit, err := p.Repo.Find(ctx, run.Code.Commit); err == nil {
		if then, err := p.At(commit); err == nil && then.Docs.Models[run.Model] != nil {
			return then, nil
		}
	}
	return nil, problem.Wrongf("its contract says which metrics count", "models/%s.toml is not here any more, nor in the run's commit", run.Model)
}

// beside judges two runs by their stored predictions. Where those can't be had, their numbers stand beside each other without an interval.
func (p *Project) beside(ctx context.Context, t *Tree, base, head record.Run) (*record.Comparison, error) {
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	x, err := w.stored(ctx, base)
	if err != nil {
		return numbersOnly(base, head, err), nil
	}
	y, err := w.stored(ctx, head)
	if err != nil {
		return numbersOnly(base, head, err), nil
	}
	c := comparing{model: t.Docs.Models[head.Model], design: t.Docs.Design, base: sideOf(base, x), head: sideOf(head, y)}
	if base.Inputs["question"] != head.Inputs["question"] {
		c.kind, c.reason = record.NewQuestion, "the two runs answer different questions"
		return c.judgeAlone()
	}
	if e := t.Docs.Experiments[head.Experiment]; e != nil && e.HypothesisDigest() == head.Hypothesis {
		c.experiment = e
	}
	return asRecorded(c.judge())
}

// numbersOnly is a comparison of what the records say.
func numbersOnly(base, head record.Run, why error) *record.Comparison {
	reason := fmt.Sprintf("no interval: %.300s", why)
	c := &record.Comparison{Model: head.Model, Experiment: head.Experiment, Base: sideOf(base, record.Evaluation{}).Side, Head: sideOf(head, record.Evaluation{}).Side,
		Verdict: record.Inconclusive, Reason: reason, Metrics: []record.MetricDifference{}, Gates: []record.Gate{}}
	c.Inputs.Changed = changedInputs(base.Inputs, head.Inputs)
	for _, name := range metric.For(head.Task) {
		was, inBase := base.Result.Metrics[name]
		now, inHead := head.Result.Metrics[name]
		if !inBase && !inHead {
			continue
		}
		spec, _ := metric.Lookup(name)
		m := record.MetricDifference{Name: name, Unit: spec.Unit, Direction: spec.Direction, Level: "info", Verdict: record.Missing, Gate: record.GateNone, Reason: "one run has none"}
		if inBase {
			m.Base = &was
		}
		if inHead {
			m.Head = &now
		}
		if inBase && inHead {
			by := now - was
			m.Difference, m.Verdict, m.Reason = &by, record.Inconclusive, reason
		}
		c.Metrics = append(c.Metrics, m)
	}
	return c
}

// changesOf lists what differs between two runs, from their records and, where this clone has them, the snapshots and commits that they name.
func (p *Project) changesOf(v *ledger.View, base, head record.Run) []record.RunChange {
	out := []record.RunChange{}
	add := func(kind, name, was, now, detail string) {
		if was != now {
			out = append(out, record.RunChange{Kind: kind, Name: name, Was: was, Now: now, Detail: detail})
		}
	}
	add("learner", "learner", base.Learner, head.Learner, "")
	for _, name := range slices.Sorted(maps.Keys(union(base.Params, head.Params))) {
		add("params", name, paramText(base, name), paramText(head, name), "")
	}
	gone, fresh := lacking(base.Features, head.Features), lacking(head.Features, base.Features)
	for _, f := range gone {
		add("features", f, "used", "", "")
	}
	for _, f := range fresh {
		add("features", f, "", "used", "")
	}
	for _, name := range changedInputs(base.Inputs, head.Inputs) {
		was, now := inputText(base.Inputs[name]), inputText(head.Inputs[name])
		switch {
		case name == "dataset":
			add("data", name, was, now, dataDetail(v, base, head))
		case strings.HasPrefix(name, "feature."):
			add("features", name, was, now, "the view's definition or its data")
		case name == "experiment":
			// said by parameters, features and learner
		default:
			add(map[string]string{"environment": "environment", "code": "code"}[name], name, was, now, "")
		}
	}
	for i := range out {
		out[i].Kind = cmp.Or(out[i].Kind, "question")
	}
	add("code", "commit", committed(base), committed(head), p.filesBetween(base.Code.Commit, head.Code.Commit))
	add("environment", "program", base.By.Program, head.By.Program, "")
	add("environment", "machine", base.Environment, head.Environment, "")
	add("environment", "sandbox", base.Sandbox, head.Sandbox, "")
	return out
}

// paramText is a parameter of a run, or what its learner takes when nobody says.
func paramText(run record.Run, name string) string {
	if v, ok := run.Params[name]; ok {
		return fmt.Sprint(v)
	}
	if d := learn.Default(run.Learner, name); d != "" {
		return d + " (default)"
	}
	return ""
}

// lacking lists what is in one list and not in the other.
func lacking(in, notIn []string) []string {
	return slices.DeleteFunc(slices.Clone(in), func(s string) bool { return slices.Contains(notIn, s) })
}

func committed(run record.Run) string {
	text := short(run.Code.Commit)
	if run.Code.Dirty {
		text += " and changes that were not committed"
	}
	return text
}

// dataDetail says what is known of two contents: rows where a snapshot is recorded, and how the rows of the runs were divided.
func dataDetail(v *ledger.View, base, head record.Run) string {
	rows := func(run record.Run) string {
		for _, s := range v.Snapshots() {
			if any(s.Content) == run.Inputs["dataset"] {
				return fmt.Sprintf("%d rows in %s of %s", s.Rows, countOf(s.Files, "file"), s.Dataset)
			}
		}
		n := run.Rows
		return fmt.Sprintf("%d rows", n.Train+n.Valid+n.Test+n.NoLabel+n.LeftOut)
	}
	return rows(base) + " → " + rows(head)
}

// filesBetween names the files of the project in which two commits differ; "" where this clone can't say.
func (p *Project) filesBetween(from, to string) string {
	if from == "" || to == "" || from == to || !p.Repo.Has(from) || !p.Repo.Has(to) {
		return ""
	}
	changes, err := p.Repo.Changes(from, to)
	if err != nil {
		return ""
	}
	var names []string
	for _, c := range changes {
		name := c.Path
		if p.Prefix != "." {
			var inside bool
			if name, inside = strings.CutPrefix(name, p.Prefix+"/"); !inside {
				continue
			}
		}
		names = append(names, name)
	}
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more files", list(names[:most]), len(names)-most)
	}
	return list(names)
}
