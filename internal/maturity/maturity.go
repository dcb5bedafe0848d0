// Package maturity judges how a team works with its models, by evidence: documents that say so, records that it happened, and that it came out well.
//
// A probe asks one question (probes.go). It holds when a document has it, a record shows that it ran, and the record says that it passed. Levels are
// 1 to 3 on three axes; an axis has the highest level below which nothing is missing, and the whole has the least of the axes. It is a mirror, not a
// target: a number that is aimed at stops meaning anything, so every probe names its evidence. It is pure, and stores nothing.
package maturity

import (
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// Facts are what probes look at. Records are in the order of their time.
type Facts struct {
	Docs        *doc.Set
	Workflows   map[string][]string // paths of CI workflows that run plumb → the events that they start on
	Owners      string              // path of the CODEOWNERS file; "" where there is none
	Runs        []record.Run
	Comparisons []record.ComparisonRecord
	Snapshots   []record.Snapshot
	Versions    []record.Version
	Stages      []record.Stage
	Monitors    []record.Monitor
	Decisions   []record.Decision
	Served      map[string]string       // model → input digest of its champion
	Path        func(record any) string // of a record in the ledger
}

// finding is what a probe found.
type finding struct {
	has, runs, passes bool
	nothing           bool // there is nothing that it could be about
	evidence          []string
}

// probe is one question.
type probe struct {
	id, axis string
	level    int
	asks     string
	remedy   string
	look     func(f *Facts) finding
}

const mostEvidence = 3

// Judge answers every probe and counts the levels.
func Judge(f Facts) record.Maturity {
	out := record.Maturity{Schema: "plumb.maturity/v1", Overall: topLevel, Axes: map[string]record.Axis{}, Probes: []record.Probe{}}
	for _, p := range probes {
		found := p.look(&f)
		one := record.Probe{ID: p.id, Axis: p.axis, Level: p.level, Asks: p.asks, Has: found.has, Runs: found.runs, Passes: found.passes, Evidence: []string{}}
		if n := len(found.evidence); n > 0 {
			one.Evidence = append(one.Evidence, found.evidence[max(0, n-mostEvidence):]...) // the newest
		}
		switch {
		case found.nothing:
			one.Outcome = record.ProbeNotApplicable
		case found.has && found.runs && found.passes:
			one.Outcome = record.ProbeTrue
		default:
			one.Outcome, one.Remedy = record.ProbeFalse, p.remedy
		}
		out.Probes = append(out.Probes, one)
	}
	for _, axis := range record.Axes {
		level, next := levelOf(out.Probes, axis)
		out.Axes[axis] = record.Axis{Level: level, Next: next}
		out.Overall = min(out.Overall, level)
	}
	return out
}

const topLevel = 3

// levelOf is the highest level below which no probe of the axis fails, and what fails at the next.
func levelOf(all []record.Probe, axis string) (level int, next []string) {
	next = []string{}
	for level < topLevel {
		for _, p := range all {
			if p.Axis == axis && p.Level == level+1 && p.Outcome == record.ProbeFalse {
				next = append(next, p.ID)
			}
		}
		if len(next) > 0 {
			return level, next
		}
		level++
	}
	return level, next
}

// byCI says whether a publishing job vouches for a record. What a person publishes is done by hand, however well.
func byCI(h record.Header) bool { return h.Actor == record.ActorCI }

// some gives the paths of the records that fit.
func some[T any](f *Facts, all []T, fits func(T) bool) []string {
	var out []string
	for _, r := range all {
		if fits(r) {
			out = append(out, f.Path(r))
		}
	}
	return out
}

func (f *Facts) workflow(event string) (paths []string) {
	for path, events := range f.Workflows {
		if slices.Contains(events, event) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}
