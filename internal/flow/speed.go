package flow

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/program"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// How long a run may spend on its own speed: a model that answers in a hundredth of a second is asked a hundred times, and one that takes a second once
// or twice, which is too few to say anything of.
const (
	warmCalls   = 50
	mostCalls   = 500
	leastCalls  = 20  // fewer say nothing of the slow ones
	callsForP99 = 200 // a hundredth of fewer is one call
	callBudget  = time.Second
	batchBudget = 50 * time.Millisecond
	workerRows  = 2000 // it has scored all rows once already
)

// asked is a model that stays at hand: it answers for rows again and again without being started anew.
type asked interface {
	score(ctx context.Context, s sheet) ([][]float64, error)
}

// speed measures how fast a model answers for rows that it was not trained on: one at a time, and in a batch. What it costs to make a row of features
// (joins, windows) is not in it, nor is any network; a serving process adds its own. A model that can't be measured is no reason to lose a run.
func speed(ctx context.Context, m scorer, held sheet) record.Speed {
	switch m := m.(type) {
	case builtin:
		return speedOf(ctx, m, held)
	case *commanded:
		return m.speed(ctx, held)
	}
	return record.Speed{Why: "the model can't be asked for one row at a time"}
}

// speed asks the program's worker: what serves is what is measured. A predict command starts a program for every batch, which nobody would serve with.
func (c *commanded) speed(ctx context.Context, held sheet) record.Speed {
	if len(c.experiment.Predict.Worker) == 0 {
		return record.Speed{Why: "its program has no [predict] worker, which could be asked for one row at a time"}
	}
	p, err := c.shop.program(c.tree, c.experiment, c.experiment.Train.Seed)
	if err != nil {
		return record.Speed{Why: why(err)}
	}
	p.Task, p.Classes = held.rows.Task, held.rows.Classes
	s, err := p.Open(ctx, c.model)
	if err != nil {
		return record.Speed{Why: why(err)}
	}
	out := speedOf(ctx, worker{s}, held.some(workerRows))
	if _, err := s.Close(nil); err != nil && out.Why == "" {
		out.Why = why(err)
	}
	return out
}

// some gives at most n rows, spread over the sheet.
func (s sheet) some(n int) sheet {
	all := len(s.rows.RowID)
	if all <= n {
		return s
	}
	keep := make([]int, n)
	for i := range keep {
		keep[i] = i * all / n
	}
	return s.pick(keep)
}

// worker is a program's worker as it stays.
type worker struct{ *program.Session }

func (w worker) score(ctx context.Context, s sheet) ([][]float64, error) {
	return w.Score(ctx, s.given())
}

// why is an error as a record keeps it.
func why(err error) string { return fmt.Sprintf("%.200q", err.Error()) }

func speedOf(ctx context.Context, m asked, held sheet) record.Speed {
	var out record.Speed
	n := len(held.rows.RowID)
	took, err := batchTime(ctx, m, held)
	if err == nil {
		out.Throughput = threeDigits(float64(n) / took.Seconds())
		_, err = oneRowEach(ctx, m, held, asking{most: warmCalls, within: callBudget / 5})
	}
	var calls []float64
	if err == nil {
		calls, err = oneRowEach(ctx, m, held, asking{most: mostCalls, within: callBudget})
	}
	switch out.Calls = len(calls); {
	case err != nil:
		out.Why = why(err)
	case out.Calls < leastCalls:
		out.Why = fmt.Sprintf("only %d calls fit into %s, and %d are needed", out.Calls, callBudget, leastCalls)
	default:
		out.P50, out.P95 = threeDigits(stat.Quantile(calls, 0.5)), threeDigits(stat.Quantile(calls, 0.95))
		if out.Calls >= callsForP99 {
			out.P99 = threeDigits(stat.Quantile(calls, 0.99))
		}
	}
	return out
}

// asking bounds a series of calls.
type asking struct {
	most   int
	within time.Duration
}

// oneRowEach gives the milliseconds of calls for one row each, ascending. The rows are spread over the sheet.
func oneRowEach(ctx context.Context, m asked, held sheet, a asking) ([]float64, error) {
	var calls []float64
	n, deadline := len(held.rows.RowID), time.Now().Add(a.within)
	for i := 0; i < a.most && time.Now().Before(deadline); i++ {
		one := held.pick([]int{i * n / a.most % n})
		start := time.Now()
		if _, err := m.score(ctx, one); err != nil {
			return nil, fmt.Errorf("scoring one row: %w", err)
		}
		calls = append(calls, float64(time.Since(start).Nanoseconds())/1e6)
	}
	slices.Sort(calls)
	return calls, nil
}

// batchTime is the mean time of scoring all rows at once; a fast model is asked more than once, for the clock's sake.
func batchTime(ctx context.Context, m asked, held sheet) (time.Duration, error) {
	start := time.Now()
	for times := 1; ; times++ {
		if _, err := m.score(ctx, held); err != nil {
			return 0, err
		}
		if took := time.Since(start); took > batchBudget || times == 100 {
			return max(took/time.Duration(times), time.Nanosecond), nil
		}
	}
}

// threeDigits rounds a measurement to what is measurable.
func threeDigits(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0
	}
	return r
}

// soundSpeed says whether numbers of the measuring job can be true.
func soundSpeed(s record.Speed) bool {
	for _, ms := range []float64{s.P50, s.P95, s.P99} {
		if !duration(ms / 1000) {
			return false
		}
	}
	return s.Throughput >= 0 && s.Throughput < 1e12 && s.Calls >= 0 && s.Calls <= mostCalls && s.P50 <= s.P95 && (s.P99 == 0 || s.P95 <= s.P99) && plainText(s.Why, 300)
}
