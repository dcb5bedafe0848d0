package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// blobState is what became of looking at a blob.
type blobState int

const (
	blobUnseen blobState = iota
	blobGood
	blobGone // on purpose: a decision says so, and the rules allow it
	blobBad  // the store does not have it, or other bytes
)

// namedBlob is a blob and who names it.
type namedBlob struct {
	record.Pointer
	by     []naming
	data   *pinnedFile // nil for what records name
	public bool        // a record names it that others see, so the store has to have it
	state  blobState
	here   bool // this machine has it, whatever the store has
}

type naming struct{ path, key string }

// names takes note of what a record points at.
func (v *verifying) names(p string, r any) {
	v.usesData(p, r)
	public := !v.view.Private(p)
	for _, named := range record.Pointers(r) {
		b := v.blobs[named.SHA256]
		if b == nil {
			b = &namedBlob{Pointer: named.Pointer}
			v.blobs[named.SHA256] = b
		}
		if b.Bytes != named.Bytes && named.Check() == nil {
			v.finding(record.RuleBlob, p, v.oneOf(p, b.by[0].path), "its %s has %d bytes, and %s says %d of the same blob", named.Key, named.Bytes, b.by[0].path, b.Bytes)
		}
		b.by, b.public = append(b.by, naming{p, named.Key}), b.public || public
	}
}

// allBlobs looks at the store itself, not at what this machine keeps of it: each blob that a record names is in its listing with the right size and, unless told to be
// quick, has its bytes there. What this clone alone has named so far is read here.
func (v *verifying) allBlobs(ctx context.Context) (string, error) {
	v.namesData()
	if err := v.expiries(ctx); err != nil {
		return "", err
	}
	there, err := v.listing(ctx, v.p.Store)
	if err != nil {
		return "", err
	}
	var found, absent []*namedBlob
	for _, sum := range keys(v.blobs) {
		b := v.blobs[sum]
		size, ok := there[sum]
		switch err := b.Check(); {
		case err != nil:
			v.finding(record.RuleBlob, b.by[0].path, v.restore(b.by[0].path), "%s: %v", b.by[0].key, err)
		case !b.public || v.unread != nil:
			v.readHere(ctx, b)
		case !ok:
			absent = append(absent, b)
		case v.isBack(b):
			b.state = blobGone
		case size >= 0 && size != b.Bytes:
			v.readHere(ctx, b)
			v.badBlob(b, fmt.Errorf("the store has %d bytes, and %d are recorded", size, b.Bytes))
		default:
			found = append(found, b)
		}
	}
	if err := v.elsewhere(ctx, absent); err != nil {
		return "", err
	}
	v.tellBack(there)
	v.out.Checked.Stored += len(found)
	if v.o.Quick {
		return fmt.Sprintf("%d in the store; --quick reads none", v.out.Checked.Stored), nil
	}
	return countOf(v.out.Checked.Blobs, "blob"), v.readAll(ctx, found)
}

// listing gives the sizes of what a store has. One that can't be read is no damage: it is said once, and then only what is here is looked at.
func (v *verifying) listing(ctx context.Context, s store.Store) (map[string]int64, error) {
	there := map[string]int64{}
	if len(v.blobs) == 0 {
		return there, nil
	}
	v.p.progress("listing %s", s)
	for item, err := range s.List(ctx) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			v.unreadable(err)
			return there, nil
		}
		there[item.SHA256] = item.Bytes
	}
	return there, nil
}

func (v *verifying) unreadable(err error) {
	if v.unread == nil {
		v.unread = err
		v.skip("", "the blobs in "+v.p.Store.String(), "the store cannot be read: "+err.Error())
	}
}

