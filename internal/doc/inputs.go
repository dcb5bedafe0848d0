package doc

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Parts is an experiment with everything that its question needs.
type Parts struct {
	Experiment *Experiment
	Model      *Model
	Dataset    *Dataset
	Lock       *Lock
}

// Parts finds an experiment's model, dataset and lock. It errs when one of them does not exist, with what to do as the hint.
func (s *Set) Parts(experiment string) (Parts, error) {
	p := Parts{Experiment: s.Experiments[experiment]}
	if p.Experiment == nil {
		return p, s.unknownExperiment(experiment)
	}
	if p.Model = s.Models[p.Experiment.Model]; p.Model == nil {
		return p, problem.Wrongf("plumb check", "experiment %s is for model %q, which does not exist", experiment, p.Experiment.Model)
	}
	id := p.Model.Question.Dataset
	if p.Dataset = s.Datasets[id]; p.Dataset == nil {
		return p, problem.Wrongf("plumb check", "model %s asks about dataset %q, which does not exist", p.Model.ID, id)
	}
	if p.Lock = s.Locks[id]; p.Lock == nil {
		return p, problem.Wrongf("plumb data pin "+id, "dataset %s is not pinned", id)
	}
	return p, nil
}

// Inputs gives what decides the outcome of an experiment, name → digest (seed and semantics are integers), as package record lays down, without `digest`. builtin
// gives the algorithm version of each built-in learner, as "gbdt/1".
func (s *Set) Inputs(experiment string, semantics int, builtin map[string]string) (map[string]any, error) {
	p, err := s.Parts(experiment)
	if err != nil {
		return nil, err
	}
	in := map[string]any{"dataset": p.Lock.Content, "seed": p.Experiment.Train.Seed, "semantics": int64(semantics)}
	if in["question"], err = s.QuestionDigest(p.Model.ID); err != nil {
		return nil, err
	}
	if in["experiment"], err = p.Experiment.digest(); err != nil {
		return nil, fmt.Errorf("digesting experiment %s: %w", experiment, err)
	}
	for _, view := range s.Views(experiment) {
		if in["feature."+view], err = s.FeatureDigest(view); err != nil {
			return nil, err
		}
	}
	code, err := s.code(p.Experiment, builtin)
	if err != nil {
		return nil, err
	}
	maps.Copy(in, code)
	return in, nil
}

// QuestionDigest is that of what a model is asked: task, label, weight, split and threshold rule, and of its dataset the times, late columns and declared types.
// Slices and groups are not part of it: they change how an answer is looked at.
func (s *Set) QuestionDigest(model string) (string, error) {
	m := s.Models[model]
	if m == nil {
		return "", problem.Wrongf("plumb check", "there is no model %q", model)
	}
	ds := s.Datasets[m.Question.Dataset]
	if ds == nil {
		return "", problem.Wrongf("plumb check", "model %s asks about dataset %q, which does not exist", model, m.Question.Dataset)
	}
	question := plainOf(reflect.ValueOf(m.Question)).(map[string]any)
	for _, key := range []string{"dataset", "slices", "group"} { // which rows is the dataset's content digest
		delete(question, key)
	}
	if split, ok := question["split"].(map[string]any); ok && m.Question.Split.By == "hash" {
		for _, key := range []string{"test", "valid"} {
			if share, ok := Share(split[key]); ok && share == DefaultShare {
				delete(split, key)
			}
		}
		if m.Question.Split.Key == "" && len(ds.Source.Key) > 0 {
			split["row_key"] = ds.Source.Key // what is hashed
		}
	}
	d, err := digest.Of(map[string]any{"task": m.Task, "question": question, "dataset": ds.facts()})
	if err != nil {
		return "", fmt.Errorf("digesting the question of %s: %w", model, err)
	}
	return d, nil
}

// facts are what a dataset's document says that decides an outcome.
func (d *Dataset) facts() map[string]any {
	types := map[string]any{}
	for name, c := range d.Columns {
		if c.Type != "" {
			types[name] = c.Type
		}
	}
	late := d.Late()
	if late == nil {
		late = []string{}
	}
	return map[string]any{"time": plainOf(reflect.ValueOf(d.Time)), "late": late, "types": types}
}

// digest covers features, train, predict and params; the seed has an input of its own.
func (e *Experiment) digest() (string, error) {
	train := e.Train
	train.Seed = 1
	return digest.Of(map[string]any{
		"features": plainOf(reflect.ValueOf(e.Features)),
		"train":    plainOf(reflect.ValueOf(train)),
		"predict":  plainOf(reflect.ValueOf(e.Predict)),
		"params":   plainOf(reflect.ValueOf(e.Params)),
	})
}

// ParamsJSON is an experiment's [params] as they are digested: the text that a person's program is given.
func (s *Set) ParamsJSON(experiment string) ([]byte, error) {
	e := s.Experiments[experiment]
	if e == nil {
		return nil, s.unknownExperiment(experiment)
	}
	return digest.Canonical(plainOf(reflect.ValueOf(e.Params)))
}

// FeatureDigest is that of a view's document and of each dataset that it reads: its own, and those whose names its queries hold.
func (s *Set) FeatureDigest(view string) (string, error) {
	f := s.Features[view]
	if f == nil {
		return "", problem.Wrongf("plumb check", "there is no feature view %q", view)
	}
	reads := map[string]any{}
	for _, id := range sortedKeys(s.Datasets) {
		if id != f.Dataset && !f.queries(id) {
			continue
		}
		lock := s.Locks[id]
		if lock == nil {
			return "", problem.Wrongf("plumb data pin "+id, "dataset %s, which view %s reads, is not pinned", id, view)
		}
		facts := s.Datasets[id].facts()
		facts["content"] = lock.Content
		reads[id] = facts
	}
	d, err := digest.Of(map[string]any{"view": plainOf(reflect.ValueOf(*f)), "datasets": reads})
	if err != nil {
		return "", fmt.Errorf("digesting view %s: %w", view, err)
	}
	return d, nil
}

func (f *Feature) queries(dataset string) bool {
	for _, item := range f.Features {
		if item.SQL != "" && hasWord(item.SQL, dataset) {
			return true
		}
	}
	return false
}
