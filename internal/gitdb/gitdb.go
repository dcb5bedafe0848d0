// Package gitdb is the Git repository that plumb works in: trees at a commit as an fs.FS, history, and objects and refs written without touching
// the working tree or the index.
//
// It is not a Git front end: what people do with branches stays theirs. It knows no records and no documents, only paths and bytes.
//
// It stores, beside what Git itself keeps:
//
//	.git/plumb/lock      held (flock) while refs of ours change
//	.git/plumb/tmp/<id>/ what is being written; swept when its process is gone
//	.git/plumb/cache/    a bare, shallow mirror of a few refs of the remote
//	refs/plumb/…         refs that no ordinary clone fetches
//
// Objects are complete before they are renamed into .git/objects, and refs change by one rename, so that a process may be killed at any moment.
// go-git's own way of setting a ref (truncate, then write) is not used: a kill between the two loses the ref.
//
// What is read may be hostile: whoever can push can make objects that state any size, trees that hold each other, names that leave a folder. Nothing is
// believed before it is held against a limit (objects.go, packs.go, receive.go).
//
// The git program, where there is one, does what needs the user's credentials and configuration: it speaks to remotes and commits. It also reads what
// plumb does not: objects named by SHA-256, refs in a reftable, what a partial clone lacks, packs with indexes of more than 64 MiB. Without the program
// go-git speaks to remotes, and those repositories are an error that says so.
package gitdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/plumb-ml/plumb/internal/problem"
)

// What callers ask about.
var (
	ErrNoRepository = errors.New("this is not in a Git repository")
	ErrNoCommit     = errors.New("the repository has no commit yet")
	ErrNoRemote     = errors.New("the repository has no remote")
	ErrNotFound     = errors.New("not in the repository")
	ErrMoved        = errors.New("the ref has moved")
	ErrRefused      = errors.New("the remote refuses it")
	ErrTooLarge     = errors.New("larger than the limit")
)

// Repo is an open repository. Its methods may be called from several goroutines.
type Repo struct {
	root     string      // top of the working tree; "" when the repository is bare
	gitDir   string      // of this working tree
	common   string      // where objects and refs are; gitDir but for a linked working tree
	private  string      // plumb's own folder
	readOnly bool        // it may be read and not written
	program  string      // path of the git program; "" when there is none
	config   [][2]string // Git settings that this repository's own files do not hold
	mirrors  remote      // of a mirror: what it is one of
	token    string
	host     string // the only host that gets the token; "" for the remote's

	format   format
	reftable bool // refs are not files
	promisor bool // a partial clone
	objects  []objects

	whoOnce sync.Once
	who     Identity

	mirrorMu sync.Mutex
	mirror   *Mirror

	mu    sync.Mutex // go-git's storage is not for concurrent use
	store *filesystem.Storage
	repo  *git.Repository // see library
}

// Open finds the repository that dir is in: dir itself or a folder above, a linked working tree, or a bare repository.
// The error is ErrNoRepository when there is none.
func Open(dir string) (*Repo, error) {
	found, err := locate(dir)
	if err != nil {
		return nil, err
	}
	r, err := openAt(found)
	if err == nil {
		err = r.checkOwner()
	}
	if err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", found.gitDir, err)
	}
	r.choosePrivate()
	r.tidy()
	return r, nil
}

func openAt(at location) (*Repo, error) {
	r := &Repo{root: at.root, gitDir: at.gitDir, common: at.common, program: findProgram()}
	if !isGitDir(at.gitDir) {
		return nil, ErrNoRepository
	}
	if err := r.readFormat(); err != nil {
		return nil, err
	}
	r.objects = r.openObjects()
	return r, nil
}

// library gives go-git's view of the repository, for what is left to it where there is no git program. The caller holds r.mu.
func (r *Repo) library() (*git.Repository, error) {
	if r.repo != nil {
		return r.repo, nil
	}
	var fsys billy.Filesystem = osfs.New(r.common)
	if r.common != r.gitDir {
		fsys = dotgit.NewRepositoryFilesystem(osfs.New(r.gitDir), fsys)
	}
	store := filesystem.NewStorageWithOptions(fsys, cache.NewObjectLRUDefault(),
		filesystem.Options{KeepDescriptors: true, AlternatesFS: osfs.New(filepath.VolumeName(r.common) + string(filepath.Separator))})
	var worktree billy.Filesystem
	if r.root != "" {
		worktree = osfs.New(r.root)
	}
	repo, err := git.Open(store, worktree)
	if err != nil {
		return nil, problem.Failedf("install the git program", "%w", err)
	}
	r.store, r.repo = store, repo
	return repo, nil
}

