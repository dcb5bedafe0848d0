package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/value"
)

func (s *builder) worthAnswers(f frame) []answer {
	a := answer{Asks: "What is it worth?", Says: "Nobody said what a right and a wrong answer are worth: [value.case] of design.toml does."}
	if d := s.Docs.Design; d == nil || len(d.Value.Case)+len(d.Value.Hours) == 0 {
		return []answer{a}
	}
	money, err := value.Of(s.Docs.Design)
	if err != nil {
		return []answer{{Asks: a.Asks, Says: brief.Clip(err.Error(), 300)}}
	}
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		worth, r, why := s.championWorth(money, id)
		if r == nil {
			continue
		}
		p := answer{Asks: "What are " + id + "'s answers worth?", Says: "? cannot say: " + why, More: link{Text: "Line by line", Href: f.to("value.html")}}
		if why == "" {
			p.Says, p.Lines = brief.Worth(worth), brief.BreakEven(worth)
			for i := range p.Lines {
				p.Lines[i] = "Worth nothing at " + p.Lines[i]
			}
		}
		out = append(out, p)
	}
	if out == nil {
		a.Says = "No champion of a yes-or-no question has a run yet."
		out = []answer{a}
	}
	return out
}

// proposedAnswers say what is proposed and how sure that is: the pull request at hand, else the newest comparison of every experiment that is not served.
func (s *builder) proposedAnswers(f frame) []answer {
	a := answer{Asks: "What is proposed, and how sure is it?"}
	if s.CI != nil {
		b := brief.Of(*s.CI)
		v := verdictBadge(b)
		a.State, a.Says, a.More = &v, finding(b.Sentence), link{Text: "This pull request", Href: f.to("proposal.html")}
	}
	seen := map[string]bool{}
	for _, c := range s.comparisons {
		m := s.Docs.Models[c.Comparison.Model]
		if m == nil || m.Champion == c.Comparison.Experiment || seen[c.Comparison.Experiment] || len(a.Lines) == 8 {
			continue
		}
		seen[c.Comparison.Experiment] = true
		a.Lines = append(a.Lines, brief.Symbol(c.Comparison.Verdict)+" "+day(c.Time)+": "+comparedInWords(c.Comparison))
	}
	if a.Says == "" && len(a.Lines) == 0 {
		a.Says = "Nothing beside what is served was compared yet."
	}
	if a.More.Href == "" {
		a.More = link{Text: "All comparisons", Href: f.to("comparisons/index.html")}
	}
	return []answer{a}
}

// comparedInWords is a comparison with its money where it is priced.
func comparedInWords(c record.Comparison) string {
	out := fmt.Sprintf("%s against %s: %s", c.Experiment, against(c), brief.Word(c.Verdict))
	if m := brief.Primary(c); m != nil {
		row := brief.RowOf(*m)
		out += fmt.Sprintf(", %s %s (95 %% CI %s)", row.Metric, row.Difference, row.Interval)
	}
	if gain := brief.Gain(c.Value); gain != "" {
		out += ", " + gain
	}
	return out
}

func (s *builder) requiredAnswers(f frame) []answer {
	if s.Docs.Design == nil || len(s.Docs.Design.Requirement) == 0 {
		return nil
	}
	a := answer{Asks: "Does it keep to what was asked for?", More: link{Text: "Design card", Href: f.to("design.html")}}
	for _, row := range s.requirements(f, s.Docs.Design).Rows {
		a.Lines = append(a.Lines, fmt.Sprintf("%s: %s %s; measured %s, %s", row[4].Text, row[0].Text, row[1].Sub, row[3].Text, firstOf(row[2].Text, brief.Absent)))
	}
	return []answer{a}
}

