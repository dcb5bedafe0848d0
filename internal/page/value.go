package page

import (
	"context"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/value"
)

// valuePage is what answers are worth, line by line: those of each champion, then those that the design card assumes.
type valuePage struct {
	frame
	Priced []priced
	Why    string // why nothing can be priced
}

// priced is one confusion matrix and its worth, or why it has none.
type priced struct {
	Title    string
	Of       link
	About    string
	Sentence string
	Figures  []figure
	Lines    grid
	Nothing  []string // where it would be worth nothing
	Claim    string
	Needs    []string
}

func buildValue(_ context.Context, s *builder) error {
	d := s.Docs.Design
	if d == nil || len(d.Value.Case) == 0 && len(d.Value.Hours) == 0 {
		return nil
	}
	v := valuePage{frame: s.frame("value.html", "Value", "Value")}
	money, err := value.Of(d)
	if err != nil {
		v.Why = brief.Clip(err.Error(), 300)
		return s.render("value", "value.html", v)
	}
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		if worth, r, why := s.championWorth(money, id); r != nil {
			p := pricedOf(worth, why)
			p.Title, p.Of = id, link{Text: r.Experiment + ", on " + plural(r.Rows.Test, "test row"), Href: s.toRun(v.frame, r.ID)}
			v.Priced = append(v.Priced, p)
		}
	}
	for _, name := range capped(sortedKeys(d.Value.Scenario)) {
		assumed := d.Value.Scenario[name]
		worth, err := money.Worth(value.Assumed(assumed), assumed.Claim)
		why := ""
		if err != nil {
			why = err.Error()
		}
		p := pricedOf(worth, why)
		p.Title, p.Of.Text, p.About = "Scenario "+name, brief.Clip(worth.Of, 160), brief.Clip(assumed.About, 300)
		v.Priced = append(v.Priced, p)
	}
	v.How = []string{"The money of each outcome (design.toml), times how often it occurs, times the cases of a period. Ranges are those of the assumptions, all at once; what is worth nothing is found for one assumption at a time.",
		"A scenario is what somebody assumes instead of measuring it. It says what would follow, not that it is so."}
	return s.render("value", "value.html", v)
}

// championWorth prices the test rows of a binary model's champion; without a run that could be priced the run is nil.
func (s *builder) championWorth(money *value.Money, model string) (worth record.Value, r *record.Run, why string) {
	if r = s.champion(model); r == nil || s.Docs.Models[model].Task != record.TaskBinary {
		return worth, nil, ""
	}
	var d record.Detail
	if why = s.blob(r.Detail, &d); why != "" {
		return worth, r, why
	}
	c := d.Test.Confusion
	if c == nil {
		return worth, r, "the run has no confusion matrix"
	}
	return money.Answer(value.Counts{TP: c.TP, FP: c.FP, FN: c.FN, TN: c.TN}, nil), r, ""
}

func pricedOf(worth record.Value, why string) priced {
	if why != "" {
		return priced{Sentence: "? cannot say: " + brief.Clip(why, 300)}
	}
	p := priced{Sentence: brief.Worth(worth), Nothing: brief.BreakEven(worth)}
	if worth.Value != nil {
		p.Sentence = "" // the figures say it
		p.Figures = append(p.Figures, figure{Label: "money a " + worth.Period, Value: brief.Money(worth.Currency, *worth.Value), Note: valueRange(worth)})
	}
	if share := brief.AboveZero(worth); share != "" {
		p.Figures = append(p.Figures, figure{Label: "above zero in", Value: share, Note: "of what the assumptions' ranges allow"})
	}
	if even := worth.Precision; even != nil && even.Value != nil {
		p.Figures = append(p.Figures, figure{Label: "break-even precision", Value: brief.Number(100**even.Value, 1) + " %", Note: "it is " + brief.Number(100*even.Mode, 1) + " %"})
	}
	if h := worth.Hours; h != nil && h.Value != nil {
		p.Figures = append(p.Figures, figure{Label: "hours a " + worth.Period, Value: brief.Number(*h.Value, 1)})
	}
	p.Lines = grid{Caption: "Line by line", Columns: []column{{"line", ""}, {"value", "n"}, {"how", ""}}}
	for _, l := range brief.ValueLines(worth) {
		p.Lines.Rows = append(p.Lines.Rows, []cell{{Text: l.Label}, {Text: brief.Value("", *l.Value)}, {Text: l.Formula}})
	}
	if worth.Claim != nil {
		p.Claim, p.Needs = brief.Claim(worth)
	}
	return p
}

func valueRange(v record.Value) string {
	if v.Low == nil || v.High == nil {
		return ""
	}
	return brief.Money(v.Currency, *v.Low) + " to " + brief.Money(v.Currency, *v.High)
}
