package quality

import "github.com/plumb-ml/plumb/internal/record"

const (
	weightCritical = 3
	weightWarning  = 1 // and 0 for info
	capped         = record.Sound - 1
)

func weight(level string) float64 {
	switch level {
	case record.LevelCritical:
		return weightCritical
	case record.LevelWarning:
		return weightWarning
	}
	return 0
}

// rate is the share of a check that passes: of rows for a row check, else 0 or 1. A check that saw no value has none.
func rate(c record.QualityCheck) (float64, bool) {
	switch {
	case c.State == record.CheckNotAssessed:
		return 0, false
	case c.State == record.CheckError:
		return 0, true
	case c.UnexpectedCount != nil && c.UnexpectedPercent == nil:
		return 0, false
	case c.UnexpectedPercent != nil:
		return 1 - *c.UnexpectedPercent/100, true
	case c.Success:
		return 1, true
	}
	return 0, true
}

// scores gives each dimension 100 × the weighted mean of its checks' rates, at most 59 while a critical check fails: one dead column must not
// hide behind many that are well. A dimension of which no check saw a value is not assessed, which is not 100.
func scores(checks []record.QualityCheck) map[string]record.DimensionScore {
	out := map[string]record.DimensionScore{}
	for _, dimension := range record.Dimensions {
		sum, total := 0.0, 0.0
		s := record.DimensionScore{State: record.CheckNotAssessed}
		state, critical := record.CheckPass, false
		for _, c := range checks {
			r, ok := rate(c)
			w := weight(c.Level)
			if c.Dimension != dimension || !ok || w == 0 {
				continue
			}
			s.Checks++
			sum, total = sum+w*r, total+w
			if failed(c) {
				state = record.CheckFail
				critical = critical || c.Level == record.LevelCritical
			}
		}
		if total > 0 {
			score := round(100 * sum / total)
			if critical {
				score = min(score, capped)
			}
			s.Score, s.State = &score, state
		}
		out[dimension] = s
	}
	return out
}
