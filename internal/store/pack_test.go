package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// pushed makes a bare repository with some pushes on some days before `day`, and gives their blobs.
func pushed(t *testing.T, days, pushes int) (bare string, all []record.Pointer) {
	t.Helper()
	bare = filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", bare)
	git(t, bare, "config", "uploadpack.allowFilter", "true")
	dir := clone(t, bare)
	for d := range days {
		s := openAt(t, dir, "git", Options{Now: day.AddDate(0, 0, d-days)})
		for n := range pushes {
			pointers := put(t, s, fmt.Sprintf("blob %d of day %d", n, d), fmt.Sprintf("other %d of day %d", n, d))
			if _, err := s.Push(t.Context(), named(pointers...)); err != nil {
				t.Fatal(err)
			}
			all = append(all, pointers...)
		}
	}
	return bare, all
}

func blobRefsOf(t *testing.T, dir string) []string {
	t.Helper()
	return strings.Fields(git(t, dir, "for-each-ref", "--format=%(refname)", "refs/plumb/blobs"))
}

func readsAll(t *testing.T, bare string, all []record.Pointer) {
	t.Helper()
	for _, withID := range []bool{true, false} {
		reader := openAt(t, clone(t, bare), "git", Options{})
		for _, p := range all {
			if !withID {
				p.OID = ""
			}
			if data, err := reader.Get(t.Context(), p); err != nil || int64(len(data)) != p.Bytes {
				t.Fatalf("%s (with its object id: %v): %d bytes, %v", p.SHA256, withID, len(data), err)
			}
		}
	}
}

func TestPack(t *testing.T) {
	bare, all := pushed(t, 4, 3) // the last days of June
	other := "refs/plumb/blobs/2001-06-28/not-ours"
	git(t, bare, "update-ref", other, blobRefsOf(t, bare)[0])
	before := blobRefsOf(t, bare)
	packer := openAt(t, clone(t, bare), "git", Options{Now: day}).(Packer)
	if dry, err := packer.Pack(t.Context(), true); err != nil || dry.Before != 13 || dry.After != 5 || len(blobRefsOf(t, bare)) != len(before) {
		t.Errorf("dry: %+v, %v", dry, err)
	}
	if done, err := packer.Pack(t.Context(), false); err != nil || done.After != 5 || len(done.Made) != 4 || len(done.Gone) != 12 {
		t.Errorf("days: %+v, %v", done, err)
	}
	if refs := blobRefsOf(t, bare); len(refs) != 5 {
		t.Errorf("a ref a day, and one that is not ours: %v", refs)
	}
	git(t, bare, "gc", "-q", "--prune=now")
	readsAll(t, bare, all)
	july := openAt(t, clone(t, bare), "git", Options{Now: day.AddDate(0, 0, 3)})
	if done, err := july.(Packer).Pack(t.Context(), false); err != nil || done.After != 2 {
		t.Errorf("months: %+v, %v", done, err)
	}
	refs := blobRefsOf(t, bare)
	if len(refs) != 2 || !strings.HasPrefix(refs[1], "refs/plumb/blobs/2001-06/") {
		t.Errorf("one ref a month, and one that is not ours: %v", refs)
	}
	if again, err := july.(Packer).Pack(t.Context(), false); err != nil || len(again.Made)+len(again.Gone) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	git(t, bare, "gc", "-q", "--prune=now")
	git(t, bare, "fsck", "--full", "--strict")
	readsAll(t, bare, all)
	if parents := git(t, bare, "rev-list", "--parents", "-1", refs[1]); strings.Contains(parents, " ") {
		t.Errorf("a packed commit keeps what it replaced: %s", parents)
	}
}

