package gitdb

import "fmt"

// Odd is an entry of a tree that plumb neither reads nor writes: a link, a submodule, a name that some file system takes for .git, a folder deeper than its own.
type Odd struct {
	Path string // of any bytes
	OID  string
	Why  string
}

// OddError says that a tree which only plumb writes holds what it does not: the first hundred of it.
type OddError struct{ Entries []Odd }

func (e *OddError) Error() string {
	first := e.Entries[0]
	more := ""
	if n := len(e.Entries) - 1; n > 0 {
		more = fmt.Sprintf(", and %d more like it", n)
	}
	return fmt.Sprintf("reading tree: %q %s%s", first.Path, first.Why, more)
}

const (
	ownDepth = 8   // folders in folders, in a tree that only plumb writes: a record is four deep
	maxOdd   = 100 // that are told of
)

// oddity says why an entry is none of plumb's, "" for one that is. depth is that of the folder that it is in.
func oddity(e treeEntry, depth int) string {
	switch {
	case !plainName(e.name) || e.mode != modeDir && !e.mode.isFile():
		return fmt.Sprintf("(mode %o) is not what plumb reads or writes", e.mode)
	case e.mode == modeDir && depth >= ownDepth:
		return fmt.Sprintf("is more than %d folders deep", ownDepth)
	}
	return ""
}

// note keeps what is odd, until there is enough of it.
func (w *treeWalk) note(folder string, e treeEntry, why string) {
	if len(w.odd) < maxOdd {
		w.odd = append(w.odd, Odd{folder + e.name, e.oid, why})
	}
}

// Sound writes the tree of a commit without what is odd in it.
func (w *Writer) Sound(commit string) (tree string, err error) {
	s := sounding{w, map[soundKey]string{}}
	return s.tree(commit, 0)
}

// sounding writes each tree once for each depth that it is met at.
type sounding struct {
	w    *Writer
	done map[soundKey]string
}

type soundKey struct {
	oid   string
	depth int
}

func (s *sounding) tree(oid string, depth int) (string, error) {
	key := soundKey{oid, depth}
	if written, ok := s.done[key]; ok {
		return written, nil
	}
	entries, err := s.w.repo.treeOf(oid)
	if err != nil {
		return "", err
	}
	kept := entries[:0:0]
	for _, e := range entries {
		if oddity(e, depth) != "" {
			continue
		}
		if e.mode == modeDir {
			if e.oid, err = s.tree(e.oid, depth+1); err != nil {
				return "", err
			}
		}
		if e.mode != modeDir || e.oid != s.w.repo.format.sum(treeObject, nil) { // one that has become empty goes too
			kept = append(kept, e)
		}
	}
	data, err := encodeTree(kept)
	if err != nil {
		return "", fmt.Errorf("writing tree: %w", err)
	}
	s.done[key], err = s.w.put(treeObject, data)
	return s.done[key], err
}
