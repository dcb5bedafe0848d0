package trainset_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/trainset"
)

// aggregates are the items that the windows are tried with, and what each takes of a fact.
var aggregates = []struct {
	text     string
	argument func(fact) *float64
}{
	{"count()", func(fact) *float64 { return pointer(0.0) }},
	{"count(x)", ofX}, {"min(x)", ofX}, {"max(x)", ofX}, {"sum(x)", ofX}, {"avg(x)", ofX}, {"stddev(x)", ofX},
	{"count(f)", ofF}, {"min(f)", ofF}, {"max(f)", ofF}, {"sum(f)", ofF}, {"avg(f)", ofF}, {"stddev(f)", ofF},
	{"sum(x > 0)", positive}, {"avg(x > 0)", positive}, {"max(x > 0)", positive}, {"stddev(x > 0)", positive},
}

func ofX(f fact) *float64 {
	if f.x == nil {
		return nil
	}
	return pointer(float64(*f.x))
}

func ofF(f fact) *float64 { return f.f }

func positive(f fact) *float64 {
	if f.x == nil {
		return nil
	}
	if *f.x > 0 {
		return pointer(1.0)
	}
	return pointer(0.0)
}

// aggregate is the definition: null is left out, an empty window is null and a count of it 0, stddev is the sample's.
func aggregate(function string, values []float64) *float64 {
	n := float64(len(values))
	if function == "count" {
		return &n
	}
	if n == 0 {
		return nil
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch function {
	case "min":
		return pointer(slices.Min(values))
	case "max":
		return pointer(slices.Max(values))
	case "sum":
		return &sum
	case "avg":
		return pointer(sum / n)
	}
	if n == 1 {
		return nil
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - sum/n) * (v - sum/n)
	}
	return pointer(math.Sqrt(squares / (n - 1)))
}

// case of one view: which entities, called what by the asking row, over which facts.
type viewCase struct {
	entity  []string
	on      string // what the asking row calls the first entity
	another bool   // facts are another dataset's
}

var viewCases = []viewCase{{[]string{"e"}, "", false}, {[]string{"e", "g"}, "", false}, {[]string{"e"}, "h", false}, {[]string{"g", "e"}, "h", false},
	{[]string{"e"}, "", true}, {[]string{"e", "g"}, "h", true}}

func entityOf(f fact, name string) *string {
	return map[string]*string{"e": f.e, "g": f.g, "h": f.h}[name]
}

// matches says whether a fact is of the entities that a question asks about.
func (c viewCase) matches(question, of fact) bool {
	for i, name := range c.entity {
		asked := name
		if i == 0 && c.on != "" {
			asked = c.on
		}
		a, b := entityOf(question, asked), entityOf(of, name)
		if a == nil || b == nil || *a != *b {
			return false
		}
	}
	return true
}

func (c viewCase) head() string {
	dataset, on := "rows", ""
	if c.another {
		dataset = "other"
	}
	if c.on != "" {
		on = fmt.Sprintf("on = { %s = %q }\n", c.entity[0], c.on)
	}
	return fmt.Sprintf("schema = 1\ndataset = %q\nentity = [\"%s\"]\n%s", dataset, strings.Join(c.entity, `", "`), on)
}

// window asks the definition row by row: known in (t − w, t], the same entity, never the row itself.
func (c viewCase) window(facts []fact, question fact, self int, seconds int64) []fact {
	var out []fact
	for i, f := range facts {
		if f.k == nil || *f.k > question.t || *f.k <= question.t-seconds*1e6 || !c.matches(question, f) || (i == self && !c.another) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// TestWindowsAgainstDefinition holds the window SQL against a loop over all pairs of rows, on 500 random tables.
func TestWindowsAgainstDefinition(t *testing.T) {
	db, r := open(t), rand.New(rand.NewPCG(3, 1))
	for n := range 500 {
		c := viewCases[n%len(viewCases)]
		questions := randomFacts(r, 1+r.IntN(14))
		facts := questions
		if c.another {
			facts = randomFacts(r, 1+r.IntN(14))
		}
		view, uses, items, lengths := c.head(), []string{}, []int{}, []int64{}
		for i := range 4 {
			item, length := r.IntN(len(aggregates)), []int64{1, 2, 5, 3600}[r.IntN(4)]
			view += fmt.Sprintf("[feature.i%d]\nagg = %q\nwindow = \"%ds\"\n", i, aggregates[item].text, length)
			uses, items, lengths = append(uses, fmt.Sprintf("v.i%d", i)), append(items, item), append(lengths, length)
		}
		docs := project(t, map[string]string{"features/v.toml": view, "experiments/one.toml": experiment(uses...)})
		data := trainset.Data{DB: db, Relations: map[string]string{"rows": relation(questions), "other": relation(facts)}}
		got, err := trainset.Features(context.Background(), data, docs, "one", all(len(questions)))
		if err != nil {
			t.Fatalf("table %d: %v\n%s", n, err, view)
		}
		for i, item := range items {
			column := got.Column(fmt.Sprintf("v__i%d", i))
			for q, question := range questions {
				var values []float64
				for _, f := range c.window(facts, question, q, lengths[i]) {
					if v := aggregates[item].argument(f); v != nil {
						values = append(values, *v)
					}
				}
				function, _, _ := strings.Cut(aggregates[item].text, "(")
				if want, have := aggregate(function, values), number(column, q); !near(want, have) {
					t.Fatalf("table %d, row %d: %s over %d s is %s, by definition %s\n%s\n%s", n, q, aggregates[item].text, lengths[i], show(have), show(want), view, relation(questions))
				}
			}
		}
	}
}
