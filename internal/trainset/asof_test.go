package trainset_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// reading is a row of a view's query.
type reading struct {
	of                      fact
	at, known, created, val *int64
}

// queries are the shapes of a view's query: what they select beside the entities, and the same by hand.
var queries = []struct {
	columns string
	read    func(fact) reading
}{
	{`"at" as feature_time, y as value`, func(f fact) reading { return reading{f, &f.t, &f.t, &f.t, &f.y} }},
	{`"at" as feature_time, kn as known_time, x as value`, func(f fact) reading { return reading{f, &f.t, f.k, &f.t, f.x} }},
	{`"at" as feature_time, kn as known_time, kn as created_time, x as ITEM`, func(f fact) reading { return reading{f, &f.t, f.k, f.k, f.x} }},
	{`kn as feature_time, "at" as created_time, kn as known_time, x as value -- newest by kn`, func(f fact) reading { return reading{f, f.k, f.k, &f.t, f.x} }},
	{`"at" as feature_time, kn as known_time, case when y = 1 then "at" end as created_time, x as ITEM`, func(f fact) reading {
		r := reading{f, &f.t, f.k, nil, f.x}
		if f.y == 1 {
			r.created = &f.t
		}
		return r
	}},
	// Times with a zone, made in one that is not the session's; and dates, which are midnights.
	{`timezone('America/New_York', timezone('America/New_York', timezone('UTC', "at"))) as feature_time, timezone('UTC', kn) as known_time, x as value`,
		func(f fact) reading { return reading{f, &f.t, f.k, &f.t, f.x} }},
	{`timezone('UTC', "at" - interval '2' second) as feature_time, y as value`, func(f fact) reading {
		at := f.t - 2e6
		return reading{f, &at, &at, &at, &f.y}
	}},
	{`cast("at" as date) as feature_time, kn as known_time, cast(kn as date) as created_time, x as value`, func(f fact) reading {
		return reading{f, midnight(&f.t), f.k, midnight(f.k), f.x}
	}},
}

func midnight(at *int64) *int64 {
	if at == nil {
		return nil
	}
	return pointer(*at - *at%(24*3600*1e6))
}

