package job

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

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
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE) // the pipe says when to end
	syscall.CloseOnExec(controlFile)
	syscall.CloseOnExec(reportFile)
	control := os.NewFile(controlFile, "control")
	out := os.NewFile(reportFile, "report")
	var o orders
	if err := gob.NewDecoder(control).Decode(&o); err != nil {
		return 1 // plumb is gone already
	}
	var r report
	main, problem, err := startLauncher(o)
	if err != nil {
		r.Failed = err.Error()
		return tell(out, r)
	}
	orphaned := make(chan bool, 1)
	go func() {
		_, _ = io.Copy(io.Discard, control) // nothing comes; it ends when plumb closes the pipe, or dies
		orphaned <- true
		killAll(os.Getpid())
	}()
	r = reap(main)
	if text, err := io.ReadAll(io.LimitReader(problem, 4096)); err == nil {
		r.Failed = string(text)
	}
	code := tell(out, r)
	select {
	case <-orphaned:
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

// reap waits for everything below this process. When the main process has ended, all that is left is killed.
func reap(main int) report {
	var r report
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // no children: orphans would be ours, so there is nobody
			return r
		case pid == main:
			r.Exit, r.Memory = status.ExitStatus(), usage.Maxrss<<10
			if status.Signaled() {
				r.Exit, r.Signal = -1, unix.SignalName(status.Signal())
			}
			go killAll(os.Getpid())
		default:
			r.Memory = max(r.Memory, usage.Maxrss<<10)
		}
	}
}

// killAll kills everything below a process until nothing is left. What is killed can't fork any more, so even a fork bomb runs out.
func killAll(top int) {
	for {
		below := descendants(top)
		for _, p := range below {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
		if len(below) == 0 {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// launch becomes the person's program. It returns only by exiting; what it writes to the report file says why it could not.
func launch() {
	// Whoever started plumb may have left files open for all its children: a folder among them would be a way around the sandbox.
	if unix.CloseRange(controlFile, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) != nil { // before Linux 5.11
		for fd := controlFile; fd < 1024; fd++ {
			syscall.CloseOnExec(fd)
		}
	}
	err := become()
	fmt.Fprintf(os.NewFile(reportFile, "report"), "%v", err)
	os.Exit(127)
}

func become() error {
	var o orders
	if err := gob.NewDecoder(os.NewFile(controlFile, "orders")).Decode(&o); err != nil {
		return fmt.Errorf("reading orders: %w", err)
	}
	if err := os.Chdir(o.Dir); err != nil {
		return err
	}
	syscall.Umask(0o022)
	// When memory runs out, the kernel ends the job and not what runs beside it. Not everybody may say so.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(1000)), 0)
	for resource, limit := range map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: uint64(o.Disk), unix.RLIMIT_DATA: uint64(max(2*o.Memory, o.Memory+roomForStacks))} {
		var had unix.Rlimit
		if err := unix.Getrlimit(resource, &had); err != nil {
			return err
		}
		limit = min(limit, had.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("setting a limit: %w", err)
		}
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := o.Access.confine(); err != nil {
		return fmt.Errorf("confining it: %w", err)
	}
	err := syscall.Exec(o.Program, o.Argv, o.Env)
	return fmt.Errorf("%s: %w", o.Argv[0], err)
}

// keptCapabilities are what a program that runs as root may go on with: those that concern files and its own processes. With others it could read
// what plumb's memory holds, raise its limits, or stop the machine.
var keptCapabilities = []uintptr{unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FOWNER, unix.CAP_FSETID, unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID}

// dropCapabilities takes effect when this process becomes another program.
func dropCapabilities() error {
	for c := uintptr(0); c <= 63; c++ {
		if slices.Contains(keptCapabilities, c) {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL): // the kernel knows no more of them
			return nil
		case errors.Is(err, unix.EPERM): // it has none to begin with
			return nil
		case err != nil:
			return fmt.Errorf("dropping capabilities: %w", err)
		}
	}
	return nil
}
