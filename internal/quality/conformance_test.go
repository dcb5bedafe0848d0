package quality_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/quality"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// One engine serves all tests: starting one takes longer than most of them.
var (
	db      *engine.DB
	scratch string
)

func TestMain(m *testing.M) {
	os.Exit(withEngine(m))
}

func withEngine(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "quality-"); err == nil {
		defer os.RemoveAll(scratch)
		db, err = engine.Open(context.Background(), engine.Options{Read: []string{scratch}, Temp: scratch})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer db.Close()
	return m.Run()
}

// definition is one file of Great Expectations' tests/test_definitions (Apache-2.0).
type definition struct {
	Type     string `json:"expectation_type"`
	Datasets []struct {
		Data    map[string][]any             `json:"data"`
		Schemas map[string]map[string]string `json:"schemas"`
		Tests   []definitionCase             `json:"tests"`
	} `json:"datasets"`
}

type definitionCase struct {
	Title    string         `json:"title"`
	In       map[string]any `json:"in"`
	Out      map[string]any `json:"out"`
	OnlyFor  []string       `json:"only_for"`
	Suppress []string       `json:"suppress_test_for"`
}

// The cases in testdata are facts taken from those files; the whole files are used where a copy lies beside the project.
func TestConformance(t *testing.T) {
	files, _ := filepath.Glob("testdata/gx/*.json")
	more, _ := filepath.Glob("../../../shared/conformance/gx/*/*.json")
	ran := 0
	for _, file := range append(files, more...) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d definition
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Logf("%s is no JSON (%v): left out", file, err) // Python writes Infinity
			continue
		}
		if _, ok := doc.KindOfCheck(d.Type); !ok {
			continue
		}
		for i, set := range d.Datasets {
			for _, c := range set.Tests {
				name := fmt.Sprintf("%s/%d/%s", filepath.Base(file), i, c.Title)
				if runCase(t, name, d.Type, set.Data, set.Schemas["pandas"], c) {
					ran++
				}
			}
		}
	}
	t.Logf("%d cases", ran)
	if ran < 10 {
		t.Errorf("only %d cases ran", ran)
	}
}

// runCase says whether the case is about something that plumb has.
func runCase(t *testing.T, name, kind string, data map[string][]any, schema map[string]string, c definitionCase) bool {
	k, ok := checkOf(kind, c.In)
	success, has := c.Out["success"].(bool)
	if !ok || !has || (len(c.OnlyFor) > 0 && !slices.Contains(c.OnlyFor, "pandas")) || slices.Contains(c.Suppress, "pandas") {
		return false
	}
	frame := frameOf(data, schema)
	if column := frame.Column(k.Column); column != nil && column.Type == table.Timestamp {
		k.MinValue, k.MaxValue = timeBound(k.MinValue), timeBound(k.MaxValue)
	}
	got, err := run(t.Context(), frame, k)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return true
	}
	if got.Success != success {
		t.Errorf("%s: success %v, want %v (%s: %s)", name, got.Success, success, got.State, got.Reason)
	}
	if want, has := c.Out["observed_value"]; has && !near(got.Observed, want) {
		t.Errorf("%s: observed %v, want %v", name, got.Observed, want)
	}
	if want, has := c.Out["unexpected_list"].([]any); has && k.Kind != "expect_column_values_to_not_be_null" && !sameValues(got.PartialUnexpected, want) {
		t.Errorf("%s: unexpected %v, want %v", name, got.PartialUnexpected, want)
	}
	if want, has := c.Out["unexpected_index_list"].([]any); has && !sameRows(got.UnexpectedIndex, want) {
		t.Errorf("%s: rows %v, want %v", name, got.UnexpectedIndex, want)
	}
	if result, has := c.Out["result"].(map[string]any); has {
		for field, value := range map[string]any{"element_count": got.ElementCount, "missing_count": got.MissingCount, "unexpected_count": got.UnexpectedCount, "unexpected_percent": got.UnexpectedPercent} {
			if want, has := result[field]; has && !near(reflect.Indirect(reflect.ValueOf(value)).Interface(), want) {
				t.Errorf("%s: %s is %v, want %v", name, field, reflect.Indirect(reflect.ValueOf(value)), want)
			}
		}
	}
	return true
}

// checkOf reads a case's parameters; false when it uses one that plumb does not have.
func checkOf(kind string, in map[string]any) (doc.Check, bool) {
	k := doc.Check{ID: "c", Kind: kind, Level: "warning"}
	for name, v := range in {
		if _, isParameter := v.(map[string]any); isParameter {
			return k, false
		}
		switch name {
		case "column":
			k.Column, _ = v.(string)
		case "column_A":
			k.ColumnA, _ = v.(string)
		case "column_B":
			k.ColumnB, _ = v.(string)
		case "column_list":
			for _, x := range v.([]any) {
				k.Columns = append(k.Columns, x.(string))
			}
		case "min_value":
			k.MinValue = whole(v)
		case "max_value":
			k.MaxValue = whole(v)
		case "strict_min":
			k.StrictMin, _ = v.(bool)
		case "strict_max":
			k.StrictMax, _ = v.(bool)
		case "or_equal":
			k.OrEqual, _ = v.(bool)
		case "value_set":
			list, ok := v.([]any)
			if !ok {
				return k, false
			}
			for _, x := range list {
				k.ValueSet = append(k.ValueSet, whole(x))
			}
		case "mostly":
			m := v.(float64)
			k.Mostly = &m
		case "type_":
			k.Type = map[string]string{"int": "int64", "float": "float64", "str": "string", "string": "string", "bool": "bool"}[v.(string)]
			if k.Type == "" {
				return k, false
			}
		case "catch_exceptions", "result_format", "meta":
		default:
			return k, false
		}
	}
	return k, true
}

