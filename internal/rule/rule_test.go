package rule_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

func mustParse(t *testing.T, src string, columns map[string]table.Type) rule.Expr {
	t.Helper()
	e, err := rule.Parse(src, rule.Env{Columns: columns})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return e
}

func TestGates(t *testing.T) {
	rows := map[string]map[string]any{
		"good":    {"auc": 0.71, "params.rounds": int64(300), "slice.auc": []float64{0.6, 0.7}},
		"bad":     {"auc": 0.5, "params.rounds": 100, "slice.auc": []float64{0.6, 0.5}},
		"unknown": {"params.rounds": int64(100)},
		"hole":    {"auc": math.NaN(), "params.rounds": int64(300), "slice.auc": []float64{0.9, math.NaN()}},
		"empty":   {"auc": 0.71, "params.rounds": int64(300), "slice.auc": []float64{}},
	}
	for _, c := range []struct {
		src  string
		want map[string]any
	}{
		{"min(slice.auc) >= 0.55", map[string]any{"good": true, "bad": false, "unknown": nil, "hole": nil, "empty": nil}},
		{"max(slice.auc) - min(slice.auc) < 0.2", map[string]any{"good": true, "bad": true, "unknown": nil, "hole": nil, "empty": nil}},
		{"auc > 0.6 and params.rounds >= 200", map[string]any{"good": true, "bad": false, "unknown": false, "hole": nil, "empty": true}},
		{"not (auc > 0.6) or params.rounds >= 200", map[string]any{"good": true, "bad": true, "unknown": nil, "hole": true, "empty": true}},
		{"(auc ?? 0) > 0.6", map[string]any{"good": true, "bad": false, "unknown": false, "hole": false, "empty": true}},
		{"is_null(slice.auc) or min(slice.auc) > 0.5", map[string]any{"good": true, "bad": false, "unknown": true, "hole": nil, "empty": nil}},
		{`col("params.learning-rate") < 0.2`, map[string]any{"good": nil, "bad": nil, "unknown": nil, "hole": nil, "empty": nil}},
	} {
		e := mustParse(t, c.src, gateColumns)
		for name, row := range rows {
			got, err := e.Eval(row)
			if err != nil || got != c.want[name] {
				t.Errorf("%s on %s = %v (%v), want %v", c.src, name, got, err, c.want[name])
			}
		}
		if strings.Contains(c.src, "slice.") && e.SQL() != "" {
			t.Errorf("%s has SQL %s", c.src, e.SQL())
		}
	}
}

func TestColumns(t *testing.T) {
	known := map[string]table.Type{"date": table.Timestamp, "distance": table.Int64, "delay": table.Int64}
	e := mustParse(t, "date + minutes(40 + distance / 7.5 + max(delay, 0))", known)
	if got := e.Columns(); !reflect.DeepEqual(got, []string{"date", "distance", "delay"}) {
		t.Errorf("columns %v", got)
	}
	if got := mustParse(t, "1 < 2", nil); len(got.Columns()) != 0 || got.Type() != table.Bool {
		t.Errorf("columns %v, type %s", got.Columns(), got.Type())
	}
	sql := mustParse(t, "delay > 15", known).SQLOf(func(name string) string { return "l." + rule.Quote(name+`"x`) })
	if sql != `(l."delay""x" > 15)` {
		t.Errorf("SQL %s", sql)
	}
}

// TestSQLText pins the forms that hold off what engines do differently; the engine's tests hold that they work.
func TestSQLText(t *testing.T) {
	for src, want := range map[string]string{
		"i > 15":          `("i" > 15)`,
		"i / j":           `("i" * 1e0 / nullif("j", 0))`,
		"i / 7.5":         `("i" / 7.5e0)`,
		"i + 1":           `try_cast(try_cast(cast("i" as decimal(19,0)) + 1 as decimal(38,1)) as bigint)`,
		"i % -1":          `("i" % 1)`,
		"b ? 1 : -2":      `case when "b" then bigint '1' else bigint '-2' end`,
		"x":               `case when abs("x") <= 1.7976931348623157e308 then "x" end`,
		"p":               `cast("p" as double)`,
		"max(i, 0)":       `case when "i" is not null then greatest("i", 0) end`,
		`s == "O'Hare"`:   `("s" = 'O''Hare')`,
		"s contains '%'":  `("s" like '%$%%' escape '$')`,
		"weekday(d)":      `((date_diff('day', date '1970-01-05', "d") % 7 + 7) % 7 + 1)`,
		"minutes(i / j)":  `try_cast(round(("i" * 1e0 / nullif("j", 0)) * 6e4) as bigint)`,
		"-1e-5 * x + 1e5": `(((-1e-5) * case when abs("x") <= 1.7976931348623157e308 then "x" end) + 1e5)`,
	} {
		if got := mustParse(t, src, columns).SQL(); got != want {
			t.Errorf("%s is\n%s, want\n%s", src, got, want)
		}
	}
}

