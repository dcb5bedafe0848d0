package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

func open(t *testing.T, o Options) *DB {
	t.Helper()
	if o.Temp == "" {
		o.Temp = t.TempDir()
	}
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(o.Temp); len(left) > 0 {
			t.Errorf("Close left %s", left[0].Name())
		}
		if _, err := os.Stat(".tmp"); err == nil {
			t.Error("the engine wrote .tmp into the working folder")
		}
	})
	return db
}

func TestFrameTypes(t *testing.T) {
	db := open(t, Options{})
	f, err := db.Frame(t.Context(), `select i::tinyint as i8, i::ubigint as u64, sum(i) over () as huge, (i / 4)::float as f32, (-i / 2.0)::decimal(10,3) as dec,
		i > 1 as flag, date '1970-01-01' - i::int as day, timestamp '1969-12-31 23:59:59.5' as ts, timestamptz '1970-01-01 02:00:00+02' as tz,
		nullif('é' || i, 'é1') as text, ('a')::enum('a', 'b') as enum, time '12:30:00' as at, uuid '00000000-0000-0000-0000-000000000001' as id, null as nothing
		from range(1, 4) t(i) order by i`)
	if err != nil {
		t.Fatal(err)
	}
	want := []table.Vector{
		{Column: table.Column{Name: "i8", Type: table.Int64}, Ints: []int64{1, 2, 3}},
		{Column: table.Column{Name: "u64", Type: table.Int64}, Ints: []int64{1, 2, 3}},
		{Column: table.Column{Name: "huge", Type: table.Int64}, Ints: []int64{6, 6, 6}},
		{Column: table.Column{Name: "f32", Type: table.Float64}, Floats: []float64{.25, .5, .75}},
		{Column: table.Column{Name: "dec", Type: table.Decimal}, Strings: []string{"-0.500", "-1.000", "-1.500"}},
		{Column: table.Column{Name: "flag", Type: table.Bool}, Bools: []bool{false, true, true}},
		{Column: table.Column{Name: "day", Type: table.Date}, Ints: []int64{-1, -2, -3}},
		{Column: table.Column{Name: "ts", Type: table.Timestamp}, Ints: []int64{-500000, -500000, -500000}},
		{Column: table.Column{Name: "tz", Type: table.Timestamp}, Ints: []int64{0, 0, 0}},
		{Column: table.Column{Name: "text", Type: table.String}, Null: []bool{true, false, false}, Strings: []string{"", "é2", "é3"}},
		{Column: table.Column{Name: "enum", Type: table.String}, Strings: []string{"a", "a", "a"}},
		{Column: table.Column{Name: "at", Type: table.String}, Strings: []string{"12:30:00", "12:30:00", "12:30:00"}},
		{Column: table.Column{Name: "id", Type: table.String}, Strings: []string{"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"}},
		{Column: table.Column{Name: "nothing", Type: table.Int64}, Null: []bool{true, true, true}, Ints: []int64{0, 0, 0}},
	}
	for i, v := range f.Columns {
		if !reflect.DeepEqual(v, want[i]) {
			t.Errorf("got %+v\nwant %+v", v, want[i])
		}
	}
	if f.N != 3 || len(f.Columns) != len(want) {
		t.Errorf("%d rows, %d columns", f.N, len(f.Columns))
	}
}

