package doc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/problem"
)

// CodeFile is a file that a command learner is made of.
type CodeFile struct {
	Path   string
	Mode   string // as Git has it: 100644 or 100755
	SHA256 string // "sha256:<64 hex>" of its content
}

// maxCode bounds what a command learner may be made of.
const (
	maxCodeFiles = 2000
	maxWalked    = 200_000
	maxCodeBytes = 64 << 20
)

// code gives the inputs `code` and, for a command, `environment`.
func (s *Set) code(e *Experiment, builtin map[string]string) (map[string]any, error) {
	if e.Train.Learner != "command" {
		algorithm, ok := builtin[e.Train.Learner]
		if !ok {
			return nil, problem.Wrongf("plumb check", "experiment %s has no learner that this plumb knows: %q", e.ID, e.Train.Learner)
		}
		d, err := digest.Of(algorithm)
		return map[string]any{"code": d}, err
	}
	files, err := s.CodeFiles(e.ID)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(files))
	for i, f := range files {
		list[i] = []any{f.Path, f.Mode, f.SHA256}
	}
	code, err := digest.Of(list)
	if err != nil {
		return nil, fmt.Errorf("digesting the code of %s: %w", e.ID, err)
	}
	if err := noLink(s.fsys, e.Train.Lock); err != nil {
		return nil, fmt.Errorf("reading the lock of experiment %s: %w", e.ID, err)
	}
	lock, err := hashFile(s.fsys, e.Train.Lock)
	if err != nil {
		return nil, problem.Wrongf("train.lock names the file that pins what the command needs", "reading the lock of experiment %s: %w", e.ID, err)
	}
	return map[string]any{"code": code, "environment": lock}, nil
}

// CodeFiles lists the files that an experiment's train.code matches, sorted by path. `*` and `?` stay inside a folder, `**` is any number of folders. It errs when
// a pattern matches nothing, when a match is a link, and when there are too many.
func (s *Set) CodeFiles(experiment string) ([]CodeFile, error) {
	e := s.Experiments[experiment]
	if e == nil {
		return nil, s.unknownExperiment(experiment)
	}
	paths, err := s.match(e.Train.Code)
	if err != nil {
		return nil, fmt.Errorf("finding the code of %s: %w", experiment, err)
	}
	out := make([]CodeFile, len(paths))
	for i, p := range paths {
		info, err := fs.Stat(s.fsys, p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p, err)
		}
		out[i] = CodeFile{Path: p, Mode: "100644"}
		if info.Mode()&0o111 != 0 {
			out[i].Mode = "100755"
		}
		if out[i].SHA256, err = hashFile(s.fsys, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// match finds the files of the tree that any of the patterns matches. Every pattern must match something: one that does not is a typing error that
// would silently leave code out.
func (s *Set) match(patterns []string) ([]string, error) {
	var out []string
	used := make([]bool, len(patterns))
	walked := 0
	err := fs.WalkDir(s.fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if walked++; walked > maxWalked {
			return problem.Wrongf("name the folders that hold the code", "the tree has more than %d files", maxWalked)
		}
		switch {
		case err != nil:
			return err
		case d.IsDir() && (p == ".git" || strings.HasPrefix(p, ".git/") || !reachable(patterns, p)):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		hit := false
		for i, pattern := range patterns {
			if Match(pattern, p) {
				hit, used[i] = true, true
			}
		}
		switch {
		case hit && !d.Type().IsRegular():
			return problem.Wrongf("put the file itself there", "%s is a link", p)
		case hit && len(out) >= maxCodeFiles:
			return problem.Wrongf("", "train.code matches more than %d files", maxCodeFiles)
		case hit:
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, problem.Wrongf("", "train.code %q matches no file", patterns[i])
	}
	slices.Sort(out)
	return out, nil
}

// reachable says whether a folder can hold a match.
func reachable(patterns []string, dir string) bool {
	if dir == "." {
		return true
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return prefixMatches(strings.Split(p, "/"), strings.Split(dir, "/")) })
}

func prefixMatches(pattern, dir []string) bool {
	for i, part := range dir {
		switch {
		case i >= len(pattern):
			return false
		case pattern[i] == "**":
			return true
		}
		if ok, err := path.Match(pattern[i], part); err != nil || !ok {
			return false
		}
	}
	return len(pattern) > len(dir)
}

// Match says whether a slash-separated path matches a pattern: `*`, `?` and `[…]` inside a folder, `**` as a whole part for any number of folders.
func Match(pattern, name string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for len(pattern) > 1 && pattern[1] == "**" { // one is as good as many, and many would take exponential time
				pattern = pattern[1:]
			}
			for i := range len(name) + 1 {
				if matchParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// noLink refuses a path with a link on its way: what that leads to may be anywhere, and another thing tomorrow.
func noLink(fsys fs.FS, file string) error {
	for at := file; fs.ValidPath(at) && at != "."; at = path.Dir(at) {
		if info, err := fs.Lstat(fsys, at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return problem.Wrongf("put the file itself there", "%s is a link", at)
		}
	}
	return nil
}

func hashFile(fsys fs.FS, file string) (string, error) {
	if !fs.ValidPath(file) {
		return "", fmt.Errorf("%q is not a file inside the project", file)
	}
	f, err := fsys.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, maxCodeBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("reading %s: %w", file, err)
	case n > maxCodeBytes:
		return "", fmt.Errorf("%s is larger than %d bytes", file, maxCodeBytes)
	}
	return digest.Prefix + hex.EncodeToString(h.Sum(nil)), nil
}
