package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/table"
)

type project struct {
	t    *testing.T
	root string
	db   *engine.DB
}

func newProject(t *testing.T) project {
	t.Helper()
	root := t.TempDir()
	db, err := engine.Open(t.Context(), engine.Options{Read: []string{root}, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return project{t, root, db}
}

func (p project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) copy(query, name, options string) {
	p.t.Helper()
	path := filepath.Join(p.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := p.db.Exec(p.t.Context(), fmt.Sprintf("copy (%s) to '%s' %s", query, path, options)); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) pin(pattern string, types ...string) (*doc.Lock, error) {
	ds := &doc.Dataset{Source: doc.Source{Path: pattern}, Columns: map[string]doc.ColumnNote{}}
	ds.ID, ds.Path = "d", "datasets/d.toml"
	for i := 0; i < len(types); i += 2 {
		ds.Columns[types[i]] = doc.ColumnNote{Type: types[i+1]}
	}
	return Pin(p.t.Context(), p.db, p.root, ds)
}

const typedRows = `select case when mod(i, 7) = 0 then null else i - 5 end as n, case when mod(i, 5) = 0 then null else (i - 500) / 8 end as x, mod(i, 3) = 0 as b,
	case when mod(i, 4) = 0 then null when mod(i, 4) = 1 then '' else 'é,"' || i end as s, date '1960-03-01' + i::int as d,
	timestamp '1960-03-01 00:00:00.25' + interval (i * 7919) second as ts, ((i - 500) / 4)::decimal(12,3) as m from range(%d, %d) t(i)`

// CSV → Parquet of the same typed rows gives the same digest; file boundaries, layout and compression are invisible.
func TestContentIsLogical(t *testing.T) {
	p := newProject(t)
	p.copy(fmt.Sprintf(typedRows, 0, 1000), "a/all.csv", "(format csv, header)")
	p.copy(fmt.Sprintf(typedRows, 0, 1000), "b/all.parquet", "(format parquet)")
	p.copy(fmt.Sprintf(typedRows, 0, 400), "c/1.parquet", "(format parquet, compression zstd, row_group_size 100)")
	p.copy(fmt.Sprintf(typedRows, 400, 401), "c/2.parquet", "(format parquet, compression uncompressed)")
	p.copy(fmt.Sprintf(typedRows, 401, 1000), "c/3.parquet", "(format parquet, compression gzip)")
	p.copy(fmt.Sprintf(typedRows, 0, 1000), "d/all.jsonl", "(format json)")
	p.copy(fmt.Sprintf(typedRows, 0, 300), "e/1.csv", "(format csv, header)")
	p.copy(fmt.Sprintf(typedRows, 300, 1000), "e/2.csv", "(format csv, header, force_quote *)")
	p.copy(strings.Replace(fmt.Sprintf(typedRows, 0, 1000), "(12,3)", "(38,4)", 1), "f/all.parquet", "(format parquet)")
	p.copy("select n::int as n, x, b, s, d, ts::timestamptz as ts, m from ("+fmt.Sprintf(typedRows, 0, 1000)+")", "g/all.parquet", "(format parquet)")
	want := ""
	for _, c := range []struct {
		pattern string
		types   []string
	}{{"b/*.parquet", nil}, {"a/*.csv", []string{"m", "decimal"}}, {"c/*.parquet", nil}, {"d/*.jsonl", []string{"m", "decimal"}}, {"e/*", []string{"m", "decimal"}},
		{"f/*", nil}, {"g/*", nil}} {
		lock, err := p.pin(c.pattern, c.types...)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if want == "" {
			want = lock.Content
		}
		if lock.Content != want || lock.Rows != 1000 {
			t.Errorf("%s: content %s of %d rows, want %s; %v", c.pattern, lock.Content, lock.Rows, want, lock.Columns)
		}
	}
}

// The digest written out by hand, so that no later change of code moves it unseen.
func TestContentGolden(t *testing.T) {
	p := newProject(t)
	p.write("d.csv", "id,name\n1,ann\n2,\n")
	lock, err := p.pin("d.csv")
	if err != nil {
		t.Fatal(err)
	}
	ids := digest.Bytes([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02"))
	names := digest.Bytes([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x03ann\x01"))
	if want := digest.Bytes([]byte(`[["id","int64","` + ids + `"],["name","string","` + names + `"],2]`)); lock.Content != want {
		t.Errorf("got %s, want %s", lock.Content, want)
	}
	wantFile := doc.LockFile{Path: "d.csv", SHA256: strings.TrimPrefix(digest.Bytes([]byte("id,name\n1,ann\n2,\n")), "sha256:"), Bytes: 17, Rows: 2}
	if lock.Files[0] != wantFile || lock.Format != "csv" || lock.ID != "d" || lock.Path != "datasets/d.lock.toml" || lock.Schema != 1 {
		t.Errorf("got %+v", lock)
	}
}

func TestSniff(t *testing.T) {
	p := newProject(t)
	for name, c := range map[string]struct{ values, want string }{
		"int": {"1|-2||0", "int64"}, "float": {"1|2.5|1e3|", "float64"}, "zip": {"02134|10001", "string"}, "bool": {"true|False|", "bool"}, "date": {"2001-06-30||1999-12-31", "date"},
		"no date": {"2001-06-31", "string"}, "time": {"2001-06-30|2001-06-30T12:00:00+02:00", "timestamp"}, "slashes": {"30/06/2001", "string"}, "empty": {"||", "string"},
		"big": {"9223372036854775808|1", "float64"}, "nan": {"1.5|nan", "float64"}, "text": {"1|x", "string"}, "spaces": {" 1|2", "string"}, "yes": {"yes|no", "string"},
		"late": {strings.Repeat("1|", sampleRows) + "x", "string"}, "late float": {strings.Repeat("1|", sampleRows) + "1.5", "float64"}, "late value": {strings.Repeat("|", sampleRows) + "2001-06-30", "date"},
	} {
		dir := strings.ReplaceAll(name, " ", "-")
		p.write(dir+"/a.csv", "k,v\n"+"k,"+strings.ReplaceAll(c.values, "|", "\nk,")+"\n")
		lock, err := p.pin(dir + "/*.csv")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if lock.Columns[1].Type != c.want {
			t.Errorf("%s: %s, want %s", name, lock.Columns[1].Type, c.want)
		}
	}
}

func TestPinErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files   map[string]string
		pattern string
		types   []string
		want    string
	}{
		"no match":       {nil, "data/*.csv", nil, "data/*.csv matches no file"},
		"missing":        {nil, "data/a.csv", nil, "there is no file data/a.csv"},
		"absolute":       {nil, "/etc/passwd", nil, "is an absolute path"},
		"above":          {nil, "data/../../x.csv", nil, "leaves the project"},
		"empty path":     {nil, " ", nil, "has no [source] path"},
		"no pattern":     {nil, "a[.csv", nil, "is no pattern"},
		"no format":      {map[string]string{"a.xlsx": "x"}, "a.xlsx", nil, "a.xlsx has no format that can be read"},
		"two formats":    {map[string]string{"a.csv": "a\n1\n", "b.jsonl": "{}"}, "*", nil, "a.csv is a .csv file and b.jsonl a .jsonl file"},
		"empty file":     {map[string]string{"a.csv": ""}, "a.csv", nil, "a.csv is empty"},
		"empty first":    {map[string]string{"a.csv": "\na,b\n1,2\n"}, "a.csv", nil, "a.csv:1: the line is empty"},
		"lfs":            {map[string]string{"a.parquet": lfsPointer + "\noid sha256:x\n"}, "a.parquet", nil, "a.parquet is a Git LFS pointer"},
		"damaged":        {map[string]string{"a.parquet": "PAR1xxxxxxxxxPAR1"}, "a.parquet", nil, "a.parquet: Footer length error"},
		"ragged":         {map[string]string{"a.csv": "a,b\n1,2\n3\n"}, "a.csv", nil, "a.csv:3: the row has 1 fields where the header has 2"},
		"latin-1":        {map[string]string{"a.csv": "a,b\n1,\xe9\n"}, "a.csv", nil, "a.csv:2: the text is not UTF-8"},
		"latin-1 header": {map[string]string{"a.csv": "\xe9,b\n1,2\n"}, "a.csv", nil, "a.csv:1: the text is not UTF-8"},
		"declared":       {map[string]string{"a.csv": "a,b\n1,\"x\ny\"\n1.5,z\n"}, "a.csv", []string{"a", "int64"}, `a.csv:4: column "a" holds a value that is no int64`},
		"declared json":  {map[string]string{"a.jsonl": "{\"a\":1}\n{\"a\":\"x\"}\n"}, "a.jsonl", []string{"a", "int64"}, `a.jsonl:2: column "a" holds a value that is no int64`},
		"no such column": {map[string]string{"a.csv": "a\n1\n"}, "a.csv", []string{"b", "int64"}, `describes a column "b" that the files do not have`},
		"drift name":     {map[string]string{"a.csv": "a,b\n1,2\n", "b.csv": "a,c\n1,2\n"}, "*.csv", nil, `b.csv has no column "b", which a.csv has`},
		"drift more":     {map[string]string{"a.csv": "a\n1\n", "b.csv": "a,c\n1,2\n"}, "*.csv", nil, `b.csv has a column "c", which a.csv does not have`},
		"drift order":    {map[string]string{"a.csv": "a,b\n1,2\n", "b.csv": "b,a\n1,2\n"}, "*.csv", nil, `b.csv has column "b" where a.csv has "a"`},
		"drift type":     {map[string]string{"a.csv": "a\n1\n", "b.csv": "a\nx\n"}, "*.csv", nil, `column "a" is int64 in a.csv and string in b.csv`},
		"twice":          {map[string]string{"a.csv": "a,A\n1,2\n"}, "a.csv", nil, `two columns "a" and "A"`},
		"row_id":         {map[string]string{"a.csv": "Row_ID\n1\n"}, "a.csv", nil, `a column "Row_ID"`},
		"name":           {map[string]string{"a.csv": "\"a\nb\"\n1\n"}, "a.csv", nil, `a column named "a\nb"`},
		"broken json":    {map[string]string{"a.jsonl": "{\"a\":1}\n{\"a\":\n"}, "a.jsonl", nil, "a.jsonl: Malformed JSON"},
		"json list":      {map[string]string{"a.jsonl": "[1]\n[2]\n"}, "a.jsonl", nil, "a.jsonl: "},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			for file, text := range c.files {
				p.write(file, text)
			}
			_, err := p.pin(c.pattern, c.types...)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), p.root) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPinParquetTypes(t *testing.T) {
	p := newProject(t)
	p.copy("select 1::int as a, 1.5 as b", "one/1.parquet", "")
	p.copy("select 3000000000::bigint as a, 2.5 as b", "one/2.parquet", "")
	lock, err := p.pin("one/*")
	if err != nil || lock.Columns[0].Type != "int64" || lock.Columns[1].Type != "decimal" {
		t.Errorf("widths: %v, %v", lock, err)
	}
	p.copy("select 1 as a", "two/1.parquet", "")
	p.copy("select 1.5::double as a", "two/2.parquet", "")
	if _, err := p.pin("two/*"); err == nil || !strings.Contains(err.Error(), `column "a" is integer in two/1.parquet and double in two/2.parquet`) {
		t.Errorf("drift: %v", err)
	}
	if lock, err := p.pin("two/*", "a", "float64"); err != nil || lock.Columns[0].Type != "float64" {
		t.Errorf("declared: %v, %v", lock, err)
	}
	if _, err := p.pin("two/*", "a", "int64"); err == nil || !strings.Contains(err.Error(), `two/2.parquet, row 1: column "a" holds a value that is no int64`) {
		t.Errorf("lossy: %v", err)
	}
	p.copy("select [1] as a", "three/1.parquet", "")
	if _, err := p.pin("three/*"); err == nil || !strings.Contains(err.Error(), `three/1.parquet: column "a" is of type integer[]`) {
		t.Errorf("list: %v", err)
	}
	p.copy("select '5' as a union all select ' x'", "four/1.parquet", "")
	if _, err := p.pin("four/*", "a", "int64"); err == nil || !strings.Contains(err.Error(), "four/1.parquet, row 2") {
		t.Errorf("text: %v", err)
	}
}

func TestPinOddFiles(t *testing.T) {
	p := newProject(t)
	p.write("a/header.csv", "a,b\n")
	if lock, err := p.pin("a/*.csv"); err != nil || lock.Rows != 0 || len(lock.Columns) != 2 {
		t.Errorf("header only: %+v, %v", lock, err)
	}
	p.write("a/more.csv", "a,b\n1,x\n")
	if lock, err := p.pin("a/*.csv"); err != nil || lock.Rows != 1 || lock.Columns[0].Type != "int64" {
		t.Errorf("header only and one row: %+v, %v", lock, err)
	}
	p.write("b/o'hara [1]*.csv", "\ufeffa,b\r\n1,\"x\r\ny\"\r\n")
	if lock, err := p.pin("b/*"); err != nil || lock.Rows != 1 || lock.Columns[0].Name != "a" {
		t.Errorf("odd name: %+v, %v", lock, err)
	}
	p.write("c/x.tsv", "a\tb\n1\tx,y\n")
	if lock, err := p.pin("c/x.tsv"); err != nil || len(lock.Columns) != 2 {
		t.Errorf("tabs: %+v, %v", lock, err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, ",b\n1,x\n")
	w.Close()
	p.write("d/x.csv.gz", packed.String())
	if lock, err := p.pin("d/*"); err != nil || lock.Rows != 1 || lock.Columns[0].Name != "column_1" {
		t.Errorf("gzip, no name: %+v, %v", lock, err)
	}
	p.write("e/y.jsonl", "{\"a\":1}\n")
	p.write("e/z.jsonl", "{\"b\":\"x\"}\n")
	if lock, err := p.pin("e/*"); err != nil || lock.Rows != 2 || len(lock.Columns) != 2 {
		t.Errorf("JSON keys: %+v, %v", lock, err)
	}
}

func TestExpand(t *testing.T) {
	p := newProject(t)
	for _, name := range []string{"data/a.csv", "data/b.csv", "data/x/c.csv", "data/x/y/d.csv", "data/.hidden.csv", ".git/e.csv", "data/[1].csv", "data/é.csv", "other/f.csv"} {
		p.write(name, "a\n1\n")
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.csv"), []byte("a\n1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"in/link.csv": "../data/a.csv", "out/link.csv": filepath.Join(outside, "secret.csv"), "outdir": outside, "dead/link.csv": "nowhere.csv", "loop/loop": "."}
	for name, to := range links {
		path := filepath.Join(p.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(to, path)); err != nil {
			t.Fatal(err)
		}
	}
	p.write("loop/a.csv", "a\n1\n")
	for pattern, want := range map[string]string{
		"data/*.csv": "[data/[1].csv data/a.csv data/b.csv data/é.csv]", "data/**/*.csv": "[data/[1].csv data/a.csv data/b.csv data/x/c.csv data/x/y/d.csv data/é.csv]",
		"data/[1].csv": "[data/[1].csv]", "*/f.csv": "[other/f.csv]", "data/x/**": "[data/x/c.csv data/x/y/d.csv]", "data/.hidden.csv": "[data/.hidden.csv]", "./data/./a.csv": "[data/a.csv]",
		"in/*.csv": "[in/link.csv]", "out/*.csv": "!out/link.csv is a link that leaves the project", "outdir/*.csv": "!outdir/secret.csv is a link that leaves the project",
		"dead/*.csv": "!can't be read", "loop/**/*.csv": "[loop/a.csv]", "**/e.csv": "!matches no file", "data/x": "!there is no file data/x", "data": "!there is no file",
	} {
		got, err := expand(p.root, pattern)
		if message, isErr := strings.CutPrefix(want, "!"); isErr && (err == nil || !strings.Contains(err.Error(), message)) || !isErr && fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", pattern, got, err)
		}
	}
}

// A file that grows between the first and the last look must not be pinned.
func TestPinChangedFile(t *testing.T) {
	p := newProject(t)
	p.write("a.csv", "a\n1\n")
	pin := pinner{db: p.db, root: p.root, names: []string{"a.csv"}}
	f, err := hashFile(t.Context(), pin.file("a.csv"), "a.csv")
	if err != nil {
		t.Fatal(err)
	}
	p.write("a.csv", "a\n2\n")
	if err := pin.unchanged(t.Context(), &doc.Lock{Files: []doc.LockFile{f}}); err == nil || !strings.Contains(err.Error(), "a.csv changed while it was read") {
		t.Error(err)
	}
}

func TestContentErrors(t *testing.T) {
	p := newProject(t)
	if _, _, err := Content(t.Context(), p.db, "(select 1 as a)", nil); err == nil {
		t.Error("no columns")
	}
	if _, _, err := Content(t.Context(), p.db, "(select 'x' as a)", []table.Column{{Name: "a", Type: table.Int64}}); err == nil {
		t.Error("another type")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Content(ctx, p.db, "(select 1 as a)", []table.Column{{Name: "a", Type: table.Int64}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func BenchmarkContent(b *testing.B) {
	db, err := engine.Open(b.Context(), engine.Options{Temp: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rel := "(select i, i / 7 as x, 'airport ' || (i % 200) as s, timestamp '2001-01-01' + interval (i) second as ts, i % 3 = 0 as b from range(200000) t(i))"
	cols := []table.Column{{Name: "i", Type: table.Int64}, {Name: "x", Type: table.Float64}, {Name: "s", Type: table.String}, {Name: "ts", Type: table.Timestamp}, {Name: "b", Type: table.Bool}}
	for b.Loop() {
		if _, _, err := Content(b.Context(), db, rel, cols); err != nil {
			b.Fatal(err)
		}
	}
}
