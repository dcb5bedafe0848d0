package doc

import (
	"regexp"
	"slices"

	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Design is design.toml, the design card: what the model is for, what a right and a wrong answer are worth, and what is not allowed.
type Design struct {
	Head
	Problem      string                 `toml:"problem" about:"what hurts, in a sentence"`
	Vision       string                 `toml:"vision" about:"what will be different"`
	Value        Value                  `toml:"value"`
	MetricByRole map[string]string      `toml:"metric_by_role" about:"which number each role looks at first"`
	Requirement  map[string]Requirement `toml:"requirement"`
	Constraint   map[string]Constraint  `toml:"constraint"`
	Budget       Budget                 `toml:"budget"`
	Consumer     map[string]Consumer    `toml:"consumer"`
}

// Value is the worth of a case: Case and Hours hold an expression each for tp, fp, fn and tn over the names in Assume.
// A value is signed: what is gained is positive.
type Value struct {
	Currency   string                `toml:"currency" about:"as \"USD\""`
	Period     string                `toml:"period" enum:"day|week|month|quarter|year" about:"what population counts in"`
	Population float64               `toml:"population" about:"cases a period"`
	Case       map[string]string     `toml:"case" about:"signed money per case: expressions for tp, fp, fn, tn over the names in assume"`
	Hours      map[string]string     `toml:"hours" about:"signed hours per case, likewise"`
	Assume     map[string]Assumption `toml:"assume"`
	Scenario   map[string]Scenario   `toml:"scenario"`
}

// Scenario is an answer that somebody assumes instead of measuring it: what it would be worth is worked out beside what the champion's answers are.
type Scenario struct {
	About     string   `toml:"about" about:"whose figure it is"`
	Flagged   *float64 `toml:"flagged" about:"cases a period that are warned of"`
	Precision *float64 `toml:"precision" about:"share of these that are right"`
	Positives *float64 `toml:"positives" about:"cases a period that there are to be found"`
	Accuracy  *float64 `toml:"accuracy" about:"share of all cases answered rightly; does not fix a value, the range it allows is shown"`
	Claim     *float64 `toml:"claim" about:"a figure that somebody names for it"`
}

// Assumption is a number that nobody measured, or the range it lies in.
type Assumption struct {
	Mode   float64  `toml:"mode" about:"the likeliest value"`
	Low    *float64 `toml:"low" about:"the lowest that is plausible"`
	High   *float64 `toml:"high" about:"the highest that is plausible"`
	Source string   `toml:"source" about:"guess, contract or measured:RUN"`
}

// Requirement bounds a number of every model's champion: an operations metric, or a metric of its task.
type Requirement struct {
	Metric  string   `toml:"metric" about:"its name"`
	AtMost  *float64 `toml:"at_most" about:"the most that is fine"`
	AtLeast *float64 `toml:"at_least" about:"the least that is fine"`
}

// Constraint forbids features.
type Constraint struct {
	ForbidFeatures []string `toml:"forbid_features" about:"columns that no feature may be or be made of"`
}

// Budget bounds the project.
type Budget struct {
	Money float64 `toml:"money" about:"in the currency of value"`
	Team  int     `toml:"team" about:"people"`
}

// Consumer is who uses the model's answers.
type Consumer struct {
	Contact string `toml:"contact" about:"who to ask"`
}

// outcomes are the cells of the confusion matrix.
var outcomes = []string{"tp", "fp", "fn", "tn"}

var measured = regexp.MustCompile(`^(guess|contract|measured:\S+)$`)

func (d *Design) check(c checker) {
	c.notNegative(d.Value.Population, "value", "population")
	c.notNegative(d.Budget.Money, "budget", "money")
	c.notNegative(float64(d.Budget.Team), "budget", "team")
	env := d.AssumptionEnv()
	for table, cells := range map[string]map[string]string{"case": d.Value.Case, "hours": d.Value.Hours} {
		for _, cell := range sortedKeys(cells) {
			if !c.oneOf(cell, outcomes, "value", table, cell) {
				continue
			}
			c.number(cells[cell], env, "value", table, cell)
		}
	}
	if len(d.Value.Case) > 0 {
		c.required("value", "currency")
		c.required("value", "period")
		if c.required("value", "population") && d.Value.Population == 0 {
			c.at("range", "value", "population").errorf("population must be above 0: how many cases there are a period")
		}
	}
	for _, name := range sortedKeys(d.Value.Assume) {
		d.Value.Assume[name].check(c, name)
	}
	for _, name := range sortedKeys(d.Value.Scenario) {
		d.Value.Scenario[name].check(c, name)
	}
	for _, name := range sortedKeys(d.Requirement) {
		d.Requirement[name].check(c, name)
	}
	for _, role := range sortedKeys(d.MetricByRole) {
		if m := d.MetricByRole[role]; !knownMetric(m) {
			c.at("metric", "metric_by_role", role).errorf("unknown metric %q", m).nearest(m, metricNames())
		}
	}
}

func (a Assumption) check(c checker, name string) {
	c.required("value", "assume", name, "mode")
	if a.Source != "" && !measured.MatchString(a.Source) {
		c.at("choice", "value", "assume", name, "source").errorf("source can't be %q: it is guess, contract or measured:RUN", a.Source)
	}
	low, high := a.Mode, a.Mode
	if a.Low != nil {
		low = *a.Low
	}
	if a.High != nil {
		high = *a.High
	}
	if low > a.Mode || a.Mode > high {
		c.at("range", "value", "assume", name).errorf("%s must have low ≤ mode ≤ high, not %v, %v, %v", name, low, a.Mode, high)
	}
}

func (s Scenario) check(c checker, name string) {
	if s.Accuracy == nil && (s.Flagged == nil || s.Precision == nil) {
		c.at("missing", "value", "scenario", name).errorf("scenario %s says neither flagged and precision, nor accuracy", name)
	}
	if s.Accuracy != nil {
		for key, given := range map[string]*float64{"precision": s.Precision, "positives": s.Positives, "claim": s.Claim} {
			if given != nil {
				c.at("choice", "value", "scenario", name, key).errorf("an accuracy leaves a range of values, and says nothing beside %s", key).hint("leave %s out, or accuracy", key)
			}
		}
	}
	for key, share := range map[string]*float64{"precision": s.Precision, "accuracy": s.Accuracy} {
		if share != nil && !(*share >= 0 && *share <= 1) {
			c.at("range", "value", "scenario", name, key).errorf("%s must be a share from 0 to 1, not %v", key, *share)
		}
	}
	for key, n := range map[string]*float64{"flagged": s.Flagged, "positives": s.Positives} {
		if n != nil {
			c.notNegative(*n, "value", "scenario", name, key)
		}
	}
}

func (r Requirement) check(c checker, name string) {
	if names := slices.Concat(metric.Operations, metricNames()); c.required("requirement", name, "metric") && !slices.Contains(names, r.Metric) {
		c.at("metric", "requirement", name, "metric").errorf("unknown metric %q", r.Metric).nearest(r.Metric, names)
	}
	if r.AtMost == nil && r.AtLeast == nil && !c.has("requirement", name, "at_most") && !c.has("requirement", name, "at_least") {
		c.at("missing", "requirement", name).errorf("requirement %s says neither at_most nor at_least", name)
	}
}

func knownMetric(name string) bool {
	_, ok := metric.Lookup(name)
	return ok
}

func metricNames() []string {
	var out []string
	for _, task := range Tasks {
		out = append(out, metric.For(task)...)
	}
	return out
}

// AssumptionEnv gives the names that the worth of a case may use: the assumptions, each a number.
func (d *Design) AssumptionEnv() rule.Env {
	env := rule.Env{Columns: map[string]table.Type{}}
	for name := range d.Value.Assume {
		env.Columns[name] = table.Float64
	}
	return env
}
