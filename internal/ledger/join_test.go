package ledger

import (
	"context"
	"os"
	"strings"
	"testing"
)

// grownHere gives a repository whose ledger grew without a remote, and its tips.
func grownHere(t *testing.T) (dir string, l *Ledger, tips []string) {
	t.Helper()
	dir, l = alone(t)
	for i := range 3 {
		tips = append(tips, appendAll(t, l, run("here", i)))
	}
	return dir, l, tips
}

// TestPushKeepsLocalHistory: the ledger of a repository without a remote was replayed as one new root commit when a remote came, so that no tip that a version or
// a tag names was in the history, and `plumb verify` failed for ever.
func TestPushKeepsLocalHistory(t *testing.T) {
	bare, _, _ := cloned(t)
	dir, l, tips := grownHere(t)
	git(t, dir, "remote", "add", "origin", bare)
	private(t, l, run("private", 1))
	if _, err := l.Append(context.Background(), adding(run("other", 1))); err == nil || !strings.Contains(err.Error(), "never pushed") {
		t.Errorf("a second ledger was begun beside the local one: %v", err)
	}
	done, err := l.Push(context.Background())
	if err != nil || len(done.Added) != 1 {
		t.Fatalf("%v, %+v", err, done)
	}
	held(t, bare, dir, done.Tip, tips)
	again, err := l.Push(context.Background())
	if err != nil || again.Tip != done.Tip {
		t.Errorf("a second push: %v, tip %s, was %s", err, again.Tip, done.Tip)
	}
}

// TestPushJoinsHistories: where the remote's ledger and the local one both grew, both stay.
func TestPushJoinsHistories(t *testing.T) {
	bare, _, theirs := cloned(t)
	first := appendAll(t, theirs, run("theirs", 1))
	last := appendAll(t, theirs, run("theirs", 2))
	dir, l, tips := grownHere(t)
	git(t, dir, "remote", "add", "origin", bare)
	private(t, l, run("private", 1))
	done, err := l.Push(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	held(t, bare, dir, done.Tip, append(tips, first, last))
	if n := len(read(t, theirs).Paths()); n != 6 {
		t.Errorf("%d records, want 6", n)
	}
	// others go on, and the local branch stays joined
	appendAll(t, theirs, run("theirs", 3))
	again, err := l.Push(context.Background())
	if err != nil || len(again.Added) != 0 || git(t, bare, "rev-list", "--count", "--min-parents=2", "plumb/ledger") != "1" {
		t.Errorf("a second push: %v, %+v", err, again)
	}
	// what grows here once more is joined too
	more := appendLocally(t, dir, run("here", 9))
	done, err = l.Push(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	held(t, bare, dir, done.Tip, []string{more})
}

// TestPushGoesOn: a local branch that is ahead of the remote's is pushed as it is, and one that lies behind is no news.
func TestPushGoesOn(t *testing.T) {
	bare, _, _ := cloned(t)
	dir, l, tips := grownHere(t)
	git(t, dir, "remote", "add", "origin", bare)
	git(t, dir, "push", "-q", "origin", tips[1]+":refs/heads/plumb/ledger")
	done, err := l.Push(context.Background())
	if err != nil || done.Tip != tips[2] {
		t.Errorf("%v, tip %s, want %s", err, done.Tip, tips[2])
	}
	_, theirs := another(t, bare)
	next := appendAll(t, theirs, run("theirs", 1))
	if done, err = l.Push(context.Background()); err != nil || done.Tip != next {
		t.Errorf("%v, tip %s, want %s", err, done.Tip, next)
	}
}

// TestPushRefusesTwoOfANumber: both gave out the same number, and neither record may be edited. What else was numbered beside it names commits that can't be
// joined, so it stays here too.
func TestPushRefusesTwoOfANumber(t *testing.T) {
	bare, _, theirs := cloned(t)
	dir, l, _ := grownHere(t)
	for who, x := range map[string]*Ledger{"them": theirs, "us": l, "us again": l} {
		if _, err := x.Append(context.Background(), claim(who)); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "remote", "add", "origin", bare)
	done, err := l.Push(context.Background())
	if err != nil || len(done.Added) != 3 || len(done.Refused) != 2 {
		t.Errorf("%v, %+v", err, done)
	}
	if v := read(t, theirs); len(v.Versions("")) != 1 || len(v.Runs()) != 3 {
		t.Errorf("the others see %v", v.Paths())
	}
}

// held says whether commits are ancestors of the remote's ledger.
func held(t *testing.T, bare, dir, tip string, commits []string) {
	t.Helper()
	if now := git(t, bare, "rev-parse", "plumb/ledger"); now != tip {
		t.Errorf("the remote is at %s, and Push said %s", now, tip)
	}
	for _, c := range commits {
		git(t, bare, "merge-base", "--is-ancestor", c, "plumb/ledger")
	}
	fsck(t, bare)
	fsck(t, dir)
}

// appendLocally records on the local branch as if there were no remote.
func appendLocally(t *testing.T, dir string, files ...File) string {
	t.Helper()
	at := git(t, dir, "remote", "get-url", "origin")
	git(t, dir, "remote", "remove", "origin")
	tip := appendAll(t, open(t, dir), files...)
	git(t, dir, "remote", "add", "origin", at)
	return tip
}

// TestJoinWithoutGit: where there is no git program, go-git brings the histories together.
func TestJoinWithoutGit(t *testing.T) {
	bare, _, theirs := cloned(t)
	last := appendAll(t, theirs, run("theirs", 1))
	dir, _, tips := grownHere(t)
	git(t, dir, "remote", "add", "origin", serveHTTP(t, bare)("us"))
	path := os.Getenv("PATH")
	t.Setenv("PATH", "") // looked at when a repository is opened
	l := open(t, dir)
	t.Setenv("PATH", path)
	done, err := l.Push(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	held(t, bare, dir, done.Tip, append(tips, last))
}
