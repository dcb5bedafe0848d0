// Package oci is container registries as a place for blobs. It is the door to go-containerregistry.
//
// It is not a builder of images, and it does not know what a blob means. Each blob is one artifact: its bytes are the one layer, named by their SHA-256 as the
// registry names all it has, and a small manifest, tagged with the same 64 hex digits, keeps the registry from collecting it. Credentials are those of
// `docker login`. It stores nothing on this machine.
package oci

import (
	"context"
	"encoding/json"
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
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/retry"
)

const (
	artifactType = "application/vnd.plumb.blob.v1"
	emptyConfig  = types.MediaType("application/vnd.oci.empty.v1+json")
	createdKey   = "org.opencontainers.image.created"
	maxManifest  = 1 << 20
	asksAtOnce   = 8
)

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
	layer := &layer{blob: b, alive: alive}
	if err := remote.WriteLayer(r.repo, layer, r.options(ctx)...); err != nil {
		return layer.reason(err)
	}
	alive()
	if err := remote.WriteLayer(r.repo, static.NewLayer([]byte("{}"), emptyConfig), r.options(ctx)...); err != nil {
		return err
	}
	alive()
	m, err := manifestOf(b, time.Now())
	if err != nil {
		return final{err}
	}
	return remote.Put(r.repo.Tag(b.SHA256), m, r.options(ctx)...)
}

// manifest is what stands in the registry for a blob.
type manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// raw is a manifest as bytes, which remote.Put takes.
type raw []byte

func (m raw) RawManifest() ([]byte, error)        { return m, nil }
func (m raw) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

func manifestOf(b Blob, now time.Time) (raw, error) {
	config := static.NewLayer([]byte("{}"), emptyConfig)
	digest, err := config.Digest()
	if err != nil {
		return nil, err
	}
	m := manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: artifactType,
		Config:      v1.Descriptor{MediaType: emptyConfig, Digest: digest, Size: 2},
		Layers:      []v1.Descriptor{{MediaType: mediaType(b), Digest: v1.Hash{Algorithm: "sha256", Hex: b.SHA256}, Size: b.Bytes}},
		Annotations: map[string]string{createdKey: now.UTC().Format(time.RFC3339)}}
	return json.Marshal(m)
}

func mediaType(b Blob) types.MediaType {
	if b.Type == "" {
		return "application/octet-stream"
	}
	return types.MediaType(b.Type)
}

// Stat asks for a blob's size and time. A tag whose manifest is of another blob is as good as none.
func (r *Repository) Stat(ctx context.Context, sum string) (Info, error) {
	info := Info{SHA256: sum}
	err := r.try(ctx, func(ctx context.Context, _ func()) error {
		found, err := remote.Get(r.repo.Tag(sum), r.options(ctx)...)
		if err != nil {
			return err
		}
		var m manifest
		if len(found.Manifest) > maxManifest || json.Unmarshal(found.Manifest, &m) != nil || len(m.Layers) != 1 || m.Layers[0].Digest.Hex != sum {
			return fs.ErrNotExist
		}
		info.Bytes = m.Layers[0].Size
		info.Modified, _ = time.Parse(time.RFC3339, m.Annotations[createdKey]) // of another program: unknown
		return nil
	})
	if err != nil {
		return Info{}, r.explain("asking", err)
	}
	return info, nil
}

// Get reads a blob from a byte on. Registries need not know ranges, so what lies before is read and dropped.
func (r *Repository) Get(ctx context.Context, sum string, from int64) (io.ReadCloser, error) {
	if _, err := r.Stat(ctx, sum); err != nil { // without its manifest, a blob is only one that was not collected yet
		return nil, err
	}
	watched, alive, done := retry.Watch(ctx, r.patience)
	var body io.ReadCloser
	err := r.try(watched, func(context.Context, func()) error {
		layer, err := remote.Layer(r.repo.Digest("sha256:"+sum), r.options(watched)...)
		if err == nil {
			body, err = layer.Compressed()
		}
		if err == nil {
			_, err = io.CopyN(io.Discard, &retry.Source{Reader: body, Alive: alive}, from)
		}
		return err
	})
	if err != nil {
		err = retry.Cause(watched, err)
		done()
		return nil, r.explain("reading from", err)
	}
	return &download{&retry.Source{Reader: body, Alive: alive}, body, done, func(err error) error {
		return r.explain("reading from", retry.Cause(watched, err))
	}}, nil
}

// download is a blob on its way, whose SHA-256 the library verifies at its end.
type download struct {
	*retry.Source
	body    io.Closer
	done    func()
	explain func(error) error
}

// Read reads.
func (d *download) Read(p []byte) (int, error) {
	n, err := d.Source.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // as readers give it
		err = d.explain(err)
	}
	return n, err
}

// Close ends the download.
func (d *download) Close() error {
	err := d.body.Close()
	d.done()
	return err
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
		empty := static.NewLayer([]byte("{}"), emptyConfig)
		if err := remote.WriteLayer(r.repo, empty, r.options(ctx)...); err != nil {
			return err
		}
		digest, err := empty.Digest()
		if err != nil {
			return err
		}
		m, err := manifestOf(Blob{SHA256: digest.Hex, Bytes: 2, Type: string(emptyConfig)}, time.Now())
		if err != nil {
			return err
		}
		return remote.Put(at, m, r.options(ctx)...)
	})
	return r.explain("writing to", err)
}
