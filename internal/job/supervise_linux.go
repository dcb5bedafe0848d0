package job

import (
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The names by which this program knows that it was started to supervise or to launch.
const (
	supervisorName = "plumb-job-supervisor"
	launcherName   = "plumb-job-launcher"
)

// The files that a supervisor and a launcher are given beside the standard ones.
const (
	controlFile = 3 // orders, then held open by who gave them
	reportFile  = 4 // what came of it
)

// roomForStacks is what a process may reserve above its limit without using it: stacks of threads, buffers of numeric libraries.
const roomForStacks = 4 << 30

// orders are what a launcher is told, as gob: arguments need not be UTF-8.
type orders struct {
	Program, Dir string
	Argv, Env    []string
	Memory, Disk int64
	Access       access
	Room         string // removed by the supervisor when plumb is gone
}

// report is what a supervisor tells when all is over.
type report struct {
	Exit   int    `json:"exit"`
	Signal string `json:"signal,omitempty"`
	Memory int64  `json:"memory"`
	Failed string `json:"failed,omitempty"` // the program did not start
}

// init takes the process over where plumb started itself for a job, before main: so it works in every program that links this package, tests
// among them, and none can forget the call.
func init() {
	if len(os.Args) != 1 {
		return
	}
	switch os.Args[0] {
	case supervisorName:
		os.Exit(supervise())
	case launcherName:
		launch()
	}
}

// supervise starts the launcher and stays until nothing is left of what that became. It ends everything when the control pipe closes.
func supervise() int {
	runtime.LockOSThread()                                                          // the fence is this thread's
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) // the pipe says when to end
	syscall.CloseOnExec(controlFile)
	syscall.CloseOnExec(reportFile)
	control := os.NewFile(controlFile, "control")
	out := os.NewFile(reportFile, "report")
	var o orders
	if err := gob.NewDecoder(control).Decode(&o); err != nil {
		return 1 // plumb is gone already
	}
	around := enclose()
	main, problem, err := startLauncher(o)
	if err != nil {
		return tell(out, report{Failed: err.Error()})
	}
	let := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, control) // nothing comes; it ends when plumb closes the pipe, or dies
		close(let)
	}()
	r := around.hold(main, let)
	if text, err := io.ReadAll(io.LimitReader(problem, 4096)); err == nil {
		r.Failed = string(text)
	}
	code := tell(out, r)
	select {
	case <-let:
		if code != 0 { // nobody reads: plumb died, so nobody cleans up either
			_ = removeAll(o.Room)
		}
	default:
	}
	return code
}

func tell(out *os.File, r report) int {
	if json.NewEncoder(out).Encode(r) != nil {
		return 1
	}
	return 0
}

// startLauncher gives the launcher's process id, and where it tells why the program can't be started: nothing comes when it was.
func startLauncher(o orders) (int, *os.File, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, nil, fmt.Errorf("becoming a subreaper: %w", err)
	}
	ordersRead, ordersWrite, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	problemRead, problemWrite, err := os.Pipe()
	if err != nil {
		return 0, nil, err
	}
	p, err := os.StartProcess("/proc/self/exe", []string{launcherName}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, ordersRead, problemWrite},
		Env:   []string{},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}, // of the main thread, which init runs on and which stays
	})
	if err != nil {
		return 0, nil, err
	}
	_ = ordersRead.Close()
	_ = problemWrite.Close()
	if err := gob.NewEncoder(ordersWrite).Encode(o); err != nil {
		return 0, nil, err
	}
	return p.Pid, problemRead, ordersWrite.Close()
}
