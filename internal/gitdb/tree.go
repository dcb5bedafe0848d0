package gitdb

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// mode says what an entry of a tree is, as Git writes it.
type mode uint32

const (
	modeDir     mode = 0o040000
	modeFile    mode = 0o100644
	modeExec    mode = 0o100755
	modeLink    mode = 0o120000
	modeModule  mode = 0o160000
	modeType    mode = 0o170000
	modeAnyFile mode = 0o100000
)

func (m mode) isFile() bool { return m&modeType == modeAnyFile }
func (m mode) isExec() bool { return m.isFile() && m&0o111 != 0 }

// treeEntry is a name in a folder.
type treeEntry struct {
	name string
	mode mode
	oid  string
}

var errTree = errors.New("damaged: this is no tree")

// parseTree takes a tree apart, in whatever order it is.
func parseTree(data []byte, f format) ([]treeEntry, error) {
	entries := make([]treeEntry, 0, len(data)/(f.digits/2+16))
	for len(data) > 0 {
		modeText, rest, ok := bytes.Cut(data, []byte{' '})
		if !ok || len(modeText) > 7 {
			return nil, errTree
		}
		bits, err := strconv.ParseUint(string(modeText), 8, 32)
		end := bytes.IndexByte(rest, 0)
		if err != nil || end < 1 || len(rest) < end+1+f.digits/2 {
			return nil, errTree
		}
		entries = append(entries, treeEntry{string(rest[:end]), mode(bits), hex.EncodeToString(rest[end+1 : end+1+f.digits/2])})
		data = rest[end+1+f.digits/2:]
	}
	return entries, nil
}

// encodeTree puts entries into Git's order: that of their bytes, a folder's name ending in a slash.
func encodeTree(entries []treeEntry) ([]byte, error) {
	key := func(e treeEntry) string {
		if e.mode == modeDir {
			return e.name + "/"
		}
		return e.name
	}
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b treeEntry) int { return strings.Compare(key(a), key(b)) })
	var out bytes.Buffer
	for _, e := range sorted {
		oid, err := hex.DecodeString(e.oid)
		if err != nil {
			return nil, fmt.Errorf("%q is not an object id", e.oid)
		}
		fmt.Fprintf(&out, "%o %s\x00", e.mode, e.name)
		out.Write(oid)
	}
	return out.Bytes(), nil
}

// treeOf gives the entries of a tree, or of a commit's tree.
func (r *Repo) treeOf(oid string) ([]treeEntry, error) {
	found, data, err := r.object(oid, maxTree)
	if err == nil && found == commitObject {
		var c commit
		if c, err = parseCommit(data); err == nil {
			oid = c.tree
			found, data, err = r.object(oid, maxTree)
		}
	}
	if err == nil && found != treeObject {
		err = fmt.Errorf("%s is a %s", oid, found)
	}
	if err != nil {
		return nil, fmt.Errorf("reading tree: %w", err)
	}
	entries, err := parseTree(data, r.format)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", oid, err)
	}
	return entries, nil
}

// Entry is a file in a tree.
type Entry struct {
	Path string
	OID  string
}

// Limits of a walk through all files of a commit. A few trees that hold each other can name more files than there are atoms.
const (
	maxDepth   = 64
	maxFiles   = 1_000_000
	maxFolders = 50_000
	maxRepeats = 10_000 // of one folder
)

// Files lists the regular files of a commit or tree, by path. Entries that are no plain files (links, submodules) and names that plumb does not read
// are left out.
func (r *Repo) Files(oid string) ([]Entry, error) {
	w := treeWalk{repo: r, seen: map[string]int{}}
	err := w.walk(oid, "", 0)
	return w.files, err
}

// FilesUnder lists the files of one folder ("runs"; "" for all) of a tree that only plumb writes: what Files leaves out is an OddError. A commit without the
// folder has none there. Paths are whole.
func (r *Repo) FilesUnder(oid, folder string) ([]Entry, error) {
	prefix := ""
	for part := range strings.SplitSeq(folder, "/") {
		if folder == "" {
			break
		}
		entries, err := r.treeOf(oid)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(entries, func(e treeEntry) bool { return e.name == part && e.mode == modeDir })
		if at < 0 {
			return nil, nil
		}
		oid, prefix = entries[at].oid, prefix+part+"/"
	}
	w := treeWalk{repo: r, seen: map[string]int{}, strict: true}
	err := w.walk(oid, prefix, strings.Count(prefix, "/"))
	if err == nil && len(w.odd) > 0 {
		err = &OddError{w.odd}
	}
	return w.files, err
}

