package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// guess finds out from the data what init does not ask: the task, the label as an expression, the event time, the features.
type guess struct {
	ctx      context.Context
	db       *engine.DB
	lock     *doc.Lock
	relation string
	options  InitOptions
	rows     int64

	labelName, label, task string
	event                  string
	test, valid            int // days
	features               []string
	row                    map[string]string // row features
	found                  []string
}

// What init takes for what.
const (
	mostCategories  = 1000 // a text column with more values names rows rather than describes them
	fewestTimeDays  = 30   // fewer days than this give no test part in time
	shareOfTestDays = 0.2
)

func (g *guess) all() error {
	if err := g.findLabel(); err != nil {
		return err
	}
	if err := g.findTime(); err != nil {
		return err
	}
	return g.findFeatures()
}

// findLabel reads --label as a column, else as an expression, and finds the task from its values.
func (g *guess) findLabel() error {
	g.labelName = g.options.Label
	column := g.column(g.options.Label)
	if column == nil {
		return g.labelExpression()
	}
	name := rule.Name(column.Name)
	values, err := g.strings(fmt.Sprintf("select cast(%[1]s as varchar) as v from (%[2]s) as d where %[1]s is not null group by 1 order by count(*), 1 limit 3",
		engine.Ident(column.Name), g.relation))
	if err != nil {
		return fmt.Errorf("reading the label: %w", err)
	}
	switch {
	case len(values) < 2:
		return problem.Wrongf("choose another column", "column %q has %d different values, so there is nothing to predict", column.Name, len(values))
	case column.Type == "bool":
		g.task, g.label = "binary", name
	case len(values) == 2 && column.Type == "string":
		g.task, g.label = "binary", fmt.Sprintf("%s == %s", name, rule.Literal(positive(values)))
	case len(values) == 2 && (column.Type == "int64" || column.Type == "float64"):
		larger := values[0]
		if number(values[1]) > number(larger) {
			larger = values[1]
		}
		g.task, g.label = "binary", fmt.Sprintf("%s == %s", name, larger)
	case column.Type == "int64" || column.Type == "float64" || column.Type == "decimal":
		g.task, g.label = "regression", name
	default:
		return problem.Wrongf(fmt.Sprintf("ask for one of them: --label '%s == %s'", name, rule.Literal(values[0])),
			"column %q is %s with more than two values", column.Name, column.Type)
	}
	g.found = append(g.found, fmt.Sprintf("%s: label = %q", g.task, g.label))
	return nil
}

// labelExpression takes --label as an expression.
func (g *guess) labelExpression() error {
	expr, err := rule.Parse(g.options.Label, doc.Environment(g.lock, &doc.Dataset{}))
	if err != nil || len(expr.Columns()) == 0 {
		var names []string
		for _, c := range g.lock.Columns {
			names = append(names, c.Name)
		}
		return problem.Wrongf("the columns are "+list(names), "there is no column %q, and as an expression it does not hold", g.options.Label)
	}
	g.label, g.labelName = g.options.Label, expr.Columns()[0]
	switch expr.Type() {
	case "bool":
		g.task = "binary"
	case "int64", "float64":
		g.task = "regression"
	default:
		return problem.Wrongf("a condition, as 'delay > 15', or a number", "the label %q is of type %s", g.label, expr.Type())
	}
	return nil
}

// positive chooses which of two texts means yes: a word for it, else the rarer, which comes first.
func positive(values []string) string {
	for _, v := range values {
		switch strings.ToLower(v) {
		case "yes", "y", "true", "t", "1", "positive", "pos", "churned", "bad", "fraud":
			return v
		}
	}
	return values[0]
}

// findTime takes the only date or timestamp column as the event time, when it spans enough days to test on the newest of them.
func (g *guess) findTime() error {
	var candidates []string
	for _, c := range g.lock.Columns {
		if c.Type == "date" || c.Type == "timestamp" {
			candidates = append(candidates, c.Name)
		}
	}
	switch {
	case g.options.Time == "none":
		return nil
	case g.options.Time != "" && !slices.Contains(candidates, g.options.Time):
		return problem.Wrongf("dates and times here: "+list(candidates), "--time %q is no column of dates or times", g.options.Time)
	case g.options.Time != "":
		candidates = []string{g.options.Time}
	case len(candidates) != 1:
		if len(candidates) > 1 {
			g.found = append(g.found, "several columns are times ("+list(candidates)+"): split by hash; --time COLUMN splits by time")
		}
		return nil
	}
	name := engine.Ident(candidates[0])
	f, err := g.db.Frame(g.ctx, fmt.Sprintf("select cast(min(%[1]s) as timestamp) as a, cast(max(%[1]s) as timestamp) as b, count(*) - count(%[1]s) as nulls from (%[2]s) as d", name, g.relation))
	if err != nil {
		return fmt.Errorf("reading the time: %w", err)
	}
	if f.Column("nulls").Ints[0] > 0 || f.Column("a").IsNull(0) {
		g.found = append(g.found, candidates[0]+" is missing in some rows: split by hash")
		return nil
	}
	days := int((f.Column("b").Ints[0] - f.Column("a").Ints[0]) / (24 * time.Hour).Microseconds())
	if days < fewestTimeDays {
		g.found = append(g.found, fmt.Sprintf("%s spans only %d days: split by hash", candidates[0], days))
		return nil
	}
	g.event, g.test, g.valid = candidates[0], max(1, int(float64(days)*shareOfTestDays)), max(1, int(float64(days)*shareOfTestDays/2))
	g.found = append(g.found, fmt.Sprintf("%s says when: the newest %d days are the test part", g.event, g.test))
	return nil
}

