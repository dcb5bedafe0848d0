package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/table"
)

// MaxScores is how many columns of scores an evaluation may have, all seeds together: classes × repeats.
const MaxScores = 480

const repeatPrefix = "repeat_"

// repeatNames are the columns of the k-th seed, counted from 2: repeat_2, of several classes repeat_2_<class>.
func (e Evaluation) repeatNames(seed int) []string {
	names := []string{repeatPrefix + strconv.Itoa(seed)}
	if e.Task != TaskMulticlass {
		return names
	}
	prefix := names[0] + "_"
	names = make([]string, len(e.Classes))
	for i, class := range e.Classes {
		names[i] = prefix + class
	}
	return names
}

// Select gives the rows with these indices.
func (e Evaluation) Select(keep []int) Evaluation {
	out := e
	out.Part, out.RowID, out.Key, out.Label = pick(e.Part, keep), pick(e.RowID, keep), pick(e.Key, keep), pick(e.Label, keep)
	out.Weight, out.Group, out.Scores = pick(e.Weight, keep), pick(e.Group, keep), pickColumns(e.Scores, keep)
	out.Repeats = nil
	for _, scores := range e.Repeats {
		out.Repeats = append(out.Repeats, pickColumns(scores, keep))
	}
	out.Slices = map[string][]string{}
	for s := range e.Slices {
		out.Slices[s] = pick(e.Slices[s], keep)
	}
	return out
}

func pickColumns(columns [][]float64, keep []int) [][]float64 {
	out := make([][]float64, len(columns))
	for c := range columns {
		out[c] = pick(columns[c], keep)
	}
	return out
}

func pick[T any](from []T, keep []int) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(keep))
	for i, k := range keep {
		out[i] = from[k]
	}
	return out
}

// repeatColumns gathers the columns of further seeds while a blob is read.
type repeatColumns struct {
	seeds   []int
	columns map[int][]table.Vector
}

// take keeps a column of a further seed; its name says which.
func (c *repeatColumns) take(v table.Vector) error {
	number, _, _ := strings.Cut(strings.TrimPrefix(v.Name, repeatPrefix), "_")
	seed, err := strconv.Atoi(number)
	if err != nil || seed < 2 || strconv.Itoa(seed) != number {
		return fmt.Errorf("column %q is not one of an evaluation", v.Name)
	}
	if c.columns == nil {
		c.columns = map[int][]table.Vector{}
	}
	if len(c.columns[seed]) == 0 {
		c.seeds = append(c.seeds, seed)
	}
	c.columns[seed] = append(c.columns[seed], v)
	return nil
}

// readRepeats takes what was gathered, in order: seeds from 2 without a gap, each with the columns of the first, in their order.
func (e *Evaluation) readRepeats(r *columnReader, c repeatColumns) {
	for i, seed := range c.seeds {
		names := e.repeatNames(seed)
		var scores [][]float64
		for at, v := range c.columns[seed] {
			if seed != i+2 || at >= len(names) || v.Name != names[at] {
				r.fail("column %q is not in its place", v.Name)
				return
			}
			scores = append(scores, r.floats(&v))
		}
		e.Repeats = append(e.Repeats, scores)
	}
}

// checkRepeats says whether every seed answered every row.
func (e Evaluation) checkRepeats() error {
	for i, scores := range e.Repeats {
		if len(scores) != len(e.scoreNames()) {
			return fmt.Errorf("repeat %d has %d columns of scores, not %d", i+2, len(scores), len(e.scoreNames()))
		}
		for _, column := range scores {
			if len(column) != len(e.RowID) {
				return fmt.Errorf("repeat %d has %d scores, not %d", i+2, len(column), len(e.RowID))
			}
			if i := slices.IndexFunc(column, notFinite); i >= 0 {
				return fmt.Errorf("score of row %d is %v", i, column[i])
			}
		}
	}
	if n := (1 + len(e.Repeats)) * len(e.Scores); n > MaxScores {
		return errors.New("too many columns of scores")
	}
	return nil
}
