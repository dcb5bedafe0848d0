package doc

import (
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Model is models/<id>.toml: the question, the contract, and who answers it now.
type Model struct {
	Head
	Task     string            `toml:"task" enum:"binary|multiclass|regression" about:"the kind of question"`
	Champion string            `toml:"champion" about:"the experiment that is served; changing this line is the promotion"`
	Version  int               `toml:"version" about:"pins an older version of this champion; the newest when absent"`
	Question Question          `toml:"question"`
	Metrics  map[string]Metric `toml:"metric"`
	Gates    map[string]Gate   `toml:"gate"`
	Order    []string          `toml:"-"` // names of Metrics as the document lists them
}

// Question is what the model is asked.
type Question struct {
	Dataset   string   `toml:"dataset" about:"whose rows are asked about"`
	Label     string   `toml:"label" about:"an expression: the right answer"`
	Weight    string   `toml:"weight" about:"an expression: how much a row counts; 1 when absent"`
	Split     Split    `toml:"split"`
	Slices    []string `toml:"slices" about:"columns by whose values metrics are shown too"`
	Group     string   `toml:"group" about:"an expression: rows that move together; rules the intervals, not the training"`
	Threshold any      `toml:"threshold" default:"0.5" about:"a number, or \"best:f1\", chosen on the valid part"`
}

// Split says which rows train, validate and test.
type Split struct {
	By     string `toml:"by" enum:"time|hash|column" about:"how rows are divided"`
	Test   any    `toml:"test" about:"time: a duration at the end; hash: a share, 0.2 when absent"`
	Valid  any    `toml:"valid" about:"likewise, before the test part"`
	Key    string `toml:"key" about:"hash: the column whose equal values stay together; the row's key when absent"`
	Column string `toml:"column" about:"column: it holds train, valid and test"`
}

// Metric is one line of the contract.
type Metric struct {
	Name      string  `toml:"-"`
	Level     string  `toml:"level" enum:"gate|guard|info" default:"info" about:"whether it can stop a change"`
	Direction string  `toml:"direction" enum:"up|down" about:"what is good; needed for a metric that plumb does not know"`
	Tolerance float64 `toml:"tolerance" about:"a loss that does not matter, in the metric's unit"`
	Require   string  `toml:"require" enum:"not_worse|non_inferior|better" default:"not_worse" about:"what a gate asks for"`
}

// Gate is a rule over the result, an expression that must be true.
type Gate struct {
	Require string `toml:"require" about:"an expression over metrics, slice.METRIC and params.NAME that must be true"`
}

// DefaultShare is the part of the rows that a hash split tests, and validates, on when the document does not say.
const DefaultShare = 0.2

func (m *Model) check(c checker) {
	c.required("task")
	c.notNegative(float64(m.Version), "version")
	for _, key := range []string{"dataset", "label", "split"} {
		c.required("question", key)
	}
	if c.has("question", "split") {
		m.Question.Split.check(c)
	}
	m.checkThreshold(c)
	for _, name := range m.Order {
		m.Metrics[name].check(c, m.Task)
	}
	for _, name := range sortedKeys(m.Gates) {
		c.required("gate", name, "require")
	}
}

func (m *Model) checkThreshold(c checker) {
	key := []string{"question", "threshold"}
	if !c.has(key...) {
		return
	}
	if m.Task != "" && m.Task != "binary" && slices.Contains(Tasks, m.Task) {
		c.at("threshold", key...).errorf("a %s model has no threshold", m.Task)
		return
	}
	switch t := m.Question.Threshold.(type) {
	case float64, int64:
		if v, _ := ordinal(t); v < 0 || v > 1 {
			c.at("range", key...).errorf("threshold is a probability from 0 to 1, not %v", v)
		}
	case string:
		name, best := strings.CutPrefix(t, "best:")
		if !best {
			c.at("threshold", key...).errorf("threshold can't be %q: a number, or best:METRIC as best:f1", t)
			return
		}
		if known := metric.For("binary"); !slices.Contains(known, name) {
			c.at("metric", key...).errorf("unknown metric %q", name).nearest(name, known)
		}
	default:
		c.at("type", key...).errorf(`threshold must be a number or "best:f1"`)
	}
}

// splitKeys are the keys that each way of splitting takes.
var splitKeys = map[string][]string{"time": {"test", "valid"}, "hash": {"test", "valid", "key"}, "column": {"column"}}

func (s Split) check(c checker) {
	key := func(k string) []string { return []string{"question", "split", k} }
	takes, ok := splitKeys[s.By]
	if !c.required(key("by")...) || !ok {
		return
	}
	for _, k := range []string{"test", "valid", "key", "column"} {
		if c.has(key(k)...) && !slices.Contains(takes, k) {
			c.atKey("split", key(k)...).errorf("a split by %s does not take %s", s.By, k).hint("it takes %s", strings.Join(takes, ", "))
		}
	}
	switch s.By {
	case "column":
		c.required(key("column")...)
	case "time":
		for k, v := range map[string]any{"test": s.Test, "valid": s.Valid} {
			if text, isText := v.(string); isText {
				c.duration(text, key(k)...)
			} else if c.required(key(k)...) && v != nil {
				c.at("type", key(k)...).errorf(`%s of a split by time is a duration, as "28d"`, k)
			}
		}
	case "hash":
		s.checkShares(c, key)
	}
}

func (s Split) checkShares(c checker, key func(string) []string) {
	sum := 0.0
	for k, v := range map[string]any{"test": s.Test, "valid": s.Valid} {
		share, fine := Share(v)
		switch {
		case !fine && v != nil:
			c.at("type", key(k)...).errorf("%s of a split by hash is a share of the rows, as 0.2", k)
		case share <= 0 || share >= 1:
			c.at("range", key(k)...).errorf("%s is a share between 0 and 1, not %v", k, share)
		default:
			sum += share
		}
	}
	if sum >= 1 {
		c.at("range", key("test")...).errorf("test and valid leave no row to train on")
	}
}

// Share gives a hash split's test or valid as a number, DefaultShare when the document does not say.
func Share(v any) (float64, bool) {
	switch v := v.(type) {
	case nil:
		return DefaultShare, true
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return DefaultShare, false
}

func (m Metric) check(c checker, task string) {
	spec, known := metric.Lookup(m.Name)
	key := []string{"metric", m.Name}
	switch {
	case !known && !c.has("metric", m.Name, "direction"):
		c.atKey("metric", key...).errorf("metric %q is not one that plumb knows and does not say its direction", m.Name)
		if near := problem.Nearest(m.Name, metricsOf(task)); near != "" {
			c.list.Hint("did you mean %q? If not, add direction = \"up\" or \"down\"", near)
		} else {
			c.list.Hint(`add direction = "up" or "down"`)
		}
	case slices.Contains(metric.Operations, m.Name):
		c.atKey("metric", key...).errorf("%s depends on the machine of a run, so two runs are not compared by it", m.Name).
			hint("bound it in design.toml: [requirement.NAME] metric = %q and at_most or at_least", m.Name)
	case known && m.Direction != "" && m.Direction != spec.Direction && slices.Contains([]string{"up", "down"}, m.Direction):
		c.at("metric", "metric", m.Name, "direction").errorf("%s is better %s", m.Name, spec.Direction)
	case known && slices.Contains(Tasks, task) && slices.Contains(metricNames(), m.Name) && !slices.Contains(metric.For(task), m.Name):
		c.atKey("metric", key...).errorf("%s is no metric of a %s model", m.Name, task).hint("there is %s", strings.Join(metric.For(task), ", "))
	}
	c.notNegative(m.Tolerance, "metric", m.Name, "tolerance")
}

// metricsOf lists the metrics of a task, or of all when there is no such task.
func metricsOf(task string) []string {
	if slices.Contains(Tasks, task) {
		return metric.For(task)
	}
	return metricNames()
}

// GateEnv gives the names that the model's gates may use: each metric of the task and of the contract, base.METRIC, slice.METRIC (a list with
// that metric on every slice), rows and groups of the test part, and params.NAME.
func (m *Model) GateEnv(params map[string]any) rule.Env {
	env := rule.Env{Columns: map[string]table.Type{}}
	for _, name := range slices.Concat(metric.For(m.Task), m.Order, []string{metric.Value}) {
		env.Columns[name] = table.Float64
		env.Columns["base."+name] = table.Float64
		env.Columns["slice."+name] = rule.Numbers
	}
	env.Columns["rows"], env.Columns["groups"] = table.Int64, table.Int64
	for _, name := range sortedKeys(params) {
		if t := typeOf(params[name]); t != "" {
			env.Columns["params."+name] = t
		}
	}
	return env
}

func typeOf(v any) table.Type {
	switch v.(type) {
	case int64:
		return table.Int64
	case float64:
		return table.Float64
	case bool:
		return table.Bool
	case string:
		return table.String
	}
	return ""
}

// crossModel checks a model against its dataset, its champion and the experiments that answer it.
func (l *loader) crossModel(m *Model, c checker) {
	l.crossChampion(m, c)
	l.crossGates(m, c)
	q := m.Question
	ds := l.set.Datasets[q.Dataset]
	if ds == nil {
		l.reference(c, "datasets", q.Dataset, "question", "dataset")
		return
	}
	if q.Split.By == "time" && ds.Time.Event == "" && !l.has(ds.Path, "time", "event") {
		c.at("split", "question", "split", "by").errorf("a split by time needs to know when each row was asked; dataset %s has no [time] event", ds.ID).
			hint(`add to datasets/%s.toml: [time] event = "COLUMN", or split by hash`, ds.ID)
	}
	if q.Split.By == "hash" && q.Split.Key == "" && ds.Time.Event != "" {
		c.at("split", "question", "split").warnf("the test rows are drawn at random, though %s says when each row was asked: a model may learn from rows later than those it is tested on", ds.Time.Event).
			hint(`split = { by = "time", test = "28d", valid = "14d" }, or name in key what stays together`)
	}
	lock := l.lock(ds.ID)
	if lock == nil {
		return
	}
	env := Environment(lock, ds)
	l.crossLabel(m, c, env)
	q.checkGroups(c, env)
	if q.Weight != "" {
		c.number(q.Weight, env, "question", "weight")
	}
	if q.Group != "" {
		c.expression(q.Group, env, "question", "group")
	}
	for i, name := range q.Slices {
		c.column(name, lock.names(), "question", "slices", itoa(i))
	}
	c.column(q.Split.Key, lock.names(), "question", "split", "key")
	c.column(q.Split.Column, lock.names(), "question", "split", "column")
}

// checkGroups warns of a random split that lays the rows of one group on both sides: a model then has seen the day that it is tested on, and the
// interval, which counts groups, does not know it.
func (q Question) checkGroups(c checker, env rule.Env) {
	if q.Split.By != "hash" || q.Split.Key == "" || q.Group == "" {
		return
	}
	group, err := rule.Parse(q.Group, env)
	if err != nil || slices.Equal(group.Columns(), []string{q.Split.Key}) {
		return
	}
	c.at("split", "question", "split").warnf("rows are drawn at random by %s, and rows that move together (group: %s) land in train and test alike: a model has seen what it is tested on",
		q.Split.Key, q.Group).hint("split by time, or by a key of which each group has one value")
}

func (l *loader) crossLabel(m *Model, c checker, env rule.Env) {
	if m.Question.Label == "" {
		return
	}
	key := []string{"question", "label"}
	e, ok := c.expression(m.Question.Label, env, key...)
	if !ok {
		return
	}
	if len(e.Columns()) == 0 {
		c.at("label", key...).errorf("the label is the same for every row: it names no column")
		return
	}
	t := e.Type()
	switch {
	case m.Task == "binary" && t != table.Bool && t != table.Int64:
		c.at("label", key...).errorf("the label of a binary model is true or false; this is %s", typeName(t)).hint(`compare it, as in "delay > 15"`)
	case m.Task == "regression" && !numeric(t):
		c.at("label", key...).errorf("the label of a regression model is a number; this is %s", typeName(t))
	case m.Task == "multiclass" && t != table.String && t != table.Int64 && t != table.Bool:
		c.at("label", key...).errorf("the label of a multiclass model is text or a whole number; this is %s", typeName(t))
	}
}

func (l *loader) crossChampion(m *Model, c checker) {
	if m.Champion == "" {
		if c.has("version") {
			c.at("reference", "version").errorf("version pins a champion's version, and there is no champion")
		}
		return
	}
	e := l.set.Experiments[m.Champion]
	if e == nil {
		l.reference(c, "experiments", m.Champion, "champion")
		return
	}
	if e.Model != m.ID {
		c.at("reference", "champion").errorf("experiment %s is for model %q, not for %q", e.ID, e.Model, m.ID)
	}
}

// crossGates types the gates over the params of all experiments of the model.
func (l *loader) crossGates(m *Model, c checker) {
	if !slices.Contains(Tasks, m.Task) {
		return
	}
	params := map[string]any{}
	for _, id := range sortedKeys(l.set.Experiments) {
		if e := l.set.Experiments[id]; e.Model == m.ID {
			for name, v := range e.Params {
				params[name] = v
			}
		}
	}
	env := m.GateEnv(params)
	for _, name := range sortedKeys(m.Gates) {
		if rule := m.Gates[name].Require; rule != "" {
			c.truth(rule, env, "gate", name, "require")
		}
	}
}
