package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// findLabel reads --label as a column, else as an expression, and finds the task from its values.
func (g *guess) findLabel() error {
	if t := g.options.Task; t != "" && !slices.Contains(doc.Tasks, t) {
		return problem.Wrongf("allowed: "+list(doc.Tasks), "--task %q is no kind of question", t)
	}
	g.labelName = g.options.Label
	column := g.column(g.options.Label)
	if column == nil {
		return g.labelExpression()
	}
	name := rule.Name(column.Name)
	values, counts, err := g.labelValues(column.Name)
	if err != nil {
		return fmt.Errorf("reading the label: %w", err)
	}
	switch {
	case len(values) == 0:
		return problem.Wrongf("choose another column", "column %q is empty in every row, so there is nothing to predict", column.Name)
	case len(values) == 1:
		return problem.Wrongf("choose another column", "column %q is %s in every row, so there is nothing to predict", column.Name, rule.Literal(values[0]))
	}
	g.task, g.label = g.taskOf(column, values), name
	isNumber := column.Type == "int64" || column.Type == "float64" || column.Type == "decimal"
	switch {
	case g.task == "binary" && len(values) > 2:
		return problem.Wrongf(fmt.Sprintf("ask for one of them: --label '%s == %s'", name, g.literal(column, values[0])),
			"column %q has %s different values, and a yes-or-no question has two", column.Name, atLeast(len(values)))
	case g.task == "binary" && column.Type == "string":
		g.label = fmt.Sprintf("%s == %s", name, rule.Literal(positive(values)))
	case g.task == "binary" && isNumber:
		larger := values[0]
		if number(values[1]) > number(larger) {
			larger = values[1]
		}
		g.label = fmt.Sprintf("%s == %s", name, larger)
	case g.task == "regression" && !isNumber:
		return problem.Wrongf("--task multiclass", "column %q is %s, and an amount is a number", column.Name, column.Type)
	case g.task == "multiclass":
		if err := g.classes(column); err != nil {
			return err
		}
	}
	g.found = append(g.found, fmt.Sprintf("%s: label = %q", g.task, g.label))
	g.wonder(column, values, counts)
	return nil
}

// taskOf is what --task says, else what the values look like: two are a yes-or-no question, texts are classes, numbers are an amount, but for few
// whole numbers without a gap from 0 or 1, which is how programs number classes.
func (g *guess) taskOf(column *doc.LockColumn, values []string) string {
	switch {
	case g.options.Task != "":
		return g.options.Task
	case column.Type == "bool" || len(values) == 2:
		return "binary"
	case column.Type == "int64" && numbered(values), column.Type == "string":
		return "multiclass"
	case column.Type == "int64" || column.Type == "float64" || column.Type == "decimal":
		return "regression"
	}
	return "multiclass" // a date, say, which has no order here; doc says what a label may be
}

// numbered says whether all values are the whole numbers from 0 or 1 up to how many they are.
func numbered(values []string) bool {
	if len(values) >= mostLabelValues {
		return false
	}
	least, most := number(values[0]), number(values[0])
	for _, v := range values {
		least, most = min(least, number(v)), max(most, number(v))
	}
	return (least == 0 || least == 1) && int(most-least) == len(values)-1
}

// classes counts the classes of a label and says how often they come.
func (g *guess) classes(column *doc.LockColumn) error {
	name := engine.Ident(column.Name)
	f, err := g.db.Frame(g.ctx, fmt.Sprintf("select count(*) as classes, cast(min(n) as bigint) as least, cast(max(n) as bigint) as most, cast(sum(n) as bigint) as n from (select count(*) as n from (%[2]s) as d where %[1]s is not null group by %[1]s)", name, g.relation))
	if err != nil {
		return fmt.Errorf("counting classes: %w", err)
	}
	n, least, most := f.Column("classes").Ints[0], f.Column("least").Ints[0], f.Column("most").Ints[0]
	switch {
	case column.Type != "string" && column.Type != "int64" && column.Type != "bool":
		return problem.Wrongf("choose another column, or an expression of it", "column %q is %s; a class is a text or a whole number", column.Name, column.Type)
	case n > trainset.MaxClasses:
		return problem.Wrongf(fmt.Sprintf("ask for one: --label '%s == %s', or keep the common ones: --label '%[1]s in [%[2]s] ? %[1]s : %[3]s'", rule.Name(column.Name), g.literal(column, g.commonest(column)), g.other(column)),
			"column %q has %d different values; at most %d can be classes", column.Name, n, trainset.MaxClasses)
	}
	g.imbalanced = 2*most > f.Column("n").Ints[0]
	each := fmt.Sprintf("%d to %d", least, most)
	if least == most {
		each = fmt.Sprint(least)
	}
	g.found = append(g.found, fmt.Sprintf("%d classes of %s rows each", n, each))
	return nil
}

func (g *guess) literal(column *doc.LockColumn, value string) string {
	if column.Type == "int64" || column.Type == "bool" || column.Type == "float64" {
		return value
	}
	return rule.Literal(value)
}

