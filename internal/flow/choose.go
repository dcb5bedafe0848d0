package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/compare"
	"github.com/plumb-ml/plumb/internal/record"
)

// choose names the best cell, and asks how sure that is.
func (s *sweep) choose(ctx context.Context) error {
	order := s.ranked()
	if len(order) == 0 {
		s.out.Choice.Reason = "no cell has the metric"
		return nil
	}
	for _, i := range order {
		s.out.Ranking = append(s.out.Ranking, s.out.Cells[i].Cell)
	}
	s.out.Best = &s.out.Ranking[0]
	field, of, err := s.field(ctx, order)
	if err != nil { // the choice stands without it
		s.out.Choice.Reason = fmt.Sprintf("the rows of a cell can't be read: %.300s", err)
		return nil
	}
	s.p.progress("sweep of %s: comparing the best %d cells", s.o.Experiment, len(of))
	found, err := compare.Stand(field)
	if err != nil {
		return fmt.Errorf("comparing the cells: %w", err)
	}
	s.out.Choice = record.SweepChoice{Compared: len(of), Rows: found.Rows, Groups: found.Groups, Corrected: found.Corrected, Reason: found.Reason}
	for n, b := range found.Behind {
		c := &s.out.Cells[of[n]]
		c.Gain, c.Low, c.High, c.WithinNoise = &b.Gain, &b.Low, &b.High, &b.Within
		if b.Within {
			s.out.Choice.Within++
		}
	}
	return nil
}

// field gives the valid rows of the best cells, as they were stored, and which cells they are.
func (s *sweep) field(ctx context.Context, order []int) (compare.Field, []int, error) {
	f := compare.Field{Task: s.out.Task, Metric: s.out.By.Metric, Direction: s.out.By.Direction}
	key := s.runs[order[0]].Inputs.Key()
	f.Seed = seed(key, s.out.Sweep)
	for n, i := range order {
		if n > 0 && n >= compare.MaxField(len(f.Label)) {
			return f, order[:n], nil
		}
		w, err := s.workshop(ctx)
		if err != nil {
			return f, nil, err
		}
		eval, err := w.stored(ctx, s.runs[i])
		if err != nil {
			return f, nil, err
		}
		eval = partOf(eval, "valid")
		f.Label, f.Weight, f.Group = eval.Label, eval.Weight, eval.Group
		f.Candidates = append(f.Candidates, compare.Answer{Scores: eval.Scores, Threshold: s.runs[i].Threshold})
	}
	return f, order, nil
}

// workshop opens the engine when it is first needed: a dry run, and a sweep of one cell that the ledger has, need none.
func (s *sweep) workshop(ctx context.Context) (*workshop, error) {
	if s.shop != nil {
		return s.shop, nil
	}
	var err error
	s.shop, err = s.p.workshop(ctx, s.t.Docs.Project)
	return s.shop, err
}
