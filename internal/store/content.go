package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/plumb-ml/plumb/internal/objects"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// content is a blob's bytes, wherever they are.
type content struct {
	record.Pointer
	open func() (io.ReadCloser, error) // anew for each try
}

// pointer names a blob.
func (b Blob) pointer() record.Pointer {
	sum := sha256.Sum256(b.Data)
	return record.Pointer{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(b.Data)), Type: b.Type, Rows: b.Rows}
}

// contentOf is a blob that is in memory.
func contentOf(p record.Pointer, data []byte) content {
	return content{p, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// fileContent is a blob that is a file; whether it still has the pointer's bytes shows when it is read.
func fileContent(p record.Pointer, path string) content {
	return content{p, func() (io.ReadCloser, error) {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return verifying(p, path, file), nil
	}}
}

// MendHint says how a store gets the right bytes back.
const MendHint = "a clone that has a good copy (the machine that made it) brings it back with `plumb push --verify`; from another store, `plumb store copy FROM TO --verify` does"

// verifying gives the bytes of r and, at their end, an error when they are not the pointer's.
func verifying(p record.Pointer, where string, r io.ReadCloser) io.ReadCloser {
	return &verified{r, p, where, sha256.New(), 0}
}

type verified struct {
	io.ReadCloser
	want  record.Pointer
	where string
	sum   hash.Hash
	n     int64
}

// Read reads, and never hands on more than the pointer's size.
func (v *verified) Read(p []byte) (int, error) {
	if left := v.want.Bytes + 1 - v.n; int64(len(p)) > left {
		p = p[:max(left, 1)]
	}
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	v.n += int64(n)
	switch {
	case v.n > v.want.Bytes:
		return 0, spoiltf("blob %s in %s is longer than the %d bytes that are recorded", v.want.SHA256, v.where, v.want.Bytes)
	case errors.Is(err, objects.ErrSpoilt):
		return n, spoiltf("blob %s in %s: %w", v.want.SHA256, v.where, err)
	case err != nil && !errors.Is(err, io.EOF):
		return n, err
	case err == nil:
		return n, nil
	case v.n != v.want.Bytes:
		return n, spoiltf("blob %s in %s has %d bytes, %d are recorded", v.want.SHA256, v.where, v.n, v.want.Bytes)
	}
	if got := hex.EncodeToString(v.sum.Sum(nil)); got != v.want.SHA256 {
		return n, spoiltf("blob %s in %s holds other bytes: their SHA-256 is %s", v.want.SHA256, v.where, got)
	}
	return n, io.EOF
}

// readAll reads a blob into memory.
func readAll(r io.ReadCloser, size int64) ([]byte, error) {
	defer r.Close()
	var b bytes.Buffer
	b.Grow(int(min(size+bytes.MinRead, 64<<20))) // the size is what somebody wrote
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// ErrSpoilt says that a blob's bytes are not those of its name: it is there, and damaged.
var ErrSpoilt = errors.New("the blob is damaged")

type spoilt struct{ error }

func (s spoilt) Unwrap() error { return s.error }

func (s spoilt) Is(target error) bool { return target == ErrSpoilt }

func spoiltf(format string, args ...any) error {
	return spoilt{problem.Failedf(MendHint, format, args...)}
}

// verify holds bytes that came from anywhere against the pointer.
func verify(p record.Pointer, data []byte) error {
	_, err := io.Copy(io.Discard, verifying(p, "memory", io.NopCloser(bytes.NewReader(data))))
	return err
}

// notHere is the error for a blob that is nowhere.
func notHere(p record.Pointer, where string) error {
	return problem.Failedf("whoever made it has to run `plumb push`; after a change of [store] url, `plumb store copy OLD-URL` brings what the old one has",
		"reading blob %s from %s: %w", p.SHA256, where, ErrNotFound)
}

// counted tells how many bytes were read.
type counted struct {
	io.ReadCloser
	add func(int)
}

// Read reads.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.add(n)
	return n, err
}

// alive ends reading when the context ends.
type alive struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // as io.Reader has none
}

// Read reads.
func (a alive) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, fmt.Errorf("reading: %w", err)
	}
	return a.ReadCloser.Read(p)
}
