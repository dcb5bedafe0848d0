package gitdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOpenFromEverywhere(t *testing.T) {
	dir, _ := repository(t)
	commit := gitRun(t, dir, "rev-parse", "HEAD")
	write(t, dir, "sub/deep/b.txt", "two\n")
	linked := filepath.Join(t.TempDir(), "linked")
	gitRun(t, dir, "worktree", "add", "-q", "-b", "other", linked)
	shared := filepath.Join(t.TempDir(), "shared")
	gitRun(t, dir, "clone", "-q", "--shared", dir, shared)
	bare := filepath.Join(t.TempDir(), "bare.git")
	gitRun(t, dir, "clone", "-q", "--bare", dir, bare)
	detached := filepath.Join(t.TempDir(), "detached")
	gitRun(t, dir, "clone", "-q", dir, detached)
	gitRun(t, detached, "checkout", "-q", "--detach")
	shallow := filepath.Join(t.TempDir(), "shallow")
	gitRun(t, dir, "clone", "-q", "--depth=1", "file://"+dir, shallow)

	for _, c := range []struct{ name, dir, root, branch string }{
		{"top", dir, dir, "main"},
		{"subfolder", filepath.Join(dir, "sub", "deep"), dir, "main"},
		{"linked working tree", linked, linked, "other"},
		{"alternates", shared, shared, "main"},
		{"bare", bare, "", "main"},
		{"detached", detached, detached, ""},
		{"shallow", shallow, shallow, "main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := open(t, c.dir)
			if r.Root() != c.root {
				t.Errorf("Root() = %q, want %q", r.Root(), c.root)
			}
			gotCommit, branch, err := r.Head()
			if err != nil || gotCommit != commit || branch != c.branch {
				t.Errorf("Head() = %s, %q, %v, want %s, %q", gotCommit, branch, err, commit, c.branch)
			}
			if data, err := fs.ReadFile(must[fs.FS](t)(r.Tree(commit)), "a.txt"); err != nil || string(data) != "one\n" {
				t.Errorf("a.txt = %q, %v", data, err)
			}
			tip := must[string](t)(r.Update(context.Background(), "refs/plumb/private", adding(File{Path: "x", Data: []byte(c.name)})))
			if got := gitRun(t, c.dir, "cat-file", "-p", tip+":x"); got != c.name {
				t.Errorf("git reads %q, want %q", got, c.name)
			}
			fsck(t, c.dir)
			if c.root != "" {
				if status := gitRun(t, c.root, "status", "--porcelain", "--untracked-files=no"); status != "" {
					t.Errorf("git status: %s", status)
				}
			}
		})
	}
}

func TestOpenWhatIsNone(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); !errors.Is(err, ErrNoRepository) {
		t.Errorf("Open of an empty folder: %v, want %v", err, ErrNoRepository)
	}
	if _, err := Open(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of a missing folder: %v", err)
	}
	write(t, dir, ".git", "nonsense")
	if _, err := Open(dir); err == nil {
		t.Error("Open with a broken .git file: no error")
	}
	write(t, dir, "sub/.git", "gitdir: ../nowhere")
	if _, err := Open(filepath.Join(dir, "sub")); err == nil {
		t.Error("Open with a .git file that leads nowhere: no error")
	}
}

func TestEmptyRepository(t *testing.T) {
	dir := t.TempDir()
	r := must[*Repo](t)(Init(dir, "trunk"))
	if _, branch, err := r.Head(); err != ErrNoCommit || branch != "trunk" {
		t.Errorf("Head() = %q, %v, want trunk, %v", branch, err, ErrNoCommit)
	}
	if _, err := r.Resolve("HEAD"); err != ErrNoCommit {
		t.Errorf("Resolve(HEAD): %v, want %v", err, ErrNoCommit)
	}
	if dirty, err := r.Dirty(); dirty || err != nil {
		t.Errorf("Dirty() = %v, %v", dirty, err)
	}
	write(t, dir, "a", "a")
	if dirty, err := r.Dirty("a"); !dirty || err != nil {
		t.Errorf("Dirty(a) = %v, %v", dirty, err)
	}
	again := must[*Repo](t)(Init(dir, "main"))
	if _, branch, _ := again.Head(); branch != "trunk" {
		t.Errorf("a second Init changed the branch to %q", branch)
	}
	if _, ok := r.Remote(); ok {
		t.Error("there is a remote")
	}
}

func TestResolve(t *testing.T) {
	dir, r := repository(t)
	first := gitRun(t, dir, "rev-parse", "HEAD")
	write(t, dir, "a.txt", "two\n")
	gitRun(t, dir, "commit", "-q", "-a", "-m", "second")
	gitRun(t, dir, "tag", "-a", "-m", "tag", "v1", first)
	gitRun(t, dir, "update-ref", "refs/remotes/origin/topic", first)
	second := gitRun(t, dir, "rev-parse", "HEAD")
	for rev, want := range map[string]string{"HEAD": second, "main": second, "HEAD~1": first, "v1": first, "origin/topic": first, first: first, first[:9]: first} {
		if got, err := r.Resolve(rev); err != nil || got != want {
			t.Errorf("Resolve(%q) = %q, %v, want %s", rev, got, err, want)
		}
	}
	for _, rev := range []string{"", "--help", "nothing", "HEAD~7", "main\nx", first[:9] + map[bool]string{true: "1", false: "0"}[first[9] == '0'], gitRun(t, dir, "rev-parse", "HEAD:a.txt")} {
		if got, err := r.Resolve(rev); err == nil {
			t.Errorf("Resolve(%q) = %s, want an error", rev, got)
		}
	}
}

func TestRefsPackedAndLoose(t *testing.T) {
	dir, r := repository(t)
	ctx := context.Background()
	one := must[string](t)(r.Update(ctx, "refs/plumb/blobs/2001-06-30/a", adding(File{Path: "x", Data: []byte("1")})))
	gitRun(t, dir, "pack-refs", "--all", "--prune")
	if got := must[string](t)(r.Ref("refs/plumb/blobs/2001-06-30/a")); got != one {
		t.Errorf("packed ref = %q, want %s", got, one)
	}
	two := must[string](t)(r.Update(ctx, "refs/plumb/blobs/2001-06-30/b", adding(File{Path: "x", Data: []byte("2")})))
	three := must[string](t)(r.Update(ctx, "refs/plumb/blobs/2001-06-30/a", adding(File{Path: "y", Data: []byte("3")})))
	want := []Ref{{"refs/plumb/blobs/2001-06-30/a", three}, {"refs/plumb/blobs/2001-06-30/b", two}}
	if got := must[[]Ref](t)(r.Refs("refs/plumb/")); !slices.Equal(got, want) {
		t.Errorf("Refs = %v, want %v", got, want)
	}
	if got := gitRun(t, dir, "rev-list", "--count", three); got != "2" {
		t.Errorf("%s commits, want 2", got)
	}
	if got := must[[]string](t)(r.Branches()); !slices.Equal(got, []string{"main"}) {
		t.Errorf("Branches = %v", got)
	}
	fsck(t, dir)
}

// A loose ref that is there but empty (a full disk, another program) must not be read as "no records yet": the next record would bury the old ones.
func TestBrokenRefIsAnError(t *testing.T) {
	dir, r := repository(t)
	write(t, dir, ".git/refs/plumb/private", "")
	if got, err := r.Ref("refs/plumb/private"); err == nil {
		t.Errorf("Ref = %q, want an error", got)
	}
	if _, err := r.Update(context.Background(), "refs/plumb/private", adding(File{Path: "x", Data: []byte("1")})); err == nil {
		t.Error("Update: no error")
	}
}
