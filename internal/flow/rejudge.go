package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/record"
)

// judgements checks the comparisons: that they are the ones this pull request asks for, and that judging again gives the same.
func (i *inspection) judgements(ctx context.Context) error {
	if i.event.Name != "pull_request" {
		if len(i.comparisons) > 0 {
			return errors.New("a push compares nothing, and the bundle has a comparison")
		}
		return nil
	}
	tasks := plan(i.base.Docs, i.head.Docs)
	if len(tasks) != len(i.comparisons) {
		return fmt.Errorf("%d comparisons, and the pull request asks for %d", len(i.comparisons), len(tasks))
	}
	for _, t := range tasks {
		at := slices.IndexFunc(i.comparisons, func(c record.ComparisonRecord) bool {
			return c.Comparison.Model == t.Model && c.Comparison.Experiment == t.Experiment && c.Comparison.Promotes == t.Promotes
		})
		if at < 0 {
			return fmt.Errorf("there is no comparison of %s for model %s", t.Experiment, t.Model)
		}
		if err := i.comparison(ctx, t, &i.comparisons[at].Comparison); err != nil {
			return fmt.Errorf("comparison of %s: %w", t.Experiment, err)
		}
	}
	return nil
}

// comparison judges one task again from the evaluations that the record points at.
func (i *inspection) comparison(ctx context.Context, t task, c *record.Comparison) error {
	again := comparing{model: i.base.Docs.Models[t.Model], design: firstOf(i.base.Docs.Design, i.head.Docs.Design),
		experiment: i.head.Docs.Experiments[t.Experiment], kind: t.Kind, reason: t.Reason, method: c.Method}
	var err error
	if t.Experiment != "" {
		if again.head, err = i.side(ctx, i.head, t.Model, t.Experiment, c.Head); err != nil {
			return fmt.Errorf("head: %w", err)
		}
	}
	if t.Kind != "" {
		again.model = i.head.Docs.Models[t.Model]
		again.base.Experiment = t.Base
		return same(c, again.judgeAlone)
	}
	if again.base, err = i.side(ctx, i.base, t.Model, t.Base, c.Base); err != nil {
		return fmt.Errorf("base: %w", err)
	}
	return same(c, func() (*record.Comparison, error) {
		out, err := again.judge()
		if err == nil {
			noteChangedGates(out, i.base.Docs.Models[t.Model], i.head.Docs.Models[t.Model])
		}
		return out, err
	})
}

// side reads one side of a comparison: its inputs must be those of the tree, its rows those of head's pinned data.
func (i *inspection) side(ctx context.Context, t *Tree, modelID, experiment string, claimed record.Side) (side, error) {
	in, err := inputs(t.Docs, experiment)
	if err != nil {
		return side{}, err
	}
	if claimed.Experiment != experiment || claimed.Digest != in.Key() {
		return side{}, errors.New("its inputs are not those of the documents in the tree")
	}
	s := side{Side: claimed, inputs: in, params: t.Docs.Experiments[experiment].Params}
	rows, err := i.shop.ask(ctx, i.head, modelID)
	if err != nil {
		return side{}, fmt.Errorf("recomputing the rows: %w", err)
	}
	if claimed.Run != "" { // a recorded run's own evaluation was checked when it was recorded
		if run, ok := i.view.Run(claimed.Run); ok && run.Evaluation.SHA256 == claimed.Evaluation.SHA256 {
			s.eval, err = i.shop.stored(ctx, run)
			return s, err
		}
	}
	i.pointers = append(i.pointers, claimed.Evaluation)
	s.eval, err = i.evaluation(ctx, claimed.Evaluation, rows)
	return s, err
}

// same compares what the record says with what judging again says. What the measuring job alone knows is taken from the record.
func same(c *record.Comparison, judge func() (*record.Comparison, error)) error {
	again, err := judge()
	if err != nil {
		return err
	}
	again.Promotes, again.LeftOut, again.Notes = c.Promotes, c.LeftOut, c.Notes
	again.Base.Commit, again.Base.Distance, again.Head.Commit = c.Base.Commit, c.Base.Distance, c.Head.Commit
	said, err := json.Marshal(c)
	if err != nil {
		return err
	}
	found, err := json.Marshal(again)
	if err != nil {
		return err
	}
	if string(said) != string(found) {
		return fmt.Errorf("its verdict or numbers are not what its rows say: %s", firstDifference(said, found))
	}
	return nil
}

func firstDifference(a, b []byte) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	cut := func(s []byte) string { return string(s[max(0, min(n, len(s))-40):min(len(s), n+40)]) }
	return fmt.Sprintf("%.80q against %.80q", cut(a), cut(b))
}

// result makes result.json's claims again where they can be made, and takes the rest as bounded text.
func (i *inspection) result() error {
	r := &i.bundle.result
	if r.Schema != "plumb.ci/v1" || r.Event != i.event.Name || r.Head != i.event.Head || r.Base != i.event.Base || r.PullRequest != i.event.PullRequest {
		return errors.New("result.json is about another event")
	}
	if len(r.Comparisons) != len(i.comparisons) || len(r.Runs) != len(i.runs) {
		return errors.New("result.json and the records do not agree")
	}
	for _, c := range i.comparisons {
		said := slices.ContainsFunc(r.Comparisons, func(o record.Comparison) bool { return sameJSONValue(o, c.Comparison) })
		if !said {
			return fmt.Errorf("result.json says something else of %s than its record", c.Comparison.Experiment)
		}
	}
	r.Problems = i.head.Docs.Problems.All()
	if i.event.Name == "pull_request" {
		r.Changes = changes(i.base.Docs, i.head.Docs)
		blocked := slices.ContainsFunc(r.Data, func(d record.DataChange) bool { return d.Blocking })
		r.Exit = verdictExit(r.Comparisons, blocked)
	}
	normalise(r)
	return nil
}

func sameJSONValue(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
