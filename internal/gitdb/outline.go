package gitdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Outline is the remote's commits and trees without the bytes of its files, in a bare repository under .git/plumb/cache: which files there are, and under which
// ids, costs little however large they are. Where the server can't leave blobs out (uploadpack.allowFilter) they come too. It needs the git program.
// It is a cache: deleting it loses nothing.
type Outline struct {
	*Repo
	main     *Repo
	lockPath string
	edge     string // a file; see Push
}

// Outline opens the outline of the remote, making it when needed. The caller closes it. The error is ErrNoRemote when there is no remote.
func (r *Repo) Outline(ctx context.Context) (*Outline, error) {
	at, err := r.remote()
	if err != nil {
		return nil, err
	}
	if r.program == "" {
		return nil, problem.Failedf("install git", "looking into the remote: %w", errNoProgram)
	}
	sum := sha256.Sum256([]byte(at.url))
	dir := filepath.Join(r.private, "cache", hex.EncodeToString(sum[:6])+"-outline")
	repo, err := openAt(location{gitDir: dir, common: dir})
	if err != nil {
		if err := r.makeMirror(ctx, dir); err != nil {
			return nil, fmt.Errorf("making outline of the remote: %w", err)
		}
		if repo, err = openAt(location{gitDir: dir, common: dir}); err != nil {
			return nil, fmt.Errorf("opening outline of the remote: %w", err)
		}
	}
	repo.private, repo.mirrors, repo.program = r.private, at, r.program
	repo.token, repo.host = r.token, r.host
	// What is missing here is promised by the remote: the git program fetches it when it needs it after all.
	repo.config = append(r.connectionSettings(ctx), [][2]string{{"remote.origin.url", at.url}, {"remote.origin.promisor", "true"},
		{"remote.origin.partialclonefilter", "blob:none"}}...)
	repo.whoOnce.Do(func() { repo.who = r.committer() })
	return &Outline{Repo: repo, main: r, lockPath: dir + ".lock", edge: filepath.Join(dir, "edge")}, nil
}

// Sync brings the refs below the given folders ("refs/plumb/blobs/"; no others; without "^refs/heads/x/*") to what the remote has, and gives them by name.
func (o *Outline) Sync(ctx context.Context, folders ...string) (map[string]string, error) {
	h, err := waitLock(ctx, o.lockPath)
	if err != nil {
		return nil, err
	}
	defer h.release()
	o.dropLocks()
	args := []string{"fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no", "--filter=blob:none", "origin"}
	for _, folder := range folders {
		if strings.HasPrefix(folder, "^") {
			args = append(args, folder)
			continue
		}
		args = append(args, "+"+folder+"*:"+folder+"*")
	}
	if _, err := o.git(ctx, call{args: args, config: o.asToken(o.mirrors.url), share: []*os.File{h.file}}); err != nil {
		return nil, o.remoteError("fetching from", o.mirrors.url, err)
	}
	refs := map[string]string{}
	for _, folder := range folders {
		if strings.HasPrefix(folder, "^") {
			continue
		}
		found, err := o.Refs(folder)
		if err != nil {
			return nil, err
		}
		for _, ref := range found {
			refs[ref.Name] = ref.OID
		}
	}
	return refs, nil
}

// noCommit stands in the file of a shallow repository's edge; there is no such commit.
const noCommit = "1111111111111111111111111111111111111111\n"

// Push sends objects and makes refs of the remote, as Repo.Push does. Commits may name blobs that are only at the remote. Git leaves out what the remote's
// refs have when it follows from a commit's parents; from a shallow repository it looks at the trees of all refs, so this one says that it is shallow. Where
// that would not help, the missing blobs are fetched and sent again: slower, and right.
func (o *Outline) Push(ctx context.Context, refspecs ...string) error {
	if err := os.WriteFile(o.edge, []byte(noCommit), 0o666); err != nil {
		return err
	}
	_, err := o.git(ctx, call{args: append(pushArgs(o.mirrors.push), refspecs...), config: o.asToken(o.mirrors.push), env: []string{"GIT_SHALLOW_FILE=" + o.edge}})
	if err != nil {
		return o.remoteError("pushing to", o.mirrors.push, err)
	}
	return nil
}

// dropsPerPush keeps command lines short.
const dropsPerPush = 200

