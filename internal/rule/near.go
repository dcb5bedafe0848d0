package rule

import (
	"slices"
	"strings"
)

// nearest gives the name that a slip of the hand most likely meant, or "". Ties go to the first in alphabetical order.
func nearest(name string, among []string) string {
	best, distance := "", max(1, len(name)/3)+1
	for _, candidate := range slices.Sorted(slices.Values(among)) {
		d := editDistance(strings.ToLower(name), strings.ToLower(candidate))
		if d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// editDistance is Levenshtein's, a swap of neighbours counting one (the "optimal string alignment" form), over bytes.
func editDistance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
