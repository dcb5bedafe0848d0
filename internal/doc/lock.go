package doc

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// MaxLockFiles is how many files one lock may list.
const MaxLockFiles = 20_000

// Lock is datasets/<id>.lock.toml: which rows exactly. The program writes it.
type Lock struct {
	Head
	Content string       `toml:"content" about:"logical digest of all rows"`
	Format  string       `toml:"format" enum:"parquet|csv|json" about:"what the files are"`
	Rows    int64        `toml:"rows" about:"of all files together"`
	Columns []LockColumn `toml:"columns"`
	Files   []LockFile   `toml:"files"`
}

// LockColumn is a column as pinned, in file order.
type LockColumn struct {
	Name string `toml:"name" json:"name" about:"as in the files"`
	Type string `toml:"type" json:"type" enum:"int64|float64|bool|string|date|timestamp|decimal" about:"as digested"`
}

// LockFile is one file as pinned.
type LockFile struct {
	Path   string `toml:"path" about:"from the project's root"`
	SHA256 string `toml:"sha256" about:"64 hex digits"`
	Bytes  int64  `toml:"bytes" about:"its size"`
	Rows   int64  `toml:"rows" about:"how many it holds"`
}

// Encode writes the lock with one column and one file a line, so that a change of one is a change of one line.
func (l *Lock) Encode() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# written by `plumb data pin`; which rows exactly\nschema = %d\n", SchemaVersion)
	fmt.Fprintf(&b, "content = %s\nformat = %s\nrows = %d\ncolumns = [\n", tomlio.Quote(l.Content), tomlio.Quote(l.Format), l.Rows)
	for _, c := range l.Columns {
		fmt.Fprintf(&b, "  { name = %s, type = %s },\n", tomlio.Quote(c.Name), tomlio.Quote(c.Type))
	}
	b.WriteString("]\nfiles = [\n")
	for _, f := range l.Files {
		fmt.Fprintf(&b, "  { path = %s, sha256 = %s, bytes = %d, rows = %d },\n", tomlio.Quote(f.Path), tomlio.Quote(f.SHA256), f.Bytes, f.Rows)
	}
	b.WriteString("]\n")
	return []byte(b.String())
}

// Digest is that of everything the lock says.
func (l *Lock) Digest() string { return digest.Bytes(l.Encode()) }

// ReadLock reads a lock that comes from anywhere, and holds it to what Encode writes, byte by byte. Errors are of wrong use.
func ReadLock(dataset string, data []byte) (*Lock, error) {
	var list problem.List
	lock := &Lock{}
	file := "datasets/" + dataset + ".lock.toml"
	pos := tomlio.DecodeLock(file, data, lock, &list)
	if !pos.Refused() {
		lock.check(checker{pos: pos, list: &list})
	}
	if list.Errors() > 0 {
		return nil, problem.Wrongf("", "%s: %s", file, list.All()[0].Message)
	}
	if !bytes.Equal(lock.Encode(), data) {
		return nil, problem.Wrongf("", "%s is not as plumb writes it", file)
	}
	lock.ID, lock.Path = dataset, file
	return lock, nil
}

// lock gives a dataset's lock for checks against it, or nil when its columns can't be relied on.
func (l *loader) lock(dataset string) *Lock {
	lock := l.set.Locks[dataset]
	if lock == nil || slices.ContainsFunc(lock.Columns, func(c LockColumn) bool { return c.Name == "" || !slices.Contains(columnTypes, c.Type) }) {
		return nil
	}
	return lock
}

func (l *Lock) names() []string {
	out := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		out[i] = c.Name
	}
	return out
}

var (
	hexPattern    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// check holds a lock to what `plumb data pin` writes: it may come from a stranger's pull request, and its paths are read.
func (l *Lock) check(c checker) {
	for _, key := range []string{"content", "format", "rows", "columns", "files"} {
		c.required(key)
	}
	if l.Content != "" && !digestPattern.MatchString(l.Content) {
		c.at("digest", "content").errorf("content is not sha256: and 64 hex digits")
	}
	c.notNegative(float64(l.Rows), "rows")
	if len(l.Files) > MaxLockFiles {
		c.at("size", "files").errorf("%d files; %d are allowed", len(l.Files), MaxLockFiles).hint("write fewer, larger files")
		return
	}
	l.checkColumns(c)
	seen := map[string]bool{}
	var rows int64
	for i, f := range l.Files {
		f.check(c, itoa(i))
		if seen[f.Path] {
			c.at("duplicate", "files", itoa(i), "path").errorf("%q is listed twice", f.Path)
		}
		seen[f.Path] = true
		rows += max(f.Rows, 0)
	}
	if c.has("rows") && c.has("files") && rows != l.Rows && l.Rows >= 0 {
		c.at("lock", "rows").errorf("the files have %d rows together, not %d", rows, l.Rows).hint("plumb data pin %s", l.ID)
	}
}

func (l *Lock) checkColumns(c checker) {
	var seen []string
	for i, col := range l.Columns {
		if c.required("columns", itoa(i), "name") && slices.Contains(seen, col.Name) {
			c.at("duplicate", "columns", itoa(i), "name").errorf("column %q is listed twice", col.Name)
		}
		c.required("columns", itoa(i), "type")
		seen = append(seen, col.Name)
	}
}

func (f LockFile) check(c checker, i string) {
	if c.required("files", i, "path") && (!fs.ValidPath(f.Path) || f.Path == "." || strings.ContainsAny(f.Path, "\\\x00\n\r") || path.Clean(f.Path) != f.Path ||
		strings.EqualFold(strings.SplitN(f.Path, "/", 2)[0], ".git")) {
		c.at("path", "files", i, "path").errorf("%q is not a file inside the project", f.Path)
	}
	if c.required("files", i, "sha256") && !hexPattern.MatchString(f.SHA256) {
		c.at("digest", "files", i, "sha256").errorf("sha256 is not 64 hex digits")
	}
	c.required("files", i, "bytes")
	c.required("files", i, "rows")
	c.notNegative(float64(f.Bytes), "files", i, "bytes")
	c.notNegative(float64(f.Rows), "files", i, "rows")
}

func itoa(i int) string { return strconv.Itoa(i) }
