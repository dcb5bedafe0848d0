package gitdb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Trees that grow file by file must be those that git itself makes of the same files.
func TestTreeEqualsGits(t *testing.T) {
	dir, r := repository(t)
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "a.b", "a-b", "a0", "ab", "A", "é", "runs", "z z"}
	files := map[string]string{}
	tip := ""
	for range 40 {
		path := parts[random.IntN(len(parts))] + "/" + parts[random.IntN(len(parts))]
		if random.IntN(3) == 0 {
			path += "/" + parts[random.IntN(len(parts))] + ".toml"
		} else {
			path += ".txt"
		}
		files[path] = fmt.Sprint(random.IntN(5))
		commit, err := r.Update(context.Background(), "refs/plumb/test", adding(File{Path: path, Data: []byte(files[path])}))
		if err != nil {
			t.Fatal(err)
		}
		tip = commit
	}
	work := t.TempDir()
	gitRun(t, work, "init", "-q")
	for path, text := range files {
		write(t, work, path, text)
	}
	gitRun(t, work, "add", ".")
	if got, want := gitRun(t, dir, "rev-parse", tip+"^{tree}"), gitRun(t, work, "write-tree"); got != want {
		t.Errorf("tree %s, git makes %s", got, want)
	}
	fsck(t, dir)
}

