package gitdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file's changes on the first-parent line are those that git log tells, also in a clone that is cut off.
func TestTouchesAgreeWithGit(t *testing.T) {
	dir, _ := repository(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "watched"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		gitRun(t, dir, "add", "-A")
	}
	commit := func(subject string) {
		gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", subject+"\n\nparent of nothing")
	}
	commit("before it was there")
	write("1")
	commit("it comes")
	commit("it stays")
	gitRun(t, dir, "checkout", "-q", "-b", "side")
	write("2")
	commit("on a branch")
	write("3")
	commit("and again")
	gitRun(t, dir, "checkout", "-q", "main")
	gitRun(t, dir, "merge", "-q", "--no-ff", "-m", "by a merge", "side")
	gitRun(t, dir, "rm", "-q", "watched")
	commit("it goes")
	write("1")
	commit("it is back")

	told := func(dir string) string {
		r, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		head, _, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		touches, whole, err := r.Touches(context.Background(), head, "watched", 10)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, touch := range touches {
			lines = append(lines, touch.Commit+" "+touch.Subject)
		}
		return fmt.Sprintln(strings.Join(lines, "\n"), whole)
	}
	want := gitRun(t, dir, "log", "--first-parent", "-m", "--format=%H %s", "--", "watched")
	if got := told(dir); got != fmt.Sprintln(strings.TrimSpace(want), true) {
		t.Errorf("told\n%s, git says\n%s", got, want)
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	gitRun(t, dir, "clone", "-q", "--depth", "2", "file://"+dir, shallow)
	if got := told(shallow); !strings.HasSuffix(got, "it is back false\n") {
		t.Errorf("a shallow clone tells\n%s", got)
	}
}
