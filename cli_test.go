package plumb_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/cli"
)

// call runs one command line in process.
func call(dir string, args ...string) (exit int, stdout, stderr string) {
	var out, errs bytes.Buffer
	exit = cli.Main(append([]string{"-C", dir}, args...), strings.NewReader(""), &out, &errs, []string{"HOME=" + dir})
	return exit, out.String(), errs.String()
}

// TestCommandTable loops over every command: help with an example, --json, a subfolder, exit codes.
func TestCommandTable(t *testing.T) {
	dir := sampleProject(t)
	sub := filepath.Join(dir, "experiments")
	for _, row := range []struct {
		command string // as typed
		exit    int    // of a good call, with args
		args    []string
		wrong   []string // a call of wrong use; nil when there is none
	}{
		{"check", 0, nil, []string{"surplus"}},
		{"data pin", 0, []string{"--dry-run"}, []string{"no-such"}},
		{"data show", 0, nil, []string{"no-such"}},
		{"quality", 0, nil, []string{"no-such"}},
		{"drift", 0, nil, []string{"no-such"}},
		{"run", 0, nil, []string{"no-such"}},
		{"runs", 0, nil, []string{"--limit", "x"}},
		{"runs show", 0, []string{"baseline"}, []string{"no-such"}},
		{"diff", 0, []string{"baseline", "baseline"}, []string{"baseline"}},
		{"why", 0, nil, []string{"no-such"}},
		{"reproduce", 0, []string{"baseline", "--no-record"}, []string{"baseline", "--tolerance", "-1"}},
		{"push", 0, []string{"--dry-run"}, []string{"surplus"}},
		{"models", 0, nil, []string{"surplus"}},
		{"models list", 0, nil, []string{"surplus"}},
		{"models show", 0, []string{"toy"}, []string{"no-such"}},
		{"models history", 0, nil, []string{"no-such"}},
		{"models at", 0, []string{"2024-01-01"}, []string{"yesterday"}},
		{"promote", 0, []string{"baseline", "--dry-run"}, []string{"no-such"}},
		{"ci", 0, []string{"--event", "pull_request", "--base", "main", "--bundle", filepath.Join(t.TempDir(), "bundle")}, []string{"--event", "wedding"}},
		{"publish", 0, []string{bundle(t, dir)}, []string{filepath.Join(dir, "no-such")}},
		{"comment", 0, []string{bundle(t, dir), "--dry-run"}, []string{filepath.Join(dir, "no-such")}},
		{"report", 0, []string{"-o", filepath.Join(t.TempDir(), "site")}, []string{"-o", dir}},
		{"value", 2, []string{"--flagged", "100", "--precision", "0.8"}, []string{"--flagged", "many"}}, // the sample has no design card
		{"trigger list", 0, nil, []string{"no-such"}},
		{"trigger check", 0, nil, []string{"no-such"}},
		{"verify", 0, nil, []string{"--since", "no-such"}},
		{"store", 2, nil, []string{"no-such"}},
		{"store ls", 0, nil, []string{"surplus"}},
		{"store copy", 0, []string{"here", "file://other"}, []string{"s3://key:secret@bucket"}},
		{"store pack", 0, nil, []string{"surplus"}},
		{"store gc", 0, nil, []string{"surplus"}},
		{"data pull", 0, nil, []string{"no-such"}},
		{"forget", 2, []string{"0123456789abcdef", "--reason", "a test"}, []string{"no-such", "--reason", "x"}}, // there is no such blob
		{"maturity", 0, nil, []string{"surplus"}},
		{"init", 2, []string{"--data", "x.csv", "--label", "y"}, []string{"--action", "nobody"}},
		{"demo", 2, []string{dir}, []string{"one", "two"}},
	} {
		t.Run(row.command, func(t *testing.T) {
			words := strings.Fields(row.command)
			if exit, out, _ := call(dir, append(words, "--help")...); exit != 0 || !strings.Contains(out, "Examples:") {
				t.Errorf("--help: exit %d, or no example", exit)
			}
			exit, out, errs := call(sub, append(append(words, "--json"), row.args...)...)
			if exit != row.exit {
				t.Fatalf("exit %d, want %d: %s%s", exit, row.exit, out, errs)
			}
			oneObject(t, out)
			if row.wrong != nil {
				exit, out, errs = call(sub, append(append(words, "--json"), row.wrong...)...)
				if exit != 2 || errs == "" {
					t.Errorf("wrong use %v: exit %d, want 2: %s%s", row.wrong, exit, out, errs)
				}
				oneObject(t, out)
			}
		})
	}
	t.Run("outside a project", func(t *testing.T) {
		if exit, _, errs := call(t.TempDir(), "runs"); exit != 2 || !strings.Contains(errs, "hint:") {
			t.Errorf("exit %d: %s", exit, errs)
		}
	})
	t.Run("unknown command", func(t *testing.T) {
		if exit, _, errs := call(dir, "rum"); exit != 2 || !strings.Contains(errs, "hint:") {
			t.Errorf("exit %d: %s", exit, errs)
		}
	})
}

// oneObject holds that standard output is one JSON object that names its schema first.
func oneObject(t *testing.T, out string) {
	t.Helper()
	if !strings.HasPrefix(out, `{"schema":"plumb.`) || !strings.HasSuffix(out, "\n") || !json.Valid([]byte(out)) {
		t.Errorf("not one JSON object with its schema first: %.200s", out)
	}
}

// sampleProject is a committed project with one run.
func sampleProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeData(filepath.Join(dir, "data", "rows.csv"), defaultShape()); err != nil {
		t.Fatal(err)
	}
	for name, text := range projectFiles {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q", "-b", "main")
	plumb := func(words ...string) {
		if exit, _, errs := call(dir, words...); exit != 0 {
			t.Fatalf("plumb %s: exit %d: %s", words, exit, errs)
		}
	}
	plumb("data", "pin")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "-m", "base")
	plumb("run") // on a clean commit, so that it counts
	return dir
}

// bundle measures the project's head against itself.
func bundle(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bundle")
	if exit, _, errs := call(dir, "ci", "--event", "pull_request", "--base", "main", "--bundle", out); exit != 0 {
		t.Fatalf("plumb ci: exit %d: %s", exit, errs)
	}
	return out
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
