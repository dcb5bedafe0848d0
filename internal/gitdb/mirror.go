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
	"slices"
	"strings"
)

// Mirror is a bare repository under .git/plumb/cache that holds a few refs of the remote, shallow, so that reading and pushing them costs the same
// however long their history is. It is a cache: deleting it loses nothing.
type Mirror struct {
	*Repo
	main     *Repo
	lockPath string
}

// Mirror opens the mirror of the remote, making it when needed. It is shared and closed by Repo.Close. The error is ErrNoRemote when there is no remote.
func (r *Repo) Mirror(ctx context.Context) (*Mirror, error) {
	at, err := r.remote()
	if err != nil {
		return nil, err
	}
	r.mirrorMu.Lock()
	defer r.mirrorMu.Unlock()
	if r.mirror != nil && r.mirror.mirrors == at {
		return r.mirror, nil
	}
	sum := sha256.Sum256([]byte(at.url))
	dir := filepath.Join(r.private, "cache", hex.EncodeToString(sum[:6]))
	repo, err := openAt(location{gitDir: dir, common: dir})
	if err != nil {
		if err := r.makeMirror(ctx, dir); err != nil {
			return nil, fmt.Errorf("making cache of the remote: %w", err)
		}
		if repo, err = openAt(location{gitDir: dir, common: dir}); err != nil {
			return nil, fmt.Errorf("opening cache of the remote: %w", err)
		}
	}
	repo.private, repo.mirrors, repo.program = r.private, at, r.program
	repo.token, repo.host = r.token, r.host
	repo.config = r.connectionSettings(ctx)
	repo.whoOnce.Do(func() { repo.who = r.committer() })
	r.mirror = &Mirror{Repo: repo, main: r, lockPath: dir + ".lock"}
	return r.mirror, nil
}

// mirrorConfig is the mirror's configuration: objects are named as in the repository, refs are files.
func (r *Repo) mirrorConfig() string {
	const rest = "\tbare = true\n[gc]\n\tauto = 0\n"
	if r.format == sha1Format {
		return "[core]\n\trepositoryformatversion = 0\n" + rest
	}
	return "[extensions]\n\tobjectFormat = " + r.format.name + "\n[core]\n\trepositoryformatversion = 1\n" + rest
}

// makeMirror builds the repository beside and renames it into place, over a broken one.
func (r *Repo) makeMirror(ctx context.Context, dir string) error {
	h, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer h.release()
	temp, remove, err := r.tempDirLocked()
	if err != nil {
		return err
	}
	defer remove()
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	fresh := filepath.Join(temp, "mirror")
	if theirs := filepath.Join(r.common, "plumb", "cache", filepath.Base(dir)); r.readOnly && isGitDir(theirs) {
		if os.CopyFS(fresh, os.DirFS(theirs)) == nil { // what the repository's owner has seen is seen here too
			return os.Rename(fresh, dir)
		}
		if err := os.RemoveAll(fresh); err != nil {
			return err
		}
	}
	for _, folder := range []string{"objects/info", "objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(fresh, folder), 0o777); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/none\n", "config": r.mirrorConfig()} {
		if err := os.WriteFile(filepath.Join(fresh, name), []byte(text), 0o666); err != nil {
			return err
		}
	}
	if _, err := openAt(location{gitDir: dir, common: dir}); err == nil {
		return nil // another process was faster
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(fresh, dir)
}

// connectionSettings are the settings of the main repository that decide how a remote is reached: the mirror does not have that configuration file,
// and conditional includes (which is how actions/checkout stores its credentials) would not hold for it.
func (r *Repo) connectionSettings(ctx context.Context) [][2]string {
	if r.program == "" {
		return nil
	}
	out, err := r.git(ctx, call{args: []string{"config", "--local", "--includes", "-z", "--get-regexp",
		`^(http|https|credential|url|ssh|protocol)\.|^core\.(sshcommand|gitproxy|askpass)$`}})
	if err != nil {
		return nil // exit status 1: there are none
	}
	var pairs [][2]string
	for entry := range strings.SplitSeq(out, "\x00") {
		if key, value, ok := strings.Cut(entry, "\n"); ok {
			pairs = append(pairs, [2]string{key, value})
		}
	}
	return pairs
}

// Fetch brings refs of the remote (full names, kept under the same names) or single objects (object ids) into the mirror. With shallow, refs come without
// their history.
func (m *Mirror) Fetch(ctx context.Context, shallow bool, names ...string) error {
	var depth []string
	if shallow {
		depth = []string{"--depth=1"}
	}
	return m.bring(ctx, depth, names)
}

func (m *Mirror) bring(ctx context.Context, depth, names []string) error {
	h, err := waitLock(ctx, m.lockPath)
	if err != nil {
		return err
	}
	defer h.release()
	m.dropLocks()
	if err := m.fetch(ctx, fetchCall{args: depth, specs: specs(names...), share: []*os.File{h.file}}); err != nil {
		return err
	}
	return m.repackWorn(ctx, h)
}

// specs are the refspecs of what is fetched under its own name.
func specs(names ...string) []string {
	out := slices.Clone(names)
	for i, name := range out {
		if strings.HasPrefix(name, "refs/") {
			out[i] = "+" + name + ":" + name
		}
	}
	return out
}

// Take brings a commit of this clone into its mirror, with its history.
func (m *Mirror) Take(ctx context.Context, oid string) error {
	if m.program == "" {
		return fmt.Errorf("taking %.10s into the cache: there is no git program", oid)
	}
	h, err := waitLock(ctx, m.lockPath)
	if err != nil {
		return err
	}
	defer h.release()
	m.dropLocks()
	_, err = m.git(ctx, call{args: []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--depth=2147483647",
		"--", "file://" + filepath.ToSlash(m.main.common), oid}, share: []*os.File{h.file}})
	return err
}