// elsewhere looks for blobs that the store does not list: the Git store still gives those of a project that has moved. The others are gone on purpose or missing.
func (v *verifying) elsewhere(ctx context.Context, absent []*namedBlob) error {
	git := map[string]int64{}
	var old store.Store
	if len(absent) > 0 && v.p.Store.String() != "git" {
		var err error
		if old, err = v.p.anyStore("git"); err == nil {
			git, err = v.listing(ctx, old)
		}
		if err != nil {
			return err
		}
	}
	for _, b := range absent {
		_, ok := git[b.SHA256]
		switch {
		case ok && v.isBack(b):
			b.state = blobGone
		case ok && b.data != nil && !v.o.Quick:
			if err := v.readData(ctx, old, b); err != nil {
				return err
			}
		case ok:
			v.readHere(ctx, b)
			v.out.Checked.Stored++
		case v.dropped[b.SHA256] != nil:
			b.state = blobGone
		case v.onlyHere(ctx, b):
		case v.unread == nil:
			v.readHere(ctx, b)
			v.badBlob(b, store.ErrNotFound)
		}
	}
	return nil
}

// readHere reads a blob from wherever it can be had.
func (v *verifying) readHere(ctx context.Context, b *namedBlob) {
	if b.data != nil {
		b.here = v.dataHere(ctx, b)
		return
	}
	if v.o.Quick {
		b.here = v.p.Store.Has(ctx, b.Pointer)
		return
	}
	if v.unread != nil && !v.p.Store.Has(ctx, b.Pointer) {
		return // asking again for each would take long
	}
	data, err := v.p.Store.Get(ctx, b.Pointer)
	switch {
	case err == nil:
		b.state, b.here = blobGood, true
		v.out.Checked.Blobs++
		v.out.Checked.Bytes += int64(len(data))
	case b.public || v.unread != nil || ctx.Err() != nil: // told of, or could not be asked for
	case v.dropped[b.SHA256] != nil:
		b.state = blobGone
	default:
		v.badBlob(b, err)
	}
}

// readAll reads blobs from the store.
func (v *verifying) readAll(ctx context.Context, blobs []*namedBlob) error {
	pointers := make([]record.Pointer, len(blobs))
	for i, b := range blobs {
		pointers[i] = b.Pointer
	}
	wrong, err := store.Spoilt(ctx, v.p.Store, pointers, v.p.meter)
	if err != nil && ctx.Err() == nil {
		v.unreadable(err)
		err = nil
	}
	for _, b := range blobs {
		switch err := wrong[b.SHA256]; {
		case v.unread != nil && err == nil:
		case err == nil:
			b.state = blobGood
			v.out.Checked.Blobs++
			v.out.Checked.Bytes += b.Bytes
		case errors.Is(err, store.ErrSpoilt), errors.Is(err, store.ErrNotFound):
			v.out.Checked.Blobs++
			v.readHere(ctx, b)
			v.badBlob(b, err)
		default:
			v.unreadable(err)
		}
	}
	return err
}

// badBlob tells of a blob once, with the record that names it first.
func (v *verifying) badBlob(b *namedBlob, err error) {
	b.state = blobBad
	gone := errors.Is(err, store.ErrNotFound)
	what := err.Error()
	if gone {
		what = v.p.Store.String() + ": " + store.ErrNotFound.Error()
	}
	if b.data != nil {
		v.badData(b, what, gone)
		return
	}
	first, more := b.by[0], ""
	counts := func(by naming) bool { _, off := v.off[by.path]; return strings.HasPrefix(by.path, "runs/") && !off }
	if at := slices.IndexFunc(b.by, counts); at > 0 {
		first = b.by[at] // who made it
	}
	if n := len(b.by) - 1; n > 0 {
		more = "; also named by " + countOf(n, "record")
	}
	v.finding(record.RuleBlob, first.path, blobHint(b, gone), "its %s: %s%s", first.key, what, more)
}

// blobHint says how the store gets a blob right.
func blobHint(b *namedBlob, gone bool) string {
	push := "`plumb push`"
	if !gone {
		push = "`plumb push --verify`"
	}
	if b.here {
		return "this machine has it: " + push + " brings it there"
	}
	return fmt.Sprintf("in a clone that has it, %s brings it there; `plumb forget %s --reason WHY --apply` accepts that it is gone", push, b.SHA256)
}

// has says whether a blob can be read; what can't was told of.
func (v *verifying) has(p record.Pointer) bool {
	b := v.blobs[p.SHA256]
	return b != nil && (b.state == blobGood || b.here)
}
