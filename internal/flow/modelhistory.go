package flow

import (
	"context"
	"regexp"
	"slices"
	"time"

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
	out := &record.ModelsAt{Schema: "plumb.models_at/v1", Asked: when, Held: []record.ModelStage{}}
	terms := r.terms
	if from, to, ok := span(when); ok {
		out.From, out.To = &from, &to
		terms = slices.DeleteFunc(slices.Clone(terms), func(t registry.Term) bool { return !t.During(from, to) })
	} else if out.Commit, terms, err = r.atCommit(ctx, when); err != nil {
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
	return out, nil
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
// the branch was, those that are not later than the commit.
func (r *register) atCommit(ctx context.Context, rev string) (string, []registry.Term, error) {
	commit, err := r.p.Repo.Find(ctx, rev)
	if err != nil {
		hint := "give a commit or a branch, a time as 2001-06-30T12:00:00Z, or a day as 2001-06-30"
		if looksLikeTime.MatchString(rev) {
			return "", nil, problem.Wrongf(hint, "%q is no time that plumb reads", rev)
		}
		return "", nil, problem.Wrongf(hint+"; a shallow clone may not have the commit", "%q is neither a time nor a commit: %w", rev, err)
	}
	made, err := r.p.Repo.CommitTime(commit)
	if err != nil {
		return "", nil, err
	}
	before, err := r.p.Repo.AllAncestors(ctx, commit)
	if err != nil {
		return "", nil, err
	}
	events := slices.DeleteFunc(slices.Clone(r.events), func(e record.ModelEvent) bool {
		if e.Source == record.SourceTag {
			return e.Time.After(made)
		}
		return !before[e.Intent]
	})
	return commit, slices.DeleteFunc(registry.Terms(events), func(t registry.Term) bool { return t.Until != nil }), nil
}