func TestQueryValues(t *testing.T) {
	db := open(t, Options{})
	rows, err := db.Query(t.Context(), `select null, true, 1::smallint, 1.5::double, 'x', date '2001-06-30', timestamptz '2001-06-30 14:00:00+02', 1.50::decimal(5,2), time '01:02:03', uuid '00000000-0000-0000-0000-000000000001'`)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{nil, true, int64(1), 1.5, "x", time.Date(2001, 6, 30, 0, 0, 0, 0, time.UTC), time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC), "1.50", "01:02:03", "00000000-0000-0000-0000-000000000001"}
	if !reflect.DeepEqual(rows.Values[0], want) {
		t.Errorf("got %#v", rows.Values[0])
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	db := open(t, Options{Read: []string{dir}})
	a := []table.Column{{Name: "a", Type: table.Int64}, {Name: "b", Type: table.String}}
	for name, c := range map[string]struct{ query, want, hint string }{
		"big unsigned": {"select 18446744073709551615::ubigint as u", `column "u": 18446744073709551615 is beyond int64`, "cast"},
		"list":         {"select [1] as l", `column "l" is of type integer[], which plumb has no column type for`, "cast"},
		"blob":         {`select 'x'::blob as b`, `column "b" is of type blob`, "cast"},
		"struct":       {`select {a: 1} as s`, `column "s" is of type struct`, "cast"},
		"json":         {`select '{}'::json as j`, `column "j" is of type json`, "cast"},
		"syntax":       {"selec 1", `syntax error at or near "selec"`, ""},
		"no table":     {"select * from nosuch", "Table with name nosuch does not exist!", ""},
		"outside":      {"select * from read_csv('/etc/passwd')", "Cannot access file", "only the project's data"},
		"outside glob": {"select * from glob('/etc/*')", "file system operations are disabled", "only the project's data"},
		"settings":     {"set threads = 1", "the configuration has been locked", ""},
		"attach":       {"attach '/tmp/x.db'", "disabled", ""},
		"no parquet":   {"from " + Scan([]string{write("bad.parquet", "PAR1xxxxxxxxPAR1")}, Parquet, nil), "Footer length error in file", "damaged"},
		"empty":        {"from " + Scan([]string{write("empty.parquet", "")}, Parquet, nil), "too small to be a Parquet file", "damaged"},
		"missing":      {"from " + Scan([]string{filepath.Join(dir, "none.parquet")}, Parquet, nil), "No files found that match the pattern", ""},
		"ragged":       {"from " + Scan([]string{write("ragged.csv", "a,b\n1,secret\n2\n")}, CSV, a), "the row has 1 fields where the header has 2", ""},
		"ragged long":  {"from " + Scan([]string{write("long.csv", "a,b\n1,secret,3\n")}, CSV, a), "the row has 3 fields where the header has 2", ""},
		"not utf-8":    {"from " + Scan([]string{write("latin.csv", "a,b\n1,\xff\n")}, CSV, a), "the text is not UTF-8", ""},
		"open quote":   {"from " + Scan([]string{write("quote.csv", "a,b\n1,\"x\n")}, CSV, a), "a quoted field is not closed", ""},
		"line ends":    {"from " + Scan([]string{write("mixed.csv", "a,b\r\n1,x\n2,y\r\n")}, CSV, a), "reached an invalid state", "end alike"},
		"json broken":  {"from " + Scan([]string{write("bad.jsonl", "{\"a\":1}\n{\"a\":\n")}, JSON, a), "Malformed JSON", "one JSON object"},
	} {
		_, err := db.Frame(t.Context(), c.query)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(problem.Hint(err), c.hint) {
			t.Errorf("%s: hint %q", name, problem.Hint(err))
		}
	}
	var e *Error
	if _, err := db.Frame(t.Context(), "from "+Scan([]string{filepath.Join(dir, "ragged.csv")}, CSV, a)); !errors.As(err, &e) || e.Line != 3 {
		t.Errorf("line of the ragged row: %+v", e)
	}
}

func TestCancel(t *testing.T) {
	db := open(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := db.Query(ctx, "select count(*) from range(10000000) a, range(10000000) b where a.range + b.range = 7")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if _, err := db.Query(t.Context(), "select 1"); err != nil {
		t.Errorf("after a stopped query: %v", err)
	}
}

func TestMemoryLimitSpills(t *testing.T) {
	db := open(t, Options{Memory: "60MB", Threads: 1})
	rows, err := db.Query(t.Context(), "select count(*) from (select i, hash(i) as h from range(6000000) t(i) order by h)")
	if err != nil || rows.Values[0][0] != int64(6000000) {
		t.Errorf("%v, %v", rows.Values, err)
	}
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	text := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cols := []table.Column{{Name: "n", Type: table.Int64}, {Name: `q"s`, Type: table.String}, {Name: "at", Type: table.Timestamp}, {Name: "d", Type: table.Decimal}}
	files := []string{
		text("o'hara[1].csv", "n,\"q\"\"s\",at,d\n1,x,2001-01-01T02:00:00+02:00,1.5\n,\"\",,\n"),
		text("o'hara1.csv", "n,\"q\"\"s\",at,d\n\"\",,2001-01-01 00:00:00,\n"),
		text("header only.csv", "n,\"q\"\"s\",at,d\n"),
	}
	files = append(files, files[0])
	db := open(t, Options{Read: []string{dir}})
	f, err := db.Frame(t.Context(), "select * from "+Scan(files, CSV, cols))
	if err != nil {
		t.Fatal(err)
	}
	midnight := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	want := table.Frame{N: 5, Columns: []table.Vector{
		{Column: table.Column{Name: RowID, Type: table.Int64}, Ints: []int64{0, 1, 2, 3, 4}},
		{Column: cols[0], Null: []bool{false, true, true, false, true}, Ints: []int64{1, 0, 0, 1, 0}},
		{Column: cols[1], Null: []bool{false, false, true, false, false}, Strings: []string{"x", "", "", "x", ""}},
		{Column: cols[2], Null: []bool{false, true, false, false, true}, Ints: []int64{midnight, 0, midnight, midnight, 0}},
		{Column: cols[3], Null: []bool{false, true, true, false, true}, Strings: []string{"1.500000000", "", "", "1.500000000", ""}},
	}}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got %+v\nwant %+v", f, want)
	}

	lines := []string{text("a.jsonl", "{\"n\":1,\"q\\\"s\":\"x\"}\n{\"at\":\"2001-01-01\",\"q\\\"s\":5.0}\n")}
	f, err = db.Frame(t.Context(), "select * from "+Scan(lines, JSON, cols))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Columns[1].Text(0), f.Columns[2].Text(1), f.Columns[3].Ints[1] == midnight, f.Columns[1].IsNull(1)); got != "15.0true true" {
		t.Errorf("JSON lines: %s", got)
	}
}

