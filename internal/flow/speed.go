package flow

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

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
)

// single is a scorer that answers for one row without starting anything.
type single interface {
	// oneByOne gives "" or why a single row can't be asked for at a price that means something.
	oneByOne() string
}

func (b builtin) oneByOne() string { return "" }

// speed measures how fast a model answers for rows that it was not trained on: one at a time, and in a batch. What it costs to make a row of features
// (joins, windows) is not in it, nor is any network; a serving process adds its own. A model that can't be measured is no reason to lose a run.
func speed(ctx context.Context, m scorer, held sheet) record.Speed {
	out := record.Speed{CPUs: runtime.NumCPU(), Why: "the model can't be asked for one row at a time"}
	if s, ok := m.(single); ok {
		out.Why = s.oneByOne()
	}
	n := len(held.rows.RowID)
	if out.Why != "" || n == 0 {
		return out
	}
	took, err := batchTime(ctx, m, held)
	if err == nil {
		out.Batch, out.Throughput = n, threeDigits(float64(n)/took.Seconds())
		_, err = oneRowEach(ctx, m, held, asking{most: warmCalls, within: callBudget / 5})
	}
	var calls []float64
	if err == nil {
		calls, err = oneRowEach(ctx, m, held, asking{most: mostCalls, within: callBudget})
	}
	switch out.Calls = len(calls); {
	case err != nil:
		out.Why = fmt.Sprintf("%.200q", err.Error())
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
func oneRowEach(ctx context.Context, m scorer, held sheet, a asking) ([]float64, error) {
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
func batchTime(ctx context.Context, m scorer, held sheet) (time.Duration, error) {
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
	few := func(n int) bool { return n >= 0 && n <= math.MaxInt32 }
	return s.Throughput >= 0 && s.Throughput < 1e12 && few(s.Calls) && few(s.Batch) && few(s.CPUs) && s.P50 <= s.P95 && (s.P99 == 0 || s.P95 <= s.P99) && plainText(s.Why, 300)
}
