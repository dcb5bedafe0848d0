package gitdb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var demoTime = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func TestDirty(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(dir string)
		paths  []string
		dirty  bool
	}{
		{"nothing", func(string) {}, nil, false},
		{"touched", func(dir string) { os.Chtimes(filepath.Join(dir, "a.txt"), demoTime, demoTime) }, []string{"a.txt"}, false},
		{"changed", func(dir string) { write(t, dir, "a.txt", "two\n") }, []string{"a.txt"}, true},
		{"changed and staged", func(dir string) { write(t, dir, "a.txt", "two\n"); gitRun(t, dir, "add", "a.txt") }, nil, true},
		{"another file changed", func(dir string) { write(t, dir, "a.txt", "two\n") }, []string{"b.txt", "dir/c.txt"}, false},
		{"deleted", func(dir string) { os.Remove(filepath.Join(dir, "a.txt")) }, []string{"a.txt"}, true},
		{"a folder in its place", func(dir string) { os.Remove(filepath.Join(dir, "a.txt")); write(t, dir, "a.txt/x", "x") }, []string{"a.txt"}, true},
		{"new and named", func(dir string) { write(t, dir, "new.txt", "x") }, []string{"new.txt"}, true},
		{"new and not named", func(dir string) { write(t, dir, "new.txt", "x") }, nil, false},
		{"never there", func(string) {}, []string{"missing"}, false},
		{"line ends of a Windows checkout", func(dir string) { write(t, dir, "a.txt", "one\r\n") }, []string{"a.txt"}, false},
		{"a link in its place", func(dir string) {
			os.Remove(filepath.Join(dir, "a.txt"))
			os.Symlink("b.txt", filepath.Join(dir, "a.txt"))
		}, []string{"a.txt"}, true},
		{"large file of Git LFS", func(dir string) { write(t, dir, "big.bin", "the bytes") }, []string{"big.bin"}, false},
		{"large file of Git LFS, changed", func(dir string) { write(t, dir, "big.bin", "other bytes") }, []string{"big.bin"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, r := repository(t)
			write(t, dir, "b.txt", "b")
			write(t, dir, "dir/c.txt", "c")
			write(t, dir, "big.bin", fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%x\nsize 9\n", sha256.Sum256([]byte("the bytes"))))
			gitRun(t, dir, "add", ".")
			gitRun(t, dir, "commit", "-q", "-m", "more")
			write(t, dir, "big.bin", "the bytes") // as a checkout with LFS does
			c.change(dir)
			dirty, err := r.Dirty(c.paths...)
			if err != nil || dirty != c.dirty {
				t.Errorf("Dirty = %v, %v, want %v", dirty, err, c.dirty)
			}
			sum, err := r.Difference(c.paths...)
			if err != nil || (sum != "") != c.dirty || sum != "" && !strings.HasPrefix(sum, "sha256:") {
				t.Errorf("Difference = %q, %v", sum, err)
			}
		})
	}
}

func TestDifferenceSaysWhatDiffers(t *testing.T) {
	dir, r := repository(t)
	write(t, dir, "a.txt", "two\n")
	first := must[string](t)(r.Difference("a.txt", "b.txt"))
	if again := must[string](t)(r.Difference("b.txt", "a.txt", "a.txt")); again != first {
		t.Errorf("order matters: %s and %s", first, again)
	}
	write(t, dir, "a.txt", "three\n")
	if other := must[string](t)(r.Difference("a.txt")); other == first {
		t.Error("another content has the same digest")
	}
	if _, err := r.Difference("../outside"); err == nil {
		t.Error("a path out of the repository: no error")
	}
}

func TestCommitAndCheckout(t *testing.T) {
	for _, program := range []bool{true, false} {
		t.Run(fmt.Sprintf("git program %v", program), func(t *testing.T) {
			ctx := context.Background()
			dir := t.TempDir()
			r := must[*Repo](t)(Init(dir, "main"))
			if !program {
				r.program = ""
			}
			write(t, dir, "a.txt", "one\n")
			write(t, dir, "b.txt", "one\n")
			first := must[string](t)(r.Commit(ctx, CommitOptions{Message: "first", Time: demoTime, Paths: []string{"a.txt"}}))
			if got := gitRun(t, dir, "log", "-1", "--format=%an <%ae> %cI %s"); got != "plumb <plumb@localhost> 2001-06-30T12:00:00+00:00 first" {
				t.Errorf("git log: %s", got)
			}
			if got := gitRun(t, dir, "status", "--porcelain"); got != "?? b.txt" {
				t.Errorf("git status: %q", got)
			}
			if err := r.Checkout(ctx, "topic", true); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "dir/c.txt", "c")
			os.Remove(filepath.Join(dir, "a.txt"))
			second := must[string](t)(r.Commit(ctx, CommitOptions{Message: "all", Author: &Identity{"Bo <x>\n", "bo@example.org"}, Plain: true}))
			if head, branch, err := r.Head(); head != second || branch != "topic" || err != nil {
				t.Errorf("Head = %s, %s, %v", head, branch, err)
			}
			if got := gitRun(t, dir, "log", "-1", "--format=%P %an %ae"); got != first+" Bo x bo@example.org" {
				t.Errorf("git log: %s", got)
			}
			if got := gitRun(t, dir, "ls-tree", "-r", "--name-only", "HEAD"); got != "b.txt\ndir/c.txt" {
				t.Errorf("git ls-tree: %q", got)
			}
			if err := r.Checkout(ctx, "main", false); err != nil {
				t.Fatal(err)
			}
			if got := gitRun(t, dir, "status", "--porcelain"); got != "" {
				t.Errorf("git status: %q", got)
			}
			for _, branch := range []string{"nowhere", "-b", "", "a b"} {
				if err := r.Checkout(ctx, branch, false); err == nil {
					t.Errorf("Checkout(%q): no error", branch)
				}
			}
			fsck(t, dir)
		})
	}
}

// A commit of one file leaves alone what the user has staged.
func TestCommitOnly(t *testing.T) {
	dir, r := repository(t)
	write(t, dir, "staged.txt", "x")
	gitRun(t, dir, "add", "staged.txt")
	write(t, dir, "a.txt", "two\n")
	must[string](t)(r.Commit(context.Background(), CommitOptions{Message: "one file", Paths: []string{"a.txt"}}))
	if got := gitRun(t, dir, "status", "--porcelain"); got != "A  staged.txt" {
		t.Errorf("git status: %q", got)
	}
}

func TestIdentity(t *testing.T) {
	dir, r := repository(t)
	if got := r.Identity(); got != "plumb@localhost" {
		t.Errorf("Identity = %q", got)
	}
	gitRun(t, dir, "config", "user.name", "Ann")
	gitRun(t, dir, "config", "user.email", "ann@example.org")
	if got := open(t, dir).Identity(); got != "ann@example.org" {
		t.Errorf("Identity = %q", got)
	}
	bare := open(t, dir)
	bare.program = ""
	if got := bare.Identity(); got != "ann@example.org" {
		t.Errorf("without the git program: Identity = %q", got)
	}
	t.Setenv("GIT_COMMITTER_NAME", "Bo")
	t.Setenv("GIT_COMMITTER_EMAIL", "bo@example.org")
	if got := open(t, dir).Identity(); got != "bo@example.org" {
		t.Errorf("Identity = %q", got)
	}
}
