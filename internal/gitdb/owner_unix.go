//go:build unix

package gitdb

import (
	"os"
	"strconv"
	"syscall"
)

// ownedByUs says whether a file belongs to the user, or to the one who became root with sudo.
func ownedByUs(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	user := os.Geteuid()
	if int(stat.Uid) == user {
		return true
	}
	asked, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	return user == 0 && err == nil && int(stat.Uid) == asked
}
