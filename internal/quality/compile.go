package quality

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// ask is one check made ready: what to count, or why it can't be asked.
type ask struct {
	index   int
	check   doc.Check
	problem string // why it can't be asked; then nothing else is set
	public  bool   // unexpected values may be shown

	seen      string   // SQL aggregate: the rows that the check is about
	seenAlias string   // shared by checks about the same rows
	bad       string   // SQL condition of an unexpected row, never null
	keys      []string // instead of bad: the columns whose values must differ between rows
	aggregate string   // instead of both: one number of the whole table

	value  string     // SQL of what is shown of an unexpected row
	type_  table.Type // of the column
	exists bool       // expect_column_to_exist: the column does
	expect string     // in words, after "are not"
}

func (a ask) alias(kind string) string { return kind + "_" + strconv.Itoa(a.index) }

// compiler makes checks ready for one dataset.
type compiler struct {
	ds    *doc.Dataset
	types map[string]table.Type
	order map[string]int
}

// compileAll gives the asks in the document's order.
func compileAll(ds *doc.Dataset, lock *doc.Lock) []ask {
	c := compiler{ds: ds, types: map[string]table.Type{}, order: map[string]int{}}
	for i, col := range lock.Columns {
		c.types[col.Name], c.order[col.Name] = table.Type(col.Type), i
	}
	out := make([]ask, 0, len(ds.Order))
	for i, id := range ds.Order {
		k := ds.Checks[id]
		k.ID = id
		if kind, ok := doc.KindOfCheck(k.Kind); ok && k.Dimension == "" {
			k.Dimension = kind.Dimension
		}
		if k.Level == "" {
			k.Level = record.LevelWarning
		}
		if k.Kind == "newest_event_within" && k.Column == "" {
			k.Column = ds.Time.Event
		}
		if len(k.Columns) == 0 && k.ColumnA != "" {
			k.Columns = []string{k.ColumnA, k.ColumnB}
		}
		out = append(out, c.compile(i, k))
	}
	return out
}

func (c *compiler) compile(index int, k doc.Check) ask {
	a := ask{index: index, check: k}
	if err := c.fill(&a); err != nil {
		return ask{index: index, check: k, problem: err.Error()}
	}
	return a
}

// fill sets what a's kind needs.
func (c *compiler) fill(a *ask) error {
	switch a.check.Kind {
	case "expect_column_to_exist":
		_, a.exists = c.types[a.check.Column]
		return nil
	case "expect_table_row_count_to_be_between":
		return nil
	case "expect_compound_columns_to_be_unique":
		return c.compound(a)
	case "expect_column_pair_values_a_to_be_greater_than_b":
		return c.pair(a)
	}
	t, ok := c.types[a.check.Column]
	if !ok {
		return c.missing(a.check.Column)
	}
	a.type_ = t
	name := ident(a.check.Column)
	a.seen, a.seenAlias = "count("+name+")", "n_"+strconv.Itoa(c.order[a.check.Column])
	a.value, a.public = name, c.ds.Columns[a.check.Column].Public
	switch a.check.Kind {
	case "expect_column_values_to_not_be_null":
		a.seen, a.seenAlias, a.bad, a.expect, a.public = "count(*)", "n_rows", name+" is null", "there", false
		return nil
	case "expect_column_values_to_be_unique":
		a.keys, a.expect = []string{a.check.Column}, "unique"
		return nil
	case "expect_column_values_to_be_in_set":
		return a.inSet(name)
	case "expect_column_values_to_match_regex":
		return a.matchRegex(name)
	case "expect_column_values_to_be_of_type":
		return nil
	case "expect_column_values_to_be_between":
		return a.between(name, t, noNaN(name, t))
	case "expect_column_value_lengths_to_be_between":
		if t != table.String {
			return fmt.Errorf("column %q is %s; only text has a length", a.check.Column, t)
		}
		return a.between("length("+name+")", table.Int64, "")
	case "expect_column_mean_to_be_between":
		return a.mean(name, t)
	case "newest_event_within":
		return a.newest(name, t)
	}
	return fmt.Errorf("the kind %q is not known", a.check.Kind)
}

func (c *compiler) missing(column string) error {
	if column == "" {
		return fmt.Errorf("it names no column")
	}
	return fmt.Errorf("there is no column %q", column)
}

func noNaN(name string, t table.Type) string {
	if t == table.Float64 {
		return " and not isnan(" + name + ")"
	}
	return ""
}

// between compares x, an SQL value of type t, with the bounds; more is a further condition. NaN, which engines order above all numbers, is
// never between.
func (a *ask) between(x string, t table.Type, more string) error {
	var parts []string
	for _, b := range limits(a.check) {
		value, err := literal(b.value, t)
		if err != nil {
			return fmt.Errorf("%s %w", b.name, err)
		}
		parts = append(parts, x+" "+b.operator+" "+value)
	}
	if len(parts) == 0 {
		return fmt.Errorf("it has neither min_value nor max_value")
	}
	a.bad = unless(strings.Join(parts, " and ")+more, a.value)
	a.expect = rangeWords(a.check)
	return nil
}

// unless is the condition of a row that has a value and does not meet good.
func unless(good, value string) string { return "(" + value + " is not null and not (" + good + "))" }

