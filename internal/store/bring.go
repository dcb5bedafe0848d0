package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// fetchAtOnce is how many objects one call of the git program asks for.
const fetchAtOnce = 200

// Bring fetches what this clone lacks in a few calls: one call a blob takes a tenth of a second each. What can't be brought is left to Get, which says why.
func (s *gitStore) Bring(ctx context.Context, pointers []record.Pointer) error {
	mirror, err := s.repo.Mirror(ctx)
	if errors.Is(err, gitdb.ErrNoRemote) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("fetching blobs: %w", err)
	}
	var oids []string
	unknown := false
	for _, p := range pointers {
		oid := s.idOf(p)
		unknown = unknown || oid == ""
		if oid != "" && !s.repo.Has(oid) && !mirror.Has(oid) {
			oids = append(oids, oid)
		}
	}
	if unknown {
		more, err := s.lookUp(ctx, pointers)
		if err != nil {
			return fmt.Errorf("fetching blobs: %w", err)
		}
		oids = append(oids, slices.DeleteFunc(more, func(oid string) bool { return s.repo.Has(oid) || mirror.Has(oid) })...)
	}
	slices.Sort(oids)
	for batch := range slices.Chunk(slices.Compact(oids), fetchAtOnce) {
		if err := mirror.Fetch(ctx, false, batch...); err != nil && ctx.Err() != nil {
			return fmt.Errorf("fetching blobs: %w", err)
		}
	}
	return nil
}

// lookUp finds the object ids of blobs that are named without one, in the trees of the refs that others see, and remembers them.
func (s *gitStore) lookUp(ctx context.Context, pointers []record.Pointer) ([]string, error) {
	shelf, err := s.shelf(ctx)
	if err != nil {
		return nil, err
	}
	defer shelf.close()
	refs, err := shelf.refs(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, ref := range sortedDown(refs) {
		blobs, _, err := shelf.blobsOf(refs[ref])
		if err != nil {
			return nil, err
		}
		for sum, oid := range blobs {
			all[sum] = oid
		}
	}
	var oids []string
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]string{}
	}
	for _, p := range pointers {
		if oid := all[p.SHA256]; oid != "" && p.OID == "" {
			s.ids[p.SHA256] = oid
			oids = append(oids, oid)
		}
	}
	return oids, nil
}

// idOf gives a blob's object id as far as it is known.
func (s *gitStore) idOf(p record.Pointer) string {
	if p.OID != "" {
		return p.OID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[p.SHA256]
}

// shared is Get without asking whether the blob may be handed out: where others read, and where this clone reads, are one.
func (s *gitStore) shared(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("reading blob: %w", err)
	}
	data, err := s.get(ctx, p)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(readerOf(data)), nil
}

// sizeOf reads a blob that no record names, to know its size.
func (s *gitStore) sizeOf(ctx context.Context, item Item) (int64, error) {
	if data, err := s.repo.Blob(item.oid); err == nil {
		return int64(len(data)), nil
	}
	mirror, err := s.repo.Mirror(ctx)
	if err != nil {
		return 0, err
	}
	if err := mirror.Fetch(ctx, false, item.oid); err != nil {
		return 0, err
	}
	data, err := mirror.Blob(item.oid)
	return int64(len(data)), err
}

// listRefs gives the blobs of a shelf's refs as they were seen last, the youngest first: its day counts.
func (s *gitStore) listRefs(shelf *gitShelf) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		refs, err := shelf.here()
		if err != nil {
			yield(Item{}, err)
			return
		}
		seen := map[string]bool{}
		for _, ref := range sortedDown(refs) {
			p, _ := periodOf(ref)
			blobs, _, err := shelf.blobsOf(refs[ref])
			if err != nil {
				yield(Item{}, err)
				return
			}
			for sum, oid := range blobs {
				if !seen[sum] && !yield(Item{sum, -1, p.day, oid}, nil) {
					return
				}
				seen[sum] = true
			}
		}
	}
}

// Bring has nothing to do: a shelf is asked for many at once anyway.
func (s *shelved) Bring(context.Context, []record.Pointer) error { return nil }

// shared reads from the shelf, whatever this machine has.
func (s *shelved) shared(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	r, err := s.shelf.open(ctx, p)
	if err != nil {
		return nil, err
	}
	return verifying(p, s.shelf.String(), r), nil
}
