package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Processes and goroutines in several clones record at once. Nothing is lost, and every version has a number of its own, without gaps.
func TestManyWriters(t *testing.T) {
	bare, dir, _ := cloned(t)
	other, _ := another(t, bare)
	const each = 2
	var wait sync.WaitGroup
	for i, clone := range []string{dir, other} {
		wait.Go(func() {
			if out, err := job("claim", clone, fmt.Sprint("p", i), fmt.Sprint(each)).CombinedOutput(); err != nil {
				t.Errorf("claiming: %v\n%s", err, out)
			}
		})
		wait.Go(func() {
			if out, err := job("record", clone, fmt.Sprint("x", i), fmt.Sprint(2*each)).CombinedOutput(); err != nil {
				t.Errorf("recording: %v\n%s", err, out)
			}
		})
		wait.Go(func() {
			l := open(t, clone)
			for k := range each {
				if _, err := l.Append(context.Background(), adding(run(fmt.Sprint("g", i), k))); err != nil {
					t.Errorf("appending: %v", err)
				}
			}
		})
	}
	wait.Wait()
	for _, clone := range []string{dir, other} {
		if _, err := open(t, clone).Push(context.Background()); err != nil {
			t.Error(err)
		}
	}
	_, fresh := another(t, bare)
	v := read(t, fresh)
	if runs, want := len(v.Runs()), 2*(2*each)+2*each; runs != want {
		t.Errorf("%d runs, want %d", runs, want)
	}
	var who []string
	for i, version := range v.Versions("delay") {
		if version.Number != i+1 {
			t.Errorf("version %d has number %d", i+1, version.Number)
		}
		who = append(who, version.Run)
	}
	slices.Sort(who)
	if len(slices.Compact(who)) != 2*each {
		t.Errorf("versions of %v", who)
	}
	fsck(t, bare)
}

func TestTwoPrivateWritersLoseNothing(t *testing.T) {
	dir, l := alone(t)
	var wait sync.WaitGroup
	for p := range 3 {
		wait.Go(func() {
			own := open(t, dir)
			for i := range 10 {
				if err := own.AppendPrivate(context.Background(), []File{run(fmt.Sprint("e", p), i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := len(read(t, l).Paths()); got != 30 {
		t.Errorf("%d records, want 30", got)
	}
}

// What is recorded while a push runs stays in the clone.
func TestPushKeepsWhatWasRecordedMeanwhile(t *testing.T) {
	_, l := alone(t)
	early, late := run("baseline", 1), run("baseline", 2)
	private(t, l, early)
	tip := appendAll(t, l, early) // as Push does first
	private(t, l, late)
	if err := l.forget(context.Background(), tip); err != nil {
		t.Fatal(err)
	}
	v := read(t, l)
	if !v.Private(late.Path) || v.Private(early.Path) || len(v.Paths()) != 2 {
		t.Errorf("%v", v.Paths())
	}
}

// A process that records and pushes is killed at random moments. Each time all that it said is recorded can be read, the clone and the remote are sound, and
// in the end everything is pushed exactly once.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Run("local branch", func(t *testing.T) {
		dir, l := alone(t)
		killAgainAndAgain(t, 70, l, dir)
	})
	t.Run("remote", func(t *testing.T) {
		bare, dir, l := cloned(t)
		killAgainAndAgain(t, 35, l, dir, bare)
	})
}

func killAgainAndAgain(t *testing.T, kills int, l *Ledger, dirs ...string) {
	if testing.Short() {
		kills /= 5
	}
	random := rand.New(rand.NewPCG(7, 8))
	var told []string
	for round := range kills {
		cmd := job("record", dirs[0], fmt.Sprint("k", round), "1000")
		told = append(told, killAfter(t, cmd, 1+round%4, time.Duration(random.IntN(20_000*len(dirs)))*time.Microsecond)...)
		if round%5 == 0 { // each round of the same in gitdb
			for _, dir := range dirs {
				fsck(t, dir)
			}
		}
		v := read(t, l)
		paths := v.Paths()
		for _, path := range told {
			if _, ok := slices.BinarySearch(paths, path); !ok {
				t.Fatalf("round %d: %s is lost", round, path)
			}
		}
	}
	done, err := l.Push(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	v := read(t, l)
	if private := slices.DeleteFunc(v.Paths(), func(path string) bool { return !v.Private(path) }); len(private) > 0 {
		t.Errorf("not pushed: %v", private)
	}
	if n := len(v.Runs()); n != len(v.Paths()) || len(v.Problems()) != 0 {
		t.Errorf("%d runs of %d records, %v", n, len(v.Paths()), v.Problems())
	}
	t.Logf("%d kills, %d records told, %d there, %d pushed at last", kills, len(told), len(v.Paths()), len(done.Added))
	left, err := os.ReadDir(filepath.Join(dirs[0], ".git", "plumb", "tmp"))
	if err != nil || len(left) != 1 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	for _, dir := range dirs {
		fsck(t, dir)
	}
}
