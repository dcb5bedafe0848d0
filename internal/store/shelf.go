package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/plumb-ml/plumb/internal/objects"
	"github.com/plumb-ml/plumb/internal/oci"
	"github.com/plumb-ml/plumb/internal/record"
)

// shelf is a place where others read: blobs by their SHA-256, written whole or not at all. An absent blob is fs.ErrNotExist. Bytes are not verified here.
type shelf interface {
	put(ctx context.Context, c content) error
	open(ctx context.Context, p record.Pointer) (io.ReadCloser, error)
	stat(ctx context.Context, sum string) (Item, error)
	list(ctx context.Context) iter.Seq2[Item, error]
	remove(ctx context.Context, sum string) error
	claim(ctx context.Context, project string) error
	claims(ctx context.Context) ([]string, error)
	String() string
}

var sumPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isSum(text string) bool { return sumPattern.MatchString(text) }

// bucket is a shelf in object storage. It is opened at its first use: finding credentials takes time, and most commands don't need them.
type bucket struct {
	place objects.Place

	mu     sync.Mutex
	opened *objects.Bucket
}

func (b *bucket) at(ctx context.Context) (*objects.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened != nil {
		return b.opened, nil
	}
	var err error
	b.opened, err = objects.Open(context.WithoutCancel(ctx), b.place) // its clients outlive the call that opens it
	return b.opened, err
}

func (b *bucket) String() string {
	return strings.TrimSuffix(b.place.Scheme+"://"+path.Join(b.place.Bucket, b.place.Prefix), "/")
}

func (b *bucket) put(ctx context.Context, c content) error {
	at, err := b.at(ctx)
	if err != nil {
		return err
	}
	return at.Put(ctx, objects.Object{Name: fanned(c.SHA256), Bytes: c.Bytes, Type: c.Type, Open: c.open})
}

func (b *bucket) open(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	at, err := b.at(ctx)
	if err != nil {
		return nil, err
	}
	return at.Get(ctx, fanned(p.SHA256), 0)
}

func (b *bucket) stat(ctx context.Context, sum string) (Item, error) {
	at, err := b.at(ctx)
	if err != nil {
		return Item{}, err
	}
	info, err := at.Stat(ctx, fanned(sum))
	return Item{SHA256: sum, Bytes: info.Bytes, Modified: info.Modified}, err
}

func (b *bucket) list(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		at, err := b.at(ctx)
		if err != nil {
			yield(Item{}, err)
			return
		}
		for info, err := range at.List(ctx, "") {
			if err != nil {
				yield(Item{}, err)
				return
			}
			if sum := path.Base(info.Name); isSum(sum) && info.Name == fanned(sum) && !yield(Item{SHA256: sum, Bytes: info.Bytes, Modified: info.Modified}, nil) {
				return
			}
		}
	}
}

func (b *bucket) remove(ctx context.Context, sum string) error {
	at, err := b.at(ctx)
	if err != nil {
		return err
	}
	return at.Delete(ctx, fanned(sum))
}

func (b *bucket) claim(ctx context.Context, project string) error {
	at, err := b.at(ctx)
	if err != nil {
		return err
	}
	name := claimsFolder + "/" + project
	if _, err := at.Stat(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := "this project keeps blobs here\n" // not empty: a size of nothing is what proxies say too
	return at.Put(ctx, objects.Object{Name: name, Bytes: int64(len(text)), Type: "text/plain", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}})
}

func (b *bucket) claims(ctx context.Context) ([]string, error) {
	at, err := b.at(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for info, err := range at.List(ctx, claimsFolder+"/") {
		if err != nil {
			return nil, err
		}
		out = append(out, path.Base(info.Name))
	}
	return out, nil
}

// registry is a shelf in a container registry.
type registry struct {
	*oci.Repository
}

func (r registry) put(ctx context.Context, c content) error {
	return r.Put(ctx, oci.Blob{SHA256: c.SHA256, Bytes: c.Bytes, Type: c.Type, Open: c.open})
}

func (r registry) open(ctx context.Context, p record.Pointer) (io.ReadCloser, error) {
	return r.Get(ctx, p.SHA256, 0)
}

func (r registry) stat(ctx context.Context, sum string) (Item, error) {
	info, err := r.Stat(ctx, sum)
	return Item{SHA256: info.SHA256, Bytes: info.Bytes, Modified: info.Modified}, err
}

func (r registry) list(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for info, err := range r.List(ctx) {
			if !yield(Item{SHA256: info.SHA256, Bytes: info.Bytes, Modified: info.Modified}, err) {
				return
			}
		}
	}
}

func (r registry) remove(ctx context.Context, sum string) error { return r.Delete(ctx, sum) }

// A registry's claims are blobs whose tag says the project.
func (r registry) claim(ctx context.Context, project string) error {
	return r.Mark(ctx, projectTag+project)
}

func (r registry) claims(ctx context.Context) ([]string, error) {
	var out []string
	tags, err := r.Tags(ctx)
	for _, tag := range tags {
		if project, ok := strings.CutPrefix(tag, projectTag); ok {
			out = append(out, project)
		}
	}
	if err != nil {
		err = fmt.Errorf("listing projects: %w", err)
	}
	return out, err
}

const projectTag = "plumb-project-"
