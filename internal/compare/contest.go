package compare

import (
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// The methods, as they are shown.
const (
	methodIdentical = "identical answers"
	methodDeLong    = "DeLong"
	methodClustered = "clustered DeLong"
	methodMcNemar   = "McNemar"
	methodRows      = "bootstrap"
	methodGroups    = "group bootstrap"
	methodAbsolute  = " of the absolute value" // bias
	methodUnpaired  = ", unpaired"
	methodSeeds     = ", with the spread of seeds"
)

// contest is two answers ready to be compared.
type contest struct {
	Input
	base, head half
	paired     bool
	seed       uint64
}

// finding is what is known of one metric's difference, head − base.
type finding struct {
	stat.Estimate
	baseSpread Spread
	headSpread Spread
	training   float64 // half of how wide the spread of seeds alone makes the interval
	method     string
	known      bool   // the interval exists
	reason     string // why not
}

func newContest(in Input, other *Side) (*contest, error) {
	c := &contest{Input: in, paired: other == nil, seed: in.Seed}
	head := Side{Label: in.Label, Weight: in.Weight, Group: in.Group, Slices: in.Slices}
	if other == nil {
		other = &head
	}
	var err error
	if c.head, err = newHalf(in.Task, in.HeadThreshold, in.Head, head); err != nil {
		return nil, fmt.Errorf("reading head's scores: %w", err)
	}
	if c.base, err = newHalf(in.Task, in.BaseThreshold, in.Base, *other); err != nil {
		return nil, fmt.Errorf("reading base's scores: %w", err)
	}
	if err := c.head.trainedAgain(in.HeadMore); err != nil {
		return nil, fmt.Errorf("reading head's scores: %w", err)
	}
	if err := c.base.trainedAgain(in.BaseMore); err != nil {
		return nil, fmt.Errorf("reading base's scores: %w", err)
	}
	if len(in.Base) != len(in.Head) {
		return nil, fmt.Errorf("base has %d score columns, head %d", len(in.Base), len(in.Head))
	}
	return c, nil
}

// judge fills the table, then what follows from it.
func (c *contest) judge() Outcome {
	lines := contract(c.Input)
	var names []string
	for _, m := range lines {
		names = append(names, m.Name)
	}
	if c.Value != nil && !slices.Contains(names, metric.Value) {
		names = append(names, metric.Value)
	}
	base, head := c.base.measure(c.Value), c.head.measure(c.Value)
	found := c.compare(names, base, head)
	o := Outcome{Rows: len(c.Label), Groups: c.head.groups}
	for _, m := range lines {
		d := newDifference(m, len(c.Label), c.head.groups)
		d.Base, d.Head = number(base.mean, m.Name), number(head.mean, m.Name)
		c.conclude(&d, found[m.Name])
		o.Metrics = append(o.Metrics, d)
	}
	o.Verdict, o.Reason = overall(o.Metrics)
	o.Hypothesis = c.hypothesis(o.Metrics)
	o.Value = c.worth(base.mean, head.mean, found[metric.Value])
	o.Gates = c.gates(gateValues{base: base.served, head: head.served, slices: c.head.slices(), rows: o.Rows, groups: o.Groups})
	o.Metrics = append(o.Metrics, c.slices(lines)...)
	o.Notes = c.notes()
	return o
}

// conclude writes an interval and a verdict to a line that has its two numbers.
func (c *contest) conclude(d *record.MetricDifference, f finding) {
	defer func() { d.Gate = gateOf(*d) }()
	switch {
	case d.Head == nil:
		d.Verdict, d.Reason = record.Missing, c.head.why(c.Input, d.Name)
		return
	case d.Base == nil: // there is nothing that head could be worse than
		d.Verdict, d.Reason = record.First, "base has no such number: "+c.base.why(c.Input, d.Name)
		return
	}
	d.Method, d.BaseSpread, d.HeadSpread = f.method, f.baseSpread.number(), f.headSpread.number()
	if f.training > 0 {
		d.Training = significant(f.training)
	}
	d.Difference = rounded(f.Difference, f)
	if !f.known {
		d.Verdict, d.Reason, d.RowsNeeded = record.Inconclusive, f.reason, c.rowsForGroups()
		return
	}
	d.Low, d.High, d.P = rounded(f.Low, f), rounded(f.High, f), significant(f.P)
	s, _ := of(*d)
	d.Verdict = s.verdict(d.Tolerance)
	if d.Verdict != record.Inconclusive {
		return
	}
	d.RowsNeeded = s.rowsNeeded(d.N, d.Tolerance)
	d.Reason = fmt.Sprintf("about %d more rows needed", d.RowsNeeded)
	switch {
	case d.RowsNeeded == 0 && s.training > 0 && s.enough(d.Tolerance) > 0:
		d.Reason = "training alone spreads too wide: more repeats, not more rows, would say"
	case d.RowsNeeded == 0:
		d.Reason = "no number of rows tells a difference of zero from none; a tolerance would"
	case d.RowsNeeded == maxRowsNeeded:
		d.Reason = "more rows needed than anyone has"
	}
}

// rowsForGroups estimates the rows that bring the missing groups, if they are as large as those that are there; 0 when groups are enough.
func (c *contest) rowsForGroups() int {
	groups := c.groups()
	if groups >= MinGroups || groups == 0 {
		return 0
	}
	return about(float64(len(c.Label)) / float64(groups) * float64(MinGroups-groups))
}

// groups is how many independent draws the interval rests on.
func (c *contest) groups() int { return min(c.base.groups, c.head.groups) }

// compare finds the difference of each named metric that both sides have.
func (c *contest) compare(names []string, base, head measured) map[string]finding {
	out := map[string]finding{}
	var rest []string
	for _, name := range names {
		_, ok := base.mean[name]
		_, both := head.mean[name]
		if !ok || !both {
			continue
		}
		b, h := base.compared(name), head.compared(name)
		f := finding{Estimate: stat.Estimate{Base: b, Head: h, Difference: h - b}}
		switch {
		case c.identical(name):
			f.Low, f.High, f.P, f.known, f.method = 0, 0, 1, true, methodIdentical
		case c.groups() < MinGroups:
			f.reason = fmt.Sprintf("%d groups, %d needed", c.groups(), MinGroups)
		case name == "auc":
			f = c.delong()
		case name == "macro_auc_ovr":
			f = c.macroDeLong(f)
		case name == "accuracy" && c.paired && c.head.own() && c.Weight == nil && len(c.base.again)+len(c.head.again) == 0:
			f = c.mcnemar(f)
		default:
			rest = append(rest, name)
		}
		out[name] = f
	}
	c.bootstrap(rest, out)
	for name, f := range out {
		out[name] = c.withSeeds(name, f, base, head)
	}
	return out
}

// identical says whether the sides give every row the same score and, for metrics that a threshold rules, the same threshold. Then the
// difference is zero whatever rows are drawn. Rows of equal decisions but other scores need no rule: every resample says zero.
func (c *contest) identical(name string) bool {
	if !c.paired {
		return false
	}
	return slices.EqualFunc(c.base.samples(), c.head.samples(), func(a, b metric.Sample) bool {
		return (a.Threshold == b.Threshold || metric.Ranked(name)) && sameScores(a.Scores, b.Scores)
	})
}

func (c *contest) delong() finding {
	base, head := c.base.auc(), c.head.auc()
	switch {
	case !c.paired:
		e := stat.UnpairedDeLong(stat.Side{AUC: base, Group: c.base.group, Groups: c.base.groups},
			stat.Side{AUC: head, Group: c.head.group, Groups: c.head.groups})
		return finding{Estimate: e, known: true, method: methodClustered + methodUnpaired}
	case c.head.own():
		return finding{Estimate: stat.DeLong(base, head), known: true, method: methodDeLong}
	}
	return finding{Estimate: stat.ClusteredDeLong(base, head, c.head.group, c.head.groups), known: true, method: methodClustered}
}

// auc is the mean over the seeds, with each row's influence on it. It exists.
func (h half) auc() stat.AUC {
	var all []stat.AUC
	for _, s := range h.samples() {
		a, _ := stat.NewAUC(s.Label, s.Scores[0], s.Weight)
		all = append(all, a)
	}
	return stat.MeanAUC(all)
}

// macroDeLong is the macro AUC's interval in closed form. Resampling would give the same and cost a pass over the rows for every class and draw.
func (c *contest) macroDeLong(f finding) finding {
	base, head := c.base.oneVersusRest(), c.head.oneVersusRest()
	e := stat.UnpairedDeLong(stat.Side{AUC: base, Group: c.base.group, Groups: c.base.groups}, stat.Side{AUC: head, Group: c.head.group, Groups: c.head.groups})
	f.method = methodClustered + methodUnpaired
	if c.paired {
		e = stat.ClusteredDeLong(base, head, c.head.group, c.head.groups)
		f.method = methodClustered
		if c.head.own() {
			f.method = methodDeLong
		}
	}
	f.Low, f.High, f.P, f.known = e.Low, e.High, e.P, true
	return f
}

// oneVersusRest is the mean of every class's AUC against the rest, over all seeds, with each row's influence on it. Every class has rows: it exists.
func (h half) oneVersusRest() stat.AUC {
	var all []stat.AUC
	label := make([]float64, len(h.Label))
	for class := range h.Scores {
		for i, y := range h.Label {
			label[i] = 0
			if int(y) == class {
				label[i] = 1
			}
		}
		for _, s := range h.samples() {
			a, _ := stat.NewAUC(label, s.Scores[class], h.Weight)
			all = append(all, a)
		}
	}
	return stat.MeanAUC(all)
}

func (c *contest) mcnemar(f finding) finding {
	d := stat.Disagreement{N: len(c.Label)}
	for i := range c.Label {
		base, head := c.base.right(i), c.head.right(i)
		switch {
		case head && !base:
			d.Head++
		case base && !head:
			d.Base++
		}
	}
	f.Low, f.High = d.Interval()
	f.P, f.known, f.method = d.P(), true, methodMcNemar
	return f
}

// right says whether the answer to row i is the label.
func (h half) right(i int) bool {
	if h.Task == metric.Multiclass {
		return metric.Answer(h.Sample, i) == int(h.Label[i])
	}
	return (h.Scores[0][i] >= h.Threshold) == (h.Label[i] > 0.5)
}

// notes say what a reader of the numbers has to know.
func (c *contest) notes() []string {
	if c.paired {
		return nil
	}
	return []string{"base and head were measured on different rows, so the intervals hold the error of both"}
}
