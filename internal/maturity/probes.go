package maturity

import (
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// probes is every question, by axis and level. Each names its evidence, and what to do where there is none.
var probes = []probe{
	{"A1", "automation", 1, "Is what is served trained by one command, from inputs that are all recorded?",
		"name a champion in models/<name>.toml, then `plumb run`", servedRun},
	{"A2", "automation", 2, "Does the CI measure each pull request?",
		"`plumb init --action OWNER/REPO@SHA` writes the workflow; then open a pull request", measured},
	{"A3", "automation", 2, "Is what is merged staged by the CI, as a version?",
		"merge a change of the champion with the push workflow in place", staged},
	{"A4", "automation", 3, "Does an alarm propose a retraining, and is what it proposes measured?",
		"give a trigger of a monitor `then = \"retrain\"`, and let the schedule run", retrained},
	{"C1", "collaboration", 1, "Are the data pinned, so that everyone means the same rows?",
		"`plumb data pin`, and commit the locks", pinned},
	{"C2", "collaboration", 1, "Does every experiment say what it expects before it runs?",
		"write `hypothesis` in experiments/<name>.toml, with a number in [expect]", hypothesised},
	{"C3", "collaboration", 2, "Is it written down who answers for the data and the decisions?",
		"name an owner in datasets/<name>.toml and write a CODEOWNERS file", owned},
	{"C4", "collaboration", 2, "Are changes of what is served compared before they are merged?",
		"change the champion in a pull request, not on the branch", compared},
	{"C5", "collaboration", 3, "Has anyone made a recorded run again?",
		"`plumb reproduce RUN`, best from another clone", reproduced},
	{"M1", "monitoring", 1, "Are the pinned rows checked, and do they pass?",
		"add a critical [check.…] to datasets/<name>.toml; `plumb data pin` records what the checks say of the pinned rows", checked},
	{"M2", "monitoring", 2, "Is the data that comes in looked at, window by window?",
		"add monitors/<name>.toml, and let the schedule run", watched},
	{"M3", "monitoring", 2, "Does a condition say when something has to be done?",
		"add a [trigger.…] to a monitor; `plumb trigger check` says how often it would cry wolf", triggered},
	{"M4", "monitoring", 3, "Is every window looked at, by the CI?",
		"let the schedule workflow run; a window that was missed is counted", unbroken},
}

func servedRun(f *Facts) finding {
	out := finding{nothing: len(f.Docs.Models) == 0}
	out.runs = true
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Models)) {
		if f.Docs.Models[id].Champion == "" {
			continue
		}
		runs := some(f, f.Runs, func(r record.Run) bool {
			return r.Model == id && r.Inputs.Key() != "" && f.Served[id] == r.Inputs.Key()
		})
		out.has, out.runs, out.evidence = true, out.runs && len(runs) > 0, append(append(out.evidence, "models/"+id+".toml"), runs...)
	}
	out.runs = out.has && out.runs
	out.passes = out.runs
	return out
}

func measured(f *Facts) finding {
	workflows := f.workflow("pull_request")
	made := some(f, f.Comparisons, func(c record.ComparisonRecord) bool { return byCI(c.Header) && c.By.PullRequest > 0 })
	return finding{has: len(workflows) > 0, runs: len(made) > 0, passes: len(made) > 0, evidence: append(workflows, made...)}
}

func staged(f *Facts) finding {
	workflows := f.workflow("push")
	made := some(f, f.Stages, func(s record.Stage) bool { return byCI(s.Header) })
	return finding{has: len(workflows) > 0, runs: len(made) > 0, passes: len(made) > 0, evidence: append(workflows, made...), nothing: len(f.Docs.Models) == 0}
}

func retrained(f *Facts) finding {
	var out finding
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Monitors)) {
		for _, t := range f.Docs.Monitors[id].Triggers {
			if t.Then == "retrain" {
				out.has, out.evidence = true, append(out.evidence, "monitors/"+id+".toml")
			}
		}
	}
	out.evidence = slices.Compact(out.evidence)
	proposals := some(f, f.Monitors, func(m record.Monitor) bool { return m.Lock.SHA256 != "" && byCI(m.Header) })
	out.runs, out.evidence = len(proposals) > 0, append(out.evidence, proposals...)
	out.passes = out.runs && slices.ContainsFunc(f.Comparisons, func(c record.ComparisonRecord) bool {
		return byCI(c.Header) && slices.Contains(c.Comparison.Inputs.Changed, "dataset")
	})
	return out
}

func pinned(f *Facts) finding {
	out := finding{nothing: len(f.Docs.Datasets) == 0, has: true, runs: true, passes: true}
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Datasets)) {
		if f.Docs.Locks[id] == nil {
			out.has, out.passes = false, false
			continue
		}
		out.evidence = append(out.evidence, "datasets/"+id+".lock.toml")
	}
	return out
}

