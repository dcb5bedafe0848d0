package brief

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Symbol is the sign of a verdict or of a gate's state. It never stands without Word.
func Symbol(state string) string {
	switch state {
	case record.Better, record.GatePass, record.Met, "confirmed", "done", Staged, Quiet:
		return "✓"
	case record.Worse, record.Missing, record.GateFail, record.NotMet, "refuted", Failed, Invalid, Blocked, Alarm, Drifted:
		return "✗"
	case record.Same:
		return "="
	case record.Inconclusive, record.GateUnknown, record.NotMeasured, "open", Watch:
		return "?"
	}
	return ""
}

// Word is a verdict as people say it.
func Word(verdict string) string {
	switch verdict {
	case record.Inconclusive:
		return "cannot say"
	case record.NewQuestion:
		return "new question"
	case record.NotMet:
		return "not met"
	case record.NotMeasured:
		return "not measured"
	}
	return verdict
}

// title is a verdict as it stands behind "plumb: ".
func title(verdict string) string { return strings.ReplaceAll(verdict, "_", " ") }

// headline is the first line of every face.
func headline(ci record.CI, verdict string) string {
	switch verdict {
	case Failed:
		s := failedStep(ci)
		return Failed + " — " + s.Name + ": " + Clip(s.Why, 300)
	case Invalid:
		all := errorsOf(ci)
		return fmt.Sprintf("%s — %s, first %s: %s", Invalid, plural(len(all), "problem"), all[0].Pos, Clip(all[0].Message, 200))
	case Blocked:
		if d := blocking(ci); d != nil {
			return Blocked + " — " + DataSentence(*d)
		}
		f := *blockingFeature(ci)
		found, _ := Leak(f)
		return Blocked + " — feature " + f.Name + ": " + Clip(found, 400)
	case Staged:
		return Staged + " — " + stagedSentence(ci.Staged)
	case Data:
		return Data + " — " + dataHeadline(ci)
	case Alarm, Drifted, Watch, Unknown, Quiet:
		return watchHeadline(ci, verdict)
	case Nothing:
		return Nothing + " — " + nothing(ci)
	}
	told := headlined(ci)
	word := title(verdict)
	if fails(ci) && verdict != record.Worse && verdict != record.Missing {
		word += ", but a gate fails"
	}
	if len(told) == 1 {
		return word + " — " + clause(told[0]) + proposal(told[0])
	}
	slices.SortStableFunc(told, func(a, b record.Comparison) int { return slices.Index(rank, a.Verdict) - slices.Index(rank, b.Verdict) })
	var parts []string
	for _, c := range told[:min(len(told), 2)] {
		parts = append(parts, brieflyOf(c))
	}
	if more := len(told) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return word + " — " + strings.Join(parts, "; ")
}

// Sentence says what a comparison found: "better — delay: origin-history beats baseline, AUC 0.676 → 0.713 (…)".
func Sentence(c record.Comparison) string { return title(c.Verdict) + " — " + clause(c) }

// proposal says that a good answer is served to nobody yet.
func proposal(c record.Comparison) string {
	if c.Promotes || c.Base.Experiment == "" || c.Base.Experiment == c.Experiment {
		return ""
	}
	return "; a proposal, " + c.Base.Experiment + " stays champion"
}

func clause(c record.Comparison) string {
	head, base := sides(c)
	switch c.Verdict {
	case record.Better:
		return c.Model + ": " + head + " beats " + base + figures(c)
	case record.Worse:
		return c.Model + ": " + head + " loses to " + base + figures(c)
	case record.Same:
		return c.Model + ": " + head + " matches " + base + figures(c)
	case record.Inconclusive:
		return c.Model + ": cannot say whether " + head + " beats " + base + figures(c) + because(c)
	case record.Missing:
		return c.Model + ": " + missing(c)
	case record.First:
		return c.Model + ": " + head + " is its first champion" + scored(c, ", ") + aside(c.Reason)
	case record.NewQuestion:
		return c.Model + ": the question changed" + aside(c.Reason) + ", so " + head + " is not compared" + scored(c, "; ")
	}
	return c.Model + ": " + head + reason(c.Reason)
}

// sides names the two answers so that they can be told apart.
func sides(c record.Comparison) (head, base string) {
	head, base = c.Head.Experiment, c.Base.Experiment
	if head == "" {
		head = c.Experiment
	}
	if base == "" {
		base = "the base"
	}
	if head == base {
		if what := Inputs(c.Inputs.Changed); what != "" {
			return head + " with changed " + what, base + " as it was"
		}
		return head + " as it is here", base + " as it was"
	}
	return head, base
}

// brieflyOf is a comparison as one of several.
func brieflyOf(c record.Comparison) string {
	text := c.Model + " " + title(c.Verdict)
	if m := Primary(c); m != nil && m.Difference != nil {
		text += " (" + Label(m.Name) + " " + Signed(*m.Difference, decimals(*m)) + ")"
	}
	return text
}

// Primary is the metric that decides: the first gate, then guard, with the model's verdict, else the first of all; nil where there is none.
func Primary(c record.Comparison) *record.MetricDifference {
	var first *record.MetricDifference
	for _, level := range []string{"gate", "guard", ""} {
		for i := range c.Metrics {
			m := &c.Metrics[i]
			if m.Slice != "" || level != "" && m.Level != level {
				continue
			}
			if level != "" && m.Verdict == c.Verdict {
				return m
			}
			if first == nil {
				first = m
			}
		}
	}
	return first
}

