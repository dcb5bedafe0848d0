package learn

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// param is one thing that a learner can be told: a number, a word of a few, or a table from features to up or down. Limits are inclusive, but a lowest of a share is exclusive.
type param struct {
	name         string
	words        []word
	byFeature    bool // a table of directions, up or down
	whole        bool // an integer
	value        float64
	low, high    float64
	positive     bool // low itself is not allowed
	about, limit string
}

// word is a value of a parameter that says what is learned, and the tasks that it is for; of those that fit a task the first is the default.
type word struct {
	text  string
	tasks []string
}

// settings are the parameters of one training, defaults filled in.
type settings struct {
	number   map[string]float64
	word     string          // the family or the loss
	monotone map[string]int8 // by feature: 1 up, -1 down
}

// The parameters of the learners. A changed default changes results: raise the algorithm's version with it.
var knownParams = map[string][]param{
	model.KindGLM: {
		{name: "family", words: []word{{familyGaussian, regression}, {familyBinomial, binary}, {familyMultinomial, multiclass}, {model.FamilyPoisson, regression}},
			about: "distribution of the label"},
		{name: "l1", high: math.MaxFloat64, about: "lasso penalty on standardised coefficients: mean loss + l1·Σ|β| + l2/2·Σβ²", limit: "0 or more"},
		{name: "l2", high: math.MaxFloat64, about: "ridge penalty, as in l1's formula", limit: "0 or more"},
		{name: "levels", whole: true, value: 100, low: 1, high: 1000, about: "levels of a category kept; rarer ones share \"other\"", limit: "a whole number of 1 to 1000"},
		{name: "iterations", whole: true, value: 100, low: 1, high: 10_000, about: "Newton steps at most", limit: "a whole number of 1 to 10000"},
	},
	model.KindGBDT: {
		{name: "loss", words: []word{{model.LossSquared, regression}, {model.LossLog, []string{model.TaskBinary, model.TaskMulticlass}}, {model.LossPoisson, regression}},
			about: "what the trees make small"},
		{name: "rounds", whole: true, value: 100, low: 1, high: 10_000, about: "trees", limit: "a whole number of 1 to 10000"},
		{name: "rate", value: 0.1, high: 1, positive: true, about: "learning rate", limit: "a number above 0, at most 1"},
		{name: "leaves", whole: true, value: 31, low: 2, high: 4096, about: "leaves of a tree at most", limit: "a whole number of 2 to 4096"},
		{name: "depth", whole: true, high: 64, about: "depth of a tree at most; 0: no limit", limit: "a whole number of 0 to 64"},
		{name: "min_child", whole: true, value: 20, low: 1, high: math.MaxInt32, about: "rows in a leaf at least", limit: "a whole number of 1 or more"},
		{name: "min_hessian", value: 1e-3, high: math.MaxFloat64, about: "sum of second derivatives in a leaf at least", limit: "0 or more"},
		{name: "l2", high: math.MaxFloat64, about: "penalty on leaf values", limit: "0 or more"},
		{name: "columns", value: 1, high: 1, positive: true, about: "share of the features that a tree may use", limit: "a number above 0, at most 1"},
		{name: "rows", value: 1, high: 1, positive: true, about: "share of the rows that a tree is grown on", limit: "a number above 0, at most 1"},
		{name: "bins", whole: true, value: 255, low: 2, high: 255, about: "steps that a number is cut into at most", limit: "a whole number of 2 to 255"},
		{name: "levels", whole: true, value: 254, low: 1, high: 254, about: "levels of a category kept; rarer ones share \"other\"", limit: "a whole number of 1 to 254"},
		{name: "early_stopping", whole: true, high: 10_000, about: "stop after so many rounds without a better loss on the valid part, and keep the best; 0: never",
			limit: "a whole number of 0 to 10000"},
		{name: "monotone", byFeature: true, about: "which way scores may move as a feature grows, all else equal: monotone = { distance = \"up\" }",
			limit: "a table from features to \"up\" or \"down\""},
	},
}

// ParamTypes gives the type of each parameter that a built-in learner takes, by name: for filters over runs that may not have it yet.
func ParamTypes() map[string]table.Type {
	types := map[string]table.Type{}
	for _, known := range knownParams {
		for _, p := range known {
			switch {
			case len(p.words) > 0:
				types[p.name] = table.String
			case p.whole:
				types[p.name] = table.Int64
			default:
				types[p.name] = table.Float64
			}
		}
	}
	return types
}

var binary, multiclass, regression = []string{model.TaskBinary}, []string{model.TaskMulticlass}, []string{model.TaskRegression}

// The families of glm that follow from the task, as R names them.
const (
	familyGaussian    = "gaussian"
	familyBinomial    = "binomial"
	familyMultinomial = "multinomial"
)

// maxLeaves bounds rounds × leaves × classes, so that the model's file stays below model.MaxBytes.
const maxLeaves = 1_000_000

// CheckParams says what is wrong with the parameters of a learner for a task, in the order of their names; nothing for a command, which has
// its own. An unknown task is not its business: words are then taken for any.
func CheckParams(learner, task string, params map[string]any) []string {
	if learner == "command" {
		return nil
	}
	_, wrong := readParams(learner, task, params)
	return wrong
}

