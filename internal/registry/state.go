package registry

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// State is a registry at one moment, by artifact. The rules are GTO's: a stage holds the version that was assigned to it last among those that are neither
// deregistered nor unassigned, so that taking the newest away brings back the one before it.
type State map[string]*ModelState

// ModelState is a model at one moment.
type ModelState struct {
	Active   bool // not deprecated
	Versions map[string]*VersionState
}

// VersionState is a version at one moment.
type VersionState struct {
	Registered *record.ModelEvent           // the newest registration; nil for a commit that was only assigned
	Active     bool                         // not deregistered
	Assigned   map[string]record.ModelEvent // stage → the assignment that was not taken back
}

// After gives the state that events leave. They are in order (see Source.History).
func After(events []record.ModelEvent) State {
	state := State{}
	for _, e := range events {
		state.add(e)
	}
	return state
}

func (s State) add(e record.ModelEvent) {
	if !e.Counted {
		return
	}
	m := s[e.Model]
	if m == nil {
		m = &ModelState{Versions: map[string]*VersionState{}}
		s[e.Model] = m
	}
	m.Active = e.Event != record.EventDeprecation
	if e.Version == nil {
		return
	}
	v := m.Versions[*e.Version]
	if v == nil {
		v = &VersionState{Active: true, Assigned: map[string]record.ModelEvent{}}
		m.Versions[*e.Version] = v
	}
	switch e.Event {
	case record.EventRegistration:
		v.Registered, v.Active = &e, true
	case record.EventDeregistration:
		v.Active = false
	case record.EventAssignment:
		v.Assigned[*e.Stage] = e
	case record.EventUnassignment:
		delete(v.Assigned, *e.Stage)
	}
}

// Stages says which assignment each stage holds by; nothing is held of a deprecated model.
func (m *ModelState) Stages() map[string]record.ModelEvent {
	out := map[string]record.ModelEvent{}
	if !m.Active {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		v := m.Versions[name]
		if !v.Active {
			continue
		}
		for stage, e := range v.Assigned {
			if old, ok := out[stage]; !ok || later(e, old) {
				out[stage] = e
			}
		}
	}
	return out
}

// later says which of two assignments of a stage is the newer: by time, and of two records by their numbers.
func later(a, b record.ModelEvent) bool {
	if c := cmp.Compare(a.Time.Unix(), b.Time.Unix()); c != 0 {
		return c > 0
	}
	return numberOf(a.Record) > numberOf(b.Record)
}

func numberOf(path string) int {
	p, err := record.ParsePath(path)
	if err != nil {
		return 0 // a tag's
	}
	return p.Number
}

// Latest is the highest version that is registered and active; "" when there is none.
func (m *ModelState) Latest() string {
	latest := ""
	for name, v := range m.Versions {
		if v.Active && v.Registered != nil && isSemver(name) && (latest == "" || newer(name, latest)) {
			latest = name
		}
	}
	return latest
}

// Term is how long a stage held a version.
type Term struct {
	Assignment record.ModelEvent // by which it holds it
	Since      time.Time         // later than the assignment where taking a newer one away brought it back
	Until      *time.Time        // nil: it holds it still
}

// Terms lists who held which stage when, by model, stage and time. What lasted less than a second is left out.
func Terms(events []record.ModelEvent) []Term {
	var out []Term
	open := map[string]map[string]int{} // model → stage → in out
	state := State{}
	for _, e := range events {
		state.add(e)
		m := state[e.Model]
		if m == nil {
			continue
		}
		if open[e.Model] == nil {
			open[e.Model] = map[string]int{}
		}
		now, running := m.Stages(), open[e.Model]
		for stage, at := range running {
			if held, ok := now[stage]; !ok || !sameAssignment(held, out[at].Assignment) {
				until := e.Time
				out[at].Until = &until
				delete(running, stage)
			}
		}
		for stage, held := range now {
			if _, ok := running[stage]; !ok {
				running[stage] = len(out)
				out = append(out, Term{Assignment: held, Since: e.Time})
			}
		}
	}
	out = slices.DeleteFunc(out, func(t Term) bool { return t.Until != nil && !t.Until.After(t.Since) })
	slices.SortStableFunc(out, func(a, b Term) int {
		return cmp.Or(cmp.Compare(a.Assignment.Model, b.Assignment.Model), cmp.Compare(*a.Assignment.Stage, *b.Assignment.Stage), a.Since.Compare(b.Since))
	})
	return out
}

func sameAssignment(a, b record.ModelEvent) bool {
	return a.Record == b.Record && a.Ref == b.Ref && *a.Version == *b.Version && a.Time.Equal(b.Time)
}

// During says whether a term has a moment in common with the time from one moment to another, both included.
func (t Term) During(from, to time.Time) bool {
	return !t.Since.After(to) && (t.Until == nil || t.Until.After(from))
}
