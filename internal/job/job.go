// Package job runs a person's program where it can do no harm: in folders of its own, with an environment by allow-list, a limit on time, memory,
// processes and disk, its output captured without secrets, and everything that it started gone when it ends.
//
// It knows nothing of models; internal/program does, and says what goes in and what must come out. It stores nothing: a Room is a temporary
// folder that Close removes.
//
// # How a program runs on Linux
//
// Three processes. plumb starts itself again as a supervisor (supervise_linux.go), in a session of its own. The supervisor is a subreaper, so that
// a child that daemonises stays its descendant, and it holds one end of a pipe: when plumb closes the other, or dies, the supervisor kills all that
// is below it, in one step where Landlock gives it a fence (fence_linux.go). It starts plumb once more as the launcher (launch_linux.go), which takes
// on resource limits and the sandbox and then becomes the person's program. plumb watches the tree below the supervisor (watch.go) and closes the
// pipe when a limit is passed.
//
// Landlock lets the program read system folders, the interpreter that PATH names, and its room; write its room alone; and signal nobody outside.
// The repository, where the labels of the test part are, and the person's home are not among what it may read. Where the kernel has no Landlock,
// Result.Sandbox says so. Before its version 6 signals are not held back: a program that kills its supervisor can leave others of its making behind
// (it has failed, and is told), and a fork bomb is killed process by process, which may take as long as it burns.
//
// On other systems the program is a process group, and descendants are found by asking ps; there is no sandbox.
//
// # Roads not taken
//
// Control groups would bind memory and processes exactly, but CI runners and laptops hardly ever let a program make one; sampling works everywhere.
// A process namespace would end the tree with one kill, but needs root or user namespaces, which Ubuntu's runners refuse. RLIMIT_NPROC counts all
// processes of a user, not of a tree, and does not bind root. RLIMIT_AS breaks programs that reserve more than they use, as Java and CUDA do;
// RLIMIT_DATA well above the limit stops what is too fast for sampling. A sum of resident sets counts shared pages once a process, so before a
// program is ended for its memory, shares are asked of the kernel.
package job

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Spec is one execution of a person's program.
type Spec struct {
	Argv    []string        // a program in PATH, or a path in the work folder, and its arguments; no shell looks at them
	Env     []string        // the whole environment, as Environment makes it
	Read    []string        // folders and files outside the room that it may read beside the system's and the interpreters in PATH
	Hidden  []string        // folders that it must not see, whatever else is open: the repository
	Home    string          // the person's home, not to be seen but for the interpreters in it
	Limits  Limits          // zero values are defaults
	Secrets *escape.Secrets // replaced in all that comes out
	Watch   func(Now)       // told now and then how it goes; nil: nobody is

	stdin, stdout *os.File // of a worker; nil: nothing, and captured with the errors
}

// Limits of a program and all that it starts.
type Limits struct {
	Time      time.Duration // 0: one hour
	Memory    int64         // bytes; 0: 80 % of the machine
	Processes int           // at once; 0: 256, or eight a processor where that is more
	Disk      int64         // bytes in its room; 0: 16 GiB, or three quarters of what the disk has left
}

// Now is a moment of a program that runs.
type Now struct {
	Line      string // the last whole line of its output, without secrets
	Took      time.Duration
	Memory    int64 // bytes
	Processes int
}

// Result is what came of it.
type Result struct {
	Log     []byte // output and errors as they came, at most 1 MiB of the beginning and 1 MiB of the end, without secrets
	Took    time.Duration
	Memory  int64  // bytes: the most that was seen
	Sandbox string // "landlock <version>", or "none: <why>"
}

// Error says what a program did wrong, or that a limit ended it.
type Error struct {
	What string // "it exited with 1": a clause about the program
	Hint string
}

func (e *Error) Error() string { return e.What }

// Unwrap carries the hint and the exit code 3: could not.
func (e *Error) Unwrap() error { return problem.Failedf(e.Hint, "%s", e.What) }

// wrongf is a program's fault.
func wrongf(hint, format string, args ...any) error {
	return &Error{What: fmt.Sprintf(format, args...), Hint: hint}
}

// Run starts a program in the room and waits until it and all that it started is gone. The error is an *Error when the program is to blame; the
// result has the log either way.
func (r *Room) Run(ctx context.Context, s Spec) (Result, error) {
	p, err := r.Start(ctx, s)
	if err != nil {
		return Result{}, err
	}
	return p.Wait()
}