func TestEvalTypes(t *testing.T) {
	for _, c := range []struct {
		src  string
		row  map[string]any
		want any // nil: an error
	}{
		{"i + 1", map[string]any{"i": 1}, int64(2)},
		{"i + 1", map[string]any{"i": int32(1)}, int64(2)},
		{"i + 1", map[string]any{"i": 1.0}, nil},
		{"i + 1", map[string]any{"i": "1"}, nil},
		{"x + 1", map[string]any{"x": float32(1.5)}, 2.5},
		{"x + 1", map[string]any{"x": int64(1)}, 2.0},
		{"x + 1", map[string]any{"x": "1"}, nil},
		{"x + 1", map[string]any{"x": true}, nil},
		{"p + 1", map[string]any{"p": "1.25"}, 2.25},
		{"p + 1", map[string]any{"p": "one"}, nil},
		{"not b", map[string]any{"b": 1}, nil},
		{"s + 'a'", map[string]any{"s": []byte("a")}, nil},
		{"d", map[string]any{"d": time.Date(1969, 7, 20, 20, 17, 0, 0, time.UTC)}, time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC)},
		{"t", map[string]any{"t": time.Date(2001, 6, 30, 14, 0, 0, 0, time.FixedZone("", 7200))}, time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)},
		{"t", map[string]any{"t": "2001-06-30"}, nil},
		{"minutes(i)", map[string]any{"i": 2}, rule.Duration(120000)},
	} {
		got, err := mustParse(t, c.src, columns).Eval(c.row)
		if (err != nil) != (c.want == nil) || got != c.want {
			t.Errorf("%s on %v = %v (%v), want %v", c.src, c.row, got, err, c.want)
		}
	}
	if got, err := (rule.Expr{}).Eval(nil); got != nil || err != nil {
		t.Errorf("the zero expression is %v (%v)", got, err)
	}
}

func TestLimits(t *testing.T) {
	long := func(n int, part string) string { return strings.TrimSuffix(strings.Repeat(part, n), " + ") }
	for _, c := range []struct {
		name, src string
		ok        bool
	}{
		{"a long sum", long(200, "x + "), true},
		{"too many parts", long(600, "x + "), false},
		{"deep brackets", strings.Repeat("(", 60) + "x" + strings.Repeat(")", 60), true},
		{"too deep brackets", strings.Repeat("(", 65) + "x" + strings.Repeat(")", 65), false},
		{"open brackets", strings.Repeat("(", 4000), false},
		{"signs", strings.Repeat("-", 4000) + "x", false},
		{"nots", strings.Repeat("not ", 1000) + "b", false},
		{"powers", strings.TrimSuffix(strings.Repeat("x ** ", 500), " ** "), false},
		{"conditions", strings.Repeat("b ? 1 : ", 400) + "2", false},
		{"4 KiB", "x + 1" + strings.Repeat(" ", 4091), true},
		{"beyond 4 KiB", "x + 1" + strings.Repeat(" ", 4092), false},
		{"SQL that doubles 40 times", strings.Repeat("sqrt(", 40) + "x" + strings.Repeat(")", 40), false},
		{"chains within chains", strings.Repeat("1 < (b ? 1 : ", 20) + "2" + strings.Repeat(") < 3 ? 1 : 2", 20), false},
		{"invalid UTF-8", "s == \"\xff\"", false},
		{"a zero byte", "s == \"\x00\"", false},
		{"an escaped zero byte", `s == "\x00"`, false},
	} {
		_, err := rule.Parse(c.src, rule.Env{Columns: columns})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if e, isRule := err.(*rule.Error); err != nil && (!isRule || e.Offset < 0 || e.Offset > len(c.src)) {
			t.Errorf("%s: error %#v", c.name, err)
		}
	}
}

func TestName(t *testing.T) {
	known := map[string]table.Type{}
	for _, name := range []string{"delay", "params.rounds", "a b", "a-b", "1st", "in", "null", "true", "not", "min", "Größe", `q"uote`, "back\\slash", "tab\there", "", "a.", "let", "é.b", "x//y", "日本"} {
		known[name] = table.Int64
		src := rule.Name(name)
		if got := mustParse(t, src, known).Columns(); !reflect.DeepEqual(got, []string{name}) {
			t.Errorf("%s reads %q, want %q", src, got, name)
		}
	}
	for _, name := range []string{"delay", "params.rounds", "min", "日本"} {
		if rule.Name(name) != name {
			t.Errorf("%s is written %s", name, rule.Name(name))
		}
	}
}

func TestFunctions(t *testing.T) {
	for _, usage := range rule.Functions() {
		if !strings.Contains(usage, "(") {
			t.Errorf("%q does not say its arguments", usage)
		}
	}
}

// FuzzParse holds that no text makes the language panic, that every error points into the text, and that what is accepted has a value of its type.
func FuzzParse(f *testing.F) {
	for _, c := range readConformance(f, "testdata/conformance.txt") {
		f.Add(c.src)
	}
	for _, src := range []string{"", "(", "a ? b", "1 < x < 2 < 3", "x in [1,", "\"\\", "i??j??k", "not not b", "// c", "/*", "😀", "col(\"\")", "x.y.z", "date(\"\")", "s matches \"(\"", "-9223372036854775808", "slice.auc", "9e999"} {
		f.Add(src)
	}
	row := map[string]any{"i": int64(7), "x": 1.5, "b": true, "s": "Å", "t": time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC), "d": time.Date(2001, 6, 30, 0, 0, 0, 0, time.UTC), "p": "1.5"}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := rule.Parse(src, rule.Env{Columns: columns})
		if err != nil {
			if re, ok := err.(*rule.Error); !ok || re.Offset < 0 || re.Offset > len(src) || re.Msg == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if e.SQL() == "" {
			t.Fatal("no SQL")
		}
		for _, r := range []map[string]any{row, nil} {
			v, err := e.Eval(r)
			if err != nil {
				t.Fatal(err)
			}
			if want := goTypes[e.Type()]; v != nil && fmt.Sprintf("%T", v) != want {
				t.Fatalf("a %T, want %s", v, want)
			}
		}
	})
}

var goTypes = map[table.Type]string{
	table.Int64: "int64", table.Float64: "float64", table.Bool: "bool", table.String: "string",
	table.Date: "time.Time", table.Timestamp: "time.Time", rule.DurationType: "rule.Duration",
}
