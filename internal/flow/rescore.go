package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
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
		r.out.Result.Comparisons = append(r.out.Result.Comparisons, *c)
		r.out.Records = append(r.out.Records, record.ComparisonRecord{Header: r.p.header(record.KindComparison, r.head), Comparison: *c})
	}
	return countOf(len(r.tasks), "comparison"), nil
}

// judge compares one task's answer with base's champion, or says why there is nothing to compare with.
func (r *review) judge(ctx context.Context, t task) (*record.Comparison, error) {
	w, err := r.workshop(ctx)
	if err != nil {
		return nil, err
	}
	pair := trees{r.p, r.base, r.head, r.event}
	c := pair.comparing(t)
	if t.Experiment != "" {
		key, err := digestOf(r.head.Docs, t.Experiment)
		if err != nil {
			return nil, err
		}
		x := r.answers[key]
		c.head, c.notes = x.as(t.Experiment), slices.Concat(hypothesisNotes(r.head, x.run), unmet(c.design, x.run), unasked(x))
		c.head.Who = r.event.trainedBy(x.run)
		if c.head.eval, err = w.ruled(ctx, pair, t, c.head.eval); err != nil {
			return nil, err
		}
	}
	if t.Kind == "" {
		if err := r.baseSide(ctx, t, &c); err != nil {
			return nil, err
		}
	}
	return pair.decide(t, &c)
}

// trees are the two sides of a pull request.
type trees struct {
	p          *Project
	base, head *Tree
	event      Event
}

// comparing starts the comparison that a task asks for. What decides is base's: contract, gates, design card. Head's contract decides for a
// model that base does not have, and for another question, where base's means nothing.
func (pair trees) comparing(t task) comparing {
	base, head := pair.base.Docs, pair.head.Docs
	c := comparing{model: base.Models[t.Model], design: firstOf(base.Design, head.Design), experiment: head.Experiments[t.Experiment],
		kind: t.Kind, reason: t.Reason}
	c.base.Experiment = t.Base
	if c.model == nil || digestsDiffer(questionOf(base, t.Model), questionOf(head, t.Model)) {
		c.model = head.Models[t.Model]
	}
	return c
}

// decide judges, and adds what the judge can't know.
func (pair trees) decide(t task, c *comparing) (*record.Comparison, error) {
	judge := c.judge
	if t.Kind != "" {
		judge = c.judgeAlone
	}
	base, head := pair.base.Docs, pair.head.Docs
	if t.Base != "" && base.Models[t.Model] != nil && !slices.Equal(keyOf(base, base.Models[t.Model]), keyOf(head, head.Models[t.Model])) {
		c.base.eval.Key = nil // keys of other columns name other rows
	}
	out, err := judge()
	if err != nil {
		return nil, err
	}
	out.Promotes, out.LeftOut, out.Notes = t.Promotes, c.leftOut, c.notes
	if c.why != "" {
		out.Notes = append(out.Notes, fmt.Sprintf("the base model could not be re-scored: %.400s", c.why))
	}
	out.Head.Commit = pair.event.Head
	if t.Base != "" {
		out.Base.Commit = pair.event.Base
		out.Base.Distance = pair.p.Repo.Distance(pair.event.Base, pair.event.Head)
	}
	if t.Kind == "" {
		noteChangedGates(out, pair.base.Docs.Models[t.Model], pair.head.Docs.Models[t.Model])
	}
	return out, nil
}

// rows gives head's rows of a task's model with the groups and slices that rule intervals and gates: those of the document that decides.
// They are no part of the question, so a pull request could otherwise change both to pass.
func (w *workshop) rows(ctx context.Context, pair trees, t task) (*trainset.Rows, error) {
	rule, now := pair.comparing(t).model.Question, pair.head.Docs.Models[t.Model]
	if rule.Group == now.Question.Group && slices.Equal(rule.Slices, now.Question.Slices) {
		return w.ask(ctx, pair.head, t.Model)
	}
	key := strings.Join([]string{"ruled", pair.base.Commit, pair.head.Commit, t.Model}, " ")
	if rows := w.asked[key]; rows != nil {
		return rows, nil
	}
	data, err := w.data(ctx, pair.head, now.Question.Dataset)
	if err != nil {
		return nil, err
	}
	model, docs := *now, *pair.head.Docs
	model.Question.Group, model.Question.Slices = rule.Group, rule.Slices
	docs.Models = maps.Clone(docs.Models)
	docs.Models[t.Model] = &model
	rows, err := trainset.Ask(ctx, data, &docs, t.Model)
	if err != nil {
		return nil, problem.Wrongf("change group and slices in a pull request of their own, before the data that they read",
			"the groups and slices of %s as the base has them do not fit head's data: %w", t.Model, err)
	}
	w.asked[key] = rows
	return rows, nil
}

// ruled gives an evaluation of head's rows the groups and slices that decide. A run found in the ledger may have been made under others.
func (w *workshop) ruled(ctx context.Context, pair trees, t task, e record.Evaluation) (record.Evaluation, error) {
	rows, err := w.rows(ctx, pair, t)
	if err != nil {
		return e, err
	}
	at := make(map[int64]int, len(rows.RowID))
	for i, id := range rows.RowID {
		at[id] = i
	}
	index := make([]int, len(e.RowID))
	for i, id := range e.RowID {
		j, ok := at[id]
		if !ok || rows.Part[j].String() != e.Part[i] {
			return e, fmt.Errorf("row %d of the evaluation is no %s row of the pinned data", id, e.Part[i])
		}
		index[i] = j
	}
	named := rows.Select(index)
	e.Group, e.Slices = named.Group, named.Slices
	return e, nil
}

