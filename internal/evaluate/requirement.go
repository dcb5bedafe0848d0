package evaluate

import (
	"maps"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// Requirements holds the design card's bounds against a run, by name: operations metrics, and those of the run's task on its test part. What is of
// another task only is left out. Bounds are inclusive, and a number counts as it was measured: how sure it is, is for a comparison to say.
func Requirements(card *doc.Design, run *record.Run) []record.Requirement {
	if card == nil {
		return nil
	}
	measured := run.Operations()
	maps.Copy(measured, run.Result.Metrics)
	asked := slices.Concat(metric.Operations, metric.For(run.Task))
	var out []record.Requirement
	for _, name := range slices.Sorted(maps.Keys(card.Requirement)) {
		bound := card.Requirement[name]
		if !slices.Contains(asked, bound.Metric) {
			continue
		}
		r := record.Requirement{Name: name, Metric: bound.Metric, AtMost: bound.AtMost, AtLeast: bound.AtLeast, State: record.Met}
		value, ok := measured[bound.Metric]
		switch {
		case !ok:
			r.State, r.Reason = record.NotMeasured, run.Speed.Why
		case r.AtMost != nil && value > *r.AtMost, r.AtLeast != nil && value < *r.AtLeast:
			r.State = record.NotMet
		}
		if ok {
			r.Value = &value
		}
		out = append(out, r)
	}
	return out
}
