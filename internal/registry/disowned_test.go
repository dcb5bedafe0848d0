package registry

import (
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// A stage of three records, of which the two later were disowned: each served until the next, and the last until it was disowned.
func TestServed(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2001, 7, d, 0, 0, 0, 0, time.UTC) }
	stage := func(number, version, d int) record.Stage {
		return record.Stage{Header: record.Header{Time: day(d), By: record.By{Who: "ann"}}, Model: "delay", Stage: "production", Number: number, Version: version}
	}
	third, fourth, early := stage(3, 3, 5), stage(4, 4, 7), stage(5, 5, 2)
	s := Source{Stages: []record.Stage{stage(1, 1, 1), stage(2, 2, 3)}, Off: []Off{
		{Path: "stages/delay/production/3.toml", Stage: &third, Why: "disowned by bob", When: day(20)},
		{Path: "stages/delay/production/4.toml", Stage: &fourth, When: day(9)},
		{Path: "stages/delay/production/5.toml", Stage: &early, When: day(6)}, // before it was made, by the clock of its predecessor: it never served
		{Path: "versions/delay/4.toml", Version: &record.Version{Model: "delay", Number: 4}, When: day(9)},
	}}
	got := s.Served()
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		version     string
		since, till int
	}{{"v3.0.0", 5, 7}, {"v4.0.0", 7, 9}} {
		if g := got[i]; *g.Assignment.Version != want.version || !g.Since.Equal(day(want.since)) || !g.Until.Equal(day(want.till)) || g.Assignment.Counted {
			t.Errorf("%d: %+v", i, g)
		}
	}
}
