package flow

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/value"
)

// ValueOptions say whose answers are worth what: those of a run (Run, or the champion's where nothing is said), or assumed ones (Alarms).
type ValueOptions struct {
	Run      string // an experiment or a run's id
	Scenario string // of the design card
	Alarms   value.Alarms
	Claim    *float64 // a figure to hold against the arithmetic
}

// Value prices answers by the design card of the working folder. A question that its inputs do not answer is refused in the result, which then
// says what they leave possible.
func (p *Project) Value(ctx context.Context, o ValueOptions) (*record.Value, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	money, err := value.Of(t.Docs.Design)
	if err != nil {
		return nil, err
	}
	a, claim := o.Alarms, o.Claim
	if said := a != (value.Alarms{}) || o.Scenario != ""; o.Run != "" && said {
		return nil, problem.Wrongf("name the run, or say what is assumed", "a run's alarms are counted, not assumed")
	}
	if o.Scenario != "" {
		if a != (value.Alarms{}) {
			return nil, problem.Wrongf("name the scenario, or say what is assumed", "scenario %s says itself what it assumes", o.Scenario)
		}
		card, known := t.Docs.Design.Value.Scenario[o.Scenario]
		if !known {
			return nil, problem.Wrongf("[value.scenario.NAME] of design.toml makes one"+listed(", there are ", keys(t.Docs.Design.Value.Scenario)), "no scenario is named %q", o.Scenario)
		}
		a, claim = value.Assumed(card), cmp.Or(claim, card.Claim)
	}
	if a != (value.Alarms{}) {
		out, err := money.Worth(a, claim)
		return &out, err
	}
	return p.valueOfRun(ctx, t, money, o)
}

// listed is names after what introduces them, nothing without names.
func listed(intro string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return intro + strings.Join(names, ", ")
}

// valueOfRun prices the test rows of a run.
func (p *Project) valueOfRun(ctx context.Context, t *Tree, money *value.Money, o ValueOptions) (*record.Value, error) {
	run, err := p.pricedRun(ctx, t, o.Run)
	if err != nil {
		return nil, err
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	eval, err := w.stored(ctx, run)
	if err != nil {
		return nil, err
	}
	test := testPart(eval)
	out := money.Answer(confusion(test, run.Threshold), o.Claim)
	out.Of = fmt.Sprintf("run %s of %s: %d test rows at the threshold %v", run.ID, run.Experiment, len(test.Part), run.Threshold)
	return &out, nil
}

// pricedRun is the run that was named, else the newest of the only binary model's champion.
func (p *Project) pricedRun(ctx context.Context, t *Tree, name string) (record.Run, error) {
	if name == "" {
		for _, id := range keys(t.Docs.Models) {
			m := t.Docs.Models[id]
			if m.Task != record.TaskBinary || m.Champion == "" {
				continue
			}
			if name != "" {
				return record.Run{}, problem.Wrongf("plumb value EXPERIMENT", "there are several models with a champion")
			}
			name = m.Champion
		}
		if name == "" {
			return record.Run{}, problem.Wrongf("plumb value --flagged N --precision SHARE prices answers that are only assumed", "there is no binary model with a champion")
		}
	}
	v, err := p.view(ctx)
	if err != nil {
		return record.Run{}, err
	}
	run, err := p.named(v, name)
	if err == nil && run.Task != record.TaskBinary {
		err = problem.Wrongf("a value needs right and false alarms", "run %s is of a %s model", run.ID, run.Task)
	}
	return run, err
}