// Rows keep their order over files, row groups and threads.
func TestScanOrder(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Options{Read: []string{dir}, Threads: 4})
	var files []string
	for i := range 3 {
		files = append(files, filepath.Join(dir, fmt.Sprintf("p%d.parquet", i)))
		if _, err := db.WriteQuery(t.Context(), fmt.Sprintf("select (i + %d)::int as v, (i + %d)::float as w from range(200000) t(i)", i*200000, i*200000), files[i]); err != nil {
			t.Fatal(err)
		}
	}
	rel := Scan(files, Parquet, []table.Column{{Name: "w", Type: table.Float64}, {Name: "v", Type: table.Int64}})
	rows, err := db.Query(t.Context(), "select count(*), count(*) filter (row_id = v and row_id = w) from "+rel)
	if err != nil || !reflect.DeepEqual(rows.Values[0], []any{int64(600000), int64(600000)}) {
		t.Errorf("%v, %v", rows.Values, err)
	}
	seen, at := 0, int64(0)
	err = db.Each(t.Context(), "select * from "+rel, 100_001, func(f table.Frame) error {
		for _, v := range f.Columns[2].Ints {
			if v != at {
				return fmt.Errorf("row %d holds %d", at, v)
			}
			at++
		}
		seen++
		return nil
	})
	if err != nil || seen != 6 || at != 600000 {
		t.Errorf("Each: %v, %d batches, %d rows", err, seen, at)
	}
	cols, err := db.Columns(t.Context(), "select * from "+rel)
	if err != nil || len(cols) != 3 || cols[1] != (Described{table.Column{Name: "w", Type: table.Float64}, "DOUBLE"}) {
		t.Errorf("%v, %v", cols, err)
	}
}

