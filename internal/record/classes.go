package record

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// SortClasses puts class names in the order in which they are numbered everywhere: whole numbers by size when all are whole numbers, else by their
// bytes. The order is that of the evaluation's score columns, which is where it is recorded.
func SortClasses(names []string) {
	number := make(map[string]int64, len(names))
	for _, name := range names {
		n, err := strconv.ParseInt(name, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != name { // "007" is a name
			slices.Sort(names)
			return
		}
		number[name] = n
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(number[a], number[b]) })
}

// ClassesClash finds two classes that differ by capitals only. An evaluation can't hold both: its columns are named by classes, and no engine tells
// score_a from score_A.
func ClassesClash(names []string) (one, other string, clash bool) {
	seen := make(map[string]string, len(names))
	for _, name := range names {
		folded := strings.ToLower(name)
		if before, ok := seen[folded]; ok && before != name {
			return min(before, name), max(before, name), true
		}
		seen[folded] = name
	}
	return "", "", false
}

// Answered gives the evaluation when its score columns are those of a model that knows other classes than the labels have: over the classes of both,
// a class that the model never saw with a score of 0, as it would say itself.
func (e Evaluation) Answered(classes []string) Evaluation { return e.over(classes, nil) }

// Widened gives the evaluation over more classes, so that two of them can be compared.
func (e Evaluation) Widened(more []string) Evaluation { return e.over(e.Classes, more) }

// over gives the evaluation over its own classes, those that its score columns are for, and more.
func (e Evaluation) over(scored, more []string) Evaluation {
	if e.Task != TaskMulticlass || slices.Equal(scored, e.Classes) && containsAll(scored, more) {
		return e
	}
	all := slices.Concat(e.Classes, scored, more)
	slices.Sort(all)
	all = slices.Compact(all)
	SortClasses(all)
	at := make(map[string]int, len(all))
	for i, name := range all {
		at[name] = i
	}
	out := e
	out.Classes, out.Label = all, make([]float64, len(e.Label))
	for i, label := range e.Label {
		out.Label[i] = label
		if class := int(label); label == math.Trunc(label) && class >= 0 && class < len(e.Classes) {
			out.Label[i] = float64(at[e.Classes[class]])
		}
	}
	if e.Scores == nil {
		return out
	}
	wide := func(scores [][]float64) [][]float64 {
		columns := make([][]float64, len(all))
		for c := range columns {
			columns[c] = make([]float64, len(e.RowID))
		}
		for c, name := range scored {
			columns[at[name]] = scores[c]
		}
		return columns
	}
	out.Scores, out.Repeats = wide(e.Scores), nil
	for _, scores := range e.Repeats {
		out.Repeats = append(out.Repeats, wide(scores))
	}
	return out
}

func containsAll(names, some []string) bool {
	return !slices.ContainsFunc(some, func(name string) bool { return !slices.Contains(names, name) })
}
