package brief

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// The words for what monitors saw, the most pressing first.
const (
	Alarm   = "alarm"   // a trigger fired, or a check of the window's rows fails
	Drifted = "drift"   // a column has drifted, and no trigger asks for anything
	Watch   = "watch"   // something may have moved
	Quiet   = "quiet"   // nothing moved
	Unknown = "unknown" // too few rows to say
)

// watchWord is the word for all monitors of a flow; "" where there are none.
func watchWord(all []record.MonitorChange) string {
	word := ""
	for _, m := range all {
		if w := WatchWord(m); word == "" || pressing(w) < pressing(word) {
			word = w
		}
	}
	return word
}

func pressing(word string) int {
	return map[string]int{Alarm: 0, Drifted: 1, Watch: 2, Unknown: 3, Quiet: 4}[word]
}

// WatchWord is the word for one window of a monitor.
func WatchWord(m record.MonitorChange) string {
	if len(m.Failed) > 0 {
		return Alarm
	}
	for _, t := range m.Triggers {
		if t.State == record.TriggerFired {
			return Alarm
		}
	}
	switch m.Verdict {
	case record.DriftFound:
		return Drifted
	case record.DriftWatch:
		return Watch
	case record.DriftStable:
		return Quiet
	}
	return Unknown
}

// WatchSentence says what a monitor saw: "flights, 2001-06-04 to 2001-06-11: delays-moved fired; delay drifted; 1 check fails".
func WatchSentence(m record.MonitorChange) string {
	var parts []string
	for _, t := range m.Triggers {
		if t.State == record.TriggerFired {
			parts = append(parts, "trigger "+t.Name+" fired ("+Clip(t.When, 120)+triggerValues(t)+")")
		}
	}
	if n := len(m.Failed); n > 0 {
		parts = append(parts, plural(n, "check")+" failed: "+names(m.Failed))
	}
	if len(m.Changed) > 0 {
		parts = append(parts, Changes(m.Changed))
	}
	if moved := slices.DeleteFunc(slices.Clone(m.Drifted), func(c string) bool { _, changed := m.Changed[c]; return changed }); len(moved) > 0 {
		parts = append(parts, names(moved)+" drifted")
	}
	if len(m.Watched) > 0 {
		parts = append(parts, names(m.Watched)+" may have moved")
	}
	if m.Verdict == record.DriftInsufficient {
		if m.Pinned < m.Rows {
			parts = append(parts, fmt.Sprintf("cannot say, with %s pinned rows to compare %s with: pin newer ones, or let `reference` reach further back", Count(m.Pinned), Count(m.Rows)))
		} else {
			parts = append(parts, fmt.Sprintf("cannot say, with %s rows", Count(m.Rows)))
		}
	}
	if m.Rows == 0 && m.Verdict == record.DriftFound {
		parts = append(parts, "no row in the window")
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("nothing moved in %s rows", Count(m.Rows)))
	}
	if len(m.New) > 0 {
		parts = append(parts, "new: "+names(m.New))
	}
	out := fmt.Sprintf("%s, %s to %s: %s", m.Monitor, m.From.UTC().Format(time.DateOnly), m.Before.UTC().Format(time.DateOnly), strings.Join(parts, "; "))
	if m.Missed > 0 {
		out += fmt.Sprintf(" (%s before it not looked at)", plural(m.Missed, "window"))
	}
	return out
}

func triggerValues(t record.TriggerState) string {
	return values(record.Gate{Values: t.Values})
}

func names(all []string) string {
	if len(all) > 3 {
		return strings.Join(all[:3], ", ") + fmt.Sprintf(" and %d more", len(all)-3)
	}
	return strings.Join(all, ", ")
}

// watchHeadline is the first line of a schedule.
func watchHeadline(ci record.CI, word string) string {
	for _, m := range ci.Monitors {
		if WatchWord(m) == word {
			out := word + " — " + WatchSentence(m)
			if n := len(ci.Monitors) - 1; n > 0 {
				out += fmt.Sprintf("; and %s more", plural(n, "monitor"))
			}
			return out
		}
	}
	return word
}

// watchNeeds says what a person has to do about what monitors saw.
func watchNeeds(ci record.CI) []string {
	var out []string
	for _, p := range ci.Proposals {
		where := "branch " + p.Branch
		if p.URL != "" {
			where = p.URL
		}
		out = append(out, fmt.Sprintf("Review the proposal to pin %s anew: %s.", p.Dataset, where))
	}
	for _, m := range ci.Monitors {
		if len(m.Failed) > 0 {
			out = append(out, fmt.Sprintf("Look at the source of %s: %s failed in the newest window.", m.Dataset, names(m.Failed)))
		}
		if len(m.Changed) > 0 {
			out = append(out, fmt.Sprintf("Look at the source of %s: %s.", m.Dataset, Changes(m.Changed)))
		}
	}
	return out
}
