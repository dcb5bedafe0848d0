package job

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func signalOf(*os.ProcessState) string { return "" }

// killTree asks the system to end a process and what it started.
func killTree(top int) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(top)).Run() // it is gone already, or nothing can be done
}

// usageBelow can't tell: limits on memory and processes are not held on this system.
func usageBelow(int) (usage, error) { return usage{}, errors.New("this system does not say") }

func machineMemory() int64 { return 4 << 30 }

func freeDisk(string) (int64, bool) { return 0, false }
