package doc_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
)

var update = flag.Bool("update", false, "write the .out files anew")

// TestErrors loads each project of testdata/err and compares what is said about it with the .out file beside it.
func TestErrors(t *testing.T) {
	dirs, _ := filepath.Glob("testdata/err/*")
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			set := doc.Load(os.DirFS(dir))
			got := set.Problems.Text(set.Source)
			compare(t, dir+".out", got)
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (write it anew with -update):\n--- got\n%s--- want\n%s", file, got, want)
	}
}

// TestGood holds that a sound project has nothing said about it.
func TestGood(t *testing.T) {
	set := doc.Load(os.DirFS("testdata/good"))
	if text := set.Problems.Text(set.Source); text != "" {
		t.Error(text)
	}
	if len(set.Files) != 7 {
		t.Errorf("files %v", set.Files)
	}
}

// TestSevenMistakes holds the promise of the issue: a document with seven different mistakes yields seven positioned problems in one run.
func TestSevenMistakes(t *testing.T) {
	set := doc.Load(os.DirFS("testdata/err/seven"))
	rules := map[string]bool{}
	for _, p := range set.Problems.All() {
		if p.Line < 1 || p.Col < 1 {
			t.Errorf("no place: %v", p)
		}
		rules[p.Rule] = true
	}
	if n := len(set.Problems.All()); n != 7 || len(rules) != 7 {
		t.Errorf("%d problems of %d rules:\n%s", n, len(rules), set.Problems.Text(set.Source))
	}
}
