package flow

import (
	"errors"
	"testing"
)

// TestDuring: an error says what was going on as a clause, once, and never by a step's name ("error: find run: …", "read ledger: reading the ledger: …").
func TestDuring(t *testing.T) {
	for _, c := range [][3]string{
		{"find run", "there is none", "finding run: there is none"},
		{"read ledger", "reading ledger: locking: no", "reading ledger: locking: no"},
		{"run", "running baseline: no", "running baseline: no"},
		{"run again", "no", "running again: no"},
		{"numbers of runs", "no", "looking at numbers of runs: no"},
	} {
		if got := during(c[0], errors.New(c[1])).Error(); got != c[2] {
			t.Errorf("%s: %q, want %q", c[0], got, c[2])
		}
	}
	for _, names := range [][]string{names(onPullRequest), names(onPush), names(onPublish), names(onSchedule), names(onReproduce), names(onVerify)} {
		for _, name := range names {
			if got := during(name, errors.New("x")).Error(); got == name+": x" {
				t.Errorf("step %q leaks into errors", name)
			}
		}
	}
}
