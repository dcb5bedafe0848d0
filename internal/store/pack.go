package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// Packed says what packing did, or would do.
type Packed struct {
	Before int      `json:"before"` // refs of blobs
	After  int      `json:"after"`
	Made   []string `json:"made"`
	Gone   []string `json:"gone"`
	Left   []string `json:"left"` // refs that were left alone because they hold something else
}

// Packer is a store whose bookkeeping grows with every Push until it is packed.
type Packer interface {
	// Pack folds the refs of finished days into one a day, those of finished months into one a month. dry only says what would be done.
	Pack(ctx context.Context, dry bool) (Packed, error)
}

// busyDay is how many refs of the running day are left as they are.
const busyDay = 50

// Pack does not move blobs: a new commit names those that are there. New refs are made before old ones go, so a reader finds every blob at any moment, and a
// process that is killed in between leaves both; names follow from what is inside, so the next one, or one that runs at the same time, makes the same ref.
func (s *gitStore) Pack(ctx context.Context, dry bool) (Packed, error) {
	shelf, err := s.shelf(ctx)
	if err != nil {
		return Packed{}, fmt.Errorf("packing: %w", err)
	}
	defer shelf.close()
	refs, err := shelf.refs(ctx)
	if err != nil {
		return Packed{}, fmt.Errorf("packing: %w", err)
	}
	f := folding{shelf: shelf, refs: refs}
	for into, names := range foldable(refs, s.day()) {
		if err := f.add(into, names, nil); err != nil {
			return Packed{}, fmt.Errorf("packing: %w", err)
		}
	}
	done, err := f.apply(ctx, dry)
	if err != nil {
		return Packed{}, fmt.Errorf("packing: %w", err)
	}
	return done, nil
}

// foldable groups refs by the period that they go into. A group of one that is where it belongs is left out.
func foldable(refs map[string]string, today time.Time) map[period][]string {
	groups := map[period][]string{}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		p, ours := periodOf(name)
		if !ours || p.day.After(today) && !p.monthly { // written by a clock that is ahead
			continue
		}
		if month := p.month(); month.day.Before(today) {
			p = month
		}
		groups[p] = append(groups[p], name)
	}
	maps.DeleteFunc(groups, func(into period, names []string) bool {
		if len(names) == 1 {
			p, _ := periodOf(names[0])
			return p == into
		}
		return into.day.Equal(today) && !into.monthly && len(names) <= busyDay
	})
	return groups
}

// folding is a set of refs that are about to be replaced.
type folding struct {
	shelf *gitShelf
	refs  map[string]string // all there are
	parts []part
	left  []string
}

// part is one ref that takes the place of others; without files they only go.
type part struct {
	into  period
	names []string
	files map[string]string
}

// add puts the blobs of refs, without some, into one ref of a period. A ref that holds anything but blobs is left alone, and so is one that has other bytes
// under a name than another: which is right shows only when they are read.
func (f *folding) add(into period, names []string, without map[string]bool) error {
	p := part{into: into, files: map[string]string{}}
	for _, name := range names {
		blobs, foreign, err := f.shelf.blobsOf(f.refs[name])
		if err != nil {
			return err
		}
		for sum, oid := range blobs {
			foreign = foreign || p.files[sum] != "" && p.files[sum] != oid
		}
		if foreign {
			f.left = append(f.left, name)
			continue
		}
		p.names = append(p.names, name)
		for sum, oid := range blobs {
			if !without[sum] {
				p.files[sum] = oid
			}
		}
	}
	if len(p.names) > 0 {
		f.parts = append(f.parts, p)
	}
	return nil
}

// apply makes the new refs, looks whether they are there, and deletes the old ones.
func (f *folding) apply(ctx context.Context, dry bool) (Packed, error) {
	made, err := f.write(ctx)
	if err != nil {
		return Packed{}, err
	}
	gone := map[string]string{}
	for _, p := range f.parts {
		for _, name := range p.names {
			if made[name] == "" {
				gone[name] = f.refs[name]
			}
		}
	}
	maps.DeleteFunc(made, func(name, _ string) bool { return f.refs[name] != "" }) // killed after it was made, last time
	done := Packed{Before: len(f.refs), After: len(f.refs) + len(made) - len(gone), Made: names(made), Gone: names(gone), Left: append([]string{}, f.left...)}
	if dry || len(gone) == 0 {
		return done, nil
	}
	if err := f.shelf.publish(ctx, made); err != nil {
		return Packed{}, err
	}
	now, err := f.shelf.refs(ctx)
	if err != nil {
		return Packed{}, err
	}
	for name := range made {
		if now[name] == "" {
			return Packed{}, errors.New("the remote does not show " + name + " that it took a moment ago; nothing was deleted")
		}
	}
	return done, f.shelf.drop(ctx, gone)
}

// write makes the commits, and gives them by the names of their refs.
func (f *folding) write(ctx context.Context) (map[string]string, error) {
	made := map[string]string{}
	if len(f.parts) == 0 {
		return made, nil
	}
	err := f.shelf.repo.Write(ctx, func(w *gitdb.Writer) error {
		for _, p := range f.parts {
			if len(p.files) == 0 {
				continue
			}
			files := make([]gitdb.File, 0, len(p.files))
			for sum, oid := range p.files {
				files = append(files, gitdb.File{Path: fanned(sum), OID: oid})
			}
			ref, commit, err := commitBlobs(w, p.into, files)
			if err != nil {
				return err
			}
			made[ref] = commit
		}
		return nil
	})
	return made, err
}

func names(refs map[string]string) []string {
	out := slices.Sorted(maps.Keys(refs))
	if out == nil {
		out = []string{}
	}
	return out
}

// Remove takes blobs out of the refs that name them, at the remote and in this clone: refs are made anew without them. Their objects stay until Git collects
// what nothing reaches.
func (s *gitStore) Remove(ctx context.Context, sums []string, before time.Time) error {
	without := map[string]bool{}
	for _, sum := range sums {
		if !isSum(sum) {
			return fmt.Errorf("removing blob: %q is no SHA-256", sum)
		}
		without[sum] = true
	}
	shelf, err := s.shelf(ctx)
	if err != nil {
		return fmt.Errorf("removing blobs: %w", err)
	}
	defer shelf.close()
	err = removeFrom(ctx, shelf, without, before)
	if err == nil && shelf.outline != nil {
		err = removeFrom(ctx, &gitShelf{repo: s.repo}, without, before)
	}
	if err != nil {
		return fmt.Errorf("removing blobs: %w", err)
	}
	return nil
}

func removeFrom(ctx context.Context, shelf *gitShelf, without map[string]bool, before time.Time) error {
	refs, err := shelf.refs(ctx)
	if err != nil {
		return err
	}
	f := folding{shelf: shelf, refs: refs}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		p, ours := periodOf(name)
		blobs, _, err := shelf.blobsOf(refs[name])
		if err != nil {
			return err
		}
		named := slices.ContainsFunc(slices.Collect(maps.Keys(blobs)), func(sum string) bool { return without[sum] })
		if young := !before.IsZero() && !p.day.Before(before); !ours || !named || young {
			continue
		}
		if err := f.add(p, []string{name}, without); err != nil {
			return err
		}
	}
	_, err = f.apply(ctx, false)
	if err == nil && len(f.left) > 0 {
		return fmt.Errorf("%v hold something else too, and were left as they are", f.left)
	}
	return err
}
