package doc

import (
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
)

// The kinds of Use.
const (
	UseColumn = "column"
	UseRow    = "row"
	UseView   = "view"
)

// Use is one feature of an experiment, resolved.
type Use struct {
	Name string // of the training column: a column's, a row feature's, or view__feature
	Kind string // UseColumn, UseRow, UseView
	Expr string // of a row feature
	View string // of a view feature
	Item string // its name in the view
}

// use resolves one name of features.use: a row feature, a feature of a view, else a column.
func (s *Set) use(e *Experiment, name string) Use {
	if expr, ok := e.Features.Row[name]; ok {
		return Use{Name: name, Kind: UseRow, Expr: expr}
	}
	if view, item, ok := strings.Cut(name, "."); ok {
		return Use{Name: view + "__" + item, Kind: UseView, View: view, Item: item}
	}
	return Use{Name: name, Kind: UseColumn}
}

// Uses lists an experiment's features in the order of its document. It errs when there is no such experiment or a view or a feature of one is missing.
func (s *Set) Uses(experiment string) ([]Use, error) {
	e := s.Experiments[experiment]
	if e == nil {
		return nil, s.unknownExperiment(experiment)
	}
	out := make([]Use, len(e.Features.Use))
	for i, name := range e.Features.Use {
		u := s.use(e, name)
		if u.Kind == UseView {
			if v := s.Features[u.View]; v == nil || !has(v.Features, u.Item) {
				return nil, problem.Wrongf("plumb check", "experiment %s uses %s, which does not exist", experiment, name)
			}
		}
		out[i] = u
	}
	return out, nil
}

func (s *Set) suggestExperiment(name string) string {
	known := sortedKeys(s.Experiments)
	if near := problem.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) > 12 {
		known = append(known[:12], "…")
	}
	return "there is " + strings.Join(known, ", ")
}

