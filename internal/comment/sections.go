package comment

import (
	"fmt"
	"sort"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// The most rows that a folded table shows.
const maxFolded = 60

func needs(b brief.Brief) string {
	if len(b.Needs) == 0 {
		if len(b.Rows) == 0 {
			return ""
		}
		return "**Needs you:** nothing but your review."
	}
	return "**Needs you:**\n" + lines("- ", b.Needs, brief.MaxNeeds)
}

// table is the comparison at a glance.
func table(b brief.Brief) string {
	if len(b.Rows) == 0 {
		return ""
	}
	text := metricTable(b.Rows, b.Several)
	if b.Hidden > 0 {
		text += fmt.Sprintf("\n\n%d more below.", b.Hidden)
	}
	return text
}

func metricTable(rows []brief.Row, several bool) string {
	head := []string{"metric", "base", "head", "Δ", "95 % interval", "verdict", "gate"}
	rule := []string{"---", "--:", "--:", "--:", "--:", "---", "---"}
	if several {
		head, rule = append([]string{"model"}, head...), append([]string{"---"}, rule...)
	}
	cells := make([][]string, 0, len(rows))
	for _, r := range rows {
		verdict, gate := escape.MarkdownCell(r.VerdictText()), escape.MarkdownCell(r.GateText())
		if r.Gate == record.GateFail {
			gate = "**" + gate + "**"
		}
		if r.Reason != "" {
			verdict += escape.Markdown(": " + brief.Clip(r.Reason, 80))
		}
		line := []string{escape.MarkdownCell(r.Metric), escape.MarkdownCell(brief.With(r.Base, r.BaseSpread)), escape.MarkdownCell(brief.With(r.Head, r.HeadSpread)), escape.MarkdownCell(r.Difference), escape.MarkdownCell(r.Interval), verdict, gate}
		if several {
			line = append([]string{escape.MarkdownCell(r.Model)}, line...)
		}
		cells = append(cells, line)
	}
	return grid(head, rule, cells)
}

// grid is a table whose cells are escaped already.
func grid(head, rule []string, cells [][]string) string {
	var b strings.Builder
	b.WriteString("| " + strings.Join(head, " | ") + " |\n|" + strings.Join(rule, "|") + "|")
	for _, line := range cells {
		b.WriteString("\n| " + strings.Join(line, " | ") + " |")
	}
	return b.String()
}

func gates(b brief.Brief) string {
	if len(b.Gates) == 0 {
		return ""
	}
	shown := b.Gates[:min(len(b.Gates), 3)]
	text := "**Gates:** " + escape.Markdown(strings.Join(shown, " · "))
	if more := len(b.Gates) - len(shown); more > 0 {
		text += fmt.Sprintf(" · and %d more", more)
	}
	return text
}

// changed has a line each for data and for the rest.
func changed(ci record.CI, b brief.Brief) string {
	var out []string
	if len(b.Data) > 0 {
		out = append(out, "**Data:** "+escape.Markdown(few(b.Data, 3)))
	}
	if len(ci.Changes) > 0 {
		out = append(out, "**Changed:** "+escape.Markdown(few(ci.Changes, 4)))
	}
	return strings.Join(out, "  \n")
}

func onMerge(ci record.CI) string {
	if len(ci.OnMerge) == 0 {
		return ""
	}
	return "**On merge:** " + escape.Markdown(few(ci.OnMerge, 3))
}

// few joins the first n texts and counts the rest.
func few(texts []string, n int) string {
	var out []string
	for _, t := range texts[:min(len(texts), n)] {
		out = append(out, strings.TrimSuffix(brief.Clip(t, 300), "."))
	}
	if more := len(texts) - n; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, " · ")
}

// lines is one escaped text a line, at most n.
func lines(bullet string, texts []string, n int) string {
	var out []string
	for _, t := range texts[:min(len(texts), n)] {
		out = append(out, bullet+escape.Markdown(t))
	}
	if more := len(texts) - n; more > 0 {
		out = append(out, bullet+fmt.Sprintf("and %d more", more))
	}
	if bullet == "" {
		return strings.Join(out, "  \n")
	}
	return strings.Join(out, "\n")
}

// fold hides body under a summary; both are escaped already.
func fold(summary, body string) string {
	if body == "" {
		return ""
	}
	return "<details><summary>" + summary + "</summary>\n\n" + body + "\n\n</details>"
}

func allMetrics(ci record.CI, b brief.Brief) string {
	if b.Hidden == 0 {
		return "" // the table has them all
	}

	var out []string
	n := 0
	for _, c := range ci.Comparisons {
		rows := brief.Rows(c)
		n += len(rows)
		out = append(out, heading(c), metricTable(capped(rows), false))
	}
	return fold(fmt.Sprintf("All %d metrics", n), strings.Join(out, "\n\n"))
}

