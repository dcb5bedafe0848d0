package doc

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/metric"
)

// FirstHypothesis is what `plumb init` writes: a place for a hypothesis, not one.
const FirstHypothesis = "The columns as they are say something about the label."

// Experiment is experiments/<id>.toml: one way to answer a model's question.
type Experiment struct {
	Head
	Model      string            `toml:"model" about:"whose question it answers"`
	Hypothesis string            `toml:"hypothesis" about:"what you expect and why, written before the run"`
	Extends    string            `toml:"extends" about:"the experiment from which everything is taken that is not said here"`
	Expect     map[string]Expect `toml:"expect"`
	Features   FeatureUse        `toml:"features"`
	Train      Train             `toml:"train"`
	Predict    Predict           `toml:"predict"`
	Params     map[string]any    `toml:"params" about:"what the learner is told"`
}

// Expect is a number that the hypothesis stakes itself on.
type Expect struct {
	Gain float64 `toml:"gain" about:"by how much the metric gets better; signed so that up is good"`
}

// FeatureUse lists what the learner sees: columns of the dataset, row expressions of Row, and view features as view.name.
type FeatureUse struct {
	Use []string          `toml:"use" about:"columns, names of [features.row], and view.feature, in the order that the learner sees"`
	Row map[string]string `toml:"row" about:"name = an expression over the row"`
}

// Train says how.
type Train struct {
	Learner string   `toml:"learner" enum:"glm|gbdt|command" about:"what learns"`
	Command []string `toml:"command" about:"a program and its arguments"`
	Code    []string `toml:"code" about:"patterns of the files that the program is made of"`
	Lock    string   `toml:"lock" about:"the file that pins what the program needs"`
	Format  string   `toml:"format" enum:"parquet|csv" default:"parquet" about:"of the files that the program is given and writes"`
	Env     []string `toml:"env" about:"names of environment variables that the program gets"`
	Seed    int64    `toml:"seed" default:"1" about:"of everything random"`
	Repeats int64    `toml:"repeats" default:"1" about:"with how many seeds it is trained, from seed on; the first is served, and how far they lie apart is part of every interval"`
	Timeout string   `toml:"timeout" about:"a duration; 1h when absent"`
	Memory  string   `toml:"memory" about:"a size; 80 % of the machine when absent"`
}

// MaxRepeats is how many seeds say all that seeds can say.
const MaxRepeats = 32

// Seeds are those that the experiment is trained with, the one that is served first.
func (t Train) Seeds() []int64 {
	out := []int64{t.Seed}
	for i := int64(1); i < t.Repeats; i++ {
		out = append(out, t.Seed+i)
	}
	return out
}

// Predict says how a command learner scores rows.
type Predict struct {
	Command []string `toml:"command" about:"a program and its arguments; {in}, {out} and {model} stand for paths"`
	Worker  []string `toml:"worker" about:"a program that stays and answers lines of JSON; {model} stands for a path"`
}

// HypothesisDigest is that of what was claimed: hypothesis and expect. They decide no outcome, so they are no input of a run.
func (e *Experiment) HypothesisDigest() string {
	claimed := map[string]any{"hypothesis": e.Hypothesis, "expect": plainOf(reflect.ValueOf(e.Expect))}
	d, err := digest.Of(claimed)
	if err != nil { // text and finite numbers always have a digest
		return ""
	}
	return d
}

func (e *Experiment) check(c checker) {
	c.required("model")
	if c.required("features", "use") && len(e.Features.Use) == 0 {
		c.at("missing", "features", "use").errorf("use is empty: the learner would see nothing")
	}
	if c.required("train", "learner") {
		e.checkTrain(c)
	}
	for _, name := range sortedKeys(e.Expect) {
		if c.has("expect", name) {
			c.required("expect", name, "gain")
		}
	}
	for _, name := range sortedKeys(e.Features.Row) {
		if !itemPattern.MatchString(name) {
			c.atKey("id", "features", "row", name).errorf("%q is not a feature's name: small letters, digits and underscores, a letter first", name)
		}
		if c.has("features", "row", name) && !slices.Contains(e.Features.Use, name) {
			c.atKey("unused", "features", "row", name).warnf("row feature %s is not in use", name).hint("add it to features.use, or take it away")
		}
	}
}

func (e *Experiment) checkTrain(c checker) {
	t := e.Train
	c.size("train", "memory")(t.Memory)
	if c.has("train", "repeats") && (t.Repeats < 1 || t.Repeats > MaxRepeats) {
		c.at("range", "train", "repeats").errorf("repeats is a number of seeds from 1 to %d, not %d", MaxRepeats, t.Repeats).hint("5 tell most of what can be told")
	}
	if c.has("train", "timeout") {
		c.duration(t.Timeout, "train", "timeout")
	}
	if t.Learner != "command" {
		for _, key := range [][]string{{"train", "command"}, {"train", "code"}, {"train", "lock"}, {"train", "env"}, {"train", "format"}, {"predict"}} {
			if c.has(key...) && t.Learner != "" && slices.Contains([]string{"glm", "gbdt"}, t.Learner) {
				c.atKey("train", key...).errorf("%s is for learner = \"command\"; this is %s", strings.Join(key, "."), t.Learner)
			}
		}
		return
	}
	for _, key := range []string{"command", "code", "lock"} {
		c.required("train", key)
	}
	for i, pattern := range t.Code {
		checkInside(c, pattern, "train", "code", itoa(i))
	}
	if t.Lock != "" {
		checkInside(c, t.Lock, "train", "lock")
	}
	if len(e.Predict.Command) > 0 && len(e.Predict.Worker) > 0 && c.has("predict", "worker") {
		c.atKey("train", "predict", "worker").errorf("predict has both command and worker").hint("keep one")
	}
	if command := e.Predict.Command; len(command) > 0 && c.has("predict", "command") {
		for _, word := range []string{"{in}", "{out}"} {
			if !strings.Contains(strings.Join(command, " "), word) {
				c.at("placeholder", "predict", "command").errorf("predict.command does not say where %s goes", word).
					hint(`for example ["python", "predict.py", "{in}", "{out}", "{model}"]`)
			}
		}
	}
	for i, name := range t.Env {
		if name == "" || strings.ContainsAny(name, "= \x00") || strings.HasPrefix(name, "PLUMB_") {
			c.at("train", "train", "env", itoa(i)).errorf("%q can't be handed on", name)
		}
	}
}

// checkInside reports a path or pattern that does not stay in the project.
func checkInside(c checker, pattern string, key ...string) {
	if pattern == "" || path.IsAbs(pattern) || strings.Contains(pattern, `\`) || slices.Contains(strings.Split(pattern, "/"), "..") {
		c.at("path", key...).errorf("%q is not inside the project", pattern)
	}
}

// crossExperiment checks an experiment against its model, its model's data and the design card.
func (l *loader) crossExperiment(e *Experiment, c checker) {
	m := l.set.Models[e.Model]
	if m == nil {
		if !l.inherits(e, []string{"model"}) || c.has("model") {
			l.reference(c, "models", e.Model, "model")
		}
		return
	}
	for _, name := range sortedKeys(e.Expect) {
		_, inContract := m.Metrics[name]
		if !inContract && name != metric.Value && !slices.Contains(metricsOf(m.Task), name) {
			c.atKey("metric", "expect", name).errorf("unknown metric %q", name).nearest(name, metricsOf(m.Task))
		}
	}
	l.crossFeatures(e, m, c)
}
