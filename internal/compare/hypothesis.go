package compare

import (
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// The states of a hypothesis.
const (
	Confirmed = "confirmed" // the whole interval is at or above the gain
	Refuted   = "refuted"   // the whole interval is below it
	Open      = "open"
)

// hypothesis says what became of the claim; nil when none was made. Of several expected gains one that is refuted decides, then one that is
// open; all must be confirmed. Metric and Gain are those of the one that decides. A hypothesis that expects no number stays open.
func (in Input) hypothesis(metrics []record.MetricDifference) *record.Hypothesis {
	if in.Hypothesis == "" && len(in.Expect) == 0 {
		return nil
	}
	rank := map[string]int{Refuted: 3, Open: 2, Confirmed: 1}
	h := &record.Hypothesis{Text: in.Hypothesis, State: Open}
	decided := 0
	for _, name := range sortedKeys(in.Expect) {
		state := Open
		for _, m := range metrics {
			if m.Name == name && m.Slice == "" {
				state = claim(m, in.Expect[name].Gain)
			}
		}
		if rank[state] > decided {
			decided = rank[state]
			h.State, h.Metric, h.Gain = state, name, in.Expect[name].Gain
		}
	}
	return h
}

func claim(m record.MetricDifference, gain float64) string {
	s, ok := of(m)
	switch {
	case ok && s.low >= gain:
		return Confirmed
	case ok && s.high < gain:
		return Refuted
	}
	return Open
}

// worth is the money line; nil when the design card does not price a case.
func (c *contest) worth(base, head map[string]float64, f finding) *record.ValueDifference {
	if c.Value == nil {
		return nil
	}
	v := &record.ValueDifference{Currency: c.Currency, Period: c.Period, Base: number(base, metric.Value), Head: number(head, metric.Value)}
	switch {
	case c.Task != metric.Binary:
		v.Reason = "the value is made from a confusion matrix, which a " + c.Task + " task does not have"
	case v.Base == nil || v.Head == nil:
		v.Reason = "the confusion matrix has no value"
	default:
		v.Difference = rounded(f.Difference, f)
		v.Reason = f.reason
		if f.known {
			v.Low, v.High = rounded(f.Low, f), rounded(f.High, f)
		}
	}
	return v
}
