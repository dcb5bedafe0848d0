//go:build unix && !linux

package job

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func signalOf(state *os.ProcessState) string {
	if s, ok := state.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return unix.SignalName(s.Signal())
	}
	return ""
}

// killTree kills the process group, and what ps finds below the process. A child that left the group and lost its parent is not found.
func killTree(top int) {
	for range 100 {
		below := descendants(top)
		err := syscall.Kill(-top, syscall.SIGKILL)
		for pid := range below {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil && len(below) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// descendants gives the resident set of each process below one and of itself, by process id.
func descendants(top int) map[int]int64 {
	text, err := exec.Command("ps", "-axo", "pid=,ppid=,rss=").Output()
	if err != nil {
		return nil
	}
	type process struct {
		pid int
		rss int64
	}
	children, out := map[int][]process{}, map[int]int64{}
	for line := range bytes.Lines(text) {
		var n [3]int
		fields := bytes.Fields(line)
		for i := range min(len(n), len(fields)) {
			n[i], _ = strconv.Atoi(string(fields[i])) // ps writes numbers
		}
		if n[0] == top {
			out[top] = int64(n[2]) << 10
		}
		children[n[1]] = append(children[n[1]], process{n[0], int64(n[2]) << 10})
	}
	for queue := []int{top}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			if _, had := out[p.pid]; !had {
				out[p.pid], queue = p.rss, append(queue, p.pid)
			}
		}
	}
	return out
}

func usageBelow(top int) (usage, error) {
	var u usage
	for _, rss := range descendants(top) {
		u.processes++
		u.memory += rss
	}
	return u, nil
}

func machineMemory() int64 {
	text, err := exec.Command("sysctl", "-n", "hw.memsize").Output()
	if err == nil {
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil {
			return n
		}
	}
	return 4 << 30
}

func freeDisk(path string) (int64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
