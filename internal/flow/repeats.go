package flow

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/compare"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Repeats: what is kept of the second seed and those after it are their scores, in the run's own evaluation. Their models are not kept: nobody serves
// them, and a run would weigh five times as much. What they would say of other rows is therefore not known; how far they lie apart is.

// repeat trains with the further seeds that the experiment asks for, and adds what they say of the held rows to the evaluation. When the second seed gives
// the scores of the first, the learner makes no use of its seed, and no further one is tried.
func (w *workshop) repeat(ctx context.Context, t *Tree, s, held sheet, x *execution) error {
	e := t.Docs.Experiments[x.run.Experiment]
	seeds := e.Train.Seeds()
	if len(seeds) == 1 {
		return nil
	}
	start := time.Now()
	x.run.Repeats = len(seeds)
	for i, seed := range seeds[1:] {
		w.p.progress("%s: training again with seed %d, %d of %d", x.run.Experiment, seed, i+2, len(seeds))
		again, err := w.train(ctx, t, e, s, seed)
		if err != nil {
			return fmt.Errorf("training with seed %d, repeat %d of %d: %w", seed, i+2, len(seeds), err)
		}
		scores := again.scores
		if scores == nil {
			if scores, err = again.score(ctx, held); err != nil {
				return fmt.Errorf("scoring with seed %d: %w", seed, err)
			}
		}
		of := held.rows.Evaluation(scores).Scores
		if i == 0 && slices.EqualFunc(of, x.eval.Scores, slices.Equal[[]float64]) {
			x.run.SameSeeds = true
			break
		}
		x.eval.Repeats = append(x.eval.Repeats, of)
	}
	x.run.Timings.Repeats = time.Since(start).Seconds()
	return nil
}

// roomForRepeats refuses more columns of scores than an evaluation holds.
func roomForRepeats(e *doc.Experiment, classes int) error {
	n := len(e.Train.Seeds())
	if n == 1 || n*max(classes, 1) <= record.MaxScores {
		return nil
	}
	return problem.Wrongf(fmt.Sprintf("of so many classes at most %d repeats are kept", max(record.MaxScores/classes, 1)),
		"%s: %d repeats of %d classes are %d columns of scores, and an evaluation holds %d", e.Path, n, classes, n*classes, record.MaxScores)
}

// sameAnswers gives what the further seeds of a run said of rows that it is asked about again, nil when that is not known: only where the rows are
// among those that it answered when it was made, and the served model says of them what it said then.
func sameAnswers(stored, again record.Evaluation, sameData bool) [][][]float64 {
	if len(stored.Repeats) == 0 || !sameData || !slices.Equal(stored.Classes, again.Classes) {
		return nil
	}
	at := make(map[int64]int, len(stored.RowID))
	for i, id := range stored.RowID {
		at[id] = i
	}
	keep := make([]int, len(again.RowID))
	for i, id := range again.RowID {
		j, ok := at[id]
		if !ok || stored.Part[j] != again.Part[i] {
			return nil
		}
		keep[i] = j
	}
	then := stored.Select(keep)
	if !sameScores(then.Scores, again.Scores) {
		return nil
	}
	return then.Repeats
}

// seedsOf says how the seeds of a run count for rows as scored; nil: it was trained once.
func seedsOf(run record.Run) *record.Seeds {
	if run.Repeats < 2 {
		return nil
	}
	return &record.Seeds{Tried: run.Repeats, Same: run.SameSeeds}
}

// recall brings the seeds of a base that was scored again: their answers, or from a recorded run how far they lie apart.
func (s *side) recall(x *execution, rule any, sameData bool) error {
	s.Seeds = seedsOf(x.run)
	if s.Seeds == nil || s.Seeds.Same {
		return nil
	}
	var err error
	if s.eval.Repeats = sameAnswers(x.eval, s.eval, sameData); s.eval.Repeats != nil {
		s.thresholds, err = evaluate.Thresholds(rule, x.eval)
		return err
	}
	if x.run.ID == "" || len(x.eval.Repeats) == 0 { // made for this comparison only: nobody could make the spread again
		s.Seeds = nil
		return nil
	}
	s.Seeds.Elsewhere = true
	s.spread, err = spreadOf(rule, x.eval)
	return err
}

// spreadOf is how far the test metrics of an evaluation's seeds lie apart.
func spreadOf(rule any, e record.Evaluation) (map[string]compare.Spread, error) {
	each, err := evaluate.Repeats(rule, 0, e)
	if err != nil || len(each) == 0 {
		return nil, err
	}
	out := map[string]compare.Spread{}
	for name := range each[0].Test {
		var values []float64
		for _, r := range each {
			if v, ok := r.Test[name]; ok {
				values = append(values, v)
			}
		}
		out[name] = compare.SpreadOf(name, values)
	}
	return out, nil
}

// more gives the answers of a side's further seeds to the rows that are compared. rows has lost the valid part, by which thresholds may be chosen.
func (s *side) more(rule any, rows record.Evaluation) ([]compare.Answer, error) {
	if s.thresholds == nil {
		var err error
		if s.thresholds, err = evaluate.Thresholds(rule, s.eval); err != nil {
			return nil, err
		}
	}
	if len(s.thresholds) != len(rows.Repeats) {
		return nil, fmt.Errorf("%d thresholds for %d further seeds", len(s.thresholds), len(rows.Repeats))
	}
	if s.Seeds != nil && slices.ContainsFunc(s.thresholds, func(t float64) bool { return t != s.Threshold }) {
		s.Seeds.Thresholds = s.thresholds
	}
	var out []compare.Answer
	for i, scores := range rows.Repeats {
		out = append(out, compare.Answer{Scores: scores, Threshold: s.thresholds[i]})
	}
	return out, nil
}

// saidThresholds are those of the further seeds of a base that was run for a comparison only: by the question's number, else the job's word, as the
// base's own is.
func saidThresholds(rule any, said *record.Seeds, e record.Evaluation) ([]float64, error) {
	if _, chosen := rule.(string); !chosen || e.Task != record.TaskBinary || len(e.Repeats) == 0 {
		return evaluate.Thresholds(rule, e)
	}
	if said == nil || len(said.Thresholds) != len(e.Repeats) {
		return nil, fmt.Errorf("it has no threshold for each of %d further seeds", len(e.Repeats))
	}
	for _, t := range said.Thresholds {
		if math.IsNaN(t) || math.IsInf(t, 0) {
			return nil, fmt.Errorf("a threshold is %v", t)
		}
	}
	return said.Thresholds, nil
}

// claimSeeds fills in what a run says of its seeds from what the experiment asks for and its evaluation has.
func claimSeeds(run *record.Run, e *doc.Experiment, eval record.Evaluation) error {
	n := len(e.Train.Seeds())
	run.Repeats, run.SameSeeds = 0, false
	switch {
	case n > 1 && len(eval.Repeats) == 0:
		run.Repeats, run.SameSeeds = n, true
	case len(eval.Repeats) != n-1:
		return fmt.Errorf("it has the scores of %d seeds, and the experiment asks for %d", 1+len(eval.Repeats), n)
	case n > 1:
		run.Repeats = n
	}
	return nil
}
