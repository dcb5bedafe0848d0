package flow

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/compare"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// The ways that two runs can be compared, best first.
const (
	rescored = "rescored" // the base model scored head's test rows now
	storedBy = "stored"   // both sides' stored predictions of the rows they share
	unpaired = "unpaired" // different rows
)

// side is one of two answers: who gave it, and the rows as scored.
type side struct {
	record.Side
	inputs record.Inputs
	params map[string]any
	eval   record.Evaluation
	// of further seeds: what makes a yes of their scores; and where they answered other rows, how far they lie apart
	thresholds []float64
	spread     map[string]compare.Spread
}

func sideOf(run record.Run, eval record.Evaluation) side {
	return side{Side: record.Side{Run: run.ID, Experiment: run.Experiment, Commit: run.Code.Commit, Digest: run.Inputs.Key(),
		Threshold: run.Threshold, Evaluation: run.Evaluation, Seeds: seedsOf(run)}, inputs: run.Inputs, params: run.Params, eval: eval}
}

// comparing is one comparison about to be judged. The same code serves the measuring job and the publisher, which judges again from the blobs.
type comparing struct {
	model      *doc.Model // whose contract and gates decide: base's
	head       side
	base       side
	design     *doc.Design     // what cases are worth; nil: no money is shown
	experiment *doc.Experiment // head's, for the hypothesis
	method     string          // "" finds the best for stored evaluations
	why        string          // the base model could not be re-scored
	kind       string          // a verdict that needs no base: first, new_question, missing
	reason     string          // of kind
	leftOut    int             // test rows that base trained or chose on
	notes      []string
}

// judge pairs the rows and asks the judge.
func (c *comparing) judge() (*record.Comparison, error) {
	base, head := c.base.eval.Widened(c.head.eval.Classes), c.head.eval.Widened(c.base.eval.Classes)
	method := c.method
	if method != unpaired {
		var ok bool
		base, head, ok = shared(base, head, sameRows(c.base.inputs, c.head.inputs) || method == rescored)
		switch {
		case !ok:
			method = unpaired
			base, head = testPart(base), testPart(head)
		case method == "":
			method = storedBy
		}
	}
	in := compare.Input{Task: c.model.Task, Label: head.Label, Weight: head.Weight, Base: base.Scores, Head: head.Scores, Group: head.Group,
		Slices: head.Slices, BaseThreshold: c.base.Threshold, HeadThreshold: c.head.Threshold, Contract: contract(c.model), Gates: c.model.Gates,
		Method: method, Params: c.head.params, Seed: seed(c.base.Digest, c.head.Digest), BaseSpread: c.base.spread}
	var err error
	if in.BaseMore, err = c.base.more(c.model.Question.Threshold, base); err != nil {
		return nil, fmt.Errorf("reading the seeds of %s: %w", c.base.Experiment, err)
	}
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
	if method == unpaired {
		out, err = compare.JudgeUnpaired(in, compare.Side{Label: base.Label, Weight: base.Weight, Group: base.Group})
	} else {
		out, err = compare.Judge(in)
	}
	if err != nil {
		return nil, fmt.Errorf("comparing %s with %s: %w", c.head.Experiment, c.base.Experiment, err)
	}
	if err := c.spread(out.Value, base, head); err != nil {
		return nil, err
	}
	return c.fill(out, method, len(head.RowID)), nil
}

// fill makes the comparison that every face reads.
func (c *comparing) fill(out compare.Outcome, method string, rows int) *record.Comparison {
	r := &record.Comparison{Model: c.model.ID, Experiment: c.head.Experiment, Base: c.base.Side, Head: c.head.Side, Verdict: out.Verdict,
		Reason: out.Reason, Method: method, Rows: rows, Groups: out.Groups, Metrics: out.Metrics, Gates: out.Gates, Hypothesis: out.Hypothesis,
		Value: out.Value}
	r.Inputs.Changed = changedInputs(c.base.inputs, c.head.inputs)
	return r
}

// contract lists a model's metrics in the document's order.
func contract(m *doc.Model) []doc.Metric {
	var out []doc.Metric
	for _, name := range m.Order {
		out = append(out, m.Metrics[name])
	}
	return out
}

// seed derives the resampling seed from both input digests, so that the same two answers always give the same interval.
func seed(base, head string) uint64 {
	sum := sha256.Sum256([]byte(base + " " + head))
	return binary.BigEndian.Uint64(sum[:8])
}

// sameRows says whether row ids mean the same row on both sides: only when the dataset is the same.
func sameRows(a, b record.Inputs) bool { return a["dataset"] == b["dataset"] }

// testPart keeps the test rows.
func testPart(e record.Evaluation) record.Evaluation { return partOf(e, "test") }

func partOf(e record.Evaluation, part string) record.Evaluation {
	var keep []int
	for i, p := range e.Part {
		if p == part {
			keep = append(keep, i)
		}
	}
	return e.Select(keep)
}

// shared gives the test rows that both sides scored, in the same order: matched by key, or by row id where the dataset is the same.
// It says no when there are none, or no way to match: a key that two rows have names none.
func shared(base, head record.Evaluation, byID bool) (b, h record.Evaluation, ok bool) {
	base, head = testPart(base), testPart(head)
	name := func(e record.Evaluation, i int) any { return e.RowID[i] }
	if !byID {
		if base.Key == nil || head.Key == nil {
			return base, head, false
		}
		name = func(e record.Evaluation, i int) any { return e.Key[i] }
	}
	at := make(map[any]int, len(base.RowID))
	for i := range base.RowID {
		at[name(base, i)] = i
	}
	once := make(map[any]bool, len(head.RowID))
	var fromBase, fromHead []int
	for i := range head.RowID {
		once[name(head, i)] = true
		if j, found := at[name(head, i)]; found {
			fromBase, fromHead = append(fromBase, j), append(fromHead, i)
		}
	}
	if len(at) < len(base.RowID) || len(once) < len(head.RowID) {
		return base, head, false
	}
	return base.Select(fromBase), head.Select(fromHead), len(fromHead) > 0
}

// changedInputs names the inputs whose values differ, sorted.
func changedInputs(a, b record.Inputs) []string {
	out := []string{}
	for name := range union(a, b) {
		if name != "digest" && fmt.Sprint(a[name]) != fmt.Sprint(b[name]) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func union(a, b record.Inputs) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}
