package flow

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// ModelHistory lists what happened to a model, or to all for "", the newest first.
func (p *Project) ModelHistory(ctx context.Context, model string) (*record.ModelHistory, error) {
	r, err := p.register(ctx)
	if err != nil {
		return nil, err
	}
	out := &record.ModelHistory{Schema: "plumb.model_history/v1", Model: model, Events: slices.Clone(r.events)}
	if model != "" {
		t, err := p.Working()
		if err != nil {
			return nil, err
		}
		artifact, err := r.find(t, model)
		if err != nil {
			return nil, err
		}
		out.Events = slices.DeleteFunc(out.Events, func(e record.ModelEvent) bool { return e.Model != artifact })
	}
	slices.Reverse(out.Events)
	if out.Events == nil {
		out.Events = []record.ModelEvent{}
	}
	return out, nil
}

// ModelsAt says what each stage held at a time, on a day, or at a commit of the intent branch. It follows from records (and, where the ledger has none, from
// tags) alone: documents and the working folder play no part.
func (p *Project) ModelsAt(ctx context.Context, when, model string) (*record.ModelsAt, error) {
	r, err := p.register(ctx)
	if err != nil {
		return nil, err
	}
	out := &record.ModelsAt{Schema: "plumb.models_at/v1", Asked: when, Held: []record.ModelStage{}, Disowned: []record.ModelStage{}}
	terms, served := r.terms, r.source.Served()
	if from, to, ok := span(when); ok {
		out.From, out.To = &from, &to
		terms = slices.DeleteFunc(slices.Clone(terms), func(t registry.Term) bool { return !t.During(from, to) })
		served = slices.DeleteFunc(served, func(t registry.Term) bool { return !t.During(from, to) })
	} else if out.Commit, terms, served, err = r.atCommit(ctx, when); err != nil {
		return nil, err
	}
	artifact := ""
	if model != "" {
		t, err := p.Working()
		if err != nil {
			return nil, err
		}
		if artifact, err = r.find(t, model); err != nil {
			return nil, err
		}
	}
	for _, term := range terms {
		if artifact == "" || term.Assignment.Model == artifact {
			out.Held = append(out.Held, r.held(term))
		}
	}
	for _, term := range served {
		if artifact == "" || term.Assignment.Model == artifact {
			out.Disowned = append(out.Disowned, r.served(term))
		}
	}
	return out, nil
}

// served describes the term of a record that was disowned since.
func (r *register) served(term registry.Term) record.ModelStage {
	out := r.held(term)
	out.Disowned = term.Assignment.Reason
	for _, o := range r.source.Off {
		switch {
		case o.Path == out.Record && o.Stage != nil:
			out.Model, out.Why, out.Run = o.Stage.Model, o.Stage.Why, idOf(o.Stage.Run)
		case o.Version != nil && o.Version.Number == out.Number && registry.Artifact(r.p.Prefix, o.Version.Model) == term.Assignment.Model:
			out.Experiment = o.Version.Experiment
		}
	}
	for _, v := range r.source.Versions { // of a disowned stage the version may count
		if v.Model == out.Model && v.Number == out.Number {
			out.Experiment = v.Experiment
		}
	}
	return out
}

// disownedRecords reads the versions and stages that count for nothing. What can't be decoded never was one.
func disownedRecords(v *ledger.View) []registry.Off {
	var out []registry.Off
	commits := map[string]string{} // path of a version → its commit
	for _, version := range v.Versions("") {
		commits[registry.VersionPath(version)] = version.Code.Commit
	}
	for _, path := range keys(v.Disowned()) {
		by := v.Disowned()[path]
		data, err := v.Bytes(path)
		if err != nil {
			continue
		}
		r, err := record.Decode(path, data)
		if err != nil {
			continue
		}
		off := registry.Off{Path: path, Why: by.String(), When: by.Time}
		switch r := r.(type) {
		case *record.Version:
			off.Version, off.Commit = r, r.Code.Commit
			commits[path] = r.Code.Commit
		case *record.Stage:
			off.Stage = r
		default:
			continue
		}
		out = append(out, off)
	}
	for i, o := range out {
		if o.Stage != nil {
			out[i].Commit = commits[versionPath(o.Stage.Model, o.Stage.Version)]
		}
	}
	return out
}

// span reads a moment or a day, in UTC, as its first and last moment.
func span(when string) (from, to time.Time, ok bool) {
	if t, err := time.Parse(time.RFC3339, when); err == nil {
		return t.UTC(), t.UTC(), true
	}
	if t, err := time.Parse(time.DateOnly, when); err == nil {
		return t, t.AddDate(0, 0, 1).Add(-time.Nanosecond), true
	}
	return from, to, false
}

var looksLikeTime = regexp.MustCompile(`^[0-9]{4}[-/:]|[0-9]:[0-9]`)

// atCommit gives what held when a commit was the newest of the intent branch: records made at it or before it, by ancestry; of tags, which don't say where
// the branch was, those that are not later than the commit. served is of records that were disowned later than the commit.
func (r *register) atCommit(ctx context.Context, rev string) (id string, terms, served []registry.Term, err error) {
	commit, err := r.p.Repo.Find(ctx, rev)
	if err != nil {
		hint := "give a commit or a branch, a time as 2001-06-30T12:00:00Z, or a day as 2001-06-30"
		if looksLikeTime.MatchString(rev) {
			return "", nil, nil, problem.Wrongf(hint, "%q is no time that plumb reads", rev)
		}
		return "", nil, nil, problem.Wrongf(hint+"; a shallow clone may not have the commit", "%q is neither a time nor a commit: %w", rev, err)
	}
	made, err := r.p.Repo.CommitTime(commit)
	if err != nil {
		return "", nil, nil, err
	}
	before, err := r.p.Repo.AllAncestors(ctx, commit)
	if err != nil {
		return "", nil, nil, err
	}
	events := slices.DeleteFunc(slices.Clone(r.events), func(e record.ModelEvent) bool {
		if e.Source == record.SourceTag {
			return e.Time.After(made)
		}
		return !before[e.Intent]
	})
	old := r.source // as it was then
	old.Stages = slices.DeleteFunc(slices.Clone(old.Stages), func(s record.Stage) bool { return !before[s.Code.Commit] })
	old.Off = slices.DeleteFunc(slices.Clone(old.Off), func(o registry.Off) bool { return o.Stage == nil || !before[o.Stage.Code.Commit] })
	for _, t := range old.Served() {
		if t.Until.Equal(r.disownedAt(t)) && t.Until.After(made) {
			served = append(served, t)
		}
	}
	return commit, slices.DeleteFunc(registry.Terms(events), func(t registry.Term) bool { return t.Until != nil }), served, nil
}

// disownedAt is when the record of a term was disowned.
func (r *register) disownedAt(t registry.Term) time.Time {
	at := slices.IndexFunc(r.source.Off, func(o registry.Off) bool { return o.Path == t.Assignment.Record })
	return r.source.Off[at].When.UTC()
}
