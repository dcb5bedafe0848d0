package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

func TestNothingRecordedYet(t *testing.T) {
	_, dir, _ := cloned(t)
	empty := filepath.Join(t.TempDir(), "empty")
	git(t, ".", "init", "-q", empty)
	for _, d := range []string{dir, empty} {
		v := read(t, open(t, d))
		if v.Tip != "" || len(v.Paths()) != 0 || len(v.Runs()) != 0 || len(v.Problems()) != 0 || v.Offline != "" {
			t.Errorf("%s: %+v", d, v)
		}
		if _, err := v.Bytes("runs/x"); !errors.Is(err, gitdb.ErrNotFound) {
			t.Errorf("Bytes of nothing: %v", err)
		}
		if done, err := open(t, d).Push(context.Background()); err != nil || len(done.Added) != 0 {
			t.Errorf("Push of nothing: %+v, %v", done, err)
		}
	}
}

func TestUnionAndPush(t *testing.T) {
	for name, make := range map[string]func(t *testing.T) (string, *Ledger){
		"local branch": alone,
		"remote": func(t *testing.T) (string, *Ledger) {
			_, dir, l := cloned(t)
			return dir, l
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, l := make(t)
			ctx := context.Background()
			one, two, three := run("baseline", 1), run("baseline", 2), run("other", 3)
			tip := appendAll(t, l, one)
			private(t, l, two)
			private(t, l, two, one) // again, and one that the branch has
			v := read(t, l)
			if want := []string{one.Path, two.Path}; !slices.Equal(v.Paths(), want) || v.Tip != tip || v.Private(one.Path) || !v.Private(two.Path) {
				t.Fatalf("Paths = %v, tip %s", v.Paths(), v.Tip)
			}
			if data, err := v.Bytes(two.Path); err != nil || string(data) != string(two.Data) {
				t.Errorf("Bytes = %s, %v", data, err)
			}
			private(t, l, three)
			done, err := l.Push(ctx)
			if want := []string{two.Path, three.Path}; err != nil || !slices.Equal(done.Added, want) || done.Already != 1 || len(done.Refused) != 0 {
				t.Fatalf("Push = %+v, %v, want %v", done, err, want)
			}
			v = read(t, l)
			if len(v.Paths()) != 3 || v.Private(two.Path) || v.Tip != done.Tip || len(v.Problems()) != 0 {
				t.Errorf("after Push: %v, tip %s, %v", v.Paths(), v.Tip, v.Problems())
			}
			again, err := l.Push(ctx)
			if err != nil || len(again.Added) != 0 || again.Tip != done.Tip {
				t.Errorf("Push again = %+v, %v", again, err)
			}
			if files := git(t, dir, "ls-tree", "-r", "--name-only", "refs/plumb/private"); files != "" {
				t.Errorf("still private: %s", files)
			}
			if status := git(t, dir, "status", "--porcelain"); status != "" {
				t.Errorf("git status: %s", status)
			}
			fsck(t, dir)
		})
	}
}

