package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/record"
)

// need is something that somebody has to look at: who, what, and where more of it stands.
type need struct {
	Role string // id of a reader
	Text string
	Href string
}

// Who is the reader that it is for, by name.
func (n need) Who() string {
	for _, r := range readers {
		if r.id == n.Role {
			return r.name
		}
	}
	return ""
}

// needs lists what somebody has to do next, the most pressing first: what is proposed, rows that fail, alarms, requirements that do not hold, and
// what could not be said yet.
func (s *builder) needs(f frame) []need {
	out := s.brokenLedger(f)
	if s.CI != nil {
		for _, text := range brief.Of(*s.CI).Needs {
			out = append(out, need{dataScientist, "This pull request: " + text, f.to("proposal.html")})
		}
		if b := brief.Of(*s.CI); !b.Fails && b.Verdict == "better" {
			out = append(out, need{dataScientist, "This pull request passes every gate: review it, and merge it if you agree.", f.to("proposal.html")})
		}
	}
	out = append(out, s.refusedRows(f)...)
	out = append(out, s.alarmed(f)...)
	out = append(out, s.openProposals(f)...)
	out = append(out, s.unmet(f)...)
	return append(out, s.undecided(f)...)
}

// brokenLedger is said before all else: nothing below it can be relied on.
func (s *builder) brokenLedger(f frame) []need {
	var out []need
	if s.Unread > 0 {
		out = append(out, need{dataEngineer, fmt.Sprintf("What the ledger holds can't all be read, and this site leaves it out (%s): `plumb verify` says what was done and how to mend it.", plural(s.Unread, "record")), f.to("runs.html")})
	}
	if s.Rewritten {
		out = append(out, need{dataEngineer, "The ledger has lost records that were seen before: `plumb verify` says which, and `plumb verify --mend` brings them back.", f.to("runs.html")})
	}
	return out
}

// refusedRows are rows that a branch pinned after those that are pinned here, and that fail a critical check.
func (s *builder) refusedRows(f frame) []need {
	var out []need
	seen := map[string]bool{}
	newest := slices.SortedFunc(slices.Values(s.Input.Snapshots), func(a, b record.Snapshot) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.ID, a.ID)) })
	for i := range newest {
		n := &newest[i]
		pinned := s.snapshots[n.Dataset]
		if pinned == nil || n.Lock == pinned.Lock || n.Time.Before(pinned.Time) || seen[n.Lock] || !n.Fails() {
			continue
		}
		seen[n.Lock] = true
		out = append(out, need{dataEngineer, fmt.Sprintf("%s brings rows of %s that fail %s. Do not merge it; mend what delivers them. The rows pinned here are not touched by it.", broughtBy(n), n.Dataset, s.failedChecks(n)), s.toDataset(f, n.Dataset)})
	}
	return out[:min(len(out), 3)]
}

// broughtBy names where a snapshot's rows come from.
func broughtBy(n *record.Snapshot) string {
	if n.By.PullRequest > 0 {
		return fmt.Sprintf("Pull request %d, of %s,", n.By.PullRequest, day(n.Time))
	}
	return "A branch, pinned on " + day(n.Time) + ","
}

// failedChecks names the critical checks that fail on a snapshot's rows, with how many rows.
func (s *builder) failedChecks(n *record.Snapshot) string {
	var q record.Quality
	if s.blob(n.Quality, &q) != "" {
		return "a critical check"
	}
	var out []string
	for _, c := range q.Checks {
		if c.State == record.CheckFail && c.Level == "critical" {
			text := c.ID
			if c.UnexpectedCount != nil {
				text += fmt.Sprintf(" (%s of %s rows of %s)", brief.Count(*c.UnexpectedCount), brief.Count(n.Rows), firstOf(c.Column, strings.Join(c.Columns, ", "), "the table"))
			}
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return "a critical check"
	}
	return brief.Clip(strings.Join(out, ", "), 200)
}

// alarmed are the monitors whose newest window is an alarm, has drifted, or could not be judged.
func (s *builder) alarmed(f frame) []need {
	var out []need
	for _, id := range s.allMonitors() {
		all := s.watched[id]
		if len(all) == 0 {
			continue
		}
		seen := seenIn(all[0])
		if said := map[string]string{brief.Alarm: "Alarm: ", brief.Drifted: "Drift: ", brief.Unknown: "A monitor cannot see: "}[brief.WatchWord(seen)]; said != "" {
			out = append(out, need{dataEngineer, said + brief.WatchSentence(seen), f.to(pagePath("monitors", id))})
		}
	}
	return capped(out)
}

// openProposals are pins that a trigger asked for and that nobody has taken, nor pinned anything since. What is merged is read from the lock: branches are
// not what the site is made of.
func (s *builder) openProposals(f frame) []need {
	var out []need
	for _, id := range s.allMonitors() {
		for _, m := range s.watched[id] {
			if m.Lock.IsZero() {
				continue
			}
			lock, pinned := s.Docs.Locks[m.Dataset], s.snapshots[m.Dataset]
			if lock != nil && strings.TrimPrefix(lock.Digest(), "sha256:") != m.Lock.SHA256 && (pinned == nil || pinned.Time.Before(m.Time)) {
				out = append(out, need{dataScientist, fmt.Sprintf("Monitor %s proposed on %s to train on the newest rows of %s (branch plumb/retrain-%s-…): measure it, and merge it or delete the branch.", id, day(m.Time), m.Dataset, m.Dataset), f.to(pagePath("monitors", id))})
			}
			break // an older one is of yesterday
		}
	}
	return capped(out)
}

// unmet are requirements of the design card that a champion does not keep.
func (s *builder) unmet(f frame) []need {
	var out []need
	for _, model := range sortedKeys(s.Docs.Models) {
		r := s.champion(model)
		if r == nil {
			continue
		}
		for _, b := range evaluate.Requirements(s.Docs.Design, r) {
			if classOf(b.State) == "bad" {
				out = append(out, need{stakeholder, model + " does not keep a requirement: " + brief.Requirement(b), f.to("design.html")})
			}
		}
	}
	return capped(out)
}

// undecided are proposals in the tree that the newest comparison could not tell from what is served.
func (s *builder) undecided(f frame) []need {
	var out []need
	for _, id := range sortedKeys(s.Docs.Experiments) {
		e := s.Docs.Experiments[id]
		if m := s.Docs.Models[e.Model]; m == nil || m.Champion == id {
			continue
		}
		c := s.newestComparison(id)
		if c == nil {
			out = append(out, need{dataScientist, id + " was never compared with what is served: open a pull request for it, or take its document away.", s.toExperiment(f, id)})
		} else if c.Comparison.Verdict == record.Inconclusive {
			out = append(out, need{dataScientist, id + " could not be told from what is served: " + firstOf(c.Comparison.Reason, "more test rows would"), f.to(pagePath("comparisons", c.ID))})
		}
	}
	return capped(out)
}

// neededFrom are the needs of one reader.
func neededFrom(all []need, role string) []need {
	return slices.DeleteFunc(slices.Clone(all), func(n need) bool { return n.Role != role })
}