// asOf is the definition: newest feature_time in [t − ttl, t] among those known by t, ties to the newest created_time. What is
// left of a tie goes to the largest value, so that the answer is one.
func (c viewCase) asOf(readings []reading, question fact, ttl int64) *int64 {
	var found []reading
	for _, r := range readings {
		if r.at == nil || r.known == nil || *r.at > question.t || *r.known > question.t || !c.matches(question, r.of) {
			continue
		}
		if ttl == 0 || *r.at >= question.t-ttl*1e6 {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return slices.MaxFunc(found, func(a, b reading) int {
		return cmp.Or(cmp.Compare(*a.at, *b.at), nullsFirst(a.created, b.created), nullsFirst(a.val, b.val))
	}).val
}

func nullsFirst(a, b *int64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(*a, *b)
}

// join is a query feature of a test: which view it is of, and what it must answer.
type join struct {
	view  viewCase
	name  string // of the training column
	read  func(fact) reading
	ttl   int64
	facts []fact
}

// randomQueries writes the items of a view over facts.
func randomQueries(r *rand.Rand, id string, c viewCase, facts []fact) (document string, out []join) {
	dataset := "rows"
	if c.another {
		dataset = "other"
	}
	document = c.head()
	for i := range 1 + r.IntN(3) {
		query, ttl, item := queries[r.IntN(len(queries))], []int64{0, 1, 2, 5, 13 * 3600}[r.IntN(5)], fmt.Sprint("i", i)
		columns, comment, _ := strings.Cut(strings.ReplaceAll(query.columns, "ITEM", item), " --")
		if comment != "" {
			comment = " --" + comment
		}
		document += fmt.Sprintf("[feature.%s]\nsql = \"select %s, %s from %s%s\"\n", item, strings.Join(c.entity, ", "), strings.ReplaceAll(columns, `"`, `\"`), dataset, comment)
		if ttl > 0 {
			document += fmt.Sprintf("ttl = \"%ds\"\n", ttl)
		}
		out = append(out, join{c, id + "__" + item, query.read, ttl, facts})
	}
	return document, out
}

// TestAsOfAgainstDefinition holds the as-of join against a loop over all pairs of rows, on 1,000 random tables: ties, edges of ttl, late knowledge,
// null keys, rows twice, times with and without a zone, one and two entities under their own and other names, two views with up to three queries
// each beside a column, a row expression and a window. It also found that a tie in time was answered by whichever row came first, and that a query
// which ends in a comment swallowed the rest of the statement.
func TestAsOfAgainstDefinition(t *testing.T) {
	db, r := open(t), rand.New(rand.NewPCG(5, 1))
	tables := 1000
	if testing.Short() {
		tables = 200
	}
	for n := range tables {
		rows, other := randomFacts(r, 1+r.IntN(14)), randomFacts(r, 1+r.IntN(14))
		files, uses, items := map[string]string{}, []string{"h", "twice", "w.n"}, []join{}
		for i, id := range []string{"v", "w"} {
			c, facts := viewCases[(n+i*3)%len(viewCases)], rows
			if c.another {
				facts = other
			}
			document, some := randomQueries(r, id, c, facts)
			files["features/"+id+".toml"], items = document, append(items, some...)
		}
		files["features/w.toml"] += "[feature.n]\nagg = \"count()\"\nwindow = \"3s\"\n"
		for _, a := range items {
			uses = append(uses, strings.Replace(a.name, "__", ".", 1))
		}
		files["experiments/one.toml"] = strings.Replace(experiment(uses...), "[train]", "[features.row]\ntwice = \"y * 2\"\n[train]", 1)
		docs := project(t, files)
		data := trainset.Data{DB: db, Relations: map[string]string{"rows": relation(rows), "other": relation(other)}}
		got, err := trainset.Features(context.Background(), data, docs, "one", all(len(rows)))
		if err != nil {
			t.Fatalf("table %d: %v\n%v", n, err, files)
		}
		for _, a := range items {
			readings := make([]reading, len(a.facts))
			for i, f := range a.facts {
				readings[i] = a.read(f)
			}
			for q, question := range rows {
				var want *float64
				if v := a.view.asOf(readings, question, a.ttl); v != nil {
					want = pointer(float64(*v))
				}
				if have := number(got.Column(a.name), q); !near(want, have) {
					t.Fatalf("table %d, row %d: %s is %s, by definition %s\n%v\n%s", n, q, a.name, show(have), show(want), files, relation(rows))
				}
			}
		}
		for q, question := range rows {
			if got.Column("twice").Ints[q] != 2*question.y || got.Column("h").Text(q) != *cmp.Or(question.h, pointer("")) {
				t.Fatalf("table %d: row %d has moved", n, q)
			}
		}
	}
}

// TestAsOfDates: questions that are asked on a day are asked at its midnight, and so do facts that have only a day.
func TestAsOfDates(t *testing.T) {
	lock := doc.Lock{Content: "sha256:" + strings.Repeat("0", 64), Format: "csv", Columns: []doc.LockColumn{{Name: "e", Type: "int64"}, {Name: "at", Type: "date"}, {Name: "y", Type: "int64"}}}
	docs := project(t, map[string]string{
		"datasets/rows.toml":      "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\n",
		"datasets/rows.lock.toml": string(lock.Encode()),
		"datasets/other.toml":     "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\n", "datasets/other.lock.toml": string(lock.Encode()),
		"models/m.toml": strings.Replace(modelDocument, "z == 1", "y == 1", 1),
		"features/v.toml": `schema = 1
dataset = "other"
entity = ["e"]
[feature.day]
sql = 'select e, "at" as feature_time, y as value from other'
[feature.noon]
sql = """select e, "at" + interval '12' hour as feature_time, y as value from other"""
ttl = "1d"
[feature.n]
agg = "count()"
window = "1d"
`,
		"experiments/one.toml": experiment("v.day", "v.noon", "v.n"),
	})
	relation := func(days ...string) string {
		var rows []string
		for i, d := range days {
			rows = append(rows, fmt.Sprintf("(%d::bigint, 1::bigint, date '%s', %d::bigint)", i, d, 10+i))
		}
		return `select * from (values ` + strings.Join(rows, ", ") + `) as v(row_id, e, "at", y)`
	}
	data := trainset.Data{DB: open(t), Relations: map[string]string{"rows": relation("2001-01-02", "2001-01-03", "2001-01-04"), "other": relation("2001-01-02", "2001-01-03")}}
	got, err := trainset.Features(context.Background(), data, docs, "one", all(3))
	if err != nil {
		t.Fatal(err)
	}
	want := "[10 11 11] [ 10 11] [1 1 0]"
	var have []string
	for c := range got.Columns {
		var cells []string
		for i := range 3 {
			cells = append(cells, got.Columns[c].Text(i))
		}
		have = append(have, "["+strings.Join(cells, " ")+"]")
	}
	if strings.Join(have, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(have, " "), want)
	}
}