func whole(v any) any {
	if f, ok := v.(float64); ok && f == math.Trunc(f) {
		return int64(f)
	}
	return v
}

func timeBound(v any) any {
	if at, ok := timeOf(v); ok {
		return at
	}
	return v
}

func timeOf(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{"Jan 02 2006 15:04:05", "2006-01-02T15:04:05", time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// frameOf makes a table of a case's columns, without those that mix types, which no table can: a case about one of these must fail.
func frameOf(data map[string][]any, schema map[string]string) table.Frame {
	f := table.Frame{}
	names := make([]string, 0, len(data))
	for name := range data {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		v := table.Vector{Column: table.Column{Name: name}}
		f.N = len(data[name])
		switch schema[name] {
		case "datetime64", "datetime64[ns]", "timestamp":
			fillTimes(&v, data[name])
		default:
			if !fillVector(&v, data[name]) {
				continue
			}
		}
		f.Columns = append(f.Columns, v)
	}
	ids := table.Vector{Column: table.Column{Name: "row_id", Type: table.Int64}, Ints: []int64{}}
	for i := range f.N {
		ids.Ints = append(ids.Ints, int64(i))
	}
	f.Columns = append(f.Columns, ids)
	return f
}

func fillTimes(v *table.Vector, values []any) {
	v.Type = table.Timestamp
	for _, x := range values {
		at, ok := timeOf(x)
		v.Ints, v.Null = append(v.Ints, at.UnixMicro()), append(v.Null, !ok)
	}
}

func fillVector(v *table.Vector, values []any) bool {
	kind, isWhole := "", true
	for _, x := range values {
		if x == nil {
			continue
		}
		if kind != "" && kind != fmt.Sprintf("%T", x) {
			return false
		}
		kind = fmt.Sprintf("%T", x)
		if f, ok := x.(float64); ok && f != math.Trunc(f) {
			isWhole = false
		}
	}
	v.Null = make([]bool, len(values))
	for i, x := range values {
		v.Null[i] = x == nil
		s, _ := x.(string)
		n, _ := x.(float64)
		b, _ := x.(bool)
		switch {
		case kind == "float64" && isWhole:
			v.Type, v.Ints = table.Int64, append(v.Ints, int64(n))
		case kind == "float64":
			v.Type, v.Floats = table.Float64, append(v.Floats, n)
		case kind == "bool":
			v.Type, v.Bools = table.Bool, append(v.Bools, b)
		default:
			v.Type, v.Strings = table.String, append(v.Strings, s)
		}
	}
	if len(values) == 0 {
		v.Type, v.Floats = table.Float64, []float64{} // as pandas types an empty column
	}
	return true
}

// run asks and judges one check; all columns are public.
func run(ctx context.Context, f table.Frame, k doc.Check) (record.QualityCheck, error) {
	report, err := runAll(ctx, f, k)
	if err != nil {
		return record.QualityCheck{}, err
	}
	return report.Checks[0], nil
}

func runAll(ctx context.Context, f table.Frame, checks ...doc.Check) (record.Quality, error) {
	ds := &doc.Dataset{Columns: map[string]doc.ColumnNote{}, Checks: map[string]doc.Check{}}
	for _, c := range f.Columns {
		ds.Columns[c.Name] = doc.ColumnNote{Public: true}
	}
	for _, k := range checks {
		ds.Checks[k.ID] = k
		ds.Order = append(ds.Order, k.ID)
	}
	return ask(ctx, f, ds)
}

// ask plans, asks and judges.
func ask(ctx context.Context, f table.Frame, ds *doc.Dataset) (record.Quality, error) {
	path := filepath.Join(scratch, "f.parquet")
	if err := db.WriteFrame(ctx, f, path); err != nil {
		return record.Quality{}, err
	}
	lock := &doc.Lock{}
	var cols []table.Column
	for _, c := range f.Columns {
		if c.Name != "row_id" {
			lock.Columns = append(lock.Columns, doc.LockColumn{Name: c.Name, Type: string(c.Type)})
			cols = append(cols, c.Column)
		}
	}
	var err error
	answers := map[string]table.Rows{}
	for _, q := range quality.Plan(ds, lock, engine.Scan([]string{path}, engine.Parquet, cols)) {
		if answers[q.Name], err = db.Query(ctx, q.SQL); err != nil {
			return record.Quality{}, fmt.Errorf("%s: %w", q.SQL, err)
		}
	}
	return quality.Judge(ds, lock, answers), nil
}

func near(got, want any) bool {
	g, okG := asFloat(got)
	w, okW := asFloat(want)
	if okG && okW {
		return math.Abs(g-w) <= 1e-9*math.Max(1, math.Abs(w))
	}
	return fmt.Sprint(got) == fmt.Sprint(want)
}

func asFloat(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	case bool:
		return 0, false
	}
	return 0, false
}

func sameValues(got, want []any) bool {
	return slices.EqualFunc(got, want[:min(len(want), 20)], func(a, b any) bool {
		record, ok := b.(map[string]any)
		if !ok {
			return near(a, b)
		}
		other, _ := a.(map[string]any)
		for name := range record {
			if !near(other[name], record[name]) {
				return false
			}
		}
		return len(record) == len(other)
	})
}

// sameRows compares row ids with Great Expectations' list of {column, pk_index}.
func sameRows(got []int64, want []any) bool {
	for i, w := range want {
		record, ok := w.(map[string]any)
		if !ok {
			return true // another way of naming rows
		}
		index, ok := record["pk_index"].(float64)
		if ok && (i >= len(got) || got[i] != int64(index)) {
			return false
		}
	}
	return len(got) == len(want)
}