func hypothesised(f *Facts) finding {
	out := finding{nothing: len(f.Docs.Experiments) == 0, has: true, runs: true, passes: true}
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Experiments)) {
		out.evidence = append(out.evidence, "experiments/"+id+".toml")
		if h := f.Docs.Experiments[id].Hypothesis; strings.TrimSpace(h) == "" || h == doc.FirstHypothesis {
			out.has = false
		}
	}
	for _, r := range f.Runs { // what was claimed after the fact was not a hypothesis
		if e := f.Docs.Experiments[r.Experiment]; e != nil && f.Served[r.Model] == r.Inputs.Key() && r.Hypothesis != "" && r.Hypothesis != e.HypothesisDigest() {
			out.passes, out.evidence = false, append(out.evidence, f.Path(r))
		}
	}
	return out
}

func owned(f *Facts) finding {
	out := finding{has: f.Owners != "", runs: true, passes: true}
	if out.has {
		out.evidence = append(out.evidence, f.Owners)
	}
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Datasets)) {
		if strings.TrimSpace(f.Docs.Datasets[id].Owner) == "" {
			out.passes, out.evidence = false, append(out.evidence, "datasets/"+id+".toml")
		}
	}
	return out
}

func compared(f *Facts) finding {
	out := finding{has: true, nothing: true, passes: true}
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Models)) {
		served := newestStage(f, id)
		if served == nil || served.Version < 2 { // the first has nothing to be compared with
			continue
		}
		promoted := some(f, f.Comparisons, func(c record.ComparisonRecord) bool {
			return c.Comparison.Promotes && c.By.PullRequest > 0 && c.Comparison.Model == id && c.Comparison.Head.Digest == served.Inputs
		})
		out.nothing, out.passes, out.evidence = false, out.passes && len(promoted) > 0, append(append(out.evidence, f.Path(*served)), promoted...)
	}
	out.runs = out.passes
	return out
}

// newestStage is what a model serves, or nil.
func newestStage(f *Facts, model string) *record.Stage {
	var newest *record.Stage
	for i := range f.Stages {
		if s := &f.Stages[i]; s.Model == model && s.Stage == "production" && (newest == nil || s.Number > newest.Number) {
			newest = s
		}
	}
	return newest
}

func reproduced(f *Facts) finding {
	made := some(f, f.Decisions, func(d record.Decision) bool { return d.Choice == record.ReproducedRun })
	return finding{has: true, runs: len(made) > 0, passes: len(made) > 0, evidence: made}
}

func checked(f *Facts) finding {
	out := finding{nothing: len(f.Docs.Datasets) == 0, has: true, runs: true, passes: true}
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Datasets)) {
		critical := false
		for _, c := range f.Docs.Datasets[id].Checks {
			critical = critical || c.Level == "critical"
		}
		out.has = out.has && critical
		lock := f.Docs.Locks[id]
		seen := some(f, f.Snapshots, func(s record.Snapshot) bool { return s.Dataset == id && lock != nil && s.Lock == lock.Digest() })
		out.runs, out.evidence = out.runs && len(seen) > 0, append(append(out.evidence, "datasets/"+id+".toml"), seen...)
		for _, s := range f.Snapshots {
			if s.Dataset == id && lock != nil && s.Lock == lock.Digest() && s.Fails() {
				out.passes = false
			}
		}
	}
	return out
}

func watched(f *Facts) finding {
	out := finding{has: len(f.Docs.Monitors) > 0, nothing: len(f.Docs.Datasets) == 0}
	out.runs = out.has
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Monitors)) {
		seen := some(f, f.Monitors, func(m record.Monitor) bool {
			return m.Monitor == id && m.Rows > 0 && m.Verdict != record.DriftInsufficient
		})
		out.runs, out.evidence = out.runs && len(seen) > 0, append(append(out.evidence, "monitors/"+id+".toml"), seen...)
	}
	out.passes = out.runs
	return out
}

func triggered(f *Facts) finding {
	var out finding
	for _, id := range slices.Sorted(maps.Keys(f.Docs.Monitors)) {
		if len(f.Docs.Monitors[id].Triggers) > 0 {
			out.has, out.evidence = true, append(out.evidence, "monitors/"+id+".toml")
		}
	}
	judged := some(f, f.Monitors, func(m record.Monitor) bool {
		return slices.ContainsFunc(slices.Collect(maps.Values(m.Triggers)), func(t record.TriggerState) bool { return t.State != record.TriggerUnknown })
	})
	out.runs, out.passes, out.evidence = len(judged) > 0, len(judged) > 0, append(out.evidence, judged...)
	return out
}

// enoughWindows in a row make a habit.
const enoughWindows = 4

func unbroken(f *Facts) finding {
	workflows := f.workflow("schedule")
	out := finding{has: len(workflows) > 0, evidence: workflows}
	var ours []record.Monitor
	for _, m := range f.Monitors {
		if byCI(m.Header) {
			ours = append(ours, m)
		}
	}
	out.runs = len(ours) >= enoughWindows
	for _, m := range ours[max(0, len(ours)-enoughWindows):] {
		out.passes = out.runs && m.Missed == 0
		out.evidence = append(out.evidence, f.Path(m))
		if m.Missed > 0 {
			return finding{has: out.has, runs: out.runs, evidence: out.evidence}
		}
	}
	return out
}
