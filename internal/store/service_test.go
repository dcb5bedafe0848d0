package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

func inRepository(t *testing.T, url string, opts Options) (Store, string) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	return openAt(t, dir, url, opts), dir
}

func checkList(t *testing.T, s Store, want []record.Pointer) {
	t.Helper()
	sizes := map[string]int64{}
	for item, err := range s.List(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		sizes[item.SHA256] = item.Bytes
		if time.Since(item.Modified) > time.Hour {
			t.Errorf("%s is of %s", item.SHA256, item.Modified)
		}
	}
	for _, p := range want {
		if size, ok := sizes[p.SHA256]; !ok || size != p.Bytes {
			t.Errorf("List gives %v, not the %d bytes of %s", sizes, p.Bytes, p.SHA256)
		}
	}
	if len(sizes) != len(want) {
		t.Errorf("List gives %d blobs, want %d", len(sizes), len(want))
	}
}

// A bucket belongs to others too: what is not a blob of ours is not listed, and what lies under our name with other bytes is told and mended.
func TestForeignAndSpoiltObjects(t *testing.T) {
	server := storetest.StartS3(t)
	ctx := context.Background()
	s, _ := inRepository(t, server.URL("mine"), Options{})
	pointers := put(t, s, "hello", "world")
	if _, err := s.Push(ctx, named(pointers...)); err != nil {
		t.Fatal(err)
	}
	sum := pointers[0].SHA256
	other := strings.Repeat("ab", 32)
	for name, text := range map[string]string{"README": "x", "ab/short": "x", "cd/" + other: "in the wrong folder", "x/" + sum[:2] + "/" + sum: "hello", "../" + sum: "hello"} {
		path := filepath.Join(server.Dir, "mine", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	checkList(t, s, pointers)
	theirs, _ := inRepository(t, server.URL(""), Options{})
	checkList(t, theirs, nil)
	path := filepath.Join(server.Dir, "mine", sum[:2], sum)
	for what, text := range map[string]string{"other bytes": "hellO", "longer": "hello!", "cut": "hel", "empty": ""} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		reader, _ := inRepository(t, server.URL("mine"), Options{})
		if data, err := reader.Get(ctx, pointers[0]); err == nil || !strings.Contains(err.Error(), sum) {
			t.Errorf("%s: %q, %v", what, data, err)
		}
		if _, err := s.Push(ctx, named(pointers...)); err != nil {
			t.Errorf("%s: Push: %v", what, err)
		}
		data, err := reader.Get(ctx, pointers[0])
		if mended := err == nil && string(data) == "hello"; mended != (what != "other bytes") {
			t.Errorf("%s: after Push: %q, %v", what, data, err)
		}
	}
}

// Blobs recorded before the store was changed are still found: in the Git store by their object ids, and by name.
func TestStoreChangedFromGit(t *testing.T) {
	server := storetest.StartS3(t)
	ctx := context.Background()
	bare := filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", bare)
	one := clone(t, bare)
	before := openAt(t, one, "git", Options{})
	old := put(t, before, "old")
	if _, err := before.Push(ctx, named(old...)); err != nil {
		t.Fatal(err)
	}
	after := openAt(t, clone(t, bare), server.URL(""), Options{})
	for range 2 {
		if data, err := after.Get(ctx, old[0]); err != nil || string(data) != "old" {
			t.Errorf("with the object id %q: %q, %v", old[0].OID, data, err)
		}
		old[0].OID = ""
	}
	if sent, err := after.Push(ctx, named(old...)); err != nil || sent.Blobs != 1 {
		t.Errorf("Push of what the Git store has: %+v, %v", sent, err)
	}
	nobody, _ := inRepository(t, server.URL(""), Options{})
	if data, err := nobody.Get(ctx, old[0]); err != nil || string(data) != "old" {
		t.Errorf("after that, from object storage: %q, %v", data, err)
	}
}
