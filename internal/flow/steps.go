package flow

import (
	"context"
	"errors"
	"fmt"
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
			return done, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return done, nil
}
