package rule_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// The columns of testdata/conformance.txt.
var columns = map[string]table.Type{
	"i": table.Int64, "j": table.Int64, "k": table.Int64, "x": table.Float64, "y": table.Float64, "z": table.Float64,
	"b": table.Bool, "c": table.Bool, "f": table.Bool, "s": table.String, "r": table.String, "w": table.String,
	"d": table.Date, "e": table.Date, "t": table.Timestamp, "u": table.Timestamp, "p": table.Decimal, `odd "name"`: table.Int64,
}

type conformanceCase struct {
	line  int
	row   map[string]any
	src   string
	typ   table.Type
	value any
}

// readConformance reads the table. The engine's test has a reader of its own: a shared one would be a package that only tests use.
func readConformance(t testing.TB, path string) []conformanceCase {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []conformanceCase
	var row map[string]any
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '@':
			_, text, _ := strings.Cut(line, " ")
			row = map[string]any{}
			for name, v := range decode(t, text).(map[string]any) {
				row[name] = value(t, columns[name], v)
			}
		default:
			src, want, ok := strings.Cut(line, " => ")
			typ, text, ok2 := strings.Cut(want, " ")
			if !ok || !ok2 {
				t.Fatalf("line %d: not `expression => type value`", n)
			}
			out = append(out, conformanceCase{n, row, src, table.Type(typ), value(t, table.Type(typ), decode(t, text))})
		}
	}
	if len(out) < 150 {
		t.Fatalf("only %d cases", len(out))
	}
	return out
}

func decode(t testing.TB, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func value(t testing.TB, typ table.Type, v any) any {
	t.Helper()
	if v == nil {
		return nil
	}
	text := fmt.Sprint(v)
	var out any
	var err error
	switch typ {
	case table.Bool:
		return v.(bool)
	case table.String, table.Decimal:
		return text
	case table.Int64, rule.DurationType:
		var whole int64
		whole, err = json.Number(text).Int64()
		out = whole
		if typ == rule.DurationType {
			out = rule.Duration(whole)
		}
	case table.Float64:
		switch text {
		case "NaN":
			return math.NaN()
		case "Infinity", "-Infinity":
			return math.Inf(len("Infinity") - len(text))
		}
		out, err = json.Number(text).Float64()
	case table.Date:
		out, err = time.Parse(time.DateOnly, text)
	case table.Timestamp:
		out, err = time.Parse(time.RFC3339, text)
	default:
		err = fmt.Errorf("no type %q", typ)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// equal holds floats to 1e-12, relative, and everything else to the letter.
func equal(a, b any) bool {
	x, isFloat := a.(float64)
	y, isFloat2 := b.(float64)
	switch {
	case isFloat && isFloat2:
		return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-12*math.Max(math.Abs(x), math.Abs(y))
	case isFloat != isFloat2:
		return false
	}
	s, isTime := a.(time.Time)
	u, isTime2 := b.(time.Time)
	if isTime && isTime2 {
		return s.Equal(u)
	}
	return a == b
}

func TestConformance(t *testing.T) {
	for _, c := range readConformance(t, "testdata/conformance.txt") {
		e, err := rule.Parse(c.src, rule.Env{Columns: columns})
		if err != nil {
			t.Errorf("line %d: %s: %v", c.line, c.src, err)
			continue
		}
		if e.Type() != c.typ {
			t.Errorf("line %d: %s has type %s, want %s", c.line, c.src, e.Type(), c.typ)
		}
		got, err := e.Eval(c.row)
		if err != nil || !equal(got, c.value) {
			t.Errorf("line %d: %s = %v (%v), want %v", c.line, c.src, got, err, c.value)
		}
		if e.SQL() == "" {
			t.Errorf("line %d: %s has no SQL", c.line, c.src)
		}
	}
}
