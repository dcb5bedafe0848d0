package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "store-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull, "HOME": home} {
		os.Setenv(name, value)
	}
	if words := os.Getenv("STORE_CHILD"); words != "" {
		if err := child(words); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

var day = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func clone(t *testing.T, bare string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, ".", "clone", "-q", bare, dir)
	return dir
}

func openAt(t *testing.T, dir, url string, opts Options) Store {
	t.Helper()
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	s, err := Open(repo, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func named(pointers ...record.Pointer) []Named {
	out := make([]Named, len(pointers))
	for i, p := range pointers {
		out[i] = Named{Pointer: p, What: "a test's blob"}
	}
	return out
}

func put(t *testing.T, s Store, texts ...string) []record.Pointer {
	t.Helper()
	blobs := make([]Blob, len(texts))
	for i, text := range texts {
		blobs[i] = Blob{Data: []byte(text), Type: "text/plain", Rows: int64(i)}
	}
	pointers, err := s.Put(context.Background(), blobs)
	if err != nil {
		t.Fatal(err)
	}
	return pointers
}

// What every store does.
func TestStores(t *testing.T) {
	for _, url := range []string{"", "git", "file://blobs", "file://" + t.TempDir()} {
		t.Run(strings.ReplaceAll(url, "/", "_"), func(t *testing.T) {
			dir := t.TempDir()
			git(t, dir, "init", "-q")
			s := openAt(t, dir, url, Options{Now: day})
			ctx := context.Background()
			large := strings.Repeat("0123456789abcdef", 1<<16)
			texts := []string{"one", "", "two", "one", large}
			pointers := put(t, s, texts...)
			if again := put(t, s, texts...); !slices.Equal(again, pointers) {
				t.Errorf("a second Put gives %v, not %v", again, pointers)
			}
			for i, p := range pointers {
				data, err := s.Get(ctx, p)
				if err != nil || string(data) != texts[i] || !s.Has(ctx, p) || p.Type != "text/plain" || p.Rows != int64(i) {
					t.Errorf("blob %d: %d bytes, %v", i, len(data), err)
				}
				p.OID = ""
				if data, err := s.Get(ctx, p); err != nil || string(data) != texts[i] {
					t.Errorf("blob %d without its object id: %d bytes, %v", i, len(data), err)
				}
			}
			absent := pointers[0]
			absent.SHA256, absent.OID = strings.Repeat("0", 64), ""
			if _, err := s.Get(ctx, absent); !errors.Is(err, ErrNotFound) || s.Has(ctx, absent) {
				t.Errorf("a blob that is not there: %v", err)
			}
			for _, bad := range []record.Pointer{
				{}, {SHA256: "../../../etc/passwd"}, {SHA256: strings.ToUpper(strings.Repeat("a", 64))}, {SHA256: pointers[0].SHA256, Bytes: -1},
				{SHA256: pointers[0].SHA256, Bytes: 3, OID: "HEAD"}, {SHA256: pointers[0].SHA256, Bytes: 4}, {SHA256: pointers[0].SHA256, Bytes: 2},
			} {
				if data, err := s.Get(ctx, bad); err == nil {
					t.Errorf("Get(%v) = %q, want an error", bad, data)
				}
			}
			if _, err := s.Put(ctx, []Blob{{Type: "no type"}}); err == nil {
				t.Error("Put with a broken media type: no error")
			}
			if pointers, err := s.Put(ctx, nil); err != nil || len(pointers) != 0 {
				t.Errorf("Put of nothing: %v, %v", pointers, err)
			}
			if sent, err := s.Push(ctx, named(pointers...)); err != nil || sent.Blobs+sent.Already != 4 {
				t.Errorf("Push without a remote: %v, %v", sent, err)
			}
			if status := git(t, dir, "status", "--porcelain", "--", ":!blobs"); status != "" {
				t.Errorf("git status: %s", status)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"s3://b", "GIT", "file://", "file://../outside", "file://a/../../b", "/tmp/x", "file:blobs", "http://x"} {
		if s, err := Open(repo, url, Options{}); err == nil {
			t.Errorf("Open(%q) = %v", url, s)
		}
	}
}

func TestGitStoreLayout(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	s := openAt(t, dir, "git", Options{Now: day})
	pointers := put(t, s, "one", "two", "one")
	refs := strings.Fields(git(t, dir, "for-each-ref", "--format=%(refname)"))
	if len(refs) != 1 || !strings.HasPrefix(refs[0], "refs/plumb/blobs/2001-06-30/") {
		t.Fatalf("refs: %v", refs)
	}
	var want []string
	for _, p := range pointers[:2] {
		want = append(want, fmt.Sprintf("100644 blob %s\t%s/%s", p.OID, p.SHA256[:2], p.SHA256))
	}
	slices.SortFunc(want, func(a, b string) int { return strings.Compare(a[52:], b[52:]) })
	if got := git(t, dir, "ls-tree", "-r", refs[0]); got != strings.Join(want, "\n") {
		t.Errorf("tree\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	git(t, dir, "fsck", "--full", "--strict")
	git(t, dir, "gc", "-q", "--prune=now")
	if data, err := s.Get(context.Background(), pointers[1]); err != nil || string(data) != "two" {
		t.Errorf("after gc: %q, %v", data, err)
	}
	later := openAt(t, dir, "git", Options{Now: day.AddDate(0, 0, 1)})
	put(t, later, "two") // a younger ref names it too, so retention keeps it
	if refs := strings.Fields(git(t, dir, "for-each-ref", "--format=%(refname)")); len(refs) != 2 {
		t.Errorf("refs: %v", refs)
	}
	big := Blob{Data: make([]byte, MaxGitBlob+1), Type: "application/octet-stream"}
	if _, err := s.Put(context.Background(), []Blob{big}); err == nil || !strings.Contains(err.Error(), "too big") {
		t.Errorf("Put of %d bytes: %v", len(big.Data), err)
	}
}

func TestGitStoreThroughARemote(t *testing.T) {
	bare := filepath.Join(t.TempDir(), "bare.git")
	git(t, ".", "init", "-q", "--bare", bare)
	one, two := clone(t, bare), clone(t, bare)
	ctx := context.Background()
	writer, reader := openAt(t, one, "git", Options{Now: day}), openAt(t, two, "git", Options{Now: day})
	before := openAt(t, one, "git", Options{Now: day.AddDate(0, -1, 0)})
	old := put(t, before, "old")
	if _, err := before.Push(ctx, named(old...)); err != nil {
		t.Fatal(err)
	}
	pointers := put(t, writer, "one", "two")
	if _, err := reader.Get(ctx, pointers[0]); !errors.Is(err, ErrNotFound) {
		t.Errorf("before Push: %v", err)
	}
	for range 2 {
		if _, err := writer.Push(ctx, named(pointers...)); err != nil {
			t.Fatal(err)
		}
	}
	if refs := strings.Fields(git(t, bare, "for-each-ref", "--format=%(refname)")); len(refs) != 2 {
		t.Errorf("refs of the remote: %v", refs)
	}
	if reader.Has(ctx, pointers[0]) {
		t.Error("the reader has it before it asked")
	}
	for i, p := range pointers {
		if data, err := reader.Get(ctx, p); err != nil || string(data) != []string{"one", "two"}[i] {
			t.Errorf("Get = %q, %v", data, err)
		}
	}
	if refs := git(t, two, "for-each-ref", "refs/plumb"); refs != "" {
		t.Errorf("refs of the reader: %s", refs)
	}
	old[0].OID = "" // then through the refs, from the newest day on
	if data, err := reader.Get(ctx, old[0]); err != nil || string(data) != "old" {
		t.Errorf("Get by its sha256 = %q, %v", data, err)
	}
	same := put(t, reader, "one", "two") // on another machine, on the same day
	if !slices.Equal(same, pointers) {
		t.Errorf("the same blobs have pointers %v and %v", same, pointers)
	}
	if _, err := reader.Push(ctx, named(pointers...)); err != nil {
		t.Error(err)
	}
	if refs := strings.Fields(git(t, bare, "for-each-ref", "--format=%(refname)")); len(refs) != 2 {
		t.Errorf("refs of the remote: %v", refs)
	}
	git(t, bare, "fsck", "--full", "--strict")
}

// A pointer's object id is a hint: bytes count only when they are the pointer's.
func TestObjectIDThatLies(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	s := openAt(t, dir, "git", Options{Now: day})
	pointers := put(t, s, "one", "two")
	lie := pointers[0]
	lie.OID = pointers[1].OID
	if data, err := s.Get(context.Background(), lie); err != nil || string(data) != "one" {
		t.Errorf("Get = %q, %v", data, err)
	}
}

func TestFileStoreIsVerifiedAndMended(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	s := openAt(t, dir, "file://blobs", Options{})
	ctx := context.Background()
	p := put(t, s, "hello")[0]
	path := filepath.Join(dir, "blobs", p.SHA256[:2], p.SHA256)
	for name, content := range map[string]string{"changed": "hellO", "cut": "hel", "longer": "hello!", "empty": ""} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if data, err := s.Get(ctx, p); err == nil {
			t.Errorf("%s: Get = %q, want an error", name, data)
		}
		put(t, s, "hello")
		if data, err := s.Get(ctx, p); err != nil || string(data) != "hello" {
			t.Errorf("%s, then put again: %q, %v", name, data, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, p); err == nil || s.Has(ctx, p) {
		t.Errorf("a folder in its place: %v", err)
	}
	stale, fresh := filepath.Join(dir, "blobs", ".parts", "part-1"), filepath.Join(dir, "blobs", ".parts", "part-2")
	for _, part := range []string{stale, fresh} {
		if err := os.WriteFile(part, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(stale, day, day); err != nil {
		t.Fatal(err)
	}
	put(t, s, "another")
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what another process is writing is gone: %v", err)
	}
	os.Remove(fresh)
	left, err := filepath.Glob(filepath.Join(dir, "blobs", ".parts", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	elsewhere := openAt(t, dir, "file://blobs", Options{Root: t.TempDir()})
	if data, err := elsewhere.Get(ctx, p); err == nil {
		t.Errorf("another root: %q", data)
	}
}
