package trigger

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
)

// Sample is rows of a time in which nothing was wrong, in the blocks (days, hours) in which they move together.
type Sample struct {
	Rows   []int64                // rows of each block
	Values map[string][][]float64 // by Key: of each block the values, NaN where there is none
}

// Key names the values that a number is worked out from: those of a column, or for a share 1 where a row has the value and 0 where not.
func Key(a rule.Aggregate) string {
	if a.Function == "share" {
		return "share " + rule.Literal(a.Share) + " " + a.Column
	}
	return a.Column
}

// Needed lists the numbers that a trigger reads, of either side, each value set once.
func Needed(t doc.Trigger, env rule.Env) ([]rule.Aggregate, error) {
	e, err := rule.Parse(t.When, env)
	if err != nil {
		return nil, err
	}
	var out []rule.Aggregate
	for _, a := range e.Aggregates() {
		if !slices.ContainsFunc(out, func(b rule.Aggregate) bool { return Key(a) == Key(b) }) {
			out = append(out, a)
		}
	}
	return out, nil
}

// Rate is how often a trigger fires although nothing is wrong.
type Rate struct {
	PerYear float64
	Unknown float64 // share of windows in which it could not be judged
	Windows int     // windows that were drawn
}

const (
	simulatedYears = 100
	year           = 365 * 24 * time.Hour
)

// FalseAlarms draws years of windows from rows in which nothing is wrong, each of whole blocks with replacement, and counts how often the trigger
// fires, with all that it asks for: least rows, windows in a row, cooldown. blocks is how many make a window. The reference is the sample itself, so
// its own error is left out; a reference of few blocks alarms more often than this says.
func FalseAlarms(t doc.Trigger, env rule.Env, s Sample, window time.Duration, blocks int, seed uint64) (Rate, error) {
	e, err := rule.Parse(t.When, env)
	if err != nil {
		return Rate{}, err
	}
	every := make([]int, len(s.Rows))
	for i := range every {
		every[i] = i
	}
	row := map[string]any{}
	lay(row, e, s, every, Reference)
	m := &doc.Monitor{Triggers: map[string]doc.Trigger{"": t}, Order: []string{""}}
	random := rand.New(rand.NewPCG(seed, uint64(len(s.Rows))))
	fired, unknown, windows := 0, 0, 0
	chosen := make([]int, blocks)
	for range simulatedYears {
		var past Past
		for end := (time.Time{}).Add(window); end.Before((time.Time{}).Add(year)); end = end.Add(window) {
			for i := range chosen {
				chosen[i] = random.IntN(len(s.Rows))
			}
			lay(row, e, s, chosen, Current)
			state := Judge(m, env, row, end, map[string]Past{"": past})[0]
			state.Before = end
			past = append(Past{state}, past...)
			windows++
			switch {
			case state.State == record.TriggerFired:
				fired++
			case state.Condition == record.ConditionUnknown:
				unknown++
			}
		}
	}
	return Rate{PerYear: float64(fired) / simulatedYears, Unknown: float64(unknown) / float64(windows), Windows: windows}, nil
}

// lay works out what an expression reads of one side, over some blocks.
func lay(row map[string]any, e rule.Expr, s Sample, blocks []int, side string) {
	prefix := ""
	if side == Reference {
		prefix = "ref."
	}
	var rows int64
	for _, b := range blocks {
		rows += s.Rows[b]
	}
	row[prefix+"rows"] = rows
	for _, a := range e.Aggregates() {
		if (a.Side == Reference) != (side == Reference) {
			continue
		}
		delete(row, a.String())
		if v, ok := number(a, s.Values[Key(a)], blocks); ok {
			row[a.String()] = rounded(v)
			if a.Function == "distinct" {
				row[a.String()] = int64(v)
			}
		}
	}
}

// number works one aggregate out over blocks of values, as Plan's SQL does over rows.
func number(a rule.Aggregate, values [][]float64, blocks []int) (float64, bool) {
	var all []float64
	rows := 0
	for _, b := range blocks {
		if b >= len(values) {
			continue
		}
		rows += len(values[b])
		for _, x := range values[b] {
			if !math.IsNaN(x) {
				all = append(all, x)
			}
		}
	}
	switch {
	case rows == 0:
		return 0, false
	case a.Function == "null_rate":
		return 1 - float64(len(all))/float64(rows), true
	case len(all) == 0 && a.Function != "distinct":
		return 0, false
	}
	switch a.Function {
	case "distinct":
		slices.Sort(all)
		return float64(len(slices.Compact(all))), true
	case "min":
		return slices.Min(all), true
	case "max":
		return slices.Max(all), true
	case "median":
		return quantile(all, 0.5), true
	case "quantile":
		return quantile(all, a.Quantile), true
	}
	mean := 0.0
	for i, x := range all {
		mean += (x - mean) / float64(i+1)
	}
	if a.Function != "std" {
		return mean, true
	}
	squares := 0.0
	for _, x := range all {
		squares += (x - mean) * (x - mean)
	}
	return math.Sqrt(squares / float64(len(all)-1)), len(all) > 1
}

// quantile interpolates between order statistics, as quantile_cont does. It puts values in order.
func quantile(values []float64, p float64) float64 {
	slices.SortFunc(values, cmp.Compare[float64])
	at := p * float64(len(values)-1)
	i := int(at)
	if i+1 >= len(values) {
		return values[len(values)-1]
	}
	return values[i] + (at-float64(i))*(values[i+1]-values[i])
}