// Views lists the feature views that an experiment uses, sorted, each once.
func (s *Set) Views(experiment string) []string {
	e := s.Experiments[experiment]
	if e == nil {
		return nil
	}
	var out []string
	for _, name := range e.Features.Use {
		if u := s.use(e, name); u.Kind == UseView {
			out = append(out, u.View)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Beside names the columns of the question's dataset that a person's program is given beside its features, so that it can group and order rows: those
// that the experiment's views join by, and the event time. What is no feature of its own row (late, of the label, forbidden) is left out, and what is
// among the features already.
func (s *Set) Beside(experiment string) []string {
	p, err := s.Parts(experiment)
	if err != nil {
		return nil
	}
	skip := []string{"row_id", "label", "weight"}
	for _, g := range (&loader{set: s}).guardrails(p.Model, p.Dataset, Environment(p.Lock, p.Dataset)) {
		skip = append(skip, g.column)
	}
	for _, name := range p.Experiment.Features.Use {
		skip = append(skip, s.use(p.Experiment, name).Name)
	}
	var names []string
	for _, id := range s.Views(experiment) {
		v := s.Features[id]
		if v == nil {
			continue
		}
		for _, entity := range v.Entity {
			if from, ok := v.On[entity]; ok {
				entity = from
			}
			names = append(names, entity)
		}
	}
	names = append(names, p.Dataset.Time.Event)
	var out []string
	for _, name := range names {
		if name != "" && !slices.Contains(skip, name) {
			out, skip = append(out, name), append(skip, name)
		}
	}
	return out
}

// Champions gives the experiment that each model's document names, by model. Models without one are left out.
func (s *Set) Champions() map[string]string {
	out := map[string]string{}
	for id, m := range s.Models {
		if m.Champion != "" {
			out[id] = m.Champion
		}
	}
	return out
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// features is one experiment's features under check.
type features struct {
	checker
	loader *loader
	exp    *Experiment
	model  *Model
	ds     *Dataset
	lock   *Lock
	env    rule.Env
	rails  []guardrail
}

func (l *loader) crossFeatures(e *Experiment, m *Model, c checker) {
	ds := l.set.Datasets[m.Question.Dataset]
	if ds == nil || l.lock(ds.ID) == nil {
		return
	}
	f := features{checker: c, loader: l, exp: e, model: m, ds: ds, lock: l.lock(ds.ID)}
	f.env = Environment(f.lock, ds)
	f.rails = l.guardrails(m, ds, f.env)
	seen := map[string]string{}
	for i, name := range e.Features.Use {
		key := []string{"features", "use", itoa(i)}
		if l.judgedElsewhere(e, m, "features", "use") {
			break
		}
		if c.pos.Broken(key...) {
			continue
		}
		u := l.set.use(e, name)
		f.checkUse(u, name, key)
		if before, ok := seen[u.Name]; ok {
			f.at("duplicate", key...).errorf("%q and %q give the learner one column %q twice", before, name, u.Name)
		}
		seen[u.Name] = name
		if u.Name == "row_id" || u.Name == "label" || (u.Name == "weight" && m.Question.Weight != "") {
			f.at("reserved", key...).errorf("%q is what plumb calls a column of its own in training data", u.Name).hint("give the learner this column under another name in [features.row]")
		}
	}
	for _, name := range sortedKeys(e.Features.Row) {
		if !l.judgedElsewhere(e, m, "features", "row", name) {
			f.checkRow(name)
		}
	}
}

// judgedElsewhere says of an inherited key that its own document answers the same question, so that what is wrong with it is said there and once.
func (l *loader) judgedElsewhere(e *Experiment, m *Model, key ...string) bool {
	if l.has(e.Path, key...) {
		return false
	}
	from := l.set.Experiments[e.Extends]
	return from != nil && from.Model == m.ID
}

func (f features) checkUse(u Use, name string, key []string) {
	switch u.Kind {
	case UseRow:
		f.at("", key...).against(only(f.rails, "forbidden"), name, "feature "+name)
	case UseView:
		f.checkView(u, name, key)
	default:
		known := f.lock.names()
		if !slices.Contains(known, name) {
			f.at("column", key...).errorf("unknown feature %q", name).nearest(name, f.everyFeature())
			return
		}
		if f.at("", key...).against(f.rails, name, "feature "+name) {
			return
		}
		if t := f.env.Columns[name]; temporal(t) && f.exp.Train.Learner != "command" {
			f.at("type", key...).errorf("column %s is %s, which %s can't learn from", name, typeName(t), f.exp.Train.Learner).
				hint(`say what about it matters: [features.row] hour = "hour(%s)"`, name)
		}
	}
}

// everyFeature lists all that features.use may name.
func (f features) everyFeature() []string {
	out := slices.Concat(f.lock.names(), sortedKeys(f.exp.Features.Row))
	for _, id := range sortedKeys(f.loader.set.Features) {
		for _, item := range f.loader.set.Features[id].Order {
			out = append(out, id+"."+item)
		}
	}
	return out
}

func (f features) checkRow(name string) {
	key := []string{"features", "row", name}
	if slices.Contains(f.lock.names(), name) {
		f.atKey("duplicate", key...).errorf("row feature %s has the name of a column", name).hint("give it another name: the column would be hidden")
	}
	e, ok := f.expression(f.exp.Features.Row[name], f.env, key...)
	if !ok {
		return
	}
	if t := e.Type(); (temporal(t) || t == rule.DurationType || t == rule.Numbers) && f.exp.Train.Learner != "command" {
		f.at("type", key...).errorf("row feature %s is %s, which %s can't learn from", name, typeName(t), f.exp.Train.Learner)
	}
	for _, column := range e.Columns() {
		s := f.at("", key...)
		if f.has(key...) {
			s.pos = f.pos.Inside(wordAt(f.exp.Features.Row[name], column), key...)
		}
		s.against(f.rails, column, "row feature "+name)
	}
}

// wordAt gives the offset of a name in an expression.
func wordAt(src, word string) int {
	for i := 0; i < len(src); i++ {
		at := strings.Index(src[i:], word)
		if at < 0 {
			return 0
		}
		at += i
		end := at + len(word)
		if (at == 0 || !wordByte(src[at-1])) && (end == len(src) || !wordByte(src[end])) {
			return at
		}
		i = at
	}
	return 0
}

func wordByte(c byte) bool {
	return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
}

func (f features) checkView(u Use, name string, key []string) {
	set := f.loader.set
	view := set.Features[u.View]
	if view == nil {
		f.loader.reference(f.checker, "features", u.View, key...)
		return
	}
	item, ok := view.Features[u.Item]
	if !ok {
		f.at("reference", key...).errorf("view %s has no feature %q", u.View, u.Item).nearest(u.Item, view.Order)
		return
	}
	forbidden := only(f.rails, "forbidden")
	if f.at("", key...).against(forbidden, name, "feature "+name) || f.at("", key...).against(forbidden, u.Item, "feature "+name) {
		return
	}
	for _, g := range forbidden {
		if hasWord(item.Agg+" "+item.SQL, g.column) {
			f.at("", key...).against(forbidden, g.column, "feature "+name)
			return
		}
	}
	if f.ds.Time.Event == "" && !f.loader.has(f.ds.Path, "time", "event") {
		f.at("feature", key...).errorf("a view feature needs to know when the question is asked; dataset %s has no [time] event", f.ds.ID)
	}
	f.checkEntities(view, key)
	f.checkLabel(view, u.Item, name, key)
}