// findFeatures takes every column but the label's, those that name rows, those that say nothing, and times.
func (g *guess) findFeatures() error {
	taken := []string{g.labelName}
	if expr, err := rule.Parse(g.label, doc.Environment(g.lock, &doc.Dataset{})); err == nil {
		taken = append(taken, expr.Columns()...)
	}
	var counts []string
	for i, c := range g.lock.Columns {
		counts = append(counts, fmt.Sprintf("count(distinct %s) as c%d", engine.Ident(c.Name), i))
	}
	f, err := g.db.Frame(g.ctx, fmt.Sprintf("select %s from (%s) as d", strings.Join(counts, ", "), g.relation))
	if err != nil {
		return fmt.Errorf("counting values: %w", err)
	}
	var left []string
	for i, c := range g.lock.Columns {
		distinct := f.Columns[i].Ints[0]
		switch {
		case slices.Contains(taken, c.Name) || c.Name == g.event:
		case distinct < 2:
			left = append(left, c.Name+" (one value)")
		case c.Type == "string" && distinct > min(mostCategories, max(20, g.rows/2)):
			left = append(left, c.Name+" (names rows)")
		case c.Type == "int64" && distinct == g.rows && g.rows > 20 && namesRows(c.Name):
			left = append(left, c.Name+" (names rows)")
		case c.Type == "date" || c.Type == "timestamp":
			left = append(left, c.Name+" (a time)")
		default:
			g.features = append(g.features, c.Name)
		}
	}
	if g.event != "" {
		g.row = map[string]string{"weekday": fmt.Sprintf("weekday(%s)", rule.Name(g.event))}
	}
	if len(left) > 0 {
		g.found = append(g.found, "left out: "+list(left))
	}
	if len(g.features)+len(g.row) == 0 {
		return problem.Wrongf("", "no column is left to learn from")
	}
	return nil
}

func namesRows(column string) bool {
	c := strings.ToLower(column)
	return c == "id" || c == "index" || c == "key" || strings.HasSuffix(c, "id") || strings.HasSuffix(c, "_no") || strings.HasPrefix(c, "unnamed") || strings.HasPrefix(c, "column0")
}

func (g *guess) column(name string) *doc.LockColumn {
	for i := range g.lock.Columns {
		if g.lock.Columns[i].Name == name {
			return &g.lock.Columns[i]
		}
	}
	return nil
}

func (g *guess) strings(sql string) ([]string, error) {
	rows, err := g.db.Query(g.ctx, sql)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows.Values {
		out = append(out, fmt.Sprint(r[0]))
	}
	return out, nil
}

func number(text string) float64 {
	var x float64
	if _, err := fmt.Sscan(text, &x); err != nil {
		return 0
	}
	return x
}

func (g *guess) datasetDocument(ds *doc.Dataset) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Where the rows come from. `plumb data pin %s` writes which rows exactly into %s.lock.toml.\nschema = 1\n\n[source]\npath = %s\n", ds.ID, ds.ID, tomlio.Quote(ds.Source.Path))
	if g.event != "" {
		fmt.Fprintf(&b, "\n[time]\nevent = %s                # when a row's question is asked\n", tomlio.Quote(g.event))
	}
	fmt.Fprintf(&b, "\n[check.rows]                     # a data-quality rule; more kinds under `plumb quality --help`\nkind = \"expect_table_row_count_to_be_between\"\nmin_value = %d\nlevel = \"critical\"             # a critical check that fails stops a merge\n", max(1, g.rows/2))
	return b.String()
}

func (g *guess) modelDocument(ds string) string {
	split := `{ by = "hash", test = 0.2, valid = 0.2 }`
	if g.event != "" {
		split = fmt.Sprintf(`{ by = "time", test = "%dd", valid = "%dd" }`, g.test, g.valid)
	}
	metric, tolerance := "auc", "0.002"
	if g.task == "regression" {
		metric, tolerance = "rmse", "0.0"
	}
	return fmt.Sprintf(`# The question, the contract, and who answers it now. Changing the champion line is the promotion.
schema = 1
task = %q
champion = "baseline"            # experiments/baseline.toml

[question]
dataset = %q
label = %s
split = %s

[metric.%s]
level = "gate"                   # gate | guard | info
tolerance = %s                # a difference inside it counts as none
require = "not_worse"            # not_worse | non_inferior | better
`, g.task, ds, tomlio.Quote(g.label), split, metric, tolerance)
}

func (g *guess) experimentDocument(model string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# One way to answer the question. Copy it to propose another, and write the hypothesis first.\nschema = 1\nmodel = %q\nhypothesis = \"The columns as they are say something about the label.\"\n\n[features]\nuse = [\n", model)
	for _, f := range g.features {
		fmt.Fprintf(&b, "  %s,\n", tomlio.Quote(f))
	}
	for _, name := range keys(g.row) {
		fmt.Fprintf(&b, "  %s,\n", tomlio.Quote(name))
	}
	b.WriteString("]\n")
	if len(g.row) > 0 {
		b.WriteString("\n[features.row]                   # expressions over the row\n")
		for _, name := range keys(g.row) {
			fmt.Fprintf(&b, "%s = %s\n", name, tomlio.Quote(g.row[name]))
		}
	}
	b.WriteString("\n[train]\nlearner = \"gbdt\"                 # gbdt | glm\n")
	return b.String()
}
