package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// services are the stores that are servers, each with a real one.
var services = map[string]func(t testing.TB) string{
	"s3":     func(t testing.TB) string { return storetest.StartS3(t).URL("team/project") },
	"oci":    storetest.StartRegistry,
	"gs":     storetest.StartGoogle,
	"azblob": storetest.StartAzure,
}

// shared are these, and a folder.
var shared = func() map[string]func(t testing.TB) string {
	all := maps.Clone(services)
	all["file"] = func(t testing.TB) string { return "file://" + filepath.Join(t.TempDir(), "blobs") }
	return all
}()

func inRepository(t *testing.T, url string, opts Options) (Store, string) {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	return openAt(t, dir, url, opts), dir
}

// What every server does, from one machine to another.
func TestServices(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			url := start(t)
			ctx := context.Background()
			writer, here := inRepository(t, url, Options{Project: "flights-12345678"})
			reader, _ := inRepository(t, url, Options{})
			large := strings.Repeat("0123456789abcdef", 1<<20) // 16 MB: several parts
			texts := []string{"one", "", "two", large}
			pointers := put(t, writer, texts...)
			for i, p := range pointers {
				if data, err := writer.Get(ctx, p); err != nil || string(data) != texts[i] || !writer.Has(ctx, p) {
					t.Errorf("before Push: blob %d: %d bytes, %v", i, len(data), err)
				}
				if _, err := reader.Get(ctx, p); !errors.Is(err, ErrNotFound) || reader.Has(ctx, p) {
					t.Errorf("before Push, elsewhere: %v", err)
				}
			}
			if missing, err := writer.Missing(ctx, named(pointers...)); err != nil || len(missing) != 4 {
				t.Errorf("missing before Push: %v, %v", missing, err)
			}
			if sent, err := writer.Push(ctx, named(pointers...)); err != nil || sent != (Sent{4, int64(6 + len(large)), 0}) {
				t.Fatalf("Push: %+v, %v", sent, err)
			}
			if sent, err := writer.Push(ctx, named(pointers...)); err != nil || sent != (Sent{0, 0, 4}) {
				t.Errorf("Push once more: %+v, %v", sent, err)
			}
			if outbox, _ := filepath.Glob(filepath.Join(here, ".git/plumb/outbox/??/*")); len(outbox) != 0 {
				t.Errorf("left in the outbox: %v", outbox)
			}
			for i, p := range pointers {
				if data, err := reader.Get(ctx, p); err != nil || string(data) != texts[i] {
					t.Errorf("after Push, elsewhere: blob %d: %d bytes, %v", i, len(data), err)
				}
			}
			checkList(t, reader, pointers)
			if claims, err := reader.Claims(ctx); err != nil || !slices.Equal(claims, []string{"flights-12345678"}) {
				t.Errorf("Claims: %v, %v", claims, err)
			}
			if err := writer.Remove(ctx, []string{pointers[0].SHA256}, time.Now().Add(-time.Hour)); err != nil {
				t.Error(err)
			}
			checkList(t, reader, pointers) // too young
			for range 2 {
				if err := writer.Remove(ctx, []string{pointers[0].SHA256, strings.Repeat("0", 64)}, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			checkList(t, reader, pointers[1:])
			if _, err := writer.Get(ctx, pointers[0]); !errors.Is(err, ErrNotFound) {
				t.Errorf("after Remove: %v", err)
			}
		})
	}
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

// A process that sends a blob is killed half way. The next one, with another copy of the repository, sends little more than what is missing.
func TestKilledHalfWay(t *testing.T) {
	const size, half, lost = 12 * partSize, 8 * partSize, 4*partSize + 1<<20 // parts that were under way, and requests
	for _, name := range []string{"s3", "oci"} {
		start := services[name]
		t.Run(name, func(t *testing.T) {
			url, sent := storetest.Tap(t, start(t))
			words := fmt.Sprintf("push %s 8 %d", url, size)
			p := Blob{Data: noise(8, size), Type: "text/plain"}.pointer()
			reader, dir := inRepository(t, url, Options{})
			cmd, said := startChild(t, dir, words)
			for begun := time.Now(); sent.Load() < half; time.Sleep(time.Millisecond) {
				if time.Since(begun) > time.Minute {
					t.Fatalf("only %d bytes were sent\n%s", sent.Load(), said)
				}
			}
			_ = cmd.Process.Kill()
			if cmd.Wait() == nil {
				t.Fatal("it was not killed")
			}
			checkList(t, reader, nil)
			first := sent.Load()
			_, other := inRepository(t, url, Options{})
			again, said := startChild(t, other, words)
			if err := again.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			all := sent.Load()
			t.Logf("%d MB of %d were sent when it was killed, %d MB by the next process", first/1e6, size/1_000_000, (all-first)/1e6)
			if all > size+lost {
				t.Errorf("%d bytes were sent in all", all)
			}
			checkWhole(t, reader, p)
			checkList(t, reader, []record.Pointer{p})
		})
	}
}

// Other bytes under a blob's name are found by whoever reads them, large blobs and small ones.
func TestOtherBytesOnTheShelf(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			s, _ := inRepository(t, start(t), Options{})
			for _, size := range []int{100, partSize + 1000} {
				data := noise(9, size)
				p := Blob{Data: data, Type: "text/plain"}.pointer()
				data[size-1] ^= 1
				err := s.(*shelved).shelf.put(t.Context(), contentOf(p, data))
				if err != nil && name == "oci" && size == 100 { // by its layer's digest the registry itself knows better
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				r, err := s.Open(t.Context(), p)
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				if !errors.Is(err, ErrSpoilt) || !strings.Contains(err.Error(), p.SHA256) {
					t.Errorf("%d bytes: %v", size, err)
				}
			}
		})
	}
}

// A pinned file that changed while it is sent leaves nothing under the name of the one that was pinned.
func TestPushOfAFileThatIsAnother(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			s, dir := inRepository(t, start(t), Options{})
			for _, size := range []int{100, 20 << 20} {
				data := bytes.Repeat([]byte("x"), size)
				n := Named{Pointer: Blob{Data: data}.pointer(), File: filepath.Join(dir, "file"), What: "file"}
				data[size/2] = 'y'
				if err := os.WriteFile(n.File, data, 0o666); err != nil {
					t.Fatal(err)
				}
				if sent, err := s.Push(context.Background(), []Named{n}); err == nil || !strings.Contains(fmt.Sprint(err), n.File) {
					t.Errorf("%d bytes: %+v, %v", size, sent, err)
				}
				checkList(t, s, nil)
			}
		})
	}
}
