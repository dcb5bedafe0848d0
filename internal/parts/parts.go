// Package parts cuts what is large in parts, so that what has arrived before a kill need not be sent again.
//
// It knows no service: callers send a part, or see that it is there. It stores nothing.
package parts

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/plumb-ml/plumb/internal/retry"
)

// Bytes is the size of a part, unless there would be too many: what is sent again after a kill is up to AtOnce of them.
const Bytes = 8 << 20

// AtOnce is how many parts are under way.
const AtOnce = 4

// Whole is what is cut.
type Whole struct {
	Bytes int64
	Size  int64 // of every part but the last
	Open  func() (io.ReadCloser, error)
}

// Of cuts in parts of Bytes, or in larger ones where these would be more than most.
func Of(bytes, most int64, open func() (io.ReadCloser, error)) Whole {
	return Whole{bytes, max(Bytes, (bytes+most-1)/most), open}
}

// Count is the number of parts.
func (w Whole) Count() int { return int((w.Bytes + w.Size - 1) / w.Size) }

// SizeOf is the size of a part, counted from 0.
func (w Whole) SizeOf(i int) int64 { return min(w.Size, w.Bytes-int64(i)*w.Size) }

// Part is one of them.
type Part struct {
	Index  int    // from 0
	Data   []byte // until the function that got it returns
	SHA256 [sha256.Size]byte
}

// Send reads the whole once, from its first byte, and hands on its parts, some at a time. It ends well only after the source has said that it was whole; an
// error of the source is final.
func (w Whole) Send(ctx context.Context, alive func(), arrive func(ctx context.Context, p Part) error) error {
	src, err := w.Open()
	if err != nil {
		return retry.Final{Err: err}
	}
	defer src.Close()
	// After a failure no more parts are begun, and those on their way arrive: they are of use to the next try, and one that comes after its upload was aborted
	// brings it back on some services.
	begin, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	free := make(chan []byte, AtOnce)
	for range AtOnce {
		free <- nil
	}
	var all sync.WaitGroup
	for i := range w.Count() {
		data := <-free
		if begin.Err() != nil {
			break
		}
		alive()
		if data, err = w.read(src, i, data); err != nil {
			stop(retry.Final{Err: fmt.Errorf("reading what is sent: %w", err)})
			break
		}
		p := Part{i, data, sha256.Sum256(data)}
		all.Go(func() {
			if err := arrive(ctx, p); err != nil {
				stop(err)
			}
			free <- data
		})
	}
	all.Wait()
	return context.Cause(begin)
}

// read gives the bytes of a part, and with the last one makes sure that they are all.
func (w Whole) read(src io.Reader, i int, data []byte) ([]byte, error) {
	size := w.SizeOf(i)
	if data == nil {
		data = make([]byte, size)
	}
	data = data[:size]
	if _, err := io.ReadFull(src, data); err != nil {
		return nil, err
	}
	if i+1 < w.Count() {
		return data, nil
	}
	if n, err := io.ReadFull(src, make([]byte, 1)); n > 0 {
		return nil, fmt.Errorf("there are more than %d bytes", w.Bytes)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data, nil
}

// Body is a part on its way, which tells when there is progress. It hides what else a bytes.Reader can, as that would go past Read.
type Body struct {
	data  *bytes.Reader
	alive func()
}

// Body gives the bytes as what a request takes.
func (p Part) Body(alive func()) *Body { return &Body{bytes.NewReader(p.Data), alive} }

// Read reads.
func (b *Body) Read(p []byte) (int, error) {
	b.alive()
	return b.data.Read(p)
}

// Seek seeks: a part is read several times, to sign it and at another try.
func (b *Body) Seek(offset int64, whence int) (int64, error) { return b.data.Seek(offset, whence) }

// Close does nothing.
func (b *Body) Close() error { return nil }
