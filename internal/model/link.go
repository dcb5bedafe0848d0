package model

import (
	"fmt"
	"math"
)

// columns makes n zeros for each margin.
func columns(margins, n int) [][]float64 {
	out := make([][]float64, margins)
	for k := range out {
		out[k] = make([]float64, n)
	}
	return out
}

// logistic makes log odds probabilities, in place.
func logistic(margins [][]float64) {
	for _, column := range margins {
		for i, x := range column {
			column[i] = 1 / (1 + math.Exp(-x))
		}
	}
}

// exponential makes logs of means means, in place.
func exponential(margins [][]float64) {
	for _, column := range margins {
		for i, x := range column {
			column[i] = math.Exp(x)
		}
	}
}

// softmax makes each row's margins, one a class, probabilities that add up to 1, in place.
func softmax(margins [][]float64) {
	for i := range margins[0] {
		top, sum := math.Inf(-1), 0.0
		for _, column := range margins {
			top = math.Max(top, column[i])
		}
		for _, column := range margins {
			column[i] = math.Exp(column[i] - top)
			sum += column[i]
		}
		for _, column := range margins {
			column[i] /= sum
		}
	}
}

// checkClasses looks at what a file says of a multiclass task's classes, and that other tasks have none.
func checkClasses(task string, classes []string) error {
	switch {
	case task != TaskMulticlass && len(classes) > 0:
		return fmt.Errorf("a %.40q task has no classes", task)
	case task == TaskMulticlass && (len(classes) < 2 || len(classes) > MaxClasses):
		return fmt.Errorf("it has %d classes; from 2 to %d are read", len(classes), MaxClasses)
	}
	seen := map[string]bool{}
	for _, class := range classes {
		if seen[class] {
			return fmt.Errorf("two classes are named %.80q", class)
		}
		seen[class] = true
	}
	return nil
}
