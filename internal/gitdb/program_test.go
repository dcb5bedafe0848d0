package gitdb

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
)

// A partial clone is asked for what it lacks, and says what to do where it cannot be had.
func TestPartialCloneFetchesWhatIsRead(t *testing.T) {
	dir, _ := repository(t)
	write(t, dir, "a.txt", "two\n")
	gitRun(t, dir, "commit", "-q", "-a", "-m", "second")
	gitRun(t, dir, "config", "uploadpack.allowFilter", "true")
	old := gitRun(t, dir, "rev-parse", "HEAD~1")
	for _, filter := range []string{"blob:none", "tree:0"} {
		clone := filepath.Join(t.TempDir(), "clone")
		gitRun(t, ".", "clone", "-q", "--filter="+filter, "file://"+dir, clone)
		r := open(t, clone)
		if data, err := fs.ReadFile(must[fs.FS](t)(r.Tree(old)), "a.txt"); err != nil || string(data) != "one\n" {
			t.Errorf("%s: %q, %v", filter, data, err)
		}
		missing := strings.Repeat("1", 40)
		if _, err := r.Blob(missing); !errors.Is(err, ErrNotFound) || !strings.Contains(problem.Hint(err), "partial clone") {
			t.Errorf("%s: what nobody has: %v (%s)", filter, err, problem.Hint(err))
		}
		if data, err := r.Blob(r.BlobID([]byte("one\n"))); err != nil || string(data) != "one\n" {
			t.Errorf("%s: after an error: %q, %v", filter, data, err)
		}
	}
	clone := filepath.Join(t.TempDir(), "clone")
	gitRun(t, ".", "clone", "-q", "--filter=blob:none", "file://"+dir, clone)
	gitRun(t, clone, "remote", "set-url", "origin", "file:///nowhere")
	_, err := fs.ReadFile(must[fs.FS](t)(open(t, clone).Tree(old)), "a.txt")
	if err == nil || !strings.Contains(problem.Hint(err), "git fetch --refetch") {
		t.Errorf("without the remote: %v (%s)", err, problem.Hint(err))
	}
}

// Packs whose indexes are too large to be read whole are read by the git program.
func TestLargeIndexes(t *testing.T) {
	dir, _ := repository(t)
	gitRun(t, dir, "repack", "-q", "-a", "-d")
	defer func(old int64) { largeIndexes = old }(largeIndexes)
	largeIndexes = 100
	r := open(t, dir)
	last, ok := r.objects[len(r.objects)-1].(*catFile)
	if !ok || len(r.objects) != 2 {
		t.Fatalf("objects are asked of %v", r.objects)
	}
	commit, _, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if data, err := fs.ReadFile(must[fs.FS](t)(r.Tree(commit)), "a.txt"); err != nil || string(data) != "one\n" || last.contents == nil {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := r.BlobLimit(r.BlobID([]byte("one\n")), 3); !errors.As(err, new(tooLarge)) {
		t.Errorf("a blob of 4 bytes of which 3 are allowed: %v", err)
	}
}

// Without the git program, what needs it is an error that says so.
func TestFormatsThatNeedTheProgram(t *testing.T) {
	dir := t.TempDir()
	gitRun(t, dir, "init", "-q", "--object-format=sha256")
	t.Setenv("PATH", "")
	if _, err := Open(dir); err == nil || !strings.Contains(problem.Hint(err), "install the git program") {
		t.Errorf("%v (%s)", err, problem.Hint(err))
	}
}

// Git does not work in a repository of somebody else (safe.directory), whose configuration names programs to run; neither does plumb.
func TestSomebodyElsesRepository(t *testing.T) {
	dir, r := repository(t)
	t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1") // git's own switch for its tests
	gitRun := func(args ...string) (string, error) { return r.git(context.Background(), call{args: args}) }
	if _, err := gitRun("status"); err == nil || !strings.Contains(problem.Hint(err), "git config --global --add safe.directory "+dir) {
		t.Errorf("%v (%s)", err, problem.Hint(err))
	}
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "safe.directory")
	t.Setenv("GIT_CONFIG_VALUE_0", dir)
	if _, err := gitRun("status"); err != nil {
		t.Error(err)
	}
	os.Unsetenv("GIT_TEST_ASSUME_DIFFERENT_OWNER")
	if os.Geteuid() != 0 {
		return // the rest needs root
	}
	t.Setenv("GIT_CONFIG_COUNT", "0")
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, 12345, 12345))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "belongs to somebody else") {
		t.Errorf("Open: %v", err)
	}
	t.Setenv("SUDO_UID", strconv.Itoa(12345))
	if _, err := Open(dir); err != nil {
		t.Errorf("Open by who became root with sudo: %v", err)
	}
}
