package gitdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

const (
	refLocks       = "refs" // in .git/plumb/tmp: two files for each ref that is being moved, its new value and (with forSuffix) its path
	forSuffix      = ".for"
	refPatience    = 10 * time.Second
	updateAttempts = 100
)

// Update moves ref (a full name) to the commit that build makes, and gives it. build sees the present tip ("" when the ref does not exist) and writes
// through w; when it gives "" or the tip itself, nothing happens. The repository's lock is held meanwhile: build must not call what takes it (Update,
// Swap, TempDir). build is called again when a program that does not know the lock moved the ref.
func (r *Repo) Update(ctx context.Context, ref string, build func(w *Writer, tip string) (string, error)) (string, error) {
	if err := r.changeable(); err != nil {
		return "", err
	}
	h, err := r.lock(ctx)
	if err != nil {
		return "", err
	}
	defer h.release()
	for range updateAttempts {
		commit, err := r.updateOnce(ctx, ref, build)
		if !errors.Is(err, ErrMoved) {
			return commit, err
		}
	}
	return "", fmt.Errorf("moving %s: %w again and again", ref, ErrMoved)
}

func (r *Repo) updateOnce(ctx context.Context, ref string, build func(w *Writer, tip string) (string, error)) (string, error) {
	tip, err := r.refValue(ref)
	if err != nil {
		return "", err
	}
	w, err := r.newWriter()
	if err != nil {
		return "", err
	}
	defer w.close()
	commit, err := build(w, tip)
	if err != nil || commit == "" || commit == tip {
		return tip, err
	}
	if err := w.publish(); err != nil {
		return "", err
	}
	return commit, r.moveRef(ctx, ref, tip, commit)
}

// Write makes objects without moving a ref: what build wrote is in the repository when Write returns.
func (r *Repo) Write(ctx context.Context, build func(w *Writer) error) error {
	if err := r.changeable(); err != nil {
		return err
	}
	h, err := r.lock(ctx)
	if err != nil {
		return err
	}
	w, err := r.newWriter()
	h.release()
	if err != nil {
		return err
	}
	defer w.close()
	if err := build(w); err != nil {
		return err
	}
	return w.publish()
}

// Swap moves ref from one object to another, "" meaning that it does not exist yet. The error is ErrMoved when it is not at from.
func (r *Repo) Swap(ctx context.Context, ref, from, to string) error {
	if err := r.changeable(); err != nil {
		return err
	}
	h, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer h.release()
	return r.moveRef(ctx, ref, from, to)
}

// moveRef does what Git does: takes <ref>.lock, which makes Git's own pack-refs and gc keep off, looks once more, renames. The lock file is a second name
// of a file in our temporary folder, so that one left by a kill is known to be ours.
func (r *Repo) moveRef(ctx context.Context, ref, from, to string) error {
	if !r.format.is(to) {
		return fmt.Errorf("moving %s: %q is not an object id", ref, to)
	}
	if err := checkRefName(ref); err != nil {
		return err
	}
	if r.reftable {
		return r.moveReftable(ctx, ref, from, to)
	}
	path := filepath.Join(r.common, filepath.FromSlash(ref))
	mine, err := r.refLockFile(ref, to)
	if err != nil {
		return fmt.Errorf("moving %s: %w", ref, err)
	}
	defer func() { _, _ = os.Remove(mine), os.Remove(mine+forSuffix) }()
	if err := takeRefLock(ctx, mine, path+".lock"); err != nil {
		return fmt.Errorf("moving %s: %w", ref, err)
	}
	now, err := r.refValue(ref)
	if err == nil && now != from {
		err = ErrMoved
	}
	if err == nil {
		err = os.Rename(path+".lock", path)
	}
	if err != nil {
		_ = os.Remove(path + ".lock")
		return fmt.Errorf("moving %s: %w", ref, err)
	}
	return nil
}

// refLockFile writes the new value beside, and which ref it is for. Always a fresh file: an old one of that name may be the ref itself by now.
func (r *Repo) refLockFile(ref, to string) (string, error) {
	dir := filepath.Join(r.private, "tmp", refLocks)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(r.common + "\n" + ref))
	mine := filepath.Join(dir, hex.EncodeToString(sum[:8]))
	if err := os.WriteFile(mine+forSuffix, []byte(filepath.Join(r.common, filepath.FromSlash(ref))), 0o666); err != nil {
		return "", err
	}
	if err := os.Remove(mine); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	file, err := os.OpenFile(mine, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(to + "\n")
	return mine, errors.Join(err, file.Close())
}

func takeRefLock(ctx context.Context, mine, lock string) error {
	ctx, cancel := context.WithTimeout(ctx, refPatience)
	defer cancel()
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		// Git removes folders of refs that became empty, also between these two lines.
		err := os.MkdirAll(filepath.Dir(lock), 0o777)
		if err == nil {
			err = os.Link(mine, lock)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return problem.Failedf("if no git command is running, remove that file", "%s is in the way: %w", lock, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// tidy removes what a killed process of ours left in the way of the git program, when nobody is writing. Who may only read leaves it.
func (r *Repo) tidy() {
	if entries, err := os.ReadDir(filepath.Join(r.private, "tmp", refLocks)); err != nil || len(entries) == 0 {
		return
	}
	file, err := os.OpenFile(filepath.Join(r.private, "lock"), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if free, err := lockFile(file, false); free && err == nil {
		r.dropStaleRefLocks()
	}
}

// dropStaleRefLocks removes the lock files that a killed process of ours left. The caller holds the repository's lock, so none is in use.
func (r *Repo) dropStaleRefLocks() {
	dir := filepath.Join(r.private, "tmp", refLocks)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		note := filepath.Join(dir, entry.Name())
		mine, isNote := strings.CutSuffix(note, forSuffix)
		if !isNote {
			continue
		}
		ref, err := os.ReadFile(note)
		if lock := string(ref) + ".lock"; err == nil && sameFile(mine, lock) {
			_ = os.Remove(lock)
		}
		_, _ = os.Remove(mine), os.Remove(note)
	}
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
