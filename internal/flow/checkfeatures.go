package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// CheckOptions say which features are tried, and how hard.
type CheckOptions struct {
	Names []string // views and their features; none: all
	Seed  uint64
	Cuts  int // 0: as many as the data are small
}

const mostCuts = 1000

// CheckFeatures tries whether features of views see what was not known when the question was asked: plumb.feature_check/v1.
func (p *Project) CheckFeatures(ctx context.Context, o CheckOptions) (*record.FeatureChecks, error) {
	if o.Cuts < 0 || o.Cuts > mostCuts {
		return nil, problem.Wrongf(fmt.Sprintf("from 1 to %d; 0 leaves it to plumb", mostCuts), "%d cuts can't be tried", o.Cuts)
	}
	t, err := p.soundTree()
	if err != nil {
		return nil, err
	}
	uses, err := viewUses(t.Docs, o.Names)
	if err != nil {
		return nil, err
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	out := &record.FeatureChecks{Schema: "plumb.feature_check/v1", Seed: o.Seed, Verdict: "nothing", Features: []record.FeatureCheck{}}
	asked, alone := askers(t.Docs, uses)
	for _, model := range keys(asked) {
		checks, err := w.proveFeatures(ctx, t, model, asked[model], o)
		if err != nil {
			return nil, err
		}
		out.Features = append(out.Features, checks...)
		for _, c := range checks {
			out.Cuts = max(out.Cuts, c.Cuts)
		}
	}
	for _, u := range alone {
		out.Features = append(out.Features, record.FeatureCheck{Name: u.View + "." + u.Item, Kind: viewFeature(t.Docs.Features[u.View], u.Item).Kind,
			State: record.FeatureUntried, Reason: "no model asks about rows that it could be joined to"})
	}
	for _, state := range []string{record.FeatureLeaks, record.FeatureUnstable, record.FeatureClean} {
		if slices.ContainsFunc(out.Features, func(f record.FeatureCheck) bool { return f.State == state }) {
			out.Verdict = state
			break
		}
	}
	return out, nil
}

// askers says on which model's questions each feature is tried: those of the models that use its view, one a dataset; of a view that nobody uses, the
// first that it can be joined to. alone are features that can be joined to none.
func askers(docs *doc.Set, uses []doc.Use) (asked map[string][]doc.Use, alone []doc.Use) {
	asked = map[string][]doc.Use{}
	for _, u := range uses {
		var models []string
		for _, id := range keys(docs.Experiments) {
			if slices.Contains(docs.Views(id), u.View) {
				models = append(models, docs.Experiments[id].Model)
			}
		}
		if len(models) == 0 {
			models = slices.DeleteFunc(keys(docs.Models), func(m string) bool { return !joins(docs, docs.Features[u.View], m) })
			models = models[:min(len(models), 1)]
		}
		datasets := map[string]bool{}
		for _, m := range union2(models, nil) {
			if id := docs.Models[m].Question.Dataset; !datasets[id] {
				datasets[id] = true
				asked[m] = append(asked[m], u)
			}
		}
		if len(models) == 0 {
			alone = append(alone, u)
		}
	}
	return asked, alone
}

// joins says whether a view can be joined to a model's questions: they have a time, and its entities' columns with their types.
func joins(docs *doc.Set, v *doc.Feature, model string) bool {
	id := docs.Models[model].Question.Dataset
	ds, lock := docs.Datasets[id], docs.Locks[id]
	if ds == nil || lock == nil || ds.Time.Event == "" {
		return false
	}
	asks, facts := doc.Environment(lock, ds), doc.Environment(docs.Locks[v.Dataset], docs.Datasets[v.Dataset])
	return !slices.ContainsFunc(v.Entity, func(entity string) bool {
		has, wants := facts.Columns[entity], asks.Columns[v.Asks(entity)]
		return wants == "" || has != "" && has != wants
	})
}

// proveFeatures tries features on the questions of one model.
func (w *workshop) proveFeatures(ctx context.Context, t *Tree, model string, uses []doc.Use, o CheckOptions) ([]record.FeatureCheck, error) {
	question := t.Docs.Models[model].Question.Dataset
	ids := []string{question}
	for _, u := range uses {
		ids = append(ids, t.Docs.Features[u.View].Dataset)
	}
	data, err := w.data(ctx, t, union2(ids, nil)...)
	if err != nil {
		return nil, err
	}
	proof, err := trainset.Prove(ctx, data, t.Docs, model, uses, trainset.ProofOptions{Seed: o.Seed, Cuts: o.Cuts, Progress: func(done, total int) {
		w.p.progress("%s: trying %s, step %d of %d", model, countOf(len(uses), "feature"), done, total)
	}})
	if err != nil {
		return nil, fmt.Errorf("trying the features of model %s: %w", model, err)
	}
	var out []record.FeatureCheck
	for _, f := range proof.Features {
		c := record.FeatureCheck{Name: f.Use.View + "." + f.Use.Item, Kind: viewFeature(t.Docs.Features[f.Use.View], f.Use.Item).Kind, Model: model,
			Dataset: question, State: record.FeatureClean, Cuts: len(proof.Cuts), Asked: f.Asked, Reason: f.Untried}
		switch {
		case f.Unstable != nil:
			c.State, c.Example = record.FeatureUnstable, example(t.Docs, question, f.Use, f.Unstable)
			c.Example.Cut = ""
		case f.Leak != nil:
			c.State, c.Example = record.FeatureLeaks, example(t.Docs, question, f.Use, f.Leak)
		case f.Untried != "":
			c.State = record.FeatureUntried
		}
		out = append(out, c)
	}
	return out, nil
}

// example writes a question down whose answer changes, with values only of columns that are public.
func example(docs *doc.Set, question string, u doc.Use, l *trainset.Leak) *record.FeatureLeak {
	out := &record.FeatureLeak{Pass: l.Pass, Sees: l.Sees, RowID: l.RowID, Changed: l.Changed, Asked: l.Asked}
	if out.Sees == nil {
		out.Sees = []string{}
	}
	if ds := docs.Datasets[question]; ds.Columns[ds.Time.Event].Public {
		out.Time, out.Cut = stamp(l.Time), stamp(l.Cut)
	}
	if out.Redacted = !publicFeature(docs, u); !out.Redacted {
		out.Before, out.After = l.Before, l.After
	}
	return out
}

func stamp(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }

// publicFeature says whether values of a view's feature may be shown: all columns that it is over are public. A query may read any column.
func publicFeature(docs *doc.Set, u doc.Use) bool {
	v := docs.Features[u.View]
	ds, lock := docs.Datasets[v.Dataset], docs.Locks[v.Dataset]
	env := doc.Environment(lock, ds)
	columns := slices.Collect(maps.Keys(env.Columns))
	if agg := v.Features[u.Item].Agg; agg != "" {
		_, argument, err := doc.Aggregate(agg)
		if err != nil {
			return false
		}
		columns = nil
		if argument != "" {
			e, err := rule.Parse(argument, env)
			if err != nil {
				return false
			}
			columns = e.Columns()
		}
	}
	return !slices.ContainsFunc(columns, func(c string) bool { return !ds.Columns[c].Public })
}
