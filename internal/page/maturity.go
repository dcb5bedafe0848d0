package page

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// maturityPage is how the team works, by evidence.
type maturityPage struct {
	frame
	Figures []figure
	Axes    []grid
}

func buildMaturity(_ context.Context, s *builder) error {
	m := s.Maturity
	if m == nil {
		return nil
	}
	v := maturityPage{frame: s.frame("maturity.html", "Maturity", "Maturity")}
	v.Figures = []figure{{Label: "overall", Value: fmt.Sprintf("%d of 3", m.Overall), Note: "the least of the three"}}
	remedies := map[string]string{}
	for _, p := range m.Probes {
		remedies[p.ID] = p.Remedy
	}
	for _, axis := range record.Axes {
		a := m.Axes[axis]
		note := "nothing is missing"
		if len(a.Next) > 0 {
			note = "next: " + strings.Join(a.Next, ", ")
		}
		v.Figures = append(v.Figures, figure{Label: axis, Value: fmt.Sprintf("%d of 3", a.Level), Note: note})
		g := grid{Caption: strings.ToUpper(axis[:1]) + axis[1:], Columns: []column{{"asks", ""}, {"level", "n"}, {"answer", ""}, {"next", ""}, {"evidence", ""}, {"probe", ""}}} // six columns take the page's width
		for _, p := range m.Probes {
			if p.Axis == axis {
				g.Rows = append(g.Rows, probeRow(p))
			}
		}
		v.Axes = append(v.Axes, g)
	}
	v.How = []string{"A question holds when a document has it, a record of the ledger shows that it ran, and the record says that it passed. An axis has the highest level below which no question fails; the whole has the least of the axes.",
		"What a person published is not done by CI. It is a mirror, not a target: a number that is aimed at stops meaning anything."}
	return s.render("maturity", "maturity.html", v)
}

func probeRow(p record.Probe) []cell {
	answer := map[string]cell{record.ProbeTrue: {Text: "✓ yes", Class: "good"}, record.ProbeFalse: {Text: "✗ not yet", Class: "bad"}, record.ProbeNotApplicable: {Text: "nothing to ask about"}}[p.Outcome]
	if p.Outcome == record.ProbeFalse {
		var lacks []string
		for _, part := range []struct {
			there bool
			word  string
		}{{p.Has, "not written down"}, {p.Runs, "not seen to run"}, {p.Passes, "not passed"}} {
			if !part.there {
				lacks = append(lacks, part.word)
			}
		}
		answer.Sub = lacks[0]
	}
	evidence := cell{Text: "–"}
	if n := len(p.Evidence); n > 0 {
		evidence = cell{Text: p.Evidence[n-1]}
		if n > 1 {
			evidence.Sub = strings.Join(p.Evidence[:n-1], ", ")
		}
	}
	return []cell{{Text: p.Asks}, {Text: fmt.Sprint(p.Level)}, answer, {Text: strings.ReplaceAll(p.Remedy, "`", "")}, evidence, {Text: p.ID}}
}
