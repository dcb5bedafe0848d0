package ledger

import (
	"bufio"
	"context"
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

// TestMain runs this binary as another process when a test starts it so.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "ledger-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull, "HOME": home} {
		os.Setenv(name, value)
	}
	code := 0
	if job := os.Getenv("LEDGER_TEST_JOB"); job != "" {
		code = jobs[job](os.Args[1:])
	} else {
		code = m.Run()
	}
	os.RemoveAll(home)
	os.Exit(code)
}

// jobs are what a second process can be asked to do, by name.
var jobs = map[string]func(args []string) int{"record": recordJob, "claim": claimJob, "append": appendJob, "push": pushJob}

func job(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "LEDGER_TEST_JOB="+name)
	return cmd
}

func openAt(dir string) (*Ledger, *gitdb.Repo, error) {
	repo, err := gitdb.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	l, err := Open(repo, Options{})
	return l, repo, err
}

// recordJob records private runs, pushing after every third: recordJob REPO EXPERIMENT COUNT. It prints each path when it is recorded.
func recordJob(args []string) int {
	l, _, err := openAt(args[0])
	count := 0
	fmt.Sscan(args[2], &count)
	for i := 0; i < count && err == nil; i++ {
		f := run(args[1], i)
		if err = l.AppendPrivate(context.Background(), []File{f}); err == nil {
			fmt.Println(f.Path)
			if i%3 == 2 {
				_, err = l.Push(context.Background())
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// claimJob makes versions, each with the next number: claimJob REPO WHO COUNT.
func claimJob(args []string) int {
	l, _, err := openAt(args[0])
	count := 0
	fmt.Sscan(args[2], &count)
	for i := 0; i < count && err == nil; i++ {
		_, err = l.Append(context.Background(), claim(fmt.Sprint(args[1], i)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// claim takes the next version number of a model.
func claim(why string) func(*View) ([]File, error) {
	return func(v *View) ([]File, error) {
		next := len(v.Versions("delay")) + 1
		version := &record.Version{Header: header(0), Model: "delay", Number: next, Experiment: "baseline", Run: why}
		path, data, err := record.Encode(version)
		return []File{{path, data}}, err
	}
}

var noon = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func header(i int) record.Header {
	return record.Header{Time: noon.Add(time.Duration(i) * time.Minute), Actor: record.ActorHuman, By: record.By{Program: "plumb test"}}
}

// run is the i-th run of an experiment.
func run(experiment string, i int, change ...func(*record.Run)) File {
	r := &record.Run{Header: header(i), Experiment: experiment, Model: "delay", Task: record.TaskBinary, Status: "ok", Learner: "glm",
		Inputs: record.Inputs{"seed": int64(i)}, Result: record.Result{Metrics: map[string]float64{"auc": 0.7}}, Params: map[string]any{"rounds": int64(i)}}
	for _, c := range change {
		c(r)
	}
	path, data, err := record.Encode(r)
	if err != nil {
		panic(err)
	}
	return File{path, data}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(append([]string{"-C", dir}, args...)...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func tryGit(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// skipUnlessRequired skips a test that needs what this machine lacks. A skip looks like a pass: PLUMB_REQUIRE makes it a failure.
func skipUnlessRequired(t *testing.T, what, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("PLUMB_REQUIRE"), ","), what) {
		t.Fatalf("%s is required: %s", what, why)
	}
	t.Skipf("%s: %s", what, why)
}

func fsck(t *testing.T, dir string) {
	t.Helper()
	for line := range strings.Lines(git(t, dir, "fsck", "--full", "--strict", "--no-dangling")) {
		if !strings.Contains(line, "unborn branch") {
			t.Fatalf("git fsck: %s", line)
		}
	}
}

// alone is a repository without a remote.
func alone(t *testing.T) (string, *Ledger) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "alone")
	git(t, ".", "init", "-q", "-b", "main", dir)
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	return dir, open(t, dir)
}

// cloned is a clone of a bare remote.
func cloned(t *testing.T) (bare, dir string, l *Ledger) {
	t.Helper()
	top := t.TempDir()
	bare, dir = filepath.Join(top, "bare.git"), filepath.Join(top, "clone")
	git(t, ".", "init", "-q", "--bare", "-b", "main", bare)
	git(t, ".", "clone", "-q", bare, dir)
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "first")
	git(t, dir, "push", "-q", "origin", "HEAD")
	return bare, dir, open(t, dir)
}

// another is a second clone of a remote.
func another(t *testing.T, bare string) (string, *Ledger) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "other")
	git(t, ".", "clone", "-q", bare, dir)
	return dir, open(t, dir)
}

func open(t *testing.T, dir string) *Ledger {
	t.Helper()
	l, repo, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return l
}

func read(t *testing.T, l *Ledger) *View {
	t.Helper()
	v, err := l.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func private(t *testing.T, l *Ledger, files ...File) {
	t.Helper()
	if err := l.AppendPrivate(context.Background(), files); err != nil {
		t.Fatal(err)
	}
}

// adding is an Append of fixed files.
func adding(files ...File) func(*View) ([]File, error) {
	return func(*View) ([]File, error) { return files, nil }
}

func appendAll(t *testing.T, l *Ledger, files ...File) string {
	t.Helper()
	tip, err := l.Append(context.Background(), adding(files...))
	if err != nil {
		t.Fatal(err)
	}
	return tip
}

// killAfter starts a process, waits until it has printed some lines and a little more, and kills it. It gives the lines that it printed.
func killAfter(t *testing.T, cmd *exec.Cmd, lines int, more time.Duration) []string {
	t.Helper()
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewScanner(pipe)
	var told []string
	for len(told) < lines && out.Scan() {
		told = append(told, out.Text())
	}
	time.Sleep(more)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for out.Scan() {
		told = append(told, out.Text())
	}
	_ = cmd.Wait() // it was killed
	return told
}

func benchRepository(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	benchGit(b, dir, "init", "-q", "-b", "main")
	benchGit(b, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "--allow-empty", "-m", "first")
	return dir
}

func benchGit(b *testing.B, dir string, args ...string) {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
