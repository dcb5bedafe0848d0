package gitdb

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
)

// Ref is a ref's full name and the object that it points at.
type Ref struct {
	Name string
	OID  string
}

// Refs lists the refs whose full name starts with prefix ("refs/plumb/"), by name.
func (r *Repo) Refs(prefix string) ([]Ref, error) {
	found := map[string]string{}
	err := r.packedRefs(func(name, oid string) {
		if strings.HasPrefix(name, prefix) {
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
	for range 8 { // symbolic refs, at most as deep as Git follows
		if err := checkRefName(name); err != nil {
			return "", err
		}
		text, err := os.ReadFile(filepath.Join(r.common, filepath.FromSlash(name)))
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
		if !plumbing.IsHash(value) {
			return "", fmt.Errorf("reading ref %s: %q is not an object id", name, value)
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
	text, err := os.ReadFile(filepath.Join(r.common, "packed-refs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading packed refs: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		oid, name, ok := strings.Cut(lines.Text(), " ")
		if ok && plumbing.IsHash(oid) { // else a comment, or what an annotated tag points at
			each(name, oid)
		}
	}
	return lines.Err()
}

// checkRefName refuses names that are no ref or that leave the folder of refs.
func checkRefName(name string) error {
	if !strings.HasPrefix(name, "refs/") || plumbing.ReferenceName(name).Validate() != nil || checkPath(name) != nil {
		return fmt.Errorf("%q is not the name of a ref", name)
	}
	return nil
}

// checkPath refuses paths that are not plain inside a tree: empty parts, "." and "..", .git in any case, NUL, backslash.
func checkPath(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") || strings.ContainsAny(part, "\x00\\") {
			return fmt.Errorf("%q is not a path that plumb reads or writes", path)
		}
	}
	return nil
}
