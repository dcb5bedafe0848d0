package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// disowns is a decision about a record, made a while after the start.
func disowns(of File, after time.Duration, change ...func(*record.Decision)) File {
	d := &record.Decision{Header: header(0), Choice: record.Disowned, Reason: "forged", Record: of.Path, SHA256: record.Sum(of.Data)}
	d.Time = noon.Add(after)
	for _, c := range change {
		c(d)
	}
	path, data, err := record.Encode(d)
	if err != nil {
		panic(err)
	}
	return File{path, data}
}

func readAt(t testing.TB, dir string) (*View, func()) {
	t.Helper()
	l, repo, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := l.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v, func() { repo.Close() }
}

// A run that was indexed before it was disowned is shown by neither reader, nor found by its inputs; of the index nothing is made anew.
func TestDisownedRunIsLeftOutOfTheIndex(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	var files []File
	for i := range 2 * leastIndexed {
		files = append(files, run("a", i))
	}
	addRuns(t, dir, "refs/heads/plumb/ledger", files...)
	if n := sameIDs(t, dir, "before"); n != 1 {
		t.Fatalf("%d files of an index", n)
	}
	bad := files[7]
	off := disowns(bad, time.Hour)
	addRuns(t, dir, "refs/heads/plumb/ledger", off)
	sameIDs(t, dir, "after")
	v, done := readAt(t, dir)
	defer done()
	if n := len(v.Runs()); n != len(files)-1 {
		t.Errorf("%d runs", n)
	}
	r, _ := record.Decode(bad.Path, bad.Data)
	if found := v.RunsByInputs(r.(*record.Run).Inputs.Key()); len(found) != 0 {
		t.Errorf("by its inputs %d runs are found", len(found))
	}
	if _, ok := v.Run(r.(*record.Run).ID); ok {
		t.Error("by its id it is found")
	}
	if data, err := v.Bytes(bad.Path); err != nil || string(data) != string(bad.Data) {
		t.Errorf("by its path: %v", err)
	}
	if by := v.Disowned()[bad.Path]; by.Path != off.Path || by.Reason != "forged" {
		t.Errorf("%+v", by)
	}

	// what disowns can be disowned, and that again
	back := disowns(off, 2*time.Hour)
	addRuns(t, dir, "refs/heads/plumb/ledger", back)
	sameIDs(t, dir, "taken back")
	v, done = readAt(t, dir)
	defer done()
	if len(v.Runs()) != len(files) || len(v.Disowned()) != 1 || len(v.Decisions(record.Disowned)) != 1 {
		t.Errorf("taken back: %d runs, %d disowned", len(v.Runs()), len(v.Disowned()))
	}
	addRuns(t, dir, "refs/heads/plumb/ledger", disowns(back, 3*time.Hour))
	sameIDs(t, dir, "and again")
	v, done = readAt(t, dir)
	defer done()
	if len(v.Runs()) != len(files)-1 {
		t.Errorf("and again: %d runs", len(v.Runs()))
	}
}

// A decision about other bytes than a record has says nothing of it; one of this clone alone counts here.
func TestDisowningOfOtherBytes(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	one, two := run("a", 1), run("a", 2)
	addRuns(t, dir, "refs/heads/plumb/ledger", one, two, disowns(one, time.Hour, func(d *record.Decision) { d.SHA256 = record.Sum(two.Data) }),
		disowns(run("a", 3), time.Hour))
	addRuns(t, dir, "refs/plumb/private", disowns(two, time.Hour))
	v, done := readAt(t, dir)
	defer done()
	if runs := v.Runs(); len(runs) != 1 || runPath(runs[0]) != one.Path {
		t.Errorf("%d runs", len(runs))
	}
	if by := v.Disowned()[two.Path]; !by.Private {
		t.Errorf("%+v", by)
	}
	if n := len(v.Disownings()); n != 3 {
		t.Errorf("%d decisions", n)
	}
}

// Numbers that were given out are not given out again, even when what was disowned is gone.
func TestNextAfterDisowned(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q")
	version := func(n int) File {
		path, data, err := record.Encode(&record.Version{Header: header(n), Model: "delay", Number: n, Experiment: "baseline"})
		if err != nil {
			t.Fatal(err)
		}
		return File{path, data}
	}
	addRuns(t, dir, "refs/heads/plumb/ledger", version(1), version(2), disowns(version(2), time.Hour), disowns(version(3), time.Hour))
	l, repo, err := openAt(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	_, err = l.Append(context.Background(), func(v *View) ([]File, error) {
		if got := []int{len(v.Versions("delay")), v.Next("versions/delay"), v.Next("versions/other")}; !slices.Equal(got, []int{1, 4, 1}) {
			t.Errorf("%v", got)
		}
		return []File{version(4)}, nil
	})
	if err != nil {
		t.Errorf("version 3 was disowned and is gone, and 4 can't be: %v", err)
	}
}

// The budget: 100,000 indexed runs in less than 300 ms, also with runs that were disowned since.
func BenchmarkDisowned(b *testing.B) {
	for _, n := range []int{0, 1000} {
		b.Run(fmt.Sprintf("disowned=%d", n), func(b *testing.B) {
			dir := benchRepository(b)
			filled(b, dir, 100_000)
			repo, err := gitdb.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			var files []gitdb.File
			for i := range n {
				f := disowns(run(fmt.Sprintf("experiment-%d", i%20), i*20, realistic), 1e4*time.Hour)
				files = append(files, gitdb.File{Path: f.Path, Data: f.Data})
			}
			_, err = repo.Update(context.Background(), "refs/heads/plumb/ledger", func(w *gitdb.Writer, tip string) (string, error) {
				tree, err := w.Tree(tip, files)
				if err != nil {
					return "", err
				}
				return w.Commit(tree, gitdb.CommitInfo{Message: "disown", Parents: []string{tip}})
			})
			repo.Close()
			if err != nil {
				b.Fatal(err)
			}
			benchGit(b, dir, "gc", "-q")
			look := func() {
				l, repo, err := openAt(dir)
				if err != nil {
					b.Fatal(err)
				}
				defer repo.Close()
				v, err := l.Glance(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				t, done, err := v.RunTable(context.Background())
				if err != nil || len(t.Rows()) != 100_000-n {
					b.Fatal(err, len(t.Rows()))
				}
				done()
			}
			look() // makes the index
			computing(b, look)
		})
	}
}
