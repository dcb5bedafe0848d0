package gitdb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/plumb-ml/plumb/internal/digest"
)

// Dirty says whether a file of the working tree differs from HEAD: changed, new or gone. Paths are from the top of the working tree and name files;
// without paths all files of HEAD are looked at. Only contents count, not times or the index.
func (r *Repo) Dirty(paths ...string) (bool, error) {
	changed, err := r.differing(paths)
	return len(changed) > 0, err
}

// Difference gives the digest of the files among paths (see Dirty) that differ from HEAD, with their contents; "" when none does.
func (r *Repo) Difference(paths ...string) (string, error) {
	changed, err := r.differing(paths)
	if err != nil || len(changed) == 0 {
		return "", err
	}
	return digest.Of(changed)
}

// differing lists [path, digest of the content or nil when the file is gone] by path.
func (r *Repo) differing(paths []string) ([]any, error) {
	if r.root == "" {
		return nil, errors.New("looking for changes: the repository has no working tree")
	}
	head, err := r.headTree()
	if err != nil {
		return nil, fmt.Errorf("looking for changes: %w", err)
	}
	if len(paths) == 0 && head != nil {
		files, err := r.Files(head.root)
		if err != nil {
			return nil, fmt.Errorf("looking for changes: %w", err)
		}
		for _, file := range files {
			paths = append(paths, file.Path)
		}
	}
	paths = slices.Clone(paths)
	slices.Sort(paths)
	var changed []any
	for _, path := range slices.Compact(paths) {
		same, sum, err := r.compare(head, path)
		if err != nil {
			return nil, fmt.Errorf("looking for changes of %s: %w", path, err)
		}
		switch {
		case same:
		case sum == "":
			changed = append(changed, []any{path, nil})
		default:
			changed = append(changed, []any{path, sum})
		}
	}
	return changed, nil
}

// Tracked lists the files with a name ("plumb.toml"), in any folder, that Git's index has, by path from the top of the working tree.
func (r *Repo) Tracked(name string) ([]string, error) {
	if r.root == "" {
		return nil, nil
	}
	var paths []string
	if r.program != "" {
		out, err := r.git(context.Background(), call{args: []string{"ls-files", "-z", "--", ":(top,glob)**/" + name}})
		if err != nil {
			return nil, err
		}
		paths = strings.FieldsFunc(out, func(c rune) bool { return c == 0 })
	} else {
		r.mu.Lock()
		defer r.mu.Unlock()
		repo, err := r.library()
		if err != nil {
			return nil, err
		}
		index, err := repo.Storer.Index()
		if err != nil {
			return nil, fmt.Errorf("reading the index: %w", err)
		}
		for _, entry := range index.Entries {
			if path.Base(entry.Name) == name {
				paths = append(paths, entry.Name)
			}
		}
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return checkPath(p) != nil })
	slices.Sort(paths)
	return slices.Compact(paths), nil // an unfinished merge lists a file several times
}

// headTree is nil before the first commit.
func (r *Repo) headTree() (*treeFS, error) {
	commit, _, err := r.Head()
	if errors.Is(err, ErrNoCommit) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &treeFS{repo: r, root: commit, limit: MaxBlob, folders: map[string][]treeEntry{}}, nil
}

// compare gives the digest of the working file's content, "" when there is none.
func (r *Repo) compare(head *treeFS, path string) (same bool, sum string, err error) {
	if err := checkPath(path); err != nil {
		return false, "", err
	}
	var old *treeEntry
	if head != nil {
		entry, err := head.find(path)
		if err == nil && entry.mode != modeDir {
			old = &entry
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, "", err
		}
	}
	file := filepath.Join(r.root, filepath.FromSlash(path))
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return old == nil || old.mode == modeModule, "", nil
	}
	if err != nil {
		return false, "", err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(file)
		return old != nil && old.mode == modeLink && r.BlobID([]byte(target)) == old.oid, digest.Bytes([]byte(target)), err
	}
	oid, sum, err := r.hashFile(file, info.Size())
	if err != nil || old == nil || old.mode == modeLink {
		return false, sum, err
	}
	if oid == old.oid {
		return true, sum, nil
	}
	same, err = r.sameToGit(file, sum, old.oid)
	return same, sum, err
}

// sameToGit looks through what a checkout changes: line ends, and large files that Git LFS keeps elsewhere.
func (r *Repo) sameToGit(file, sum, oid string) (bool, error) {
	const largest = 8 << 20
	stored, err := r.BlobLimit(oid, largest)
	if err != nil {
		return false, nil // larger: text with changed line ends is not
	}
	if bytes.HasPrefix(stored, []byte("version https://git-lfs.github.com/spec/v1\n")) {
		return bytes.Contains(stored, []byte("\noid "+sum+"\n")), nil
	}
	data, err := os.ReadFile(file)
	if err != nil || bytes.IndexByte(data, 0) >= 0 {
		return false, err
	}
	unix := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }
	return bytes.Equal(unix(data), unix(stored)), nil
}

