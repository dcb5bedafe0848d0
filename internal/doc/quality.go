package doc

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Check is one data-quality rule. Kind is a Great Expectations name, or plumb's own newest_event_within; the other fields are that kind's parameters, spelled as
// Great Expectations spells them.
type Check struct {
	ID        string   `toml:"-"`
	Kind      string   `toml:"kind" about:"what is checked; a Great Expectations name or newest_event_within"`
	Column    string   `toml:"column" about:"the column that it is about"`
	ColumnA   string   `toml:"column_A" about:"pairs: the column that must be greater"`
	ColumnB   string   `toml:"column_B" about:"pairs: the other one"`
	Columns   []string `toml:"column_list" about:"compound keys: the columns together; for a pair plumb fills in both"`
	OrEqual   bool     `toml:"or_equal" about:"pairs: equal is fine too"`
	MinValue  any      `toml:"min_value" about:"the least that is fine"`
	MaxValue  any      `toml:"max_value" about:"the most that is fine"`
	StrictMin bool     `toml:"strict_min" about:"min_value itself is not fine"`
	StrictMax bool     `toml:"strict_max" about:"max_value itself is not fine"`
	Value     any      `toml:"value" about:"newest_event_within: a duration"`
	ValueSet  []any    `toml:"value_set" about:"the values that are fine"`
	Regex     string   `toml:"regex" about:"an RE2 pattern, found anywhere in the text"`
	Type      string   `toml:"type_" about:"a column type"`
	Mostly    *float64 `toml:"mostly" about:"the share of rows that must pass; 1 when absent"`
	Dimension string   `toml:"dimension" enum:"accuracy|completeness|consistency|timeliness" about:"what it speaks for; by kind when absent"`
	Level     string   `toml:"level" enum:"critical|warning|info" default:"warning" about:"critical stops a merge"`
}

// CheckKind is what one kind of check takes.
type CheckKind struct {
	Name      string
	Dimension string   // when the document does not say
	Needs     []string // parameters without which it means nothing
	Takes     []string // further ones
	Numbers   bool     // its column holds numbers, or times for min_value and max_value
	Text      bool     // its column holds text
}

var bounds = []string{"min_value", "max_value", "strict_min", "strict_max"}

// CheckKinds are the kinds that this plumb knows.
var CheckKinds = []CheckKind{
	{Name: "expect_column_values_to_be_between", Dimension: "accuracy", Needs: []string{"column"}, Takes: with(bounds, "mostly")},
	{Name: "expect_column_values_to_not_be_null", Dimension: "completeness", Needs: []string{"column"}, Takes: []string{"mostly"}},
	{Name: "expect_column_values_to_be_unique", Dimension: "consistency", Needs: []string{"column"}, Takes: []string{"mostly"}},
	{Name: "expect_column_values_to_be_in_set", Dimension: "accuracy", Needs: []string{"column", "value_set"}, Takes: []string{"mostly"}},
	{Name: "expect_column_values_to_match_regex", Dimension: "accuracy", Needs: []string{"column", "regex"}, Takes: []string{"mostly"}, Text: true},
	{Name: "expect_column_values_to_be_of_type", Dimension: "consistency", Needs: []string{"column", "type_"}, Takes: []string{"mostly"}},
	{Name: "expect_column_to_exist", Dimension: "completeness", Needs: []string{"column"}},
	{Name: "expect_table_row_count_to_be_between", Dimension: "completeness", Takes: bounds},
	{Name: "expect_compound_columns_to_be_unique", Dimension: "consistency", Needs: []string{"column_list"}, Takes: []string{"mostly"}},
	{Name: "expect_column_pair_values_a_to_be_greater_than_b", Dimension: "consistency", Needs: []string{"column_A", "column_B"}, Takes: []string{"or_equal", "mostly"}},
	{Name: "expect_column_value_lengths_to_be_between", Dimension: "accuracy", Needs: []string{"column"}, Takes: with(bounds, "mostly"), Text: true},
	{Name: "expect_column_mean_to_be_between", Dimension: "accuracy", Needs: []string{"column"}, Takes: bounds, Numbers: true},
	{Name: "newest_event_within", Dimension: "timeliness", Needs: []string{"value"}, Takes: []string{"column"}},
}

func with(list []string, more ...string) []string { return append(slices.Clone(list), more...) }

// KindOfCheck finds a kind by name.
func KindOfCheck(name string) (CheckKind, bool) {
	i := slices.IndexFunc(CheckKinds, func(k CheckKind) bool { return k.Name == name })
	if i < 0 {
		return CheckKind{}, false
	}
	return CheckKinds[i], true
}

// complete fills in what follows from the kind.
func (k Check) complete(id string) Check {
	k.ID = id
	kind, known := KindOfCheck(k.Kind)
	if known && k.Dimension == "" {
		k.Dimension = kind.Dimension
	}
	if k.ColumnA != "" && k.ColumnB != "" && len(k.Columns) == 0 {
		k.Columns = []string{k.ColumnA, k.ColumnB}
	}
	return k
}

// everyCheck are the keys that all kinds have.
var everyCheck = []string{"kind", "dimension", "level"}

