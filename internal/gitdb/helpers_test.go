package gitdb

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs this binary as another process when a test starts it so.
func TestMain(m *testing.M) {
	for _, name := range []string{"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"} {
		os.Setenv(name, os.DevNull)
	}
	os.Setenv("HOME", os.DevNull) // whoever runs the tests is nobody here
	os.Setenv("GIT_ALLOW_PROTOCOL", "file:http:https")
	if job := os.Getenv("GITDB_TEST_JOB"); job != "" {
		os.Exit(jobs[job](os.Args[1:]))
	}
	os.Exit(m.Run())
}

// jobs are what a second process can be asked to do, by name; each gives its exit code.
var jobs = map[string]func(args []string) int{"write": writeJob, "hostile": hostileJob, "hostile-fetch": hostileFetchJob}

// job starts this test binary as another process.
func job(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "GITDB_TEST_JOB="+name)
	return cmd
}

// writeJob commits one new file after the other to a ref: writeJob REPO REF PREFIX COUNT.
func writeJob(args []string) int {
	r, err := Open(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var count int
	fmt.Sscan(args[3], &count)
	for i := range count {
		file := File{Path: fmt.Sprintf("%s/%d", args[2], i), Data: []byte(args[2] + strings.Repeat("x", i))}
		if _, err := r.Update(context.Background(), args[1], adding(file)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(i)
	}
	return 0
}

// adding is an update that puts files into the tip's tree.
func adding(files ...File) func(w *Writer, tip string) (string, error) {
	return func(w *Writer, tip string) (string, error) {
		tree, err := w.Tree(tip, files)
		if err != nil {
			return "", err
		}
		info := CommitInfo{Message: "add\n"}
		if tip != "" {
			info.Parents = []string{tip}
		}
		return w.Commit(tree, info)
	}
}

// gitRun runs the real git program.
func gitRun(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// fsck lets git say whether the repository is sound.
func fsck(t *testing.T, dir string) {
	t.Helper()
	for line := range strings.Lines(gitRun(t, dir, "fsck", "--full", "--strict", "--no-dangling")) {
		if !strings.Contains(line, "unborn branch") {
			t.Fatalf("git fsck: %s", line)
		}
	}
}

// repository makes a repository with one commit.
func repository(t *testing.T) (string, *Repo) {
	t.Helper()
	dir := t.TempDir()
	gitRun(t, dir, "init", "-q", "-b", "main")
	write(t, dir, "a.txt", "one\n")
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "commit", "-q", "-m", "first")
	return dir, open(t, dir)
}

func open(t *testing.T, dir string) *Repo {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
