package brief

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// needs lists what a person has to do or decide, the most pressing first.
func needs(ci record.CI) []string {
	var out []string
	for _, s := range ci.Steps {
		if s.State == "failed" {
			out = append(out, "Step "+s.Name+" failed: "+sentence(Clip(s.Why, 240)))
		}
	}
	for _, p := range errorsOf(ci) {
		text := p.Pos.String() + ": " + Clip(p.Message, 200)
		if p.Hint != "" {
			text += "; " + Clip(p.Hint, 120)
		}
		out = append(out, sentence(text))
	}
	for _, d := range ci.Data {
		if d.Blocking {
			out = append(out, "Data "+d.Dataset+" fails a critical check: "+sentence(Clip(strings.Join(d.Failed, "; "), 240)))
		}
	}
	for _, f := range ci.Features {
		if found, advice := Leak(f); found != "" {
			out = append(out, "Feature "+f.Name+" of "+f.Model+": "+sentence(Clip(found, 400)+joined("; ", advice)))
		}
	}
	out = append(out, watchNeeds(ci)...)
	for _, c := range ci.Comparisons {
		out = append(out, gatesFailed(c)...)
	}
	for _, c := range ci.Comparisons {
		out = append(out, decisions(c)...)
	}
	for _, d := range ci.Data {
		if !d.Blocking && len(d.Failed) > 0 {
			out = append(out, "Data "+d.Dataset+": "+sentence(failing(d)+Clip(d.Failed[0], 200)))
		}
	}
	return out
}

func failing(d record.DataChange) string {
	if len(d.Failed) == 1 {
		return "1 check below its share: "
	}
	return plural(len(d.Failed), "check") + " below their share, first: "
}

// gatesFailed says which gates say no to a change of what is served.
func gatesFailed(c record.Comparison) []string {
	if !c.Promotes {
		return nil
	}
	var out []string
	for _, m := range c.Metrics {
		if m.Gate == record.GateFail {
			out = append(out, "Gate fails, "+c.Model+": "+sentence(metricFails(m)))
		}
	}
	for _, g := range c.Gates {
		switch g.State {
		case record.GateFail:
			out = append(out, "Gate "+g.Name+" of "+c.Model+" fails: "+sentence(Clip(g.Require, 160)+" is not so"+values(g)))
		case record.GateUnknown:
			out = append(out, "Gate "+g.Name+" of "+c.Model+" cannot be judged: "+sentence(firstOf(Clip(g.Reason, 200), Clip(g.Require, 160))))
		}
	}
	return out
}

func metricFails(m record.MetricDifference) string {
	name := Label(m.Name)
	if m.Slice != "" {
		name += " of " + m.Slice
	}
	if m.Base == nil || m.Head == nil || m.Difference == nil {
		return name + " is missing" + reason(m.Reason)
	}
	d := decimals(m)
	text := fmt.Sprintf("%s %s → %s (%s", name, Number(*m.Base, d), Number(*m.Head, d), Signed(*m.Difference, d))
	if m.Low != nil && m.High != nil {
		text += ", 95 % CI " + interval(*m.Low, *m.High, d)
	}
	text += ")"
	switch {
	case m.Verdict != record.Worse && m.Require != "" && m.Require != "not_worse":
		return text + " is not shown to be " + strings.ReplaceAll(m.Require, "_", "-")
	case m.Tolerance > 0:
		return text + " is worse by more than " + shortest(m.Tolerance)
	}
	return text + " is worse"
}

func values(g record.Gate) string {
	var names []string
	for name := range g.Values {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		names[i] = name + " = " + rough(g.Values[name])
	}
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names[:min(len(names), 3)], ", ")
}

