package ledger

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestManyClones lets processes, each in a clone of its own, record into one remote at once, one record a push. Some are killed: before the remote took what
// they pushed, or after it did and before they heard so; they are started again with the same work. In the end every record is there, once.
// It is small unless PLUMB_CLONES says how large ("50x20": processes and records of each).
func TestManyClones(t *testing.T) {
	processes, each := 4, 3
	if testing.Short() {
		each = 1
	}
	if text := os.Getenv("PLUMB_CLONES"); text != "" {
		if _, err := fmt.Sscanf(text, "%dx%d", &processes, &each); err != nil {
			t.Fatalf("PLUMB_CLONES=%s: %v", text, err)
		}
	}
	for _, way := range []string{"file", "http"} {
		for _, kills := range []int{0, 5} { // five, where there are so many
			t.Run(fmt.Sprintf("%s, %d killed", way, kills), func(t *testing.T) {
				bare, _, _ := cloned(t)
				c := contest{t: t, bare: bare, each: each, gates: newGates(t, bare)}
				c.address = func(string) string { return "file://" + bare }
				if way == "http" {
					c.address = serveHTTP(t, bare)
				}
				c.run(processes, min(kills, processes/2))
			})
		}
	}
}

// contest is many processes that record into one remote.
type contest struct {
	t       *testing.T
	bare    string
	address func(who string) string // of the remote, as one of the processes knows it
	gates   gates
	each    int

	mu    sync.Mutex
	told  []string        // paths that were acknowledged
	waits []time.Duration // how long each took
	tries int             // pushes that others were faster than
}

func (c *contest) run(processes, kills int) {
	c.t.Helper()
	var clones []string
	for i := range processes {
		who := fmt.Sprint("p", i)
		dir := filepath.Join(c.t.TempDir(), who)
		git(c.t, ".", "clone", "-q", c.address(who), dir)
		clones = append(clones, dir)
	}
	start := time.Now()
	var wait sync.WaitGroup
	for i, dir := range clones {
		wait.Go(func() {
			who := fmt.Sprint("p", i)
			if i < kills {
				c.die(who, dir, i%2 == 0)
			}
			c.record(who, dir)
		})
	}
	wait.Wait()
	took := time.Since(start)
	c.check(processes, clones)
	slices.Sort(c.waits)
	c.t.Logf("%d processes, %d records in %.1f s; %d pushes came too late; a record took %d ms at the median, %d ms at the 95th percentile, %d ms at most",
		processes, len(c.told), took.Seconds(), c.tries, c.percentile(50), c.percentile(95), c.percentile(100))
}

func (c *contest) percentile(n int) int64 {
	return c.waits[min(len(c.waits)-1, len(c.waits)*n/100)].Milliseconds()
}

// record lets a process do its work, and notes what it says is recorded.
func (c *contest) record(who, dir string) {
	var errs bytes.Buffer
	cmd := job("append", dir, who, fmt.Sprint(c.each))
	cmd.Stderr = &errs
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	c.listen(bufio.NewScanner(pipe))
	if err := cmd.Wait(); err != nil {
		c.t.Errorf("%s: %v\n%s", who, err, errs.String())
	}
}

func (c *contest) listen(out *bufio.Scanner) {
	for out.Scan() {
		var path string
		var took time.Duration
		var tries int
		if _, err := fmt.Sscan(out.Text(), &path, (*int64)(&took), &tries); err != nil {
			c.t.Errorf("%q: %v", out.Text(), err)
		}
		c.mu.Lock()
		c.told, c.waits, c.tries = append(c.told, path), append(c.waits, took), c.tries+tries
		c.mu.Unlock()
	}
}

// die lets a process work until its push is at the gate before or behind the remote's decision, and kills it and its children there.
func (c *contest) die(who, dir string, before bool) {
	await, open := c.gates.set(c.t, who, before)
	cmd := job("append", dir, who, fmt.Sprint(c.each))
	cmd.Env = append(cmd.Env, "LEDGER_TEST_WHO="+who)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	go func() {
		await()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		open()
	}()
	c.listen(bufio.NewScanner(pipe))
	if err := cmd.Wait(); err == nil {
		c.t.Errorf("%s was not killed", who)
	}
}

