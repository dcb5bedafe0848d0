package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

const (
	cacheable  = 64 << 20            // larger ones are not kept a second time
	cacheStays = 30 * 24 * time.Hour // since they were read or sent
)

// shelved is a store whose blobs lie on a shelf.
type shelved struct {
	opts   Options
	shelf  shelf
	outbox *folder   // what Put keeps; the shelf itself when that is a folder
	cache  *folder   // nil where reading costs nothing
	git    *gitStore // where blobs of earlier records may be
}

func (s *shelved) String() string { return s.shelf.String() }

// Put writes to the outbox.
func (s *shelved) Put(ctx context.Context, blobs []Blob) ([]record.Pointer, error) {
	pointers := make([]record.Pointer, len(blobs))
	for i, b := range blobs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pointers[i] = b.pointer()
		err := pointers[i].Check()
		if err == nil {
			err = s.outbox.put(ctx, contentOf(pointers[i], b.Data))
		}
		if err != nil {
			return nil, fmt.Errorf("storing: %w", err)
		}
		s.opts.noteMade(pointers[i])
	}
	return pointers, nil
}

// Get reads and verifies a blob.
func (s *shelved) Get(ctx context.Context, p record.Pointer) ([]byte, error) {
	r, err := s.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	data, err := readAll(r, p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if s.cache != nil && p.Bytes <= cacheable && !s.Has(ctx, p) {
		_ = s.cache.put(ctx, contentOf(p, data)) // a cache: without it the next read takes longer
	}
	return data, nil
}

// Open looks on this machine, on the shelf, and in the Git store, where blobs may be that were recorded before [store] url was changed.
func (s *shelved) Open(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	if err := s.opts.allow(ctx, p); err != nil {
		return nil, err
	}
	for _, own := range s.own() {
		if r, err := own.open(ctx, p); err == nil {
			if own == s.cache && !own.right(ctx, p) { // spoilt: it is a cache, so it may go
				_ = errors.Join(r.Close(), own.remove(ctx, p.SHA256))
				continue
			}
			return verifying(p, own.String(), r), nil
		}
	}
	r, err := s.shelf.open(ctx, p)
	if err == nil {
		return verifying(p, s.shelf.String(), r), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		if data, gitErr := s.git.Get(ctx, p); gitErr == nil {
			return io.NopCloser(readerOf(data)), nil
		}
		return nil, fmt.Errorf("reading blob %s: %w", p.SHA256, err)
	}
	data, err := s.git.Get(ctx, p)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, notHere(p, s.shelf.String())
	case err != nil:
		return nil, fmt.Errorf("looking in the Git store, after %s: %w", s.shelf, err)
	}
	return io.NopCloser(readerOf(data)), nil
}

// own are the folders on this machine.
func (s *shelved) own() []*folder {
	if s.cache == nil {
		return []*folder{s.outbox}
	}
	return []*folder{s.outbox, s.cache}
}

// Has looks at this machine's folders.
func (s *shelved) Has(ctx context.Context, p record.Pointer) bool {
	if p.Check() != nil {
		return false
	}
	for _, own := range s.own() {
		if item, err := own.stat(ctx, p.SHA256); err == nil && item.Bytes == p.Bytes {
			return true
		}
	}
	return false
}

// List gives what is on the shelf.
func (s *shelved) List(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for item, err := range s.shelf.list(ctx) {
			if err != nil {
				err = fmt.Errorf("listing %s: %w", s.shelf, err)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// Remove takes blobs off the shelf and out of this machine's folders.
func (s *shelved) Remove(ctx context.Context, sums []string, before time.Time) error {
	for _, sum := range sums {
		if !isSum(sum) {
			return fmt.Errorf("removing blob: %q is no SHA-256", sum)
		}
	}
	err := Each(ctx, sums, func(ctx context.Context, sum string) error {
		if item, err := s.shelf.stat(ctx, sum); err == nil && !before.IsZero() && !item.Modified.Before(before) {
			return nil
		}
		for _, own := range s.own() {
			if err := own.remove(ctx, sum); err != nil {
				return err
			}
		}
		return s.shelf.remove(ctx, sum)
	})
	if err != nil {
		return fmt.Errorf("removing blobs: %w", err)
	}
	return nil
}

// Claims gives who has pushed here.
func (s *shelved) Claims(ctx context.Context) ([]string, error) { return s.shelf.claims(ctx) }

// settle moves a blob that was sent from the outbox to the cache.
func (s *shelved) settle(sum string, size int64) error {
	if s.cache == nil {
		return nil
	}
	from, to := s.outbox.path(sum), s.cache.path(sum)
	if size > cacheable {
		return s.outbox.remove(context.Background(), sum)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ageCache drops what was not read for long.
func (s *shelved) ageCache(ctx context.Context) {
	if s.cache == nil {
		return
	}
	for item, err := range s.cache.list(ctx) {
		if err == nil && time.Since(item.Modified) > cacheStays {
			_ = s.cache.remove(ctx, item.SHA256) // a cache
		}
	}
}
