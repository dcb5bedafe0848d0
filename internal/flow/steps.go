package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// step is one entry of a flow: its name as people read it, and what it does to the flow's state.
// It returns what it did in a few words; a skip is a value with a reason, told to the reader, never confused with failing.
type step[S any] struct {
	name string
	do   func(state S, ctx context.Context) (did string, err error) // a method expression: the state comes first
}

// skip is the error of a step that had nothing to do.
type skip string

func (s skip) Error() string { return string(s) }

// walk takes the steps in order and stops at the first that fails.
func walk[S any](ctx context.Context, p *Project, steps []step[S], state S) ([]record.Step, error) {
	var done []record.Step
	for _, s := range steps {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		p.progress("%s", s.name)
		start := time.Now()
		did, err := s.do(state, ctx)
		entry := record.Step{Name: s.name, State: "done", Why: did, Seconds: time.Since(start).Seconds()}
		var skipped skip
		switch {
		case errors.As(err, &skipped):
			entry.State, entry.Why, err = "skipped", string(skipped), nil
		case err != nil:
			entry.State, entry.Why = "failed", err.Error()
		}
		done = append(done, entry)
		if err != nil {
			return done, during(s.name, err)
		}
	}
	return done, nil
}

// gerunds are how an error begins that ends a step, by the first word of the step's name. The others are named after what they look at.
var gerunds = map[string]string{
	"check": "checking", "comment": "commenting", "compare": "comparing", "describe": "describing", "find": "finding", "load": "loading", "plan": "planning",
	"propose": "proposing", "prove": "proving", "read": "reading", "record": "recording", "run": "running", "tag": "tagging",
}

// during says in which step an error came, unless the error begins so itself.
func during(name string, err error) error {
	verb, object, _ := strings.Cut(name, " ")
	clause := strings.TrimSpace(gerunds[verb] + " " + object)
	if gerunds[verb] == "" {
		clause = "looking at " + name
	}
	if strings.HasPrefix(err.Error(), clause+":") || strings.HasPrefix(err.Error(), gerunds[verb]+" ") && gerunds[verb] != "" {
		return err
	}
	return fmt.Errorf("%s: %w", clause, err)
}
