// Package retry is patience with services: to try again, longer apart each time, and to give up on one that says nothing at all.
//
// It knows no service: callers say which errors are worth another try. It stores nothing.
package retry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// Attempts is how often something is tried.
const Attempts = 4

const (
	firstWait = 250 * time.Millisecond
	maxWait   = 8 * time.Second
)

// ErrStalled says that a service kept a connection open and sent nothing.
var ErrStalled = errors.New("no answer")

// Final is an error of our own side, which another try would not change.
type Final struct{ Err error }

// Error is that of the cause.
func (f Final) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f Final) Unwrap() error { return f.Err }

// Do calls what until it goes well, fails for good, or has failed Attempts times. The context that what gets ends when it has not called alive for as long as
// patience; that the service stalled is then the error, and worth another try.
func Do(ctx context.Context, patience time.Duration, temporary func(error) bool, what func(ctx context.Context, alive func()) error) error {
	for n := 1; ; n++ {
		watched, alive, done := Watch(ctx, patience)
		err := Cause(watched, what(watched, alive))
		done()
		var own Final
		if err == nil || n == Attempts || ctx.Err() != nil || errors.As(err, &own) || !(errors.Is(err, ErrStalled) || temporary(err)) {
			return err
		}
		if err := Pause(ctx, n); err != nil {
			return err
		}
	}
}

// Pause waits before try n+1, longer each time, and not all callers alike.
func Pause(ctx context.Context, n int) error {
	wait := min(firstWait<<n, maxWait)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait/2 + rand.N(wait/2)):
		return nil
	}
}

// Watch gives a context that ends with ErrStalled when alive was not called for as long as patience. Call done when it is over.
func Watch(ctx context.Context, patience time.Duration) (watched context.Context, alive, done func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(fmt.Errorf("%w for %s", ErrStalled, patience)) })
	return watched, func() { timer.Reset(patience) }, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}

// Cause puts why a context ended in the place of the error that followed from it.
func Cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Source is a reader that tells when there is progress, and keeps its own error apart from that of the service that it is sent to.
type Source struct {
	io.Reader
	Alive func()
	Abort func() // called when reading fails, before anyone can take what was read so far for the whole; may be nil
	Err   error  // of reading
}

// Read reads.
func (s *Source) Read(p []byte) (int, error) {
	s.Alive()
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.Err = err
		if s.Abort != nil {
			s.Abort()
		}
	}
	return n, err
}

// Unreachable says that nobody is there, or that the name is nobody's: another try seconds later gives the same.
func Unreachable(err error) bool {
	var dial *net.OpError
	var name *net.DNSError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &name) && !name.IsTemporary
}
