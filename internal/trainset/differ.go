package trainset

import (
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/table"
)

// compare reports each feature of which a question at or before the cut is answered otherwise, with the question nearest to the cut.
func (p *prover) compare(answers *Answers, cut int64, report func(*Proved, Leak)) {
	places, _ := p.truth.find(answers.RowID)
	for c := range answers.Columns {
		column := &answers.Columns[c]
		f, truth := p.of(column.Name), p.truth.Column(column.Name)
		leak := Leak{Cut: cut}
		best := -1
		for i, at := range places {
			if !p.asks[at] || p.event[at] > cut {
				continue
			}
			leak.Asked++
			if p.same(truth, at, column, i) {
				continue
			}
			leak.Changed++
			if best < 0 || p.event[at] > p.event[places[best]] {
				best = i
			}
		}
		f.Asked += leak.Asked
		if best >= 0 {
			at := places[best]
			leak.RowID, leak.Time = answers.RowID[best], p.event[at]
			leak.Before, leak.After = shown(truth, at), shown(column, best)
			report(f, leak)
		}
	}
}

// changed says whether one question is answered otherwise.
func (p *prover) changed(answers *Answers, column *table.Vector, rowID int64) bool {
	here, there := slices.Index(answers.RowID, rowID), slices.Index(p.truth.RowID, rowID)
	return here >= 0 && !p.same(p.truth.Column(column.Name), there, column, here)
}

// same compares two values. Floats may differ by how their parts were added up.
func (p *prover) same(a *table.Vector, i int, b *table.Vector, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) == b.IsNull(j)
	}
	if a.Floats == nil || b.Floats == nil {
		return a.Text(i) == b.Text(j)
	}
	x, y := a.Floats[i], b.Floats[j]
	if x == y || math.IsNaN(x) && math.IsNaN(y) {
		return true
	}
	return math.Abs(x-y) <= 1e-9*(max(math.Abs(x), math.Abs(y))+p.scale[a.Name])
}

// size is the mean distance from zero of a float feature's values.
func size(v *table.Vector) float64 {
	sum, n := 0.0, 0
	for _, x := range v.Floats {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			sum, n = sum+math.Abs(x), n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func shown(v *table.Vector, i int) *string {
	if v.IsNull(i) {
		return nil
	}
	text := v.Text(i)
	return &text
}
