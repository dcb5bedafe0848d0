package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/plumb-ml/plumb/internal/record"
)

// CopyOptions say how Copy works.
type CopyOptions struct {
	DryRun bool                               // only say what would be copied
	Verify bool                               // also read what the target has already, and replace what is wrong
	Known  map[string]record.Pointer          // of records, by SHA-256: sizes and types that stores don't say
	Leave  func(sha256 string) bool           // blobs that are not to be copied; nil: none
	Update func(done, total int, note string) // told how many blobs are done
}

// Copied says what Copy did.
type Copied struct {
	Blobs    int      `json:"blobs"`    // that the source has
	Copied   int      `json:"copied"`   // or, dry, would be
	Already  int      `json:"already"`  // that the target had
	Replaced int      `json:"replaced"` // of the copied ones: the target had other bytes
	Bytes    int64    `json:"bytes"`    // copied
	Failed   []string `json:"failed"`   // blobs whose bytes the source does not have right, and why
}

// Copy brings every blob of one store to another that lacks it. Each is verified on its way; one that the source has spoilt is told and left out, and does not keep
// the others from being copied. Killed, it may be run again: what has arrived is not copied twice.
func Copy(ctx context.Context, from, to Store, o CopyOptions) (Copied, error) {
	done := Copied{Failed: []string{}}
	wanted, err := pointersOf(ctx, from, o.Known)
	if err != nil {
		return done, err
	}
	if o.Leave != nil {
		wanted = slices.DeleteFunc(wanted, func(p record.Pointer) bool { return o.Leave(p.SHA256) })
	}
	done.Blobs = len(wanted)
	there := map[string]int64{}
	for item, err := range to.List(ctx) {
		if err != nil {
			return done, err
		}
		there[item.SHA256] = item.Bytes
	}
	wrong := map[string]error{}
	if o.Verify {
		var both []record.Pointer
		for _, p := range wanted {
			if _, ok := there[p.SHA256]; ok {
				both = append(both, p)
			}
		}
		if wrong, err = Spoilt(ctx, to, both, nil); err != nil {
			return done, err
		}
	}
	todo := slices.DeleteFunc(wanted, func(p record.Pointer) bool {
		size, ok := there[p.SHA256]
		return ok && wrong[p.SHA256] == nil && (size < 0 || size == p.Bytes)
	})
	done.Already = done.Blobs - len(todo)
	if o.DryRun {
		for _, p := range todo {
			done.Copied++
			done.Bytes += p.Bytes
		}
		done.Replaced = len(wrong)
		return done, nil
	}
	return done, copyAll(ctx, from, to, todo, copying{o, wrong, &done})
}

type copying struct {
	CopyOptions
	wrong map[string]error
	done  *Copied
}

// copyBatch is how many blobs are brought near at a time.
const copyBatch = 200

func copyAll(ctx context.Context, from, to Store, todo []record.Pointer, c copying) error {
	var mu sync.Mutex
	total := len(todo)
	for batch := range slices.Chunk(todo, copyBatch) {
		if err := from.Bring(ctx, batch); err != nil {
			return err
		}
		failed, err := to.receive(ctx, from, batch, func(p record.Pointer) {
			mu.Lock()
			defer mu.Unlock()
			c.done.Copied++
			c.done.Bytes += p.Bytes
			if c.wrong[p.SHA256] != nil {
				c.done.Replaced++
			}
			if c.Update != nil {
				c.Update(c.done.Copied, total, "blobs")
			}
		})
		for _, sum := range slices.Sorted(maps.Keys(failed)) {
			c.done.Failed = append(c.done.Failed, fmt.Sprintf("%s: %v", sum, failed[sum]))
		}
		if err != nil {
			return fmt.Errorf("copying to %s: %w", to, err)
		}
	}
	return nil
}

