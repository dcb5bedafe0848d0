package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestLargeGitStore measures the Git store with 30,000 blobs in 3,000 pushes over 100 days. It takes a minute or more and runs with PLUMB_LARGE=1.
func TestLargeGitStore(t *testing.T) {
	if os.Getenv("PLUMB_LARGE") == "" {
		t.Skip("PLUMB_LARGE=1 runs it")
	}
	const days, pushes, blobs = 100, 30, 10
	today := time.Date(2001, 7, 15, 0, 0, 0, 0, time.UTC)
	bare := filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", bare)
	git(t, bare, "config", "uploadpack.allowFilter", "true")
	other := filepath.Join(t.TempDir(), "other.git")
	git(t, ".", "init", "-q", "--bare", other)
	with, without := clone(t, bare), clone(t, other)

	start := time.Now()
	all := importBlobs(t, bare, days, pushes, blobs, today)
	t.Logf("%d blobs in %d refs, made in %.1f s", len(all), len(blobRefsOf(t, bare)), time.Since(start).Seconds())
	full, alone := recordPushes(t, with, without, 1)
	t.Logf("a record push, median of 15 taken in turns: %v with %d refs, %v without blobs", full, days*pushes, alone)

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
	git(t, bare, "gc", "-q") // as a forge does in its own time
	packed, alone := recordPushes(t, with, without, 2)
	t.Logf("a record push, median of 15 taken in turns: %v packed, %v without blobs", packed, alone)
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

// importBlobs makes refs of blobs as pushes of earlier days would have left them.
func importBlobs(t *testing.T, bare string, days, pushes, blobs int, today time.Time) []record.Pointer {
	t.Helper()
	var all []record.Pointer
	var in bytes.Buffer
	ids, err := gitdb.Open(bare)
	if err != nil {
		t.Fatal(err)
	}
	defer ids.Close()
	for n := range days * pushes {
		at := today.AddDate(0, 0, n/pushes-days)
		fmt.Fprintf(&in, "commit refs/plumb/blobs/%s/%020x\ncommitter plumb <plumb@localhost> %d +0000\ndata 6\nblobs\n", at.Format(time.DateOnly), n, at.Unix())
		for i := range blobs {
			b := Blob{Data: binary.BigEndian.AppendUint64(make([]byte, 2000), uint64(n*blobs+i)), Type: "application/octet-stream"}
			p := b.pointer()
			p.OID = ids.BlobID(b.Data)
			all = append(all, p)
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", fanned(p.SHA256), p.Bytes, b.Data)
		}
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = bare, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return all
}

// recordPushes gives how long it takes to append a record to the ledgers of two remotes, asked in turns so that both see the same machine.
func recordPushes(t *testing.T, a, b string, round int) (first, second time.Duration) {
	t.Helper()
	ledgers := make([]*ledger.Ledger, 2)
	for i, dir := range []string{a, b} {
		repo, err := gitdb.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer repo.Close()
		if ledgers[i], err = ledger.Open(repo, ledger.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	took := make([][]time.Duration, 2)
	for i := range 16 {
		d := record.Decision{Header: record.Header{Time: day.Add(time.Duration(round*100+i) * time.Second), Actor: record.ActorHuman}, Choice: record.Expired, Reason: fmt.Sprint("test ", i)}
		path, data, err := record.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		for n, l := range ledgers {
			start := time.Now()
			if _, err := l.Append(t.Context(), func(*ledger.View) ([]ledger.File, error) { return []ledger.File{{Path: path, Data: data}}, nil }); err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				took[n] = append(took[n], time.Since(start))
			}
		}
	}
	for n := range took {
		slices.Sort(took[n])
	}
	return took[0][7].Round(time.Millisecond), took[1][7].Round(time.Millisecond)
}
