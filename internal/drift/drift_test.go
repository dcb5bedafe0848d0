package drift

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

func floats(values []float64) *table.Vector {
	return &table.Vector{Column: table.Column{Type: table.Float64}, Floats: values}
}

func texts(values []string) *table.Vector {
	return &table.Vector{Column: table.Column{Type: table.String}, Strings: values}
}

func normal(random *rand.Rand, n int, mean float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + random.NormFloat64()
	}
	return out
}

// judged measures and judges columns of independent rows.
func judged(columns ...Column) record.Drift {
	d := record.Drift{}
	for _, c := range columns {
		d.Columns = append(d.Columns, Measure(c, Blocks{}, 1))
	}
	Judge(&d)
	return d
}

func TestVerdicts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	letters := func(n int, of string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = string(of[random.IntN(len(of))])
		}
		return out
	}
	missing := normal(random, 2000, 0)
	for i := range 600 {
		missing[i] = math.NaN()
	}
	words := make([]string, 3000)
	for i := range words {
		words[i] = "user-" + strconv.Itoa(1000+i)
	}
	for _, c := range []struct {
		name    string
		column  Column
		kind    string
		verdict string
		severe  bool
	}{
		{"same", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 1000, 0))}, "numeric", "stable", false},
		{"moved", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 1000, 0.4))}, "numeric", "drift", false},
		{"moved far", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 1000, 1))}, "numeric", "drift", true},
		{"clear and small", Column{Reference: floats(normal(random, 100_000, 0)), Current: floats(normal(random, 100_000, 0.05))}, "numeric", "watch", false},
		{"large and unclear", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 60, 0))}, "numeric", "watch", false},
		{"few rows", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 49, 3))}, "numeric", "insufficient", false},
		{"values went missing", Column{Reference: floats(normal(random, 3000, 0)), Current: floats(missing)}, "numeric", "drift", true},
		{"all went missing", Column{Reference: floats(normal(random, 300, 0)), Current: &table.Vector{Floats: make([]float64, 200), Null: yes(200)}}, "numeric", "drift", true},
		{"letters", Column{Reference: texts(letters(3000, "abc")), Current: texts(letters(1000, "abc"))}, "categorical", "stable", false},
		{"other letters", Column{Reference: texts(letters(3000, "abc")), Current: texts(letters(1000, "aabbd"))}, "categorical", "drift", true},
		{"names", Column{Reference: texts(words), Current: texts(words[:1000])}, "text", "stable", false},
		{"constant", Column{Reference: floats(make([]float64, 500)), Current: floats(make([]float64, 500))}, "categorical", "stable", false},
		{"nothing", Column{Reference: floats([]float64{}), Current: floats([]float64{})}, "categorical", "insufficient", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := judged(c.column).Columns[0]
			if got.Kind != c.kind || got.Verdict != c.verdict || got.Severe != c.severe {
				t.Errorf("%s %s severe %v, want %s %s %v: effect %v, q %v, %s", got.Kind, got.Verdict, got.Severe, c.kind, c.verdict, c.severe, value(got.Effect), value(got.Q), got.Reason)
			}
			if (got.P == nil) != (got.Reason != "") {
				t.Errorf("a p or a reason: %v, %q", got.P, got.Reason)
			}
		})
	}
}

