// Package oci is container registries as a place for blobs. It is the door to go-containerregistry.
//
// It is not a builder of images, and it does not know what a blob means. Each blob is one artifact: its bytes are the one layer, named by their SHA-256 as the
// registry names all it has, and a small manifest, tagged with the same 64 hex digits, keeps the registry from collecting it. A blob of more than parts.Bytes
// is several layers, its bytes one after the other: each is there or not, so who sends the blob again, from whichever machine, sends only what is missing, and
// two at once write the same. What was sent of a blob that never became whole is what the registry collects. Credentials are those of `docker login`. It stores
// nothing on this machine.
//
// The road not taken is the chunked upload of the distribution specification, which goes on in a session. A registry keeps the bytes of a chunk that broke off,
// so the session goes on only where it can be asked how many those were: crane's and version 2 of the reference registry can't be. Google's takes no chunks at
// all. And the session's address would have to be noted on a machine that a CI job does not keep.
package oci

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/retry"
)

const asksAtOnce = 8

// Repository is a repository of a registry. Its methods may be called from several goroutines. An absent blob is fs.ErrNotExist, a refusal fs.ErrPermission.
type Repository struct {
	repo     name.Repository
	patience time.Duration
}

// Blob is what is written.
type Blob struct {
	SHA256 string // 64 hex digits
	Bytes  int64
	Type   string // media type
	// Open gives the bytes, again when a try failed. An error of Read ends the try, and nothing is kept of it.
	Open func() (io.ReadCloser, error)
}

// Info is what the repository says about a blob.
type Info struct {
	SHA256   string
	Bytes    int64
	Modified time.Time // when it was written last; zero when the manifest does not say
}

// Open gives the repository ("owner/blobs") of a registry ("ghcr.io"). Nothing is asked of it yet. Registries on this machine are spoken to over plain HTTP.
// patience is how long a request may make no progress; zero is a minute.
func Open(registry, repository string, patience time.Duration) (*Repository, error) {
	repo, err := name.NewRepository(registry+"/"+repository, name.StrictValidation)
	if err != nil {
		return nil, problem.Wrongf("as oci://ghcr.io/owner/repository", "opening oci://%s/%s: %w", registry, repository, err)
	}
	if patience == 0 {
		patience = time.Minute
	}
	return &Repository{repo, patience}, nil
}

// String names the repository in messages.
func (r *Repository) String() string { return "oci://" + r.repo.Name() }

func (r *Repository) options(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("plumb")}
}

// Put writes a blob, or makes it young again when it is there already. A half upload is never visible: registries verify the digest before they give a name.
func (r *Repository) Put(ctx context.Context, b Blob) error {
	err := r.try(ctx, func(ctx context.Context, alive func()) error { return r.put(ctx, b, alive) })
	if err != nil {
		return r.explain("writing to", err)
	}
	info, err := r.Stat(ctx, b.SHA256)
	if err == nil && info.Bytes == b.Bytes {
		return nil
	}
	return problem.Failedf("is a proxy or a login page in between? see the address and HTTPS_PROXY", "writing to %s: it said yes and does not have the %d bytes of %s", r, b.Bytes, b.SHA256)
}

func (r *Repository) put(ctx context.Context, b Blob, alive func()) error {
	registry, err := remote.NewPusher(r.options(ctx)...)
	if err != nil {
		return err
	}
	layers, err := r.upload(ctx, registry, b, alive)
	if err != nil {
		return err
	}
	alive()
	if err := registry.Upload(ctx, r.repo, emptyLayer()); err != nil {
		return err
	}
	alive()
	m, err := manifestOf(b, layers, time.Now())
	if err != nil {
		return retry.Final{Err: err}
	}
	return registry.Put(ctx, r.repo.Tag(b.SHA256), m)
}

// upload brings the bytes of a blob, as far as they are not there: the library asks for each layer before it sends it.
func (r *Repository) upload(ctx context.Context, registry *remote.Pusher, b Blob, alive func()) ([]v1.Descriptor, error) {
	if b.Bytes <= parts.Bytes {
		layer := &layer{blob: b, alive: alive}
		return []v1.Descriptor{b.descriptor()}, layer.reason(registry.Upload(ctx, r.repo, layer))
	}
	whole := parts.Of(b.Bytes, maxLayers, b.Open)
	layers := make([]v1.Descriptor, whole.Count())
	err := whole.Send(ctx, alive, func(ctx context.Context, p parts.Part) error {
		part := Blob{SHA256: hex.EncodeToString(p.SHA256[:]), Bytes: int64(len(p.Data)), Open: func() (io.ReadCloser, error) { return p.Body(alive), nil }}
		layers[p.Index] = part.descriptor()
		return registry.Upload(ctx, r.repo, &layer{blob: part, alive: alive})
	})
	return layers, err
}

