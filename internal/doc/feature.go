package doc

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Feature is features/<id>.toml: a view that joins values to questions by entity and time.
type Feature struct {
	Head
	Dataset  string                 `toml:"dataset" about:"where its rows come from"`
	Entity   []string               `toml:"entity" about:"the columns that say whose value it is"`
	On       map[string]string      `toml:"on" about:"entity column = column of the asking row, where the names differ"`
	Features map[string]FeatureItem `toml:"feature"`
	Order    []string               `toml:"-"`
}

// FeatureItem is one feature: an aggregate over a window (Agg, Window), or a query (SQL, TTL).
type FeatureItem struct {
	Agg         string `toml:"agg" about:"avg, sum, min, max, stddev or count of an expression, over rows known in the window before the question"`
	Window      string `toml:"window" about:"a duration: how far an aggregate looks back"`
	SQL         string `toml:"sql" about:"a query that yields the entity, feature_time and the value"`
	TTL         string `toml:"ttl" about:"a duration: how old a value may be"`
	Description string `toml:"description" about:"what it means"`
}

// Asks gives the asking row's column that stands for an entity of the view.
func (f *Feature) Asks(entity string) string {
	if column, ok := f.On[entity]; ok {
		return column
	}
	return entity
}

// aggregates are the functions that an agg feature may use; count alone may stand without an expression.
var aggregates = []string{"avg", "count", "max", "min", "stddev", "sum"}

var (
	aggPattern  = regexp.MustCompile(`(?s)^\s*([a-z_]+)\s*\((.*)\)\s*$`)
	itemPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// Aggregate takes an agg feature apart: the function and the expression that it is over, "" for a plain count.
func Aggregate(agg string) (function, argument string, err error) {
	function, argument, _, err = aggregate(agg)
	return function, argument, err
}

// aggregate also says where the expression starts.
func aggregate(agg string) (function, argument string, offset int, err error) {
	m := aggPattern.FindStringSubmatchIndex(agg)
	if m == nil {
		return "", "", 0, fmt.Errorf("%q is no aggregate: write function(expression), as avg(delay)", agg)
	}
	function, argument = agg[m[2]:m[3]], agg[m[4]:m[5]]
	if !slices.Contains(aggregates, function) {
		return "", "", 0, fmt.Errorf("unknown aggregate %q: there is %s", function, problem.Or(aggregates))
	}
	if strings.TrimSpace(argument) == "" && function != "count" {
		return "", "", 0, fmt.Errorf("%s needs an expression: %s(column)", function, function)
	}
	return function, strings.TrimSpace(argument), m[4] + len(argument) - len(strings.TrimLeft(argument, " \t\r\n")), nil
}

func (f *Feature) check(c checker) {
	c.required("dataset")
	if c.required("entity") && len(f.Entity) == 0 {
		c.at("missing", "entity").errorf("entity is empty: a feature is of somebody or something")
	}
	if c.required("feature") && len(f.Features) == 0 && len(c.pos.Keys("feature")) == 0 {
		c.at("missing", "feature").errorf("the view has no feature")
	}
	for _, from := range sortedKeys(f.On) {
		if !slices.Contains(f.Entity, from) {
			c.atKey("reference", "on", from).errorf("%q is no entity of this view", from).nearest(from, f.Entity)
		}
	}
	for _, name := range f.Order {
		f.checkItem(c, name)
	}
}

func (f *Feature) checkItem(c checker, name string) {
	item := f.Features[name]
	key := func(k string) []string { return []string{"feature", name, k} }
	if !itemPattern.MatchString(name) || strings.Contains(name, "__") {
		c.atKey("id", "feature", name).errorf("%q is not a feature's name: small letters, digits and single underscores, a letter first", name)
	}
	agg, sql := c.has(key("agg")...), c.has(key("sql")...)
	switch {
	case agg && sql:
		c.atKey("feature", key("sql")...).errorf("feature %s has both agg and sql", name).hint("keep one")
	case agg:
		if c.required(key("window")...) {
			c.duration(item.Window, key("window")...)
		}
		c.notBeside(key("ttl"), "agg", "window")
	case sql:
		c.notBeside(key("window"), "sql", "ttl")
		if c.has(key("ttl")...) {
			c.duration(item.TTL, key("ttl")...)
		}
	default:
		c.atKey("missing", "feature", name).errorf("feature %s has neither agg nor sql", name)
	}
}

// notBeside reports a key that has no meaning next to another.
func (c checker) notBeside(key []string, beside, instead string) {
	if c.has(key...) {
		c.atKey("feature", key...).errorf("%s has no meaning beside %s", key[len(key)-1], beside).hint("use %s", instead)
	}
}

// crossFeature checks a view against its dataset.
func (l *loader) crossFeature(f *Feature, c checker) {
	ds := l.set.Datasets[f.Dataset]
	if ds == nil {
		l.reference(c, "datasets", f.Dataset, "dataset")
		return
	}
	lock := l.lock(f.Dataset)
	if lock == nil {
		return
	}
	env := Environment(lock, ds)
	for i, name := range f.Entity {
		c.column(name, lock.names(), "entity", itoa(i))
	}
	for _, name := range f.Order {
		item := f.Features[name]
		switch {
		case item.Agg != "":
			l.crossAggregate(f, c, name, env)
		case item.SQL != "":
			f.crossQuery(c, name, ds)
		}
	}
}

func (l *loader) crossAggregate(f *Feature, c checker, name string, env rule.Env) {
	key := []string{"feature", name, "agg"}
	if l.set.Datasets[f.Dataset].Time.Event == "" {
		c.at("feature", key...).errorf("an aggregate needs to know when things happened; dataset %s has no [time] event", f.Dataset).
			hint("add [time] event to datasets/%s.toml", f.Dataset)
	}
	function, argument, offset, err := aggregate(f.Features[name].Agg)
	if err != nil {
		c.at("expression", key...).errorf("%v", err)
		return
	}
	if argument == "" {
		return
	}
	e, ok := c.shifted(argument, offset, env, key...)
	if ok && !numeric(e.Type()) && e.Type() != table.Bool && function != "count" {
		c.at("expression", key...).errorf("%s is over numbers; this is %s", function, typeName(e.Type()))
	}
}

// shifted parses an expression that stands at an offset inside a value.
func (c checker) shifted(src string, offset int, env rule.Env, key ...string) (rule.Expr, bool) {
	padded := strings.Repeat(" ", offset) + src
	return c.expression(padded, env, key...)
}

// crossQuery looks for late columns by their names: a query is not taken apart here, and asking for known_time once too often does no harm.
func (f *Feature) crossQuery(c checker, name string, ds *Dataset) {
	if late := f.Features[name].reads(ds.Late()); late != "" {
		c.at("late", "feature", name, "sql").errorf("the query reads %s, which is late, and does not yield known_time", late).
			hint("select the time at which %s is known as known_time; `plumb features check` proves that it is", late)
	}
}

// reference reports a name of another document that does not exist. One that exists and could not be read has been reported already.
func (l *loader) reference(c checker, dir, name string, key ...string) {
	if name == "" || l.known[dir+"/"+name+".toml"] {
		return
	}
	var kind string
	var known []string
	switch dir {
	case "datasets":
		kind, known = "dataset", sortedKeys(l.set.Datasets)
	case "features":
		kind, known = "feature view", sortedKeys(l.set.Features)
	case "models":
		kind, known = "model", sortedKeys(l.set.Models)
	default:
		kind, known = "experiment", sortedKeys(l.set.Experiments)
	}
	c.at("reference", key...).errorf("there is no %s %q", kind, name).nearest(name, known)
}
