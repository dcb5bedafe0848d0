package store

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestLargeGitStore measures the Git store with 30,000 blobs in 3,000 pushes over 100 days. It takes minutes and runs with PLUMB_LARGE=1.
func TestLargeGitStore(t *testing.T) {
	if os.Getenv("PLUMB_LARGE") == "" {
		t.Skip("PLUMB_LARGE=1 runs it")
	}
	const days, pushes, blobs = 100, 30, 10
	today := time.Date(2001, 7, 15, 0, 0, 0, 0, time.UTC)
	bare := filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", bare)
	git(t, bare, "config", "uploadpack.allowFilter", "true")
	dir := clone(t, bare)
	writer := clone(t, bare)
	alone := recordPush(t, writer, 0)

	var all []record.Pointer
	n := uint64(0)
	start := time.Now()
	for d := range days {
		s := openAt(t, dir, "git", Options{Now: today.AddDate(0, 0, d-days)})
		for range pushes {
			list := make([]Blob, blobs)
			for i := range list {
				n++
				list[i] = Blob{Data: binary.BigEndian.AppendUint64(make([]byte, 2000), n), Type: "application/octet-stream"}
			}
			pointers, err := s.Put(t.Context(), list)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pointers...)
		}
	}
	git(t, dir, "push", "-q", "origin", "refs/plumb/blobs/*:refs/plumb/blobs/*")
	t.Logf("%d blobs in %d refs, made in %.1f s", len(all), len(blobRefsOf(t, bare)), time.Since(start).Seconds())
	full := recordPush(t, writer, 1)

	packing := openAt(t, clone(t, bare), "git", Options{Now: today})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start = time.Now()
	done, err := packing.(Packer).Pack(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	t.Logf("packed %d refs into %d in %.1f s, %d MB allocated", done.Before, done.After, time.Since(start).Seconds(), (after.TotalAlloc-before.TotalAlloc)>>20)
	if refs := len(blobRefsOf(t, bare)); refs >= 500 || refs != done.After {
		t.Errorf("%d refs after packing", refs)
	}
	packed := recordPush(t, writer, 2)
	t.Logf("a record push, median of 15: %v without blobs, %v with %d refs, %v packed", alone, full, done.Before, packed)
	if packed > 2*alone {
		t.Errorf("a record push takes %v beside a packed store, %v without one", packed, alone)
	}

	var drop, stay []record.Pointer
	for i, p := range all {
		if i%2 == 0 && i < len(all)*3/4 {
			drop = append(drop, p)
		} else {
			stay = append(stay, p)
		}
	}
	doomed := make([]string, len(drop))
	for i, p := range drop {
		doomed[i] = p.SHA256
	}
	start = time.Now()
	if err := packing.Remove(t.Context(), doomed, today.AddDate(0, 0, -7)); err != nil {
		t.Fatal(err)
	}
	t.Logf("removed %d blobs in %.1f s", len(drop), time.Since(start).Seconds())
	git(t, bare, "gc", "-q", "--prune=now")
	reader := openAt(t, clone(t, bare), "git", Options{})
	start = time.Now()
	for i := range stay {
		if i%2 == 0 {
			stay[i].OID = "" // half of them as pinned data are named
		}
	}
	if err := reader.Bring(t.Context(), stay); err != nil {
		t.Fatal(err)
	}
	for _, p := range stay {
		if data, err := reader.Get(t.Context(), p); err != nil || int64(len(data)) != p.Bytes {
			t.Fatalf("%s: %v", p.SHA256, err)
		}
	}
	t.Logf("read all %d that stay in %.1f s", len(stay), time.Since(start).Seconds())
	checkNames(t, openAt(t, clone(t, bare), "git", Options{}), stay)
	git(t, bare, "fsck", "--full", "--strict")
}

// recordPush gives how long it takes to append a record to the ledger of a remote.
func recordPush(t *testing.T, dir string, round int) time.Duration {
	t.Helper()
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	l, err := ledger.Open(repo, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var took []time.Duration
	for i := range 16 {
		d := record.Decision{Header: record.Header{Time: day.Add(time.Duration(round*100+i) * time.Second), Actor: record.ActorHuman}, Choice: record.Expired, Reason: fmt.Sprint("test ", i)}
		path, data, err := record.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := l.Append(t.Context(), func(*ledger.View) ([]ledger.File, error) { return []ledger.File{{Path: path, Data: data}}, nil }); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	return took[len(took)/2].Round(time.Millisecond)
}
