package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// The most that is told of a feature's past.
const (
	mostChanges = 50
	mostRuns    = 20
)

// ShowFeature gives one feature with its past: plumb.feature/v1.
func (p *Project) ShowFeature(ctx context.Context, name string) (*record.FeatureView, error) {
	t, err := p.soundTree()
	if err != nil {
		return nil, err
	}
	f, err := theFeature(t.Docs, name)
	if err != nil {
		return nil, err
	}
	out := &record.FeatureView{Schema: "plumb.feature/v1", Feature: f, History: []record.FeatureChange{}, HistoryWhole: true, Runs: []record.FeatureRun{}}
	if f.View != "" {
		if out.Digest, err = t.Docs.FeatureDigest(f.View); err != nil {
			return nil, err
		}
		if err := p.featureHistory(ctx, t, out); err != nil {
			return nil, err
		}
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	p.featureRuns(ctx, t, v, out)
	return out, nil
}

// featureHistory reads from Git when a view's feature became what it is.
func (p *Project) featureHistory(ctx context.Context, t *Tree, out *record.FeatureView) error {
	var was record.Feature
	note := func(now record.Feature, c record.FeatureChange) {
		switch {
		case now.Name == was.Name && definitionOf(now) == definitionOf(was):
			return
		case was.Name == "":
			c.Change = "added"
		case now.Name == "":
			c.Change = "removed"
		default:
			c.Change = "changed"
		}
		c.Definition, c.Window, c.TTL = now.Definition, now.Window, now.TTL
		out.History, was = append(out.History, c), now
	}
	if t.Commit != "" {
		file := path.Join(p.Prefix, t.Docs.Features[out.View].Path)
		touches, whole, err := p.Repo.Touches(ctx, t.Commit, file, mostChanges)
		if err != nil {
			return fmt.Errorf("reading the history of %s: %w", file, err)
		}
		out.HistoryWhole = whole
		for _, touch := range slices.Backward(touches) {
			then, err := p.At(touch.Commit)
			if err != nil {
				return err
			}
			note(featureNamed(then.Docs, out.View, out.Name), record.FeatureChange{Commit: touch.Commit, Time: touch.Time.Format(time.RFC3339), Subject: touch.Subject})
		}
	}
	note(out.Feature, record.FeatureChange{})
	slices.Reverse(out.History)
	return nil
}

// featureNamed is a view's feature in other documents; its name is "" where they have none.
func featureNamed(docs *doc.Set, view, name string) record.Feature {
	_, item, _ := strings.Cut(name, ".")
	v := docs.Features[view]
	if v == nil {
		return record.Feature{}
	}
	if _, ok := v.Features[item]; !ok {
		return record.Feature{}
	}
	return viewFeature(v, item)
}

// definitionOf says all that decides a feature's values in one line.
func definitionOf(f record.Feature) string {
	out := f.Definition
	if f.Window != "" {
		out += " over " + f.Window
	}
	if f.TTL != "" {
		out += ", ttl " + f.TTL
	}
	if f.View == "" {
		return out
	}
	out += " · " + f.Dataset + " by " + strings.Join(f.Entity, ", ")
	for _, entity := range keys(f.On) {
		out += fmt.Sprintf(" (%s is the row's %s)", entity, f.On[entity])
	}
	return out
}

// featureRuns lists the runs that used a feature, and what it was worth to the newest.
func (p *Project) featureRuns(ctx context.Context, t *Tree, v *ledger.View, out *record.FeatureView) {
	column := strings.Replace(out.Name, ".", "__", 1)
	runs := v.Runs()
	for _, run := range slices.Backward(runs) {
		if !slices.Contains(run.Features, column) || out.View != "" && run.Inputs["feature."+out.View] == nil {
			continue
		}
		if out.View == "" && len(out.Models) > 0 && !slices.Contains(out.Models, run.Model) {
			continue // another model's column of that name
		}
		if out.RunsTotal++; len(out.Runs) >= mostRuns {
			continue
		}
		r := record.FeatureRun{Run: run.ID, Experiment: run.Experiment, Model: run.Model, Time: run.Time.Format(time.RFC3339), Of: len(run.Features)}
		if out.View != "" {
			r.Current = run.Inputs["feature."+out.View] == any(out.Digest)
		} else if e := t.Docs.Experiments[run.Experiment]; e != nil {
			key, err := digestOf(t.Docs, run.Experiment)
			r.Current = err == nil && key == run.Inputs.Key()
		}
		p.importance(ctx, run, column, &r)
		out.Runs = append(out.Runs, r)
	}
}

// importance reads from a run's details what a feature was worth to its model.
func (p *Project) importance(ctx context.Context, run record.Run, column string, r *record.FeatureRun) {
	if run.Detail.SHA256 == "" {
		r.Reason = "the run has no details"
		return
	}
	data, err := p.Store.Get(ctx, run.Detail)
	if err != nil {
		r.Reason = err.Error()
		return
	}
	var detail record.Detail
	if err := json.Unmarshal(data, &detail); err != nil {
		r.Reason = err.Error()
		return
	}
	x, ok := detail.Importance[column]
	if !ok {
		r.Reason = "its learner does not say"
		return
	}
	r.Importance, r.Rank = &x, 1
	for other := range maps.Values(detail.Importance) {
		if other > x {
			r.Rank++
		}
	}
}
