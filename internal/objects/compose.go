package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/plumb-ml/plumb/internal/parts"
	"github.com/plumb-ml/plumb/internal/retry"
)

// composed is large objects in Google's storage: each part is an object of its own, of which one is composed; then they go. Google's resumable sessions are the
// road not taken: their address is a secret that would have to be kept on this machine, and their bytes come one after the other. The price is that a bucket
// which keeps what was deleted (Google's default is a week) keeps the parts that long.
type composed struct {
	bucket *storage.BucketHandle
	prefix string
}

const (
	partsFolder = ".plumb/parts/"
	composeOf   = 32 // what Google composes at once

	deletesAtOnce = 16
)

func (c *composed) folder(name string) string { return c.prefix + partsFolder + name + "/" }

// composing is one large object on its way, over all tries.
type composing struct {
	*composed
	rivals
	whole    parts.Whole
	patience time.Duration
}

func (c *composed) put(ctx context.Context, b *Bucket, o Object) error {
	p := &composing{c, rivals{in: b.bucket, object: o}, wholeOf(o, composeOf*composeOf), b.patience}
	return b.try(ctx, func(ctx context.Context, alive func()) error {
		there, err := c.list(ctx, c.folder(o.Name), alive)
		if isForbidden(err) { // parts that can't be listed could not be cleared away either
			return b.put(ctx, o, alive)
		}
		if err == nil {
			err = p.try(ctx, there, alive)
		}
		return err
	})
}

// try sends what is missing, composes, and clears away.
func (c *composing) try(ctx context.Context, there map[string]*storage.ObjectAttrs, alive func()) error {
	won, err := c.won(ctx)
	if err != nil {
		return err
	}
	if !won {
		names, err := c.send(ctx, there, alive)
		var own retry.Final
		if errors.As(err, &own) { // our bytes are not what they are called
			c.erase(ctx, c.object.Name)
		}
		if err != nil {
			return err
		}
		done := beat(alive, c.patience)
		defer done()
		if err := c.compose(ctx, names); err != nil && !c.overtaken(ctx, names, alive) {
			return err
		}
	}
	c.erase(ctx, c.object.Name)
	return nil
}

// overtaken says that parts are gone while the object is there: only who has composed it clears them away, be it before this one looked for the first time.
func (c *composing) overtaken(ctx context.Context, names []string, alive func()) bool {
	now, err := c.look(ctx)
	if err != nil || now.bytes != c.object.Bytes {
		return false
	}
	there, err := c.list(ctx, c.folder(c.object.Name), alive)
	return err == nil && slices.ContainsFunc(names, func(name string) bool { return there[name] == nil })
}

// send writes the parts that are not there, and gives the names of all.
func (c *composing) send(ctx context.Context, there map[string]*storage.ObjectAttrs, alive func()) ([]string, error) {
	names := make([]string, c.whole.Count())
	err := c.whole.Send(ctx, alive, func(ctx context.Context, p parts.Part) error {
		names[p.Index] = fmt.Sprintf("%s%04d-%x", c.folder(c.object.Name), p.Index, p.SHA256)
		part, sum := c.bucket.Object(names[p.Index]), crc32.Checksum(p.Data, crc32.MakeTable(crc32.Castagnoli))
		switch a := there[names[p.Index]]; {
		case a == nil:
			part = part.If(storage.Conditions{DoesNotExist: true})
		case a.Size == int64(len(p.Data)) && a.CRC32C == sum:
			return nil
		}
		err := write(ctx, part, p.Body(alive), sum)
		if status(err) == http.StatusPreconditionFailed {
			return nil // another has just sent it
		}
		return err
	})
	return names, err
}

// write makes a part, in one request; the service refuses it when the checksum is another.
func write(ctx context.Context, part *storage.ObjectHandle, body io.Reader, sum uint32) error {
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	w := part.NewWriter(ctx)
	w.ChunkSize, w.ContentType, w.CRC32C, w.SendCRC32C = 0, "application/octet-stream", sum, true
	_, err := io.Copy(w, body)
	if err != nil {
		abort()
	}
	return cmp.Or(w.Close(), err) // Close knows why the service would take no more
}

// compose makes the object of the parts; of more than composeOf in two rounds.
func (c *composing) compose(ctx context.Context, names []string) error {
	if len(names) > composeOf {
		var joined []string
		for some := range slices.Chunk(names, composeOf) {
			joined = append(joined, fmt.Sprintf("%sjoined-%02d", c.folder(c.object.Name), len(joined)))
			if err := c.join(ctx, joined[len(joined)-1], some, ""); err != nil {
				return err
			}
		}
		names = joined
	}
	return c.join(ctx, c.prefix+c.object.Name, names, mediaType(c.object))
}

// list gives the objects below a folder, by name.
func (c *composed) list(ctx context.Context, folder string, alive func()) (map[string]*storage.ObjectAttrs, error) {
	out := map[string]*storage.ObjectAttrs{}
	for all := c.bucket.Objects(ctx, &storage.Query{Prefix: folder}); ; alive() {
		a, err := all.Next()
		if errors.Is(err, iterator.Done) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out[a.Name] = a
	}
}

func (c *composed) join(ctx context.Context, name string, of []string, contentType string) error {
	sources := make([]*storage.ObjectHandle, len(of))
	for i, n := range of {
		sources[i] = c.bucket.Object(n)
	}
	composer := c.bucket.Object(name).ComposerFrom(sources...)
	composer.ContentType = contentType
	_, err := composer.Run(ctx)
	return err
}

// left gives the objects of which there are parts, by the youngest of each.
func (c *composed) left(ctx context.Context, before time.Time, alive func()) ([]Unfinished, error) {
	all, err := c.list(ctx, c.prefix+partsFolder, alive)
	if err != nil {
		return nil, err
	}
	found := map[string]Unfinished{}
	for _, a := range all {
		name := path.Dir(strings.TrimPrefix(a.Name, c.prefix+partsFolder))
		u := found[name]
		if a.Created.After(u.Started) {
			u.Name, u.Started = name, a.Created
		}
		u.Bytes += a.Size
		found[name] = u
	}
	maps.DeleteFunc(found, func(_ string, u Unfinished) bool { return !u.Started.Before(before) })
	return slices.Collect(maps.Values(found)), nil
}

// abort deletes the parts of an object, many at once: there may be a thousand.
func (c *composed) abort(ctx context.Context, u Unfinished) error {
	all, err := c.list(ctx, c.folder(u.Name), func() {})
	names, failed := make(chan string), make(chan error, deletesAtOnce)
	for range deletesAtOnce {
		go func() {
			var err error
			for name := range names {
				if e := c.bucket.Object(name).Delete(ctx); !errors.Is(e, storage.ErrObjectNotExist) {
					err = cmp.Or(err, e)
				}
			}
			failed <- err
		}()
	}
	for name := range all {
		names <- name
	}
	close(names)
	for range deletesAtOnce {
		err = cmp.Or(err, <-failed)
	}
	return err
}

func (c *composed) erase(ctx context.Context, name string) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	_ = c.abort(ctx, Unfinished{Name: name}) // `store gc` comes later
}