func (g *guess) other(column *doc.LockColumn) string {
	if column.Type == "int64" {
		return "-1"
	}
	return rule.Literal("other")
}

// commonest is the value that most rows have, for a hint.
func (g *guess) commonest(column *doc.LockColumn) string {
	rows, err := g.db.Query(g.ctx, fmt.Sprintf("select cast(%[1]s as varchar) from (%[2]s) as d where %[1]s is not null group by %[1]s order by count(*) desc, 1 limit 1", engine.Ident(column.Name), g.relation))
	if err != nil || len(rows.Values) == 0 {
		return ""
	}
	return fmt.Sprint(rows.Values[0][0])
}

// wonder says what is odd about the label: hardly any rows of a class, numbers that look like classes, classes that may be amounts.
func (g *guess) wonder(column *doc.LockColumn, values []string, counts []int64) {
	name, few := rule.Name(column.Name), counts[0] < fewestOfClass
	switch {
	case few && g.task == "binary":
		g.found = append(g.found, fmt.Sprintf("only %d of the rows have %s = %s: the parts of a split may hold none, and no difference will be sure", counts[0], name, values[0]))
	case few && g.task == "multiclass":
		g.found = append(g.found, fmt.Sprintf("only %d of the rows are of class %s: the parts of a split may hold few or none, and no difference will be sure", counts[0], g.literal(column, values[0])))
	}
	switch {
	case g.options.Task != "":
	case g.task == "regression" && len(values) < mostLabelValues:
		g.found = append(g.found, fmt.Sprintf("%s has only %d different values; if they are classes rather than amounts, say --task multiclass", name, len(values)))
	case g.task == "multiclass" && column.Type == "int64":
		g.found = append(g.found, fmt.Sprintf("%s is taken for numbered classes; if it is an amount, say --task regression", name))
	}
}

// labelValues gives at most mostLabelValues values of a column as text, the rarest first, and how many rows have each.
func (g *guess) labelValues(column string) (values []string, counts []int64, err error) {
	rows, err := g.db.Query(g.ctx, fmt.Sprintf("select cast(%[1]s as varchar) as v, count(*) as n from (%[2]s) as d where %[1]s is not null group by 1 order by 2, 1 limit %[3]d",
		engine.Ident(column), g.relation, mostLabelValues))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows.Values {
		n, _ := r[1].(int64)
		values, counts = append(values, fmt.Sprint(r[0])), append(counts, n)
	}
	return values, counts, nil
}

func atLeast(n int) string {
	if n == mostLabelValues {
		return fmt.Sprintf("%d or more", n)
	}
	return fmt.Sprint(n)
}

// labelExpression takes --label as an expression.
func (g *guess) labelExpression() error {
	expr, err := rule.Parse(g.options.Label, doc.Environment(g.lock, &doc.Dataset{}))
	if err != nil || len(expr.Columns()) == 0 {
		return g.noLabel(err)
	}
	g.label, g.labelName = g.options.Label, expr.Columns()[0]
	fits := map[table.Type][]string{table.Bool: {"binary", "multiclass"}, table.Int64: {"regression", "binary", "multiclass"}, table.Float64: {"regression"}, table.String: {"multiclass"}}[expr.Type()]
	switch {
	case fits == nil:
		return problem.Wrongf("a condition, as 'delay > 15', a number, or a text", "the label %q is of type %s", g.label, expr.Type())
	case g.options.Task == "":
		g.task = fits[0]
	case !slices.Contains(fits, g.options.Task):
		return problem.Wrongf("leave --task out, or write another label", "the label %q is of type %s, and --task is %s", g.label, expr.Type(), g.options.Task)
	default:
		g.task = g.options.Task
	}
	g.found = append(g.found, fmt.Sprintf("%s: label = %q", g.task, g.label))
	return nil
}

// noLabel says why --label is neither a column nor an expression, as whoever typed it meant it.
func (g *guess) noLabel(err error) error {
	var names []string
	for _, c := range g.lock.Columns {
		names = append(names, c.Name)
	}
	hint := "the columns are " + list(names)
	if len(names) > mostNamed {
		hint = fmt.Sprintf("there are %d columns, %s, …", len(names), list(names[:mostNamed]))
	}
	if near := problem.Nearest(g.options.Label, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	var at *rule.Error
	if errors.As(err, &at) && strings.ContainsAny(g.options.Label, "=<>()+*/") {
		if at.Hint != "" {
			hint = at.Hint
		}
		return problem.Wrongf(hint, "--label %q is no column, and as an expression: %s", g.options.Label, at.Msg)
	}
	return problem.Wrongf(hint, "there is no column %q", g.options.Label)
}

// positive chooses which of two texts means yes: a word for it, else the rarer, which comes first.
func positive(values []string) string {
	for _, v := range values {
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "yes", "y", "true", "t", "1", "positive", "pos", "churned", "bad", "fraud":
			return v
		}
	}
	return values[0]
}
