package metric

import (
	"fmt"
	"slices"
)

// Absent says in words why a metric does not exist for a sample that lacks it.
func Absent(s Sample, name string) string {
	if err := s.Check(); err != nil {
		return err.Error()
	}
	if !slices.Contains(For(s.Task), name) {
		return fmt.Sprintf("%s is not made from the scores of a %s task", name, s.Task)
	}
	weight := 0.0
	for i := range s.Label {
		weight += rows{Sample: s}.weight(i)
	}
	if weight == 0 {
		return "there are no rows with a label"
	}
	switch s.Task {
	case Binary:
		return absentBinary(s, name)
	case Multiclass:
		if name == "log_loss" {
			return "the scores of a row are not probabilities that sum to 1"
		}
		return absentMacroAUC(s)
	}
	return map[string]string{"r2": "all labels are equal", "mape": "every label is 0"}[name]
}

// absentMacroAUC counts the classes, whose names a sample does not know.
func absentMacroAUC(s Sample) string {
	empty := 0
	for _, c := range Classes(s) {
		if c.Rows == 0 {
			empty++
		}
	}
	if empty == 1 {
		return fmt.Sprintf("1 of %d classes has no rows", len(s.Scores))
	}
	return fmt.Sprintf("%d of %d classes have no rows", empty, len(s.Scores))
}

func absentBinary(s Sample, name string) string {
	b := whole(s)
	switch {
	case slices.Contains([]string{"log_loss", "brier", "ece"}, name):
		return "some scores are no probabilities between 0 and 1"
	case b.sum[0] == 0 && slices.Contains([]string{"auc", "balanced_accuracy", "specificity", "mcc", "ks_score"}, name):
		return "every label is 1"
	case b.sum[1] == 0:
		return "every label is 0"
	}
	return fmt.Sprintf("every answer is the same at threshold %v", s.Threshold)
}
