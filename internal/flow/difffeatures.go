package flow

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// DiffFeatures says what is different about features since the commit at which head left a branch: plumb.feature_diff/v1. No head is the working
// folder. Values of both definitions are computed on head's rows.
func (p *Project) DiffFeatures(ctx context.Context, base, head string) (*record.FeatureDiff, error) {
	now, err := p.soundTree()
	if head != "" {
		now, err = p.treeOf(ctx, head)
	}
	if err != nil {
		return nil, err
	}
	if now.Commit == "" {
		return nil, problem.Wrongf("git add -A && git commit", "there is nothing to compare with: the repository has no commit yet")
	}
	from, err := p.Repo.Find(ctx, base)
	if err != nil {
		return nil, problem.Wrongf("--base takes a branch or a commit", "base %q: %w", base, err)
	}
	if from, err = p.Repo.MergeBase(ctx, from, now.Commit); err != nil {
		return nil, err
	}
	was, err := p.At(from)
	if err != nil {
		return nil, err
	}
	out := &record.FeatureDiff{Schema: "plumb.feature_diff/v1", Base: from, Features: []record.FeatureMoved{}, Uses: usesMoved(was.Docs, now.Docs)}
	if head != "" {
		out.Head = now.Commit
	}
	a, b := defined(was.Docs), defined(now.Docs)
	var moved []string
	for _, key := range union2(keys(a), keys(b)) {
		if a[key].definition != b[key].definition {
			moved = append(moved, key)
		}
	}
	if len(moved) == 0 {
		return out, nil
	}
	w, err := p.workshop(ctx, now.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	for i, key := range moved {
		p.progress("%s: computing it on both sides (%d of %d)", key, i+1, len(moved))
		m := movedFrom(a[key], b[key])
		if m.Values, err = w.drifted(ctx, was, now, [2]definition{a[key], b[key]}); ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			m.Values = record.FeatureDrift{Reason: err.Error()}
		}
		out.Features = append(out.Features, m)
	}
	return out, nil
}

// treeOf loads a commit or branch, whose documents must have no errors.
func (p *Project) treeOf(ctx context.Context, rev string) (*Tree, error) {
	commit, err := p.Repo.Find(ctx, rev)
	if err != nil {
		return nil, problem.Wrongf("--head takes a branch or a commit", "head %q: %w", rev, err)
	}
	t, err := p.At(commit)
	if err != nil {
		return nil, err
	}
	return t, t.sound()
}

// definition is a feature of a view, or a row expression of an experiment. Its zero value is none.
type definition struct {
	record.FeatureMoved
	definition string
	use        doc.Use
	model      string // whose questions it is computed for; "": nobody's
}

// defined lists the features that documents define, by what names them.
func defined(docs *doc.Set) map[string]definition {
	out := map[string]definition{}
	for id, v := range docs.Features {
		for _, item := range v.Order {
			u := doc.Use{Name: id + "__" + item, Kind: doc.UseView, View: id, Item: item}
			f := viewFeature(v, item)
			d := definition{FeatureMoved: record.FeatureMoved{Name: f.Name, Kind: f.Kind}, definition: definitionOf(f), use: u}
			if asked, _ := askers(docs, []doc.Use{u}); len(asked) > 0 {
				d.model = keys(asked)[0]
			}
			out[f.Name] = d
		}
	}
	for id, e := range docs.Experiments {
		for name, expr := range e.Features.Row {
			if parent := docs.Experiments[e.Extends]; parent != nil && parent.Features.Row[name] == expr {
				continue // it is told once, where it is written
			}
			out[id+": "+name] = definition{FeatureMoved: record.FeatureMoved{Name: name, Kind: doc.UseRow, Experiment: id}, definition: expr,
				use: doc.Use{Name: name, Kind: doc.UseRow, Expr: expr}, model: e.Model}
		}
	}
	return out
}

func movedFrom(a, b definition) record.FeatureMoved {
	m := b.FeatureMoved
	switch {
	case a.definition == "":
		m.Change = "added"
	case b.definition == "":
		m = a.FeatureMoved
		m.Change = "removed"
	default:
		m.Change = "changed"
	}
	m.Base, m.Head = a.definition, b.definition
	return m
}

