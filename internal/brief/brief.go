// Package brief is what every face says alike: the verdict as a sentence, the rows of a table, what needs a person, numbers as people write them.
//
// It is not a face: nothing here is Markdown, HTML or a terminal's, and nothing is escaped; a face puts what it takes from here through the escaper
// of its sink. It judges nothing either: every verdict is in the record that it reads. It stores nothing.
package brief

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// The words for a whole flow, where no comparison gives one.
const (
	Failed  = "failed"        // could not do it
	Invalid = "invalid"       // documents have errors
	Blocked = "blocked"       // a critical data check fails, or a feature leaks
	Staged  = "staged"        // a push stages a version
	Data    = "data only"     // data changed and no model was compared
	Nothing = "nothing to do" // no step had anything to do
)

// The limits of what a reader takes in at once.
const (
	MaxNeeds = 3
	MaxRows  = 8
)

// Brief is what a flow found, said once for every face.
type Brief struct {
	Verdict  string   // one of the verdicts of record, or of the words above
	Sentence string   // "plumb: better — delay: origin-history beats baseline, AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)"
	Fails    bool     // a gate or check says no
	Needs    []string // at most MaxNeeds
	Rows     []Row    // at most MaxRows, gates first
	Hidden   int      // rows that there was no room for
	Several  bool     // the rows are of more than one comparison: show Row.Model
	Gates    []string // a sentence for each [gate.*]
	Claims   []string // what became of each hypothesis
	Data     []string // a sentence for each dataset that changed or fails
	Method   []string // how each comparison was made
}

// Of says what a flow found.
func Of(ci record.CI) Brief {
	b := Brief{Verdict: verdictOf(ci), Fails: fails(ci), Several: len(ci.Comparisons) > 1}
	b.Sentence = "plumb: " + headline(ci, b.Verdict)
	b.Needs = shorten(needs(ci))
	b.Rows, b.Hidden = table(ci.Comparisons)
	for _, c := range ci.Comparisons {
		name := ""
		if b.Several {
			name = c.Model + ", " + c.Experiment + ": "
		}
		for _, g := range c.Gates {
			b.Gates = append(b.Gates, name+GateSentence(g))
		}
		if s := Hypothesis(c); s != "" {
			b.Claims = append(b.Claims, name+s)
		}
		if s := Method(c); s != "" {
			b.Method = append(b.Method, name+s)
		}
	}
	for _, d := range ci.Data {
		b.Data = append(b.Data, DataSentence(d))
	}
	if len(ci.Monitors) > 1 { // of one the headline says it all
		for _, m := range ci.Monitors {
			b.Data = append(b.Data, WatchSentence(m))
		}
	}
	return b
}

// rank orders the verdicts: the first that occurs is that of the whole.
var rank = []string{record.Missing, record.Worse, record.Inconclusive, record.NewQuestion, record.Better, record.First, record.Same}

// verdictOf gives the one verdict of a flow.
func verdictOf(ci record.CI) string {
	switch {
	case failedStep(ci) != nil:
		return Failed
	case len(errorsOf(ci)) > 0:
		return Invalid
	case blocking(ci) != nil, blockingFeature(ci) != nil:
		return Blocked
	}
	told := headlined(ci)
	for _, v := range rank {
		for _, c := range told {
			if c.Verdict == v {
				return v
			}
		}
	}
	switch {
	case len(ci.Monitors) > 0:
		return watchWord(ci.Monitors)
	case len(ci.Staged) > 0:
		return Staged
	case anyData(ci):
		return Data
	}
	return Nothing
}

// headlined gives the comparisons that the first line speaks of: those that change what is served, or all when none does.
func headlined(ci record.CI) []record.Comparison {
	var out []record.Comparison
	for _, c := range ci.Comparisons {
		if c.Promotes {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return ci.Comparisons
	}
	return out
}

func failedStep(ci record.CI) *record.Step {
	for i := range ci.Steps {
		if ci.Steps[i].State == "failed" && ci.Exit == problem.ExitFailed {
			return &ci.Steps[i]
		}
	}
	return nil
}

func errorsOf(ci record.CI) []problem.Problem {
	var out []problem.Problem
	for _, p := range ci.Problems {
		if p.Level == problem.LevelError {
			out = append(out, p)
		}
	}
	return out
}

func blocking(ci record.CI) *record.DataChange {
	for i := range ci.Data {
		if ci.Data[i].Blocking {
			return &ci.Data[i]
		}
	}
	return nil
}

func blockingFeature(ci record.CI) *record.FeatureCheck {
	for i := range ci.Features {
		if ci.Features[i].Blocking {
			return &ci.Features[i]
		}
	}
	return nil
}

func anyData(ci record.CI) bool {
	for _, d := range ci.Data {
		if d.Changed {
			return true
		}
	}
	return false
}

// fails says whether a gate or a check says no.
func fails(ci record.CI) bool {
	if blocking(ci) != nil || blockingFeature(ci) != nil {
		return true
	}
	for _, c := range ci.Comparisons {
		if c.Promotes && failsGate(c) {
			return true
		}
	}
	return false
}

func failsGate(c record.Comparison) bool {
	for _, m := range c.Metrics {
		if m.Gate == record.GateFail {
			return true
		}
	}
	for _, g := range c.Gates {
		if g.State != record.GatePass {
			return true
		}
	}
	return false
}

// shorten keeps as many needs as a reader takes in and counts the rest.
func shorten(all []string) []string {
	if len(all) <= MaxNeeds {
		return all
	}
	out := append([]string(nil), all[:MaxNeeds]...)
	out[MaxNeeds-1] += fmt.Sprintf(" And %d more, below.", len(all)-MaxNeeds)
	return out
}

// Clip keeps the first n characters of text, whole words, and marks the cut.
func Clip(text string, n int) string {
	runes := []rune(text)
	if len(runes) <= n {
		return text
	}
	cut := string(runes[:n-1])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// plural gives "1 row" and "2 rows".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

// Short is a commit or digest as people quote it.
func Short(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	if len(digest) > 7 {
		return digest[:7]
	}
	return digest
}