// figures is ", AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)" of the primary metric.
func figures(c record.Comparison) string {
	m := Primary(c)
	if m == nil || m.Base == nil || m.Head == nil {
		return ""
	}
	d := decimals(*m)
	text := fmt.Sprintf(", %s %s → %s", Label(m.Name), Number(*m.Base, d), Number(*m.Head, d))
	if hasUnit(*m) {
		text += " " + m.Unit
	}
	if m.Difference == nil {
		return text
	}
	text += " (" + Signed(*m.Difference, d)
	if m.Low != nil && m.High != nil {
		text += ", 95 % CI " + interval(*m.Low, *m.High, d)
	}
	return text + ")"
}

func interval(low, high float64, d int) string { return Signed(low, d) + " … " + Signed(high, d) }

// scored is ", AUC 0.713" where there is nothing to compare with.
func scored(c record.Comparison, before string) string {
	if m := Primary(c); m != nil && m.Head != nil {
		return before + Label(m.Name) + " " + Value(m.Name, *m.Head)
	}
	return ""
}

func aside(why string) string {
	if why == "" {
		return ""
	}
	return " (" + Clip(why, 240) + ")"
}

func because(c record.Comparison) string {
	m := Primary(c)
	switch {
	case m != nil && m.RowsNeeded > 0:
		return ": about " + About(m.RowsNeeded) + " more rows needed"
	case m != nil && m.Reason != "":
		return ": " + Clip(m.Reason, 200)
	case c.Reason != "":
		return ": " + Clip(c.Reason, 200)
	}
	return ""
}

func missing(c record.Comparison) string {
	head, _ := sides(c)
	if head == "" {
		return "nothing answers it any more" + reason(c.Reason)
	}
	m := Primary(c)
	if m == nil || m.Verdict != record.Missing {
		return head + " has no result" + reason(c.Reason)
	}
	who := head
	if m.Head != nil {
		who = "the base"
	}
	return who + " has no " + Label(m.Name) + reason(firstOf(m.Reason, c.Reason))
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + Clip(why, 240)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Inputs names changed inputs: "data, settings and feature view origin".
func Inputs(changed []string) string {
	names := map[string]string{"dataset": "data", "experiment": "settings", "code": "the learner's code", "semantics": "plumb's own rules"}
	var out []string
	for _, name := range changed {
		view, isView := strings.CutPrefix(name, "feature.")
		switch {
		case isView:
			out = append(out, "feature view "+view)
		case names[name] != "":
			out = append(out, names[name])
		default:
			out = append(out, name)
		}
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

// Hypothesis says what became of the claim, or "" when there was none: "✓ Confirmed: Delays seen at the origin lift AUC. (AUC +0.037, +0.01 claimed)".
func Hypothesis(c record.Comparison) string {
	h := c.Hypothesis
	if h == nil || h.Text == "" && h.Metric == "" {
		return ""
	}
	word := map[string]string{"confirmed": "Confirmed", "refuted": "Refuted"}[h.State]
	if word == "" {
		word = "Open"
	}
	text := Symbol(strings.ToLower(word)) + " " + word + ": " + Clip(strings.TrimSpace(h.Text), 300)
	if outcome := Outcome(c); outcome != "" {
		return text + " (" + outcome + ")"
	}
	return text + " (no number was staked on it: [expect.METRIC] gain = … in the experiment would decide)"
}

// Outcome is what was measured of a claim beside what was claimed: "AUC +0.037, a gain of 0.01 claimed"; "" when no number was staked.
func Outcome(c record.Comparison) string {
	h := c.Hypothesis
	if h == nil || h.Metric == "" {
		return ""
	}
	for _, m := range c.Metrics {
		if m.Name == h.Metric && m.Slice == "" && m.Difference != nil {
			return fmt.Sprintf("%s %s, a gain of %s claimed", Label(m.Name), Signed(*m.Difference, decimals(m)), shortest(h.Gain))
		}
	}
	return fmt.Sprintf("a gain of %s in %s claimed", shortest(h.Gain), Label(h.Metric))
}

// shortest is a number that a person wrote, as short as it was written.
func shortest(v float64) string {
	for d := range maxDecimals {
		if text := Number(v, d); strings.ReplaceAll(strings.ReplaceAll(text, ",", ""), minus, "-") == fmt.Sprint(v) {
			return text
		}
	}
	return Number(v, maxDecimals)
}

// Trained says who made the run: "trained by @ann, scored by CI", or "" when CI made it.
func Trained(s record.Side) string {
	if s.Who == "" {
		return ""
	}
	return "trained by " + Person(s.Who) + ", scored by CI"
}

// Person is who did something, as others may read it: a login as it is, of an e-mail address only what stands before the @.
func Person(who string) string {
	if i := strings.IndexByte(who, '@'); i > 0 {
		return who[:i]
	}
	return who
}

// GateSentence says what a [gate.*] found: "✓ slices: min(slice.auc) >= 0.55 (slice.auc 0.58)".
func GateSentence(g record.Gate) string {
	state := map[string]string{record.GatePass: "passes", record.GateFail: "fails"}[g.State]
	if state == "" {
		state = "cannot say"
	}
	text := strings.TrimSpace(Symbol(g.State)+" "+g.Name) + " " + state + ": " + Clip(g.Require, 160)
	var values []string
	for name := range g.Values {
		values = append(values, name)
	}
	sort.Strings(values)
	for i, name := range values {
		values[i] = name + " = " + rough(g.Values[name])
	}
	if len(values) > 0 {
		text += " (" + strings.Join(values[:min(len(values), 4)], ", ") + ")"
	}
	if g.Reason != "" {
		text += "; " + Clip(g.Reason, 160)
	}
	return text
}