func slices(ci record.CI) string {
	var out, lost []string
	n := 0
	for _, c := range ci.Comparisons {
		rows := brief.SliceRows(c)
		if len(rows) == 0 {
			continue
		}
		n += len(rows)
		count, most := brief.SlicesLost(c)
		lost = append(lost, count)
		title := "**" + escape.Markdown(c.Model+", "+c.Experiment) + "**"
		if most != "" {
			title += ": " + escape.Markdown(most)
		}
		out = append(out, title, metricTable(capped(rows), false))
		if more := len(rows) - maxFolded; more > 0 {
			out = append(out, fmt.Sprintf("%d more in the report.", more))
		}
	}
	return fold(fmt.Sprintf("Slices (%d): %s", n, strings.Join(lost, "; ")), strings.Join(out, "\n\n"))
}

func capped(rows []brief.Row) []brief.Row { return rows[:min(len(rows), maxFolded)] }

func heading(c record.Comparison) string {
	return "**" + escape.Markdown(c.Model+", "+c.Experiment) + "**: " + escape.Markdown(brief.Sentence(c))
}

func method(ci record.CI, b brief.Brief) string {
	out := []string{lines("- ", b.Method, 20)}
	for _, c := range ci.Comparisons {
		if len(c.Inputs.Changed) > 0 {
			out = append(out, "- "+escape.Markdown(c.Model+", "+c.Experiment+": changed inputs are "+brief.Inputs(c.Inputs.Changed)))
		}
	}
	return fold("How it was measured", strings.Trim(strings.Join(out, "\n"), "\n"))
}

func checks(ci record.CI) string {
	var out []string
	for _, d := range ci.Data {
		for _, f := range d.Failed[:min(len(d.Failed), maxFolded)] {
			out = append(out, "- "+escape.Markdown(d.Dataset+": "+brief.Clip(f, 300)))
		}
		if len(d.Scores) == 0 {
			continue
		}
		var scores []string
		for _, name := range sortedKeys(d.Scores) {
			scores = append(scores, name+" "+brief.Score(d.Scores[name]))
		}
		out = append(out, "- "+escape.Markdown(d.Dataset+", scores of 100: "+strings.Join(scores, ", ")))
	}
	return fold("Data checks", strings.Join(out, "\n"))
}

func problems(ci record.CI) string {
	if len(ci.Problems) == 0 {
		return ""
	}
	var out []string
	for _, p := range ci.Problems[:min(len(ci.Problems), maxFolded)] {
		line := "- " + map[bool]string{true: "✗ error", false: "? warning"}[p.Level == problem.LevelError] + " " + escape.MarkdownCode(p.Pos.String()) + ": " + escape.Markdown(brief.Clip(p.Message, 300)) + " " + escape.Markdown("["+p.Rule+"]")
		if p.Hint != "" {
			line += ", " + escape.Markdown(brief.Clip(p.Hint, 200))
		}
		out = append(out, line)
	}
	if more := len(ci.Problems) - maxFolded; more > 0 {
		out = append(out, fmt.Sprintf("- and %d more", more))
	}
	return fold(fmt.Sprintf("Problems in documents (%d)", len(ci.Problems)), strings.Join(out, "\n"))
}

func runs(ci record.CI) string {
	var cells [][]string
	for _, r := range ci.Runs[:min(len(ci.Runs), maxFolded)] {
		var metrics []string
		for _, name := range sortedKeys(r.Metrics) {
			metrics = append(metrics, brief.Label(name)+" "+brief.Value(name, r.Metrics[name]))
		}
		cells = append(cells, []string{firstOf(escape.MarkdownCode(r.ID), brief.Absent), escape.MarkdownCell(r.Model), escape.MarkdownCell(r.Experiment), escape.MarkdownCell(r.Status), escape.MarkdownCell(few(metrics, 4))})
	}
	if len(cells) == 0 {
		return ""
	}
	return fold(fmt.Sprintf("Runs made (%d)", len(ci.Runs)), grid([]string{"run", "model", "experiment", "status", "metrics"}, []string{"---", "---", "---", "---", "---"}, cells))
}

func steps(ci record.CI) string {
	var cells [][]string
	for _, s := range ci.Steps[:min(len(ci.Steps), maxFolded)] {
		state := map[string]string{"done": "✓ done", "failed": "✗ failed", "skipped": "skipped"}[s.State]
		cells = append(cells, []string{escape.MarkdownCell(s.Name), escape.MarkdownCell(firstOf(state, s.State)), escape.MarkdownCell(brief.Clip(s.Why, 200))})
	}
	if len(cells) == 0 {
		return ""
	}
	return fold("Steps", grid([]string{"step", "state", "why"}, []string{"---", "---", "---"}, cells))
}

func sortedKeys(m map[string]float64) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