func yes(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

func value(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// New categories are counted always and named only of public columns.
func TestNewCategories(t *testing.T) {
	old, now := make([]string, 100), make([]string, 100)
	for i := range old {
		old[i], now[i] = "a", "a"
	}
	now[7], now[8] = "secret", "secret"
	for _, public := range []bool{false, true} {
		got := judged(Column{Public: public, Reference: texts(old), Current: texts(now)}).Columns[0].NewCategories
		if len(got) != 1 || got[0].Count != 2 || (got[0].Value != nil) != public {
			t.Errorf("public %v: %+v", public, got)
		}
	}
}

// worlds draws tables in which nothing drifts: columns of numbers whose days share a shock.
func worlds(seed uint64, days, rows int, shock float64) (reference, current []float64, blocks Blocks) {
	random := rand.New(rand.NewPCG(seed, 7))
	for day := range days + 7 {
		mean := shock * random.NormFloat64()
		for range rows {
			x := mean + random.NormFloat64()
			if day < days {
				reference, blocks.Reference = append(reference, x), append(blocks.Reference, int32(day))
			} else {
				current, blocks.Current = append(current, x), append(blocks.Current, int32(day))
			}
		}
	}
	blocks.N = days + 7
	return reference, current, blocks
}

// Nothing drifts, and days share a shock: exchanging days keeps the false alarms of p < 0.05 near 5 in 100, where rows taken as independent
// call most worlds different. 400 worlds: 5 % ± 2.2 %.
func TestBlocksHoldTheLevel(t *testing.T) {
	const draws = 400
	byDay, byRow := 0, 0
	for i := range draws {
		reference, current, blocks := worlds(uint64(i), 28, 40, 0.8)
		c := Column{Reference: floats(reference), Current: floats(current)}
		if *Measure(c, blocks, uint64(i)).P < 0.05 {
			byDay++
		}
		if *Measure(c, Blocks{}, 1).P < 0.05 {
			byRow++
		}
	}
	t.Logf("p < 0.05 by days %d, by rows %d of %d", byDay, byRow, draws)
	if byDay > 32 || byDay < 9 || byRow < draws/2 {
		t.Errorf("p < 0.05 by days %d, by rows %d of %d", byDay, byRow, draws)
	}
}

// Twenty columns, nothing drifts: the share of comparisons with any alarm, in the sizes in which peers' defaults alarm in 36 to 100 of 100.
func TestTwoKeysDoNotAlarm(t *testing.T) {
	for _, size := range [][2]int{{200, 200}, {1000, 200}, {1000, 1000}} {
		alarms := 0
		const draws = 100
		for i := range draws {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			columns := make([]Column, 20)
			for k := range columns {
				columns[k] = Column{Reference: floats(normal(random, size[0], 0)), Current: floats(normal(random, size[1], 0))}
			}
			if judged(columns...).Verdict == record.DriftFound {
				alarms++
			}
		}
		t.Logf("%v rows: %d alarms in %d comparisons of 20 columns", size, alarms, draws)
		if alarms > 11 { // 5 % and two standard errors and a half
			t.Errorf("%v rows: %d alarms in %d comparisons", size, alarms, draws)
		}
	}
}

// Too few blocks can't tell, and say so.
func TestFewBlocks(t *testing.T) {
	reference, current, blocks := worlds(1, 1, 200, 0)
	for i := range blocks.Current {
		blocks.Current[i] = 1
	}
	blocks.N = 2
	got := Measure(Column{Reference: floats(reference), Current: floats(current)}, blocks, 1)
	if got.P != nil || got.Reason == "" {
		t.Errorf("p %v, reason %q", got.P, got.Reason)
	}
}

func BenchmarkMeasure(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	c := Column{Reference: floats(normal(random, 150_000, 0)), Current: floats(normal(random, 150_000, 0.01))}
	for b.Loop() {
		Measure(c, Blocks{}, 1)
	}
}

// What is not what it was has drifted with no number, and takes no part in the others' q.
func TestChange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	same := Measure(Column{Name: "same", Reference: floats(normal(random, 3000, 0)), Current: floats(normal(random, 1000, 0))}, Blocks{}, 1)
	for _, c := range []struct {
		was, is      table.Type
		kind, reason string
	}{{table.Int64, table.String, "numeric", "it was int64 and is string now"}, {table.Date, "", "time", "no row has it any more"}, {table.Bool, table.Int64, "categorical", "it was bool and is int64 now"}} {
		d := record.Drift{Columns: []record.DriftColumn{same, Change(Column{Name: "a"}, c.was, c.is)}}
		Judge(&d)
		got := d.Columns[1]
		if d.Verdict != record.DriftFound || d.Drifted != 1 || got.Verdict != record.DriftFound || got.Severe || got.Effect != nil || got.P != nil || got.Q != nil || got.Kind != c.kind || got.Reason != c.reason {
			t.Errorf("%s to %q: %s, %d, %+v", c.was, c.is, d.Verdict, d.Drifted, got)
		}
		if *d.Columns[0].Q != *d.Columns[0].P {
			t.Errorf("q %v of the only p, %v", *d.Columns[0].Q, *d.Columns[0].P)
		}
	}
}
