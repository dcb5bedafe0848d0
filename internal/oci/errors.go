package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/retry"
)

func (r *Repository) try(ctx context.Context, what func(ctx context.Context, alive func()) error) error {
	return retry.Do(ctx, r.patience, temporary, what)
}

// status gives the HTTP status that an error came with, or 0.
func status(err error) int {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || status(err) == http.StatusNotFound
}

// isCollected says that the registry took away a layer before there was a manifest to name it.
func isCollected(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool {
		return d.Code == transport.ManifestBlobUnknownErrorCode
	})
}

// temporary says whether the same request may go well later.
func temporary(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, fs.ErrNotExist) || retry.Unreachable(err) {
		return false
	}
	code := status(err)
	return code == 0 || isCollected(err) || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
}

// explain turns a registry's answer into an error that says what is wrong and what to do.
func (r *Repository) explain(doing string, err error) error {
	var own retry.Final
	switch code := status(err); {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.Err
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: %w", doing, r, err)
	case errors.Is(err, retry.ErrStalled):
		return problem.Failedf("see whether the registry is up; what was done so far is kept", "%s %s: %w", doing, r, err)
	case isAbsent(err):
		return fmt.Errorf("%s %s: %w", doing, r, fs.ErrNotExist)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return problem.Failedf("`docker login "+r.repo.RegistryStr()+"` with an account that may", "%s %s: these credentials may not do this (%s): %w", doing, r, short(err), fs.ErrPermission)
	case code == http.StatusMethodNotAllowed:
		return problem.Failedf("do it in the registry's own pages, or allow deletion there", "%s %s: the registry does not allow it: %w", doing, r, fs.ErrPermission)
	case retry.Unreachable(err):
		return problem.Failedf("see the network, [store] url and HTTPS_PROXY", "%s %s: it can't be reached: %s", doing, r, short(err))
	}
	return problem.Failedf("try again later; what was done so far is kept", "%s %s: %s", doing, r, short(err))
}

const maxError = 300

// short keeps an error of the library to a line.
func short(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return text
}
