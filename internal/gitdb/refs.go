package gitdb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Ref is a ref's full name and the object that it points at.
type Ref struct {
	Name string
	OID  string
}

// Refs lists the refs whose full name starts with prefix ("refs/plumb/"), by name.
func (r *Repo) Refs(prefix string) ([]Ref, error) {
	if r.reftable {
		return r.listReftable(prefix)
	}
	found := map[string]string{}
	err := r.packedRefs(func(name, oid string) {
		if strings.HasPrefix(name, prefix) && checkRefName(name) == nil {
			found[name] = oid
		}
	})
	if err != nil {
		return nil, err
	}
	top := filepath.Join(r.common, filepath.FromSlash(prefix[:strings.LastIndex(prefix, "/")+1]))
	err = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(r.common, path)
		name = filepath.ToSlash(name)
		if err != nil || !strings.HasPrefix(name, prefix) || strings.HasSuffix(name, ".lock") {
			return err
		}
		oid, err := r.refValue(name)
		if oid != "" {
			found[name] = oid
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing refs: %w", err)
	}
	refs := make([]Ref, 0, len(found))
	for name, oid := range found {
		refs = append(refs, Ref{name, oid})
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) })
	return refs, nil
}

// refValue reads a ref anew: the loose file, else the packed one; "" when there is neither. go-git takes a broken loose file for an absent one, which
// would let the next update throw its history away; here it is an error.
func (r *Repo) refValue(name string) (string, error) {
	if r.reftable {
		return r.reftableValue(name)
	}
	for range 8 { // symbolic refs, at most as deep as Git follows
		if err := checkRefName(name); err != nil {
			return "", err
		}
		path := filepath.Join(r.common, filepath.FromSlash(name))
		text, err := readSmall(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || isDirectory(err) {
			return r.packedRef(name)
		}
		if err != nil {
			return "", fmt.Errorf("reading ref %s: %w", name, err)
		}
		value := strings.TrimSpace(string(text))
		if target, ok := strings.CutPrefix(value, "ref: "); ok {
			name = target
			continue
		}
		if !r.format.is(value) {
			return "", problem.Failedf(fmt.Sprintf("a disk was full, perhaps: see %s; `git update-ref %s COMMIT` mends it (`git fsck --lost-found` lists commits), `git update-ref -d %s` gives it up", path, name, name),
				"reading ref %s: %.20q is not an object id", name, value)
		}
		return value, nil
	}
	return "", fmt.Errorf("reading ref %s: it leads in a circle", name)
}

func isDirectory(err error) bool {
	var pathErr *fs.PathError
	return errors.As(err, &pathErr) && errors.Is(pathErr.Err, syscall.EISDIR)
}

func (r *Repo) packedRef(wanted string) (value string, err error) {
	err = r.packedRefs(func(name, oid string) {
		if name == wanted {
			value = oid
		}
	})
	return value, err
}

func (r *Repo) packedRefs(each func(name, oid string)) error {
	file, err := os.Open(filepath.Join(r.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		oid, name, ok := strings.Cut(lines.Text(), " ")
		if ok && r.format.is(oid) { // else a comment, or what an annotated tag points at
			each(name, oid)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	return nil
}

// checkRefName refuses names that are no ref or that leave the folder of refs.
func checkRefName(name string) error {
	if !strings.HasPrefix(name, "refs/") || plumbing.ReferenceName(name).Validate() != nil || checkPath(name) != nil {
		return fmt.Errorf("%q is not the name of a ref", name)
	}
	return nil
}

// checkPath refuses paths that are not plain inside a tree.
func checkPath(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if !plainName(part) {
			return fmt.Errorf("%q is not a path that plumb reads or writes", path)
		}
	}
	return nil
}

// plainName says whether a tree's entry may have this name: not empty, not "." or "..", without slash, backslash and NUL, and not what some file system
// takes for .git: other cases, names with characters that HFS+ ignores, what NTFS cuts off or calls GIT~1.
func plainName(name string) bool {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return false
	}
	if name[0] != '.' && name[0] != 'g' && name[0] != 'G' && name[0] < 0x80 {
		return true
	}
	seen := strings.Map(func(c rune) rune {
		switch {
		case c >= 0x200c && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x206a && c <= 0x206f, c == 0xfeff:
			return -1
		}
		return c
	}, name)
	seen, _, _ = strings.Cut(seen, ":") // a stream of NTFS
	seen = strings.TrimRight(seen, " .")
	return !strings.EqualFold(seen, ".git") && !strings.EqualFold(seen, "git~1")
}

// readHead gives the ref that HEAD names, or the commit when it is detached.
func (r *Repo) readHead() (target, commit string, err error) {
	if r.reftable {
		return r.reftableHead()
	}
	text, err := readSmall(filepath.Join(r.gitDir, "HEAD"))
	if err != nil {
		return "", "", err
	}
	value := strings.TrimSpace(string(text))
	if target, ok := strings.CutPrefix(value, "ref: "); ok {
		return target, "", nil
	}
	if !r.format.is(value) {
		return "", "", fmt.Errorf("%.80q is not an object id", value)
	}
	return "", value, nil
}

// readSmall reads a file that holds a ref or a path: not more of it than those can be long.
func readSmall(path string) ([]byte, error) { return readUpTo(path, 4<<10) }

func readUpTo(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}
