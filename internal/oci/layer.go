package oci

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/plumb-ml/plumb/internal/retry"
)

// layer is a blob as the library wants it, streamed from where it lies.
type layer struct {
	blob  Blob
	alive func()
	last  *retry.Source
}

var _ v1.Layer = (*layer)(nil)

// Digest is the blob's name.
func (l *layer) Digest() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: l.blob.SHA256}, nil
}

// DiffID is the same: nothing is compressed.
func (l *layer) DiffID() (v1.Hash, error) { return l.Digest() }

// Size is known before.
func (l *layer) Size() (int64, error) { return l.blob.Bytes, nil }

// MediaType is the blob's.
func (l *layer) MediaType() (types.MediaType, error) { return mediaType(l.blob), nil }

// Uncompressed gives the bytes.
func (l *layer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }

// Compressed gives the bytes.
func (l *layer) Compressed() (io.ReadCloser, error) {
	src, err := l.blob.Open()
	if err != nil {
		return nil, err
	}
	l.last = &retry.Source{Reader: src, Alive: l.alive}
	return struct {
		io.Reader
		io.Closer
	}{l.last, src}, nil
}

// reason tells an error of the blob's own bytes, which no other try changes, from one of the registry.
func (l *layer) reason(err error) error {
	if err != nil && l.last != nil && l.last.Err != nil {
		return retry.Final{Err: l.last.Err}
	}
	return err
}
