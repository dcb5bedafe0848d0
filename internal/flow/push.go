package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// production is the stage of the champion.
const production = "production"

// landing is the state of the push flow.
type landing struct {
	p       *Project
	event   Event
	head    *Tree
	view    *ledger.View
	pending []pending
	out     Measured
}

// pending is a champion that the newest stage record does not stand for.
type pending struct {
	model, experiment, digest, why string
	pin                            int // the version that the document names; 0: the newest
}

// onPush is what happens when something lands on the intent branch.
var onPush = []step[*landing]{
	{"load documents", (*landing).load},
	{"check documents", (*landing).checkDocuments},
	{"check data", (*landing).checkData}, // pinned data that no snapshot stands for yet
	{"plan", (*landing).plan},            // champions whose inputs differ from those of the model's newest stage record
	{"run", (*landing).run},              // what has no run in the ledger; the publisher claims versions and stages them
}

// Push measures what landed at head on the intent branch.
func (p *Project) Push(ctx context.Context, e Event) (*Measured, error) {
	e.Name = "push"
	l := &landing{p: p, event: e}
	l.out.Event = e
	l.out.Result = record.CI{Schema: "plumb.ci/v1", Event: e.Name, RunNumber: e.RunNumber}
	var err error
	l.out.Result.Steps, err = walk(ctx, p, onPush, l)
	var documents *DocumentsError
	switch {
	case errors.As(err, &documents):
		l.out.Result.Problems, l.out.Result.Exit = documents.List.All(), problem.ExitWrong
	case err != nil:
		return nil, err
	}
	normalise(&l.out.Result)
	return &l.out, nil
}

func (l *landing) load(ctx context.Context) (string, error) {
	var err error
	if l.event, err = l.p.Resolve(ctx, l.event); err != nil {
		return "", err
	}
	if l.head, err = l.p.At(l.event.Head); err != nil {
		return "", err
	}
	l.event.Base = l.event.Head
	l.out.Event, l.out.Result.Head, l.out.Result.Base = l.event, l.event.Head, l.event.Head
	if l.head.Docs.Project != nil {
		l.out.Result.Project = l.head.Docs.Project.Name
	}
	l.view, err = l.p.view(ctx)
	return short(l.event.Head), err
}

func (l *landing) checkDocuments(context.Context) (string, error) {
	if err := l.head.sound(); err != nil {
		return "", err
	}
	l.out.Result.Problems = l.head.Docs.Problems.All()
	return countOf(len(l.head.Docs.Files), "document"), nil
}

func (l *landing) plan(context.Context) (string, error) {
	var err error
	if l.pending, err = unstaged(l.head.Docs, l.view); err != nil {
		return "", err
	}
	if len(l.pending) == 0 {
		return "", skip("every champion is staged already")
	}
	var said []string
	for _, p := range l.pending {
		said = append(said, p.model+": "+p.experiment)
		l.out.Result.Staged = append(l.out.Result.Staged, record.StageChange{Model: p.model, Experiment: p.experiment, Why: p.why})
	}
	return list(said), nil
}

// unstaged lists the champions whose input digest is not that of the model's newest production stage.
func unstaged(docs *doc.Set, v *ledger.View) ([]pending, error) {
	var out []pending
	for _, id := range keys(docs.Models) {
		m := docs.Models[id]
		if m.Champion == "" {
			continue
		}
		key, err := digestOf(docs, m.Champion)
		if err != nil {
			return nil, err
		}
		p := pending{model: id, experiment: m.Champion, digest: key, pin: m.Version}
		if p.why = owed(v, p); p.why != "" {
			out = append(out, p)
		}
	}
	return out, nil
}

// owed says why a champion is to be staged; "" when it need not be. A version that was disowned while it served is not one to stay with.
func owed(v *ledger.View, p pending) string {
	stages := v.Stages(p.model, production)
	why := whyStage(stages, p)
	if why == "" && p.pin == 0 && isDisowned(v, versionPath(p.model, stages[len(stages)-1].Version)) {
		return fmt.Sprintf("version %d was disowned", stages[len(stages)-1].Version)
	}
	return why
}

// whyStage says why the newest stage record does not stand for a champion; "" when it does.
func whyStage(stages []record.Stage, p pending) string {
	if len(stages) == 0 {
		return "the model has never been staged"
	}
	switch last := stages[len(stages)-1]; {
	case p.pin != 0 && last.Version != p.pin:
		return fmt.Sprintf("the model's document pins version %d", p.pin)
	case p.pin == 0 && last.Inputs != p.digest:
		return "the champion's inputs changed"
	}
	return ""
}

// run makes the champions' runs that the ledger does not have, each once: two models may ask the same. A pinned version has its run.
func (l *landing) run(ctx context.Context) (string, error) {
	var made, scored, found []string
	done := map[string]bool{}
	for _, p := range l.pending {
		if p.pin != 0 {
			if _, err := pinned(l.view.Versions(p.model), p); err != nil {
				return "", err
			}
			continue
		}
		if done[p.digest] {
			continue
		}
		done[p.digest] = true
		x, fresh, err := l.answer(ctx, p)
		switch {
		case err != nil:
			return "", fmt.Errorf("running %s: %w", p.experiment, err)
		case !fresh && x.scored:
			scored = append(scored, x.trained(p.experiment))
			l.out.Result.Scored = append(l.out.Result.Scored, x.run.ID)
			continue
		case !fresh:
			found = append(found, p.experiment)
			continue
		}
		l.out.Records = append(l.out.Records, x.run)
		l.out.Blobs = append(l.out.Blobs, x.blobs...)
		l.out.Result.Runs = append(l.out.Result.Runs, Summary(x.run))
		made = append(made, x.because(p.experiment))
	}
	if len(made)+len(scored) == 0 {
		return "", skip("every run is in the ledger")
	}
	return whatRan(made, scored, found), nil
}

// answer finds a champion's run, or makes it. Whichever pull request a run was recorded for: its digest is on the intent branch now.
func (l *landing) answer(ctx context.Context, p pending) (x *execution, fresh bool, err error) {
	w, err := l.p.workshop(ctx, l.head.Docs.Project)
	if err != nil {
		return nil, false, err
	}
	defer w.close()
	x, why, err := w.hit(ctx, l.view, p.digest, l.event.seeker(true, l.head, p.experiment))
	if x != nil || err != nil {
		return x, false, err
	}
	if x, err = w.execute(ctx, l.head, p.experiment); err != nil {
		return nil, false, andWhy(err, why)
	}
	x.why = why
	return x, true, nil
}
