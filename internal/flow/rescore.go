package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// compare judges every task.
func (r *review) compare(ctx context.Context) (string, error) {
	if len(r.tasks) == 0 {
		return "", skip("nothing to compare")
	}
	for _, t := range r.tasks {
		c, err := r.judge(ctx, t)
		if err != nil {
			return "", fmt.Errorf("comparing %s: %w", t.Experiment, err)
		}
		c.Promotes = t.Promotes
		c.Head.Commit = r.event.Head
		if t.Base != "" {
			c.Base.Commit = r.event.Base
			c.Base.Distance = r.p.Repo.Distance(r.event.Base, r.event.Head)
		}
		r.out.Result.Comparisons = append(r.out.Result.Comparisons, *c)
		r.out.Records = append(r.out.Records, record.ComparisonRecord{Header: r.p.header(record.KindComparison, r.head), Comparison: *c})
	}
	return fmt.Sprintf("%d comparisons", len(r.tasks)), nil
}

// judge compares one task's answer with base's champion, or says why there is nothing to compare with.
func (r *review) judge(ctx context.Context, t task) (*record.Comparison, error) {
	if t.Kind != "" {
		return r.alone(t)
	}
	key, err := digestOf(r.head.Docs, t.Experiment)
	if err != nil {
		return nil, err
	}
	x := r.answers[key]
	c := comparing{model: r.base.Docs.Models[t.Model], design: firstOf(r.base.Docs.Design, r.head.Docs.Design),
		experiment: r.head.Docs.Experiments[t.Experiment], head: x.as(t.Experiment)}
	base, leftOut, err := r.baseSide(ctx, t, &c)
	if err != nil {
		return nil, err
	}
	c.base = base
	out, err := c.judge()
	if err != nil {
		return nil, err
	}
	out.LeftOut = leftOut
	out.Notes = append(out.Notes, hypothesisNotes(r.head, x.run)...)
	if why := c.why; why != "" {
		out.Notes = append(out.Notes, "the base model could not be re-scored: "+why)
	}
	noteChangedGates(out, r.base.Docs.Models[t.Model], r.head.Docs.Models[t.Model])
	return out, nil
}

// alone is a comparison without a base: the first answer to a question, a changed question, a removed champion.
func (r *review) alone(t task) (*record.Comparison, error) {
	m := r.head.Docs.Models[t.Model]
	c := comparing{model: m, experiment: r.head.Docs.Experiments[t.Experiment], kind: t.Kind, reason: t.Reason}
	if t.Experiment != "" {
		key, err := digestOf(r.head.Docs, t.Experiment)
		if err != nil {
			return nil, err
		}
		c.head = r.answers[key].as(t.Experiment)
	}
	c.base.Experiment = t.Base
	return c.judgeAlone()
}

// baseSide gives base's champion on head's test rows: re-scored where that can be done, else as stored. It adds the rows as scored to the bundle.
func (r *review) baseSide(ctx context.Context, t task, c *comparing) (s side, leftOut int, err error) {
	w, err := r.workshop(ctx)
	if err != nil {
		return side{}, 0, err
	}
	x, _, err := r.answer(ctx, r.base, t.Base)
	if err != nil {
		c.why = err.Error()
		return r.storedBase(ctx, t, c)
	}
	eval, leftOut, err := w.rescore(ctx, r.base, r.head, t, x)
	if err != nil {
		c.why = err.Error()
		return r.storedBase(ctx, t, c)
	}
	c.method = rescored
	s = (&execution{run: x.run, eval: eval}).as(t.Base)
	if s.Evaluation, err = r.keepEvaluation(ctx, w, eval); err != nil {
		return side{}, 0, err
	}
	// A run that was made for this comparison only has no record to point at.
	if !r.recorded(x.run) {
		s.Run = ""
	}
	return s, leftOut, nil
}

func (r *review) recorded(run record.Run) bool { return run.ID != "" }

func (r *review) keepEvaluation(ctx context.Context, w *workshop, eval record.Evaluation) (record.Pointer, error) {
	data, err := w.parquet(ctx, eval)
	if err != nil {
		return record.Pointer{}, err
	}
	b := store.Blob{Data: data, Type: typeParquet, Rows: int64(len(eval.RowID))}
	r.out.Blobs = append(r.out.Blobs, b)
	return pointerOf(b), nil
}

// storedBase falls back to what base's run predicted when it was made.
func (r *review) storedBase(ctx context.Context, t task, c *comparing) (side, int, error) {
	key, err := digestOf(r.base.Docs, t.Base)
	if err != nil {
		return side{}, 0, err
	}
	for _, run := range r.view.RunsByInputs(key) {
		eval, err := r.shop.stored(ctx, run)
		if err != nil {
			continue
		}
		s := (&execution{run: run, eval: eval}).as(t.Base)
		s.Evaluation, err = r.keepEvaluation(ctx, r.shop, eval)
		return s, 0, err
	}
	return side{}, 0, fmt.Errorf("the base champion %s can neither be run nor re-scored, and no run of it is stored: %s", t.Base, c.why)
}

// rescore lets base's model answer for head's test rows, with base's feature definitions over head's data. Rows that base trained or chose on
// (its recorded split rule, evaluated on these rows) are left out and counted; its valid part is among them, because early stopping and
// thresholds saw it.
func (w *workshop) rescore(ctx context.Context, base, head *Tree, t task, x *execution) (record.Evaluation, int, error) {
	rows, err := w.ask(ctx, head, t.Model)
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	mixed := *base.Docs
	mixed.Datasets, mixed.Locks = head.Docs.Datasets, head.Docs.Locks
	ids := datasetsOf(base.Docs, t.Base)
	for _, id := range ids {
		if head.Docs.Datasets[id] == nil {
			return record.Evaluation{}, 0, fmt.Errorf("dataset %s, which base's features read, is gone", id)
		}
	}
	data, err := w.data(ctx, head, ids...)
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	var keep []int
	leftOut := 0
	for i, part := range rows.PartsUnder(x.run.Split) {
		switch {
		case rows.Part[i] != trainset.Test:
		case part == trainset.Test:
			keep = append(keep, i)
		default:
			leftOut++
		}
	}
	tested := rows.Select(keep)
	features, err := trainset.Features(ctx, data, &mixed, t.Base, tested)
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	scores, err := x.model.Score(features)
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	return tested.Evaluation(scores), leftOut, nil
}

// noteChangedGates shows how head changes the contract that base's gates come from.
func noteChangedGates(c *record.Comparison, base, head *doc.Model) {
	if head == nil {
		return
	}
	for i, g := range c.Gates {
		switch now, ok := head.Gates[g.Name]; {
		case !ok:
			c.Gates[i].Changed = "this pull request removes it"
		case now.Require != base.Gates[g.Name].Require:
			c.Gates[i].Changed = "this pull request changes it to " + now.Require
		}
	}
}

func firstOf(a, b *doc.Design) *doc.Design {
	if a != nil {
		return a
	}
	return b
}

// as is the execution as the answer of an experiment: two experiments with the same inputs share one run, whichever it was made for.
func (x *execution) as(experiment string) side {
	s := sideOf(x.run, x.eval)
	s.Experiment = experiment
	return s
}
