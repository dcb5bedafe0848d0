package page

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// modelPage is the question, the contract, and who answers it.
type modelPage struct {
	frame
	Asks     string
	Live     string
	Champion link
	Figures  []figure
	Question []pair
	Contract grid
	Gates    []pair
	Versions grid
	Stages   grid
	Answers  grid
	History  *plot
}

// pair is a name and what stands behind it.
type pair struct {
	Name string
	Text string
	Href string
}

// word is a name in an expression.
var word = regexp.MustCompile(`[A-Za-z_][A-Za-z_0-9]*`)

type modelsPage struct {
	frame
	Models []modelCard
}

func buildModels(_ context.Context, s *builder) error {
	list := modelsPage{frame: s.frame("models/index.html", "Models", "Models")}
	for _, id := range sortedKeys(s.Docs.Models) {
		if len(list.Models) < MaxRows {
			list.Models = append(list.Models, s.modelCard(list.frame, id))
		}
		where := pagePath("models", id)
		if where == "" {
			continue
		}
		if err := s.render("model", where, s.modelPage(where, id)); err != nil {
			return err
		}
	}
	return s.render("models", "models/index.html", list)
}

// asks is a model's question in words, with the units of what it is made of.
func (s *builder) asks(m *doc.Model) string {
	what := map[string]string{"binary": "whether", "multiclass": "which", "regression": "how much"}[m.Task]
	if what == "" {
		what = m.Task
	}
	text := strings.TrimSpace(what + " " + brief.Clip(m.Question.Label, 120))
	if d := s.Docs.Datasets[m.Question.Dataset]; d != nil {
		for _, name := range sortedKeys(d.Columns) {
			if unit := d.Columns[name].Unit; unit != "" && slices.Contains(word.FindAllString(m.Question.Label, -1), name) {
				text += " (" + name + " in " + brief.Clip(unit, 20) + ")"
			}
		}
	}
	if m.Question.Dataset != "" {
		text += ", from " + m.Question.Dataset
	}
	return text
}

func (s *builder) modelPage(where, id string) modelPage {
	m := s.Docs.Models[id]
	v := modelPage{frame: s.frame(where, "Models", id), Asks: s.asks(m), Live: s.live(id), Champion: link{Text: m.Champion}}
	v.Champion.Href = s.toExperiment(v.frame, m.Champion)
	if m.Champion == "" {
		v.Champion.Text = "no champion yet"
	}
	r := s.champion(id)
	var metrics map[string]float64
	if r != nil {
		metrics = r.Result.Metrics
	}
	for _, name := range m.Order[:min(len(m.Order), 4)] {
		f := figure{Label: brief.Label(name), Value: valueOf(metrics, name)}
		switch {
		case r == nil:
			f.Note = "no run of the champion yet"
		case f.Value == brief.Absent:
			f.Note = "the run has none"
		}
		v.Figures = append(v.Figures, f)
	}
	v.Question = s.question(v.frame, m)
	v.Contract = contract(m, metrics)
	for _, name := range sortedKeys(m.Gates) {
		v.Gates = append(v.Gates, pair{Name: name, Text: brief.Clip(m.Gates[name].Require, 200)})
	}
	v.Versions = s.versionGrid(v.frame, id)
	v.Stages = s.stageGrid(id)
	v.Answers = s.experimentGrid(v.frame, s.experimentsOf(id))
	v.Answers.Caption = "Experiments that answer it"
	v.History = s.history(v.frame, primary(m, ""), s.runsOfModel(id))
	v.frame = s.withChart(v.frame, v.History)
	v.How = []string{"Metrics are those of the test part of the champion's newest run. The contract selects what is shown and gated; every metric of the task is in the run's record.",
		"A version is an immutable pointer to one artifact and the run that made it; a stage record says which version serves from when on."}
	return v
}

func (s *builder) question(f frame, m *doc.Model) []pair {
	q := m.Question
	out := []pair{{Name: "task", Text: m.Task}, {Name: "dataset", Text: q.Dataset, Href: s.toDataset(f, q.Dataset)}, {Name: "label", Text: brief.Clip(q.Label, 200)}, {Name: "split", Text: splitText(q.Split)}}
	add := func(name, text string) {
		if text != "" {
			out = append(out, pair{Name: name, Text: brief.Clip(text, 200)})
		}
	}
	add("weight", q.Weight)
	add("rows that move together", q.Group)
	add("slices", strings.Join(q.Slices, ", "))
	if q.Threshold != nil {
		add("threshold", show(q.Threshold))
	}
	return out
}

