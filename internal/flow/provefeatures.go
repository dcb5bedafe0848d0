package flow

import (
	"context"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// proveFeatures tries the queries that the pull request brings to an experiment. Aggregates see nothing late by construction, and what base has
// like this was tried when it came.
func (r *review) proveFeatures(ctx context.Context) (string, error) {
	asked := toProve(r.base.Docs, r.head.Docs, r.tasks)
	if len(asked) == 0 {
		return "", skip("no query of a feature is new, and no data that one reads")
	}
	w, err := r.workshop(ctx)
	if err != nil {
		return "", err
	}
	for _, model := range keys(asked) {
		checks, err := w.proveFeatures(ctx, r.head, model, asked[model], CheckOptions{Seed: 1})
		if err != nil {
			return "", err
		}
		r.out.Result.Features = append(r.out.Result.Features, checks...)
	}
	r.blocked = holdFeatures(r.out.Result.Features, r.head.Docs, r.tasks) || r.blocked
	return countOf(len(r.out.Result.Features), "feature"), nil
}

// toProve lists, by model, the queries that experiments of the tasks use and that base does not have like this, over the same data.
func toProve(base, head *doc.Set, tasks []task) map[string][]doc.Use {
	out := map[string][]doc.Use{}
	for _, t := range tasks {
		for _, u := range usesOf(head, t.Experiment) {
			if u.Kind != doc.UseView || head.Features[u.View].Features[u.Item].SQL == "" || slices.Contains(out[t.Model], u) {
				continue
			}
			was, err := base.FeatureDigest(u.View)
			if now, wrong := head.FeatureDigest(u.View); err != nil || wrong != nil || was != now {
				out[t.Model] = append(out[t.Model], u)
			}
		}
	}
	return out
}

// holdFeatures says which findings stop the pull request: those of features that what is served would use.
func holdFeatures(checks []record.FeatureCheck, docs *doc.Set, tasks []task) (blocked bool) {
	for i := range checks {
		c := &checks[i]
		c.Blocking = (c.State == record.FeatureLeaks || c.State == record.FeatureUnstable) && slices.ContainsFunc(tasks, func(t task) bool {
			return t.Promotes && t.Model == c.Model && slices.ContainsFunc(usesOf(docs, t.Experiment), func(u doc.Use) bool { return u.View+"."+u.Item == c.Name })
		})
		blocked = blocked || c.Blocking
	}
	return blocked
}

// features takes the measuring job's word for what it found of features: the publisher runs no query of a pull request. Which features were tried,
// and whether that stops the pull request, is worked out anew.
func (i *inspection) features(said []record.FeatureCheck) error {
	asked := toProve(i.base.Docs, i.head.Docs, i.tasks)
	var want []record.FeatureCheck
	for _, model := range keys(asked) {
		for _, u := range asked[model] {
			want = append(want, record.FeatureCheck{Name: u.View + "." + u.Item, Kind: kindSQL, Model: model, Dataset: i.head.Docs.Models[model].Question.Dataset})
		}
	}
	if len(said) != len(want) {
		return fmt.Errorf("result.json tries %d features, and %d are to be tried", len(said), len(want))
	}
	for k, c := range said {
		if err := plausible(c); err != nil || c.Name != want[k].Name || c.Model != want[k].Model {
			return fmt.Errorf("feature %d of result.json is not one to be tried: %w", k+1, err)
		}
		want[k].State, want[k].Cuts, want[k].Asked, want[k].Reason, want[k].Example = c.State, c.Cuts, c.Asked, c.Reason, c.Example
	}
	i.result.Features = want
	return nil
}

// plausible holds what is said of a feature to what can be said.
func plausible(c record.FeatureCheck) error {
	states := []string{record.FeatureClean, record.FeatureLeaks, record.FeatureUnstable, record.FeatureUntried}
	found := c.State == record.FeatureLeaks || c.State == record.FeatureUnstable
	switch {
	case !slices.Contains(states, c.State), !plainText(c.Reason, 2000), found != (c.Example != nil), c.Cuts < 0, c.Cuts > mostCuts, c.Asked < 0:
		return fmt.Errorf("its state %.20q is not possible", c.State)
	case c.Example == nil:
		return nil
	}
	e := c.Example
	texts := []string{e.Pass, e.Time, e.Cut}
	for _, value := range []*string{e.Before, e.After} {
		if value != nil {
			texts = append(texts, *value)
		}
	}
	if len(e.Sees) > 3 || slices.ContainsFunc(append(texts, e.Sees...), func(s string) bool { return !plainText(s, 200) }) {
		return fmt.Errorf("its example is too long")
	}
	return nil
}