// repackWorn puts objects together when there are many loose ones or packs: as loose files ten thousand records take twice as long to read. What no ref
// names is kept too: blobs that were asked for by their ids. The caller holds the mirror's lock.
func (m *Mirror) repackWorn(ctx context.Context, h held) error {
	if m.program == "" || !m.worn() {
		return nil
	}
	how := []string{"repack", "-d", "-q", "--geometric=2"} // costs what was added since, not what there is
	if _, err := m.git(ctx, call{args: how, share: []*os.File{h.file}}); err != nil && ctx.Err() == nil {
		_, err = m.git(ctx, call{args: []string{"repack", "-a", "-d", "-k", "-q"}, share: []*os.File{h.file}}) // a git before 2.32
		return err
	}
	return nil
}

// worn says that the mirror holds some 2,000 loose objects (Git's own rule, which looks into one of 256 folders) or many packs.
func (m *Mirror) worn() bool {
	loose, _ := os.ReadDir(filepath.Join(m.common, "objects", "17"))
	packs, _ := os.ReadDir(filepath.Join(m.common, "objects", "pack")) // what is not there counts nothing
	const filesOfOne = 2                                               // or three, with a reverse index
	return len(loose) > 8 || len(packs) > 40*filesOfOne
}

// Advance moves a ref of the mirror to a commit that was pushed, unless another process has brought it somewhere else.
func (m *Mirror) Advance(ctx context.Context, ref, from, to string) error {
	h, err := waitLock(ctx, m.lockPath) // not while a fetch moves it
	if err != nil {
		return err
	}
	defer h.release()
	if err := m.Swap(ctx, ref, from, to); !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// dropLocks removes what a killed git program left. It kept the mirror's lock as long as it lived, and we have it now.
func (r *Repo) dropLocks() {
	for _, pattern := range []string{"*.lock", "objects/pack/tmp_*", "objects/tmp_*"} {
		stale, _ := fs.Glob(os.DirFS(r.common), pattern) // the pattern is well-formed
		for _, path := range stale {
			_ = os.RemoveAll(filepath.Join(r.common, path))
		}
	}
	_ = filepath.WalkDir(filepath.Join(r.common, "refs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".lock") {
			_ = os.Remove(path)
		}
		return nil
	})
}

// Drop deletes the mirror, which the next call of Repo.Mirror makes anew.
func (m *Mirror) Drop(ctx context.Context) error {
	h, err := waitLock(ctx, m.lockPath)
	if err != nil {
		return err
	}
	defer h.release()
	m.main.mirrorMu.Lock()
	defer m.main.mirrorMu.Unlock()
	m.main.mirror = nil
	return errors.Join(m.Close(), os.RemoveAll(m.common))
}