// The packing moves no blobs: what the outline holds afterwards is trees.
func TestPackMovesNoBlobs(t *testing.T) {
	bare, all := pushed(t, 2, 2)
	dir := clone(t, bare)
	if _, err := openAt(t, dir, "git", Options{Now: day}).(Packer).Pack(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	outlines, _ := filepath.Glob(filepath.Join(dir, ".git/plumb/cache/*-outline"))
	if len(outlines) != 1 {
		t.Fatalf("outlines: %v", outlines)
	}
	objects := git(t, outlines[0], "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
	for _, p := range all {
		if strings.Contains(objects, p.OID) {
			t.Errorf("blob %s is in the outline", p.OID)
		}
	}
	if !strings.Contains(objects, "tree ") {
		t.Errorf("objects: %s", objects)
	}
}

// A server that can't leave blobs out sends them all: slower, and right.
func TestPackWithoutFilter(t *testing.T) {
	bare, all := pushed(t, 2, 2)
	git(t, bare, "config", "uploadpack.allowFilter", "false")
	if done, err := openAt(t, clone(t, bare), "git", Options{Now: day}).(Packer).Pack(t.Context(), false); err != nil || done.After != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	readsAll(t, bare, all)
}

// Without a remote this repository's own refs are packed.
func TestPackLocally(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	var all []record.Pointer
	for n := range 5 {
		all = append(all, put(t, openAt(t, dir, "git", Options{Now: day.AddDate(0, 0, -n)}), fmt.Sprint(n), fmt.Sprint("x", n))...)
	}
	git(t, dir, "pack-refs", "--all")
	s := openAt(t, dir, "git", Options{Now: day.AddDate(0, 1, 0)})
	if done, err := s.(Packer).Pack(t.Context(), false); err != nil || done.After != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	git(t, dir, "gc", "-q", "--prune=now")
	for _, p := range all {
		if _, err := s.Get(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	if err := s.Remove(t.Context(), []string{all[0].SHA256}, time.Time{}); err != nil {
		t.Error(err)
	}
	git(t, dir, "gc", "-q", "--prune=now")
	fresh := openAt(t, dir, "git", Options{})
	if _, err := fresh.Get(t.Context(), all[0]); !errors.Is(err, ErrNotFound) {
		t.Errorf("after Remove: %v", err)
	}
	checkNames(t, s, all[1:])
}

func checkNames(t *testing.T, s Store, want []record.Pointer) {
	t.Helper()
	got := map[string]bool{}
	for item, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[item.SHA256] = true
	}
	for _, p := range want {
		if !got[p.SHA256] {
			t.Errorf("%s is not listed", p.SHA256)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d blobs are listed, want %d", len(got), len(want))
	}
}

// What a push of these days names stays, also in refs that are made anew; what older refs alone name goes.
func TestRemoveSparesTheYoung(t *testing.T) {
	bare, all := pushed(t, 3, 1)
	s := openAt(t, clone(t, bare), "git", Options{Now: day})
	if _, err := s.Push(t.Context(), named(all[0])); err != nil { // named again today
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), []string{all[0].SHA256, all[1].SHA256}, day.AddDate(0, 0, -1)); err != nil {
		t.Fatal(err)
	}
	git(t, bare, "gc", "-q", "--prune=now")
	readsAll(t, bare, append(all[2:], all[0]))
	fresh := openAt(t, clone(t, bare), "git", Options{})
	if _, err := fresh.Get(t.Context(), all[1]); !errors.Is(err, ErrNotFound) {
		t.Errorf("what nothing young names: %v", err)
	}
}

// Packers are killed, others push, others read: nobody ever misses a blob.
func TestPackAmongOthers(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	bare, all := pushed(t, 6, 3)
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var others sync.WaitGroup
	others.Go(func() {
		s := openAt(t, clone(t, bare), "git", Options{Now: day.AddDate(0, 0, -1)})
		for n := 0; ctx.Err() == nil; n++ {
			p, err := s.Put(ctx, []Blob{{Data: fmt.Append(nil, "pushed meanwhile ", n), Type: "text/plain"}})
			if err == nil {
				_, err = s.Push(ctx, named(p...))
			}
			if err != nil && ctx.Err() == nil {
				t.Errorf("pushing meanwhile: %v", err)
			}
			if err == nil {
				mu.Lock()
				all = append(all, p...)
				mu.Unlock()
			}
		}
	})
	others.Go(func() {
		for ctx.Err() == nil {
			mu.Lock()
			p := all[rand.IntN(len(all))]
			mu.Unlock()
			p.OID = ""
			reader := openAt(t, clone(t, bare), "git", Options{})
			if _, err := reader.Get(ctx, p); err != nil && ctx.Err() == nil {
				t.Errorf("reading meanwhile: %v", err)
			}
		}
	})
	for n := range rounds {
		dir := clone(t, bare)
		first, _ := startChild(t, dir, "pack "+day.Format(time.RFC3339))
		second, _ := startChild(t, clone(t, bare), "pack "+day.Format(time.RFC3339))
		time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		_ = first.Process.Kill()
		_ = first.Wait()
		if n%2 == 0 {
			_ = second.Process.Kill()
		}
		_ = second.Wait()
		if _, err := os.Stat(bare); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	others.Wait()
	if done, err := openAt(t, clone(t, bare), "git", Options{Now: day}).(Packer).Pack(t.Context(), false); err != nil || done.After != 6 {
		t.Errorf("at last: %+v, %v", done, err)
	}
	git(t, bare, "fsck", "--full", "--strict")
	readsAll(t, bare, all)
}
