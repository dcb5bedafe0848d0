package page

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var keep = flag.String("keep", "", "a folder to leave the built site in, to look at it")

func TestBuild(t *testing.T) {
	files := build(t, withPullRequest(fixture(t, 60)))
	if *keep == "" {
		return
	}
	leave(t, *keep, files)
}

// leave writes a built site to a folder.
func leave(t testing.TB, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		where := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(where, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
