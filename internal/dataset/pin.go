package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// Pin reads the files of a dataset under the project's folder root and gives the lock that names them: columns and types, each file's sha256,
// bytes and rows, and the digest of the content. The engine must be open for root. Types that the document declares are enforced; other columns
// of Parquet files have the files' types, and of CSV and JSON lines the narrowest that every value fits: int64, float64, bool, date, timestamp,
// else string ("007" is a string). Errors are of wrong use and name the file, and for a value the line.
func Pin(ctx context.Context, db *engine.DB, root string, ds *doc.Dataset) (*doc.Lock, error) {
	names, err := expand(root, ds.Source.Path)
	if err != nil {
		return nil, fmt.Errorf("pinning %s: %w", ds.ID, err)
	}
	p := pinner{db: db, root: root, ds: ds, names: names}
	lock, err := p.pin(ctx)
	if err != nil {
		return nil, fmt.Errorf("pinning %s: %w", ds.ID, p.local(err))
	}
	return lock, nil
}

type pinner struct {
	db     *engine.DB
	root   string
	ds     *doc.Dataset
	names  []string // relative, sorted
	format string
	keys   []string // JSON lines: the keys of all files, in the order in which they come; a row need not have them all
}

func (p *pinner) file(name string) string { return filepath.Join(p.root, filepath.FromSlash(name)) }

// local leaves the machine's folder out of an error's text.
func (p *pinner) local(err error) error {
	prefix := filepath.Clean(p.root) + string(filepath.Separator)
	if !strings.Contains(err.Error(), prefix) {
		return err
	}
	return &problem.Failure{Exit: problem.Exit(err), Err: errors.New(strings.ReplaceAll(err.Error(), prefix, "")), Next: problem.Hint(err)}
}

func (p *pinner) pin(ctx context.Context) (*doc.Lock, error) {
	var err error
	if p.format, err = formatOf(p.names); err != nil {
		return nil, err
	}
	lock := &doc.Lock{Format: p.format, Files: make([]doc.LockFile, len(p.names))}
	lock.Schema, lock.ID, lock.Path = 1, p.ds.ID, "datasets/"+p.ds.ID+".lock.toml"
	for i, name := range p.names {
		if lock.Files[i], err = hashFile(ctx, p.file(name), name); err != nil {
			return nil, err
		}
	}
	looks, err := p.looks(ctx)
	if err != nil {
		return nil, err
	}
	columns, err := p.columns(ctx, looks)
	if err != nil {
		return nil, err
	}
	for i := range looks {
		lock.Files[i].Rows = looks[i].rows
	}
	for _, c := range columns {
		lock.Columns = append(lock.Columns, doc.LockColumn{Name: c.Name, Type: string(c.Type)})
	}
	if lock.Content, lock.Rows, err = Content(ctx, p.db, engine.Rows(p.paths(), p.format, columns), columns); err != nil {
		return nil, err
	}
	return lock, p.unchanged(ctx, lock)
}

// looks looks at every file.
func (p *pinner) looks(ctx context.Context) (looks []look, err error) {
	looks = make([]look, len(p.names))
	if p.format == engine.JSON {
		if p.keys, err = p.jsonKeys(ctx); err != nil {
			return nil, err
		}
	}
	for i, name := range p.names {
		if looks[i], err = p.look(ctx, name); err != nil {
			return nil, err
		}
	}
	return looks, nil
}

// columns finds one type for each column.
func (p *pinner) columns(ctx context.Context, looks []look) ([]table.Column, error) {
	columns, err := p.merge(looks)
	if err == nil {
		err = p.describedExist(columns)
	}
	if err != nil {
		return nil, err
	}
	for i := range columns {
		if columns[i].Type == "" {
			columns[i].Type = table.String
		}
	}
	return columns, p.enforce(ctx, columns, looks)
}

func (p *pinner) paths() []string {
	out := make([]string, len(p.names))
	for i, name := range p.names {
		out[i] = p.file(name)
	}
	return out
}

// unchanged hashes every file again: a file that is being written while it is pinned would get a lock that nothing satisfies.
func (p *pinner) unchanged(ctx context.Context, lock *doc.Lock) error {
	for _, f := range lock.Files {
		again, err := hashFile(ctx, p.file(f.Path), f.Path)
		if err != nil {
			return err
		}
		if again.SHA256 != f.SHA256 {
			return problem.Failedf("wait until it is written, then pin again", "%s changed while it was read", f.Path)
		}
	}
	return nil
}

// The extensions of each format. CSV and JSON lines may be compressed with gzip.
var formats = map[string]string{".parquet": engine.Parquet, ".parq": engine.Parquet, ".pq": engine.Parquet, ".csv": engine.CSV, ".tsv": engine.CSV,
	".jsonl": engine.JSON, ".ndjson": engine.JSON, ".json": engine.JSON}

