package record

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Subject says in a few words what a decoded record tells, for a line of a log: "delay: origin-history is better than baseline". "" for what is no record.
func Subject(r any) string {
	switch r := r.(type) {
	case *Run:
		if r.Status != "" && r.Status != "ok" {
			return "run of " + r.Experiment + " " + r.Status
		}
		return "run of " + r.Experiment
	case *ComparisonRecord:
		return compared(r.Comparison)
	case *Snapshot:
		if r.Fails() {
			return "rows of " + r.Dataset + " that fail a check"
		}
		return "rows of " + r.Dataset
	case *Version:
		return fmt.Sprintf("%s version %d is %s", r.Model, r.Number, r.Experiment)
	case *Stage:
		return fmt.Sprintf("%s version %d in %s", r.Model, r.Version, r.Stage)
	case *Monitor:
		return seen(r)
	case *Decision:
		return r.Choice + ": " + r.Reason
	}
	return ""
}

func compared(c Comparison) string {
	against := c.Base.Experiment
	switch against {
	case "":
		return fmt.Sprintf("%s: %s is %s", c.Model, c.Experiment, strings.ReplaceAll(c.Verdict, "_", " "))
	case c.Experiment:
		against = "itself before"
	}
	return fmt.Sprintf("%s: %s against %s, %s", c.Model, c.Experiment, against, strings.ReplaceAll(c.Verdict, "_", " "))
}

func seen(m *Monitor) string {
	out := fmt.Sprintf("%s until %s: %s", m.Monitor, m.Before.UTC().Format(time.DateOnly), m.Verdict)
	var fired []string
	for name, t := range m.Triggers {
		if t.State == TriggerFired {
			fired = append(fired, name)
		}
	}
	slices.Sort(fired)
	if len(m.Failed) > 0 {
		out += ", failed " + strings.Join(m.Failed, ", ")
	}
	if len(fired) > 0 {
		out += ", fired " + strings.Join(fired, ", ")
	}
	return out
}