// fedAnswers say whether the pinned rows are sound, and what monitors saw last.
func (s *builder) fedAnswers(f frame) []answer {
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Datasets)) {
		h := s.healthCard(f, id)
		a := answer{Asks: "Are the pinned rows of " + id + " sound?", Says: h.Facts, State: &h.State, More: link{Text: "Checks and profile", Href: h.Name.Href}}
		for _, m := range h.Meters {
			a.Lines = append(a.Lines, strings.TrimSpace(m.Name+" "+m.Score+" "+m.State.Text))
		}
		out = append(out, a)
	}
	return out
}

// movedAnswers say what monitors saw: the newest window, and what came before it.
func (s *builder) movedAnswers(f frame) []answer {
	var out []answer
	for _, id := range capped(s.allMonitors()) {
		c := s.watchCard(f, id)
		out = append(out, answer{Asks: "Has anything moved in " + id + "?", Says: firstOf(c.Sentence, "No window was looked at yet."), State: &c.State, Lines: c.Before, More: link{Text: "Every window", Href: c.Name.Href}})
	}
	return out
}

func (s *builder) matureAnswers(f frame) []answer {
	m := s.Maturity
	if m == nil {
		return nil
	}
	a := answer{Asks: "How well do we work?", Says: fmt.Sprintf("Level %d of 3, the least of automation, collaboration and monitoring.", m.Overall), More: link{Text: "By evidence", Href: f.to("maturity.html")}}
	remedies := map[string]string{}
	for _, p := range m.Probes {
		remedies[p.ID] = strings.ReplaceAll(p.Remedy, "`", "")
	}
	for _, axis := range record.Axes {
		line := fmt.Sprintf("%s: %d of 3", axis, m.Axes[axis].Level)
		if next := m.Axes[axis].Next; len(next) > 0 {
			line += "; next: " + firstOf(remedies[next[0]], next[0])
		}
		a.Lines = append(a.Lines, line)
	}
	return []answer{a}
}

func (s *builder) championAnswers(f frame) []answer {
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		m := s.Docs.Models[id]
		a := answer{Asks: "How good is " + id + "?", Says: "No run of the champion yet.", More: link{Text: "Model", Href: s.toModel(f, id)}}
		if r := s.champion(id); r != nil {
			a.Says, a.More = fmt.Sprintf("%s answers, %s, on %s.", m.Champion, s.live(id), plural(r.Rows.Test, "test row")), link{Text: "Its run", Href: s.toRun(f, r.ID)}
			names := s.metricNames(id, r.Task, r.Result.Metrics)
			for _, name := range names[:min(len(names), 5)] {
				a.Lines = append(a.Lines, brief.Label(name)+" "+valueOf(r.Result.Metrics, name)+", valid "+valueOf(r.Result.Valid, name))
			}
		}
		out = append(out, a)
	}
	return out
}

// weakAnswers name the slices on which the champion is worst.
func (s *builder) weakAnswers(f frame) []answer {
	return s.ofChampions(func(id string, r *record.Run, d record.Detail) answer {
		name := primary(s.Docs.Models[id], r.Task)
		worst := slices.Clone(d.Slices)
		worst = slices.DeleteFunc(worst, func(x record.SliceDetail) bool { _, ok := x.Metrics[name]; return !ok })
		slices.SortStableFunc(worst, func(x, y record.SliceDetail) int {
			if directionOf(name) == metric.Down {
				x, y = y, x
			}
			return cmp.Compare(x.Metrics[name], y.Metrics[name])
		})
		if len(worst) == 0 {
			return answer{}
		}
		a := answer{Asks: "Where is " + id + " weakest?", Says: "By " + brief.Label(name) + ", the worst of " + plural(len(worst), "slice") + " of the test rows:", More: link{Text: "Its run", Href: s.toRun(f, r.ID)}}
		for _, x := range worst[:min(len(worst), 4)] {
			a.Lines = append(a.Lines, fmt.Sprintf("%s = %s: %s on %s", x.Column, brief.Clip(x.Value, 60), brief.Value(name, x.Metrics[name]), plural(x.Rows, "row")))
		}
		return a
	})
}