func TestTreeRefuses(t *testing.T) {
	_, r := repository(t)
	for name, files := range map[string][]File{
		"leaving the tree":   {{Path: "../x"}},
		"absolute":           {{Path: "/x"}},
		"into .git":          {{Path: "a/.Git/config"}},
		"backslash":          {{Path: "a\\b"}},
		"no name":            {{Path: ""}},
		"twice":              {{Path: "a"}, {Path: "a"}},
		"file and folder":    {{Path: "a"}, {Path: "a/b"}},
		"folder over file":   {{Path: "a.txt/b"}},
		"broken object id":   {{Path: "b", OID: "zz"}},
		"file over a folder": {{Path: "dir"}},
	} {
		base, _, _ := r.Head()
		err := r.Write(context.Background(), func(w *Writer) error {
			tree, err := w.Tree(base, []File{{Path: "dir/x", Data: []byte("x")}})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.publish(); err != nil {
				t.Fatal(err)
			}
			_, err = w.Tree(tree, files)
			return err
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSwap(t *testing.T) {
	dir, r := repository(t)
	ctx := context.Background()
	first, _, _ := r.Head()
	gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
	second, _, _ := r.Head()
	const ref = "refs/plumb/x"
	for i, c := range []struct {
		from, to string
		moved    bool
	}{
		{first, second, true}, {"", first, false}, {"", second, true}, {second, first, true}, {first, second, false},
	} {
		if err := r.Swap(ctx, ref, c.from, c.to); errors.Is(err, ErrMoved) != c.moved || (err != nil) != c.moved {
			t.Errorf("step %d: %v", i, err)
		}
	}
	for _, name := range []string{"HEAD", "refs/../x", "refs/plumb/x.lock", "refs/plumb/", "x", "refs/plumb/a b"} {
		if err := r.Swap(ctx, name, "", first); err == nil {
			t.Errorf("Swap(%q): no error", name)
		}
	}
	if got := gitRun(t, dir, "rev-parse", ref); got != second {
		t.Errorf("%s is at %s, want %s", ref, got, second)
	}
}

// A lock that a git program holds is waited for and never taken away; one that a killed process of ours left is.
func TestLockFiles(t *testing.T) {
	dir, r := repository(t)
	ctx := context.Background()
	head, _, _ := r.Head()
	lock := filepath.Join(dir, ".git", "refs", "plumb", "x.lock")
	write(t, dir, ".git/refs/plumb/x.lock", "")
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := r.Swap(short, "refs/plumb/x", "", head); err == nil {
		t.Fatal("moved a ref that git has locked")
	}
	if _, err := os.Stat(lock); err != nil {
		t.Fatalf("git's lock is gone: %v", err)
	}
	time.AfterFunc(30*time.Millisecond, func() { os.Remove(lock) })
	if err := r.Swap(ctx, "refs/plumb/x", "", head); err != nil {
		t.Fatalf("after git let go: %v", err)
	}

	mine, err := r.refLockFile("refs/plumb/y", head) // as if killed between taking the lock and renaming
	if err != nil {
		t.Fatal(err)
	}
	if err := takeRefLock(ctx, mine, filepath.Join(dir, ".git", "refs", "plumb", "y.lock")); err != nil {
		t.Fatal(err)
	}
	if err := r.Swap(ctx, "refs/plumb/z", "", head); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".git", "refs", "plumb", "y.lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the stale lock is still there: %v", err)
	}
	fsck(t, dir)
}

func TestTempDirIsSweptWhenItsProcessIsGone(t *testing.T) {
	_, r := repository(t)
	ctx := context.Background()
	mine, remove, err := r.TempDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(r.private, "tmp", "1-dead")
	write(t, dead, "alive", "")
	write(t, dead, "half", "x")
	unborn := filepath.Join(r.private, "tmp", "1-unborn")
	if err := os.MkdirAll(unborn, 0o777); err != nil {
		t.Fatal(err)
	}
	_, removeOther, err := open(t, r.root).TempDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer removeOther()
	for _, gone := range []string{dead, unborn} {
		if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("a folder in use was swept: %v", err)
	}
	remove()
	if _, err := os.Stat(mine); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("remove left %s: %v", mine, err)
	}
}

// Four processes and four goroutines add to one ref while git packs refs and collects garbage: nothing is lost.
func TestConcurrentWriters(t *testing.T) {
	dir, r := repository(t)
	const each = 12
	var wait sync.WaitGroup
	for p := range 4 {
		wait.Go(func() {
			if out, err := job("write", dir, "refs/plumb/private", fmt.Sprintf("p%d", p), fmt.Sprint(each)).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", p, err, out)
			}
		})
		wait.Go(func() {
			own := open(t, dir)
			for i := range each {
				if _, err := own.Update(context.Background(), "refs/plumb/private", adding(File{Path: fmt.Sprintf("g%d/%d", p, i), Data: []byte("x")})); err != nil {
					t.Errorf("goroutine %d: %v", p, err)
				}
			}
		})
	}
	stop := make(chan struct{})
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = tryGit(dir, "pack-refs", "--all", "--prune")
				_, _ = tryGit(dir, "gc", "-q")
			}
		}
	}()
	wait.Wait()
	close(stop)
	<-packed
	tip := must[string](t)(r.Ref("refs/plumb/private"))
	if files := must[[]Entry](t)(r.Files(tip)); len(files) != 8*each {
		t.Errorf("%d files, want %d", len(files), 8*each)
	}
	if got := gitRun(t, dir, "rev-list", "--count", tip); got != fmt.Sprint(8*each) {
		t.Errorf("%s commits, want %d", got, 8*each)
	}
	fsck(t, dir)
}