type treeWalk struct {
	repo    *Repo
	strict  bool
	files   []Entry
	odd     []Odd          // where it is strict
	seen    map[string]int // how often each tree was met
	folders int
}

func (w *treeWalk) walk(oid, folder string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("reading tree: more than %d folders deep", maxDepth)
	}
	entries, err := w.repo.treeOf(oid)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if why := oddity(entry, depth); w.strict && why != "" {
			w.note(folder, entry, why)
			continue
		}
		switch path := folder + entry.name; {
		case !plainName(entry.name):
		case entry.mode == modeDir:
			if err := w.below(entry, path, depth+1); err != nil {
				return err
			}
		case entry.mode.isFile():
			w.files = append(w.files, Entry{path, entry.oid})
		}
		if len(w.files) > maxFiles {
			return fmt.Errorf("reading tree: more than %d files, at last %q: %w", maxFiles, folder, ErrTooLarge)
		}
	}
	return nil
}

// below walks a folder, unless it was met too often, or there are too many.
func (w *treeWalk) below(e treeEntry, path string, depth int) error {
	n := w.seen[e.oid]
	w.seen[e.oid]++
	w.folders++
	switch {
	case !w.strict && n >= maxRepeats:
		return fmt.Errorf("reading tree: one folder, at last %q, stands in it more than %d times", path, maxRepeats)
	case w.folders > maxFolders:
		return fmt.Errorf("reading tree: more than %d folders, at last %q: %w", maxFolders, path, ErrTooLarge)
	}
	return w.walk(e.oid, path+"/", depth)
}

// Lookup gives the object id of the file at path in a commit or tree ("" for an empty one), or "".
func (r *Repo) Lookup(oid, path string) (string, error) {
	found, err := r.LookupAll(oid, path)
	return found[path], err
}

// LookupAll is Lookup of many files, which reads each folder once. Those that are not there are not in the result.
func (r *Repo) LookupAll(oid string, paths ...string) (map[string]string, error) {
	found := map[string]string{}
	if oid == "" {
		return found, nil
	}
	return found, r.lookup(oid, "", slices.Compact(slices.Sorted(slices.Values(paths))), found)
}

// lookup puts the files of sorted paths, all of them under folder, into found.
func (r *Repo) lookup(oid, folder string, paths []string, found map[string]string) error {
	entries, err := r.treeOf(oid)
	if err != nil {
		return err
	}
	at := make(map[string]treeEntry, len(entries))
	for _, entry := range entries {
		at[entry.name] = entry
	}
	for len(paths) > 0 {
		name, _, below := strings.Cut(paths[0][len(folder):], "/")
		same := 1
		for below && same < len(paths) && strings.HasPrefix(paths[same], folder+name+"/") {
			same++
		}
		entry, there := at[name]
		switch {
		case !there:
		case below && entry.mode == modeDir:
			if err := r.lookup(entry.oid, folder+name+"/", paths[:same], found); err != nil {
				return err
			}
		case !below && entry.mode != modeDir:
			found[paths[0]] = entry.oid
		}
		paths = paths[same:]
	}
	return nil
}

// Lost lists files of a commit or tree that another ("" for an empty one) does not have, or has with other bytes: the first most of them, and whether there are
// more. Folders that are equal are not read.
func (r *Repo) Lost(old, now string, most int) (paths []string, more bool, err error) {
	d := treeDiff{repo: r, most: most}
	err = d.compare(old, now, "")
	if errors.Is(err, errEnough) {
		return d.lost, true, nil
	}
	return d.lost, false, err
}

var errEnough = errors.New("enough")

type treeDiff struct {
	repo *Repo
	most int
	lost []string
}

func (d *treeDiff) compare(old, now, folder string) error {
	if old == now {
		return nil
	}
	if strings.Count(folder, "/") > maxDepth {
		return fmt.Errorf("comparing trees: more than %d folders deep", maxDepth)
	}
	before, err := d.repo.treeOf(old)
	if err != nil {
		return err
	}
	there := map[string]treeEntry{}
	if now != "" {
		after, err := d.repo.treeOf(now)
		if err != nil {
			return err
		}
		for _, entry := range after {
			there[entry.name] = entry
		}
	}
	for _, entry := range before {
		same := there[entry.name]
		switch {
		case entry.mode == modeDir && same.mode != modeDir:
			err = d.compare(entry.oid, "", folder+entry.name+"/")
		case entry.mode == modeDir:
			err = d.compare(entry.oid, same.oid, folder+entry.name+"/")
		case entry.oid != same.oid && len(d.lost) == d.most:
			err = errEnough
		case entry.oid != same.oid:
			d.lost = append(d.lost, folder+entry.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