// drifted computes both definitions on head's rows and compares the values.
func (w *workshop) drifted(ctx context.Context, was, now *Tree, sides [2]definition) (record.FeatureDrift, error) {
	mixed := *was.Docs // base's features over head's data, as when a base model is scored again
	mixed.Datasets, mixed.Locks, mixed.Models = now.Docs.Datasets, now.Docs.Locks, now.Docs.Models
	model := sides[1].model
	if model == "" {
		model = sides[0].model
	}
	m := now.Docs.Models[model]
	if m == nil {
		return record.FeatureDrift{Reason: "no model asks about rows that it could be computed for"}, nil
	}
	var vectors [2]*table.Vector
	for i, docs := range []*doc.Set{&mixed, now.Docs} {
		d := sides[i]
		if d.definition == "" {
			continue
		}
		ids := []string{m.Question.Dataset}
		if v := docs.Features[d.use.View]; v != nil {
			ids = append(ids, v.Dataset)
		}
		data, err := w.data(ctx, now, union2(ids, nil)...)
		if err != nil {
			return record.FeatureDrift{}, err
		}
		values, err := trainset.Values(ctx, data, docs, model, []doc.Use{d.use})
		if err != nil {
			return record.FeatureDrift{}, fmt.Errorf("computing it as %s has it: %w", [2]string{"the base", "the head"}[i], err)
		}
		vectors[i] = &values.Columns[0]
		vectors[i].Null = nullsOf(vectors[i], values.N)
	}
	return driftOf(vectors[0], vectors[1]), nil
}

// nullsOf says of each row whether it has no value.
func nullsOf(v *table.Vector, n int) []bool {
	if v.Null != nil {
		return v.Null
	}
	return make([]bool, n)
}

// driftOf compares a feature's values on the same rows; nil where a side has no such feature.
func driftOf(a, b *table.Vector) record.FeatureDrift {
	var out record.FeatureDrift
	for _, v := range []*table.Vector{a, b} {
		if v != nil {
			out.Rows = len(v.Null)
		}
	}
	if out.Rows == 0 {
		out.Reason = "there are no rows"
		return out
	}
	out.BaseMean, out.BaseNulls = summary(a)
	out.HeadMean, out.HeadNulls = summary(b)
	if a == nil || b == nil {
		out.Reason = "only one side has it"
		return out
	}
	different := 0.0
	for i := range a.Null {
		if a.Null[i] != b.Null[i] || !a.Null[i] && a.Text(i) != b.Text(i) && a.Float(i) != b.Float(i) {
			different++
		}
	}
	share := different / float64(out.Rows)
	out.Changed = &share
	return out
}

// summary gives the mean of the numbers of a feature and the share of rows without a value.
func summary(v *table.Vector) (mean, nulls *float64) {
	if v == nil {
		return nil, nil
	}
	sum, n, none := 0.0, 0.0, 0.0
	for i := range v.Null {
		if v.Null[i] {
			none++
		} else if x := v.Float(i); !math.IsNaN(x) && !math.IsInf(x, 0) {
			sum, n = sum+x, n+1
		}
	}
	none /= float64(len(v.Null))
	if n == 0 {
		return nil, &none
	}
	sum /= n
	return &sum, &none
}

// usesMoved lists the experiments that start or stop using features. A new one starts with all of its own.
func usesMoved(base, head *doc.Set) []record.FeatureUseDif {
	out := []record.FeatureUseDif{}
	for _, id := range union2(keys(base.Experiments), keys(head.Experiments)) {
		a, b := useNames(base, id), useNames(head, id)
		u := record.FeatureUseDif{Experiment: id, Added: without(b, a), Removed: without(a, b)}
		if len(u.Added)+len(u.Removed) > 0 {
			out = append(out, u)
		}
	}
	return out
}

func useNames(docs *doc.Set, experiment string) []string {
	if e := docs.Experiments[experiment]; e != nil {
		return e.Features.Use
	}
	return nil
}

func without(all, some []string) []string {
	return slices.DeleteFunc(append([]string{}, all...), func(s string) bool { return slices.Contains(some, s) })
}
