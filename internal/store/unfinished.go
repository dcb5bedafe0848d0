package store

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/plumb-ml/plumb/internal/objects"
)

// Unfinished is an upload of a blob that was begun and never ended. Nobody can read it, and its bytes are paid for.
type Unfinished struct {
	SHA256  string    `json:"sha256"` // of the whole blob
	Bytes   int64     `json:"bytes"`  // that have arrived; -1 when the store does not say
	Started time.Time `json:"started"`

	upload objects.Unfinished
}

// Uploader is a store where uploads that were killed stay, to go on where they were: until they are dropped.
type Uploader interface {
	// Unfinished gives the uploads of blobs that were begun before a moment and never ended.
	Unfinished(ctx context.Context, before time.Time) ([]Unfinished, error)
	// Abandon drops them. One that has ended meanwhile is a success.
	Abandon(ctx context.Context, uploads []Unfinished) error
}

// Unfinished asks object storage; other shelves have none, or drop them by themselves.
func (s *shelved) Unfinished(ctx context.Context, before time.Time) ([]Unfinished, error) {
	b, ok := s.shelf.(*bucket)
	if !ok {
		return nil, nil
	}
	at, err := b.at(ctx)
	if err != nil {
		return nil, err
	}
	all, err := at.Unfinished(ctx, before)
	var out []Unfinished
	for _, u := range all { // a bucket belongs to others too
		if sum := path.Base(u.Name); isSum(sum) && u.Name == fanned(sum) {
			out = append(out, Unfinished{sum, u.Bytes, u.Started.UTC(), u})
		}
	}
	return out, err
}

// Abandon aborts uploads in object storage.
func (s *shelved) Abandon(ctx context.Context, uploads []Unfinished) error {
	b, ok := s.shelf.(*bucket)
	if !ok || len(uploads) == 0 {
		return nil
	}
	at, err := b.at(ctx)
	if err != nil {
		return err
	}
	err = Each(ctx, uploads, func(ctx context.Context, u Unfinished) error { return at.Abort(ctx, u.upload) })
	if err != nil {
		return fmt.Errorf("dropping unfinished uploads: %w", err)
	}
	return nil
}