func TestRecordsAreNeverEdited(t *testing.T) {
	_, l := alone(t)
	ctx := context.Background()
	appendAll(t, l, claimed(1, "one"))
	if _, err := l.Append(ctx, adding(claimed(1, "two"))); !errors.Is(err, ErrImmutable) {
		t.Errorf("Append over a version: %v", err)
	}
	changed := run("baseline", 1)
	changed.Data = append(changed.Data, '\n')
	if _, err := l.Append(ctx, adding(changed)); err == nil {
		t.Error("Append of bytes that the path does not name: no error")
	}
	if err := l.AppendPrivate(ctx, []File{changed}); err == nil {
		t.Error("AppendPrivate of bytes that the path does not name: no error")
	}
	if err := l.AppendPrivate(ctx, []File{claimed(2, "x")}); err == nil {
		t.Error("AppendPrivate of a version: no error")
	}
	if _, err := l.Append(ctx, adding(claimed(2, "x"), claimed(2, "y"))); !errors.Is(err, ErrImmutable) {
		t.Errorf("Append of two versions with one number: %v", err)
	}
	if _, err := l.Append(ctx, adding(claimed(3, "x"))); err == nil {
		t.Error("Append of version 3 after 1: no error")
	}
	for _, path := range []string{"../x.toml", "README.md", "runs/x.toml", "versions/delay/0.toml", "versions/../1.toml"} {
		if _, err := l.Append(ctx, adding(File{path, []byte("x")})); err == nil {
			t.Errorf("Append of %s: no error", path)
		}
	}
	if _, err := l.Append(ctx, func(*View) ([]File, error) { return nil, errors.New("no") }); err == nil {
		t.Error("an error of the callback is lost")
	}
	if got := read(t, l).Versions("delay"); len(got) != 1 || got[0].Run != "one" {
		t.Errorf("Versions = %+v", got)
	}
	appendAll(t, l, claimed(1, "one"), claimed(2, "x"), claimed(3, "y"))
	if got := read(t, l).Versions("delay"); len(got) != 3 {
		t.Errorf("Versions = %+v", got)
	}
}

func claimed(n int, why string) File {
	path, data, err := record.Encode(&record.Version{Header: header(0), Model: "delay", Number: n, Experiment: "baseline", Run: why})
	if err != nil {
		panic(err)
	}
	return File{path, data}
}

// What stands on the branch was perhaps not put there by plumb.
func TestBrokenRecordsAreReported(t *testing.T) {
	dir, l := alone(t)
	good, bad := run("baseline", 1), run("baseline", 2)
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = repo.Update(context.Background(), "refs/heads/plumb/ledger", func(w *gitdb.Writer, tip string) (string, error) {
		tree, err := w.Tree("", []gitdb.File{
			{Path: good.Path, Data: good.Data}, {Path: bad.Path, Data: []byte("schema = 2")}, {Path: "README.md", Data: []byte("hello")},
			{Path: "runs/baseline/notes.toml", Data: []byte("x")}, {Path: "versions/delay/1.toml", Data: []byte("= broken")}, {Path: "runs/baseline/2001-06/x", Data: nil},
		})
		if err != nil {
			return "", err
		}
		return w.Commit(tree, gitdb.CommitInfo{Message: "by hand"})
	})
	if err != nil {
		t.Fatal(err)
	}
	v := read(t, l)
	if runs := v.Runs(); len(runs) != 1 || runs[0].Experiment != "baseline" {
		t.Errorf("Runs = %+v", runs)
	}
	if versions := v.Versions(""); len(versions) != 0 {
		t.Errorf("Versions = %+v", versions)
	}
	var files []string
	for _, p := range v.Problems() {
		files = append(files, p.File)
	}
	if want := []string{bad.Path, "runs/baseline/notes.toml", "versions/delay/1.toml"}; !slices.Equal(files, want) {
		t.Errorf("Problems of %v, want of %v", files, want)
	}
	private(t, l, bad)
	if v = read(t, l); len(v.Runs()) != 1 {
		t.Errorf("a record of this clone counts although the branch has other bytes: %+v", v.Runs())
	}
	done, err := l.Push(context.Background())
	if err != nil || !slices.Equal(done.Refused, []string{bad.Path}) || len(done.Added) != 0 {
		t.Errorf("Push = %+v, %v", done, err)
	}
}

