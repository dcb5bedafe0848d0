// Package drift judges whether rows of one time or place are distributed like those of another, column by column.
//
// It needs two keys to call a column drifted: the difference must be too clear for chance (Benjamini–Hochberg q < 0.05 across the columns) and
// large enough to matter (an effect at or above its threshold). One key alone is `watch`. A column of another type, or that is gone, has drifted by that. Peers turn one key: a p alone calls a shift of 0.015
// standard deviations drift in 100,000 rows, a distance alone calls noise drift in 200. Rows of one block, as a day, move together; with blocks
// given, p comes from exchanging whole blocks between the sides.
//
// It is pure: it reads no file, asks no engine, and knows no clock. It stores nothing.
package drift

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
	"github.com/plumb-ml/plumb/internal/table"
)

// The defaults of a verdict.
const (
	Level     = 0.05 // of q
	Threshold = 0.10 // of the effect: the Kolmogorov–Smirnov distance, or Cramér's V
	Severe    = 0.20
	LeastRows = 50 // with a value, on each side
)

// Column is what is asked about one column. Values are of type float64 or string; null, NaN and infinities are missing.
type Column struct {
	Name               string
	Role               string // feature, target or prediction
	Public             bool   // its values may be shown
	Importance         *float64
	Reference, Current *table.Vector
}

// Blocks number the groups that rows of each side move in, from 0, one number a row. The zero value: every row moves on its own.
type Blocks struct {
	Reference, Current []int32
	N                  int
}

// Measure describes one column; its verdict and q are left to Judge. The result depends on nothing but the arguments.
func Measure(c Column, blocks Blocks, seed uint64) record.DriftColumn {
	out := record.DriftColumn{Name: c.Name, Role: c.Role, Importance: c.Importance, Threshold: Threshold, NewCategories: []record.DriftCategory{},
		Bins: []record.DriftBin{}, Shares: []record.DriftShare{}}
	out.NReference, out.NullShareReference = present(c.Reference)
	out.NCurrent, out.NullShareCurrent = present(c.Current)
	m := measurement{column: c, blocks: blocks, seed: seed, out: &out}
	switch kindOf(c.Reference) {
	case "numeric":
		out.Kind, out.EffectName = "numeric", "ks_d"
		m.numbers(numbersOf(c.Reference), numbersOf(c.Current), true)
	case "text":
		out.Kind, out.EffectName = "text", "ks_d"
		m.numbers(lengthsOf(c.Reference), lengthsOf(c.Current), false)
	default:
		out.Kind, out.EffectName = "categorical", "cramers_v"
		m.categories()
	}
	if c.Importance != nil && out.Effect != nil {
		impact := *c.Importance * *out.Effect
		out.Impact = &impact
	}
	return out
}

// Change describes a column that is not what it was: of another kind of type now, or gone, where is is "". That is drift whatever the values are, so none is
// measured.
func Change(c Column, was, is table.Type) record.DriftColumn {
	out := record.DriftColumn{Name: c.Name, Role: c.Role, Importance: c.Importance, Threshold: Threshold, NewCategories: []record.DriftCategory{},
		Bins: []record.DriftBin{}, Shares: []record.DriftShare{}, Kind: "categorical", EffectName: "cramers_v", Method: "none",
		Changed: &record.TypeChange{Was: string(was), Is: string(is)}, Reason: fmt.Sprintf("it was %s and is %s now", was, is)}
	if is == "" {
		out.Reason = "no row has it any more"
	}
	switch was {
	case table.Int64, table.Float64, table.Decimal:
		out.Kind, out.EffectName = "numeric", "ks_d"
	case table.Date, table.Timestamp:
		out.Kind, out.EffectName = "time", "ks_d"
	}
	return out
}

// Judge adjusts the p of all columns together and gives every verdict, and that of the whole: drift when a column has drifted, else watch when
// one is watched, else insufficient when nothing could be judged. What is false among the columns called drifted is 5 % at most, so one is enough.
func Judge(d *record.Drift) {
	var p []float64
	var at []int
	for i := range d.Columns {
		if c := &d.Columns[i]; c.P != nil {
			p, at = append(p, *c.P), append(at, i)
		}
	}
	q := stat.BenjaminiHochberg(p)
	d.Drifted, d.Watched, d.Verdict = 0, 0, record.DriftInsufficient
	for k, i := range at {
		d.Columns[i].Q = &q[k]
	}
	for i := range d.Columns {
		c := &d.Columns[i]
		c.Verdict = verdict(c)
		c.Severe = c.Verdict == record.DriftFound && c.Effect != nil && *c.Effect >= Severe
		switch c.Verdict {
		case record.DriftFound:
			d.Drifted++
		case record.DriftWatch:
			d.Watched++
		case record.DriftStable:
			d.Verdict = record.DriftStable
		}
	}
	switch {
	case d.Drifted > 0:
		d.Verdict = record.DriftFound
	case d.Watched > 0:
		d.Verdict = record.DriftWatch
	}
}

func verdict(c *record.DriftColumn) string {
	if c.Changed != nil {
		return record.DriftFound
	}
	if c.Q == nil || c.Effect == nil {
		return record.DriftInsufficient
	}
	clear, large := *c.Q < Level, *c.Effect >= c.Threshold
	switch {
	case clear && large:
		return record.DriftFound
	case clear || large:
		return record.DriftWatch
	}
	return record.DriftStable
}

// measurement is one column under measure.
type measurement struct {
	column Column
	blocks Blocks
	seed   uint64
	out    *record.DriftColumn
}

// insufficient says why there is no p. Rows count, not values: a side that has lost its values differs from one that has them.
func (m *measurement) insufficient() bool {
	reference, current := length(m.column.Reference), length(m.column.Current)
	switch {
	case min(reference, current) >= LeastRows:
		return false
	case reference < current:
		m.out.Reason = fmt.Sprintf("%d rows to compare with, %d needed: pin newer ones, or look further back", reference, LeastRows)
	default:
		m.out.Reason = fmt.Sprintf("%d rows now, %d needed: a longer window has more", current, LeastRows)
	}
	m.out.Method = "none"
	return true
}

// finish takes the effect, and p from independent rows unless there are blocks.
func (m *measurement) finish(effect, p float64, method string, codes coded) {
	m.out.Effect, m.out.P, m.out.Method = &effect, &p, method
	if m.blocks.N == 0 {
		return
	}
	p, draws, err := codes.permute(m.blocks, m.seed)
	if err != nil {
		m.out.P, m.out.Reason, m.out.Method = nil, err.Error(), "none"
		return
	}
	m.out.P = &p
	m.out.Method = fmt.Sprintf("%s; p by exchanging %d blocks, %d draws", method, m.blocks.N, draws)
}

func present(v *table.Vector) (n int, nullShare float64) {
	rows := length(v)
	for i := range rows {
		if !absent(v, i) {
			n++
		}
	}
	if rows > 0 {
		nullShare = float64(rows-n) / float64(rows)
	}
	return n, nullShare
}

func length(v *table.Vector) int { return max(len(v.Floats), len(v.Strings)) }

func absent(v *table.Vector, row int) bool {
	return v.IsNull(row) || v.Floats != nil && (math.IsNaN(v.Floats[row]) || math.IsInf(v.Floats[row], 0))
}