// Process is a program that runs.
type Process struct {
	spec   Spec
	room   *Room
	tree   tree
	output *capture
	start  time.Time
	done   chan struct{} // closed when everything is gone
	still  chan struct{} // closed when nobody watches any more
	ended  ending        // valid once done

	mu    sync.Mutex
	cause error // why it was ended; the first counts
	peak  int64
}

// ending is how the main process ended.
type ending struct {
	exit   int
	signal string
	memory int64 // bytes: the main process's largest resident set, as far as the system says
	err    error // the program could not be started, or nobody knows
}

// Start begins a program. It may be ended with End, and must be waited for.
func (r *Room) Start(ctx context.Context, s Spec) (*Process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	program, err := lookup(s.Argv, s.Env, r.Work())
	if err != nil {
		return nil, err
	}
	p := &Process{spec: s, room: r, output: newCapture(s.Secrets), start: time.Now(), done: make(chan struct{}), still: make(chan struct{})}
	p.spec.Limits = s.Limits.filled(r.dir)
	if p.tree, err = start(p, program); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Argv[0], err)
	}
	go func() {
		p.ended = p.tree.wait()
		p.output.finish()
		close(p.done)
	}()
	go func() {
		defer close(p.still)
		p.watch(ctx)
	}()
	return p, nil
}

// End stops the program and all that it started. What Wait gives says why.
func (p *Process) End(why error) {
	p.mu.Lock()
	if p.cause == nil {
		p.cause = why
	}
	p.mu.Unlock()
	p.tree.end()
}

func (p *Process) endedBy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cause
}

// Wait gives the result once everything is gone.
func (p *Process) Wait() (Result, error) {
	<-p.done
	<-p.still // whoever is told how it goes hears nothing after the end
	p.mu.Lock()
	peak := max(p.peak, p.ended.memory)
	p.mu.Unlock()
	result := Result{Log: p.output.log(), Took: time.Since(p.start), Memory: peak, Sandbox: p.tree.sandbox()}
	return result, p.verdict(peak)
}

// verdict says what is wrong with how the program ended; nil when nothing is.
func (p *Process) verdict(peak int64) error {
	limit := p.spec.Limits.Memory
	switch e := p.ended; {
	case p.endedBy() != nil:
		return p.endedBy()
	case e.err != nil:
		return e.err
	case e.exit == 0 && e.signal == "":
		return nil
	case peak > limit:
		return tooMuchMemory(peak, limit)
	case e.signal == "SIGXFSZ":
		return wrongf("", "it wrote a file of more than %s", Size(p.spec.Limits.Disk))
	case e.signal == "SIGKILL":
		return wrongf("the system does this when memory runs out; `train.memory` below what the machine has gives a clearer message", "it was killed by SIGKILL, and not by plumb")
	case e.signal != "":
		return wrongf("", "it was killed by %s", e.signal)
	default:
		return wrongf("", "it exited with %d", e.exit)
	}
}

func tooMuchMemory(used, limit int64) error {
	return wrongf("give it less to do, or raise `train.memory`", "it used %s of memory, and its limit is %s", Size(used), Size(limit))
}

// lookup finds the program: by PATH when it is a bare name, else in the work folder.
func lookup(argv, env []string, work string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", problem.Wrongf(`for example command = ["python", "train.py"]`, "there is no command")
	}
	for _, a := range argv {
		if strings.ContainsRune(a, 0) {
			return "", problem.Wrongf("", "the argument %.60q has a zero byte, which no program can be given", a)
		}
	}
	name := filepath.FromSlash(argv[0])
	if filepath.IsAbs(name) {
		return name, nil
	}
	if strings.ContainsRune(name, filepath.Separator) {
		place := filepath.Join(work, name)
		if _, err := os.Lstat(place); err != nil {
			return "", problem.Wrongf("`train.code` lists the files that the program is made of", "%s is not among the files of train.code", argv[0])
		}
		return place, nil
	}
	for _, dir := range filepath.SplitList(valueOf(env, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if place, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return place, nil
		}
	}
	return "", problem.Failedf("install it where plumb runs, or name another program", "there is no program %q in PATH", argv[0])
}

func valueOf(env []string, name string) string {
	for _, pair := range env {
		if k, v, _ := strings.Cut(pair, "="); k == name {
			return v
		}
	}
	return ""
}

// Size is bytes as people read them.
func Size(bytes int64) string {
	switch f := float64(bytes); {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", f/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.0f MiB", f/(1<<20))
	default:
		return fmt.Sprintf("%.0f KiB", f/(1<<10))
	}
}