func TestWriteFrame(t *testing.T) {
	dir := t.TempDir()
	one, many := open(t, Options{Read: []string{dir}, Threads: 1}), open(t, Options{Read: []string{dir}, Threads: 4})
	src, err := one.Frame(t.Context(), `select i, case when i % 7 = 0 then null else i / 3 end as x, 'k' || (i % 100) as k, i % 2 = 0 as b, date '1960-01-01' + i::int as d,
		timestamp '1960-01-01' + interval (i) second as ts from range(300000) t(i) order by i`)
	if err != nil {
		t.Fatal(err)
	}
	var files [2][]byte
	for i, db := range []*DB{one, many} {
		path := filepath.Join(t.TempDir(), "f.parquet") // a folder the engine itself may not touch
		if err := db.WriteFrame(t.Context(), src, path); err != nil {
			t.Fatal(err)
		}
		if files[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("one thread and four write other bytes")
	}
	path := filepath.Join(dir, "back.parquet")
	if err := os.WriteFile(path, files[0], 0o644); err != nil {
		t.Fatal(err)
	}
	back, err := many.Frame(t.Context(), "select * from read_parquet("+Literal(path)+")")
	if err != nil || !reflect.DeepEqual(src, back) {
		t.Errorf("read back: %v, %d rows", err, back.N)
	}
	if err := one.WriteFrame(t.Context(), table.Frame{Columns: []table.Vector{{Column: table.Column{Name: "a", Type: table.String}}}}, path); err != nil {
		t.Errorf("no rows: %v", err)
	}
	if err := one.WriteFrame(t.Context(), table.Frame{}, path); err == nil {
		t.Error("a frame without columns was written")
	}
}

func TestCheckSelect(t *testing.T) {
	db := open(t, Options{})
	for query, want := range map[string]string{
		"select 1":                             "[]",
		"select * from b, A join c using (x);": "[A b c]",
		"select * from a where x in (select y from b) and exists (select 1 from c)": "[a b c]",
		"select (select max(x) from d) from range(3)":                               "[d]",
		"with f as (select * from f) select * from f":                               "[f]",
		"with f as (select 1), g as (select * from F) select * from g, h":           "[h]",
		"with recursive f as (select 1 as n union all select n+1 from f) from f":    "[]",
		"select * from (with f as (select 1) select * from f), f":                   "[f]",
		"select * from a union all select * from b order by 1":                      "[a b]",
		"values (1), (2)":           "[]",
		"pivot a on b using sum(c)": "!",
		"select 1; select 2":        "!2 statements", "copy a to 'x'": "!only SELECT", "drop table a": "!only SELECT", "set threads = 1": "!only SELECT", "": "!0 statements",
		"select": "!without selection list", "select * from 'data.parquet'": "!not a dataset's name", "select * from read_csv('x')": "!read_csv", "select * from glob('*')": "!glob",
		"select * from duckdb_settings()": "!duckdb_settings", "select * from information_schema.tables": "!not a dataset", "from pragma_version()": "!pragma_version",
		"select * from query('select 1')": "!query", "show tables": "!SHOW", "select * from (describe a)": "!SHOW", "summarize a": "!SHOW",
		"select random() from a": "!random", "select now()": "!now", "select * from a tablesample 10%": "!sample", "select * from a using sample 5": "!sample", "select current_date": "!current_date", "select Current_Date": "!Current_Date", "select Now()": "!now",
		"select ago(interval 1 day)": "!ago", "select age(x) from a": "!age", "select age(x, y) from a": "[a]", "select main.now()": "!now", "select ?": "!parameter", "select $a": "!parameter",
		"select * from a where exists (from read_text('/etc/passwd'))": "!read_text", "with f as (from read_blob('x')) select 1": "!read_blob",
		"select '\x00'": "!zero byte", strings.Repeat(" ", 70000): "!bytes", strings.Repeat("(", 5000): "!",
		"select list_transform([1], x -> getvariable('a'))": "!getvariable", "explain select 1": "!", "select 'it''s' from a": "[a]",
	} {
		tables, err := db.CheckSelect(t.Context(), query)
		got := fmt.Sprint(tables)
		if wantErr, isErr := strings.CutPrefix(want, "!"); isErr && (err == nil || !strings.Contains(err.Error(), wantErr)) || !isErr && (err != nil || got != want) {
			t.Errorf("%.80s: %s, %v", query, got, err)
		}
	}
}

// Every function that the engine itself calls changeable is refused, and every macro that is made of one; this found ago() and pg_sleep().
func TestChangingFunctionsAreRefused(t *testing.T) {
	db := open(t, Options{})
	rows, err := db.Query(t.Context(), `select distinct function_name, coalesce(macro_definition, '') from duckdb_functions()
		where function_type = 'macro' or (function_type = 'scalar' and stability <> 'CONSISTENT' and function_name <> 'error') order by all`)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range rows.Values {
		name, macro := row[0].(string), row[1].(string)
		if macro != "" {
			if _, err := db.CheckSelect(t.Context(), "select "+macro); err == nil || !strings.Contains(err.Error(), "not allowed") {
				continue
			}
		}
		n++
		if _, err := db.CheckSelect(t.Context(), "select \""+name+"\"()"); err == nil {
			t.Errorf("%s is let through", name)
		}
	}
	if n < 20 {
		t.Errorf("only %d functions looked at", n)
	}
}

func TestCheckOrdered(t *testing.T) {
	db := open(t, Options{})
	for query, says := range map[string]string{
		"select x from a order by y limit 3": "", "select x from a limit 3": "limit", "select x from a offset 3": "limit", "select x from (from a limit 10%)": "limit",
		"with c as (select x from a limit 3) select * from c": "limit", "select distinct x from a": "", "select distinct on (x) y from a": "distinct on",
		"select distinct on (x) y from a order by x, y": "", "select first(x) from a": "first", "select First(x order by y) from a": "",
		"select any_value(x) from a group by z": "any_value", "select max(x) over (partition by z) from a": "", "select row_number() over (partition by z) from a": "row_number",
		"select lead(x) over (order by y) from a": "", "select lag(x) over (partition by z) from a": "lag", "select first_value(x order by y) over (partition by z) from a": "",
		"select sum(x) over (rows between 3 preceding and current row) from a": "sum", "select string_agg(x, ',') from a": "string_agg",
		"select approx_quantile(x, 0.5) from a": "approx_quantile", "select x[1], 'a' || 'b', x + 1 from a": "", "select 1;; select 2": "2 statements",
	} {
		if err := db.CheckOrdered(t.Context(), query); (err == nil) != (says == "") || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func FuzzCheckSelect(f *testing.F) {
	db, err := Open(f.Context(), Options{Temp: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	f.Add("select * from a")
	f.Add("with f as (select 1) select * from f; drop table x")
	f.Fuzz(func(t *testing.T, query string) {
		_, _ = db.CheckSelect(t.Context(), query)
		if _, err := db.Query(t.Context(), "select 1"); err != nil {
			t.Fatalf("after %q: %v", query, err)
		}
	})
}
