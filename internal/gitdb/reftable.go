package gitdb

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// This file is refs.go and moveRef for repositories whose refs are in a reftable, through the git program.

func (r *Repo) listReftable(prefix string) ([]Ref, error) {
	pattern := prefix[:strings.LastIndex(prefix, "/")]
	out, err := r.git(context.Background(), call{args: []string{"for-each-ref", "--format=%(objectname) %(refname)", "--", pattern}})
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	var refs []Ref
	for line := range strings.Lines(out) {
		oid, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, prefix) && checkRefName(name) == nil {
			refs = append(refs, Ref{name, oid})
		}
	}
	return refs, nil
}

func (r *Repo) reftableValue(name string) (string, error) {
	if err := checkRefName(name); err != nil {
		return "", err
	}
	out, err := r.git(context.Background(), call{args: []string{"rev-parse", "--verify", "--quiet", name}})
	if unset(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading ref %s: %w", name, err)
	}
	return strings.TrimSpace(out), nil
}

func (r *Repo) reftableHead() (target, commit string, err error) {
	out, err := r.git(context.Background(), call{args: []string{"symbolic-ref", "--quiet", "HEAD"}})
	if unset(err) {
		out, err = r.git(context.Background(), call{args: []string{"rev-parse", "--verify", "HEAD"}})
		return "", strings.TrimSpace(out), err
	}
	return strings.TrimSpace(out), "", err
}

// unset says that git ended with 1, its answer for what there is not.
func unset(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == 1
}

// moveReftable is moveRef: git itself looks once more whether the ref is at from.
func (r *Repo) moveReftable(ctx context.Context, ref, from, to string) error {
	old := from
	if from == "" {
		old = strings.Repeat("0", r.format.digits)
	}
	_, err := r.git(ctx, call{args: []string{"update-ref", "--no-deref", ref, to, old}})
	if err == nil {
		return nil
	}
	now, readErr := r.reftableValue(ref)
	if readErr == nil && now != from {
		err = ErrMoved
	}
	return fmt.Errorf("moving %s: %w", ref, err)
}
