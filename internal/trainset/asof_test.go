package trainset_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

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
	{`"at" as feature_time, kn as known_time, kn as created_time, x as item`, func(f fact) reading { return reading{f, &f.t, f.k, f.k, f.x} }},
	{`kn as feature_time, "at" as created_time, kn as known_time, x as value -- newest by kn`, func(f fact) reading { return reading{f, f.k, f.k, &f.t, f.x} }},
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

// TestAsOfAgainstDefinition holds the as-of join against a loop over all pairs of rows, on 500 random tables. It also found that a tie in time
// was answered by whichever row came first, and that a query which ends in a comment swallowed the rest of the statement.
func TestAsOfAgainstDefinition(t *testing.T) {
	db, r := open(t), rand.New(rand.NewPCG(5, 1))
	for n := range 500 {
		c, query, ttl := viewCases[n%len(viewCases)], queries[r.IntN(len(queries))], []int64{0, 1, 2, 5}[r.IntN(4)]
		questions := randomFacts(r, 1+r.IntN(14))
		facts, dataset := questions, "rows"
		if c.another {
			facts, dataset = randomFacts(r, 1+r.IntN(14)), "other"
		}
		view := c.head() + fmt.Sprintf("[feature.item]\nsql = '''select %s, %s\nfrom %s'''\n", strings.Join(c.entity, ", "), query.columns, dataset)
		if strings.Contains(query.columns, "--") {
			head, comment, _ := strings.Cut(query.columns, "--")
			view = c.head() + fmt.Sprintf("[feature.item]\nsql = \"select %s, %s from %s --%s\"\n", strings.Join(c.entity, ", "), strings.ReplaceAll(head, `"`, `\"`), dataset, comment)
		}
		if ttl > 0 {
			view += fmt.Sprintf("ttl = \"%ds\"\n", ttl)
		}
		docs := project(t, map[string]string{"features/v.toml": view, "experiments/one.toml": experiment("v.item", "h")})
		data := trainset.Data{DB: db, Relations: map[string]string{"rows": relation(questions), "other": relation(facts)}}
		got, err := trainset.Features(context.Background(), data, docs, "one", all(len(questions)))
		if err != nil {
			t.Fatalf("table %d: %v\n%s", n, err, view)
		}
		readings := make([]reading, len(facts))
		for i, f := range facts {
			readings[i] = query.read(f)
		}
		for q, question := range questions {
			var want *float64
			if v := c.asOf(readings, question, ttl); v != nil {
				want = pointer(float64(*v))
			}
			if have := number(got.Column("v__item"), q); !near(want, have) {
				t.Fatalf("table %d, row %d: %s, by definition %s\n%s\n%s", n, q, show(have), show(want), view, relation(questions))
			}
		}
	}
}
