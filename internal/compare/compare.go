// Package compare judges two answers to one question: each metric's difference with its interval, the verdict table,
// gates, the hypothesis, slices and money.
//
// It is pure: paired scores in, an Outcome out; the same input gives the same bits on any number of cores. It does not find runs,
// re-score models or know commits: the flow does, and says how the rows were paired. It stores nothing.
//
// An interval answers for the sampling of test rows, in groups that move together; and for what training again would change, where an experiment was
// trained with several seeds (seeds.go).
package compare

import (
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// MinGroups is how many groups an interval needs. With fewer, nothing is concluded.
const MinGroups = 20

// The levels of a metric, and what one may require.
const (
	levelGate  = "gate"
	levelGuard = "guard"
	levelInfo  = "info"

	notWorse    = "not_worse"
	nonInferior = "non_inferior"
	better      = "better"
)

// Input is two answers on the same rows, and by what they are judged. Columns are of equal length.
type Input struct {
	Task          string
	Label         []float64
	Weight        []float64   // nil: every row counts 1
	Base, Head    [][]float64 // [column][row], as in record.Evaluation
	BaseThreshold float64
	HeadThreshold float64
	BaseMore      []Answer // of further seeds, on the same rows
	HeadMore      []Answer
	BaseSpread    map[string]Spread   // by metric, where base's seeds answered other rows
	Group         []string            // rows that move together; nil: every row is its own group
	Slices        map[string][]string // slice column → value of each row
	Contract      []doc.Metric        // in the order of base's document; empty: the task's headline metric, as info
	Gates         map[string]doc.Gate
	Params        map[string]any // head's, for gates
	Expect        map[string]doc.Expect
	Hypothesis    string
	Seed          uint64
	Method        string // how rows were paired; not read here
	Value         func(tp, fp, fn, tn float64) (float64, bool)
	Currency      string
	Period        string
}

// Side is the rows of a base that shares none with head. Its scores are Input.Base.
type Side struct {
	Label  []float64
	Weight []float64
	Group  []string
	Slices map[string][]string // nil: slices are not compared
}

// Outcome is what a comparison found; the flow adds who and where.
type Outcome struct {
	Verdict    string
	Reason     string // of missing, inconclusive, first and new_question
	Rows       int    // of head
	Groups     int    // of head
	Metrics    []record.MetricDifference
	Gates      []record.Gate // by name
	Hypothesis *record.Hypothesis
	Value      *record.ValueDifference
	Notes      []string
}

// Fails lists, as sentences, what stops a merge: gates and guards that say no, and rules that are false or can't be evaluated. Empty: it passes.
func (o Outcome) Fails() []string {
	var out []string
	for _, m := range o.Metrics {
		switch {
		case m.Gate != record.GateFail:
		case m.Require != "" && m.Require != notWorse:
			out = append(out, fmt.Sprintf("%s is %s; its gate requires %s", m.Name, m.Verdict, m.Require))
		default:
			out = append(out, fmt.Sprintf("%s is %s", m.Name, m.Verdict))
		}
	}
	for _, g := range o.Gates {
		switch g.State {
		case record.GateFail:
			out = append(out, fmt.Sprintf("gate %s says no: %s", g.Name, g.Require))
		case record.GateUnknown:
			out = append(out, fmt.Sprintf("gate %s can't be evaluated: %s", g.Name, g.Reason))
		}
	}
	return out
}

// Judge compares two answers on the same rows. Scores, labels or weights that are not finite numbers, and columns of different
// lengths, are an error, not a verdict.
func Judge(in Input) (Outcome, error) {
	c, err := newContest(in, nil)
	if err != nil {
		return Outcome{}, err
	}
	return c.judge(), nil
}

// JudgeUnpaired compares answers on different rows: in.Label, in.Weight and in.Group are those of head, base brings its own. The error of each
// side counts in full, so intervals are wider than paired ones; when both sides saw the same days they are wider than need be.
func JudgeUnpaired(in Input, base Side) (Outcome, error) {
	c, err := newContest(in, &base)
	if err != nil {
		return Outcome{}, err
	}
	return c.judge(), nil
}

// First measures a model that nothing was served before. in.Base is not read. Its own rules can still say no.
func First(in Input) (Outcome, error) {
	return alone(in, record.First, "there is no champion at the base to compare with")
}

// NewQuestion measures a model whose question changed, so that no number of before means the same. in.Base is not read.
func NewQuestion(in Input) (Outcome, error) {
	return alone(in, record.NewQuestion, "the question changed, so numbers of before and after do not measure the same thing")
}

// Missing is the outcome of a head without answers, say because its training failed.
func Missing(in Input, reason string) Outcome {
	o := Outcome{Verdict: record.Missing, Reason: reason}
	for _, m := range contract(in) {
		d := newDifference(m, 0, 0)
		d.Verdict, d.Reason = record.Missing, reason
		d.Gate = gateOf(d)
		o.Metrics = append(o.Metrics, d)
	}
	o.Gates = in.gates(gateValues{})
	o.Hypothesis = in.hypothesis(nil)
	return o
}

// alone measures head without a base.
func alone(in Input, verdict, reason string) (Outcome, error) {
	head, err := newHalf(in.Task, in.HeadThreshold, in.Head, Side{Label: in.Label, Weight: in.Weight, Group: in.Group, Slices: in.Slices})
	if err != nil {
		return Outcome{}, fmt.Errorf("reading head's scores: %w", err)
	}
	o := Outcome{Verdict: verdict, Reason: reason, Rows: len(in.Label), Groups: head.groups}
	if err := head.trainedAgain(in.HeadMore); err != nil {
		return Outcome{}, fmt.Errorf("reading head's scores: %w", err)
	}
	of := head.measure(in.Value)
	values := of.mean
	for _, m := range contract(in) {
		d := newDifference(m, len(in.Label), head.groups)
		d.Head, d.Verdict, d.Reason = number(values, m.Name), verdict, reason
		d.HeadSpread = of.spread(m.Name).number()
		if d.Head == nil {
			d.Verdict, d.Reason = record.Missing, head.why(in, m.Name)
			if verdict == record.First && m.Level != levelInfo {
				o.Verdict, o.Reason = record.Missing, m.Name+": "+d.Reason
			}
		}
		d.Gate = gateOf(d)
		o.Metrics = append(o.Metrics, d)
	}
	o.Gates = in.gates(gateValues{head: of.served, slices: head.slices(), rows: len(in.Label), groups: head.groups})
	o.Hypothesis = in.hypothesis(nil)
	if in.Value != nil {
		o.Value = &record.ValueDifference{Currency: in.Currency, Period: in.Period, Head: number(values, metric.Value), Reason: reason}
	}
	return o, nil
}

// contract is what is shown: base's contract, then metrics that only the hypothesis names.
func contract(in Input) []doc.Metric {
	var out []doc.Metric
	named := map[string]bool{}
	for _, m := range in.Contract {
		out, named[m.Name] = append(out, withDefaults(m)), true
	}
	if len(out) == 0 {
		name := headline(in.Task)
		out, named[name] = append(out, withDefaults(doc.Metric{Name: name})), true
	}
	for _, name := range sortedKeys(in.Expect) {
		if !named[name] {
			out = append(out, withDefaults(doc.Metric{Name: name}))
		}
	}
	return out
}

func withDefaults(m doc.Metric) doc.Metric {
	if m.Level == "" {
		m.Level = levelInfo
	}
	if m.Direction == "" {
		m.Direction = metric.Up
		if spec, ok := metric.Lookup(m.Name); ok {
			m.Direction = spec.Direction
		}
	}
	if m.Require == "" || m.Level != levelGate {
		m.Require = notWorse
	}
	return m
}

// headline is the metric that slices show, and all that a model without a contract is measured by.
func headline(task string) string {
	return map[string]string{metric.Binary: "auc", metric.Multiclass: "accuracy", metric.Regression: "rmse"}[task]
}

// half is one side's rows ready to be measured.
type half struct {
	metric.Sample
	again  []metric.Sample // the answers of further seeds, when they differ
	group  []int32
	groups int
	values map[string][]string // slice column → value of each row
}

func newHalf(task string, threshold float64, scores [][]float64, rows Side) (half, error) {
	h := half{Sample: metric.Sample{Task: task, Label: rows.Label, Scores: scores, Weight: rows.Weight, Threshold: threshold}, values: rows.Slices}
	if err := h.Check(); err != nil {
		return half{}, err
	}
	if rows.Group != nil && len(rows.Group) != len(rows.Label) {
		return half{}, fmt.Errorf("%d groups for %d rows", len(rows.Group), len(rows.Label))
	}
	for column, values := range rows.Slices {
		if len(values) != len(rows.Label) {
			return half{}, fmt.Errorf("%d values of slice %s for %d rows", len(values), column, len(rows.Label))
		}
	}
	h.group, h.groups = stat.Groups(rows.Group, len(rows.Label))
	return h, nil
}

// own says whether every row is a group of its own.
func (h half) own() bool { return h.groups == len(h.Label) }

// pick keeps some rows, whose groups are numbered anew.
func (h half) pick(rows []int) half {
	out := half{Sample: h.Select(rows), group: make([]int32, len(rows))}
	for _, s := range h.again {
		out.again = append(out.again, s.Select(rows))
	}
	number := make([]int32, h.groups)
	for i, row := range rows {
		old := h.group[row]
		if number[old] == 0 {
			out.groups++
			number[old] = int32(out.groups)
		}
		out.group[i] = number[old] - 1
	}
	return out
}
