package job

import (
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

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
