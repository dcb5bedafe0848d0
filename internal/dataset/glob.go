package dataset

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/problem"
)

// maxFiles is how many files a lock may list.
const maxFiles = 20_000

// expand gives the files that pattern matches under root, sorted by path bytes, slash-separated and relative to root. * matches within a name,
// ** any number of folders; names that start with a dot are matched only by name. A pattern that is the very name of a file is that file.
func expand(root, pattern string) ([]string, error) {
	if err := checkPattern(pattern); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(pattern))); err == nil && !info.IsDir() {
		return []string{path.Clean(pattern)}, checkFiles(root, []string{path.Clean(pattern)})
	}
	g := globber{root: root, seen: map[string]bool{}}
	if err := g.walk("", strings.Split(path.Clean(pattern), "/")); err != nil {
		return nil, err
	}
	found := make([]string, 0, len(g.seen))
	for name := range g.seen {
		found = append(found, name)
	}
	slices.Sort(found)
	switch {
	case len(found) == 0 && strings.ContainsAny(pattern, "*?["):
		return nil, problem.Wrongf("[source] path is relative to the folder of plumb.toml; ** matches any folders", "%s matches no file", pattern)
	case len(found) == 0:
		return nil, problem.Wrongf("[source] path is relative to the folder of plumb.toml", "there is no file %s", pattern)
	case len(found) > maxFiles:
		return nil, problem.Wrongf("join them into fewer, larger files", "%s matches %d files, at most %d can be pinned", pattern, len(found), maxFiles)
	}
	return found, checkFiles(root, found)
}

func checkPattern(pattern string) error {
	const hint = "give a path inside the project, such as data/flights/*.parquet"
	switch {
	case strings.TrimSpace(pattern) == "":
		return problem.Wrongf(hint, "the dataset has no [source] path")
	case path.IsAbs(pattern) || filepath.IsAbs(pattern) || filepath.VolumeName(pattern) != "":
		return problem.Wrongf(hint, "%s is an absolute path", pattern)
	case slices.Contains(strings.Split(pattern, "/"), ".."):
		return problem.Wrongf(hint, "%s leaves the project", pattern)
	}
	for _, part := range strings.Split(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil {
			return problem.Wrongf("[ starts a set of characters, which ] must end", "%s is no pattern", pattern)
		}
	}
	return nil
}

type globber struct {
	root string
	seen map[string]bool
}

// walk matches the parts of a pattern below folder dir.
func (g *globber) walk(dir string, parts []string) error {
	if len(parts) == 0 || len(g.seen) > maxFiles {
		return nil
	}
	part, rest := parts[0], parts[1:]
	if part == "**" {
		if err := g.walk(dir, rest); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(filepath.Join(g.root, filepath.FromSlash(dir)))
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if err := g.entry(dir, e, parts); err != nil {
			return err
		}
	}
	return nil
}

func (g *globber) entry(dir string, e fs.DirEntry, parts []string) error {
	name, part, rest := path.Join(dir, e.Name()), parts[0], parts[1:]
	if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") {
		return nil
	}
	if part == "**" {
		// A linked folder is not entered here: links may run in circles.
		if e.IsDir() {
			return g.walk(name, parts)
		}
		if len(rest) == 0 {
			g.seen[name] = true
		}
		return nil
	}
	if ok, _ := path.Match(part, e.Name()); !ok {
		return nil
	}
	info, err := os.Stat(filepath.Join(g.root, filepath.FromSlash(name)))
	switch {
	case err != nil:
		return problem.Wrongf("remove the link or mend it", "%s can't be read: %v", name, reason(err))
	case info.IsDir():
		return g.walk(name, rest)
	case len(rest) == 0:
		g.seen[name] = true
	}
	return nil
}

func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return fmt.Errorf("looking for files: %w", err)
}

// reason leaves the machine's path out of an error.
func reason(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}

// checkFiles refuses what can't be pinned: links that leave the project, things that are no files, names that tools disagree on.
func checkFiles(root string, names []string) error {
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`) {
			return problem.Wrongf("rename it", "the file name %q holds a backslash, a control character or no UTF-8", name)
		}
		real, err := filepath.EvalSymlinks(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return problem.Wrongf("remove the link or mend it", "%s can't be read: %v", name, reason(err))
		}
		if rel, err := filepath.Rel(realRoot, real); err != nil || !filepath.IsLocal(rel) {
			return problem.Wrongf("copy the file into the project", "%s is a link that leaves the project", name)
		}
		if info, err := os.Stat(real); err != nil || !info.Mode().IsRegular() {
			return problem.Wrongf("only files can be pinned", "%s is not a file", name)
		}
	}
	return nil
}
