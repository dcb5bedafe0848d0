package doc

import (
	"regexp"
	"slices"

	"github.com/plumb-ml/plumb/internal/rule"
)

// What documents can say of a leak before anything is computed. That a query keeps to the times it yields is proved with rows, by package trainset.

// guardrail is what a feature may not be or be made of, and why.
type guardrail struct {
	column string
	rule   string
	why    string
	hint   string
}

// guardrails lists them for an experiment: late columns, what the label is made of, and what the design card forbids.
func (l *loader) guardrails(m *Model, ds *Dataset, env rule.Env) []guardrail {
	var out []guardrail
	for _, name := range ds.Late() {
		out = append(out, guardrail{name, "leak", "is late: not known when the question is asked",
			"an agg feature of a view may use it: its window sees only what is known by then"})
	}
	if label, err := rule.Parse(m.Question.Label, env); err == nil {
		for _, name := range label.Columns() {
			out = append(out, guardrail{name, "leak", "is what the label is made of", "take it out of the features"})
		}
	}
	if l.set.Design == nil {
		return out
	}
	for _, id := range sortedKeys(l.set.Design.Constraint) {
		for _, name := range l.set.Design.Constraint[id].ForbidFeatures {
			out = append(out, guardrail{name, "forbidden", "is forbidden by constraint " + id + " of the design card", ""})
		}
	}
	return out
}

// against reports the first guardrail that a name runs into.
func (s spot) against(rails []guardrail, name, what string) bool {
	i := slices.IndexFunc(rails, func(g guardrail) bool { return g.column == name })
	if i < 0 {
		return false
	}
	s.rule = rails[i].rule
	s = s.errorf("%s: %s %s", what, name, rails[i].why)
	if rails[i].hint != "" {
		s.hint("%s", rails[i].hint)
	}
	return true
}

func only(rails []guardrail, rule string) []guardrail {
	return slices.DeleteFunc(slices.Clone(rails), func(g guardrail) bool { return g.rule != rule })
}

// checkEntities looks at the columns of the asking row that a view is joined by.
func (f features) checkEntities(view *Feature, key []string) {
	facts := Environment(f.loader.lock(view.Dataset), f.loader.set.Datasets[view.Dataset])
	for _, entity := range view.Entity {
		from := view.Asks(entity)
		switch has, wants := facts.Columns[entity], f.env.Columns[from]; {
		case !slices.Contains(f.lock.names(), from):
			f.at("column", key...).errorf("view %s joins by %s, and dataset %s has no column %q", view.ID, entity, f.ds.ID, from).
				hint("say which column of the asking row it is: on = { %s = \"COLUMN\" }", entity)
		case f.at("", key...).against(only(f.rails, "leak"), from, "view "+view.ID+" is joined by a column of the row"):
			f.list.Hint("join it by what is known when the question is asked")
		case has != "" && has != wants:
			f.at("type", key...).errorf("view %s joins %s of %s, which is %s, with %s of %s, which is %s: they are never the same", view.ID,
				entity, view.Dataset, typeName(has), from, f.ds.ID, typeName(wants)).
				hint("declare one type for both: [column.%s] type = %q in datasets/%s.toml, then plumb data pin", entity, wants, view.Dataset)
		}
	}
}

// checkLabel refuses a view over what the label is made of when nothing says when that is known: a late column has a time, others count as known
// when the question is asked.
func (f features) checkLabel(view *Feature, item, name string, key []string) {
	if view.Dataset != f.ds.ID {
		return
	}
	late := f.ds.Late()
	made := slices.DeleteFunc(f.label(), func(c string) bool { return slices.Contains(late, c) })
	agg, known := view.Features[item], " which is what the label is made of, and nothing says when it is known"
	if column := agg.reads(made); column != "" {
		f.at("leak", key...).errorf("feature %s: its query reads %s,%s", name, column, known).
			hint("say so in datasets/%s.toml: [column.%s] late = true, and known under [time]; then select that as known_time", f.ds.ID, column)
		return
	}
	_, argument, err := Aggregate(agg.Agg)
	if err != nil {
		return
	}
	over, err := rule.Parse(argument, f.env)
	if err != nil {
		return
	}
	for _, column := range over.Columns() {
		if slices.Contains(made, column) {
			f.at("leak", key...).errorf("feature %s: it is over %s,%s", name, column, known).
				hint("say so in datasets/%s.toml: [column.%s] late = true, and known under [time]; the window then sees what was known", f.ds.ID, column)
			return
		}
	}
}

// label lists the columns that the label is made of.
func (f features) label() []string {
	e, err := rule.Parse(f.model.Question.Label, f.env)
	if err != nil {
		return nil
	}
	return e.Columns()
}

// reads gives the first of some columns that a query names and for which it yields no known_time; "" where there is none. A star is not looked at:
// when a query without known_time is computed, it is given no such column, so that it can't take one without naming it.
func (i FeatureItem) reads(columns []string) string {
	if i.SQL == "" || hasWord(i.SQL, "known_time") {
		return ""
	}
	at := slices.IndexFunc(columns, func(name string) bool { return hasWord(i.SQL, name) })
	if at < 0 {
		return ""
	}
	return columns[at]
}

// hasWord says whether a query names something, whatever its case.
func hasWord(sql, word string) bool {
	found, err := regexp.MatchString(`(?i)(^|[^A-Za-z0-9_])`+regexp.QuoteMeta(word)+`($|[^A-Za-z0-9_])`, sql)
	return err == nil && found
}
