package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plumb-ml/plumb/internal/problem"
)

const (
	atOnce      = 16       // requests under way
	largeBlob   = 16 << 20 // takes several buffers while it is sent
	largeAtOnce = 2
	// Grace is how long a blob stays after a Push named it, whatever else names it: longer than anyone takes from sending blobs to sending their records.
	Grace = 7 * 24 * time.Hour
	// refreshAfter is when Push sends what is there once more, so that it is young. A day before it must be, clocks being what they are.
	refreshAfter = Grace - 24*time.Hour
)

// Each does something with every item, several at a time, until one fails.
func Each[T any](ctx context.Context, items []T, do func(ctx context.Context, item T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, item := range items {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, item)
		})
	}
	return group.Wait()
}

// unique leaves out what is named twice; the one with a file counts.
func unique(named []Named) ([]Named, error) {
	at := map[string]int{}
	var out []Named
	for _, n := range named {
		if err := n.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", n.What, err)
		}
		i, ok := at[n.SHA256]
		switch {
		case !ok:
			at[n.SHA256] = len(out)
			out = append(out, n)
		case out[i].Bytes != n.Bytes:
			return nil, fmt.Errorf("blob %s: %s says %d bytes, %s says %d", n.SHA256, out[i].What, out[i].Bytes, n.What, n.Bytes)
		case out[i].File == "":
			out[i].File = n.File
		}
	}
	return out, nil
}

// survey asks the shelf about every blob: which it lacks, and which it has but from too long ago.
func (s *shelved) survey(ctx context.Context, named []Named) (lacking, old []Named, err error) {
	var mu sync.Mutex
	err = Each(ctx, named, func(ctx context.Context, n Named) error {
		item, err := s.shelf.stat(ctx, n.SHA256)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil || item.Bytes != n.Bytes:
			lacking = append(lacking, n)
		case n.File == "" && !item.Modified.IsZero() && time.Since(item.Modified) > refreshAfter:
			old = append(old, n)
		}
		return nil
	})
	return lacking, old, err
}

// Missing asks the shelf.
func (s *shelved) Missing(ctx context.Context, named []Named) ([]Named, error) {
	named, err := unique(named)
	if err != nil {
		return nil, fmt.Errorf("looking for blobs: %w", err)
	}
	lacking, _, err := s.survey(ctx, named)
	if err != nil {
		return nil, fmt.Errorf("looking for blobs in %s: %w", s.shelf, err)
	}
	return lacking, nil
}

// Push sends what the shelf lacks, and looks afterwards whether all is there: somebody may have removed what was there when it began.
func (s *shelved) Push(ctx context.Context, named []Named) (Sent, error) {
	named, err := unique(named)
	if err != nil || len(named) == 0 {
		return Sent{}, err
	}
	lacking, old, err := s.survey(ctx, named)
	if err != nil {
		return Sent{}, fmt.Errorf("looking for blobs in %s: %w", s.shelf, err)
	}
	refreshed := old[:0]
	for _, n := range old { // what nobody here has can't be sent again; it is there
		if _, err := s.find(ctx, n); err == nil {
			refreshed = append(refreshed, n)
		}
	}
	sent, err := s.send(ctx, append(lacking, refreshed...))
	if err != nil {
		return sent, err
	}
	sent.Already = len(named) - sent.Blobs
	if left, _, err := s.survey(ctx, named); err != nil || len(left) > 0 {
		return sent, errors.Join(err, s.notThere(left))
	}
	for _, n := range named {
		if err := s.settle(n.SHA256, n.Bytes); err != nil {
			return sent, fmt.Errorf("moving what was sent to the cache: %w", err)
		}
	}
	s.ageCache(ctx)
	return sent, nil
}

func (s *shelved) notThere(left []Named) error {
	if len(left) == 0 {
		return nil
	}
	return problem.Failedf("run it again", "%s removed %s while they were sent", s.shelf, listNamed(left))
}