func (c *contest) check(processes int, clones []string) {
	c.t.Helper()
	_, fresh := another(c.t, c.bare)
	v := read(c.t, fresh)
	paths := v.Paths()
	if len(paths) != processes*c.each || len(v.Runs()) != len(paths) || len(v.Problems()) > 0 {
		c.t.Errorf("%d records, %d of them runs, want %d; %v", len(paths), len(v.Runs()), processes*c.each, v.Problems())
	}
	for _, path := range c.told {
		if _, ok := slices.BinarySearch(paths, path); !ok {
			c.t.Errorf("%s was acknowledged and is not there", path)
		}
	}
	// No commit added nothing, so none was made twice.
	if commits := git(c.t, c.bare, "rev-list", "--count", "plumb/ledger"); commits != fmt.Sprint(len(paths)) {
		c.t.Errorf("%s commits for %d records", commits, len(paths))
	}
	// The remote collects its garbage by itself while it is pushed to. A fsck meanwhile misses what is being packed.
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(c.bare, "gc.pid")); err != nil {
			break
		}
	}
	fsck(c.t, c.bare)
	for _, dir := range clones[:min(3, len(clones))] {
		fsck(c.t, dir)
	}
}

// appendJob records runs in the ledger's branch, one by one: appendJob REPO EXPERIMENT COUNT. It prints each path when it is recorded, how long that took and how
// often others were faster.
func appendJob(args []string) int {
	l, _, err := openAt(args[0])
	count := 0
	fmt.Sscan(args[2], &count)
	for i := 0; i < count && err == nil; i++ {
		f := run(args[1], i, realistic)
		before, start := l.beaten, time.Now()
		if _, err = l.Append(context.Background(), adding(f)); err == nil {
			fmt.Println(f.Path, int64(time.Since(start)), l.beaten-before)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// gates hold up pushes at the remote, in its hooks: the first push of each process that a gate is set for. They are files in a folder beside the remote.
type gates struct{ dir string }

const hook = `#!/bin/sh
gate="%s/$LEDGER_TEST_WHO.%s"
[ -n "$LEDGER_TEST_WHO" ] && [ "$1" = "%s" ] && mv "$gate" "$gate.reached" 2>/dev/null || exit 0
while [ ! -e "$gate.open" ]; do sleep 0.02; done
exit 1
`

func newGates(t *testing.T, bare string) gates {
	t.Helper()
	g := gates{bare + "-gates"}
	if err := os.MkdirAll(filepath.Join(bare, "hooks"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(g.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"pre-receive": fmt.Sprintf(hook, g.dir, "before", ""), "reference-transaction": fmt.Sprintf(hook, g.dir, "after", "committed")} {
		if err := os.WriteFile(filepath.Join(bare, "hooks", name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// set makes a gate for the next push of a process. await returns when the push stands before it.
func (g gates) set(t *testing.T, who string, before bool) (await, open func()) {
	t.Helper()
	gate := filepath.Join(g.dir, who+map[bool]string{true: ".before", false: ".after"}[before])
	if err := os.WriteFile(gate, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	await = func() {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(gate + ".reached"); err == nil {
				return
			}
		}
	}
	return await, func() { _ = os.WriteFile(gate+".open", nil, 0o666) }
}

// serveHTTP serves a remote over smart HTTP, at an address for each process so that hooks know who pushes.
func serveHTTP(t *testing.T, bare string) (address func(who string) string) {
	t.Helper()
	backend := httpBackend(t, bare)
	mux := http.NewServeMux()
	mux.HandleFunc("/{who}/", func(w http.ResponseWriter, r *http.Request) {
		who := r.PathValue("who")
		handler := cgi.Handler{Path: backend, Root: "/" + who, InheritEnv: inherited,
			Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x", "LEDGER_TEST_WHO=" + who}}
		handler.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(who string) string { return server.URL + "/" + who + "/" + filepath.Base(bare) }
}

// inherited is what the HTTP backend gets of our environment.
var inherited = []string{"PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH"}

// httpBackend lets a repository be pushed to over HTTP and gives the program that does it.
func httpBackend(t *testing.T, bare string) string {
	t.Helper()
	git(t, bare, "config", "http.receivepack", "true")
	backend := filepath.Join(git(t, bare, "--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		skipUnlessRequired(t, "git-http-backend", err.Error())
	}
	return backend
}
