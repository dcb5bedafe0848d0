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
	if l.event, err = l.p.Resolve(l.event); err != nil {
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
	return fmt.Sprintf("%d documents", len(l.head.Docs.Files)), nil
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
		stages := v.Stages(id, production)
		p := pending{model: id, experiment: m.Champion, digest: key}
		switch n := len(stages); {
		case n == 0:
			p.why = "the model has never been staged"
		case stages[n-1].Inputs != key:
			p.why = "the champion's inputs changed"
		case m.Version != 0 && stages[n-1].Version != m.Version:
			p.why = fmt.Sprintf("the model's document pins version %d", m.Version)
		default:
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

func (l *landing) run(ctx context.Context) (string, error) {
	var made []string
	for _, p := range l.pending {
		if len(l.view.RunsByInputs(p.digest)) > 0 {
			continue
		}
		w, err := l.p.workshop(ctx, l.head.Docs.Project)
		if err != nil {
			return "", err
		}
		x, err := w.execute(ctx, l.head, p.experiment)
		w.close()
		if err != nil {
			return "", fmt.Errorf("running %s: %w", p.experiment, err)
		}
		l.out.Records = append(l.out.Records, x.run)
		l.out.Blobs = append(l.out.Blobs, x.blobs...)
		l.out.Result.Runs = append(l.out.Result.Runs, Summary(x.run))
		made = append(made, p.experiment)
	}
	if len(made) == 0 {
		return "", skip("every run is in the ledger")
	}
	return "ran " + list(made), nil
}
