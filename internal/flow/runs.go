package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// FindRun finds a run by its id, the beginning of one, or an experiment, which stands for its newest run. source is the record as written.
func (p *Project) FindRun(ctx context.Context, name string) (run record.Run, source []byte, err error) {
	v, err := p.view(ctx)
	if err != nil {
		return run, nil, err
	}
	if run, err = p.named(v, name); err != nil {
		return run, nil, err
	}
	source, err = v.Bytes(v.PathOf(run.ID))
	return run, source, err
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

// Sent says what `plumb push` shared: plumb.push/v1.
type Sent struct {
	Schema  string   `json:"schema"`
	Branch  string   `json:"branch"`
	Records []string `json:"records"`
	Data    []string `json:"data"` // pinned files that Git does not carry, sent to the store
	Tags    []string `json:"tags"` // of versions and stages, that were missing
	Notes   []string `json:"notes,omitempty"`
	Tip     string   `json:"tip"`

	Blobs store.Sent `json:"blobs"` // of the records and the data together
}

// Share replays private records onto the ledger branch, blobs first.
func (p *Project) Share(ctx context.Context, dry bool) (*Sent, error) {
	out := &Sent{Schema: "plumb.push/v1", Branch: p.Ledger.Branch(), Records: []string{}, Data: []string{}, Tags: []string{}}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	var private []ledger.File
	for _, path := range v.Paths() {
		if v.Private(path) {
			data, err := v.Bytes(path)
			if err != nil {
				return nil, err
			}
			private = append(private, ledger.File{Path: path, Data: data})
			out.Records = append(out.Records, path)
		}
	}
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	data, err := p.dataToSend(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, f := range data {
		out.Data = append(out.Data, f.What)
	}
	if out.Tip = v.Tip; dry {
		return out, nil
	}
	if len(out.Records)+len(data) == 0 {
		return out, p.shareTags(ctx, v, out)
	}
	blobs, err := blobsOf(private)
	if err != nil {
		return nil, err
	}
	p.progress("sending blobs")
	if out.Blobs, err = p.Store.Push(ctx, append(data, blobs...)); err != nil {
		return nil, err
	}
	p.progress("sending records")
	pushed, err := p.Ledger.Push(ctx)
	if err != nil {
		return nil, fmt.Errorf("sending records: %w", err)
	}
	out.Tip = pushed.Tip
	return out, p.shareTags(ctx, v, out)
}

// shareTags makes tags that a publication could not make. Records of versions and stages are never private, so the view from before will do.
func (p *Project) shareTags(ctx context.Context, v *ledger.View, out *Sent) error {
	done, err := p.repeatInTags(ctx, v)
	if err != nil {
		return err
	}
	out.Tags, out.Notes = append(out.Tags, done.Written...), done.Notes
	return nil
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