// extension gives ".csv", or ".csv.gz" for a compressed file.
func extension(name string) string {
	name = strings.ToLower(name)
	last := path.Ext(name)
	if last == ".gz" {
		return path.Ext(strings.TrimSuffix(name, last)) + last
	}
	return last
}

func formatOf(names []string) (string, error) {
	first := extension(names[0])
	plain := strings.TrimSuffix(first, ".gz")
	format, ok := formats[plain]
	if !ok || format == engine.Parquet && plain != first {
		return "", problem.Wrongf("give .parquet, .csv, .tsv, .jsonl or .ndjson files; the last four also with .gz", "%s has no format that can be read", names[0])
	}
	for _, name := range names {
		if other := extension(name); other != first {
			return "", problem.Wrongf("make the pattern match files of one kind", "%s is a %s file and %s a %s file", names[0], first, name, other)
		}
	}
	return format, nil
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1"

// hashFile gives a file's lock entry without rows.
func hashFile(ctx context.Context, file, name string) (doc.LockFile, error) {
	f, err := os.Open(file)
	if err != nil {
		return doc.LockFile{}, problem.Failedf("", "%s can't be read: %v", name, reason(err))
	}
	defer f.Close()
	head := make([]byte, len(lfsPointer))
	n, _ := io.ReadFull(f, head)
	switch {
	case n == 0:
		return doc.LockFile{}, problem.Wrongf("remove the file or write it again", "%s is empty", name)
	case bytes.Equal(head, []byte(lfsPointer)):
		return doc.LockFile{}, problem.Wrongf("get the file with: git lfs pull", "%s is a Git LFS pointer, not the data", name)
	}
	sum := sha256.New()
	sum.Write(head[:n])
	size, err := io.Copy(sum, &ctxReader{ctx, f})
	if err != nil {
		return doc.LockFile{}, problem.Failedf("", "%s can't be read: %w", name, reason(err))
	}
	return doc.LockFile{Path: name, SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: size + int64(n)}, nil
}

// ctxReader stops between reads when ctx is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// declared gives the type that the document states for a column, or "".
func (p *pinner) declared(name string) table.Type { return table.Type(p.ds.Columns[name].Type) }

// merge makes one schema of what each file looks like. Files must have the same columns; of text files in the same order, because CSV is read
// by position. A column without a single value has no type.
func (p *pinner) merge(looks []look) ([]table.Column, error) {
	merged := slices.Clone(looks[0].columns)
	for i, l := range looks[1:] {
		if err := p.sameColumns(merged, l.columns, p.names[i+1]); err != nil {
			return nil, err
		}
		for c := range merged {
			other := l.columns[slices.IndexFunc(l.columns, func(s sniffed) bool { return s.Name == merged[c].Name })]
			t, ok := join(merged[c], other)
			if !ok && p.declared(merged[c].Name) == "" {
				return nil, problem.Wrongf(fmt.Sprintf("make the files agree, or declare [column.%s] type in %s", merged[c].Name, p.ds.Path),
					"column %q is %s in %s and %s in %s", merged[c].Name, merged[c].describe(), p.names[0], other.describe(), p.names[i+1])
			}
			merged[c].Type = t
		}
	}
	out := make([]table.Column, len(merged))
	for i, c := range merged {
		out[i] = c.Column
		if t := p.declared(c.Name); t != "" {
			out[i].Type = t
		}
	}
	return out, nil
}

func (p *pinner) sameColumns(want, got []sniffed, name string) error {
	for _, c := range want {
		if !slices.ContainsFunc(got, func(s sniffed) bool { return s.Name == c.Name }) {
			return problem.Wrongf("all files of a dataset have the same columns", "%s has no column %q, which %s has", name, c.Name, p.names[0])
		}
	}
	for i, c := range got {
		if !slices.ContainsFunc(want, func(s sniffed) bool { return s.Name == c.Name }) {
			return problem.Wrongf("all files of a dataset have the same columns", "%s has a column %q, which %s does not have", name, c.Name, p.names[0])
		}
		if p.format == engine.CSV && want[i].Name != c.Name {
			return problem.Wrongf("write the columns in the same order", "%s has column %q where %s has %q", name, c.Name, p.names[0], want[i].Name)
		}
	}
	return nil
}

// describedExist refuses [column.x] of a column that the data does not have: mostly a typing error, and then nothing would enforce it.
func (p *pinner) describedExist(columns []table.Column) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	for _, name := range slices.Sorted(maps.Keys(p.ds.Columns)) {
		if !slices.Contains(names, name) {
			return problem.Wrongf("the columns are "+strings.Join(names[:min(len(names), 30)], ", "), "%s describes a column %q that the files do not have", p.ds.Path, name)
		}
	}
	return nil
}
