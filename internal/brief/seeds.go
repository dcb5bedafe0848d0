package brief

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/record"
)

// Seeds says how a run's seeds count; "" when it was trained once.
func Seeds(r *record.Run) string {
	first, _ := r.Inputs["seed"].(int64)
	switch {
	case r.Repeats < 2:
		return ""
	case r.SameSeeds:
		return fmt.Sprintf("Seeds %d and %d gave the same scores: the seed makes no difference to this %s, and the other %d were not tried.", first, first+1, r.Learner, r.Repeats-2)
	}
	return fmt.Sprintf("Trained with %d seeds, %d to %d; the first is served, and ± is their standard deviation.", r.Repeats, first, first+int64(r.Repeats)-1)
}

// SeedsOf is how a side's seeds count in a comparison, in a word or two: "5", "5, which make no difference"; "" when it was trained once.
func SeedsOf(s record.Side) string {
	switch {
	case s.Seeds == nil:
		return ""
	case s.Seeds.Same:
		return Count(s.Seeds.Tried) + ", which make no difference"
	case s.Seeds.Elsewhere:
		return Count(s.Seeds.Tried) + ", tested on other rows"
	}
	return Count(s.Seeds.Tried)
}

// training says what intervals hold of the randomness of training.
func training(c record.Comparison) string {
	base, head := c.Base.Seeds, c.Head.Seeds
	if base == nil && head == nil {
		return "Intervals are of the difference and leave out the randomness of training."
	}
	text := ""
	switch alike := counted(base) && counted(head) && base.Tried == head.Tried; {
	case alike:
		text = fmt.Sprintf("Each side was trained with %d seeds: numbers are means over them, and ± is their standard deviation. ", base.Tried)
	default:
		text = side("Base", base) + side("Head", head)
	}
	switch {
	case base == nil:
		text += "Intervals of the difference hold the randomness of the head's training, not of the base's."
	case head == nil:
		text += "Intervals of the difference hold the randomness of the base's training, not of the head's."
	default:
		text += "Intervals of the difference hold the randomness of training."
	}
	if counted(base) || counted(head) {
		text += " Gates over numbers read the served model, that of the first seed."
	}
	return text
}

// counted says whether the numbers of a side are means over its seeds.
func counted(s *record.Seeds) bool { return s != nil && !s.Same && !s.Elsewhere }

func side(name string, s *record.Seeds) string {
	switch {
	case s == nil:
		return name + " was trained once. "
	case s.Same:
		return name + " was to be trained with " + plural(s.Tried, "seed") + ", which make no difference. "
	case s.Elsewhere:
		return fmt.Sprintf("%s is the served model; ± is the standard deviation of its %d seeds on the rows that they were tested on. ", name, s.Tried)
	}
	return fmt.Sprintf("%s was trained with %d seeds: its numbers are means over them, and ± is their standard deviation. ", name, s.Tried)
}

// plusMinus is a spread as it stands behind a number of so many decimals; "" where there is none.
func plusMinus(spread *float64, decimals int) string {
	if spread == nil {
		return ""
	}
	return "± " + Number(*spread, max(decimals, significant(*spread, 1)))
}

// With is a number and its spread where they stand in one cell.
func With(number, spread string) string {
	if spread == "" {
		return number
	}
	return number + " " + spread
}

// MeanOf is a metric's mean over seeds with its standard deviation, where they stand alone.
func MeanOf(name string, mean, sd float64) string {
	return With(Value(name, mean), plusMinus(&sd, alone(name, mean)))
}
