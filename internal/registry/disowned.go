package registry

import (
	"cmp"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// What was disowned counts for nothing, and it happened: a version that a disowned record put in a stage served people until then. It is told of beside what
// counts, with the reason, and never in its place.

// Off is a stage or version record that was disowned.
type Off struct {
	Path    string
	Stage   *record.Stage // one of the two
	Version *record.Version
	Commit  string    // of the version
	Why     string    // by whom, when and why it was disowned
	When    time.Time // it was disowned
}

// event is what the record said, not counted.
func (s Source) event(o Off) record.ModelEvent {
	e := record.ModelEvent{Commit: o.Commit, Source: record.SourceLedger, Record: o.Path, Reason: o.Why}
	var h record.Header
	model := ""
	if o.Stage != nil {
		model, h = o.Stage.Model, o.Stage.Header
		e.Event, e.Number, e.Stage = record.EventAssignment, o.Stage.Version, textPointer(o.Stage.Stage)
	} else {
		model, h = o.Version.Model, o.Version.Header
		e.Event, e.Number = record.EventRegistration, o.Version.Number
	}
	e.Time, e.Author, e.Intent, e.Priority = h.Time.UTC(), cmp.Or(h.By.Who, "plumb"), h.Code.Commit, priority[e.Event]
	e.Model, e.Version = cmp.Or(Artifact(s.Prefix, model), "?"), textPointer(VersionName(e.Number))
	return e
}

// Served gives the terms of disowned stage records, by model, stage and time: from their time, and not before their
// predecessor's, until the next record of the stage, also a disowned one, or until they were disowned.
func (s Source) Served() []Term {
	var out []Term
	for _, o := range s.Off {
		if o.Stage == nil {
			continue
		}
		t, until := Term{Assignment: s.event(o), Since: o.Stage.Time.UTC()}, o.When.UTC()
		all := s.series(*o.Stage)
		for _, other := range all {
			if at := other.Time.UTC(); other.Number < o.Stage.Number && at.After(t.Since) { // see effective
				t.Since = at
			}
		}
		for _, other := range all { // one that is dated too early ends nothing: who disowned it would hide this one by it
			if at := other.Time.UTC(); other.Number > o.Stage.Number && at.After(t.Since) && at.Before(until) {
				until = at
			}
		}
		if until.After(t.Since) {
			t.Until = &until
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b Term) int {
		return cmp.Or(cmp.Compare(a.Assignment.Model, b.Assignment.Model), cmp.Compare(*a.Assignment.Stage, *b.Assignment.Stage), a.Since.Compare(b.Since))
	})
	return out
}

// series gives all records of the stage that a record is of, disowned or not.
func (s Source) series(of record.Stage) []record.Stage {
	var out []record.Stage
	for _, st := range s.Stages {
		if st.Model == of.Model && st.Stage == of.Stage {
			out = append(out, st)
		}
	}
	for _, o := range s.Off {
		if o.Stage != nil && o.Stage.Model == of.Model && o.Stage.Stage == of.Stage {
			out = append(out, *o.Stage)
		}
	}
	return out
}
