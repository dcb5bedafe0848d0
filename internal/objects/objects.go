// Package objects is object storage: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage. It is the door to gocloud.dev, and to the clients
// of the services below it, by which a large upload that was stopped goes on.
//
// It knows names, bytes and what services answer. What a name means, and whether the bytes are right, is the store's business. Credentials come from
// where each service's own tools look for them, never from an address. It stores nothing on this machine.
package objects

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"sync"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // by its URL: the account is found in the environment
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
	"gocloud.dev/gcp"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/retry"
)

// Bucket is a bucket or container, or what lies in it under a prefix. Its methods may be called from several goroutines. An absent object is fs.ErrNotExist,
// a refusal fs.ErrPermission.
type Bucket struct {
	bucket   *blob.Bucket
	scheme   string
	name     string // for messages
	patience time.Duration
	asked    sync.Once // whether the bucket is there at all

	large large
}

// Place says which bucket.
type Place struct {
	Scheme   string // s3, gs or azblob
	Bucket   string
	Prefix   string        // "team/project"; "" for the whole bucket
	Query    url.Values    // as gocloud.dev's URLs take them
	Patience time.Duration // how long a request may make no progress; zero is a minute
}

// Object is what is written.
type Object struct {
	Name  string
	Bytes int64
	Type  string // media type
	// Open gives the bytes, again when a try failed. An error of Read ends the try, and nothing is kept of it.
	Open func() (io.ReadCloser, error)
}

// Info is what a bucket says about an object.
type Info struct {
	Name     string
	Bytes    int64
	Modified time.Time
}

const (
	patience = time.Minute
	// smallObject is what is sent in one request, from memory; S3 takes no smaller parts than this but for the last.
	smallObject = 5 << 20
)

// Open gives the bucket. Nothing is asked of the service yet.
func Open(ctx context.Context, at Place) (*Bucket, error) {
	u := &url.URL{Scheme: at.Scheme, Host: at.Bucket, RawQuery: at.Query.Encode()}
	var bucket *blob.Bucket
	var err error
	switch at.Scheme {
	case "s3":
		bucket, err = new(s3blob.URLOpener).OpenBucketURL(ctx, u)
	case "gs":
		bucket, err = openGoogle(ctx, u)
	case "azblob":
		bucket, err = blob.OpenBucket(ctx, u.String())
	default:
		err = fmt.Errorf("%s:// is no object storage", at.Scheme)
	}
	b := &Bucket{scheme: at.Scheme, name: at.Scheme + "://" + at.Bucket, patience: at.Patience}
	if err != nil {
		return nil, b.explain("opening", err)
	}
	if b.patience == 0 {
		b.patience = patience
	}
	b.large = newLarge(bucket, at)
	if at.Prefix != "" {
		bucket = blob.PrefixedBucket(bucket, at.Prefix+"/")
		b.name += "/" + at.Prefix
	}
	b.bucket = bucket
	return b, nil
}

// openGoogle does what gocloud.dev's own opener does, which prints to standard output when there are no credentials.
func openGoogle(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	transport := gcp.DefaultTransport()
	if u.Query().Get("anonymous") == "true" || emulated() {
		return (&gcsblob.URLOpener{Client: gcp.NewAnonymousHTTPClient(transport)}).OpenBucketURL(ctx, u)
	}
	found, err := gcp.DefaultCredentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	client, err := gcp.NewHTTPClient(transport, gcp.CredentialsTokenSource(found))
	if err != nil {
		return nil, err
	}
	return (&gcsblob.URLOpener{Client: client}).OpenBucketURL(ctx, u)
}

// String names the bucket in messages.
func (b *Bucket) String() string { return b.name }

// Close lets go of connections.
func (b *Bucket) Close() error { return b.bucket.Close() }

