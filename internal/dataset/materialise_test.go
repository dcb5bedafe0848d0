package dataset

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
)

func TestMaterialise(t *testing.T) {
	p := newProject(t)
	p.write("data/a.csv", "a\n1\n")
	p.write("data/b.csv", "a\n2\n")
	p.write("data/c.csv", "a\n3\n")
	lock, err := p.pin("data/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	p.write("data/b.csv", "a\n9\n")
	os.Remove(filepath.Join(p.root, "data/c.csv"))
	tree := fstest.MapFS{"data/b.csv": {Data: []byte("a\n2\n")}, "data/c.csv": {Data: []byte(lfsPointer)}}
	cache := filepath.Join(t.TempDir(), "new", "cache")
	asked := 0
	from := Sources{WorkDir: p.root, Cache: cache, Tree: func(path string) (fs.File, error) { return tree.Open(path) },
		Store: func(_ context.Context, sum string, size int64) (io.ReadCloser, error) {
			asked++
			if size != 4 || "sha256:"+sum != digest.Bytes([]byte("a\n3\n")) {
				return nil, fmt.Errorf("asked for %s, %d bytes", sum, size)
			}
			return io.NopCloser(strings.NewReader("a\n3\n")), nil
		}}
	for range 2 {
		paths, err := Materialise(t.Context(), from, lock)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{filepath.Join(p.root, "data/a.csv"), filepath.Join(cache, lock.Files[1].SHA256+".csv"), filepath.Join(cache, lock.Files[2].SHA256+".csv")}
		if !reflect.DeepEqual(paths, want) || asked != 1 {
			t.Fatalf("%v, store asked %d times", paths, asked)
		}
		db, err := engine.Open(t.Context(), engine.Options{Read: []string{p.root, cache}, Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(t.Context(), db, Relation(paths, lock), lock); err != nil {
			t.Error(err)
		}
		lie := *lock
		lie.Rows++
		if err := Verify(t.Context(), db, Relation(paths, lock), &lie); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("a lock that lies: %v", err)
		}
		db.Close()
	}
	// A damaged copy in the cache is made again.
	if err := os.WriteFile(filepath.Join(cache, lock.Files[1].SHA256+".csv"), []byte("a\n7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Materialise(t.Context(), from, lock); err != nil {
		t.Error(err)
	}
	from.Store = func(context.Context, string, int64) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("other")), nil
	}
	os.Remove(filepath.Join(cache, lock.Files[2].SHA256+".csv"))
	if _, err := Materialise(t.Context(), from, lock); problem.Exit(err) != problem.ExitFailed || !strings.Contains(err.Error(), "data/c.csv") {
		t.Errorf("a store that lies: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(cache, ".half-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	for _, bad := range []doc.LockFile{{Path: "../x", SHA256: lock.Files[0].SHA256}, {Path: "/etc/passwd", SHA256: lock.Files[0].SHA256}, {Path: "a.csv", SHA256: "../../x"}, {Path: "a.csv", SHA256: lock.Files[0].SHA256, Bytes: -1}} {
		hostile := *lock
		hostile.Files = []doc.LockFile{bad}
		if _, err := Materialise(t.Context(), from, &hostile); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
