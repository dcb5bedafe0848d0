package oci

import (
	"context"
	"errors"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plumb-ml/plumb/internal/retry"
)

// Get reads a blob from a byte on. Registries need not know ranges, so what lies before it in its layer is read and dropped.
func (r *Repository) Get(ctx context.Context, sum string, from int64) (io.ReadCloser, error) {
	m, _, err := r.manifest(ctx, sum) // without it, a layer is only one that was not collected yet
	if err != nil {
		return nil, r.explain("reading from", err)
	}
	d := &download{of: r, layers: m.Layers}
	for ; len(d.layers) > 1 && from >= d.layers[0].Size; d.layers = d.layers[1:] {
		from -= d.layers[0].Size
	}
	d.context, d.alive, d.done = retry.Watch(ctx, r.patience)
	if d.registry, err = remote.NewPuller(r.options(d.context)...); err == nil {
		err = d.open(from)
	}
	if err != nil {
		err = d.explain(err)
		d.done()
		return nil, err
	}
	return d, nil
}

// download is a blob on its way, layer by layer; the library verifies the SHA-256 of each at its end. It is for one goroutine.
type download struct {
	of       *Repository
	registry *remote.Puller
	layers   []v1.Descriptor // this one and those to come
	context  context.Context //nolint:containedctx // of the whole download, as io.Reader has none
	alive    func()
	done     func()
	body     io.ReadCloser // of the first layer; nil between two
}

// open begins the first layer that is left, at a byte.
func (d *download) open(from int64) error {
	return d.of.try(d.context, func(context.Context, func()) error {
		d.alive()
		layer, err := d.registry.Layer(d.context, d.of.repo.Digest(d.layers[0].Digest.String()))
		if err != nil {
			return err
		}
		body, err := layer.Compressed()
		if err != nil {
			return err
		}
		if _, err = io.CopyN(io.Discard, &retry.Source{Reader: body, Alive: d.alive}, from); err != nil {
			return errors.Join(err, body.Close())
		}
		d.body = body
		return nil
	})
}

// Read reads.
func (d *download) Read(p []byte) (int, error) {
	for {
		if d.body == nil && len(d.layers) == 0 {
			return 0, io.EOF
		}
		if d.body == nil {
			if err := d.open(0); err != nil {
				return 0, d.explain(err)
			}
		}
		d.alive()
		n, err := d.body.Read(p)
		if errors.Is(err, io.EOF) {
			err = d.body.Close()
			d.body, d.layers = nil, d.layers[1:]
		}
		if n > 0 || err != nil {
			return n, d.explain(err)
		}
	}
}

func (d *download) explain(err error) error {
	return d.of.explain("reading from", retry.Cause(d.context, err))
}

// Close ends the download.
func (d *download) Close() (err error) {
	if d.body != nil {
		err = d.body.Close()
	}
	d.done()
	return err
}
