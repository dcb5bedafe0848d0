package registry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// priority orders what happened in one second, as GTO does.
var priority = map[string]int{record.EventCreation: 1, record.EventDeprecation: 2, record.EventRegistration: 3, record.EventDeregistration: 4,
	record.EventAssignment: 5, record.EventUnassignment: 6}

// History lists what happened, the oldest first.
func (s Source) History() []record.ModelEvent {
	events, echoes := s.recorded()
	events = append(events, s.tagged(events, echoes)...)
	for _, o := range s.Off {
		events = append(events, s.event(o))
	}
	slices.SortStableFunc(events, func(a, b record.ModelEvent) int {
		return cmp.Or(cmp.Compare(a.Time.Unix(), b.Time.Unix()), cmp.Compare(a.Priority, b.Priority))
	})
	return events
}

// recorded gives the ledger's events, and the names of the tags that repeat them.
func (s Source) recorded() (events []record.ModelEvent, echoes map[string]bool) {
	byClaim := map[string][]Tag{} // path → tags whose message names it
	for _, t := range s.Tags {
		if claim, ok := ClaimOf(t.Message); ok {
			byClaim[claim.Record] = append(byClaim[claim.Record], t)
		}
	}
	echoes = map[string]bool{}
	numbers := map[string]record.Version{}
	for _, v := range s.Versions {
		numbers[VersionPath(v)] = v
	}
	stages := map[string]int{}
	for i, st := range s.Stages {
		stages[StagePath(st)] = i
	}
	for _, e := range s.Echoes() {
		ev := record.ModelEvent{Time: e.Tag.Time, Model: cmp.Or(e.name.Artifact, "?"), Commit: e.Tag.Commit, Author: e.Tag.Author, AuthorEmail: e.Tag.Email,
			Message: strings.TrimSpace(e.Tag.Message), Source: record.SourceLedger, Record: e.Record, Counted: true}
		if v, ok := numbers[e.Record]; ok {
			ev.Event, ev.Version, ev.Number, ev.Intent = record.EventRegistration, textPointer(VersionName(v.Number)), v.Number, v.Code.Commit
		} else {
			st := s.Stages[stages[e.Record]]
			ev.Event, ev.Version, ev.Number, ev.Intent = record.EventAssignment, textPointer(VersionName(st.Version)), st.Version, st.Code.Commit
			ev.Stage = textPointer(st.Stage)
		}
		ev.Priority = priority[ev.Event]
		for _, t := range byClaim[e.Record] {
			if n, ok := ParseName(t.Name); ok && e.SameSeries(n) && !echoes[t.Name] {
				ev.Ref = t.Name
				echoes[t.Name] = true
			}
		}
		events = append(events, ev)
	}
	return events, echoes
}

func textPointer(text string) *string { return &text }

// tagged gives the events of the tags that no record stands behind.
func (s Source) tagged(recorded []record.ModelEvent, echoes map[string]bool) []record.ModelEvent {
	taken := map[string]time.Time{} // artifact, or artifact#stage → first record
	for _, e := range recorded {
		key := e.Model
		if e.Stage != nil {
			key += "#" + *e.Stage
		}
		if first, ok := taken[key]; !ok || e.Time.Before(first) {
			taken[key] = e.Time
		}
	}
	versions := map[[2]string]string{} // artifact and commit → version registered there
	var events []record.ModelEvent
	for _, t := range s.inOrder() {
		n, ok := ParseName(t.Name)
		if !ok || echoes[t.Name] || !s.mine(n.Artifact) {
			continue
		}
		e := record.ModelEvent{Time: t.Time, Model: n.Artifact, Event: eventOf(n), Commit: t.Commit, Author: t.Author, AuthorEmail: t.Email,
			Message: strings.TrimSpace(t.Message), Ref: t.Name, Source: record.SourceTag}
		e.Priority = priority[e.Event]
		switch at := [2]string{n.Artifact, t.Commit}; {
		case n.Version != "":
			e.Version = textPointer(n.Version)
			if e.Event == record.EventRegistration {
				versions[at] = n.Version
			}
		case n.Stage != "":
			e.Version, e.Stage = textPointer(cmp.Or(versions[at], s.versionAt(n.Artifact, t.Commit), t.Commit)), textPointer(n.Stage)
		}
		e.Counted, e.Reason = counts(e, taken)
		if claim, ok := ClaimOf(t.Message); ok {
			e.Reason = fmt.Sprintf("its message names %s, and it is not that record's tag", claim.Record)
			if by := s.Disowned[claim.Record]; by != "" {
				e.Counted, e.Reason = false, fmt.Sprintf("its record %s was %s", claim.Record, by)
			}
		}
		events = append(events, e)
	}
	return events
}

// inOrder is by time, versions before stages, as GTO reads them.
func (s Source) inOrder() []Tag {
	tags := slices.Clone(s.Tags)
	isStage := func(t Tag) int {
		if strings.ContainsRune(t.Name, '#') && !strings.ContainsRune(t.Name, '@') {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(tags, func(a, b Tag) int { return cmp.Or(cmp.Compare(isStage(a), isStage(b)), a.Time.Compare(b.Time)) })
	return tags
}

// versionAt is the recorded version of a commit, "" when there is none.
func (s Source) versionAt(artifact, commit string) string {
	for _, v := range s.Versions {
		if v.Code.Commit == commit && Artifact(s.Prefix, v.Model) == artifact {
			return VersionName(v.Number)
		}
	}
	return ""
}

// mine says whether an artifact is one of this project: any of the repository for a project at its top, else one of its folder.
func (s Source) mine(artifact string) bool {
	return s.Prefix == "" || s.Prefix == "." || strings.HasPrefix(artifact, s.Prefix+":")
}

func eventOf(n Name) string {
	switch {
	case n.Deprecated:
		return record.EventDeprecation
	case n.Created:
		return record.EventCreation
	case n.Version != "" && n.Cancel:
		return record.EventDeregistration
	case n.Version != "":
		return record.EventRegistration
	case n.Cancel:
		return record.EventUnassignment
	}
	return record.EventAssignment
}

// counts says whether a tag's event counts beside the ledger's, and if not, why.
func counts(e record.ModelEvent, taken map[string]time.Time) (bool, string) {
	key := e.Model
	if e.Stage != nil {
		key += "#" + *e.Stage
	}
	first, ok := taken[key]
	if !ok || e.Time.Before(first) {
		return true, ""
	}
	return false, fmt.Sprintf("the ledger decides this since %s, and has no record of it", first.UTC().Format(time.RFC3339))
}
