package flow

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/compare"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/value"
)

// price adds what a case is worth, where the design card says it.
func price(in *compare.Input, design *doc.Design) error {
	money, err := moneyOf(in.Task, design)
	if money == nil || err != nil {
		return err
	}
	in.Value, in.Currency, in.Period = money.PerPeriod, design.Value.Currency, design.Value.Period
	return nil
}

func moneyOf(task string, design *doc.Design) (*value.Money, error) {
	if design == nil || len(design.Value.Case) == 0 || task != record.TaskBinary {
		return nil, nil
	}
	money, err := value.Of(design)
	if err != nil {
		return nil, fmt.Errorf("reading the value of a case: %w", err)
	}
	return money, nil
}

// spread says what the assumptions' ranges leave of the difference in money, which the interval over rows holds fixed.
func (c *comparing) spread(v *record.ValueDifference, base, head record.Evaluation) error {
	money, err := moneyOf(c.model.Task, c.design)
	if v == nil || money == nil || err != nil {
		return err
	}
	s, ok := money.Between(confusion(base, c.base.Threshold), confusion(head, c.head.Threshold))
	if !ok {
		return nil
	}
	v.AssumeLow, v.AssumeHigh, v.Ranged, v.Guesses = &s.Low, &s.High, s.Ranged, s.Guesses
	return nil
}

// unmet says which bounds of the design card a run does not keep.
func unmet(card *doc.Design, run record.Run) []string {
	var out []string
	for _, r := range evaluate.Requirements(card, &run) {
		if r.State == record.NotMet {
			out = append(out, "requirement "+strings.TrimPrefix(brief.Requirement(r), brief.Symbol(r.State)+" "))
		}
	}
	return out
}

// confusion counts the outcomes of a binary evaluation at a threshold, by weight.
func confusion(e record.Evaluation, threshold float64) value.Counts {
	var c value.Counts
	for i, y := range e.Label {
		w := 1.0
		if e.Weight != nil {
			w = e.Weight[i]
		}
		switch yes := e.Scores[0][i] >= threshold; {
		case yes && y == 1:
			c.TP += w
		case yes:
			c.FP += w
		case y == 1:
			c.FN += w
		default:
			c.TN += w
		}
	}
	return c
}
