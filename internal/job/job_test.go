//go:build linux

package job

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
)

func room(t *testing.T) *Room {
	t.Helper()
	r, err := NewRoom()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("closing the room: %v", err)
		}
		if _, err := os.Lstat(r.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the room stays: %v", err)
		}
	})
	return r
}

// hostile is a spec that runs this test's binary.
func hostile(t *testing.T, r *Room, args ...string) Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Argv: append([]string{self, "hostile"}, args...), Env: r.Environment(os.Environ(), nil), Home: os.Getenv("HOME"), Limits: Limits{Time: 20 * time.Second}}
}

// TestMisdeeds holds that each is ended and named, soon, and that the program's tree is gone.
func TestMisdeeds(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		limits Limits
		want   string // in the error; "" when it may end well
	}{
		"well":               {[]string{"print", "hello"}, Limits{}, ""},
		"crash":              {[]string{"exit", "3"}, Limits{}, "it exited with 3"},
		"signal":             {[]string{"segfault"}, Limits{}, "it "}, // Go catches the signal first, other programs die of it
		"hang":               {[]string{"sleep", "30s"}, Limits{Time: 300 * time.Millisecond}, "it ran longer than 300ms"},
		"forks":              {[]string{"fork", "100"}, Limits{Processes: 40}, "processes at once, and at most 40 are allowed"},
		"memory":             {[]string{"eat", "60"}, Limits{Memory: 200 << 20}, "of memory, and its limit is 200 MiB"},
		"memory, hidden":     {[]string{"eat-behind-a-zombie", "60"}, Limits{Memory: 200 << 20}, "of memory, and its limit is 200 MiB"},
		"disk":               {[]string{"fill", "", "48"}, Limits{Disk: 32 << 20}, "it wrote more than 32 MiB to its folders"},
		"a file":             {[]string{"one-file", ""}, Limits{Disk: 32 << 20}, ""}, // Go's write gets EFBIG, and panics
		"folders in folders": {[]string{"deep", ""}, Limits{}, "nested more than 64 deep"},
		"a fork bomb":        {[]string{"bomb", "now + 5 s"}, Limits{Processes: 12}, "processes at once, and at most 12 are allowed"},
		"closed output":      {[]string{"closed"}, Limits{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a fork bomb" && landlockVersion() < landlockSignals {
				t.Skip("without a fence it may run for as long as it likes")
			}
			t.Parallel()
			r := room(t)
			for i, a := range c.args {
				switch a {
				case "":
					c.args[i] = filepath.Join(r.Out(), map[string]string{"one-file": "big"}[c.args[0]])
				case "now + 5 s": // counted from here: few tests run at once on a small machine, and this may be the last
					c.args[i] = fmt.Sprint(time.Now().Add(5 * time.Second).UnixMilli())
				}
			}
			s := hostile(t, r, c.args...)
			if s.Limits = c.limits; c.limits.Time == 0 {
				s.Limits.Time = 20 * time.Second
			}
			start := time.Now()
			got, err := r.Run(t.Context(), s)
			switch {
			case name == "a file":
				if err == nil || !strings.Contains(string(got.Log), "file too large") {
					t.Errorf("got %v, %s", err, got.Log)
				}
			case c.want == "" && err != nil:
				t.Errorf("got %v; %s", err, got.Log)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q; %s", err, c.want, got.Log)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %s", took)
			}
			gone(t, r)
		})
	}
}

// gone holds that nothing runs whose working folder was in the room.
func gone(t *testing.T, r *Room) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && within(to, r.dir) {
			t.Errorf("%s still runs in %s", filepath.Dir(l), to)
		}
	}
}

func TestOutputOfAGigabyte(t *testing.T) {
	n := 1024
	if testing.Short() {
		n = 64
	}
	r := room(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := r.Run(t.Context(), hostile(t, r, "flood", fmt.Sprint(n)))
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
		t.Errorf("the heap grew by %s", Size(grown))
	}
	if len(got.Log) > keptHead+keptTail+100 || !bytes.HasPrefix(got.Log, []byte("the first line\n")) || !bytes.HasSuffix(got.Log, []byte("the last line\n")) ||
		!bytes.Contains(got.Log, []byte("left out …\n")) {
		t.Errorf("the log has %d bytes, from %.20q to %.20q", len(got.Log), got.Log, got.Log[len(got.Log)-20:])
	}
}

