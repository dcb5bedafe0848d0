package objects

import (
	"context"
	"time"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/plumb-ml/plumb/internal/parts"
)

// large is how a service takes a large object in parts, below gocloud.dev, whose writers begin anew each time. What has arrived stays there until the object is
// whole or nobody went on with it. The road not taken is a note on this machine of what was sent: a CI job that is killed leaves none, and the service knows
// better what has arrived.
type large interface {
	// put writes an object, and sends what is not there of it.
	put(ctx context.Context, b *Bucket, o Object) error
	// left gives what was begun before a moment and never ended.
	left(ctx context.Context, before time.Time, alive func()) ([]Unfinished, error)
	// abort gives an upload up; one that is gone is a success.
	abort(ctx context.Context, u Unfinished) error
	// erase drops what has arrived of an object that is about to be deleted, as far as the service lets us.
	erase(ctx context.Context, name string)
}

func newLarge(bucket *blob.Bucket, at Place) large {
	var amazon *s3.Client
	var azure *container.Client
	var google *storage.Client
	switch {
	case bucket.As(&amazon):
		return newMultipart(amazon, at)
	case bucket.As(&azure):
		return &blocks{azure, at.prefix()}
	case bucket.As(&google):
		return &composed{google.Bucket(at.Bucket), at.prefix()}
	}
	return nil
}

// prefix of keys: "" or with a slash at its end.
func (p Place) prefix() string {
	if p.Prefix == "" {
		return ""
	}
	return p.Prefix + "/"
}

const maxParts = 9000 // S3 allows 10,000, Azure 50,000

func wholeOf(o Object, most int64) parts.Whole { return parts.Of(o.Bytes, most, o.Open) }

// Unfinished is an upload that was begun and neither ended nor given up: its sender was killed, or is still at it. Nobody sees it, and it is paid for.
type Unfinished struct {
	Name    string
	Started time.Time
	Bytes   int64 // that have arrived; -1 where the service does not say

	key string

	s3Upload
}

// Unfinished gives the uploads that were begun before a moment and never ended. Azure has none that could be listed, and drops them after a week.
func (b *Bucket) Unfinished(ctx context.Context, before time.Time) (out []Unfinished, err error) {
	if b.large == nil {
		return nil, nil
	}
	err = b.try(ctx, func(ctx context.Context, alive func()) error {
		out, err = b.large.left(ctx, before, alive)
		return err
	})
	return out, b.explain("listing unfinished uploads in", err)
}

// Abort gives an upload up; one that has ended meanwhile is a success.
func (b *Bucket) Abort(ctx context.Context, u Unfinished) error {
	err := b.try(ctx, func(ctx context.Context, _ func()) error { return b.large.abort(ctx, u) })
	return b.explain("aborting an upload in", err)
}

// eraseParts is for bytes that must not come back by an upload that goes on.
func (b *Bucket) eraseParts(ctx context.Context, name string) {
	if b.large == nil {
		return
	}
	ctx, done := context.WithTimeout(ctx, b.patience)
	defer done()
	b.large.erase(ctx, name)
}

// rivals are others who write the same object: the first one wins, and the others' parts may be gone then.
type rivals struct {
	in     *blob.Bucket
	object Object
	before *seen // what was there under the name when it began
}

// seen is what a look at an object gave; nothing when there was none.
type seen struct {
	etag  string
	time  time.Time
	bytes int64
}

// look asks for the object as it is now.
func (r *rivals) look(ctx context.Context) (seen, error) {
	a, err := r.in.Attributes(ctx, r.object.Name)
	if err == nil {
		return seen{a.ETag, a.ModTime, a.Size}, nil
	}
	if gcerrors.Code(err) == gcerrors.NotFound {
		return seen{}, nil
	}
	return seen{}, err
}

// won says that somebody else has completed the object since the first time that it was asked.
func (r *rivals) won(ctx context.Context) (bool, error) {
	now, err := r.look(ctx)
	if err != nil {
		return false, err
	}
	if r.before == nil {
		r.before = &now
	}
	return now.bytes == r.object.Bytes && now != *r.before, nil
}
