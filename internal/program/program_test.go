package program

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/table"
)

func testProgram(t *testing.T, task, format string) *Program {
	t.Helper()
	temp := t.TempDir()
	db, err := engine.Open(t.Context(), engine.Options{Read: []string{temp}, Temp: temp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Program{Task: task, Format: format, DB: db, Temp: temp, Env: os.Environ(), Params: []byte(`{"a":1}`), Features: []string{"x", "naïve, \"q\""}, Limits: job.Limits{Time: time.Minute}}
}

func testRoom(t *testing.T) *job.Room {
	t.Helper()
	r, err := job.NewRoom()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Every way in which scores can be wrong is named, in CSV and in Parquet.
func TestScores(t *testing.T) {
	wanted := []int64{7, 3, 12}
	for _, c := range []struct {
		name, task, csv, want string
		classes               []string
	}{
		{"well", "binary", "row_id,score\n3,0.5\n12,1\n7,0\n", "", nil},
		{"more columns", "binary", "label,row_id,note,score\n1,3,hello,0.5\n1,12,x,1\n,7,y,0\n", "", nil},
		{"a byte order mark, blanks", "regression", "\ufeffrow_id, score\n3, -5e3\n12,1\n7,0\n", "", nil},
		{"R's row ids", "regression", "\"row_id\",\"score\"\n3,1\n1.2e1,1\n7,0\n", "", nil},
		{"empty", "binary", "", "has no header", nil},
		{"no rows", "binary", "row_id,score\n", "lacks 3 of 3 rows: row_id 7, 3, 12", nil},
		{"no row_id", "binary", "id,score\n3,1\n", "has no column row_id", nil},
		{"no score", "binary", "row_id,p\n3,1\n12,1\n7,1\n", "has no column score", nil},
		{"a row less", "binary", "row_id,score\n3,0.5\n7,0\n", "lacks 1 of 3 rows: row_id 12", nil},
		{"a row twice", "binary", "row_id,score\n3,0.5\n12,1\n7,0\n3,0.5\n", "has 1 row twice: row_id 3", nil},
		{"a stranger", "binary", "row_id,score\n3,0.5\n12,1\n7,0\n99,1\n98,1\n97,1\n96,1\n", "has 4 rows that were not asked for: row_id 99, 98, 97, …", nil},
		{"NaN", "binary", "row_id,score\n3,NaN\n12,1\n7,0\n", "has NaN as the score of row_id 3", nil},
		{"NA", "regression", "row_id,score\n3,NA\n12,1\n7,0\n", "has NaN as the score of row_id 3", nil},
		{"nothing", "regression", "row_id,score\n3,\n12,1\n7,0\n", "as the score of row_id 3", nil},
		{"infinite", "regression", "row_id,score\n3,-Inf\n12,1\n7,0\n", "has -Inf as the score of row_id 3", nil},
		{"beyond any number", "regression", "row_id,score\n3,1e999\n12,1\n7,0\n", "has +Inf as the score of row_id 3", nil},
		{"above one", "binary", "row_id,score\n3,1.0001\n12,1\n7,0\n", "has 1.0001 as the score of row_id 3", nil},
		{"below zero", "binary", "row_id,score\n3,0\n12,-1e-9\n7,0\n", "has -1e-09 as the score of row_id 12", nil},
		{"text", "binary", "row_id,score\n3,yes\n12,1\n7,0\n", "as the score of row_id 3", nil},
		{"a row_id of text", "binary", "row_id,score\nx,1\n12,1\n7,0\n", `has a row_id "x" in line 2`, nil},
		{"half a row_id", "binary", "row_id,score\n3.5,1\n12,1\n7,0\n", `has a row_id "3.5" in line 2`, nil},
		{"ragged", "binary", "row_id,score\n3\n", "can't be read", nil},
		{"classes", "multiclass", "row_id,score_b,score_a\n3,0.25,0.75\n12,1,0\n7,0.5,0.5\n", "", []string{"a", "b"}},
		{"a class never answered", "multiclass", "row_id,score_a\n3,1\n12,1\n7,1\n", "", []string{"a", "b"}},
		{"classes that do not add up", "multiclass", "row_id,score_a,score_b\n3,1,0.5\n12,1,0\n7,1,0\n", "has scores of row_id 3 that add up to 1.5", []string{"a", "b"}},
		{"no class", "multiclass", "row_id,score\n3,1\n12,1\n7,1\n", "has none of the columns score_a, score_b", []string{"a", "b"}},
		{"a class of NaN", "multiclass", "row_id,score_a,score_b\n3,NaN,0.5\n12,1,0\n7,1,0\n", "has NaN as the score_a of row_id 3", []string{"a", "b"}},
	} {
		for _, format := range []string{CSV, Parquet} {
			t.Run(c.name+" "+format, func(t *testing.T) {
				p := testProgram(t, c.task, format)
				p.Classes = c.classes
				room := testRoom(t)
				data := []byte(c.csv)
				if format == Parquet {
					if data = asParquet(t, p, c.csv); data == nil {
						t.Skip("no such Parquet file")
					}
				}
				if err := room.Put("out/x", 0o600, bytes.NewReader(data)); err != nil {
					t.Fatal(err)
				}
				got, err := p.scores(t.Context(), answers{room, "out/x", "it"}, wanted)
				want := c.want
				if format == Parquet && c.name == "text" {
					want = "has a score of type varchar"
				}
				if want == "" && (err != nil || len(got) != max(1, len(c.classes)) || len(got[0]) != 3) {
					t.Fatalf("got %v, %v", got, err)
				}
				if want != "" && (err == nil || !strings.Contains(err.Error(), "it "+want) && !strings.Contains(err.Error(), want)) {
					t.Fatalf("got %v, want %s", err, want)
				}
			})
		}
	}
}

// asParquet writes a CSV of numbers as Parquet; nil where it could not be one.
func asParquet(t *testing.T, p *Program, text string) []byte {
	t.Helper()
	if head, _, _ := strings.Cut(text, "\n"); !strings.Contains(text, "row_id") && !strings.Contains(head, ",") || strings.HasSuffix(text, "3\n") {
		return nil
	}
	csv, out := filepath.Join(p.Temp, "in.csv"), filepath.Join(p.Temp, "in.parquet")
	if err := os.WriteFile(csv, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DB.WriteQuery(t.Context(), "select * from read_csv("+engine.Literal(csv)+", header = true, nullstr = '')", out); err != nil {
		return nil
	}
	described, err := p.DB.Columns(t.Context(), "select * from read_parquet("+engine.Literal(out)+")")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range described { // NaN, NA and 3.5 make texts and doubles of their columns
		if c.Name == rowID && c.Type != table.Int64 || strings.HasPrefix(c.Name, scoreColumn) && c.Type == table.String && !strings.Contains(text, "yes") {
			return nil
		}
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Parquet that is no Parquet, or stands for more than there is, is an error and not the end of plumb.
func TestHostileParquet(t *testing.T) {
	p := testProgram(t, "binary", Parquet)
	path := filepath.Join(p.Temp, "big.parquet")
	write := func(query string) []byte {
		if _, err := p.DB.WriteQuery(t.Context(), query, path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := write("select i as row_id, 0.5::double as score from range(3) t(i)")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":          {nil, "can't be read"},
		"no Parquet":       {[]byte("PAR1 hello PAR1"), "can't be read"},
		"half":             {good[:len(good)/2], "can't be read"},
		"a footer of 4 GB": {append(append([]byte{}, good[:len(good)-8]...), 0xff, 0xff, 0xff, 0xff, 'P', 'A', 'R', '1'), "can't be read"},
		"many rows":        {write("select i as row_id, 0.5::double as score from range(2000000) t(i)"), "has 2000000 rows, and there should be 3"},
		"many columns":     {write("select 1 as row_id, " + columns(600)), "columns"},
		"texts":            {write("select i as row_id, repeat('x', 1000000) as score from range(3) t(i)"), "has a score of type varchar"},
		"lists":            {write("select i as row_id, [0.5] as score from range(3) t(i)"), "has a score of type"},
		"decimals":         {write("select i as row_id, 0.5 as score from range(3) t(i)"), "has a score of type decimal"},
		"bools":            {write("select i as row_id, true as score from range(3) t(i)"), "has a score of type boolean"},
		"nulls":            {write("select i as row_id, null::double as score from range(3) t(i)"), "has nothing as the score of row_id 0"},
		"null row ids":     {write("select nullif(i, 1) as row_id, 0.5::double as score from range(3) t(i)"), "has no row_id in row 1"},
		"huge row ids":     {write("select 18446744073709551615::ubigint as row_id, 0.5::double as score from range(3) t(i)"), "row_id"},
	} {
		t.Run(name, func(t *testing.T) {
			room := testRoom(t)
			if err := room.Put("out/x", 0o600, bytes.NewReader(c.data)); err != nil {
				t.Fatal(err)
			}
			got, err := p.scores(t.Context(), answers{room, "out/x", "it"}, []int64{0, 1, 2})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), p.Temp) {
				t.Errorf("got %v, %v, want %s", got, err, c.want)
			}
		})
	}
}

func columns(n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("0.5::double as score_%d", i))
	}
	return strings.Join(names, ", ")
}

// FuzzParquet changes bytes of a file of scores: an error or scores, never a crash.
func FuzzParquet(f *testing.F) {
	temp := f.TempDir()
	db, err := engine.Open(f.Context(), engine.Options{Read: []string{temp}, Temp: temp})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	path := filepath.Join(temp, "x.parquet")
	if _, err := db.WriteQuery(f.Context(), "select i as row_id, 0.5::double as score from range(20) t(i)", path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, byte(0))
	f.Add(len(good)-9, byte(0xff))
	p := &Program{Task: "binary", Format: Parquet, DB: db, Temp: temp}
	f.Fuzz(func(t *testing.T, at int, value byte) {
		data := bytes.Clone(good)
		data[((at%len(data))+len(data))%len(data)] = value
		_, _ = p.readParquet(t.Context(), data, 20)
	})
}

// A model comes back as it was left; the same files give the same bytes, whenever and by whom they were written.
func TestModel(t *testing.T) {
	p := testProgram(t, "binary", CSV)
	leave := func(files map[string]string) *job.Room {
		r := testRoom(t)
		for name, text := range files {
			if err := r.Put("out/model/"+name, 0o644, strings.NewReader(text)); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	files := map[string]string{"b.bin": "\x00\xff", "a/deep/x": "text", "empty": ""}
	m, err := p.model(leave(files))
	if err != nil || m.Type != TypeTar || m.Name != "" {
		t.Fatalf("got %+v, %v", m, err)
	}
	time.Sleep(10 * time.Millisecond)
	if again, err := p.model(leave(files)); err != nil || !bytes.Equal(again.Data, m.Data) {
		t.Errorf("other bytes: %v", err)
	}
	one, err := p.model(leave(map[string]string{"model.joblib": "x"}))
	if err != nil || one.Type != TypeFile || one.Name != "model.joblib" || string(one.Data) != "x" {
		t.Fatalf("got %+v, %v", one, err)
	}
	for _, c := range []struct {
		m     Model
		files map[string]string
	}{{m, files}, {one, map[string]string{"model.joblib": "x"}}} {
		r := testRoom(t)
		if err := c.m.unpack(r); err != nil {
			t.Fatal(err)
		}
		for name, text := range c.files {
			if got, err := os.ReadFile(filepath.Join(r.Model(), filepath.FromSlash(name))); err != nil || string(got) != text {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
	if _, err := p.model(testRoom(t)); err == nil || !strings.Contains(err.Error(), "left no model") {
		t.Errorf("got %v", err)
	}
	beside := testRoom(t)
	if err := beside.Put("out/model.pkl", 0o644, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.model(beside); err == nil || !strings.Contains(err.Error(), "(there is PLUMB_OUT/model.pkl)") {
		t.Errorf("got %v", err)
	}
}

// What comes from a store may be anything.
func TestUnpackRefuses(t *testing.T) {
	for name, m := range map[string]Model{
		"no type": {Data: []byte("x")}, "another type": {Type: "application/json", Data: []byte("x")}, "a path": {Type: TypeFile, Name: "a/b"}, "above": {Type: TypeFile, Name: ".."},
		"no name": {Type: TypeFile}, "no tar": {Type: TypeTar, Data: []byte(strings.Repeat("x", 1024))}, "links": {Type: TypeTar, Data: tarOf('2', "x", "/etc/passwd")},
		"climbing": {Type: TypeTar, Data: tarOf('0', "../../x", "")}, "absolute": {Type: TypeTar, Data: tarOf('0', "/etc/x", "")}, "twice": {Type: TypeTar, Data: append(tarOf('0', "x", "")[:512], tarOf('0', "x", "")...)},
		"devices": {Type: TypeTar, Data: tarOf('3', "x", "")},
	} {
		if err := m.unpack(testRoom(t)); err == nil {
			t.Errorf("%s is unpacked", name)
		}
	}
}

// Curves are thinned, and what is none is counted and left aside.
func TestCurves(t *testing.T) {
	p := testProgram(t, "binary", CSV)
	p.Env = []string{"MY_TOKEN=s3cr3t-0123456789"}
	r := testRoom(t)
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, `{"step":%d,"name":"loss","value":%g,"split":"train"}`+"\n", i, 1/float64(i+1))
	}
	b.WriteString(`{"step":1,"name":"auc","value":0.5}` + "\n\n\x1b[31m\n{\"step\":1,\"name\":\"::error::\",\"value\":1}\n" + `{"step":1,"name":"nan","value":NaN}` + "\n" + `{"step":1,"name":"s3cr3t-0123456789","value":1}` + "\n")
	for i := range 40 {
		fmt.Fprintf(&b, `{"step":1,"name":"more %d","value":1}`+"\n", i)
	}
	b.WriteString(`{"step":1e300,"name":"far","value":1}` + "\n" + strings.Repeat("x", 1<<20))
	if err := r.Put("out/metrics.jsonl", 0o600, strings.NewReader(b.String())); err != nil {
		t.Fatal(err)
	}
	curves, notes := p.curves(r)
	if len(curves) != maxCurves-1 || len(notes) != 1 || !strings.HasPrefix(notes[0], "16 lines of its metrics.jsonl are left aside") {
		t.Errorf("%d curves, %q", len(curves), notes)
	}
	for _, c := range curves {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
	first := curves[0].Points
	if n := len(first); n < maxPoints/2 || first[0].Step != 0 || first[n-1].Step != 99_999 {
		t.Errorf("%d points, %v … %v", n, first[0], first[n-1])
	}
	for i := 1; i < len(first); i++ {
		if first[i].Step <= first[i-1].Step {
			t.Errorf("step %v after %v", first[i].Step, first[i-1].Step)
		}
	}
	if said := p.lastStep(r); strings.Contains(said, "\x1b") {
		t.Errorf("got %q", said)
	}
}

// Rows reach a program as its format has them: checked here by what CSV says, and that numbers read back as they were.
func TestCSV(t *testing.T) {
	f := table.Frame{N: 3, Columns: []table.Vector{
		{Column: table.Column{Name: "row_id", Type: table.Int64}, Ints: []int64{1, 2, math.MaxInt64}},
		{Column: table.Column{Name: "naïve, \"q\"", Type: table.Float64}, Floats: []float64{0.1, math.NaN(), 1e-300}},
		{Column: table.Column{Name: "day", Type: table.Date}, Ints: []int64{0, 19723, -1}},
		{Column: table.Column{Name: "at", Type: table.Timestamp}, Ints: []int64{0, 1_000_001, -1_000_000}},
		{Column: table.Column{Name: "b", Type: table.Bool}, Bools: []bool{true, false, true}, Null: []bool{false, false, true}},
		{Column: table.Column{Name: "s", Type: table.String}, Strings: []string{"a,b", "\"q\"\nline", ""}},
	}}
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := writeCSV(f, path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	want := "row_id,\"naïve, \"\"q\"\"\",day,at,b,s\n1,0.1,1970-01-01,1970-01-01 00:00:00,true,\"a,b\"\n2,,2024-01-01,1970-01-01 00:00:01.000001,false,\"\"\"q\"\"\nline\"\n9223372036854775807,1e-300,1969-12-31,1969-12-31 23:59:59,,\n"
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
}

// The parameters are the very text that was digested, and the code must be the code that was.
func TestRoomOfAProgram(t *testing.T) {
	p := testProgram(t, "binary", CSV)
	script := "#!/bin/sh\n"
	file := File{Path: "src/run.sh", Mode: 0o755, SHA256: digest.Bytes([]byte(script)), Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(script)), nil }}
	p.Files = []File{file}
	r, err := p.room()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if info, err := os.Stat(filepath.Join(r.Work(), "src", "run.sh")); err != nil || info.Mode()&fs.FileMode(0o100) == 0 {
		t.Errorf("got %v, %v", info, err)
	}
	s, err := p.spec(r, []string{"x"})
	if err != nil || !strings.Contains(strings.Join(s.Env, "\n"), `PLUMB_PARAMS={"a":1}`) || !strings.Contains(strings.Join(s.Env, "\n"), `PLUMB_FEATURES=["x","naïve, \"q\""]`) {
		t.Errorf("got %v, %v", err, s.Env)
	}
	script = "changed"
	if _, err := p.room(); err == nil || !strings.Contains(err.Error(), "src/run.sh: it changed while the run began") {
		t.Errorf("got %v", err)
	}
}
