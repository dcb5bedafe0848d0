package gitdb

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTreeIsAFileSystem(t *testing.T) {
	dir, r := repository(t)
	write(t, dir, "models/delay.toml", "schema = 1\n")
	write(t, dir, "models.txt", "x")
	write(t, dir, "models-old/a", "x")
	write(t, dir, "empty", "")
	write(t, dir, "run.sh", "#!/bin/sh\n")
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "update-index", "--chmod=+x", "run.sh")
	gitRun(t, dir, "commit", "-q", "-m", "more")
	commit, _, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	tree := must[fs.FS](t)(r.Tree(commit))
	if err := fstest.TestFS(tree, "a.txt", "models/delay.toml", "models.txt", "models-old/a", "empty", "run.sh"); err != nil {
		t.Error(err)
	}
	if info, err := fs.Stat(tree, "run.sh"); err != nil || info.Mode().Perm()&0o100 == 0 || info.Size() != 10 {
		t.Errorf("run.sh: %v, %v", info, err)
	}
	for _, name := range []string{"", "/a.txt", "../a.txt", "models/../a.txt", ".git/config", "models//delay.toml", "a.txt/b", "b\\c", "x\x00"} {
		if data, err := fs.ReadFile(tree, name); err == nil {
			t.Errorf("ReadFile(%q) = %q, want an error", name, data)
		}
	}
	if _, err := fs.ReadFile(tree, "missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := r.Tree(strings.Repeat("0", 39) + "1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing commit: %v", err)
	}
}

func TestTreeReadsCommitsPackedSinceItWasOpened(t *testing.T) {
	dir, r := repository(t)
	commit, _, _ := r.Head()
	tree := must[fs.FS](t)(r.Tree(commit))
	must[[]byte](t)(fs.ReadFile(tree, "a.txt"))
	write(t, dir, "b.txt", "new\n")
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "commit", "-q", "-m", "second")
	gitRun(t, dir, "gc", "-q", "--prune=now")
	commit, _, _ = r.Head()
	if data, err := fs.ReadFile(must[fs.FS](t)(r.Tree(commit)), "b.txt"); err != nil || string(data) != "new\n" {
		t.Errorf("b.txt = %q, %v", data, err)
	}
}

func TestTreeDoesNotFollowLinks(t *testing.T) {
	_, r := repository(t)
	var commit string
	err := r.Write(context.Background(), func(w *Writer) (err error) {
		target, err := w.Blob([]byte("/etc/passwd"))
		if err != nil {
			return err
		}
		tree := rawTree(t, w, "120000 link", target, "160000 module", strings.Repeat("1", 40))
		commit, err = w.Commit(tree, CommitInfo{Message: "links"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tree := must[fs.FS](t)(r.Tree(commit))
	for _, name := range []string{"link", "module"} {
		if data, err := fs.ReadFile(tree, name); err == nil {
			t.Errorf("ReadFile(%s) = %q, want an error", name, data)
		}
	}
	if info, err := fs.Stat(tree, "link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Stat(link) = %v, %v", info, err)
	}
	if files := must[[]Entry](t)(r.Files(commit)); len(files) != 0 {
		t.Errorf("Files = %v, want none", files)
	}
}

func TestTreeRefusesHostileNames(t *testing.T) {
	_, r := repository(t)
	for _, name := range []string{"..", ".", ".git", ".GIT", "a\\b", "c/d"} {
		var commit string
		err := r.Write(context.Background(), func(w *Writer) (err error) {
			data, err := w.Blob([]byte("x"))
			if err != nil {
				return err
			}
			commit, err = w.Commit(rawTree(t, w, "100644 "+name, data), CommitInfo{Message: "hostile"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if tree, err := r.Tree(commit); err == nil {
			t.Errorf("a tree that holds %q can be read: %v", name, must[[]fs.DirEntry](t)(fs.ReadDir(tree, ".")))
		}
	}
}

// rawTree writes a tree as it is given, which Git's own tools would refuse.
func rawTree(t *testing.T, w *Writer, modeAndHash ...string) string {
	t.Helper()
	var raw []byte
	for i := 0; i < len(modeAndHash); i += 2 {
		hash := must[[]byte](t)(hex.DecodeString(modeAndHash[i+1]))
		raw = append(append(append(raw, modeAndHash[i]...), 0), hash...)
	}
	return must[string](t)(w.put(treeObject, raw))
}

func TestTreeLimit(t *testing.T) {
	dir, r := repository(t)
	write(t, dir, "big.toml", strings.Repeat("x", 100_000))
	write(t, dir, "huge.bin", strings.Repeat("y", maxBase+1))
	gitRun(t, dir, "add", ".")
	gitRun(t, dir, "commit", "-q", "-m", "big")
	for _, packed := range []bool{false, true} {
		if packed {
			gitRun(t, dir, "gc", "-q")
		}
		commit, _, _ := r.Head()
		tree := must[fs.FS](t)(r.TreeLimit(commit, 99_999))
		if _, err := fs.ReadFile(tree, "big.toml"); err == nil || !strings.Contains(err.Error(), "99999 allowed") {
			t.Errorf("packed %v: %v", packed, err)
		}
		if _, err := fs.ReadFile(tree, "huge.bin"); err == nil || !strings.Contains(err.Error(), "99999 allowed") {
			t.Errorf("packed %v: %v", packed, err)
		}
		if data, err := fs.ReadFile(must[fs.FS](t)(r.Tree(commit)), "huge.bin"); err != nil || len(data) != maxBase+1 {
			t.Errorf("packed %v: huge.bin: %d bytes, %v", packed, len(data), err)
		}
		if data, err := fs.ReadFile(tree, "a.txt"); err != nil || len(data) != 4 {
			t.Errorf("packed %v: a.txt: %v", packed, err)
		}
	}
}