func mediaType(b Blob) types.MediaType {
	if b.Type == "" {
		return "application/octet-stream"
	}
	return types.MediaType(b.Type)
}

// Stat asks for a blob's size and time. A tag whose manifest is of another blob is as good as none.
func (r *Repository) Stat(ctx context.Context, sum string) (Info, error) {
	_, info, err := r.manifest(ctx, sum)
	if err != nil {
		return Info{}, r.explain("asking", err)
	}
	return info, nil
}

func (r *Repository) manifest(ctx context.Context, sum string) (m manifest, info Info, err error) {
	err = r.try(ctx, func(ctx context.Context, _ func()) error {
		found, err := remote.Get(r.repo.Tag(sum), r.options(ctx)...)
		if err == nil {
			m, info, err = parseManifest(found.Manifest, sum)
		}
		return err
	})
	return m, info, err
}

// Delete takes a blob's manifest away; the registry collects the bytes in its own time. One that is not there is a success.
func (r *Repository) Delete(ctx context.Context, sum string) error {
	err := r.try(ctx, func(ctx context.Context, _ func()) error {
		found, err := remote.Head(r.repo.Tag(sum), r.options(ctx)...)
		if err != nil {
			return err
		}
		if err := remote.Delete(r.repo.Digest(found.Digest.String()), r.options(ctx)...); err != nil {
			return err
		}
		if _, err := remote.Head(r.repo.Tag(sum), r.options(ctx)...); err != nil {
			return err // gone, as it should be
		}
		return remote.Delete(r.repo.Tag(sum), r.options(ctx)...) // of a registry that keeps tags apart
	})
	if status(err) == http.StatusNotFound {
		return nil
	}
	return r.explain("deleting from", err)
}

var sumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// List gives the blobs that the repository has, in no order. Other tags are left out.
func (r *Repository) List(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		tags, err := r.Tags(ctx)
		if err != nil {
			yield(Info{}, err)
			return
		}
		for start := 0; start < len(tags); start += asksAtOnce {
			for _, answer := range r.statAll(ctx, tags[start:min(start+asksAtOnce, len(tags))]) {
				if isAbsent(answer.err) {
					continue
				}
				if !yield(answer.info, answer.err) || answer.err != nil {
					return
				}
			}
		}
	}
}

type answer struct {
	info Info
	err  error
}

func (r *Repository) statAll(ctx context.Context, tags []string) []answer {
	answers := make([]answer, len(tags))
	var all sync.WaitGroup
	for i, tag := range tags {
		if !sumPattern.MatchString(tag) {
			answers[i].err = fmt.Errorf("tag %q: %w", tag, fs.ErrNotExist)
			continue
		}
		all.Go(func() { answers[i].info, answers[i].err = r.Stat(ctx, tag) })
	}
	all.Wait()
	return answers
}

// Tags gives all tags of the repository, other people's too.
func (r *Repository) Tags(ctx context.Context) (tags []string, err error) {
	err = r.try(ctx, func(ctx context.Context, _ func()) (err error) {
		tags, err = remote.List(r.repo, r.options(ctx)...)
		return err
	})
	if status(err) == http.StatusNotFound {
		return nil, nil // registries make a repository when something is written
	}
	return tags, r.explain("listing", err)
}

// Mark makes a tag that stands for no blob.
func (r *Repository) Mark(ctx context.Context, tag string) error {
	err := r.try(ctx, func(ctx context.Context, _ func()) error {
		at := r.repo.Tag(tag)
		if _, err := remote.Head(at, r.options(ctx)...); err == nil {
			return nil
		}
		empty := emptyLayer()
		if err := remote.WriteLayer(r.repo, empty, r.options(ctx)...); err != nil {
			return err
		}
		digest, err := empty.Digest()
		if err != nil {
			return err
		}
		nothing := Blob{SHA256: digest.Hex, Bytes: 2, Type: string(emptyConfig)}
		m, err := manifestOf(nothing, []v1.Descriptor{nothing.descriptor()}, time.Now())
		if err != nil {
			return err
		}
		return remote.Put(at, m, r.options(ctx)...)
	})
	return r.explain("writing to", err)
}