func TestRunsByInputsOrder(t *testing.T) {
	_, l := alone(t)
	same := func(change func(*record.Run)) func(*record.Run) {
		return func(r *record.Run) { r.Inputs = record.Inputs{"seed": int64(7)}; change(r) }
	}
	ci := func(r *record.Run) { r.Actor = record.ActorCI }
	human := func(r *record.Run) {}
	late, early := run("a", 9, same(ci)), run("b", 3, same(ci))
	person, private1 := run("a", 1, same(human)), run("a", 0, same(human))
	twins := []File{run("c", 5, same(ci)), run("d", 5, same(ci))}
	slices.SortFunc(twins, func(a, b File) int { return strings.Compare(filepath.Base(a.Path), filepath.Base(b.Path)) })
	appendAll(t, l, late, person, early, twins[0], twins[1], run("a", 2))
	private(t, l, private1)
	v := read(t, l)
	digest := v.Runs()[0].Inputs["digest"].(string)
	var got []string
	for _, r := range v.RunsByInputs(digest) {
		got = append(got, runPath(r))
	}
	want := []string{early.Path, twins[0].Path, twins[1].Path, late.Path, person.Path, private1.Path}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if none := v.RunsByInputs(""); len(none) != 0 {
		t.Errorf("runs without a digest: %v", none)
	}
	one := v.Runs()[2]
	if r, ok := v.Run(one.ID); !ok || r.ID != one.ID || v.PathOf(one.ID) != runPath(one) {
		t.Errorf("Run(%s) = %v, %v", one.ID, r, ok)
	}
	if _, ok := v.Run(""); ok || v.PathOf("") != "" {
		t.Error("a run without an id is found")
	}
}

func TestTypedViews(t *testing.T) {
	_, l := alone(t)
	var files []File
	for _, v := range []any{
		&record.Snapshot{Header: header(1), Dataset: "flights"}, &record.Snapshot{Header: header(0), Dataset: "weather"},
		&record.ComparisonRecord{Header: header(0), Comparison: record.Comparison{Model: "delay"}},
		&record.Stage{Header: header(0), Model: "delay", Stage: "production", Number: 1}, &record.Stage{Header: header(0), Model: "delay", Stage: "production", Number: 2},
		&record.Stage{Header: header(0), Model: "delay", Stage: "canary", Number: 1},
	} {
		path, data, err := record.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{path, data})
	}
	appendAll(t, l, files...)
	v := read(t, l)
	if s := v.Snapshots(); len(s) != 2 || s[0].Dataset != "weather" {
		t.Errorf("Snapshots = %+v", s)
	}
	if c := v.Comparisons(); len(c) != 1 || c[0].ID == "" {
		t.Errorf("Comparisons = %+v", c)
	}
	if s := v.Stages("delay", "production"); len(s) != 2 || s[1].Number != 2 {
		t.Errorf("Stages = %+v", s)
	}
	if s := v.Stages("", ""); len(s) != 3 || s[0].Stage != "canary" {
		t.Errorf("all Stages = %+v", s)
	}
	if s := v.Stages("other", ""); len(s) != 0 {
		t.Errorf("Stages of another model = %+v", s)
	}
}

