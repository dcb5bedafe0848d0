package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// register is the registry as this clone knows it: the ledger's records and the tags here.
type register struct {
	p      *Project
	view   *ledger.View
	source registry.Source
	events []record.ModelEvent
	terms  []registry.Term
}

// register reads the registry.
func (p *Project) register(ctx context.Context) (*register, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	r := &register{p: p, view: v}
	if r.source, err = p.registrySource(v); err != nil {
		return nil, err
	}
	r.source.Off = disownedRecords(v)
	tags, err := p.Repo.Tags(registry.IsTag)
	if err != nil {
		return nil, fmt.Errorf("reading the registry's tags: %w", err)
	}
	for _, t := range tags {
		r.source.Tags = append(r.source.Tags, registry.Tag{Name: t.Name, Commit: t.Commit, Author: t.Author.Name, Email: t.Author.Email, Time: t.Time.UTC(), Message: t.Message})
	}
	r.events = r.source.History()
	r.terms = registry.Terms(r.events)
	return r, nil
}

// registrySource is what the ledger alone tells.
func (p *Project) registrySource(v *ledger.View) (registry.Source, error) {
	s := registry.Source{Prefix: p.Prefix, Versions: v.Versions(""), Stages: v.Stages("", ""), Sums: map[string]string{}, Disowned: v.WhyDisowned()}
	var paths []string
	for _, version := range s.Versions {
		paths = append(paths, registry.VersionPath(version))
	}
	for _, stage := range s.Stages {
		paths = append(paths, registry.StagePath(stage))
	}
	for _, path := range paths {
		data, err := v.Bytes(path)
		if err != nil {
			return s, err
		}
		s.Sums[path] = record.Sum(data)
	}
	return s, nil
}

// artifact is the name that events know a model by.
func (r *register) artifact(model string) string { return registry.Artifact(r.p.Prefix, model) }

