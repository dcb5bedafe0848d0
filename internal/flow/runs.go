package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// FoundRun is a run and its record as written.
type FoundRun struct {
	record.Run
	Source   []byte
	Disowned *Disowner // nil for a run that counts
}

// FindRun finds a run by its id, the beginning of one, or an experiment, which stands for its newest run. By its id also one that was disowned is found.
func (p *Project) FindRun(ctx context.Context, name string) (found FoundRun, err error) {
	v, err := p.view(ctx)
	if err != nil {
		return found, err
	}
	if found.Run, err = p.named(v, name); err != nil {
		path, by := disownedRun(v, name)
		if path == "" {
			return found, err
		}
		if found.Run, err = runAt(v, path); err != nil {
			return found, err
		}
		found.Disowned = &Disowner{Record: by.Path, Who: by.By.Who, Time: by.Time, Reason: by.Reason}
	}
	found.Source, err = v.Bytes(v.PathOf(found.ID))
	return found, err
}

// InputChange is one input of a run that is not what it was.
type InputChange struct {
	Input string `json:"input"`
	Was   string `json:"was"`
	Now   string `json:"now"`
}

// Reason says why an experiment would run or not: plumb.why/v1.
type Reason struct {
	Schema     string        `json:"schema"`
	Experiment string        `json:"experiment"`
	Cached     bool          `json:"cached"`
	Run        string        `json:"run"` // that would serve, or the newest of the experiment
	Sentence   string        `json:"reason"`
	Changes    []InputChange `json:"changes"`
	Notes      []string      `json:"notes"`
}

// Why compares the inputs of an experiment as it lies in the working folder with those of its newest run.
func (p *Project) Why(ctx context.Context, name string) (*Reason, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if err := t.sound(); err != nil {
		return nil, err
	}
	if name, err = t.theExperiment(name); err != nil {
		return nil, err
	}
	now, err := inputs(t.Docs, name)
	if err != nil {
		return nil, err
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	r := &Reason{Schema: "plumb.why/v1", Experiment: name, Changes: []InputChange{}, Notes: []string{}}
	if hits := v.RunsByInputs(now.Key()); len(hits) > 0 {
		r.Cached, r.Run = true, hits[0].ID
		r.Sentence = fmt.Sprintf("%s would not run: run %s has the same inputs", name, hits[0].ID)
		r.Notes = append(r.Notes, hypothesisNotes(t, hits[0])...)
		return r, nil
	}
	last, err := findRun(v, name)
	if err != nil {
		r.Sentence = name + " would run: it never has"
		return r, nil
	}
	r.Run = last.ID
	for _, input := range changedInputs(last.Inputs, now) {
		r.Changes = append(r.Changes, InputChange{Input: input, Was: inputText(last.Inputs[input]), Now: inputText(now[input])})
	}
	var names []string
	for _, c := range r.Changes {
		names = append(names, c.Input)
	}
	r.Sentence = fmt.Sprintf("%s would run: since run %s its %s changed", name, last.ID, list(names))
	if last.Environment != "" && last.Environment != environment() {
		r.Notes = append(r.Notes, fmt.Sprintf("that run was made with %s; this is %s", last.Environment, environment()))
	}
	return r, nil
}

func inputText(v any) string {
	if v == nil {
		return "none"
	}
	return shortDigest(fmt.Sprint(v))
}

// RunLog is what the program of a run printed.
func (p *Project) RunLog(ctx context.Context, run record.Run) (string, error) {
	if run.Log.IsZero() {
		return "", problem.Wrongf("`plumb runs show "+run.ID+"` shows the run", "run %s has no log: it is of %s, or its program printed nothing", run.ID, run.Learner)
	}
	text, err := p.Store.Get(ctx, run.Log)
	if err != nil {
		return "", fmt.Errorf("fetching the log of run %s: %w", run.ID, err)
	}
	return string(text), nil
}
