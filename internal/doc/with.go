package doc

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// WithSet gives a copy of the set in which params of one experiment, or keys of its train table, have other values: "rounds" or "params.rounds", "train.seed". A
// value is read as TOML; text needs no quotes. One that replaces a param must be of its type. Params that the document does not have are added: whether the learner knows
// them is its own business. It errs on an unknown experiment, key or value.
func (s *Set) WithSet(experiment string, values map[string]string) (*Set, error) {
	old := s.Experiments[experiment]
	if old == nil {
		return nil, s.unknownExperiment(experiment)
	}
	e := *old
	e.Params = maps.Clone(old.Params)
	if e.Params == nil {
		e.Params = map[string]any{}
	}
	for _, key := range sortedKeys(values) {
		if err := e.override(key, values[key]); err != nil {
			return nil, err
		}
	}
	out := *s
	out.Experiments = maps.Clone(s.Experiments)
	out.Experiments[experiment] = &e
	return &out, nil
}

func (e *Experiment) override(key, text string) error {
	if name, ok := strings.CutPrefix(key, "train."); ok {
		return e.overrideTrain(name, text)
	}
	name := strings.TrimPrefix(key, "params.")
	if name == "" || strings.ContainsAny(name, ".= \t\n") {
		return problem.Wrongf("as in --set rounds=300 or --set train.seed=2", "%q can't be set", key)
	}
	was, known := e.Params[name]
	v, err := tomlio.Value(text)
	if err != nil {
		return problem.Wrongf("", "reading --set %s=%s: %w", key, text, err)
	}
	if known {
		if v, err = sameType(was, v, text); err != nil {
			return problem.Wrongf("", "--set %s=%s: %w", key, text, err)
		}
	}
	e.Params[name] = v
	return nil
}

// sameType gives v in the type of the value that it replaces.
func sameType(was, v any, text string) (any, error) {
	_, isText := was.(string)
	_, isFloat := was.(float64)
	whole, isWhole := v.(int64)
	switch {
	case isText:
		if s, ok := v.(string); ok {
			return s, nil
		}
		return text, nil
	case isFloat && isWhole:
		return float64(whole), nil
	case reflect.TypeOf(was) != reflect.TypeOf(v):
		if _, ok := v.(float64); ok && reflect.TypeOf(was) == reflect.TypeFor[int64]() {
			return v, nil // 3 may become 2.5: TOML tells the two apart, people don't
		}
		return nil, fmt.Errorf("the document has %v there", was)
	}
	return v, nil
}

// overridable are the keys of train that --set may change; the rest decides what runs, which is the document's to say.
var overridable = []string{"learner", "seed", "repeats", "timeout", "memory"}

func (e *Experiment) overrideTrain(name, text string) error {
	if !slices.Contains(overridable, name) {
		return problem.Wrongf("of train there is "+strings.Join(overridable, ", "), "train.%s can't be set", name)
	}
	v, err := tomlio.Value(text)
	if err != nil {
		return problem.Wrongf("", "reading --set train.%s=%s: %w", name, text, err)
	}
	switch name {
	case "seed":
		seed, ok := v.(int64)
		if !ok {
			return problem.Wrongf("", "train.seed must be a whole number, not %s", text)
		}
		e.Train.Seed = seed
	case "repeats":
		n, ok := v.(int64)
		if !ok || n < 1 || n > MaxRepeats {
			return problem.Wrongf("", "train.repeats is a number of seeds from 1 to %d, not %s", MaxRepeats, text)
		}
		e.Train.Repeats = n
	case "learner":
		if text != "glm" && text != "gbdt" {
			return problem.Wrongf("", "train.learner must be glm or gbdt here, not %s", text)
		}
		e.Train.Learner = text
	case "timeout":
		_, err = Duration(text)
		e.Train.Timeout = text
	case "memory":
		_, err = Bytes(text)
		e.Train.Memory = text
	}
	if err != nil {
		return problem.Wrongf("", "train.%s: %w", name, err)
	}
	return nil
}