func (a *ask) inSet(name string) error {
	var values []string
	for _, v := range a.check.ValueSet {
		// A value of another type can't be in the column; it is no error, as in Great Expectations.
		if text, err := literal(v, a.type_); err == nil {
			values = append(values, text)
		}
	}
	good := "false"
	if len(values) > 0 {
		good = name + " in (" + strings.Join(values, ", ") + ")"
	}
	a.bad = unless(good, name)
	a.expect = fmt.Sprintf("in the set of %d", len(a.check.ValueSet))
	return nil
}

func (a *ask) matchRegex(name string) error {
	if a.type_ != table.String {
		return fmt.Errorf("column %q is %s; a pattern is about text", a.check.Column, a.type_)
	}
	if _, err := regexp.Compile(a.check.Regex); err != nil || a.check.Regex == "" {
		return fmt.Errorf("the regex %q is not valid", a.check.Regex)
	}
	a.bad = unless("regexp_matches("+name+", "+quote(a.check.Regex)+")", name)
	a.expect = "like the pattern " + a.check.Regex
	return nil
}

func (a *ask) mean(name string, t table.Type) error {
	switch t {
	case table.Int64, table.Float64:
		a.aggregate = "avg(" + name + ")"
	case table.Decimal:
		a.aggregate = "avg(cast(" + name + " as double))"
	case table.Bool:
		a.aggregate = "avg(cast(" + name + " as bigint))"
	default:
		return fmt.Errorf("column %q is %s; only numbers have a mean", a.check.Column, t)
	}
	for _, b := range limits(a.check) {
		if _, ok := number(b.value); !ok {
			return fmt.Errorf("%s must be a number", b.name)
		}
	}
	return nil
}

func (a *ask) newest(name string, t table.Type) error {
	if t != table.Timestamp && t != table.Date {
		return fmt.Errorf("column %q is %s, not a time", a.check.Column, t)
	}
	if _, err := duration(a.check.Value); err != nil {
		return err
	}
	a.aggregate = "max(case when isfinite(" + name + ") then " + name + " end)"
	return nil
}

func (c *compiler) compound(a *ask) error {
	if len(a.check.Columns) == 0 {
		return c.missing("")
	}
	names := make([]string, len(a.check.Columns))
	fields := make([]string, len(a.check.Columns))
	a.public = true
	for i, column := range a.check.Columns {
		if _, ok := c.types[column]; !ok {
			return c.missing(column)
		}
		names[i] = ident(column)
		fields[i] = quote(column) + ", " + names[i]
		a.public = a.public && c.ds.Columns[column].Public
	}
	a.keys, a.expect = a.check.Columns, "unique"
	// A row counts unless all of its values are missing.
	a.seen, a.seenAlias = "count(case when "+notNull(names)+" then 1 end)", a.alias("s")
	a.value = "json_object(" + strings.Join(fields, ", ") + ")"
	return nil
}

func notNull(names []string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = n + " is not null"
	}
	return strings.Join(parts, " or ")
}

// pair leaves out rows where both values are missing; where one is, a is not greater than b.
func (c *compiler) pair(a *ask) error {
	if len(a.check.Columns) != 2 {
		return fmt.Errorf("it needs two columns")
	}
	one, other := a.check.Columns[0], a.check.Columns[1]
	for _, column := range a.check.Columns {
		if _, ok := c.types[column]; !ok {
			return c.missing(column)
		}
	}
	if !alike(c.types[one], c.types[other]) {
		return fmt.Errorf("column %q is %s and column %q is %s; they can't be compared", one, c.types[one], other, c.types[other])
	}
	operator := " > "
	a.expect = "greater in " + one + " than in " + other
	if a.check.OrEqual {
		operator, a.expect = " >= ", "at least as great in "+one+" as in "+other
	}
	x, y := ident(one), ident(other)
	both := notNull([]string{x, y})
	a.seen, a.seenAlias = "count(case when "+both+" then 1 end)", a.alias("s")
	good := x + operator + y + noNaN(x, c.types[one]) + noNaN(y, c.types[other])
	a.bad = "((" + both + ") and not coalesce(" + good + ", false))"
	a.value = "json_array(" + x + ", " + y + ")"
	a.public = c.ds.Columns[one].Public && c.ds.Columns[other].Public
	return nil
}

func alike(a, b table.Type) bool {
	numbers := []table.Type{table.Int64, table.Float64, table.Decimal}
	times := []table.Type{table.Date, table.Timestamp}
	return a == b || slices.Contains(numbers, a) && slices.Contains(numbers, b) || slices.Contains(times, a) && slices.Contains(times, b)
}

// duplicates asks for the rows whose keys another row has too. Missing values are alike; rows without any value are left out.
func (a ask) duplicates(relation string) string {
	names, same := make([]string, len(a.keys)), make([]string, len(a.keys))
	for i, key := range a.keys {
		names[i] = ident(key)
		same[i] = "twice." + names[i] + " is not distinct from r." + names[i]
	}
	keys := strings.Join(names, ", ")
	values := ""
	if a.public {
		values = ", " + firstValues(a.value, "row_id") + " as " + a.alias("v")
	}
	return fmt.Sprintf("with twice as (select %s from %s as r where %s group by %s having count(*) > 1) select count(*) as %s, %s as %s%s from %s as r where exists (select 1 from twice where %s)",
		keys, relation, notNull(names), keys, a.alias("b"), firstRows("row_id"), a.alias("i"), values, relation, strings.Join(same, " and "))
}
