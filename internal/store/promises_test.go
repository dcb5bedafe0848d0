package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store/storetest"
)

// services are the stores that others reach too: servers, each a real one, and a folder.
var services = map[string]func(t testing.TB) string{
	"s3":     func(t testing.TB) string { return storetest.StartS3(t).URL("team") },
	"oci":    storetest.StartRegistry,
	"gs":     storetest.StartGoogle,
	"azblob": storetest.StartAzure,
	"file":   func(t testing.TB) string { return "file://" + t.TempDir() },
}

// promises are what holds of each, in a place of its own.
var promises = []struct {
	name   string
	check  func(t *testing.T, url string)
	folder bool // holds of a folder too, which has no outbox and no network
}{
	{"from one machine to another", fromOneMachineToAnother, false},
	{"racing writers", racingWriters, true},
	{"killed at any moment", killedAtAnyMoment, true},
	{"killed half way", killedHalfWay, false},
	{"two go on", twoGoOn, false},
	{"other bytes", otherBytes, false},
	{"a file that is another", fileThatIsAnother, false},
}

func TestServices(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			url := start(t)
			for i, p := range promises {
				if p.folder || name != "file" {
					t.Run(p.name, func(t *testing.T) { p.check(t, below(url, fmt.Sprintf("place-%d", i))) })
				}
			}
		})
	}
}

// below is a place in a store.
func below(url, folder string) string {
	place, query, ok := strings.Cut(url, "?")
	if ok {
		query = "?" + query
	}
	return place + "/" + folder + query
}

// What every server does, from one machine to another.
func fromOneMachineToAnother(t *testing.T, url string) {
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
}

// 16 processes write one blob of several parts at the same time (with -short, four): one whole blob is there.
func racingWriters(t *testing.T, url string) {
	const size = 12 << 20
	writers := 16
	if testing.Short() {
		writers = 4
	}
	var all sync.WaitGroup
	for range writers {
		dir := t.TempDir()
		git(t, dir, "init", "-q")
		cmd, said := startChild(t, dir, fmt.Sprintf("push %s 1 %d", url, size))
		all.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Errorf("a writer: %v\n%s", err, said)
			}
		})
	}
	all.Wait()
	reader, _ := inRepository(t, url, Options{})
	p := Blob{Data: noise(1, size), Type: "text/plain"}.pointer()
	checkList(t, reader, []record.Pointer{p})
	checkNothingLeft(t, reader)
	if data, err := reader.Get(t.Context(), p); err != nil || len(data) != size {
		t.Errorf("Get: %d bytes, %v", len(data), err)
	}
}

// Uploads are killed at any moment: a reader sees a whole blob or none, and the next try brings it.
func killedAtAnyMoment(t *testing.T, url string) {
	const size = 24 << 20
	kills := 4
	if testing.Short() {
		kills = 1
	}
	reader, _ := inRepository(t, url, Options{})
	halfway := 0
	for seed := range kills {
		dir := t.TempDir()
		git(t, dir, "init", "-q")
		words := fmt.Sprintf("push %s %d %d", url, 100+seed, size)
		cmd, _ := startChild(t, dir, words)
		time.Sleep(time.Duration(150+rand.IntN(250)) * time.Millisecond)
		_ = cmd.Process.Kill()
		killed := cmd.Wait() != nil
		p := Blob{Data: noise(100+seed, size), Type: "text/plain"}.pointer()
		data, err := reader.Get(t.Context(), p)
		switch {
		case err == nil && len(data) == size:
		case errors.Is(err, ErrNotFound):
			if killed {
				halfway++
			}
		default:
			t.Errorf("after a kill: %d bytes, %v", len(data), err)
		}
		again, said := startChild(t, dir, words)
		if err := again.Wait(); err != nil {
			t.Fatalf("the next try: %v\n%s", err, said)
		}
		if data, err := reader.Get(t.Context(), p); err != nil || len(data) != size {
			t.Errorf("after the next try: %d bytes, %v", len(data), err)
		}
	}
	t.Logf("%d of %d were killed before the blob was there", halfway, kills)
}

const halfWayBytes, halfWay = 8 * partSize, 5 * partSize

// stopHalfWay kills a process when so many bytes of a blob were sent; what it was doing is in words.
func stopHalfWay(t *testing.T, url string, seed int) (words string, traffic *storetest.Traffic) {
	t.Helper()
	url, traffic = storetest.Tap(t, url)
	traffic.Limit.Store(halfWay)
	words = fmt.Sprintf("push %s %d %d", url, seed, halfWayBytes)
	_, dir := inRepository(t, url, Options{})
	cmd, said := startChild(t, dir, words)
	for begun := time.Now(); traffic.Sent.Load() < halfWay; time.Sleep(time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("only %d bytes were sent\n%s", traffic.Sent.Load(), said)
		}
	}
	_ = cmd.Process.Kill()
	if cmd.Wait() == nil {
		t.Fatal("it was not killed")
	}
	traffic.Limit.Store(0)
	reader, _ := inRepository(t, url, Options{})
	checkList(t, reader, nil)
	return words, traffic
}

// goOn does it with other copies of the repository, and sees to it that the blob is there and nothing else.
func goOn(t *testing.T, url, words string, seed, processes int) {
	t.Helper()
	var all sync.WaitGroup
	for range processes {
		_, dir := inRepository(t, url, Options{})
		cmd, said := startChild(t, dir, words)
		all.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v\n%s", err, said)
			}
		})
	}
	all.Wait()
	reader, _ := inRepository(t, url, Options{})
	p := Blob{Data: noise(seed, halfWayBytes), Type: "text/plain"}.pointer()
	checkWhole(t, reader, p)
	checkList(t, reader, []record.Pointer{p})
	checkNothingLeft(t, reader)
}

// A process that sends a blob is killed half way. The next one sends little more than what is missing.
func killedHalfWay(t *testing.T, url string) {
	const lost = 4*partSize + 1<<20 // parts that were under way, and requests
	words, traffic := stopHalfWay(t, url, 8)
	first := traffic.Sent.Load()
	goOn(t, url, words, 8, 1)
	all := traffic.Sent.Load()
	t.Logf("%d MB of %d were sent when it was killed, %d MB by the next process", first/1e6, halfWayBytes/1_000_000, (all-first)/1e6)
	if all > halfWayBytes+lost {
		t.Errorf("%d bytes were sent in all", all)
	}
}

// Two processes go on at once with what was stopped: both say yes.
func twoGoOn(t *testing.T, url string) {
	words, _ := stopHalfWay(t, url, 10)
	goOn(t, url, words, 10, 2)
}

// Other bytes under a blob's name are found by whoever reads them, large blobs and small ones.
func otherBytes(t *testing.T, url string) {
	s, _ := inRepository(t, url, Options{})
	for _, size := range []int{100, partSize + 1000} {
		data := noise(9, size)
		p := Blob{Data: data, Type: "text/plain"}.pointer()
		data[size-1] ^= 1
		err := s.(*shelved).shelf.put(t.Context(), contentOf(p, data))
		if err != nil && strings.HasPrefix(url, "oci:") && size == 100 { // by its layer's digest the registry itself knows better
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
}

// A pinned file that changed while it is sent leaves nothing under the name of the one that was pinned.
func fileThatIsAnother(t *testing.T, url string) {
	s, dir := inRepository(t, url, Options{})
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
		checkNothingLeft(t, s)
	}
}
