package plumb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the README's first command in process: the comment must be the one that the README shows, and the site must be there.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a demo") // with a space
	exit, out, errs := call(".", "demo", dir)
	if exit != 0 {
		t.Fatalf("exit %d: %s", exit, errs)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown, _, _ := strings.Cut(out, "\n<details>")
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(shown), "\n", "\n> ")
	quoted = strings.ReplaceAll(quoted, "\n> \n", "\n>\n")
	if !strings.Contains(string(readme), quoted) {
		t.Errorf("the README shows another comment than the demo prints:\n%s", quoted)
	}
	if _, err := os.Stat(filepath.Join(dir, "_site", "index.html")); err != nil {
		t.Error(err)
	}
	if out := git(t, dir, "log", "--format=%s", "plumb/ledger"); strings.Count(out, "\n") < 1 {
		t.Errorf("the ledger has %q", out)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("the demo left %q", out)
	}
	if !strings.Contains(out, "plumb runs && plumb run --set rounds=300") {
		t.Errorf("the last line names other next steps: %.300s", out[max(0, len(out)-300):])
	}
	for _, next := range []string{"runs", "run --set rounds=3"} { // fewer rounds, the same words
		if exit, _, errs := call(dir, strings.Fields(next)...); exit != 0 {
			t.Errorf("the demo's next step `plumb %s`: exit %d: %s", next, exit, errs)
		}
	}
	if exit, _, errs := call(".", "demo", dir); exit != 2 || !strings.Contains(errs, "not empty") {
		t.Errorf("a second time: exit %d: %s", exit, errs)
	}
}
