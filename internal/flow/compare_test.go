package flow

import (
	"fmt"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
)

// TestSharedRows: which stored rows are the same on both sides. A key that two rows have paired one of them with the wrong score.
func TestSharedRows(t *testing.T) {
	eval := func(ids []int64, keys ...string) record.Evaluation {
		e := record.Evaluation{RowID: ids, Key: keys, Label: make([]float64, len(ids)), Scores: [][]float64{make([]float64, len(ids))}}
		for i, id := range ids {
			e.Scores[0][i] = float64(id)
			e.Part = append(e.Part, map[bool]string{true: "valid", false: "test"}[id >= 90])
		}
		return e
	}
	for _, c := range []struct {
		name       string
		base, head record.Evaluation
		byID       bool
		want       string
	}{
		{"by id, test rows only", eval([]int64{1, 2, 5, 91}), eval([]int64{2, 4, 5, 91}), true, "[2 5] [2 5] true"},
		{"by key, whatever the ids", eval([]int64{1, 2, 3}, "a", "b", "c"), eval([]int64{11, 12}, "c", "b"), false, "[3 2] [11 12] true"},
		{"other data and no key", eval([]int64{1, 2}), eval([]int64{1, 2}), false, "[1 2] [1 2] false"},
		{"a key on one side", eval([]int64{1, 2}), eval([]int64{1, 2}, "a", "b"), false, "[1 2] [1 2] false"},
		{"nothing in common", eval([]int64{1}, "a"), eval([]int64{1}, "b"), false, "[] [] false"},
		{"a key twice at base", eval([]int64{1, 2}, "a", "a"), eval([]int64{7}, "a"), false, "[1 2] [7] false"},
		{"a key twice at head", eval([]int64{1}, "a"), eval([]int64{7, 8}, "a", "a"), false, "[1] [7 8] false"},
	} {
		b, h, ok := shared(c.base, c.head, c.byID)
		if got := fmt.Sprint(b.Scores[0], h.Scores[0], ok); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
