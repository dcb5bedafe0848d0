package problem

import (
	"errors"
	"fmt"
)

// The exit codes of every command.
const (
	ExitFine   = 0 // all is well
	ExitNo     = 1 // a gate or check says no
	ExitWrong  = 2 // wrong use or an invalid document
	ExitFailed = 3 // could not do it
)

// Failure is an error that knows how the program ends and what the reader can do next.
type Failure struct {
	Exit int
	Err  error
	Next string // the hint; may be empty
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Wrongf is wrong use or an invalid document: exit 2.
func Wrongf(hint, format string, args ...any) error {
	return &Failure{Exit: ExitWrong, Err: fmt.Errorf(format, args...), Next: hint}
}

// Failedf is work that could not be done: exit 3.
func Failedf(hint, format string, args ...any) error {
	return &Failure{Exit: ExitFailed, Err: fmt.Errorf(format, args...), Next: hint}
}

// Nof is a gate or check that says no: exit 1.
func Nof(hint, format string, args ...any) error {
	return &Failure{Exit: ExitNo, Err: fmt.Errorf(format, args...), Next: hint}
}

// Exit gives the exit code of err: 0 for nil, that of a Failure, else 3.
func Exit(err error) int {
	var f *Failure
	switch {
	case err == nil:
		return ExitFine
	case errors.As(err, &f):
		return f.Exit
	}
	return ExitFailed
}

// Hint gives what the innermost Failure in err advises, or "".
func Hint(err error) string {
	var f *Failure
	if errors.As(err, &f) {
		return f.Next
	}
	return ""
}
