package page

import (
	"context"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// experimentPage is one way to answer a model's question: the claim, how it is done, what became of it.
type experimentPage struct {
	frame
	Role        badge
	Model       link
	Gone        string
	Hypothesis  template.HTML
	Claim       badge
	Outcome     string
	Expects     []pair
	Settings    []pair
	Features    []pair
	Params      []pair
	Comparisons grid
	Runs        grid
	History     *plot
}

type experimentsPage struct {
	frame
	Table grid
}

func buildExperiments(_ context.Context, s *builder) error {
	ids := s.allExperiments()
	list := experimentsPage{frame: s.frame("experiments/index.html", "Experiments", "Experiments")}
	list.Table = s.experimentGrid(list.frame, capped(ids))
	list.Table.More = more(len(list.Table.Rows), len(ids), "experiments", "each has a page of its own, named by its id")
	list.How = []string{"An experiment is a document under experiments/; the metric is that of its newest run, the verdict that of its newest comparison."}
	for _, id := range ids {
		where := pagePath("experiments", id)
		if where == "" {
			continue
		}
		if err := s.render("experiment", where, s.experimentPage(where, id)); err != nil {
			return err
		}
	}
	return s.render("experiments", "experiments/index.html", list)
}

// allExperiments are those that have a document, then those that only runs remember.
func (s *builder) allExperiments() []string {
	out := sortedKeys(s.Docs.Experiments)
	for _, id := range sortedKeys(s.runsOf) {
		if s.Docs.Experiments[id] == nil {
			out = append(out, id)
		}
	}
	return out
}

func (s *builder) experimentGrid(f frame, ids []string) grid {
	g := grid{Caption: "Experiments", Columns: []column{{"experiment", ""}, {"model", ""}, {"is", ""}, {"newest run", "n"}, {"newest verdict", ""}, {"runs", "n"}}, Empty: "No experiment yet: add experiments/<name>.toml."}
	for _, id := range capped(ids) {
		e := s.Docs.Experiments[id]
		model, claim := "", ""
		if e != nil {
			model, claim = e.Model, brief.Clip(e.Hypothesis, 140)
		} else if runs := s.runsOf[id]; len(runs) > 0 {
			model = runs[0].Model
		}
		metric := cell{Text: brief.Absent, Sub: "no run yet"}
		if r := s.latest(id); r != nil {
			name := primary(s.Docs.Models[model], r.Task)
			metric = cell{Text: valueOf(r.Result.Metrics, name), Sub: brief.Label(name)}
		}
		verdict := cell{Text: "not compared yet", Class: "even"}
		if c := s.newestComparison(id); c != nil {
			verdict = stateCell(c.Comparison.Verdict)
			verdict.Href = f.to(pagePath("comparisons", c.ID))
		}
		g.Rows = append(g.Rows, []cell{{Text: id, Sub: claim, Href: s.toExperiment(f, id)}, {Text: model, Href: s.toModel(f, model)}, {Text: s.role(id, model)}, metric, verdict, {Text: brief.Count(len(s.runsOf[id]))}})
	}
	return g
}

func (s *builder) role(experiment, model string) string {
	if s.Docs.Experiments[experiment] == nil {
		return "not in this tree"
	}
	if m := s.Docs.Models[model]; m != nil && m.Champion == experiment {
		return "champion"
	}
	return "proposal"
}

func (s *builder) newestComparison(experiment string) *record.ComparisonRecord {
	for _, c := range s.comparisons {
		if c.Comparison.Experiment == experiment && !s.overBadRows(c.Comparison.Head.Run) {
			return c
		}
	}
	return nil
}

func (s *builder) experimentPage(where, id string) experimentPage {
	v := experimentPage{frame: s.frame(where, "Experiments", id)}
	e := s.Docs.Experiments[id]
	runs := s.runsOf[id]
	model := ""
	if e != nil {
		model = e.Model
		v.Hypothesis = markdown(e.Hypothesis)
		v.describe(s, e)
	} else {
		model = runs[0].Model
		v.Gone = "Its document is not in the tree of this commit: it is on a branch, or was taken away. What is here is what the ledger remembers."
	}
	role := s.role(id, model)
	v.Role = badge{role, map[bool]string{true: "good", false: "even"}[role == "champion"]}
	v.Model = link{Text: model, Href: s.toModel(v.frame, model)}
	if c := s.newestComparison(id); c != nil && c.Comparison.Hypothesis != nil {
		h := c.Comparison.Hypothesis
		v.Claim, v.Outcome = badge{brief.Symbol(h.State) + " " + h.State, classOf(h.State)}, brief.Outcome(c.Comparison)
	} else if e != nil && v.Hypothesis != "" {
		v.Claim = badge{"? open", "unsure"}
	}
	var compared []*record.ComparisonRecord
	for _, c := range s.comparisons {
		if c.Comparison.Experiment == id || c.Comparison.Base.Experiment == id {
			compared = append(compared, c)
		}
	}
	v.Comparisons = s.comparisonGrid(v.frame, capped(compared))
	v.Comparisons.More = more(len(v.Comparisons.Rows), len(compared), "comparisons", "all are in the list of comparisons")
	v.Runs = s.runGrid(v.frame, capped(runs))
	v.Runs.More = more(len(v.Runs.Rows), len(runs), "runs", "all are in the CSV file of runs")
	task := ""
	if len(runs) > 0 {
		task = runs[0].Task
	}
	v.History = s.history(v.frame, primary(s.Docs.Models[model], task), runs)
	v.frame = s.withChart(v.frame, v.History)
	v.Downloads = []link{{Text: "All runs, CSV", Href: "../runs/runs.csv"}}
	return v
}

// describe fills in what the document says.
func (v *experimentPage) describe(s *builder, e *doc.Experiment) {
	for _, name := range sortedKeys(e.Expect) {
		v.Expects = append(v.Expects, pair{Name: brief.Label(name), Text: "a gain of at least " + brief.Exact(e.Expect[name].Gain)})
	}
	v.Settings = []pair{{Name: "learner", Text: e.Train.Learner}, {Name: "seed", Text: fmt.Sprint(e.Train.Seed)}}
	if e.Extends != "" {
		v.Settings = append(v.Settings, pair{Name: "extends", Text: e.Extends, Href: s.toExperiment(v.frame, e.Extends)})
	}
	if len(e.Train.Command) > 0 {
		v.Settings = append(v.Settings, pair{Name: "command", Text: brief.Clip(strings.Join(e.Train.Command, " "), 200)}, pair{Name: "code", Text: brief.Clip(strings.Join(e.Train.Code, ", "), 200)})
	}
	for _, name := range capped(e.Features.Use) {
		text := "a column"
		if expression, ok := e.Features.Row[name]; ok {
			text = expression
		} else if strings.Contains(name, ".") {
			text = "of a feature view"
		}
		v.Features = append(v.Features, pair{Name: name, Text: brief.Clip(text, 160)})
	}
	for _, name := range capped(sortedKeys(e.Features.Row)) {
		if !slices.Contains(e.Features.Use, name) {
			v.Features = append(v.Features, pair{Name: name, Text: brief.Clip(e.Features.Row[name], 160)})
		}
	}
	v.Params = params(e.Params)
}

func params(all map[string]any) []pair {
	var out []pair
	for _, name := range capped(sortedKeys(all)) {
		out = append(out, pair{Name: brief.Clip(name, 80), Text: show(all[name])})
	}
	return out
}
