package flow

import (
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// A view's feature is an aggregate or a query; what else there is has the kinds of package doc.
const (
	kindAgg = "agg"
	kindSQL = "sql"
)

// Features lists what the documents of the working folder define and use: plumb.features/v1.
func (p *Project) Features() (*record.Features, error) {
	t, err := p.soundTree()
	if err != nil {
		return nil, err
	}
	return &record.Features{Schema: "plumb.features/v1", Features: featuresOf(t.Docs)}, nil
}

// soundTree is the working folder, whose documents must have no errors.
func (p *Project) soundTree() (*Tree, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	return t, t.sound()
}

// catalogue is the list of all features on its way. Experiments that write one expression under one name share a feature.
type catalogue struct {
	docs *doc.Set
	list []record.Feature
	at   map[string]int // place of a feature by its key
}

func featureKey(u doc.Use) string { return u.Kind + " " + u.Name + " " + u.Expr }

// featuresOf lists the features of views, used or not, then row expressions and columns that experiments use.
func featuresOf(docs *doc.Set) []record.Feature {
	c := catalogue{docs: docs, list: []record.Feature{}, at: map[string]int{}}
	for _, id := range keys(docs.Features) {
		v := docs.Features[id]
		for _, name := range v.Order {
			c.add(doc.Use{Name: id + "__" + name, Kind: doc.UseView}, viewFeature(v, name))
		}
	}
	for _, kind := range []string{doc.UseRow, doc.UseColumn} {
		for _, id := range keys(docs.Experiments) {
			for _, u := range usesOf(docs, id) {
				if u.Kind == kind {
					c.add(u, c.ownFeature(u, docs.Experiments[id]))
				}
			}
		}
	}
	champions := docs.Champions()
	for _, id := range keys(docs.Experiments) {
		for _, u := range usesOf(docs, id) {
			if i, ok := c.at[featureKey(u)]; ok {
				model := docs.Experiments[id].Model
				c.list[i].Experiments = append(c.list[i].Experiments, id)
				c.list[i].Models = union2(c.list[i].Models, []string{model})
				if champions[model] == id {
					c.list[i].ChampionOf = append(c.list[i].ChampionOf, model)
				}
			}
		}
	}
	return c.list
}

func (c *catalogue) add(u doc.Use, f record.Feature) {
	if _, known := c.at[featureKey(u)]; known {
		return
	}
	c.at[featureKey(u)] = len(c.list)
	f.Experiments, f.Models, f.ChampionOf = []string{}, []string{}, []string{}
	c.list = append(c.list, f)
}

func viewFeature(v *doc.Feature, name string) record.Feature {
	item := v.Features[name]
	f := record.Feature{Name: v.ID + "." + name, Kind: kindAgg, View: v.ID, Dataset: v.Dataset, Entity: v.Entity, On: v.On, Definition: item.Agg,
		Window: item.Window, TTL: item.TTL, Description: item.Description}
	if f.On == nil {
		f.On = map[string]string{}
	}
	if item.SQL != "" {
		f.Kind, f.Definition = kindSQL, item.SQL
	}
	return f
}

// ownFeature is a column or a row expression.
func (c *catalogue) ownFeature(u doc.Use, e *doc.Experiment) record.Feature {
	f := record.Feature{Name: u.Name, Kind: u.Kind, Definition: u.Expr, Entity: []string{}, On: map[string]string{}}
	if m := c.docs.Models[e.Model]; m != nil {
		f.Dataset = m.Question.Dataset
	}
	if ds := c.docs.Datasets[f.Dataset]; u.Kind == doc.UseColumn && ds != nil {
		f.Definition, f.Description = u.Name, ds.Columns[u.Name].Description
	}
	return f
}

// usesOf lists an experiment's features; none when its document is wrong.
func usesOf(docs *doc.Set, experiment string) []doc.Use {
	uses, err := docs.Uses(experiment)
	if err != nil {
		return nil
	}
	return uses
}

// theFeature finds a feature by the name that features.use has for it, or by a view that has one only. Of several expressions of one name it is the
// first experiment's.
func theFeature(docs *doc.Set, name string) (record.Feature, error) {
	var found, names []string
	for _, f := range featuresOf(docs) {
		if f.Name == name {
			return f, nil
		}
		if f.View == name && name != "" {
			found = append(found, f.Name)
		}
		names = append(names, f.Name)
	}
	switch near := problem.Nearest(name, names); {
	case len(found) == 1:
		return theFeature(docs, found[0])
	case len(found) > 1:
		return record.Feature{}, problem.Wrongf("name one of "+list(found), "view %s has %d features", name, len(found))
	case near != "":
		return record.Feature{}, problem.Wrongf("did you mean "+near+"?", "there is no feature %q", name)
	}
	return record.Feature{}, problem.Wrongf("`plumb features list` lists them", "there is no feature %q", name)
}

// viewUses resolves names of views and their features; no name stands for all.
func viewUses(docs *doc.Set, names []string) ([]doc.Use, error) {
	var out []doc.Use
	matched := map[string]bool{}
	for _, id := range keys(docs.Features) {
		for _, item := range docs.Features[id].Order {
			u := doc.Use{Name: id + "__" + item, Kind: doc.UseView, View: id, Item: item}
			if slices.Contains(names, id) || slices.Contains(names, id+"."+item) || len(names) == 0 {
				out = append(out, u)
			}
			matched[id], matched[id+"."+item] = true, true
		}
	}
	for _, name := range names {
		if !matched[name] {
			if _, err := theFeature(docs, name); err != nil {
				return nil, err
			}
			return nil, problem.Wrongf("a column or an expression of the row itself reads nothing else, and what it may not read `plumb check` says", "%q is no feature of a view", name)
		}
	}
	return out, nil
}
