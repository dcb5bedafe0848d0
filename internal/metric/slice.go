package metric

import (
	"cmp"
	"slices"
)

// MinSliceRows is how many rows a slice needs before its metrics are judged: below it an AUC is mostly chance.
const MinSliceRows = 100

// Slice is the rows that have one value of a slice column.
type Slice struct {
	Value string
	Rows  []int
}

// Slices cuts rows by a column's values: those of at least MinSliceRows rows, the largest first, ties by value. small counts the values with fewer.
func Slices(column []string) (large []Slice, small int) {
	at := map[string]int{}
	var all []Slice
	for row, value := range column {
		i, ok := at[value]
		if !ok {
			i = len(all)
			at[value], all = i, append(all, Slice{Value: value})
		}
		all[i].Rows = append(all[i].Rows, row)
	}
	for _, s := range all {
		if len(s.Rows) >= MinSliceRows {
			large = append(large, s)
		}
	}
	slices.SortFunc(large, func(a, b Slice) int {
		return cmp.Or(cmp.Compare(len(b.Rows), len(a.Rows)), cmp.Compare(a.Value, b.Value))
	})
	return large, len(all) - len(large)
}

// Select gives the sample of the rows listed, in that order.
func (s Sample) Select(rows []int) Sample {
	out := s
	out.Label, out.Weight = pick(s.Label, rows), pick(s.Weight, rows)
	out.Scores = make([][]float64, len(s.Scores))
	for c, column := range s.Scores {
		out.Scores[c] = pick(column, rows)
	}
	return out
}

func pick(from []float64, rows []int) []float64 {
	if from == nil {
		return nil
	}
	out := make([]float64, len(rows))
	for i, row := range rows {
		out[i] = from[row]
	}
	return out
}
