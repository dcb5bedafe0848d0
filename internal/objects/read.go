package objects

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"

	"github.com/plumb-ml/plumb/internal/retry"
)

// Get reads an object from a byte on. A connection that breaks is taken up again where it broke; the bytes are not verified here.
func (b *Bucket) Get(ctx context.Context, name string, from int64) (io.ReadCloser, error) {
	r := &reader{bucket: b, name: name, at: from, context: ctx}
	if err := b.try(ctx, func(context.Context, func()) error { return r.open() }); err != nil {
		return nil, b.explain("reading from", err)
	}
	return r, nil
}

// reader is a download that survives broken connections. It is for one goroutine.
type reader struct {
	bucket  *Bucket
	name    string
	at      int64
	context context.Context //nolint:containedctx // of the whole download, as io.Reader has none
	body    *blob.Reader
	alive   func()
	done    func()
	broken  int // connections that broke since the last byte
}

// open begins at the byte that comes next. The watch goes on as long as the body is read.
func (r *reader) open() error {
	ctx, alive, done := retry.Watch(r.context, r.bucket.patience)
	body, err := r.bucket.bucket.NewRangeReader(ctx, r.name, r.at, -1, &blob.ReaderOptions{BeforeRead: quiet})
	if err != nil {
		err = retry.Cause(ctx, err)
		done()
		return err
	}
	r.body, r.alive, r.done = body, alive, func() { done() }
	return nil
}

// quiet keeps the client of S3 from writing to standard error that the checksum of an object in parts is not one of its bytes. Those are verified elsewhere.
func quiet(as func(any) bool) error {
	var settings *[]func(*s3.Options)
	if as(&settings) {
		*settings = append(*settings, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	}
	return nil
}

// Read reads on, over a new connection when the old one broke.
func (r *reader) Read(p []byte) (int, error) {
	for {
		r.alive()
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.broken = 0
		}
		if err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if r.broken++; r.broken >= retry.Attempts || r.context.Err() != nil || !temporary(retry.Cause(r.context, err)) {
			return 0, r.bucket.explain("reading from", retry.Cause(r.context, err))
		}
		if err := r.again(); err != nil {
			return 0, r.bucket.explain("reading from", err)
		}
	}
}

func (r *reader) again() error {
	_ = r.Close() // broken already
	if err := retry.Pause(r.context, r.broken); err != nil {
		return err
	}
	return r.bucket.try(r.context, func(context.Context, func()) error { return r.open() })
}

// Close ends the download.
func (r *reader) Close() error {
	err := r.body.Close()
	r.done()
	return err
}