func TestOffline(t *testing.T) {
	bare, dir, l := cloned(t)
	first := run("baseline", 1)
	tip := appendAll(t, l, first)
	hidden := bare + ".hidden"
	if err := os.Rename(bare, hidden); err != nil {
		t.Fatal(err)
	}
	private(t, l, run("baseline", 2))
	v := read(t, open(t, dir))
	if len(v.Paths()) != 2 || v.Tip != tip || v.Offline == "" {
		t.Errorf("offline: %v, tip %s, %q", v.Paths(), v.Tip, v.Offline)
	}
	if _, err := l.Append(context.Background(), adding(run("baseline", 3))); err == nil {
		t.Error("Append without the remote: no error")
	}
	if _, err := l.Push(context.Background()); err == nil {
		t.Error("Push without the remote: no error")
	}
	if err := os.Rename(hidden, bare); err != nil {
		t.Fatal(err)
	}
	other, otherLedger := another(t, bare)
	git(t, other, "fetch", "-q", "origin")
	told, err := Open(otherLedger.repo, Options{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	if v := read(t, told); !slices.Equal(v.Paths(), []string{first.Path}) || v.Offline == "" {
		t.Errorf("from what an ordinary fetch brought: %v, %q", v.Paths(), v.Offline)
	}
	if done, err := l.Push(context.Background()); err != nil || len(done.Added) != 1 {
		t.Errorf("Push when the remote is back: %+v, %v", done, err)
	}
}

// Records of the time before there was a remote are this clone's, until they are pushed.
func TestRemoteComesLater(t *testing.T) {
	dir, l := alone(t)
	appendAll(t, l, run("baseline", 1), claimed(1, "mine"))
	private(t, l, run("baseline", 2))
	bare, _, elsewhere := cloned(t)
	appendAll(t, elsewhere, run("baseline", 3), claimed(1, "theirs"))
	git(t, dir, "remote", "add", "origin", bare)
	v := read(t, l)
	if len(v.Runs()) != 3 || !v.Private(run("baseline", 1).Path) || v.Versions("")[0].Run != "theirs" {
		t.Errorf("%v, %+v", v.Paths(), v.Versions(""))
	}
	done, err := l.Push(context.Background())
	if err != nil || len(done.Added) != 2 || !slices.Equal(done.Refused, []string{"versions/delay/1.toml"}) {
		t.Errorf("Push = %+v, %v", done, err)
	}
	if runs := read(t, elsewhere).Runs(); len(runs) != 3 {
		t.Errorf("the others see %d runs", len(runs))
	}
}

func TestTwoProjectsInOneRepository(t *testing.T) {
	dir, l := alone(t)
	repo, err := gitdb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(repo, Options{Name: "weather"})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, run("baseline", 1))
	appendAll(t, second, run("rain", 1))
	private(t, second, run("rain", 2))
	if paths := read(t, l).Paths(); len(paths) != 1 {
		t.Errorf("first project: %v", paths)
	}
	if paths := read(t, second).Paths(); len(paths) != 2 || second.Branch() != "plumb/ledger-weather" {
		t.Errorf("second project: %v on %s", paths, second.Branch())
	}
	for _, name := range []string{"../x", "A", "x.lock", "-x"} {
		if _, err := Open(repo, Options{Name: name}); err == nil {
			t.Errorf("a project named %q", name)
		}
	}
}

// A clone of the remote's branch without its history is all that is kept, however long it gets.
func TestCacheHasNoHistory(t *testing.T) {
	bare, _, l := cloned(t)
	for i := range 4 {
		appendAll(t, l, run("baseline", i))
	}
	dir, other := another(t, bare)
	read(t, other)
	appendAll(t, other, run("other", 1))
	read(t, l)
	caches, err := filepath.Glob(filepath.Join(dir, ".git", "plumb", "cache", "*", "shallow"))
	if err != nil || len(caches) != 1 {
		t.Errorf("caches: %v, %v", caches, err)
	}
	if got := git(t, bare, "rev-list", "--count", "plumb/ledger"); got != "5" {
		t.Errorf("%s commits on the remote, want 5", got)
	}
	if refs := git(t, dir, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/plumb"); refs != "refs/heads/main" {
		t.Errorf("refs of the clone: %s", refs)
	}
	fsck(t, bare)
	fsck(t, dir)
}

func TestMessage(t *testing.T) {
	if got, want := message([]File{run("a", 1), claimed(1, ""), run("a", 2)}), "delay version 1 is baseline; run of a; run of a\n"; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	var many []File
	for i := range 30 {
		many = append(many, run("a", i))
	}
	if got := message(many); !strings.HasPrefix(got, "add 30 runs\n\nrun of a\n") || !strings.HasSuffix(got, "\nand 10 more\n") {
		t.Errorf("message = %q", got)
	}
	if got := message([]File{{Path: "runs/x/y.toml", Data: []byte("no = ")}}); got != "add 1 run\n\n\n" {
		t.Errorf("message = %q", got)
	}
}
