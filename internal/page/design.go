package page

import (
	"context"
	"fmt"
	"html/template"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
)

// designPage is the design card: what the model is for, what its answers are worth, and what is not allowed.
type designPage struct {
	frame
	Problem, Vision template.HTML
	Worth           grid
	Assumptions     grid
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

// rules are the card's bounds and people, as far as it states them. A requirement on operations is stated here and measured by nobody yet.
func rules(d *doc.Design) []pair {
	var out []pair
	for _, name := range capped(sortedKeys(d.Requirement)) {
		r := d.Requirement[name]
		text := r.Metric
		if r.AtMost != nil {
			text += " at most " + figureText(r.AtMost)
		}
		if r.AtLeast != nil {
			text += " at least " + figureText(r.AtLeast)
		}
		out = append(out, pair{Name: "requirement " + name, Text: text + " (stated, not measured)"})
	}
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
