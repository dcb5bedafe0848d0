package engine_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// The columns of ../rule/testdata/conformance.txt.
var columns = map[string]table.Type{
	"i": table.Int64, "j": table.Int64, "k": table.Int64, "x": table.Float64, "y": table.Float64, "z": table.Float64,
	"b": table.Bool, "c": table.Bool, "f": table.Bool, "s": table.String, "r": table.String, "w": table.String,
	"d": table.Date, "e": table.Date, "t": table.Timestamp, "u": table.Timestamp, "p": table.Decimal, `odd "name"`: table.Int64,
}

var sqlTypes = map[table.Type]string{
	table.Int64: "bigint", table.Float64: "double", table.Bool: "boolean", table.String: "varchar",
	table.Date: "date", table.Timestamp: "timestamp", table.Decimal: "decimal(18,4)",
}

// relation gives rows as an SQL relation whose column nr counts them.
func relation(rows []map[string]any) string {
	names := slices.Sorted(maps.Keys(columns))
	lines := make([]string, len(rows))
	for i, row := range rows {
		cells := []string{strconv.Itoa(i)}
		for _, name := range names {
			text := "null"
			if v := row[name]; v != nil {
				text = "'" + strings.ReplaceAll(plainText(v), "'", "''") + "'"
			}
			cells = append(cells, "cast("+text+" as "+sqlTypes[columns[name]]+")")
		}
		lines[i] = "(" + strings.Join(cells, ", ") + ")"
	}
	quoted := []string{"nr"}
	for _, name := range names {
		quoted = append(quoted, rule.Quote(name))
	}
	return "(values " + strings.Join(lines, ",\n") + ") as rows(" + strings.Join(quoted, ", ") + ")"
}

func plainText(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// cell gives a frame's value as rule.Eval would.
func cell(v *table.Vector, i int, typ table.Type) any {
	switch {
	case v.IsNull(i):
		return nil
	case typ == rule.DurationType && v.Type == table.Int64:
		return rule.Duration(v.Ints[i])
	case v.Type != typ:
		return fmt.Sprintf("a %s", v.Type)
	case typ == table.Int64:
		return v.Ints[i]
	case typ == table.Float64:
		return v.Floats[i]
	case typ == table.Bool:
		return v.Bools[i]
	case typ == table.String:
		return v.Strings[i]
	case typ == table.Date:
		return time.Unix(v.Ints[i]*86400, 0).UTC()
	}
	return time.UnixMicro(v.Ints[i]).UTC()
}

func agree(a, b any) bool {
	if x, ok := a.(float64); ok {
		y, ok := b.(float64)
		return ok && (x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-12*math.Max(math.Abs(x), math.Abs(y)))
	}
	return a == b
}

// ask evaluates expressions on rows by SQL: answers[expression][row].
func ask(t *testing.T, db *engine.DB, exprs []rule.Expr, rows []map[string]any) [][]any {
	t.Helper()
	items := make([]string, len(exprs))
	for i, e := range exprs {
		items[i] = fmt.Sprintf("%s as c%d", e.SQL(), i)
	}
	if err := db.Exec(t.Context(), "create or replace temp table rows as select * from "+relation(rows)); err != nil {
		t.Fatal(err)
	}
	f, err := db.Frame(t.Context(), "select "+strings.Join(items, ",\n")+" from rows order by nr")
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]any, len(exprs))
	for i, e := range exprs {
		out[i] = make([]any, len(rows))
		for row := range rows {
			out[i][row] = cell(&f.Columns[i], row, e.Type())
		}
	}
	return out
}

