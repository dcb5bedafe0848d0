package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plumb-ml/plumb/internal/gitdb"
)

// idsByTable lists the ids of the runs by column, in order, and how many files the index has.
func idsByTable(t *testing.T, dir string) (ids []string, files int) {
	t.Helper()
	l, repo, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	v, err := l.Glance(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	runs, done, err := v.RunTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	column, err := runs.Column("id", "string")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs.Rows() {
		ids = append(ids, column.Text(r))
	}
	slices.Sort(ids)
	return ids, len(indexFiles(filepath.Join(dir, ".git", "plumb")))
}

// idsByRecord lists the same by decoding every record.
func idsByRecord(t *testing.T, dir string) (ids []string) {
	t.Helper()
	l, repo, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	v, err := l.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range v.Runs() {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

func sameIDs(t *testing.T, dir, when string) int {
	t.Helper()
	want := idsByRecord(t, dir)
	got, files := idsByTable(t, dir)
	again, _ := idsByTable(t, dir) // now from the file
	if !slices.Equal(got, want) || !slices.Equal(again, want) {
		t.Errorf("%s: %d runs by column, %d again, %d by record", when, len(got), len(again), len(want))
	}
	return files
}

func addRuns(t *testing.T, dir, ref string, files ...File) {
	t.Helper()
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	l, err := Open(repo, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = repo.Update(context.Background(), ref, func(w *gitdb.Writer, tip string) (string, error) { return l.commit(w, tip, files) })
	if err != nil {
		t.Fatal(err)
	}
}

func manyRuns(from, to int) (files []File) {
	for i := from; i < to; i++ {
		files = append(files, run(fmt.Sprintf("e-%d", i%3), i))
	}
	return files
}

func TestIndex(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	const branch, private = "refs/heads/plumb/ledger", "refs/plumb/private"
	if n := sameIDs(t, dir, "no ledger"); n != 0 {
		t.Errorf("%d files of nothing", n)
	}
	addRuns(t, dir, branch, manyRuns(0, 10)...)
	if n := sameIDs(t, dir, "few"); n != 0 {
		t.Errorf("an index of 10 runs is kept")
	}
	addRuns(t, dir, branch, manyRuns(10, 100)...)
	for i := range 12 { // segments become one now and then
		addRuns(t, dir, branch, manyRuns(100+10*i, 110+10*i)...)
		if n := sameIDs(t, dir, fmt.Sprint("more ", i)); n != 1 {
			t.Errorf("%d files", n)
		}
	}
	addRuns(t, dir, private, manyRuns(215, 300)...) // five of them are in the branch too
	if n := sameIDs(t, dir, "private"); n != 2 {
		t.Errorf("%d files of two refs", n)
	}

	// A record that is no run's, one that is damaged, a note: left out, and told of once.
	addRuns(t, dir, branch, File{"runs/e-1/2001-06/20010630T120000Z-000000000000.toml", []byte("x")}, File{"runs/README.md", []byte("x")})
	if n := sameIDs(t, dir, "damaged record"); n != 2 {
		t.Errorf("%d files", n)
	}
	l, repo, _ := openAt(dir)
	defer repo.Close()
	v, _ := l.Glance(context.Background())
	_, done, err := v.RunTable(context.Background())
	if err != nil || len(v.Problems()) != 1 {
		t.Errorf("%v, problems %v", err, v.Problems())
	}
	done()

	// The branch is rewritten: without some runs, with others.
	git(t, dir, "update-ref", "-d", branch)
	addRuns(t, dir, branch, append(manyRuns(0, 70), manyRuns(400, 410)...)...)
	sameIDs(t, dir, "rewritten")
}

// Whatever lies where the index should be, what is listed is what is recorded.
func TestIndexIsOnlyACache(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	addRuns(t, dir, "refs/heads/plumb/ledger", manyRuns(0, 80)...)
	sameIDs(t, dir, "made")
	file := indexFiles(filepath.Join(dir, ".git", "plumb"))[0]
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func() error{
		"deleted": func() error { return os.Remove(file) },
		"empty":   func() error { return os.WriteFile(file, nil, 0o644) },
		"text":    func() error { return os.WriteFile(file, []byte(strings.Repeat("index ", 1000)), 0o644) },
		"cut":     func() error { return os.WriteFile(file, good[:len(good)/2], 0o644) },
		"of others": func() error {
			return os.Rename(file, filepath.Join(filepath.Dir(file), "index-"+strings.Repeat("0", 40)))
		},
		"a folder": func() error { return os.Remove(file) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if name == "a folder" {
			if err := os.MkdirAll(filepath.Join(file, "in-the-way"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		sameIDs(t, dir, name)
		_ = os.RemoveAll(file)
		if err := os.WriteFile(file, good, 0o644); err != nil {
			t.Fatal(err)
		}
	}

	// A column that is damaged shows when it is read: its reader drops the indexes and asks again.
	bad := slices.Clone(good)
	bad[200] ^= 0xff
	if err := os.WriteFile(file, bad, 0o644); err != nil {
		t.Fatal(err)
	}
	l, repo, _ := openAt(dir)
	defer repo.Close()
	l.DropIndexes()
	if n := sameIDs(t, dir, "dropped"); n != 1 {
		t.Errorf("%d files", n)
	}
}

func TestIndexOfManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	addRuns(t, dir, "refs/heads/plumb/ledger", manyRuns(0, 300)...)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if ids, _ := idsByTable(t, dir); len(ids) < 300 || len(ids) > 304 { // those that are written meanwhile may be there or not
				t.Errorf("%d runs", len(ids))
			}
		})
	}
	for i := range 4 {
		addRuns(t, dir, "refs/heads/plumb/ledger", File(run("late", 1000+i)))
	}
	readers.Wait()
	if ids, _ := idsByTable(t, dir); len(ids) != 304 {
		t.Errorf("%d runs", len(ids))
	}
}

// A clone whose folder belongs to somebody else lists its runs all the same.
func TestIndexThatCanNotBeWritten(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	addRuns(t, dir, "refs/heads/plumb/ledger", manyRuns(0, 80)...)
	private := filepath.Join(dir, ".git", "plumb")
	if err := os.RemoveAll(private); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(private, []byte("a file in the way"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := sameIDs(t, dir, "no folder"); n != 0 {
		t.Errorf("%d files", n)
	}
}