// DropRemote deletes refs of the remote, each only while it is at the object given. One that is gone already is a success, one that has moved stays.
func (o *Outline) DropRemote(ctx context.Context, refs map[string]string) error {
	for batch := range slices.Chunk(slices.Sorted(maps.Keys(refs)), dropsPerPush) {
		err := o.dropBatch(ctx, batch, refs)
		if err == nil {
			continue
		}
		now, listErr := o.ListRemote(ctx, "refs/")
		if listErr != nil {
			return errors.Join(err, listErr)
		}
		left := slices.DeleteFunc(slices.Clone(batch), func(name string) bool { return now[name] != refs[name] })
		if len(left) == 0 {
			continue
		}
		if err := o.dropBatch(ctx, left, refs); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outline) dropBatch(ctx context.Context, names []string, refs map[string]string) error {
	args := pushArgs(o.mirrors.push)
	leases := make([]string, 0, len(names))
	for _, name := range names {
		leases = append(leases, "--force-with-lease="+name+":"+refs[name])
		args = append(args, ":"+name)
	}
	args = slices.Insert(args, 1, leases...)
	if _, err := o.git(ctx, call{args: args, config: o.asToken(o.mirrors.push)}); err != nil {
		return o.remoteError("deleting refs of", o.mirrors.push, err)
	}
	return nil
}

// Drop deletes refs of this repository, each only while it is at the object given. It needs the git program, which knows packed refs.
func (r *Repo) Drop(ctx context.Context, refs map[string]string) error {
	if len(refs) == 0 {
		return nil
	}
	if err := r.changeable(); err != nil {
		return err
	}
	h, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer h.release()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if err := checkRefName(name); err != nil {
			return err
		}
		now, err := r.refValue(name)
		if err != nil || now != refs[name] {
			continue // moved, broken or gone: not ours to delete
		}
		if _, err := r.git(ctx, call{args: []string{"update-ref", "--no-deref", "-d", name, refs[name]}}); err != nil {
			return err
		}
	}
	return nil
}

// History lists the ids of all versions that files matching a pathspec ("*.lock.toml") ever had, in the commits that refs below the given folders reach.
func (r *Repo) History(ctx context.Context, pathspec string, folders ...string) ([]string, error) {
	args := []string{"log", "--format=", "--raw", "--no-abbrev", "-m", "--root"}
	for _, folder := range folders {
		if folder == "HEAD" {
			if _, err := r.Resolve(folder); !errors.Is(err, ErrNoCommit) {
				args = append(args, folder)
			}
			continue
		}
		args = append(args, "--glob="+folder)
	}
	out, err := r.git(ctx, call{args: append(args, "--", ":(glob)**/"+pathspec)})
	if err != nil {
		return nil, fmt.Errorf("looking through history: %w", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out) { // ":<mode> <mode> <before> <after> <what>\t<path>"
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(line, ":") {
			seen[fields[2]], seen[fields[3]] = true, true
		}
	}
	delete(seen, strings.Repeat("0", 40))
	return slices.Sorted(maps.Keys(seen)), nil
}

// Shallow says that history was cut off, so that what it does not show may be there.
func (r *Repo) Shallow() bool {
	info, err := os.Stat(filepath.Join(r.common, "shallow"))
	return err == nil && info.Size() > 0
}

// Bring fetches single objects that the outline lacks.
func (o *Outline) Bring(ctx context.Context, oids ...string) error {
	lacking := slices.DeleteFunc(slices.Clone(oids), o.Has)
	for batch := range slices.Chunk(lacking, dropsPerPush) {
		args := append([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no", "--filter=blob:none", "origin"}, batch...)
		if _, err := o.git(ctx, call{args: args, config: o.asToken(o.mirrors.url)}); err != nil {
			return o.remoteError("fetching from", o.mirrors.url, err)
		}
	}
	return nil
}

// DropCaches deletes what this clone keeps of the remote beside its own objects: the mirror and the outline, which are made anew when they are needed.
func (r *Repo) DropCaches(ctx context.Context) error {
	mirror, err := r.Mirror(ctx)
	if errors.Is(err, ErrNoRemote) {
		return nil
	}
	if err == nil {
		err = mirror.Drop(ctx)
	}
	if err != nil {
		return fmt.Errorf("deleting caches: %w", err)
	}
	outline, err := r.Outline(ctx)
	if err != nil {
		return fmt.Errorf("deleting caches: %w", err)
	}
	h, err := waitLock(ctx, outline.lockPath)
	if err != nil {
		return err
	}
	defer h.release()
	return errors.Join(outline.Close(), os.RemoveAll(outline.common))
}
