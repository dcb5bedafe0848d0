package trainset_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// leaky is every kind of view feature over late columns.
var leaky = map[string]string{
	"features/own.toml": `schema = 1
dataset = "rows"
entity = ["e"]
[feature.mean]
agg = "avg(f)"
window = "5s"
[feature.n]
agg = "count()"
window = "3600s"
[feature.last]
sql = "select e, kn as feature_time, kn as known_time, x as value from rows"
[feature.first]
sql = 'select e, "at" as feature_time, kn as known_time, x as value from rows'
ttl = "3s"
`,
	"features/on.toml": `schema = 1
dataset = "rows"
entity = ["e"]
on = { e = "h" }
[feature.top]
agg = "max(x)"
window = "2s"
`,
	"features/two.toml": `schema = 1
dataset = "other"
entity = ["e", "g"]
[feature.spread]
agg = "stddev(f)"
window = "3600s"
`,
	"experiments/one.toml": experiment("own.mean", "own.n", "own.last", "own.first", "on.top", "two.spread", "g"),
}

// TestNothingKnownLaterIsSeen is the promise of the features as a property: whatever happens to facts that are known only after t, and whatever facts
// are added then, no feature of a question at t changes.
func TestNothingKnownLaterIsSeen(t *testing.T) {
	db, r, docs := open(t), rand.New(rand.NewPCG(11, 1)), project(t, leaky)
	compute := func(rows, other []fact) table.Frame {
		t.Helper()
		got, err := trainset.Features(context.Background(), trainset.Data{DB: db, Relations: map[string]string{"rows": relation(rows), "other": relation(other)}}, docs, "one", all(len(rows)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 60 {
		rows, other := randomFacts(r, 2+r.IntN(14)), randomFacts(r, 2+r.IntN(14))
		before := compute(rows, other)
		self := r.IntN(len(rows))
		at := rows[self].t
		after := compute(laterChanged(r, rows, at, self), laterChanged(r, other, at, -1))
		for c := range before.Columns {
			a, b := &before.Columns[c], &after.Columns[c]
			if a.IsNull(self) != b.IsNull(self) || a.Text(self) != b.Text(self) {
				t.Fatalf("%s of row %d changes from %q to %q\n%s", a.Name, self, a.Text(self), b.Text(self), relation(rows))
			}
		}
	}
}

// laterChanged rewrites what is known only after a time and adds rows; the question's own row keeps what it was asked with.
func laterChanged(r *rand.Rand, facts []fact, at int64, self int) []fact {
	out := slices.Clone(facts)
	later := func() *int64 { return pointer(at + 1 + r.Int64N(5e6)) }
	for i := range out {
		if out[i].k != nil && *out[i].k <= at {
			continue
		}
		fresh := randomFact(r)
		out[i].x, out[i].f, out[i].k = fresh.x, fresh.f, later()
		if i != self {
			out[i].e, out[i].g, out[i].h, out[i].t = fresh.e, fresh.g, fresh.h, fresh.t
		}
	}
	for range r.IntN(5) {
		fresh := randomFact(r)
		fresh.k = later()
		out = append(out, fresh)
	}
	return out
}

// TestOrderAndNames: features come in the document's order under their names, and rows are found by their id, whichever were left out.
func TestOrderAndNames(t *testing.T) {
	files := map[string]string{"features/v.toml": "schema = 1\ndataset = \"rows\"\nentity = [\"e\"]\n[feature.b]\nagg = \"count()\"\nwindow = \"1h\"\n[feature.a]\nsql = 'select e, \"at\" as feature_time, g as value from rows'\n",
		"experiments/one.toml": strings.Replace(experiment("v.a", "twice", "h", "v.b"), "[train]", "[features.row]\ntwice = \"2 * hour(at)\"\n[train]", 1)}
	r := rand.New(rand.NewPCG(13, 1))
	facts := randomFacts(r, 12)
	data, docs := trainset.Data{DB: open(t), Relations: map[string]string{"rows": relation(facts)}}, project(t, files)
	whole, err := trainset.Features(context.Background(), data, docs, "one", all(12))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range whole.Columns {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "v__a twice h v__b" {
		t.Errorf("features %s", got)
	}
	some, err := trainset.Features(context.Background(), data, docs, "one", &trainset.Rows{RowID: []int64{2, 3, 7, 11}})
	if err != nil {
		t.Fatal(err)
	}
	if want := whole.Select([]int{2, 3, 7, 11}); fmt.Sprint(some) != fmt.Sprint(want) {
		t.Errorf("rows shift:\n%v\n%v", some, want)
	}
}

// TestLongAgo: windows over centuries, and times with a zone.
func TestLongAgo(t *testing.T) {
	docs := project(t, map[string]string{"features/v.toml": "schema = 1\ndataset = \"rows\"\nentity = [\"e\"]\n[feature.n]\nagg = \"count()\"\nwindow = \"15000w\"\n", "experiments/one.toml": experiment("v.n")})
	sql := `select * from (values (0::bigint, 'a', timestamptz '0001-01-01 00:00:00+00'), (1, 'a', timestamptz '1700-01-01 00:00:00+00'),
		(2, 'a', timestamptz '1970-01-01 01:00:00+01'), (3, 'a', timestamptz '1970-01-01 00:00:00+00'), (4, 'a', timestamptz '9999-12-31 00:00:00+00')) as v(row_id, e, "at")`
	relation := `select row_id, e, "at", "at" as kn from (` + sql + `)`
	got, err := trainset.Features(context.Background(), trainset.Data{DB: open(t), Relations: map[string]string{"rows": relation}}, docs, "one", all(5))
	if err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, 0, 2, 2, 0}; !slices.Equal(got.Columns[0].Ints, want) {
		t.Errorf("got %v, want %v", got.Columns[0].Ints, want)
	}
}

// TestQueriesRefused: what a view's query can get wrong is said in its own words. A query that ended in a semicolon used to be a syntax error
// somewhere else; a question without a time, an unknown column "".
func TestQueriesRefused(t *testing.T) {
	good := `select e, \"at\" as feature_time, y as value from rows`
	for _, c := range []struct{ sql, says string }{
		{good + ";\\n", ""}, {"with v as (" + good + ") select * from v", ""}, {good + " -- q", ""},
		{`select e, \"at\" as feature_time from rows`, `yields no column "item"`}, {`select \"at\" as feature_time, y as value from rows`, `yields no column "e"`},
		{`select e, y as value from rows`, `no column "feature_time"`}, {`select e, \"at\" as feature_time, y as value from other`, `reads "other"`},
		{good + "; " + good, "2 statements"}, {"drop table rows", "only SELECT"}, {good + ")", "syntax error"},
	} {
		docs := project(t, map[string]string{"features/v.toml": "schema = 1\ndataset = \"rows\"\nentity = [\"e\"]\n[feature.item]\nsql = \"" + c.sql + "\"\n", "experiments/one.toml": experiment("v.item")})
		data := trainset.Data{DB: open(t), Relations: map[string]string{"rows": relation(randomFacts(rand.New(rand.NewPCG(1, 1)), 3))}}
		_, err := trainset.Features(context.Background(), data, docs, "one", all(3))
		if (err == nil) != (c.says == "") || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", c.sql, err)
		}
	}
	docs := project(t, map[string]string{"features/v.toml": "schema = 1\ndataset = \"other\"\nentity = [\"e\"]\n[feature.item]\nsql = 'select e, \"at\" as feature_time, y as value from other'\n",
		"experiments/one.toml": experiment("v.item")})
	docs.Datasets["rows"].Time.Event = "" // a base's experiment over head's documents
	facts := relation(randomFacts(rand.New(rand.NewPCG(1, 1)), 3))
	_, err := trainset.Features(context.Background(), trainset.Data{DB: open(t), Relations: map[string]string{"rows": facts, "other": facts}}, docs, "one", all(3))
	if err == nil || !strings.Contains(err.Error(), "event time of rows") {
		t.Errorf("a question without a time: %v", err)
	}
	var wrong *problem.Failure
	if !errors.As(err, &wrong) || wrong.Exit != problem.ExitWrong {
		t.Errorf("exit of %v", err)
	}
}
