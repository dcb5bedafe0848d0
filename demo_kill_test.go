package plumb_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A demo that is killed half way is told anew, whole, by the next one; meanwhile nobody else tells one in the same folder. It needs no identity of Git's,
// no home and no network, and two may be told at once in two folders.
func TestKilledDemo(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	program := filepath.Join(top, "plumb")
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	start := func(dir string) (*exec.Cmd, *strings.Builder, *strings.Builder) {
		cmd := exec.Command(program, "demo", dir, "--json")
		cmd.Dir = top
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "http_proxy=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9"} // no HOME
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &out, &errs
	}
	killed, _, _ := start("first folder")
	mark := filepath.Join(top, "first folder", ".git", "plumb", "demo-unfinished")
	waitFor(t, func() bool {
		return strings.Count(gitOutput(filepath.Join(top, "first folder"), "log", "--format=%s", "plumb/ledger"), "\n") >= 2
	})
	beside, _, errs := start("first folder")
	if beside.Wait(); beside.ProcessState.ExitCode() != 2 || !strings.Contains(errs.String(), "is telling its story") {
		t.Errorf("beside one that is being told: exit %d: %s", beside.ProcessState.ExitCode(), errs)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.Wait()
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("a killed demo leaves no mark: %v", err)
	}
	again, out, errs := start("first folder")
	other, otherOut, otherErrs := start("another")
	for _, d := range []struct {
		cmd       *exec.Cmd
		out, errs *strings.Builder
	}{{again, out, errs}, {other, otherOut, otherErrs}} {
		if err := d.cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, d.errs)
		}
	}
	var first, second told
	if err := json.Unmarshal([]byte(out.String()), &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(otherOut.String()), &second); err != nil {
		t.Fatal(err)
	}
	if len(first.Moments) < 15 || !slices.Equal(first.Moments, second.Moments) {
		t.Errorf("the story told anew has %d moments, another one %d", len(first.Moments), len(second.Moments))
	}
	if !first.Anew || second.Anew {
		t.Errorf("the first says anew %v, the other %v", first.Anew, second.Anew)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the mark is still there after the end")
	}
}

// gitOutput is what git says, "" when it fails.
func gitOutput(dir string, args ...string) string {
	out, _ := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	return string(out)
}

// waitFor waits until something is so, two minutes at most.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came")
		}
	}
}