func (k Check) check(c checker) {
	if !ValidID(k.ID) {
		c.atKey("id", "check", k.ID).errorf("%q is not a name: %s", k.ID, idRule)
	}
	if !c.required("check", k.ID, "kind") {
		return
	}
	kind, ok := KindOfCheck(k.Kind)
	if !ok {
		k.unknownKind(c)
		return
	}
	for _, need := range kind.Needs {
		c.required("check", k.ID, need)
	}
	takes := slices.Concat(kind.Needs, kind.Takes)
	for _, key := range c.pos.Keys("check", k.ID) {
		if known := slices.Contains(checkKeys, key); known && !slices.Contains(takes, key) && !slices.Contains(everyCheck, key) {
			c.atKey("check", "check", k.ID, key).errorf("%s does not take %s", kind.Name, key).hint("it takes %s", problem.And(takes))
		}
	}
	k.parameters(c, takes)
}

func (k Check) unknownKind(c checker) {
	names := make([]string, len(CheckKinds))
	for i, kind := range CheckKinds {
		names[i] = kind.Name
	}
	s := c.at("check", "check", k.ID, "kind").errorf("unknown check %q", k.Kind)
	if near := problem.Nearest(k.Kind, names); near != "" {
		s.hint("did you mean %q?", near)
		return
	}
	s.hint("there is %s", strings.Join(names, ", "))
}

// checkKeys are all keys of a check.
var checkKeys = keysOf(Check{})

func (k Check) parameters(c checker, takes []string) {
	key := func(name string) []string { return []string{"check", k.ID, name} }
	if k.Mostly != nil && (*k.Mostly < 0 || *k.Mostly > 1) {
		c.at("range", key("mostly")...).errorf("mostly is a share from 0 to 1, not %v", *k.Mostly)
	}
	if slices.Contains(takes, "min_value") {
		k.bounds(c)
	}
	if k.Regex != "" {
		if _, err := regexp.Compile(k.Regex); err != nil {
			c.at("check", key("regex")...).errorf("%v", err)
		}
	}
	if k.Type != "" && !slices.Contains(columnTypes, k.Type) {
		c.at("choice", key("type_")...).errorf("%q is no column type", k.Type).nearest(k.Type, columnTypes)
	}
	if c.has(key("value_set")...) && len(k.ValueSet) == 0 {
		c.at("check", key("value_set")...).errorf("value_set is empty: no value could pass")
	}
	if c.has(key("column_list")...) && len(k.Columns) < 2 {
		c.at("check", key("column_list")...).errorf("column_list needs two columns or more").hint("for one column there is expect_column_values_to_be_unique")
	}
	if k.Kind == "newest_event_within" && c.has(key("value")...) {
		text, _ := k.Value.(string)
		c.duration(text, key("value")...)
	}
}

func (k Check) bounds(c checker) {
	if !c.has("check", k.ID, "min_value") && !c.has("check", k.ID, "max_value") {
		c.atKey("missing", "check", k.ID, "kind").errorf("check %s has neither min_value nor max_value", k.ID)
		return
	}
	low, lowOK := ordinal(k.MinValue)
	high, highOK := ordinal(k.MaxValue)
	for name, v := range map[string]any{"min_value": k.MinValue, "max_value": k.MaxValue} {
		if _, ok := ordinal(v); v != nil && !ok {
			c.at("type", "check", k.ID, name).errorf("%s must be a number or a time", name)
		}
	}
	if lowOK && highOK && low > high {
		c.at("range", "check", k.ID, "min_value").errorf("min_value %v is above max_value %v", k.MinValue, k.MaxValue)
	}
	if whole := strings.Contains(k.Kind, "lengths") || strings.Contains(k.Kind, "row_count"); whole && (low != float64(int64(low)) || high != float64(int64(high))) {
		c.at("type", "check", k.ID).errorf("%s counts: its bounds are whole numbers", k.Kind)
	}
}

// ordinal gives a bound as a number to compare with: times in seconds.
func ordinal(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case time.Time:
		return float64(v.Unix()), true
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return float64(t.Unix()), true
		}
		t, err := time.Parse(time.DateOnly, v)
		return float64(t.Unix()), err == nil
	}
	return 0, false
}

// cross checks the columns that the check names against the pinned ones.
func (k Check) cross(c checker, env rule.Env, names []string) {
	kind, ok := KindOfCheck(k.Kind)
	if !ok || kind.Name == "expect_column_to_exist" {
		return
	}
	if k.Column != "" && c.column(k.Column, names, "check", k.ID, "column") {
		k.crossType(c, kind, env.Columns[k.Column])
	}
	if k.ColumnA != "" || k.ColumnB != "" {
		c.column(k.ColumnA, names, "check", k.ID, "column_A")
		c.column(k.ColumnB, names, "check", k.ID, "column_B")
		return
	}
	for i, name := range k.Columns {
		c.column(name, names, "check", k.ID, "column_list", itoa(i))
	}
}

func (k Check) crossType(c checker, kind CheckKind, t table.Type) {
	s := func() spot { return c.at("check", "check", k.ID, "column") }
	_, isTime := k.MinValue.(time.Time)
	_, alsoTime := k.MaxValue.(time.Time)
	switch {
	case kind.Text && t != table.String:
		s().errorf("%s is about text; column %s is %s", kind.Name, k.Column, typeName(t))
	case kind.Numbers && !numeric(t):
		s().errorf("%s is about numbers; column %s is %s", kind.Name, k.Column, typeName(t))
	case kind.Name == "newest_event_within" && !temporal(t):
		s().errorf("%s is about times; column %s is %s", kind.Name, k.Column, typeName(t))
	case kind.Name != "expect_column_values_to_be_between":
	case !numeric(t) && !temporal(t):
		s().errorf("%s is about numbers and times; column %s is %s", kind.Name, k.Column, typeName(t))
	case (isTime || alsoTime) && !temporal(t):
		s().errorf("the bounds are times; column %s is %s", k.Column, typeName(t))
	}
}
