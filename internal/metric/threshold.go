package metric

import (
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// thresholded are the metrics that a threshold can be chosen by.
var thresholded = []string{"accuracy", "balanced_accuracy", "f1", "precision", "recall", "specificity", "mcc"}

// BestThreshold gives the threshold at which a metric of a binary sample is best, of equals the highest. It lies midway between
// two scores, so that a model re-scored elsewhere with other rounding decides alike. It is an error when the metric does not depend on a
// threshold, or exists at none.
func BestThreshold(s Sample, metric string) (float64, error) {
	f, _ := find(Binary, metric)
	if !slices.Contains(thresholded, metric) {
		return 0, problem.Wrongf("choose by one of "+strings.Join(thresholded, ", "), "no threshold can be best by %q", metric)
	}
	if err := s.Check(); err != nil {
		return 0, problem.Failedf("", "choosing the threshold: %w", err)
	}
	if s.Task != Binary {
		return 0, problem.Wrongf("leave threshold out", "a %s task has no threshold", s.Task)
	}
	b := whole(s)
	best, at := math.Inf(-1), -1
	sum := make([]float64, binarySums)
	sum[fn], sum[tn] = b.sum[1], b.sum[0]
	for i := range b.score {
		sum[tp], sum[fn] = sum[tp]+b.pos[i], max(0, sum[fn]-b.pos[i])
		sum[fp], sum[tn] = sum[fp]+b.neg[i], max(0, sum[tn]-b.neg[i])
		if v := f.sums(sum); v > best {
			best, at = v, i
		}
	}
	if at < 0 {
		return 0, problem.Failedf("give a number as threshold, or a valid part with rows of both classes",
			"no threshold gives the %d rows of the valid part a %s", len(s.Label), metric)
	}
	return b.between(at), nil
}

// between is a number above the score of block i+1 and at most that of block i.
func (b *blocks) between(i int) float64 {
	if i+1 == len(b.score) {
		return b.score[i]
	}
	if middle := b.score[i+1] + (b.score[i]-b.score[i+1])/2; middle > b.score[i+1] {
		return middle
	}
	return b.score[i]
}
