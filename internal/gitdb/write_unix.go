//go:build unix

package gitdb

import (
	"errors"
	"io/fs"
	"syscall"
)

// mayWrite says whether we may write a file or folder; of what is not there, its folder decides.
func mayWrite(path string) bool {
	const write = 2 // W_OK
	err := syscall.Access(path, write)
	return err == nil || errors.Is(err, fs.ErrNotExist)
}
