package plumb_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// phases are the parts of `plumb run`, by how --verbose announces them.
var phases = []string{"start", "reading rows", "training", "evaluating", "storing", "recording"}

// TestKilledRuns kills `plumb run` with SIGKILL in every phase, and holds each time that the ledger is sound, that nothing is left outside
// plumb's own folder, and that the next run works. It kills 36 times, or as often as PLUMB_KILLS says.
func TestKilledRuns(t *testing.T) {
	kills := 36
	if n, err := strconv.Atoi(os.Getenv("PLUMB_KILLS")); err == nil {
		kills = n
	}
	dir := sampleProject(t)
	if err := writeData(filepath.Join(dir, "data", "rows.csv"), shape{rows: 20000, days: 60, seed: 1, start: defaultShape().start}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "experiments", "baseline.toml"), []byte("schema = 1\nmodel = \"toy\"\n[features]\nuse = [\"weak\", \"strong\", \"noise\"]\n[train]\nlearner = \"gbdt\"\n[params]\nrounds = 60\n"))
	if exit, _, errs := call(dir, "data", "pin"); exit != 0 {
		t.Fatal(errs)
	}
	if exit, _, errs := call(dir, "push"); exit != 0 {
		t.Fatal(errs)
	}
	program := filepath.Join(t.TempDir(), "plumb")
	if err := os.Symlink(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	k := killer{t: t, dir: dir, program: program, random: rand.New(rand.NewPCG(1, 2)), lasted: map[string]time.Duration{}}
	k.run(0, "") // how long each phase takes
	outside := k.outside()
	counts := map[string]int{}
	runs := k.count()
	for i := 1; i <= kills || i <= 2*kills && kills >= 100 && fewest(counts) < kills*15/200; i++ {
		counts[k.run(i, slices.MinFunc(phases, func(a, b string) int { return counts[a] - counts[b] }))]++ // the phase that was hit least
		if out := git(t, dir, "fsck", "--strict", "--no-dangling"); strings.Contains(out, "error") {
			t.Fatalf("kill %d: %s", i, out)
		}
		had := k.count() // reading takes away the ref's lock that a kill between link and rename leaves
		if had < runs || had > runs+1 {
			t.Fatalf("kill %d: %d runs, before %d", i, had, runs)
		}
		if after := k.outside(); !slices.Equal(after, outside) {
			t.Fatalf("kill %d left something outside: %v, before %v", i, after, outside)
		}
		k.run(i, "")
		if runs = k.count(); runs < had {
			t.Fatalf("kill %d: the next run lost a record", i)
		}
	}
	for _, p := range append(phases, "ended") {
		t.Logf("killed in %-14s %d", p, counts[p])
		// A kill that is meant for a phase may hit its neighbour, so few kills in all promise nothing of each phase.
		if want := kills * 15 / 200; p != "ended" && kills >= 100 && counts[p] < want {
			t.Errorf("%d kills in phase %q, want at least %d", counts[p], p, want)
		}
	}
}

// fewest is how often the phase that was hit least was hit.
func fewest(counts map[string]int) int {
	least := counts[phases[0]]
	for _, p := range phases {
		least = min(least, counts[p])
	}
	return least
}

type killer struct {
	t       *testing.T
	dir     string
	program string
	random  *rand.Rand
	lasted  map[string]time.Duration
}

// run runs variant i of the experiment, and kills it somewhere in a phase; "" lets it end. It gives the phase that the kill hit, "ended" when
// the program was faster.
func (k *killer) run(i int, phase string) string {
	k.t.Helper()
	c := exec.Command(k.program, "-C", k.dir, "run", "--verbose", "--set", fmt.Sprintf("l2=%d.5", i))
	c.Env = append(os.Environ(), "TMPDIR="+k.dir+"-tmp")
	if err := os.MkdirAll(k.dir+"-tmp", 0o755); err != nil {
		k.t.Fatal(err)
	}
	pipe, err := c.StderrPipe()
	if err != nil {
		k.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	at, since := "start", time.Now()
	var all []string
	kill := func() {
		if at == phase {
			time.AfterFunc(time.Duration(0.7*k.random.Float64()*float64(k.lasted[at])), func() { _ = c.Process.Kill() })
		}
	}
	kill()
	for s := bufio.NewScanner(pipe); s.Scan(); {
		all = append(all, s.Text())
		for _, p := range phases[1:] {
			if strings.Contains(s.Text(), ": "+p) {
				if phase == "" {
					k.lasted[at] = time.Since(since)
				}
				at, since = p, time.Now()
				kill()
			}
		}
	}
	err = c.Wait()
	if phase == "" {
		if err != nil {
			k.t.Fatalf("run %d after a kill: %v\n%s", i, err, strings.Join(all, "\n"))
		}
		k.lasted[at] = time.Since(since)
		return ""
	}
	if err == nil {
		return "ended"
	}
	return at
}

// count reads the ledger, which must be sound.
func (k *killer) count() int {
	k.t.Helper()
	exit, out, errs := call(k.dir, "runs", "--json")
	var list struct{ Total int }
	if exit != 0 || json.Unmarshal([]byte(out), &list) != nil {
		k.t.Fatalf("reading the ledger: exit %d: %s", exit, errs)
	}
	return list.Total
}

// outside lists every file but objects, plumb's own refs and its private folder.
func (k *killer) outside() []string {
	var out []string
	for _, root := range []string{k.dir, k.dir + "-tmp"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			name := filepath.ToSlash(strings.TrimPrefix(path, k.dir))
			object := strings.HasPrefix(name, "/.git/objects/") && !strings.Contains(name, "tmp")
			if err != nil || d.IsDir() || object || strings.HasPrefix(name, "/.git/plumb/") || strings.HasPrefix(name, "/.git/refs/plumb/") && !strings.HasSuffix(name, ".lock") {
				return err
			}
			out = append(out, name)
			return nil
		})
		if err != nil {
			k.t.Fatal(err)
		}
	}
	return out
}
