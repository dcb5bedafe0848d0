package compare

import (
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// signed is an interval turned so that up is good.
type signed struct {
	difference, low, high float64
	training              float64 // half width that the spread of seeds alone gives
}

func (s signed) turned(direction string) signed {
	if direction != metric.Down {
		return s
	}
	return signed{difference: -s.difference, low: -s.high, high: -s.low, training: s.training}
}

// verdict is the table from `better` on, the first row that matches.
func (s signed) verdict(tolerance float64) string {
	switch {
	case s.low > 0:
		return record.Better
	case s.high < -tolerance: // with tolerance 0 the same as high < 0
		return record.Worse
	case -tolerance <= s.low && s.high <= tolerance:
		return record.Same
	}
	return record.Inconclusive
}

// of reads the signed interval of a difference; ok is false when it has none.
func of(d record.MetricDifference) (s signed, ok bool) {
	if d.Difference == nil || d.Low == nil || d.High == nil {
		return signed{}, false
	}
	s = signed{difference: *d.Difference, low: *d.Low, high: *d.High}
	if d.Training != nil {
		s.training = *d.Training
	}
	return s.turned(d.Direction), true
}

// gateOf says what a metric's verdict means for the merge.
func gateOf(d record.MetricDifference) string {
	pass := true
	switch {
	case d.Level != levelGate && d.Level != levelGuard:
		return record.GateNone
	case d.Verdict == record.Missing || d.Verdict == record.Worse:
		pass = false
	case d.Verdict == record.First || d.Verdict == record.NewQuestion:
	case d.Level == levelGate && d.Require == better:
		pass = d.Verdict == record.Better
	case d.Level == levelGate && d.Require == nonInferior:
		s, ok := of(d)
		pass = ok && s.low >= -d.Tolerance
	}
	if pass {
		return record.GatePass
	}
	return record.GateFail
}

// order is how verdicts of metrics make that of a model: the first that any has.
var order = []string{record.Missing, record.Worse, record.Inconclusive, record.Better, record.Same, record.First}

// overall is a model's verdict among its gate and guard metrics, or among all when it has none, and why.
func overall(metrics []record.MetricDifference) (verdict, reason string) {
	judged := slices.DeleteFunc(slices.Clone(metrics), func(m record.MetricDifference) bool { return m.Slice != "" })
	binding := slices.DeleteFunc(slices.Clone(judged), func(m record.MetricDifference) bool { return m.Level == levelInfo })
	if len(binding) > 0 {
		judged = binding
	}
	for _, v := range order {
		for _, m := range judged {
			if m.Verdict != v {
				continue
			}
			if m.Reason != "" {
				reason = m.Name + ": " + m.Reason
			}
			return v, reason
		}
	}
	return record.Missing, "no metric was compared"
}

// maxRowsNeeded caps the estimate: beyond it the answer is "more than anyone has".
const maxRowsNeeded = 1_000_000_000

// enough is the half width that would settle a difference if it stays what it is: the nearest of better, worse and same is taken.
func (s signed) enough(tolerance float64) float64 {
	return max(s.difference, -s.difference-tolerance, tolerance-math.Abs(s.difference))
}

// rowsNeeded estimates how many more rows would settle an inconclusive difference, if it stays what it is and the interval's half width
// shrinks with 1/√n, all but what training alone makes of it. 0: no number of rows would. Two significant digits, at most 1e9.
func (s signed) rowsNeeded(n int, tolerance float64) int {
	enough, half, fixed := s.enough(tolerance), (s.high-s.low)/2, s.training
	if !(enough > fixed) {
		return 0
	}
	return about(float64(n) * ((half*half-fixed*fixed)/(enough*enough-fixed*fixed) - 1))
}

// about rounds a count up to two significant digits.
func about(rows float64) int {
	if !(rows > 0) {
		return 1
	}
	if rows >= maxRowsNeeded {
		return maxRowsNeeded
	}
	scale := math.Pow(10, max(0, math.Floor(math.Log10(rows))-1))
	return min(int(math.Ceil(rows/scale)*scale), maxRowsNeeded)
}

// newDifference starts a line of the table.
func newDifference(m doc.Metric, rows, groups int) record.MetricDifference {
	d := record.MetricDifference{Name: m.Name, Direction: m.Direction, Level: m.Level, Tolerance: m.Tolerance, N: rows, Groups: groups}
	if spec, ok := metric.Lookup(m.Name); ok {
		d.Unit = spec.Unit
	}
	if m.Level == levelGate {
		d.Require = m.Require
	}
	return d
}
