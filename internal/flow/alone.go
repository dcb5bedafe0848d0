package flow

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/compare"
	"github.com/plumb-ml/plumb/internal/record"
)

// judgeAlone measures head without a base to compare with: the first answer, a changed question, a removed champion.
func (c *comparing) judgeAlone() (*record.Comparison, error) {
	head := testPart(c.head.eval)
	in := compare.Input{Task: c.model.Task, Label: head.Label, Weight: head.Weight, Head: head.Scores, Group: head.Group, Slices: head.Slices,
		HeadThreshold: c.head.Threshold, Contract: contract(c.model), Gates: c.model.Gates, Params: c.head.params, Seed: seed("", c.head.Digest)}
	var err error
	if in.HeadMore, err = c.head.more(c.model.Question.Threshold, head); err != nil {
		return nil, fmt.Errorf("reading the seeds of %s: %w", c.head.Experiment, err)
	}
	if c.experiment != nil {
		in.Hypothesis, in.Expect = c.experiment.Hypothesis, c.experiment.Expect
	}
	if err := price(&in, c.design); err != nil {
		return nil, err
	}
	var out compare.Outcome
	switch c.kind {
	case record.First:
		out, err = compare.First(in)
	case record.NewQuestion:
		in.Gates = nil // base's gates were about another question
		out, err = compare.NewQuestion(in)
	default:
		out = compare.Missing(in, c.reason)
	}
	if err != nil {
		return nil, fmt.Errorf("measuring %s: %w", c.head.Experiment, err)
	}
	if c.reason != "" {
		out.Reason = c.reason
	}
	return c.fill(out, "", len(head.RowID)), nil
}
