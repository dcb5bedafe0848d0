package problem

import "strings"

// Nearest gives the known word that a mistyped one was probably meant to be, or "". Case does not count; a third of the letters may be wrong.
func Nearest(word string, known []string) string {
	best, bestAt := "", max(1, len([]rune(word))/3)+1
	if len(word) > 100 {
		return ""
	}
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < bestAt && d < len([]rune(k)) {
			best, bestAt = k, d
		}
	}
	return best
}

// Distance is the number of letters to insert, delete or replace to get from a to b (Levenshtein 1966), neighbours swapped counting one (optimal string alignment).
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// Or joins words as in "a, b or c".
func Or(words []string) string { return join(words, " or ") }

// And joins words as in "a, b and c".
func And(words []string) string { return join(words, " and ") }

func join(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}