// decisions says what only a person can decide about a comparison.
func decisions(c record.Comparison) []string {
	var out []string
	for _, g := range c.Gates {
		if g.Changed != "" {
			out = append(out, "This pull request changes gate "+g.Name+" of "+c.Model+" ("+Clip(g.Changed, 160)+"); it was judged by the base's.")
		}
	}
	switch c.Verdict {
	case record.Inconclusive:
		if m := Primary(c); m != nil && m.Verdict == record.Inconclusive {
			out = append(out, c.Model+": cannot say on "+Label(m.Name)+sentence(firstOf(because(c), ": the interval is too wide")))
		}
	case record.NewQuestion:
		out = append(out, "Agree to the new question of "+c.Model+sentence(firstOf(reason(c.Reason), ": nothing says whether the new answer is better than the old")))
	}
	for _, note := range c.Notes {
		out = append(out, c.Model+", "+c.Experiment+": "+sentence(Clip(note, 240)))
	}
	return out
}

// sentence ends text with a full stop where it has no end.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

func stagedSentence(staged []record.StageChange) string {
	var out []string
	for _, s := range staged {
		text := s.Model + ": " + s.Experiment
		if s.Version > 0 {
			text += fmt.Sprintf(" as version %d", s.Version)
		}
		out = append(out, text+reason(s.Why))
	}
	return strings.Join(out, "; ")
}

func dataHeadline(ci record.CI) string {
	var out []string
	for _, d := range ci.Data {
		if d.Changed {
			out = append(out, DataSentence(d))
		}
	}
	return strings.Join(out, "; ") + "; no model was compared"
}

// DataSentence says how a dataset changed and what its checks found: "flights 199,876 → 231,004 rows, all checks pass".
func DataSentence(d record.DataChange) string {
	text := d.Dataset
	switch {
	case d.Changed && d.RowsBase == 0:
		text += " is new, " + Count(d.RowsHead) + " rows"
	case d.Changed && d.RowsBase == d.RowsHead:
		text += " " + Count(d.RowsHead) + " rows as before, other content"
	case d.Changed:
		text += " " + Count(d.RowsBase) + " → " + Count(d.RowsHead) + " rows"
	default:
		text += " unchanged"
	}
	switch {
	case d.Blocking:
		return text + ", a critical check fails: " + Clip(strings.Join(d.Failed, "; "), 300)
	case len(d.Failed) > 0:
		return text + ", " + plural(len(d.Failed), "check") + " below its share: " + Clip(strings.Join(d.Failed, "; "), 300)
	case len(d.Scores) > 0:
		return text + ", all checks pass"
	}
	return text
}

// nothing says why no step had anything to do.
func nothing(ci record.CI) string {
	steps := slices.Clone(ci.Steps)
	if ci.Event != "schedule" { // which looks first and does nothing for want of a window; the others find nothing in the end
		slices.Reverse(steps)
	}
	for _, s := range steps {
		if s.State == "skipped" && s.Why != "" {
			return Clip(s.Why, 240)
		}
	}
	return "no input of a model changed"
}

// Method says how a comparison was made: what "95 % interval" means in it, and what the interval leaves out.
func Method(c record.Comparison) string {
	if c.Rows == 0 {
		return ""
	}
	how := map[string]string{
		"rescored": "The base's model scored the same %s test rows",
		"stored":   "Both sides stand by their stored predictions of %s shared test rows",
		"unpaired": "The two answers share no rows, so they are compared unpaired, over %s test rows",
	}[c.Method]
	if how == "" {
		how = "Compared on %s test rows"
	}
	text := fmt.Sprintf(how, Count(c.Rows))
	if c.Groups > 0 && c.Groups != c.Rows {
		text += " in " + plural(c.Groups, "group") + " that move together"
	}
	if c.LeftOut > 0 {
		text += "; " + plural(c.LeftOut, "row") + " that either side trained on " + map[bool]string{true: "is", false: "are"}[c.LeftOut == 1] + " left out"
	}
	text += ". " + training(c)
	if who := Trained(c.Head); who != "" {
		text += " " + c.Head.Experiment + " was " + who + "."
	}
	return text
}
