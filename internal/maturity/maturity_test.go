package maturity

import (
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

func facts() Facts {
	lock := &doc.Lock{Content: "sha256:1"}
	return Facts{
		Docs: &doc.Set{Models: map[string]*doc.Model{"delay": {Champion: "baseline"}}, Experiments: map[string]*doc.Experiment{"baseline": {Hypothesis: "It works."}},
			Datasets: map[string]*doc.Dataset{"flights": {Owner: "@ann", Checks: map[string]doc.Check{"rows": {Level: "critical"}}}}, Locks: map[string]*doc.Lock{"flights": lock},
			Monitors: map[string]*doc.Monitor{}},
		Runs:      []record.Run{{Model: "delay", Experiment: "baseline", Inputs: record.Inputs{"digest": "sha256:key"}}},
		Snapshots: []record.Snapshot{{Dataset: "flights", Lock: lock.Digest(), Scores: map[string]float64{"accuracy": 100}}},
		Served:    map[string]string{"delay": "sha256:key"},
		Path: func(r any) string {
			switch r.(type) {
			case record.Run:
				return "a run"
			case record.Monitor:
				return "a window"
			}
			return "a record"
		},
	}
}

func outcome(m record.Maturity, id string) string {
	for _, p := range m.Probes {
		if p.ID == id {
			return p.Outcome
		}
	}
	return "no such probe"
}

func TestJudge(t *testing.T) {
	watched := func(f *Facts, actor string, missed int) {
		f.Docs.Monitors["flights"] = &doc.Monitor{Triggers: map[string]doc.Trigger{"moved": {Then: "retrain"}}}
		for week := range 4 {
			f.Monitors = append(f.Monitors, record.Monitor{Header: record.Header{Actor: actor}, Monitor: "flights", Rows: 100, Verdict: record.DriftStable, Missed: missed, Before: time.Unix(int64(week), 0),
				Triggers: map[string]record.TriggerState{"moved": {State: record.TriggerQuiet}}})
		}
	}
	ci := record.Header{Actor: record.ActorCI, By: record.By{PullRequest: 7}}
	for name, c := range map[string]struct {
		change  func(*Facts)
		want    map[string]string
		overall int
	}{
		"a first run on a laptop":       {func(*Facts) {}, map[string]string{"A1": "true", "A2": "false", "C1": "true", "C4": "not_applicable", "M1": "true", "M2": "false"}, 1},
		"nothing at all":                {func(f *Facts) { *f = Facts{Docs: &doc.Set{}, Path: f.Path} }, map[string]string{"A1": "not_applicable", "C1": "not_applicable", "M1": "not_applicable"}, 1},
		"no run":                        {func(f *Facts) { f.Runs = nil }, map[string]string{"A1": "false"}, 0},
		"a run of other inputs":         {func(f *Facts) { f.Served["delay"] = "sha256:other" }, map[string]string{"A1": "false"}, 0},
		"a check that fails":            {func(f *Facts) { f.Snapshots[0].Scores["accuracy"] = 59 }, map[string]string{"M1": "false"}, 0},
		"checks of other rows":          {func(f *Facts) { f.Snapshots[0].Lock = "sha256:other" }, map[string]string{"M1": "false"}, 0},
		"a second model that never ran": {func(f *Facts) { f.Docs.Models["other"] = &doc.Model{Champion: "other"} }, map[string]string{"A1": "false"}, 0},
		"the hypothesis of init":        {func(f *Facts) { f.Docs.Experiments["baseline"].Hypothesis = doc.FirstHypothesis }, map[string]string{"C2": "false"}, 0},
		"an owner of no name": {func(f *Facts) {
			f.Owners = "CODEOWNERS"
			f.Docs.Datasets["flights"].Owner = " "
		}, map[string]string{"C3": "false"}, 1},
		"what is served came without a pull request": {func(f *Facts) {
			f.Versions = []record.Version{{Model: "delay", Number: 1}, {Model: "delay", Number: 2}}
			f.Stages = []record.Stage{{Model: "delay", Stage: "production", Number: 2, Version: 2, Inputs: "sha256:key"}}
			f.Comparisons = []record.ComparisonRecord{{Header: ci, Comparison: record.Comparison{Model: "delay", Promotes: true, Head: record.Side{Digest: "sha256:other"}}}}
		}, map[string]string{"C4": "false"}, 1},
		"what is served was compared": {func(f *Facts) {
			f.Versions = []record.Version{{Model: "delay", Number: 1}, {Model: "delay", Number: 2}}
			f.Stages = []record.Stage{{Model: "delay", Stage: "production", Number: 2, Version: 2, Inputs: "sha256:key"}}
			f.Comparisons = []record.ComparisonRecord{{Header: ci, Comparison: record.Comparison{Model: "delay", Promotes: true, Head: record.Side{Digest: "sha256:key"}}}}
		}, map[string]string{"C4": "true"}, 1},
		"windows without rows": {func(f *Facts) {
			watched(f, record.ActorCI, 0)
			for i := range f.Monitors {
				f.Monitors[i].Rows, f.Monitors[i].Verdict = 0, record.DriftInsufficient
			}
		}, map[string]string{"M2": "false"}, 1},
		"no hypothesis": {func(f *Facts) { f.Docs.Experiments["baseline"].Hypothesis = "" }, map[string]string{"C2": "false"}, 0},
		"measured by a person": {func(f *Facts) {
			f.Workflows = map[string][]string{"w.yml": {"push", "pull_request"}}
			f.Comparisons = []record.ComparisonRecord{{Header: record.Header{Actor: record.ActorHuman, By: record.By{PullRequest: 7}}}}
		}, map[string]string{"A2": "false"}, 1},
		"measured by the CI": {func(f *Facts) {
			f.Workflows = map[string][]string{"w.yml": {"push", "pull_request"}}
			f.Comparisons = []record.ComparisonRecord{{Header: ci}}
		}, map[string]string{"A2": "true"}, 1},
		"watched by a person": {func(f *Facts) { watched(f, record.ActorHuman, 0) }, map[string]string{"M2": "true", "M3": "true", "M4": "false"}, 1},
		"watched by the CI": {func(f *Facts) {
			watched(f, record.ActorCI, 0)
			f.Workflows = map[string][]string{"s.yml": {"schedule"}}
		}, map[string]string{"M4": "true"}, 1},
		"windows were missed": {func(f *Facts) {
			watched(f, record.ActorCI, 1)
			f.Workflows = map[string][]string{"s.yml": {"schedule"}}
		}, map[string]string{"M4": "false"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := facts()
			c.change(&f)
			m := Judge(f)
			for id, want := range c.want {
				if got := outcome(m, id); got != want {
					t.Errorf("%s is %s, want %s", id, got, want)
				}
			}
			if m.Overall != c.overall {
				t.Errorf("overall %d, want %d: %+v", m.Overall, c.overall, m.Axes)
			}
			for _, p := range m.Probes {
				if (p.Remedy == "") != (p.Outcome != record.ProbeFalse) {
					t.Errorf("%s is %s and its remedy %q", p.ID, p.Outcome, p.Remedy)
				}
			}
		})
	}
}
