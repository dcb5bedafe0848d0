package gitdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

const (
	lockPatience  = time.Minute
	aliveFile     = "alive" // locked as long as the process that made the folder lives
	longestPause  = 50 * time.Millisecond
	shortestPause = time.Millisecond
)

// held is a lock on a file; the kernel lets go of it when the process ends, however it ends.
type held struct{ file *os.File }

func (h held) release() { _ = h.file.Close() } // closing is what unlocks

// waitLock takes the lock on path, waiting for other processes for at most a minute. The kernel hands it on in order; asking again and again would not.
func waitLock(ctx context.Context, path string) (held, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return held{}, mayNotLock(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return held{}, mayNotLock(err)
	}
	if ok, err := lockFile(file, false); ok && err == nil {
		return held{file}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	locked := make(chan error)
	go func() {
		_, err := lockFile(file, true)
		select {
		case locked <- err: // whoever receives has it
		case <-ctx.Done():
			_ = file.Close()
		}
	}()
	select {
	case err = <-locked:
		if err == nil {
			return held{file}, nil
		}
		_ = file.Close()
	case <-ctx.Done():
		err = ctx.Err()
	}
	return held{}, problem.Failedf("wait for the other plumb process, or end it", "locking %s: %w", path, err)
}

func mayNotLock(err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("locking: %w", err)
	}
	return problem.Failedf("see who may write there, or work in a clone of your own (`git clone`)", "locking: %w", err)
}

// lock takes the repository's lock: whoever holds it may make and sweep temporary folders and move refs.
func (r *Repo) lock(ctx context.Context) (held, error) {
	h, err := waitLock(ctx, filepath.Join(r.private, "lock"))
	if err != nil {
		return held{}, err
	}
	r.dropStaleRefLocks()
	return h, nil
}

// TempDir makes a folder under .git/plumb/tmp that belongs to this process: call remove when done. What a killed process left there is swept by the
// next one that asks. It is on the file system of the repository, outside the working tree.
func (r *Repo) TempDir(ctx context.Context) (dir string, remove func(), err error) {
	h, err := r.lock(ctx)
	if err != nil {
		return "", nil, err
	}
	defer h.release()
	return r.tempDirLocked()
}

func (r *Repo) tempDirLocked() (string, func(), error) {
	top := filepath.Join(r.private, "tmp")
	if err := os.MkdirAll(top, 0o777); err != nil {
		return "", nil, fmt.Errorf("making temporary folder: %w", err)
	}
	sweep(top)
	dir, err := os.MkdirTemp(top, fmt.Sprintf("%d-", os.Getpid()))
	if err != nil {
		return "", nil, fmt.Errorf("making temporary folder: %w", err)
	}
	alive, err := os.OpenFile(filepath.Join(dir, aliveFile), os.O_CREATE|os.O_RDWR, 0o666)
	if err == nil {
		_, err = lockFile(alive, false)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("making temporary folder: %w", err), os.RemoveAll(dir))
	}
	return dir, func() {
		_ = os.RemoveAll(dir) // before the lock goes: nobody sweeps it meanwhile
		_ = alive.Close()
	}, nil
}

// sweep removes the folders of processes that are gone. The caller holds the repository's lock, so no folder is without its lock because it is new.
func sweep(top string) {
	entries, err := os.ReadDir(top)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if dir := filepath.Join(top, entry.Name()); entry.IsDir() && entry.Name() != refLocks && isDead(dir) {
			_ = os.RemoveAll(dir) // what stays is swept by a later run
		}
	}
}

func isDead(dir string) bool {
	alive, err := os.OpenFile(filepath.Join(dir, aliveFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return false
	}
	defer alive.Close()
	free, err := lockFile(alive, false)
	return free && err == nil
}
