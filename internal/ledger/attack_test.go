package ledger

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Somebody pushes by force, or deletes the branch: who has seen the records that are gone says so until they are back, and goes on recording.
func TestRewrittenLedger(t *testing.T) {
	bare, _, l := cloned(t)
	first, second := run("baseline", 1), run("baseline", 2)
	early := appendAll(t, l, first)
	late := appendAll(t, l, second)
	dir, reader := another(t, bare)
	if v := read(t, reader); len(v.Rewritten) != 0 || v.Tip != late {
		t.Fatalf("%+v", v.Rewritten)
	}
	git(t, bare, "update-ref", "refs/heads/plumb/ledger", early)
	for range 2 { // it is said again
		v := read(t, reader)
		if len(v.Rewritten) != 1 || !slices.Equal(v.Rewritten[0].Paths, []string{second.Path}) || !slices.Equal(v.Paths(), []string{first.Path}) {
			t.Fatalf("after a force push: %+v, %v", v.Rewritten, v.Paths())
		}
	}
	third := run("baseline", 3)
	appendAll(t, reader, third) // from a cache that has what the remote lost
	appendAll(t, l, second)     // the writer's own cache says that it is there
	v := read(t, reader)
	if len(v.Rewritten) != 0 || len(v.Paths()) != 3 {
		t.Errorf("when it is back: %+v, %v", v.Rewritten, v.Paths())
	}

	git(t, bare, "update-ref", "-d", "refs/heads/plumb/ledger")
	v = read(t, reader)
	if len(v.Rewritten) != 1 || len(v.Rewritten[0].Paths) != 3 || v.Tip != "" {
		t.Fatalf("after a deletion: %+v", v.Rewritten)
	}
	if hint := v.Rewritten[0].Hint(reader.Branch()); !strings.Contains(hint, "plumb verify --mend") || !strings.Contains(v.Rewritten[0].String(), "and 2 more") {
		t.Errorf("%s; %s", v.Rewritten[0], hint)
	}
	h, err := reader.History(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	lost, err := h.LostSince(context.Background(), reader.repo, v.Rewritten[0].Kept)
	if err != nil || len(lost) != 3 {
		t.Fatalf("%+v, %v", lost, err)
	}
	mending := Mending{Put: map[string][]byte{}, Join: []string{v.Rewritten[0].Tip}}
	for _, l := range lost {
		if mending.Put[l.Path], err = h.Blob(l.Was); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to do
		if done, err := reader.Mend(context.Background(), mending); err != nil || done.Commit != git(t, bare, "rev-parse", "plumb/ledger") {
			t.Fatalf("%+v, %v", done, err)
		}
	}
	git(t, bare, "merge-base", "--is-ancestor", v.Rewritten[0].Tip, "plumb/ledger")
	if v := read(t, reader); len(v.Rewritten) != 0 || len(v.Paths()) != 3 {
		t.Errorf("when it is mended: %+v", v.Rewritten)
	}

	git(t, bare, "update-ref", "-d", "refs/heads/plumb/ledger")
	if v = read(t, reader); len(v.Rewritten) != 1 {
		t.Fatalf("after another deletion: %+v", v.Rewritten)
	}
	if err := os.RemoveAll(v.Rewritten[0].Cache); err != nil {
		t.Fatal(err)
	}
	reader = open(t, dir)
	if v := read(t, reader); len(v.Rewritten) != 0 {
		t.Errorf("when it is accepted: %+v", v.Rewritten)
	}
	private(t, reader, third)
	if done, err := reader.Push(context.Background()); err != nil || len(done.Added) != 1 {
		t.Errorf("recording anew: %+v, %v", done, err)
	}
	fsck(t, bare)
}

// The cache says that a record is there which the remote has lost: a writer that believed it would forget its own copy.
func TestPushBelievesTheRemote(t *testing.T) {
	bare, _, l := cloned(t)
	first, second := run("baseline", 1), run("baseline", 2)
	early := appendAll(t, l, first)
	appendAll(t, l, second)
	private(t, l, second)
	git(t, bare, "update-ref", "refs/heads/plumb/ledger", early)
	done, err := l.Push(context.Background())
	if err != nil || !slices.Equal(done.Added, []string{second.Path}) {
		t.Errorf("Push = %+v, %v", done, err)
	}
	if v := read(t, l); len(v.Paths()) != 2 || v.Private(second.Path) {
		t.Errorf("%v", v.Paths())
	}
}

// A remote that takes a push and never says so, or hangs up before it takes it.
func TestDroppedConnections(t *testing.T) {
	bare, dir, _ := cloned(t)
	backend := httpBackend(t, bare)
	var drop atomic.Int32 // 1: after the push was taken, 2: before
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler := cgi.Handler{Path: backend, InheritEnv: inherited, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x"}}
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/git-receive-pack") || r.ContentLength == 4 { // 4: a probe
			handler.ServeHTTP(w, r)
			return
		}
		switch drop.Swap(0) {
		case 1:
			handler.ServeHTTP(httptest.NewRecorder(), r)
			fallthrough
		case 2:
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	git(t, dir, "remote", "set-url", "origin", server.URL+"/"+filepath.Base(bare))
	l := open(t, dir)
	for i := range int32(4) {
		drop.Store(1 + i%2)
		f := run("baseline", int(i))
		tip := appendAll(t, l, f) // before: the tip has not moved, and another try goes through
		if got := git(t, bare, "rev-parse", "plumb/ledger"); got != tip {
			t.Errorf("the remote is at %s, want %s", got, tip)
		}
	}
	if commits := git(t, bare, "rev-list", "--count", "plumb/ledger"); commits != "4" {
		t.Errorf("%s commits, want 4", commits)
	}
	fsck(t, bare)
}

// A remote that takes connections and says nothing, and one that there is not.
func TestNoAnswer(t *testing.T) {
	bare, dir, l := cloned(t)
	tip := appendAll(t, l, run("baseline", 1))
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for {
			connection, err := silent.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(100*time.Millisecond, func() { connection.Close() })
		}
	}()
	for _, address := range []string{"http://" + silent.Addr().String() + "/x.git", "http://127.0.0.1:1/x.git", "git://127.0.0.1:1/x", bare + "-gone"} {
		// The cache is one remote's, so it moves along.
		git(t, dir, "remote", "set-url", "origin", address)
		v := read(t, open(t, dir))
		if v.Offline == "" || v.Tip != "" {
			t.Errorf("%s: tip %q, %q", address, v.Tip, v.Offline)
		}
		_, err := open(t, dir).Append(context.Background(), adding(run("baseline", 2)))
		if err == nil || problem.Hint(err) == "" {
			t.Errorf("%s: Append: %v", address, err)
		}
	}
	git(t, dir, "remote", "set-url", "origin", bare)
	if v := read(t, open(t, dir)); v.Tip != tip || v.Offline != "" {
		t.Errorf("back again: %+v", v)
	}
}

// A rule that protects the branch is an error that says which rule to set, after one try.
func TestProtectedBranch(t *testing.T) {
	bare, _, l := cloned(t)
	count := filepath.Join(t.TempDir(), "pushes")
	hook := "#!/bin/sh\necho x >>" + count + "\necho 'GH006: Protected branch update failed for refs/heads/plumb/ledger.' >&2\nexit 1\n"
	if err := os.MkdirAll(filepath.Join(bare, "hooks"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bare, "hooks", "pre-receive"), []byte(hook), 0o777); err != nil {
		t.Fatal(err)
	}
	mine := run("baseline", 1)
	private(t, l, mine)
	_, err := l.Push(context.Background())
	if !errors.Is(err, gitdb.ErrRefused) || !strings.Contains(err.Error(), "GH006") || !strings.Contains(problem.Hint(err), "let those who record push to plumb/ledger") {
		t.Errorf("%v (%s)", err, problem.Hint(err))
	}
	if pushes, _ := os.ReadFile(count); len(pushes) != 2 {
		t.Errorf("pushed %d times, want once", len(pushes)/2)
	}
	if v := read(t, l); !v.Private(mine.Path) {
		t.Error("the record is not this clone's any more")
	}
}

// Nothing can be written: reading still says what can be read, and recording says why not.
func TestReadOnlyRepository(t *testing.T) {
	for _, remote := range []bool{false, true} {
		dir, l := alone(t)
		if remote {
			_, dir, l = cloned(t)
		}
		f := run("baseline", 1)
		appendAll(t, l, f)
		private(t, l, run("baseline", 2))
		frozen(t, dir)
		v := read(t, open(t, dir))
		if len(v.Paths()) != 2 || len(v.Runs()) != 2 {
			t.Errorf("remote %v: %v, %v", remote, v.Paths(), v.Problems())
		}
		err := open(t, dir).AppendPrivate(context.Background(), []File{run("baseline", 3)})
		if err == nil || !readOnly(err.Error()) {
			t.Errorf("remote %v: %v", remote, err)
		}
	}
	bare, _, l := cloned(t)
	appendAll(t, l, run("baseline", 1))
	dir, _ := another(t, bare) // it has never read, so it has no cache: the reader keeps one
	frozen(t, dir)
	if v := read(t, open(t, dir)); v.Offline != "" || len(v.Paths()) != 1 {
		t.Errorf("without a cache: %q, %v", v.Offline, v.Paths())
	}
	appendAll(t, l, run("baseline", 2))
	if v := read(t, open(t, dir)); v.Offline != "" || len(v.Paths()) != 2 {
		t.Errorf("when the remote has moved: %q, %v", v.Offline, v.Paths())
	}
}

func readOnly(said string) bool {
	return strings.Contains(said, "ermission denied") || strings.Contains(said, "read-only file system")
}

// frozen takes the right to write in a repository away. Root keeps it, so the rest of the test runs as somebody else's process would: skipped.
func frozen(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() == 0 {
		if out, err := exec.Command("mount", "--bind", dir, dir).CombinedOutput(); err != nil {
			t.Skipf("root can write everywhere, and cannot mount: %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
		if out, err := exec.Command("mount", "-o", "remount,bind,ro", dir).CombinedOutput(); err != nil {
			t.Skipf("mounting read-only: %s", out)
		}
		return
	}
	err := filepath.WalkDir(filepath.Join(dir, ".git"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			t.Cleanup(func() { _ = os.Chmod(path, 0o777) })
			err = os.Chmod(path, 0o555)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A cache that a kill, a full disk or another program left half there is made anew, and a ref of it that was lost.
func TestHalfACache(t *testing.T) {
	_, dir, l := cloned(t)
	f := run("baseline", 1)
	tip := appendAll(t, l, f)
	caches, err := filepath.Glob(filepath.Join(dir, ".git", "plumb", "cache", "*", "HEAD"))
	if err != nil || len(caches) != 1 {
		t.Fatal(caches, err)
	}
	cache := filepath.Dir(caches[0])
	breakages := map[string]func() error{
		"no objects": func() error {
			return errors.Join(os.RemoveAll(filepath.Join(cache, "objects")), os.MkdirAll(filepath.Join(cache, "objects", "pack"), 0o777))
		},
		"an empty ref": func() error {
			return os.WriteFile(filepath.Join(cache, "refs", "heads", "plumb", "ledger"), nil, 0o666)
		},
		"a ref to nowhere": func() error {
			return os.WriteFile(filepath.Join(cache, "refs", "heads", "plumb", "ledger"), []byte(strings.Repeat("1", 40)+"\n"), 0o666)
		},
		"no shallow file": func() error { return os.RemoveAll(filepath.Join(cache, "shallow")) }, // a cache made anew of one commit has none
		"a lock of git":   func() error { return os.WriteFile(filepath.Join(cache, "shallow.lock"), nil, 0o666) },
		"half a pack": func() error {
			return os.WriteFile(filepath.Join(cache, "objects", "pack", "tmp_pack_x"), []byte("PACK"), 0o666)
		},
		"no head":            func() error { return os.Remove(filepath.Join(cache, "HEAD")) },
		"a broken config":    func() error { return os.WriteFile(filepath.Join(cache, "config"), []byte("[core\n"), 0o666) },
		"nothing":            func() error { return os.RemoveAll(cache) },
		"an object of nulls": func() error { return zero(filepath.Join(cache, "objects")) },
	}
	n := 0
	for name, broken := range breakages { // in another order each time
		if n++; n > 3 && testing.Short() {
			break
		}
		if err := broken(); err != nil {
			t.Fatal(err)
		}
		v, err := open(t, dir).Read(context.Background())
		if err != nil || v.Tip != tip || !slices.Equal(v.Paths(), []string{f.Path}) || len(v.Runs()) != 1 || v.Offline != "" {
			t.Errorf("%s: %v, %+v", name, err, v)
			continue
		}
		another := run(strings.ReplaceAll(name, " ", "-"), 1)
		if err := broken(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if _, err := open(t, dir).Append(context.Background(), adding(another)); err != nil {
			t.Errorf("%s: Append: %v", name, err)
		}
		git(t, strings.TrimSuffix(dir, "clone")+"bare.git", "update-ref", "refs/heads/plumb/ledger", tip)
		_ = os.RemoveAll(cache) // it has seen what is gone again
		read(t, open(t, dir))
	}
}

// zero writes nulls over the files of a folder, as a crash of the machine can leave them.
func zero(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return errors.Join(os.Chmod(path, 0o666), os.WriteFile(path, make([]byte, info.Size()), 0o666))
	})
}

// Two pushes from one clone at once, in processes of their own, push each record once.
func TestTwoPushesAtOnce(t *testing.T) {
	bare, dir, l := cloned(t)
	var want []string
	for i := range 10 {
		f := run("baseline", i)
		private(t, l, f)
		want = append(want, f.Path)
	}
	slices.Sort(want)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if out, err := job("push", dir).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wait.Wait()
	v := read(t, l)
	if !slices.Equal(v.Paths(), want) || v.Private(want[0]) {
		t.Errorf("%v", v.Paths())
	}
	if commits := git(t, bare, "rev-list", "--count", "plumb/ledger"); commits != "1" {
		t.Errorf("%s commits, want 1", commits)
	}
}

func pushJob(args []string) int {
	l, _, err := openAt(args[0])
	if err == nil {
		_, err = l.Push(context.Background())
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

// The disk is full: nothing is acknowledged that is not there, nothing that is there is lost, and it works again when there is room.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	top := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", top).CombinedOutput(); err != nil {
		t.Skipf("mounting a small disk: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", top).Run() })
	bare, dir := filepath.Join(t.TempDir(), "bare.git"), filepath.Join(top, "clone")
	git(t, ".", "init", "-q", "--bare", "-b", "main", bare)
	git(t, ".", "clone", "-q", bare, dir)
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	l := open(t, dir)
	var told []string
	var full error
	for i := 0; i < 2000 && full == nil; i++ {
		f := run("baseline", i, realistic)
		if full = l.AppendPrivate(context.Background(), []File{f}); full == nil {
			told = append(told, f.Path)
		}
	}
	if full == nil || !strings.Contains(full.Error(), "no space left") {
		t.Fatalf("%d records fit: %v", len(told), full)
	}
	slices.Sort(told)
	if v := read(t, open(t, dir)); !slices.Equal(v.Paths(), told) || len(v.Problems()) > 0 {
		t.Errorf("%d records, %d were told, %v", len(v.Paths()), len(told), v.Problems())
	}
	if _, err := l.Push(context.Background()); err == nil {
		t.Error("a push that has no room for its commit: no error")
	}
	if out, err := exec.Command("mount", "-o", "remount,size=64m", top).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	done, err := l.Push(context.Background())
	if err != nil || len(done.Added) != len(told) {
		t.Errorf("with room again: %d of %d, %v", len(done.Added), len(told), err)
	}
	fsck(t, dir)
	fsck(t, bare)
	t.Logf("%d records until the disk was full: %v", len(told), full)
}

// Clocks of two machines differ by years: records keep what they say, and nothing depends on which commit is the later.
func TestClockSkew(t *testing.T) {
	bare, _, l := cloned(t)
	_, other := another(t, bare)
	for i, years := range []int{30, -31, 0, 70} {
		f := run("baseline", i)
		file := File{f.Path, f.Data}
		from := []*Ledger{l, other}[i%2]
		tip := appendAll(t, from, file)
		// The commit as a machine with another clock would have made it.
		when := time.Now().AddDate(years, 0, 0).Unix()
		tree := git(t, bare, "rev-parse", tip+"^{tree}")
		cmd := exec.Command("git", "-C", bare, "commit-tree", "-m", "skewed", "-p", tip, tree)
		stamp := time.Unix(when, 0).UTC().Format(time.RFC3339)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_AUTHOR_DATE="+stamp, "GIT_COMMITTER_DATE="+stamp)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		git(t, bare, "update-ref", "refs/heads/plumb/ledger", strings.TrimSpace(string(out)))
	}
	if v := read(t, other); len(v.Runs()) != 4 || len(v.Rewritten) != 0 {
		t.Errorf("%v, %v", v.Paths(), v.Rewritten)
	}
}