// pointersOf lists a store's blobs with their sizes.
func pointersOf(ctx context.Context, s Store, known map[string]record.Pointer) ([]record.Pointer, error) {
	var out []record.Pointer
	for item, err := range s.List(ctx) {
		if err != nil {
			return nil, err
		}
		p, ok := known[item.SHA256]
		if !ok {
			p = record.Pointer{SHA256: item.SHA256, Bytes: item.Bytes, Type: "application/octet-stream"}
		}
		if item.Bytes >= 0 {
			p.Bytes = item.Bytes
		}
		p.OID = item.oid
		if git, ok := s.(interface {
			sizeOf(ctx context.Context, item Item) (int64, error)
		}); ok && p.Bytes < 0 {
			if p.Bytes, err = git.sizeOf(ctx, item); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Spoilt reads blobs from where others read them, and gives those that are not what they are called.
func Spoilt(ctx context.Context, s Store, pointers []record.Pointer, update func(done, total int, note string)) (map[string]error, error) {
	var mu sync.Mutex
	wrong, done := map[string]error{}, 0
	for batch := range slices.Chunk(pointers, copyBatch) {
		if err := s.Bring(ctx, batch); err != nil {
			return nil, err
		}
		err := Each(ctx, batch, func(ctx context.Context, p record.Pointer) error {
			err := drain(ctx, s, p)
			mu.Lock()
			defer mu.Unlock()
			if done++; update != nil {
				update(done, len(pointers), "blobs")
			}
			if err != nil && ctx.Err() == nil {
				wrong[p.SHA256] = err
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return wrong, nil
}

func drain(ctx context.Context, s Store, p record.Pointer) error {
	r, err := s.shared(ctx, p)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, alive{r, ctx})
	return err
}

// receive puts blobs of another store on the shelf, streaming.
func (s *shelved) receive(ctx context.Context, from Store, batch []record.Pointer, arrived func(record.Pointer)) (map[string]error, error) {
	var mu sync.Mutex
	failed := map[string]error{}
	if s.opts.Project != "" && len(batch) > 0 {
		if err := s.shelf.claim(ctx, s.opts.Project); err != nil {
			return nil, err
		}
	}
	large := make(chan struct{}, largeAtOnce)
	err := Each(ctx, batch, func(ctx context.Context, p record.Pointer) error {
		if p.Bytes > largeBlob {
			select {
			case large <- struct{}{}:
				defer func() { <-large }()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var reading error
		c := content{p, func() (io.ReadCloser, error) {
			r, err := from.shared(ctx, p)
			if err != nil {
				reading = err
				return nil, err
			}
			return &telling{verifying(p, from.String(), r), &reading}, nil
		}}
		err := s.shelf.put(ctx, c)
		if reading != nil && ctx.Err() == nil {
			mu.Lock()
			failed[p.SHA256] = reading
			mu.Unlock()
			return nil
		}
		if err == nil {
			arrived(p)
		}
		return err
	})
	return failed, err
}

// telling notes an error of reading.
type telling struct {
	io.ReadCloser
	err *error
}

// Read reads.
func (t *telling) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		*t.err = err
	}
	return n, err
}

// receiveBytes is how much a commit of copied blobs may hold in memory.
const receiveBytes = 64 << 20

// receive puts blobs of another store into the Git store, some at a time.
func (s *gitStore) receive(ctx context.Context, from Store, batch []record.Pointer, arrived func(record.Pointer)) (map[string]error, error) {
	failed := map[string]error{}
	for len(batch) > 0 {
		var blobs []Blob
		var size int64
		for len(batch) > 0 && (len(blobs) == 0 || size+batch[0].Bytes <= receiveBytes) {
			p := batch[0]
			batch = batch[1:]
			data, err := s.take(ctx, from, p)
			if err != nil {
				failed[p.SHA256] = err
				continue
			}
			size += p.Bytes
			blobs = append(blobs, Blob{Data: data, Type: p.Type, Rows: p.Rows})
		}
		pointers, err := s.Put(ctx, blobs)
		if err != nil {
			return failed, err
		}
		named := make([]Named, len(pointers))
		for i, p := range pointers {
			named[i] = Named{Pointer: p}
		}
		if _, err := s.Push(ctx, named); err != nil {
			return failed, err
		}
		for _, p := range pointers {
			arrived(p)
		}
	}
	return failed, nil
}

func (s *gitStore) take(ctx context.Context, from Store, p record.Pointer) ([]byte, error) {
	if err := checkGitSize("the blob", p.Bytes); err != nil {
		return nil, err
	}
	r, err := from.shared(ctx, p)
	if err != nil {
		return nil, err
	}
	return readAll(verifying(p, from.String(), r), p.Bytes)
}
