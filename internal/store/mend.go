package store

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// MendOptions say how Mend works.
type MendOptions struct {
	DryRun bool                               // only say what would be sent
	Read   bool                               // also read what the store has: bytes of the right size may be wrong
	Update func(done, total int, note string) // told how many blobs were read; nil: nobody is
}

// Mended says what Mend did.
type Mended struct {
	Blobs    int   `json:"blobs"` // sent, or, dry, to be sent
	Bytes    int64 `json:"bytes"`
	Replaced int   `json:"replaced"` // of them: the store had other bytes
	Nowhere  int   `json:"nowhere"`  // that the store does not have right, and this machine does not have
}

// Mend brings blobs that a store lost, or has with other bytes, back from what this machine has: what it made, read or pinned. It lists the store once; that
// the Git store's trees name other bytes shows there too.
func Mend(ctx context.Context, repo *gitdb.Repo, s Store, named []Named, o MendOptions) (Mended, error) {
	var done Mended
	named, err := unique(named)
	if err != nil || len(named) == 0 {
		return done, err
	}
	lacking, wrong, err := damaged(ctx, s, named, o)
	if err != nil {
		return done, err
	}
	source := Here(repo).(*here)
	source.files = map[string]string{}
	for _, n := range named {
		source.files[n.SHA256] = n.File
	}
	todo, err := had(ctx, source, lacking)
	if err != nil {
		return done, err
	}
	done.Nowhere = len(lacking) - len(todo)
	if o.DryRun {
		for _, p := range todo {
			done.count(p, wrong)
		}
		return done, ctx.Err()
	}
	var mu sync.Mutex
	for batch := range slices.Chunk(todo, copyBatch) {
		failed, err := s.receive(ctx, source, batch, func(p record.Pointer) {
			mu.Lock()
			defer mu.Unlock()
			done.count(p, wrong)
		})
		if err == nil {
			err = firstOf(failed)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// had gives those that a source has. Several are asked for at a time: one that is nowhere is looked for more than once, as a gc may be moving it.
func had(ctx context.Context, source *here, lacking []record.Pointer) ([]record.Pointer, error) {
	var mu sync.Mutex
	there := map[string]bool{}
	err := Each(ctx, lacking, func(ctx context.Context, p record.Pointer) error {
		if drain(ctx, source, p) == nil {
			mu.Lock()
			defer mu.Unlock()
			there[p.SHA256] = true
		}
		return ctx.Err()
	})
	return slices.DeleteFunc(lacking, func(p record.Pointer) bool { return !there[p.SHA256] }), err
}

func (m *Mended) count(p record.Pointer, wrong map[string]bool) {
	m.Blobs++
	m.Bytes += p.Bytes
	if wrong[p.SHA256] {
		m.Replaced++
	}
}

func firstOf(failed map[string]error) error {
	var all []error
	for _, err := range failed {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// damaged gives the blobs that a store does not have as they are named, and which of them it has with other bytes.
func damaged(ctx context.Context, s Store, named []Named, o MendOptions) (lacking []record.Pointer, wrong map[string]bool, err error) {
	there := map[string]Item{}
	for item, err := range s.List(ctx) {
		if err != nil {
			return nil, nil, err
		}
		there[item.SHA256] = item
	}
	wrong = map[string]bool{}
	var rest []record.Pointer
	for _, n := range named {
		item, ok := there[n.SHA256]
		wrong[n.SHA256] = ok && (item.Bytes >= 0 && item.Bytes != n.Bytes || item.oid != "" && n.OID != "" && item.oid != n.OID)
		switch {
		case !ok || wrong[n.SHA256]:
			lacking = append(lacking, n.Pointer)
		default:
			rest = append(rest, n.Pointer)
		}
	}
	if !o.Read {
		return lacking, wrong, nil
	}
	spoilt, err := Spoilt(ctx, s, rest, o.Update)
	for _, p := range rest {
		if spoilt[p.SHA256] != nil {
			lacking, wrong[p.SHA256] = append(lacking, p), true
		}
	}
	return lacking, wrong, err
}