// readParams fills in the defaults.
func readParams(learner, task string, given map[string]any) (s settings, wrong []string) {
	known, ok := knownParams[learner]
	if !ok {
		return s, []string{fmt.Sprintf("unknown learner %q: allowed are %s", learner, problem.And([]string{model.KindGLM, model.KindGBDT}))}
	}
	s.number = map[string]float64{}
	var names []string
	for _, p := range known {
		names = append(names, p.name)
		if p.words != nil {
			s.word = append(p.fitting(task), "")[0]
		} else if !p.byFeature {
			s.number[p.name] = p.value
		}
	}
	var keys []string
	for key := range given {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		at := slices.Index(names, key)
		if at < 0 {
			wrong = append(wrong, unknownParam(learner, key, names))
		} else if said := s.set(&known[at], task, given[key]); said != "" {
			wrong = append(wrong, said)
		}
	}
	if n := s.number["rounds"] * s.number["leaves"]; len(wrong) == 0 && n > maxLeaves {
		wrong = append(wrong, fmt.Sprintf("params.rounds × params.leaves is %.0f; at most %d are allowed", n, maxLeaves))
	}
	return s, wrong
}

// set takes a given value, or says what is wrong with it.
func (s *settings) set(p *param, task string, v any) string {
	if p.byFeature {
		return s.setMonotone(p, v)
	}
	if p.words != nil {
		fitting := p.fitting(task)
		text, _ := v.(string)
		if !slices.Contains(fitting, text) {
			limit := "it must be " + problem.Or(fitting)
			if len(fitting) < len(p.words) {
				limit = "for a " + task + " task " + limit
			}
			return fmt.Sprintf("params.%s (%s) is %v; %s", p.name, p.about, v, limit)
		}
		s.word = text
		return ""
	}
	x, ok := p.read(v)
	if !ok {
		return fmt.Sprintf("params.%s (%s) is %v; it must be %s", p.name, p.about, v, p.limit)
	}
	s.number[p.name] = x
	return ""
}

func (s *settings) setMonotone(p *param, v any) string {
	given, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprintf("params.%s (%s) is %v; it must be %s", p.name, p.about, v, p.limit)
	}
	s.monotone = map[string]int8{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch given[name] {
		case "up":
			s.monotone[name] = 1
		case "down":
			s.monotone[name] = -1
		default:
			return fmt.Sprintf("params.%s.%s is %v; it must be \"up\" or \"down\"", p.name, name, given[name])
		}
	}
	return ""
}

// fitting lists the words for a task, or all when it is none.
func (p *param) fitting(task string) (out []string) {
	unknown := !slices.Contains([]string{model.TaskBinary, model.TaskMulticlass, model.TaskRegression}, task)
	for _, w := range p.words {
		if unknown || slices.Contains(w.tasks, task) {
			out = append(out, w.text)
		}
	}
	return out
}

// elsewhere is what other tools call these parameters.
var elsewhere = map[string]string{
	"n_estimators": "rounds", "num_boost_round": "rounds", "num_round": "rounds", "max_iter": "rounds", "num_iterations": "rounds", "iterations": "rounds", "trees": "rounds",
	"learning_rate": "rate", "eta": "rate", "max_leaves": "leaves", "num_leaves": "leaves", "max_leaf_nodes": "leaves", "max_depth": "depth",
	"min_samples_leaf": "min_child", "min_data_in_leaf": "min_child", "min_child_weight": "min_hessian", "min_sum_hessian_in_leaf": "min_hessian",
	"lambda": "l2", "reg_lambda": "l2", "lambda_l2": "l2", "l2_regularization": "l2", "alpha": "l1", "reg_alpha": "l1",
	"colsample_bytree": "columns", "feature_fraction": "columns", "max_features": "columns", "subsample": "rows", "bagging_fraction": "rows",
	"objective": "loss", "criterion": "loss", "distribution": "family", "link": "family",
	"monotone_constraints": "monotone", "monotonic_cst": "monotone",
	"max_bin": "bins", "max_bins": "bins", "early_stopping_rounds": "early_stopping", "early_stopping_round": "early_stopping",
}

func unknownParam(learner, key string, names []string) string {
	slices.Sort(names)
	near := elsewhere[key]
	if !slices.Contains(names, near) {
		near = problem.Nearest(key, names)
	}
	if near != "" {
		return fmt.Sprintf("%s has no parameter %q; did you mean %q?", learner, key, near)
	}
	return fmt.Sprintf("%s has no parameter %q; it has %s", learner, key, strings.Join(names, ", "))
}

func (p *param) read(v any) (float64, bool) {
	var x float64
	switch v := v.(type) {
	case int64:
		x = float64(v)
	case int:
		x = float64(v)
	case float64:
		x = v
	default:
		return 0, false
	}
	if p.whole && x != math.Trunc(x) || p.positive && x <= p.low {
		return 0, false
	}
	return x, x >= p.low && x <= p.high
}

// Default is the value that a parameter of a learner has when nobody gives it one, as text; "" when it has none.
func Default(learner, name string) string {
	for _, p := range knownParams[learner] {
		if p.name == name && p.words == nil && !p.byFeature {
			return strconv.FormatFloat(p.value, 'g', -1, 64)
		}
	}
	return ""
}

// About lists the parameters of a learner for people, one a line: name and default, what it does, what is allowed.
func About(learner string) string {
	var b strings.Builder
	for _, p := range knownParams[learner] {
		name, limit := p.name, p.limit
		switch {
		case p.words != nil:
			var words []string
			for _, w := range p.words {
				words = append(words, w.text+" ("+problem.Or(w.tasks)+")")
			}
			limit = strings.Join(words, ", ")
		case !p.byFeature:
			name += " = " + strconv.FormatFloat(p.value, 'g', -1, 64)
		}
		fmt.Fprintf(&b, "  %-20s%s; %s\n", name, p.about, limit)
	}
	return b.String()
}
