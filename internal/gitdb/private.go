package gitdb

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/plumb-ml/plumb/internal/problem"
)

// choosePrivate sets plumb's own folder: .git/plumb, or, for who may read the repository and not write it, one in the user's own caches. All that reading
// leaves is there (locks, the cache of the remote, temporary files), so it goes on as usual; what would change the repository is refused.
func (r *Repo) choosePrivate() {
	own := filepath.Join(r.common, "plumb")
	r.private = own
	for _, path := range []string{r.common, filepath.Join(r.common, "objects"), own, filepath.Join(own, "lock"), filepath.Join(own, "cache"), filepath.Join(own, "tmp")} {
		if !mayWrite(path) {
			r.readOnly = true
		}
	}
	if !r.readOnly {
		return
	}
	sum := sha256.Sum256([]byte(r.common))
	name := "plumb-" + hex.EncodeToString(sum[:8])
	if dir, err := os.UserCacheDir(); err == nil && os.MkdirAll(filepath.Join(dir, name), 0o700) == nil {
		r.private = filepath.Join(dir, name)
		return
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d", name, os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err == nil || ownFolder(dir) { // somebody else's is not trusted
		r.private = dir
	}
}

// ownFolder says whether a folder is ours and no link to another.
func ownFolder(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm() == 0o700 && ownedByUs(dir)
}

// changeable refuses to write to a repository that may only be read.
func (r *Repo) changeable() error {
	if !r.readOnly {
		return nil
	}
	return problem.Failedf("work in a clone of your own (`git clone`), or ask its owner for write access; reading works here", "%s may not be written by you: %w", r.common, fs.ErrPermission)
}

// PrivateDir is plumb's own folder, for caches: in the repository, or with the user who may not write there.
func (r *Repo) PrivateDir() string { return r.private }