// A process is killed at random moments; each time the repository is sound, holds all that the process was told is there, and holds nothing else outside
// the folder of temporary files.
func TestKilledAtAnyMoment(t *testing.T) {
	kills := 120
	if testing.Short() {
		kills = 20
	}
	dir, r := repository(t)
	random := rand.New(rand.NewPCG(3, 4))
	during := 0
	for round := range kills {
		cmd := job("write", dir, "refs/plumb/private", fmt.Sprintf("k%d", round), "1000")
		told := killAfter(t, cmd, round%4, time.Duration(random.IntN(8000))*time.Microsecond)
		if told > 0 {
			during++
		}
		checkAfterKill(t, r, fmt.Sprintf("k%d", round), told)
	}
	t.Logf("%d of %d kills while it was writing", during, kills)
	if during < kills/4 {
		t.Errorf("only %d of %d kills hit the writing", during, kills)
	}
	must[string](t)(r.Update(context.Background(), "refs/plumb/private", adding(File{Path: "last", Data: []byte("x")})))
	left, err := os.ReadDir(filepath.Join(dir, ".git", "plumb", "tmp"))
	if err != nil || len(left) != 1 || left[0].Name() != refLocks {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

// killAfter starts a process, waits until it has printed some lines and a little more, and kills it. It gives the number of lines that it printed.
func killAfter(t *testing.T, cmd *exec.Cmd, lines int, more time.Duration) int {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewScanner(pipe)
	told := 0
	for told < lines && out.Scan() {
		told++
	}
	time.Sleep(more)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for out.Scan() {
		told++
	}
	_ = cmd.Wait() // it was killed
	return told
}

func checkAfterKill(t *testing.T, r *Repo, prefix string, told int) {
	t.Helper()
	tip := must[string](t)(r.Ref("refs/plumb/private"))
	have := 0
	if tip != "" {
		for _, file := range must[[]Entry](t)(r.Files(tip)) {
			if strings.HasPrefix(file.Path, prefix+"/") {
				have++
			}
		}
	}
	if have < told || have > told+1 {
		t.Errorf("%s: %d files, the process spoke of %d", prefix, have, told)
	}
	fsck(t, r.root)
	err := filepath.WalkDir(filepath.Join(r.root, ".git"), func(path string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Join(r.root, ".git")+string(filepath.Separator)))
		switch {
		case err != nil || entry.IsDir():
			return err
		case strings.HasPrefix(name, "plumb/tmp/"), name == "plumb/lock", name == "refs/plumb/private":
		case name == "refs/plumb/private.lock": // known to be ours and removed by the next writer
		case strings.HasPrefix(name, "objects/") && len(filepath.Base(name)) == 38:
		case strings.HasPrefix(name, "plumb/") || strings.HasPrefix(name, "refs/plumb") || strings.HasPrefix(name, "objects/"):
			t.Errorf("%s is left", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A lock that a kill left is in the way of git's own programs until plumb is called again, for whatever.
func TestOpenRemovesStaleLocks(t *testing.T) {
	dir, r := repository(t)
	head, _, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, ".git", "refs", "plumb", "private.lock")
	mine, err := r.refLockFile("refs/plumb/private", head)
	if err == nil {
		err = takeRefLock(context.Background(), mine, lock)
	}
	if err != nil {
		t.Fatal(err)
	}
	busy, err := r.lock(context.Background()) // somebody is at work, who has it removed in time; lock itself removes what is stale
	if err != nil {
		t.Fatal(err)
	}
	if mine, err = r.refLockFile("refs/plumb/private", head); err == nil {
		err = takeRefLock(context.Background(), mine, lock)
	}
	if err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(lock); err != nil {
		t.Errorf("a lock in use is gone: %v", err)
	}
	busy.release()
	open(t, dir)
	if _, err := os.Stat(lock); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a stale lock is still there: %v", err)
	}
	gitRun(t, dir, "update-ref", "refs/plumb/private", head)
}

// Whoever is killed between two objects leaves a repository that Git calls sound: no object is there before those that it names.
// Bug: objects entered in the order of their ids, and a kill in the right moment left a commit without its tree.
func TestObjectsEnterChildrenFirst(t *testing.T) {
	dir, r := repository(t)
	err := r.Write(context.Background(), func(w *Writer) error {
		tree, err := w.Tree("", []File{{Path: "a/b/c", Data: []byte("1")}, {Path: "a/d", Data: []byte("2")}, {Path: "e/f", Data: []byte("1")}})
		if err != nil {
			return err
		}
		if _, err := w.Commit(tree, CommitInfo{Message: "x"}); err != nil {
			return err
		}
		objects := len(w.order)
		for len(w.order) > 0 {
			if err := w.publishNext(); err != nil {
				return err
			}
			gitRun(t, dir, "fsck", "--full", "--strict", "--no-dangling")
		}
		if objects < 7 {
			t.Errorf("%d objects", objects)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
