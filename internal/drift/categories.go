package drift

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
	"github.com/plumb-ml/plumb/internal/table"
)

const (
	keptCategories = 50  // beside "other"
	leastExpected  = 5.0 // rarer categories are one
	shownNew       = 20
	shownShares    = 20
)

// category is a value with its counts on both sides.
type category struct {
	name               string
	reference, current int64
}

// categories measures a column without an order. Missing is a category like the others.
func (m *measurement) categories() {
	all, code := tally(m.column.Reference, m.column.Current)
	m.newOnes(all)
	m.shares(all)
	a, b, merged := merge(all)
	if m.out.NReference > 0 && m.out.NCurrent > 0 {
		psi, critical := stat.PSI(a, b)
		js := stat.JensenShannon(a, b)
		m.out.Statistics = record.DriftStatistics{PSI: &psi, PSICritical: &critical, JensenShannon: &js}
	}
	if m.insufficient() {
		return
	}
	v, p := stat.Contingency(a, b)
	codes := coded{codes: len(a)}
	if m.blocks.N > 0 {
		codes.reference, codes.current = code(m.column.Reference, merged), code(m.column.Current, merged)
	}
	m.finish(v, p, "chi-square of the counts", codes)
}

// tally counts each value on both sides, by falling count then name; code gives each row's place in a list that maps names to places.
func tally(reference, current *table.Vector) (all []category, code func(v *table.Vector, place map[string]int32) []int32) {
	found := map[string]*category{}
	count := func(v *table.Vector, add func(*category)) {
		for i := range length(v) {
			name := valueOf(v, i)
			c := found[name]
			if c == nil {
				c = &category{name: name}
				found[name] = c
			}
			add(c)
		}
	}
	count(reference, func(c *category) { c.reference++ })
	count(current, func(c *category) { c.current++ })
	for _, c := range found {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(x, y category) int {
		return cmp.Or(cmp.Compare(y.reference+y.current, x.reference+x.current), cmp.Compare(x.name, y.name))
	})
	return all, func(v *table.Vector, place map[string]int32) []int32 {
		out := make([]int32, length(v))
		for i := range out {
			out[i] = place[valueOf(v, i)]
		}
		return out
	}
}

// missingName is what no value can be called: values are valid text.
const missingName = "\xff"

func valueOf(v *table.Vector, row int) string {
	switch {
	case absent(v, row):
		return missingName
	case v.Floats != nil:
		return strconv.FormatFloat(v.Floats[row], 'g', -1, 64)
	}
	return v.Strings[row]
}

// merge gathers all but the 50 most common categories, and those of which one side would expect fewer than 5 rows, into one: the chi-square needs them.
// place says where each name went.
func merge(all []category) (a, b []int64, place map[string]int32) {
	var n, m float64
	for _, c := range all {
		n, m = n+float64(c.reference), m+float64(c.current)
	}
	place = map[string]int32{}
	var restA, restB int64
	var rest []string
	for i, c := range all {
		expected := float64(c.reference+c.current) * min(n, m) / (n + m)
		if i >= keptCategories || expected < leastExpected {
			restA, restB, rest = restA+c.reference, restB+c.current, append(rest, c.name)
			continue
		}
		place[c.name] = int32(len(a))
		a, b = append(a, c.reference), append(b, c.current)
	}
	for _, name := range rest {
		place[name] = int32(len(a))
	}
	if len(rest) > 0 {
		a, b = append(a, restA), append(b, restB)
	}
	return a, b, place
}

// newOnes lists the values that the reference does not have.
func (m *measurement) newOnes(all []category) {
	rows := 0
	for _, c := range all {
		rows += int(c.current)
	}
	for _, c := range all {
		if c.reference > 0 || c.name == missingName || len(m.out.NewCategories) == shownNew {
			continue
		}
		low, high := stat.Wilson(int(c.current), rows)
		n := record.DriftCategory{Count: c.current, Share: float64(c.current) / float64(rows), Low: low, High: high}
		if m.column.Public {
			n.Value = &c.name
		}
		m.out.NewCategories = append(m.out.NewCategories, n)
	}
}

// shares lists the most common values with their part of each side's rows.
func (m *measurement) shares(all []category) {
	reference, current := length(m.column.Reference), length(m.column.Current)
	if reference == 0 || current == 0 {
		return
	}
	for i := range all[:min(len(all), shownShares)] {
		c := &all[i]
		s := record.DriftShare{Missing: c.name == missingName, Reference: float64(c.reference) / float64(reference), Current: float64(c.current) / float64(current)}
		if m.column.Public && !s.Missing {
			s.Value = &c.name
		}
		m.out.Shares = append(m.out.Shares, s)
	}
}
