package page

import (
	"context"
	"fmt"
	"html/template"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/record"
)

// designPage is the design card: what the model is for, what its answers are worth, and what is not allowed.
type designPage struct {
	frame
	Problem, Vision template.HTML
	Worth           grid
	Assumptions     grid
	Requirements    grid
	Rules           []pair
}

func buildDesign(_ context.Context, s *builder) error {
	d := s.Docs.Design
	if d == nil {
		return nil
	}
	v := designPage{frame: s.frame("design.html", "Design", "Design card"), Problem: markdown(d.Problem), Vision: markdown(d.Vision)}
	v.Worth = worth(d.Value)
	v.Assumptions = grid{Caption: "Assumptions", Columns: []column{{"name", ""}, {"likeliest", "n"}, {"from", "n"}, {"to", "n"}, {"source", ""}}}
	for _, name := range capped(sortedKeys(d.Value.Assume)) {
		a := d.Value.Assume[name]
		v.Assumptions.Rows = append(v.Assumptions.Rows, []cell{{Text: name}, {Text: figureText(&a.Mode)}, {Text: figureText(a.Low)}, {Text: figureText(a.High)}, {Text: a.Source}})
	}
	v.Requirements = s.requirements(v.frame, d)
	v.Rules = rules(d)
	v.How = []string{"This is design.toml at the commit below. The worth of a comparison is the money of each outcome, times how often it occurs on the test rows, times the cases of a period."}
	return s.render("design", "design.html", v)
}

// worth is what each outcome brings, as the card writes it.
func worth(w doc.Value) grid {
	g := grid{Caption: "What a case is worth", Columns: []column{{"outcome", ""}, {"money", ""}, {"hours", ""}}}
	for _, o := range []struct{ id, name string }{{"tp", "yes, and it came"}, {"fp", "yes, and it did not"}, {"fn", "no, and it came"}, {"tn", "no, and it did not"}} {
		if w.Case[o.id] != "" || w.Hours[o.id] != "" {
			g.Rows = append(g.Rows, []cell{{Text: o.name, Sub: o.id}, {Text: firstOf(w.Case[o.id], brief.Absent)}, {Text: firstOf(w.Hours[o.id], brief.Absent)}})
		}
	}
	if w.Population > 0 && len(g.Rows) > 0 {
		g.More = strings.TrimSpace(fmt.Sprintf("in %s, over %s cases a %s", w.Currency, brief.Count(int64(w.Population)), w.Period))
	}
	return g
}

// requirements hold the card's bounds against the newest run of every model's champion. A requirement that no champion can be held against is shown, too.
func (s *builder) requirements(f frame, d *doc.Design) grid {
	g := grid{Caption: "Requirements", Columns: []column{{"requirement", ""}, {"asks", ""}, {"champion", ""}, {"measured", "n"}, {"is", ""}}}
	if len(d.Requirement) == 0 {
		return g
	}
	found := map[string][]held{}
	for _, model := range sortedKeys(s.Docs.Models) {
		r := s.champion(model)
		if r == nil {
			continue
		}
		for _, b := range evaluate.Requirements(d, r) {
			found[b.Name] = append(found[b.Name], heldOf(b, model, r))
		}
	}
	for _, name := range capped(sortedKeys(d.Requirement)) {
		r := d.Requirement[name]
		asks := cell{Text: brief.OperationName(r.Metric), Sub: brief.Bound(record.Requirement{Metric: r.Metric, AtMost: r.AtMost, AtLeast: r.AtLeast})}
		if len(found[name]) == 0 {
			g.Rows = append(g.Rows, []cell{{Text: name}, asks, {Text: brief.Absent}, {Text: brief.Absent}, {Text: "? not measured", Sub: "no champion has a run", Class: "unsure"}})
		}
		for _, h := range capped(found[name]) {
			g.Rows = append(g.Rows, []cell{{Text: name}, asks, {Text: h.model, Href: s.toRun(f, h.run)}, {Text: h.value}, h.state})
		}
	}
	g.Rows = capped(g.Rows)
	return g
}

// held is a requirement held against one champion.
type held struct {
	model, run, value string
	state             cell
}

func heldOf(b record.Requirement, model string, r *record.Run) held {
	h := held{model: model, run: r.ID, value: brief.Absent, state: stateCell(b.State)}
	if b.Value != nil {
		h.value = brief.Operation(b.Metric, *b.Value)
	}
	h.state.Sub = brief.Clip(b.Reason, 160)
	return h
}

// rules are the card's bounds and people, as far as it states them.
func rules(d *doc.Design) []pair {
	var out []pair
	for _, name := range capped(sortedKeys(d.Constraint)) {
		out = append(out, pair{Name: "constraint " + name, Text: "no feature may be made of " + strings.Join(d.Constraint[name].ForbidFeatures, ", ")})
	}
	if d.Budget.Money > 0 {
		out = append(out, pair{Name: "budget", Text: brief.Money(d.Value.Currency, d.Budget.Money)})
	}
	if d.Budget.Team > 0 {
		out = append(out, pair{Name: "team", Text: brief.Count(d.Budget.Team) + " people"})
	}
	for _, name := range capped(sortedKeys(d.Consumer)) {
		out = append(out, pair{Name: "used by " + name, Text: d.Consumer[name].Contact})
	}
	for _, role := range capped(sortedKeys(d.MetricByRole)) {
		out = append(out, pair{Name: role + " looks at", Text: brief.Label(d.MetricByRole[role])})
	}
	return out
}

func figureText(v *float64) string {
	if v == nil {
		return brief.Absent
	}
	return fmt.Sprintf("%.6g", *v)
}