func splitText(p doc.Split) string {
	switch p.By {
	case "time":
		return fmt.Sprintf("by time: the newest %v test, the %v before validate", p.Test, p.Valid)
	case "hash":
		text := "by hash"
		if p.Key != "" {
			text += " of " + p.Key
		}
		return fmt.Sprintf("%s: %v test, %v validate", text, p.Test, p.Valid)
	case "column":
		return "by column " + p.Column
	}
	return p.By
}

func contract(m *doc.Model, metrics map[string]float64) grid {
	g := grid{Caption: "Contract", Columns: []column{{"metric", ""}, {"champion", "n"}, {"level", ""}, {"good is", ""}, {"tolerance", "n"}, {"requires", ""}}, Empty: "The model's document states no metric."}
	for _, name := range capped(m.Order) {
		c := m.Metrics[name]
		level, require, direction := c.Level, c.Require, c.Direction
		if level == "" {
			level = "info"
		}
		if require == "" {
			require = "not_worse"
		}
		if level == "info" {
			require = brief.Absent
		}
		if direction == "" {
			direction = directionOf(name)
		}
		g.Rows = append(g.Rows, []cell{{Text: brief.Label(name)}, {Text: valueOf(metrics, name)}, {Text: level}, {Text: direction}, {Text: brief.Exact(c.Tolerance)}, {Text: strings.ReplaceAll(require, "_", " ")}})
	}
	return g
}

func (s *builder) versionGrid(f frame, model string) grid {
	g := grid{Caption: "Versions, newest first", Columns: []column{{"version", ""}, {"made", ""}, {"experiment", ""}, {"run", ""}, {"artifact", "n"}, {"by", ""}}, Empty: "No version yet: the first push to the intent branch that changes the champion makes one."}
	all := s.versions[model]
	for _, v := range capped(all) {
		id := runOfPath(v.Run)
		g.Rows = append(g.Rows, []cell{{Text: fmt.Sprint(v.Number)}, {Text: date(v.Time), Class: "date"}, {Text: v.Experiment, Href: s.toExperiment(f, v.Experiment)}, {Text: id, Href: s.toRun(f, id)},
			{Text: brief.Bytes(v.Artifact.Bytes), Sub: brief.Short(v.Artifact.SHA256)}, {Text: made(v.Header)}})
	}
	g.More = more(len(g.Rows), len(all), "versions", "all are in the ledger under versions/")
	return g
}

func (s *builder) stageGrid(model string) grid {
	g := grid{Caption: "Stages, newest first", Columns: []column{{"stage", ""}, {"version", "n"}, {"since", ""}, {"before", "n"}, {"why", ""}, {"outcome", ""}}, Empty: "Nothing is staged yet."}
	all, off := s.stages[model], map[*record.Stage]string{}
	for i := range s.OffStages {
		if r := &s.OffStages[i]; r.Model == model {
			all, off[r] = append(slices.Clone(all), r), s.Disowned[fmt.Sprintf("stages/%s/%s/%d.toml", model, r.Stage, r.Number)]
		}
	}
	if len(off) > 0 {
		slices.SortStableFunc(all, newestStageFirst)
	}
	for _, r := range capped(all) {
		before := brief.Absent
		if r.Previous > 0 {
			before = fmt.Sprint(r.Previous)
		}
		version := cell{Text: fmt.Sprint(r.Version), Sub: brief.Clip(s.Disowned[fmt.Sprintf("versions/%s/%d.toml", model, r.Version)], 200)}
		g.Rows = append(g.Rows, []cell{{Text: r.Stage}, version, {Text: date(r.Time), Class: "date"}, {Text: before}, {Text: brief.Clip(r.Why, 200)}, {Text: r.Outcome, Sub: brief.Clip(off[r], 200)}})
	}
	g.More = more(len(g.Rows), len(all), "stage records", "all are in the ledger under stages/")
	return g
}

func (s *builder) experimentsOf(model string) []string {
	var out []string
	for _, id := range sortedKeys(s.Docs.Experiments) {
		if s.Docs.Experiments[id].Model == model {
			out = append(out, id)
		}
	}
	return out
}

func (s *builder) runsOfModel(model string) []*record.Run {
	var out []*record.Run
	for _, r := range s.runs {
		if r.Model == model && !s.overBadRows(r.ID) {
			out = append(out, r)
		}
	}
	return out
}
