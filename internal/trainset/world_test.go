package trainset_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// fact is a row of the small tables that the tests here ask about; nil is null. In SQL there is z too, equal to y: what the label is made of.
type fact struct {
	e, g, h *string // entities: h is what the asking row calls e in a view with `on`
	t       int64   // event, microseconds
	k       *int64  // when its late columns are known
	x       *int64
	f       *float64
	y       int64
}

var noon = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC).UnixMicro()

func pointer[T any](v T) *T { return &v }

// randomFact has ties, edges of windows to the microsecond, facts known before, at and after their event, and nulls.
func randomFact(r *rand.Rand) fact {
	name := func(of int) *string {
		if r.IntN(12) == 0 {
			return nil
		}
		return pointer(string(rune('a' + r.IntN(of))))
	}
	near := func() int64 { return int64(r.IntN(12))*1e6 + int64(r.IntN(3)-1)*int64(r.IntN(2)) }
	out := fact{e: name(2), g: name(2), h: name(2), t: noon + near(), y: int64(r.IntN(2))}
	switch r.IntN(10) {
	case 0:
	case 1, 2, 3:
		out.k = pointer(out.t)
	case 4:
		out.k = pointer(out.t - near())
	default:
		out.k = pointer(out.t + near())
	}
	if r.IntN(5) > 0 {
		out.x = pointer(int64(r.IntN(7) - 3))
	}
	if r.IntN(5) > 0 {
		out.f = pointer(math.Round(r.NormFloat64()*1e4) / 1e3)
	}
	return out
}

func randomFacts(r *rand.Rand, n int) []fact {
	out := make([]fact, n)
	for i := range out {
		if out[i] = randomFact(r); i > 0 && r.IntN(6) == 0 {
			out[i] = out[r.IntN(i)] // a row twice
		}
	}
	return out
}

func stamp(micros int64) string {
	return "timestamp '" + time.UnixMicro(micros).UTC().Format("2006-01-02 15:04:05.999999") + "'"
}

func literal[T any](v *T, write func(T) string) string {
	if v == nil {
		return "null"
	}
	return write(*v)
}

// relation is the facts as SQL, row ids from 0.
func relation(facts []fact) string {
	lines := make([]string, len(facts))
	text := func(s string) string { return "'" + s + "'" }
	for i, f := range facts {
		lines[i] = fmt.Sprintf("(%d, %s, %s, %s, %s, %s, %s, %s, %d)", i, literal(f.e, text), literal(f.g, text), literal(f.h, text), stamp(f.t),
			literal(f.k, stamp), literal(f.x, func(x int64) string { return fmt.Sprint(x) }),
			literal(f.f, func(x float64) string { return fmt.Sprintf("%v", x) }), f.y)
	}
	return `select cast(row_id as bigint) as row_id, cast(e as varchar) as e, cast(g as varchar) as g, cast(h as varchar) as h, "at", cast(kn as timestamp) as kn,
cast(x as bigint) as x, cast(f as double) as f, cast(y as bigint) as y, cast(y as bigint) as z from (values ` + strings.Join(lines, ", ") + `) as v(row_id, e, g, h, "at", kn, x, f, y)`
}

var factColumns = []doc.LockColumn{{Name: "e", Type: "string"}, {Name: "g", Type: "string"}, {Name: "h", Type: "string"}, {Name: "at", Type: "timestamp"},
	{Name: "kn", Type: "timestamp"}, {Name: "x", Type: "int64"}, {Name: "f", Type: "float64"}, {Name: "y", Type: "int64"}, {Name: "z", Type: "int64"}}

const (
	factsDocument = "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\nknown = \"kn\"\n[column.x]\nlate = true\n[column.f]\nlate = true\n"
	modelDocument = "schema = 1\ntask = \"binary\"\nchampion = \"one\"\n[question]\ndataset = \"rows\"\nlabel = \"z == 1\"\nsplit = { by = \"time\", test = \"4s\", valid = \"4s\" }\n"
)

// project is a set of documents: files of a test's own over a dataset `rows`, another `other`, and a model `m`.
func project(t testing.TB, files map[string]string) *doc.Set {
	t.Helper()
	whole := map[string]string{"plumb.toml": "schema = 1\nname = \"p\"\n", "datasets/rows.toml": factsDocument, "datasets/other.toml": factsDocument,
		"models/m.toml": modelDocument, "experiments/one.toml": experiment("e")}
	for name, text := range files {
		whole[name] = text
	}
	fsys := fstest.MapFS{}
	for name, text := range whole {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for _, id := range []string{"rows", "other"} {
		if fsys["datasets/"+id+".lock.toml"] == nil {
			lock := doc.Lock{Content: "sha256:" + strings.Repeat("0", 64), Format: "csv", Columns: factColumns}
			fsys["datasets/"+id+".lock.toml"] = &fstest.MapFile{Data: lock.Encode()}
		}
	}
	set := doc.Load(fsys)
	if set.Problems.Errors() > 0 {
		t.Fatal(set.Problems.Text(set.Source))
	}
	return set
}

func experiment(uses ...string) string {
	quoted := make([]string, len(uses))
	for i, u := range uses {
		quoted[i] = fmt.Sprintf("%q", u)
	}
	return "schema = 1\nmodel = \"m\"\nhypothesis = \"It helps.\"\n[features]\nuse = [" + strings.Join(quoted, ", ") + "]\n[train]\nlearner = \"glm\"\n"
}

func open(t testing.TB) *engine.DB {
	t.Helper()
	db, err := engine.Open(context.Background(), engine.Options{Temp: t.TempDir(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// all asks about every one of n rows.
func all(n int) *trainset.Rows {
	rows := &trainset.Rows{}
	for i := range n {
		rows.RowID = append(rows.RowID, int64(i))
	}
	return rows
}

// number is what a vector holds in a row; nil is null.
func number(v *table.Vector, i int) *float64 {
	if v.IsNull(i) {
		return nil
	}
	return pointer(v.Float(i))
}

func near(a, b *float64) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return math.Abs(*a-*b) <= 1e-8*max(1, math.Abs(*a), math.Abs(*b))
}

func show(x *float64) string { return literal(x, func(x float64) string { return fmt.Sprint(x) }) }