// A daemon that left session, group and parent is gone when Run comes back.
func TestDaemon(t *testing.T) {
	r := room(t)
	beat := filepath.Join(r.Out(), "beat")
	if _, err := r.Run(t.Context(), hostile(t, r, "daemon", beat)); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(beat)
	if err != nil {
		t.Fatal("the daemon never ran")
	}
	time.Sleep(200 * time.Millisecond)
	if second, err := os.ReadFile(beat); err != nil || !bytes.Equal(first, second) {
		t.Errorf("it went on from %s to %s", first, second)
	}
	gone(t, r)
}

func TestCancel(t *testing.T) {
	r := room(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() { time.Sleep(200 * time.Millisecond); cancel(why) }()
	start := time.Now()
	if _, err := r.Run(ctx, hostile(t, r, "sleep", "30s")); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	gone(t, r)
	if _, err := r.Run(ctx, hostile(t, r, "print")); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}

// The sandbox where the kernel has one; where it has none, the result says so.
func TestSandbox(t *testing.T) {
	secretDir := t.TempDir()
	labels, outside := filepath.Join(secretDir, "labels.csv"), filepath.Join(secretDir, "written")
	if err := os.WriteFile(labels, []byte("y\n1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := room(t)
	if err := r.Put("data/train.parquet", 0o444, strings.NewReader("data")); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (Result, string) {
		s := hostile(t, r, args...)
		s.Hidden = []string{secretDir}
		got, err := r.Run(t.Context(), s)
		if err != nil {
			t.Fatalf("%v: %s", err, got.Log)
		}
		return got, string(got.Log)
	}
	given := filepath.Join(r.Data(), "train.parquet")
	got, log := run("read", labels, secretDir, "/etc/shadow", os.Getenv("HOME"), given, "/etc/passwd", "/usr/bin", fmt.Sprintf("/proc/%d/environ", os.Getpid()))
	if strings.HasPrefix(got.Sandbox, "none: ") {
		t.Logf("no sandbox here: %s", got.Sandbox)
		return
	}
	closed := []string{labels, secretDir, "/etc/shadow"}
	if _, err := os.Stat(os.Getenv("HOME")); err == nil {
		closed = append(closed, os.Getenv("HOME"))
	}
	for _, path := range append(closed, fmt.Sprintf("/proc/%d/environ", os.Getpid())) {
		if !strings.Contains(log, path+": open "+path+": permission denied") {
			t.Errorf("%s can be read: %s", path, log)
		}
	}
	for _, path := range []string{given, "/etc/passwd", "/usr/bin"} {
		if !strings.Contains(log, path+": <nil>") {
			t.Errorf("%s can't be read: %s", path, log)
		}
	}
	_, log = run("write", outside, given, filepath.Join(r.Data(), "more"), filepath.Join(r.Out(), "model"), filepath.Join(r.Work(), "x"), filepath.Join(r.Temp(), "x"), "/dev/null", "/etc/x")
	for _, path := range []string{outside, given, filepath.Join(r.Data(), "more"), "/etc/x"} {
		if !strings.Contains(log, path+": open "+path+": permission denied") {
			t.Errorf("%s can be written: %s", path, log)
		}
	}
	if n := strings.Count(log, "<nil>"); n != 4 {
		t.Errorf("%d of its own files can be written, not 4: %s", n, log)
	}
	_, log = run("kill-parent")
	if got.Sandbox >= "landlock 6" && strings.Count(log, "operation not permitted") != 2 {
		t.Errorf("it can signal its supervisor: %s", log)
	}
}

// A program that does get at its supervisor is named, and not waited for.
func TestSupervisorKilled(t *testing.T) {
	r := room(t)
	p, err := r.Start(t.Context(), hostile(t, r, "sleep", "30s"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if err := p.tree.supervisor.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := p.Wait(); err == nil || !strings.Contains(err.Error(), "ended its supervisor") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	gone(t, r)
}

func TestEnvironment(t *testing.T) {
	r := room(t)
	env := []string{"PATH=/usr/bin:rel:/bin", "HOME=/home/ann", "SECRET_KEY=0123456789", "HANDED=on", "PLUMB_SEED=9", "TZ=CET"}
	s := hostile(t, r, "env")
	s.Env = r.Environment(env, []string{"HANDED", "HOME", "NOT_THERE"}, "PLUMB_SEED=1")
	got, err := r.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HANDED=on", "HOME=" + r.Home(), "TMPDIR=" + r.Temp(), "TZ=UTC", "PLUMB_SEED=1", ""}
	if string(got.Log) != strings.Join(want, "\n") {
		t.Errorf("got\n%swant\n%s", got.Log, strings.Join(want, "\n"))
	}
}

func TestSecretsStayInside(t *testing.T) {
	r := room(t)
	env := append(os.Environ(), "MY_TOKEN=s3cr3t-0123456789")
	s := hostile(t, r, "split-secret")
	s.Env, s.Secrets = r.Environment(env, []string{"MY_TOKEN"}), escape.SecretsOf(env, []string{"MY_TOKEN"})
	var seen []string
	s.Watch = func(n Now) { seen = append(seen, n.Line) }
	got, err := r.Run(t.Context(), s)
	if err != nil || string(got.Log) != "***\n" {
		t.Errorf("got %v, %q", err, got.Log)
	}
	for _, line := range seen {
		if strings.Contains("s3cr3t-0123456789", line) && len(line) > 2 {
			t.Errorf("%q was shown", line)
		}
	}
}

func TestLookup(t *testing.T) {
	r := room(t)
	for _, c := range []struct {
		argv []string
		want string
		exit int
	}{
		{nil, "there is no command", 2}, {[]string{""}, "there is no command", 2}, {[]string{"no-such-program"}, `no program "no-such-program" in PATH`, 3},
		{[]string{"./train.sh"}, "train.sh is not among the files of train.code", 2}, {[]string{"sh", "a\x00b"}, "zero byte", 2},
		{[]string{"/no/such/program"}, "could not be started", 3}, {[]string{"/etc/passwd"}, "could not be started", 3}, {[]string{"/"}, "could not be started", 3},
	} {
		_, err := r.Run(t.Context(), Spec{Argv: c.argv, Env: r.Environment(os.Environ(), nil)})
		if err == nil || !strings.Contains(err.Error(), c.want) || problem.Exit(err) != c.exit {
			t.Errorf("%v: got %v, exit %d", c.argv, err, problem.Exit(err))
		}
	}
	// Arguments reach the program as they are.
	odd := []string{"", " ", "a b", "*", "$HOME", "`x`", "--", "'\"", "é\xff", "-rf"}
	got, err := r.Run(t.Context(), hostile(t, r, append([]string{"print"}, odd...)...))
	if err != nil || string(got.Log) != strings.Join(odd, " ")+"\n" {
		t.Errorf("got %v, %q", err, got.Log)
	}
}

// A file that plumb was started with, and knows nothing of, is no way around the sandbox.
func TestInheritedFiles(t *testing.T) {
	secretDir := t.TempDir()
	f, err := os.Open(secretDir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inherited, err := syscall.Dup(int(f.Fd())) // not closed by an exec, as a shell's `exec 9<folder` is not
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	r := room(t)
	got, err := r.Run(t.Context(), hostile(t, r, "files"))
	if err != nil || strings.Contains(string(got.Log), secretDir) || strings.Contains(string(got.Log), "fd 3: pipe") {
		t.Errorf("got %v, %s", err, got.Log)
	}
}

// When plumb is killed, what it started is gone soon after, and so is the room.
func TestPlumbKilled(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "hostile", "start-a-job")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	r := &Room{dir: strings.TrimSpace(line)}
	beat := filepath.Join(r.Out(), "beat")
	for range 100 {
		if _, err := os.Stat(beat); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := os.Stat(beat); err != nil {
		t.Fatal("the job never ran")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // it was killed
	for range 100 {
		if _, err := os.Lstat(r.dir); errors.Is(err, os.ErrNotExist) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, err := os.Lstat(r.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the room stays: %v", err)
	}
	gone(t, r)
}

// What a program puts in the place of its folders is not followed: plumb may read what the program may not.
func TestNoLinkIsFollowed(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := room(t)
	if err := os.Symlink(outside, filepath.Join(r.Out(), "model")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(r.Out(), "metrics.jsonl")); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Files("out/model", 10, 10); err == nil || !strings.Contains(err.Error(), "model is a link, not a folder") {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"out/model/secret", "out/metrics.jsonl", "../secret", "out/../../x"} {
		if got, err := r.Read(name, 10); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
		if got, err := r.ReadEnd(name, 10); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if err := os.Remove(filepath.Join(r.Out(), "model")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(r.Out()); err != nil { // the whole folder
		t.Fatal(err)
	}
	if err := os.Symlink(outside, r.Out()); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Read("out/secret", 10); err == nil || !strings.Contains(err.Error(), "out is a link") {
		t.Errorf("got %q, %v", got, err)
	}
	if err := r.Put("out/x", 0o600, strings.NewReader("x")); err == nil {
		t.Error("it wrote through a link")
	}
}

// What lies in a system folder beside the repository stays open, the repository does not.
func TestGrants(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"usr/bin", "usr/src/app/.git", "usr/src/app/.venv/bin", "usr/src/app/data/bin", "usr/src/other", "home/.pyenv/bin", "home/.pyenv/lib", "home/.ssh", "home/bin", "home/.local/bin", "home/.local/share/keyrings", "home/.local/share/uv"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(top, name) }
	for _, name := range []string{"usr/src/app/.venv/pyvenv.cfg", "home/.pyenv/bin/python", "home/.ssh/id"} {
		if err := os.WriteFile(in(name), []byte("home = "+in("home/.pyenv/bin")+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(in("home/.pyenv/bin/python"), in("usr/src/app/.venv/bin/python")); err != nil {
		t.Fatal(err)
	}
	g := &grants{hidden: []string{in("usr/src/app")}, home: in("home"), seen: map[string]bool{}}
	g.open(in("usr"))
	for _, dir := range []string{"usr/src/app/.venv/bin", "home/bin", "home/.local/bin", "usr/src/app/data/bin"} {
		g.programs(in(dir))
		g.strict(in(dir))
	}
	g.program(in("usr/src/app/.venv/bin/python"))
	open := func(name string) bool {
		return slices.ContainsFunc(slices.Concat(g.access.ReadDirs, g.access.ReadFiles), func(d string) bool { return within(in(name), d) })
	}
	for name, want := range map[string]bool{"usr/bin": true, "usr/src/other": true, "usr/src/app": false, "usr/src/app/data": false, "usr/src/app/data/bin": false, "usr/src/app/.git": false,
		"usr/src/app/.venv/bin": true, "home/.pyenv/lib": true, "home/.pyenv/bin/python": true, "home": false, "home/.ssh": false, "home/.ssh/id": false, "home/bin": true,
		"home/.local/share/keyrings": false, "home/.local/share/uv": true} {
		if open(name) != want {
			t.Errorf("%s is open: %v; %v", name, !want, g.access)
		}
	}
}

// A bug of the making: of a kernel with the first Landlock the right to move files was asked, and nothing at all was held back.
func TestFirstLandlock(t *testing.T) {
	a := access{WriteDirs: []string{"/tmp"}}
	for version, want := range map[int]bool{1: false, 2: true, 9: true} {
		if got := strings.Contains(fmt.Sprint(a.rules(version)), "refer"); got != want {
			t.Errorf("version %d is asked for the right to move: %v", version, got)
		}
	}
}

// The fence holds where the kernel has one, and one kill inside it ends what is inside and nothing else.
func TestFence(t *testing.T) {
	if landlockVersion() < landlockSignals {
		t.Skip(Sandbox())
	}
	bystander := exec.Command("sleep", "20")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := exec.Command(self, "hostile", "fence").CombinedOutput(); err != nil || string(got) != "true signal: killed\n" {
		t.Errorf("got %v, %s", err, got)
	}
	if err := bystander.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("a process beside it is gone: %v", err)
	}
}