// Init makes a repository in dir whose first branch is branch, or opens the one that is there.
func Init(dir, branch string) (*Repo, error) {
	if _, err := os.Stat(filepath.Join(dir, git.GitDirName)); err == nil {
		return Open(dir)
	}
	opts := git.InitOptions{DefaultBranch: plumbing.NewBranchReferenceName(branch)}
	if _, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{InitOptions: opts}); err != nil {
		return nil, fmt.Errorf("making repository in %s: %w", dir, err)
	}
	return Open(dir)
}

// SetToken gives the token that https remotes are asked with, as basic authentication of x-access-token. host is the only host that gets it;
// "" stands for that of the remote. Without a token the git program's own credentials are used.
func (r *Repo) SetToken(token, host string) {
	r.mirrorMu.Lock()
	defer r.mirrorMu.Unlock()
	r.token, r.host = token, host
	if r.mirror != nil {
		r.mirror.token, r.mirror.host = token, host
	}
}

// Root is the top of the working tree, or "" for a bare repository.
func (r *Repo) Root() string { return r.root }

// GitDir is the folder of Git's own files that objects and refs are in: shared by all linked working trees.
func (r *Repo) GitDir() string { return r.common }

// Close lets go of open files. Views and trees of the repository cannot be read afterwards.
func (r *Repo) Close() error {
	r.mirrorMu.Lock()
	mirror := r.mirror
	r.mirror = nil
	r.mirrorMu.Unlock()
	var err error
	if mirror != nil {
		err = mirror.Close()
	}
	for _, place := range r.objects {
		err = errors.Join(err, place.close())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.store != nil {
		err = errors.Join(err, r.store.Close())
	}
	return err
}

// Head gives the commit and the branch that are checked out; the branch is "" when HEAD is detached. In a repository without a commit the error is
// ErrNoCommit, and branch says where the first one will go.
func (r *Repo) Head() (commit, branch string, err error) {
	target, commit, err := r.readHead()
	if err != nil {
		return "", "", fmt.Errorf("reading HEAD: %w", err)
	}
	if target == "" {
		return commit, "", nil
	}
	if commit, err = r.refValue(target); err == nil && commit == "" {
		err = ErrNoCommit
	}
	return commit, strings.TrimPrefix(target, "refs/heads/"), err
}

// Resolve gives the commit that rev names: a branch, a tag, a remote branch, HEAD~2, or a full or shortened object id.
func (r *Repo) Resolve(rev string) (string, error) {
	if rev == "" || strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n") {
		return "", problem.Wrongf("give a branch, a tag or a commit", "%q is not a revision", rev)
	}
	if r.format.is(rev) {
		if _, err := r.commitAt(rev); err == nil {
			return rev, nil
		}
	}
	commit, err := r.resolve(rev)
	if err != nil {
		if _, _, headErr := r.Head(); errors.Is(headErr, ErrNoCommit) && strings.HasPrefix(rev, "HEAD") {
			return "", ErrNoCommit
		}
		return "", problem.Failedf("see `git branch -a`; a shallow clone may need `git fetch`", "resolving %q: %w", rev, ErrNotFound)
	}
	return commit, nil
}

func (r *Repo) resolve(rev string) (string, error) {
	if r.program != "" {
		out, err := r.git(context.Background(), call{args: []string{"rev-parse", "--verify", "--quiet", rev + "^{commit}"}})
		return strings.TrimSpace(out), err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.library()
	if err != nil {
		return "", err
	}
	for range 2 { // once more after a look for new packs
		if hash, err := repo.ResolveRevision(plumbing.Revision(rev)); err == nil && *hash != plumbing.ZeroHash {
			if commit, err := repo.CommitObject(*hash); err == nil {
				return commit.Hash.String(), nil
			}
		}
		r.store.Reindex()
	}
	return "", ErrNotFound
}

// Ref gives the object that a full ref name ("refs/plumb/private") points at, or "".
func (r *Repo) Ref(name string) (string, error) { return r.refValue(name) }

// Branches lists the local branches.
func (r *Repo) Branches() ([]string, error) {
	refs, err := r.Refs("refs/heads/")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(refs))
	for _, ref := range refs {
		names = append(names, strings.TrimPrefix(ref.Name, "refs/heads/"))
	}
	return names, nil
}
