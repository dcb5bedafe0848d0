package gitdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// location is where a repository's parts are, as absolute paths.
type location struct {
	root, gitDir, common string
}

// locate climbs from dir to the first folder that holds .git (a folder, or the file of a linked working tree or submodule) or is a bare repository.
func locate(dir string) (location, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return location{}, err
	}
	if start, err = filepath.EvalSymlinks(start); err != nil {
		return location{}, err
	}
	for at := start; ; at = filepath.Dir(at) {
		found, err := locationAt(at)
		if err != nil || found.gitDir != "" {
			return found, err
		}
		if filepath.Dir(at) == at {
			return location{}, problem.Wrongf("run `git init`, or go to a folder inside the project", "%s: %w", dir, ErrNoRepository)
		}
	}
}

func locationAt(dir string) (location, error) {
	dotGit := filepath.Join(dir, ".git")
	info, err := os.Stat(dotGit)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isGitDir(dir):
		return location{gitDir: dir, common: commonDir(dir)}, nil
	case errors.Is(err, fs.ErrNotExist):
		return location{}, nil
	case err != nil:
		return location{}, err
	case info.IsDir() && !isGitDir(dotGit):
		return location{}, nil // as Git does: an unfinished .git is not a repository
	case info.IsDir():
		return location{root: dir, gitDir: dotGit, common: commonDir(dotGit)}, nil
	}
	text, err := readSmall(dotGit)
	if err != nil {
		return location{}, err
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir: ")
	if !ok {
		return location{}, fmt.Errorf("%s does not say where the repository is", dotGit)
	}
	gitDir := absoluteFrom(dir, target)
	if !isGitDir(gitDir) {
		return location{}, fmt.Errorf("%s points at %s, which is not a repository", dotGit, gitDir)
	}
	return location{root: dir, gitDir: gitDir, common: commonDir(gitDir)}, nil
}

func isGitDir(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	common := commonDir(dir)
	for _, part := range []string{"objects", "refs"} {
		if info, err := os.Stat(filepath.Join(common, part)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// commonDir is where the repository of a linked working tree keeps objects and refs.
func commonDir(gitDir string) string {
	text, err := readSmall(filepath.Join(gitDir, "commondir"))
	if err != nil {
		return gitDir
	}
	return absoluteFrom(gitDir, strings.TrimSpace(string(text)))
}

func absoluteFrom(dir, path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}