// find gives a blob's bytes for sending: from this machine, else from where else the store reads.
func (s *shelved) find(ctx context.Context, n Named) (content, error) {
	for _, own := range s.own() {
		if own.right(ctx, n.Pointer) {
			return fileContent(n.Pointer, own.path(n.SHA256)), nil
		}
	}
	if n.File != "" {
		return fileContent(n.Pointer, n.File), nil
	}
	data, err := s.git.Get(ctx, n.Pointer)
	if err != nil {
		return content{}, err
	}
	return contentOf(n.Pointer, data), nil
}

// send uploads blobs, a bounded number and not too many large ones at a time.
func (s *shelved) send(ctx context.Context, blobs []Named) (Sent, error) {
	if len(blobs) == 0 {
		return Sent{}, nil
	}
	found := make([]content, len(blobs))
	var nowhere []Named
	for i, n := range blobs {
		var err error
		if found[i], err = s.find(ctx, n); err != nil {
			nowhere = append(nowhere, n)
		}
	}
	if len(nowhere) > 0 {
		return Sent{}, problem.Failedf("push from the machine that made them, or run what they belong to again", "%s is neither in %s nor on this machine", listNamed(nowhere), s.shelf)
	}
	if s.opts.Project != "" {
		if err := s.shelf.claim(ctx, s.opts.Project); err != nil {
			return Sent{}, s.refused(err, blobs)
		}
	}
	meter := newMeter(s.opts.Update, blobs)
	large := make(chan struct{}, largeAtOnce)
	err := Each(ctx, found, func(ctx context.Context, c content) error {
		if c.Bytes > largeBlob {
			select {
			case large <- struct{}{}:
				defer func() { <-large }()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := s.shelf.put(ctx, meter.over(c)); err != nil {
			return fmt.Errorf("sending blob %s: %w", c.SHA256, err)
		}
		meter.finish()
		return nil
	})
	if err != nil {
		return meter.sent(), s.refused(err, blobs)
	}
	return meter.sent(), nil
}

// refused says, where credentials don't suffice, what is not there because of that.
func (s *shelved) refused(err error, blobs []Named) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return problem.Failedf(problem.Hint(err), "%s is not in %s, and may not be written: %w", listNamed(blobs), s.shelf, err)
}

// listNamed names a few blobs and counts the rest.
func listNamed(blobs []Named) string {
	const shown = 3
	var names []string
	for _, n := range blobs[:min(shown, len(blobs))] {
		what := n.What
		if what == "" {
			what = "a blob"
		}
		names = append(names, fmt.Sprintf("%s (%.12s…, %d bytes)", what, n.SHA256, n.Bytes))
	}
	text := strings.Join(names, ", ")
	if more := len(blobs) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// meter counts what was sent, and what of a blob was there already.
type meter struct {
	update      func(done, total int, note string)
	blobs       int
	total, done int64
	finished    int64
}

func newMeter(update func(int, int, string), blobs []Named) *meter {
	m := &meter{update: update, blobs: len(blobs)}
	for _, n := range blobs {
		m.total += n.Bytes
	}
	return m
}

const megabyte = 1_000_000

func (m *meter) over(c content) content {
	inner := c.open
	var read atomic.Int64
	c.open = func() (io.ReadCloser, error) {
		r, err := inner()
		if err != nil {
			return nil, err
		}
		atomic.AddInt64(&m.done, -read.Swap(0)) // another try begins anew
		return &counted{r, func(n int) {
			read.Add(int64(n))
			done := min(atomic.AddInt64(&m.done, int64(n)), m.total)
			m.update(int(done/megabyte), int(m.total/megabyte), fmt.Sprintf("MB, %d of %d blobs", atomic.LoadInt64(&m.finished), m.blobs))
		}}, nil
	}
	return c
}

func (m *meter) finish() { atomic.AddInt64(&m.finished, 1) }

func (m *meter) sent() Sent {
	return Sent{Blobs: int(atomic.LoadInt64(&m.finished)), Bytes: min(atomic.LoadInt64(&m.done), m.total)}
}

func readerOf(data []byte) io.Reader { return bytes.NewReader(data) }