// names lists the models: those of documents and records by their ids, those of tags alone by the name in the tag.
func (r *register) names(t *Tree) []string {
	names := map[string]bool{}
	known := map[string]bool{}
	add := func(model string) { names[model], known[r.artifact(model)] = true, true }
	for id := range t.Docs.Models {
		add(id)
	}
	for _, v := range r.source.Versions {
		add(v.Model)
	}
	for _, s := range r.source.Stages {
		add(s.Model)
	}
	for _, e := range r.events { // a record that was disowned makes no model
		if !known[e.Model] && (e.Counted || e.Source == record.SourceTag) {
			names[e.Model] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// find gives the name by which a model's events are known, or says which models there are.
func (r *register) find(t *Tree, model string) (string, error) {
	names := r.names(t)
	if slices.Contains(names, model) {
		return cmp.Or(r.byID(t, model), model), nil
	}
	hint := "there are: " + list(names)
	if near := problem.Nearest(model, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(names) == 0 {
		hint = "there are none; a file in models/ describes one"
	}
	return "", problem.Wrongf(hint, "there is no model %q", model)
}

// byID is the artifact of a model of this project; "" for one that only tags know.
func (r *register) byID(t *Tree, model string) string {
	isModel := t.Docs.Models[model] != nil ||
		slices.ContainsFunc(r.source.Versions, func(v record.Version) bool { return v.Model == model }) ||
		slices.ContainsFunc(r.source.Stages, func(s record.Stage) bool { return s.Model == model })
	if !isModel {
		return ""
	}
	return r.artifact(model)
}

// Models lists the models: champions, versions, and what each stage holds.
func (p *Project) Models(ctx context.Context) (*record.Models, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	r, err := p.register(ctx)
	if err != nil {
		return nil, err
	}
	out := &record.Models{Schema: "plumb.models/v1", Ledger: r.view.Tip, Models: []record.ModelSummary{}}
	state := registry.After(r.events)
	for _, name := range r.names(t) {
		out.Models = append(out.Models, r.summary(t, state, name))
	}
	return out, nil
}

func (r *register) summary(t *Tree, state registry.State, model string) record.ModelSummary {
	artifact := cmp.Or(r.byID(t, model), model)
	out := record.ModelSummary{Model: model, Stages: []record.ModelStage{}, Active: true}
	if m := t.Docs.Models[model]; m != nil {
		out.Task, out.Champion, out.Pin = m.Task, m.Champion, m.Version
		out.Waiting = r.waiting(t, model)
	}
	if m := state[artifact]; m != nil {
		out.Active = m.Active
		for _, v := range m.Versions {
			if v.Registered != nil && v.Active {
				out.Versions++
			}
		}
		if latest := m.Latest(); latest != "" {
			out.Latest = &latest
		}
	}
	for _, term := range r.terms {
		if term.Assignment.Model == artifact && term.Until == nil {
			out.Stages = append(out.Stages, r.held(term))
		}
	}
	return out
}

// waiting says why the next push stages a model's champion; "" when it does not, or when the documents can't say.
func (r *register) waiting(t *Tree, model string) string {
	m := t.Docs.Models[model]
	if m.Champion == "" || t.Docs.Problems.Errors() > 0 {
		return ""
	}
	key, err := digestOf(t.Docs, m.Champion)
	if err != nil {
		return ""
	}
	return owed(r.view, pending{model: model, experiment: m.Champion, digest: key, pin: m.Version})
}

// held describes a term as people ask for it.
func (r *register) held(term registry.Term) record.ModelStage {
	e := term.Assignment
	out := record.ModelStage{Model: e.Model, Stage: *e.Stage, Version: *e.Version, Number: e.Number, Commit: e.Commit, Since: term.Since.UTC(), Until: term.Until,
		Who: e.Author, Source: e.Source, Record: e.Record, Ref: e.Ref}
	for _, s := range r.source.Stages {
		if registry.StagePath(s) != e.Record {
			continue
		}
		out.Model, out.Why, out.Run, out.Disowned = s.Model, s.Why, idOf(s.Run), r.source.Disowned[versionPath(s.Model, s.Version)]
		for _, v := range r.view.Versions(s.Model) {
			if v.Number == s.Version {
				out.Experiment, out.Run = v.Experiment, idOf(v.Run)
			}
		}
	}
	return out
}

// ShowModel gives a model's versions, the newest first.
func (p *Project) ShowModel(ctx context.Context, model string) (*record.ModelShown, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	r, err := p.register(ctx)
	if err != nil {
		return nil, err
	}
	artifact, err := r.find(t, model)
	if err != nil {
		return nil, err
	}
	state := registry.After(r.events)
	out := &record.ModelShown{Schema: "plumb.model/v1", ModelSummary: r.summary(t, state, model), VersionList: []record.ModelVersion{}}
	m := state[artifact]
	if m == nil {
		return out, nil
	}
	stages := map[string][]string{}
	for stage, e := range m.Stages() {
		stages[*e.Version] = append(stages[*e.Version], stage)
	}
	for _, name := range registry.NewestFirst(slices.Collect(maps.Keys(m.Versions))) {
		if v := m.Versions[name]; v.Registered != nil {
			slices.Sort(stages[name])
			out.VersionList = append(out.VersionList, r.version(v, stages[name]))
		}
	}
	return out, nil
}

func (r *register) version(v *registry.VersionState, stages []string) record.ModelVersion {
	e := *v.Registered
	out := record.ModelVersion{Version: *e.Version, Number: e.Number, Commit: e.Commit, Time: e.Time.UTC(), Who: e.Author, WhoEmail: e.AuthorEmail, Message: e.Message,
		Active: v.Active, Stages: append([]string{}, stages...), Source: e.Source, Record: e.Record, Ref: e.Ref, Metrics: map[string]float64{}}
	for _, had := range r.source.Versions {
		if registry.VersionPath(had) != e.Record {
			continue
		}
		out.Experiment, out.Run, out.Artifact = had.Experiment, idOf(had.Run), &had.Artifact
		if run, err := runAt(r.view, had.Run); err == nil {
			out.Metrics = run.Result.Metrics
		}
	}
	return out
}

// runAt reads one run by its path, without decoding the others.
func runAt(v *ledger.View, path string) (record.Run, error) {
	data, err := v.Bytes(path)
	if err != nil {
		return record.Run{}, err
	}
	r, err := record.Decode(path, data)
	if err != nil {
		return record.Run{}, err
	}
	run, ok := r.(*record.Run)
	if !ok {
		return record.Run{}, fmt.Errorf("%s is no run", path)
	}
	return *run, nil
}