// dependentAnswers say which models and views read a dataset.
func (s *builder) dependentAnswers(f frame) []answer {
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Datasets)) {
		a := answer{Asks: "Who depends on " + id + "?", More: link{Text: "Dataset", Href: s.toDataset(f, id)}}
		for _, model := range sortedKeys(s.Docs.Models) {
			if s.Docs.Models[model].Question.Dataset == id {
				a.Lines = append(a.Lines, "model "+model+", "+s.live(model))
			}
		}
		for _, view := range sortedKeys(s.Docs.Features) {
			if s.Docs.Features[view].Dataset == id {
				a.Lines = append(a.Lines, "feature view "+view)
			}
		}
		for _, monitor := range sortedKeys(s.Docs.Monitors) {
			if s.Docs.Monitors[monitor].Dataset == id {
				a.Lines = append(a.Lines, "monitor "+monitor)
			}
		}
		if a.Lines = capped(a.Lines); len(a.Lines) == 0 {
			a.Says = "Nothing yet."
		}
		out = append(out, a)
	}
	return out
}

func (s *builder) askedAnswers(f frame) []answer {
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		m := s.Docs.Models[id]
		a := answer{Asks: "What is " + id + " asked?", Says: s.asks(m) + ".", More: link{Text: "Question and contract", Href: s.toModel(f, id)}}
		if d := s.Docs.Datasets[m.Question.Dataset]; d != nil {
			for _, name := range sortedKeys(d.Columns) {
				c := d.Columns[name]
				line := name
				if c.Unit != "" {
					line = name + " in " + c.Unit
				}
				if c.Description != "" {
					line += ": " + c.Description
				}
				if c.Late {
					line += " (not known when the question is asked, so no feature may be made of the row's own)"
				}
				a.Lines = append(a.Lines, brief.Clip(line, 300))
			}
		}
		a.Lines = capped(a.Lines)
		out = append(out, a)
	}
	return out
}

// listensAnswers say which features the champion's answers go by most.
func (s *builder) listensAnswers(f frame) []answer {
	return s.ofChampions(func(id string, r *record.Run, d record.Detail) answer {
		names := sortedKeys(d.Importance)
		if len(names) == 0 {
			return answer{}
		}
		slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(d.Importance[y], d.Importance[x]) })
		a := answer{Asks: "What does " + id + " go by?", Says: "These decide most, the most decisive first. Does that make sense to you?", More: link{Text: "Its run", Href: s.toRun(f, r.ID)}}
		e := s.Docs.Experiments[r.Experiment]
		for _, name := range names[:min(len(names), 6)] {
			line := brief.Clip(name, 80)
			if e != nil && e.Features.Row[name] != "" {
				line += " = " + brief.Clip(e.Features.Row[name], 120)
			}
			a.Lines = append(a.Lines, line)
		}
		return a
	})
}

// rightAnswers say in words how often a yes-or-no answer is right.
func (s *builder) rightAnswers(f frame) []answer {
	return s.ofChampions(func(id string, r *record.Run, d record.Detail) answer {
		c := d.Test.Confusion
		if c == nil || c.TP+c.FP == 0 || c.TP+c.FN == 0 {
			return answer{}
		}
		return answer{Asks: "How often is " + id + " right?", More: link{Text: "Its run", Href: s.toRun(f, r.ID)},
			Says: fmt.Sprintf("Of 100 times it says yes it is right %s times, and of 100 that did come it had said so of %s.", brief.Number(100*c.TP/(c.TP+c.FP), 0), brief.Number(100*c.TP/(c.TP+c.FN), 0))}
	})
}

// ofChampions asks the newest run of each model's champion; an answer without a question is left out.
func (s *builder) ofChampions(ask func(id string, r *record.Run, d record.Detail) answer) []answer {
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		r := s.champion(id)
		var d record.Detail
		if r == nil || s.blob(r.Detail, &d) != "" {
			continue
		}
		if a := ask(id, r, d); a.Asks != "" {
			out = append(out, a)
		}
	}
	return out
}
