package job

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// fence is a Landlock domain around a supervisor and all that it starts, over which no signal leads. Inside it `kill(-1)` is exact: it ends everything
// that the program started, wherever that went, in one step under the kernel's lock. Looking for descendants and killing them one by one loses
// against a fork bomb, which has all the processor's time that the one who looks would need.
//
// Without a fence the same call would end every process of the user, or of the machine. So it is made only where the kernel has just refused to let a
// signal out.
type fence struct {
	holds bool
}

// enclose puts up a fence around this thread, and with it around the processes that it starts. Where the kernel has none, fence.holds is false.
func enclose() fence {
	parent := os.Getppid() // plumb
	if landlockVersion() < landlockSignals || parent < 1 || unix.Kill(parent, 0) != nil {
		return fence{}
	}
	if landlock.V9.BestEffort().RestrictScoped() != nil {
		return fence{}
	}
	return fence{holds: errors.Is(unix.Kill(parent, 0), unix.EPERM)} // it could be signalled a moment ago
}

// kill ends everything below this process.
func (f fence) kill() {
	if f.holds && errors.Is(unix.Kill(1, 0), unix.EPERM) {
		_ = unix.Kill(-1, unix.SIGKILL)
		return
	}
	for _, p := range descendants(os.Getpid()) {
		_ = unix.Kill(p.pid, unix.SIGKILL)
	}
}

// killEvery is how long it takes until killing is tried again: where there is no fence, something new may have come meanwhile.
const killEvery = 5 * time.Millisecond

// hold waits until nothing is left below this process. It kills all that is there when the main process has ended, or when let closes. It is called
// on the thread that put up the fence.
func (f fence) hold(main int, let <-chan struct{}) report {
	over := make(chan struct{})
	result := make(chan report, 1)
	go func() { result <- reap(main, over) }()
	select {
	case <-let:
	case <-over:
	case r := <-result:
		return r
	}
	for {
		f.kill()
		select {
		case r := <-result:
			return r
		case <-time.After(killEvery):
		}
	}
}

// reap waits for everything below this process, and closes over when the main process has ended.
func reap(main int, over chan<- struct{}) report {
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
			close(over)
		default:
			r.Memory = max(r.Memory, usage.Maxrss<<10)
		}
	}
}