// baseSide gives base's champion on head's test rows: re-scored where that can be done, else as stored. It adds the rows as scored to the bundle.
func (r *review) baseSide(ctx context.Context, t task, c *comparing) error {
	w, err := r.workshop(ctx)
	if err != nil {
		return err
	}
	x, _, err := r.answer(ctx, r.base, t.Base, true)
	if err != nil {
		c.why = err.Error()
		return r.storedBase(ctx, t, c)
	}
	eval, leftOut, err := w.rescore(ctx, trees{r.p, r.base, r.head, r.event}, t, x)
	switch {
	case err != nil && x.run.ID == "": // made for this comparison: what it predicted of its own rows is at hand
		c.why = err.Error()
		c.base = x.as(t.Base)
		c.base.Evaluation, err = r.keepEvaluation(ctx, w, x.eval)
		return err
	case err != nil:
		c.why = err.Error()
		return r.storedBase(ctx, t, c)
	}
	c.method, c.leftOut = rescored, leftOut
	c.base = (&execution{run: x.run, eval: eval}).as(t.Base) // a run that was made for this comparison only has no id to point at
	if err := c.base.recall(x, c.model.Question.Threshold, trees{r.p, r.base, r.head, r.event}.sameData(t, x.run)); err != nil {
		return err
	}
	c.base.Evaluation, err = r.keepEvaluation(ctx, w, c.base.eval)
	return err
}

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
func (r *review) storedBase(ctx context.Context, t task, c *comparing) error {
	key, err := digestOf(r.base.Docs, t.Base)
	if err != nil {
		return err
	}
	by := r.event.ofBase(r.base, t.Base)
	for _, run := range usable(r.view, key, by) {
		eval, err := r.shop.storedOf(ctx, by, run)
		if err != nil {
			continue
		}
		c.base = (&execution{run: run, eval: eval}).as(t.Base)
		c.base.Evaluation, err = r.keepEvaluation(ctx, r.shop, eval)
		return err
	}
	return fmt.Errorf("the base champion %s can neither be run nor re-scored, and no run of it is stored: %s", t.Base, c.why)
}

// rescore lets base's model answer for head's test rows, with base's feature definitions over head's data. Rows that base trained or chose on
// (its recorded split rule, evaluated on these rows) are left out and counted; its valid part is among them, because early stopping and
// thresholds saw it.
func (w *workshop) rescore(ctx context.Context, pair trees, t task, x *execution) (record.Evaluation, int, error) {
	s, leftOut, err := w.questions(ctx, pair, t, x)
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	asked := *s.rows
	asked.Classes = x.eval.Classes // it answers for the classes that it knows, which need not be those of head's data
	scores, err := x.model.score(ctx, sheet{rows: &asked, features: s.features, beside: s.beside})
	if err != nil {
		return record.Evaluation{}, 0, err
	}
	return s.rows.Evaluation(scores).Answered(x.eval.Classes), leftOut, nil
}

// questions gives what base's model is asked when it is re-scored, for which only its run's split and inputs and its classes are needed.
func (w *workshop) questions(ctx context.Context, pair trees, t task, x *execution) (s sheet, leftOut int, err error) {
	base, head := pair.base, pair.head
	rows, err := w.rows(ctx, pair, t)
	if err != nil {
		return s, 0, err
	}
	if s.rows, leftOut, err = unseen(rows, x.run.Split, pair.sameData(t, x.run)); err != nil {
		return s, 0, err
	}
	if a, b, clash := record.ClassesClash(slices.Concat(s.rows.Classes, x.eval.Classes)); clash {
		return s, 0, fmt.Errorf("between its classes and those of the data, %q and %q differ by capitals only", a, b)
	}
	mixed := *base.Docs
	mixed.Datasets, mixed.Locks = head.Docs.Datasets, head.Docs.Locks
	mixed.Models = head.Docs.Models // the question is the same, but head may call its dataset otherwise
	ids := datasetsOf(&mixed, t.Base)
	for _, id := range ids {
		if head.Docs.Datasets[id] == nil {
			return s, 0, fmt.Errorf("dataset %s, which base's features read, is gone", id)
		}
	}
	data, err := w.data(ctx, head, ids...)
	if err != nil {
		return s, 0, err
	}
	if s.features, err = trainset.Features(ctx, data, &mixed, t.Base, s.rows); err != nil {
		return s, 0, err
	}
	if s.beside.N = len(s.rows.RowID); mixed.Experiments[t.Base].Train.Learner == learnerCommand {
		s.beside, err = trainset.Beside(ctx, data, &mixed, t.Base, s.rows)
	}
	return s, leftOut, err
}

// sameData says whether a run is of the very rows that head's question is asked of, so that row ids mean the same rows.
func (pair trees) sameData(t task, run record.Run) bool {
	head := pair.head.Docs
	return run.Inputs["dataset"] == head.Locks[head.Models[t.Model].Question.Dataset].Content
}

// unseen gives the test rows that a run with another split did not train or choose on, and how many were left out. It errs when that can't be
// told, and when nothing is left to score.
func unseen(rows *trainset.Rows, other record.Split, sameData bool) (tested *trainset.Rows, leftOut int, err error) {
	parts, err := rows.PartsUnder(other, sameData)
	if err != nil {
		return nil, 0, err
	}
	var keep []int
	for i, part := range parts {
		switch {
		case rows.Part[i] != trainset.Test:
		case part == trainset.Test:
			keep = append(keep, i)
		default:
			leftOut++
		}
	}
	if len(keep) == 0 {
		return nil, 0, fmt.Errorf("it trained or chose on all %d test rows of the pull request's data", leftOut)
	}
	return rows.Select(keep), leftOut, nil
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