// TestConformance runs the table of the expression language on the engine; package rule runs it in Go.
func TestConformance(t *testing.T) {
	db, err := engine.Open(t.Context(), engine.Options{Temp: t.TempDir(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cases := 0
	for _, block := range readConformance(t, "../rule/testdata/conformance.txt") {
		exprs := make([]rule.Expr, len(block.src))
		for i, src := range block.src {
			if exprs[i], err = rule.Parse(src, rule.Env{Columns: columns}); err != nil {
				t.Fatalf("%s: %v", src, err)
			}
		}
		for i, answer := range ask(t, db, exprs, []map[string]any{block.row}) {
			cases++
			want := conformanceValue(t, exprs[i].Type(), block.want[i])
			if !agree(answer[0], want) {
				t.Errorf("%s = %v, want %v\n%s", exprs[i], answer[0], want, exprs[i].SQL())
			}
		}
	}
	if cases < 150 {
		t.Errorf("only %d cases", cases)
	}
}

type conformanceBlock struct {
	row  map[string]any
	src  []string
	want []any // as JSON
}

func readConformance(t *testing.T, path string) (blocks []conformanceBlock) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) (v any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return v
	}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '@':
			_, text, _ := strings.Cut(line, " ")
			row := map[string]any{}
			for name, v := range parse(text).(map[string]any) {
				row[name] = conformanceValue(t, columns[name], v)
			}
			blocks = append(blocks, conformanceBlock{row: row})
		default:
			src, want, _ := strings.Cut(line, " => ")
			_, value, _ := strings.Cut(want, " ")
			b := &blocks[len(blocks)-1]
			b.src, b.want = append(b.src, src), append(b.want, parse(value))
		}
	}
	return blocks
}

func conformanceValue(t *testing.T, typ table.Type, v any) any {
	t.Helper()
	if v == nil {
		return nil
	}
	text := fmt.Sprint(v)
	var out any = v
	var err error
	switch typ {
	case table.Int64, rule.DurationType:
		var whole int64
		whole, err = strconv.ParseInt(text, 10, 64)
		out = whole
		if typ == rule.DurationType {
			out = rule.Duration(whole)
		}
	case table.Float64:
		out, err = strconv.ParseFloat(text, 64)
	case table.Date:
		out, err = time.Parse(time.DateOnly, text)
	case table.Timestamp:
		out, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestExpressionsDiffer draws expressions and rows and looks for one that Go and the engine answer differently.
func TestExpressionsDiffer(t *testing.T) {
	db, err := engine.Open(t.Context(), engine.Options{Temp: t.TempDir(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	g := generator{rand.New(rand.NewPCG(20010630, 3))}
	for range 12 {
		rows := make([]map[string]any, 24)
		for i := range rows {
			rows[i] = g.row()
		}
		var exprs []rule.Expr
		for len(exprs) < 80 {
			src := g.root()
			e, err := rule.Parse(src, rule.Env{Columns: columns})
			if err == nil { // else: a constant that has no answer, or too long
				exprs = append(exprs, e)
			}
		}
		for i, answers := range ask(t, db, exprs, rows) {
			for r, answer := range answers {
				want, err := exprs[i].Eval(rows[r])
				if err != nil || !agree(answer, want) {
					t.Errorf("%s\non %v\nGo: %v (%v)\nSQL: %v of %s", exprs[i], rows[r], want, err, answer, exprs[i].SQL())
					break
				}
			}
			if exprs[i].Type() == table.Bool {
				checkFilter(t, db, exprs[i], answers)
			}
		}
	}
}

// checkFilter holds that an expression keeps its meaning behind where, which engines rewrite more freely than what they select.
func checkFilter(t *testing.T, db *engine.DB, e rule.Expr, answers []any) {
	t.Helper()
	f, err := db.Frame(t.Context(), "select cast(nr as bigint) as nr from rows where "+e.SQL()+" order by nr")
	if err != nil {
		t.Fatal(err)
	}
	var want []int64
	for i, answer := range answers {
		if answer == true {
			want = append(want, int64(i))
		}
	}
	if !slices.Equal(f.Columns[0].Ints, want) {
		t.Errorf("%s\nkeeps rows %v, want %v\n%s", e, f.Columns[0].Ints, want, e.SQL())
	}
}