// hashFile gives a file's object id as a blob and its digest.
func (r *Repo) hashFile(path string, size int64) (oid, sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer file.Close()
	blob, content := r.format.hasher(blobObject, size), sha256.New()
	if _, err := io.Copy(io.MultiWriter(blob, content), file); err != nil {
		return "", "", err
	}
	return hex.EncodeToString(blob.Sum(nil)), digest.Prefix + hex.EncodeToString(content.Sum(nil)), nil
}

// CommitOptions say what goes into a commit of the working tree.
type CommitOptions struct {
	Message string
	Author  *Identity // nil: the configured user
	Time    time.Time // zero: now
	Paths   []string  // files or folders, from the top of the working tree, and nothing else; none stands for every change
	Plain   bool      // no hooks and no signature
}

// Commit commits files of the working tree to the branch that is checked out, and gives the commit. With paths, what else is staged stays staged.
func (r *Repo) Commit(ctx context.Context, opts CommitOptions) (string, error) {
	if r.program == "" {
		return r.commitWithout(opts)
	}
	paths := append([]string{"--"}, opts.Paths...)
	if _, err := r.git(ctx, call{args: append([]string{"add", "--all"}, paths...)}); err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	args := []string{"commit", "--quiet", "--message=" + opts.Message}
	if len(opts.Paths) > 0 {
		args = append(args, "--only")
	}
	if opts.Plain {
		args = append(args, "--no-verify", "--no-gpg-sign")
	}
	if _, err := r.git(ctx, call{args: append(args, paths...), env: r.commitEnvironment(opts)}); err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	commit, _, err := r.Head()
	return commit, err
}

func (r *Repo) commitEnvironment(opts CommitOptions) []string {
	var env []string
	who := r.committer()
	if opts.Author != nil {
		who = *opts.Author
	}
	if opts.Author != nil || who == fallbackIdentity {
		for _, role := range []string{"AUTHOR", "COMMITTER"} {
			env = append(env, "GIT_"+role+"_NAME="+plain(who.Name), "GIT_"+role+"_EMAIL="+plain(who.Email))
		}
	}
	if !opts.Time.IsZero() {
		when := fmt.Sprintf("%d +0000", opts.Time.Unix())
		env = append(env, "GIT_AUTHOR_DATE="+when, "GIT_COMMITTER_DATE="+when)
	}
	return env
}

// worktree is go-git's; the caller holds r.mu.
func (r *Repo) worktree() (*git.Worktree, error) {
	repo, err := r.library()
	if err != nil {
		return nil, err
	}
	return repo.Worktree()
}

// commitWithout does it where there is no git program.
func (r *Repo) commitWithout(opts CommitOptions) (string, error) {
	r.mu.Lock()
	worktree, err := r.worktree()
	if err == nil {
		if len(opts.Paths) == 0 {
			err = worktree.AddWithOptions(&git.AddOptions{All: true})
		}
		for _, path := range opts.Paths {
			err = errors.Join(err, worktree.AddWithOptions(&git.AddOptions{Path: path}))
		}
	}
	r.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	who := r.committer()
	if opts.Author != nil {
		who = *opts.Author
	}
	if opts.Time.IsZero() {
		opts.Time = time.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	signature := &object.Signature{Name: plain(who.Name), Email: plain(who.Email), When: opts.Time.UTC()}
	commit, err := worktree.Commit(opts.Message, &git.CommitOptions{Author: signature})
	if err != nil {
		return "", fmt.Errorf("committing: %w", err)
	}
	return commit.String(), nil
}

// Checkout switches the working tree to a branch, which create makes from HEAD. Changed files that are in the way are an error.
func (r *Repo) Checkout(ctx context.Context, branch string, create bool) error {
	if err := checkRefName("refs/heads/" + branch); err != nil || strings.HasPrefix(branch, "-") {
		return fmt.Errorf("checking out: %q is not the name of a branch", branch)
	}
	if r.program == "" {
		r.mu.Lock()
		defer r.mu.Unlock()
		worktree, err := r.worktree()
		if err == nil {
			err = worktree.Checkout(&git.CheckoutOptions{Branch: plumbing.NewBranchReferenceName(branch), Create: create})
		}
		if err != nil {
			return fmt.Errorf("checking out %s: %w", branch, err)
		}
		return nil
	}
	args := []string{"checkout", "--quiet", branch, "--"}
	if create {
		args = []string{"checkout", "--quiet", "-b", branch}
	}
	if _, err := r.git(ctx, call{args: args}); err != nil {
		return fmt.Errorf("checking out %s: %w", branch, err)
	}
	return nil
}
