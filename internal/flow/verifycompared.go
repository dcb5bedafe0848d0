package flow

import (
	"cmp"
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/record"
)

// compared judges every comparison again from the evaluations that it points at, by the contract of the commit that it was compared with. The base model is not
// asked again: which rows it scored, and how, is in its evaluation.
func (v *verifying) compared(ctx context.Context) (string, error) {
	if v.o.Quick {
		return "", skip("--quick makes no number again")
	}
	err := each(ctx, v, record.KindComparison, func(p string, c *record.ComparisonRecord) error { return v.comparison(ctx, p, c) })
	return countOf(v.out.Checked.Comparisons, "comparison"), err
}

func (v *verifying) comparison(ctx context.Context, p string, said *record.ComparisonRecord) error {
	c := said.Comparison
	head, why := v.treeOf(cmp.Or(c.Head.Commit, said.Code.Commit))
	base := head
	if head != nil && c.Base.Commit != "" {
		base, why = v.treeOf(c.Base.Commit)
	}
	switch {
	case head == nil || base == nil:
		v.skip(p, "its verdict and intervals", why)
		return nil
	case c.Experiment == "":
		return nil // nothing is served any more: there is no number
	}
	w, err := v.p.workshop(ctx, base.Docs.Project)
	if err != nil {
		return err
	}
	defer w.close()
	pair := trees{v.p, base, head, Event{Base: base.Commit, Head: head.Commit}}
	again, err := v.judge(ctx, w, pair, p, c)
	if err != nil {
		v.skip(p, "its verdict and intervals", err.Error())
		return ctx.Err()
	}
	if again == nil {
		return nil // told of
	}
	if where := comparisonDiffers(c, *again); where != "" {
		v.finding(record.RuleNumber, p, v.restore(p), "judging its evaluations again gives something else: %s", where)
	}
	if v.ids[c.Base.Run] == "" || v.ids[c.Head.Run] == "" { // else it was looked at before
		v.sameChanged(p, c.Inputs.Changed, again.Inputs.Changed)
	}
	v.out.Checked.Comparisons++
	plain, _ := plainJSON(c.Metrics)
	v.out.Checked.Numbers += countNumbers(plain)
	return nil
}

// judge makes the comparison from what is stored. Groups and slices are those of the evaluation where they give what is said, else of the pinned data: a run that
// was found in the ledger may have been made under others.
func (v *verifying) judge(ctx context.Context, w *workshop, pair trees, p string, said record.Comparison) (*record.Comparison, error) {
	t := task{Model: said.Model, Experiment: said.Experiment, Base: said.Base.Experiment, Promotes: said.Promotes, Reason: said.Reason}
	if said.Verdict == record.First || said.Verdict == record.NewQuestion || said.Base.Evaluation.IsZero() {
		t.Kind = said.Verdict
	}
	c := pair.comparing(t)
	if c.model == nil {
		return nil, fmt.Errorf("commit %s does not describe model %s", short(pair.base.Commit), said.Model)
	}
	var ok bool
	if c.head, ok = v.side(ctx, sideOfWhat{w, p, pair.head, said.Experiment, c.model.Task}, said.Head); !ok {
		return nil, nil
	}
	if t.Kind == "" {
		if c.base, ok = v.side(ctx, sideOfWhat{w, p, pair.base, t.Base, c.model.Task}, said.Base); !ok {
			return nil, nil
		}
		c.leftOut = said.LeftOut
		if said.Method == rescored {
			c.method = rescored
		}
	}
	again, err := pair.decide(t, &c)
	if err == nil && comparisonDiffers(said, *again) == "" {
		return again, nil
	}
	ruled, dataErr := w.ruled(ctx, pair, t, c.head.eval)
	if dataErr != nil && err == nil {
		return again, nil
	}
	if dataErr != nil {
		return nil, err
	}
	c.head.eval = ruled
	return pair.decide(t, &c)
}

// sideOfWhat is where an answer belongs.
type sideOfWhat struct {
	w          *workshop
	path       string // of the comparison
	tree       *Tree
	experiment string
	task       string
}

// side is one of the two answers as the record has it, with its rows.
func (v *verifying) side(ctx context.Context, of sideOfWhat, said record.Side) (side, bool) {
	s, p := side{Side: said}, of.path
	if at, ok := v.ids[said.Run]; ok {
		run, err := decoded[record.Run](v, at)
		if err != nil {
			return s, false
		}
		s.inputs, s.params = run.Inputs, run.Params
	} else if e := of.tree.Docs.Experiments[of.experiment]; e != nil { // made for this comparison only
		s.params = e.Params
		s.inputs, _ = inputs(of.tree.Docs, of.experiment)
	}
	if said.Evaluation.IsZero() {
		return s, true
	}
	if !v.has(said.Evaluation) {
		v.unproved(p, "its verdict and intervals", "an evaluation", said.Evaluation.SHA256)
		return s, false
	}
	data, err := v.p.Store.Get(ctx, said.Evaluation)
	if err == nil {
		s.eval, err = of.w.untrusted(ctx, data, of.task, int(said.Evaluation.Rows))
	}
	if err != nil {
		v.finding(record.RuleBlob, p, v.restore(p), "evaluation %s: %v", said.Evaluation.SHA256, err)
		return s, false
	}
	if err := v.seeds(ctx, of, &s); err != nil {
		v.skip(p, "its verdict and intervals", err.Error())
		return s, false
	}
	return s, true
}

// seeds says how the further seeds of a side count: their thresholds are the record's word, as the side's own is, and a spread on other rows is that of
// its run.
func (v *verifying) seeds(ctx context.Context, of sideOfWhat, s *side) error {
	if s.Seeds == nil {
		return nil
	}
	seeds := *s.Seeds
	s.Seeds = &seeds
	if s.thresholds = seeds.Thresholds; s.thresholds == nil {
		for range s.eval.Repeats {
			s.thresholds = append(s.thresholds, s.Threshold)
		}
	}
	if !seeds.Elsewhere {
		return nil
	}
	run, err := decoded[record.Run](v, v.ids[s.Run])
	if err != nil {
		return err
	}
	stored, err := of.w.stored(ctx, *run)
	if err != nil {
		return err
	}
	s.spread, err = spreadOf(of.tree.Docs.Models[run.Model].Question.Threshold, stored)
	return err
}

// comparisonDiffers leaves aside what depends on where it was found.
func comparisonDiffers(said, found record.Comparison) string {
	for _, c := range []*record.Comparison{&said, &found} {
		c.Notes, c.Base.Distance, c.Reason, c.Head.Who, c.Base.Who = nil, 0, "", "", ""
		c.Inputs = record.InputsChanged{}
	}
	return contradiction(said, found)
}
