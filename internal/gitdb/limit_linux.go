package gitdb

import "golang.org/x/sys/unix"

// limitMemory bounds what a process and those that it will start may allocate, each for itself. Files that they map do not count.
func limitMemory(pid int, bytes uint64) {
	_ = unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}, nil) // it may have ended
}