// Put writes an object, over one of the same name: whole, or not at all. A large one goes on where an upload of it was stopped. It is tried again when the service
// is busy or out of order, and looked at afterwards: a proxy that answers in the service's place says yes to everything.
func (b *Bucket) Put(ctx context.Context, o Object) error {
	var err error
	if b.large != nil && o.Bytes > parts.Bytes {
		err = b.large.put(ctx, b, o)
	} else {
		err = b.try(ctx, func(ctx context.Context, alive func()) error { return b.put(ctx, o, alive) })
	}
	if err != nil {
		return b.explain("writing to", err)
	}
	info, err := b.Stat(ctx, o.Name)
	if err == nil && info.Bytes == o.Bytes {
		return nil
	}
	return problem.Failedf("is a proxy or a login page in between? see the address, HTTPS_PROXY and `endpoint`",
		"writing to %s: it said yes and does not have the %d bytes of %s", b.name, o.Bytes, o.Name)
}

func (b *Bucket) put(ctx context.Context, o Object, alive func()) error {
	src, err := o.Open()
	if err != nil {
		return retry.Final{Err: err}
	}
	defer src.Close()
	opts := &blob.WriterOptions{ContentType: mediaType(o), DisableContentTypeDetection: true, BufferSize: parts.Bytes, MaxConcurrency: parts.AtOnce}
	// Some writers are closed, and with that finished, after their source has failed: a context that has ended keeps them from it.
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	body := &retry.Source{Reader: src, Alive: alive, Abort: abort}
	if o.Bytes <= smallObject {
		data, err := io.ReadAll(body)
		if err != nil {
			return retry.Final{Err: err}
		}
		opts.BufferSize = max(len(data), 1)
		if b.scheme == "s3" {
			opts.BufferSize = smallObject + 1
		}
		return b.bucket.Upload(ctx, o.Name, bytes.NewReader(data), opts)
	}
	opts.BufferSize = max(opts.BufferSize, int(o.Bytes/maxParts)+1)
	err = b.bucket.Upload(ctx, o.Name, body, opts)
	if failed := body.Err; failed != nil {
		return retry.Final{Err: failed} // of our own side: the service can't help
	}
	return err
}

func mediaType(o Object) string { return cmp.Or(o.Type, "application/octet-stream") }

// Stat asks for an object's size and time.
func (b *Bucket) Stat(ctx context.Context, name string) (Info, error) {
	info := Info{Name: name}
	err := b.try(ctx, func(ctx context.Context, _ func()) error {
		attrs, err := b.bucket.Attributes(ctx, name)
		if err == nil {
			info.Bytes, info.Modified = attrs.Size, attrs.ModTime
			return nil
		}
		return b.reason(ctx, err)
	})
	if err != nil {
		return Info{}, b.explain("asking", err)
	}
	return info, nil
}

// reason asks once more where an answer leaves open what is wrong: one about a single object comes without words, and says "not found" also when there is no
// such bucket.
func (b *Bucket) reason(ctx context.Context, err error) error {
	look := func() {
		if _, _, listErr := b.bucket.ListPage(ctx, blob.FirstPageToken, 1, nil); listErr != nil && refusal(listErr) != "" {
			err = listErr
		}
	}
	switch gcerrors.Code(err) {
	case gcerrors.PermissionDenied:
		look()
	case gcerrors.NotFound:
		b.asked.Do(look)
	}
	return err
}

// try does something with the service, again when that may help.
func (b *Bucket) try(ctx context.Context, what func(ctx context.Context, alive func()) error) error {
	return retry.Do(ctx, b.patience, temporary, what)
}

// Delete takes an object away, and what has arrived of it; one that is not there is a success.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	b.eraseParts(ctx, name)
	err := b.try(ctx, func(ctx context.Context, _ func()) error { return b.bucket.Delete(ctx, name) })
	if err = b.explain("deleting from", err); isAbsent(err) {
		return nil
	}
	return err
}

// List gives the objects whose names start with prefix, by name. It may be called while others write.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		ctx, alive, done := retry.Watch(ctx, b.patience)
		defer done()
		all := b.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := all.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Info{}, b.explain("listing", retry.Cause(ctx, err)))
				return
			}
			alive()
			if !o.IsDir && !yield(Info{o.Key, o.Size, o.ModTime}, nil) {
				return
			}
		}
	}
}
