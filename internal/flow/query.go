package flow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// query is the runs by column, and the names by which expressions ask for them: those of package index, metrics also without "metrics.".
type query struct {
	t     *index.Table
	typed map[string][]table.Type // name → types of its columns
	from  map[string]string       // name → of the columns
	docs  func() *doc.Set         // for names of parameters that no run has yet

	learners *index.Column // of the runs; nil until somebody asks for a parameter that a run was not given
}

// private is the column that the table does not hold: whether a run is in this clone only.
const privateColumn = "private"

func newQuery(t *index.Table, docs func() *doc.Set) *query {
	q := &query{t: t, typed: map[string][]table.Type{}, from: map[string]string{}, docs: docs}
	for _, c := range t.Names() {
		q.typed[c.Name], q.from[c.Name] = append(q.typed[c.Name], c.Type), c.Name
	}
	q.assume(privateColumn, table.Bool)
	for _, name := range []string{"id", "experiment", "model", "task", "status", "error", "learner", "actor", "who", "commit", "sweep", "program"} {
		q.assume(name, table.String)
	}
	q.assume("time", table.Timestamp)
	q.assume("dirty", table.Bool)
	for _, task := range []string{metric.Binary, metric.Multiclass, metric.Regression} {
		for _, name := range metric.For(task) {
			q.assume("metrics."+name, table.Float64)
			q.assume("valid."+name, table.Float64)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.typed)) {
		if short, ok := strings.CutPrefix(name, "metrics."); ok && q.typed[short] == nil {
			q.typed[short], q.from[short] = q.typed[name], name
		}
	}
	return q
}

// assume adds a name that can be asked for though no run has it.
func (q *query) assume(name string, typ table.Type) {
	if q.typed[name] == nil {
		q.typed[name], q.from[name] = []table.Type{typ}, name
	}
}

// assumeParams adds the parameters of the built-in learners and of the documents' experiments.
func (q *query) assumeParams() {
	for name, typ := range learn.ParamTypes() {
		q.assume("params."+name, typ)
	}
	docs := q.docs()
	for _, id := range keys(docs.Experiments) {
		for name, value := range docs.Experiments[id].Params {
			switch value.(type) {
			case int64:
				q.assume("params."+name, table.Int64)
			case float64:
				q.assume("params."+name, table.Float64)
			case bool:
				q.assume("params."+name, table.Bool)
			case string:
				q.assume("params."+name, table.String)
			}
		}
	}
}

// choices gives the types that a name can be asked as: one, but for a parameter that is a number in one run and a text in another. Whole numbers beside others are
// numbers. None for lists and tables.
func (q *query) choices(name string) []table.Type {
	var out []table.Type
	types := q.typed[name]
	whole, fraction := slices.Contains(types, table.Int64), slices.Contains(types, table.Float64)
	switch {
	case fraction:
		out = append(out, table.Float64)
	case whole:
		out = append(out, table.Int64)
	}
	for _, t := range types {
		if t != table.Int64 && t != table.Float64 && t != index.JSON {
			out = append(out, t)
		}
	}
	return out
}

// maxTries bounds the ways in which mixed parameters are tried.
const maxTries = 64

// parse reads an expression over the runs. Where a name is of several types, the first reading that is one counts; a run whose value is of another type has none.
func (q *query) parse(src string) (rule.Expr, error) {
	env := rule.Env{Columns: map[string]table.Type{}}
	var mixed []string
	lists := []string{}
	for name := range q.typed {
		choices := q.choices(name)
		switch {
		case len(choices) == 0:
			lists = append(lists, name)
			continue
		case len(choices) > 1 && strings.Contains(src, name[strings.LastIndexByte(name, '.')+1:]):
			mixed = append(mixed, name)
		}
		env.Columns[name] = choices[0]
	}
	slices.Sort(mixed)
	first, err := rule.Parse(src, env)
	for try := 1; err != nil && try < maxTries && q.choose(env, mixed, try); try++ {
		if e, again := rule.Parse(src, env); again == nil {
			return e, nil
		}
	}
	for _, name := range lists {
		if err != nil && strings.Contains(src, name) {
			return first, &rule.Error{Msg: name + " holds lists or tables, which can be shown (--columns) and not asked for"}
		}
	}
	return first, err
}

// choose sets the types of mixed names to the n-th combination; false when there is none.
func (q *query) choose(env rule.Env, mixed []string, n int) bool {
	for _, name := range mixed {
		choices := q.choices(name)
		env.Columns[name] = choices[n%len(choices)]
		n /= len(choices)
	}
	return n == 0
}

// expression is an expression with the columns that it reads.
type expression struct {
	rule.Expr
	inputs []input
	row    map[string]any // filled anew for each run
}

// input is a name of an expression and where its values are.
type input struct {
	name    string
	columns []*index.Column // at most one has a value for a run
}

// ready reads the columns of an expression.
func (q *query) ready(e rule.Expr) (*expression, error) {
	out := &expression{Expr: e, row: map[string]any{}}
	for _, name := range e.Columns() {
		in, err := q.columns(name)
		if err != nil {
			return nil, err
		}
		out.inputs = append(out.inputs, in)
	}
	return out, nil
}

// columns finds the values of a name, of whatever type.
func (q *query) columns(name string) (input, error) {
	in := input{name: name}
	for _, typ := range q.typed[name] {
		if name == privateColumn {
			continue
		}
		c, err := q.t.Column(q.from[name], typ)
		if err != nil {
			return in, err
		}
		in.columns = append(in.columns, c)
	}
	return in, nil
}

// at gives a run's value of a name as it was recorded.
func (q *query) at(in input, row int) any {
	if in.name == privateColumn {
		return row >= q.t.OwnFrom
	}
	for _, c := range in.columns {
		if v := c.At(row); v != nil {
			return v
		}
	}
	return nil
}

// unsaid is the value that a parameter had which a run was not given: the learner's own. It is not recorded, and who filters asks for what was used.
func (q *query) unsaid(param string, row int) any {
	if q.learners == nil {
		c, err := q.t.Column("learner", table.String)
		if err != nil {
			return nil
		}
		q.learners = c
	}
	n, err := strconv.ParseFloat(learn.Default(q.learners.Text(row), param), 64)
	switch {
	case err != nil:
		return nil
	case slices.Equal(q.choices("params."+param), []table.Type{table.Int64}):
		return int64(n)
	}
	return n
}

// unknown names the parameters of an expression that no run has, given or not.
func (q *query) unknown(e *expression, rows []int) []string {
	var out []string
	for _, in := range e.inputs {
		param, ok := strings.CutPrefix(in.name, "params.")
		if ok && !slices.ContainsFunc(rows, func(r int) bool { return q.at(in, r) != nil || q.unsaid(param, r) != nil }) {
			out = append(out, in.name)
		}
	}
	return out
}

// value evaluates an expression for a run. A value of another type than the expression was read with is none.
func (q *query) value(e *expression, row int) any {
	for _, in := range e.inputs {
		v := q.at(in, row)
		if param, ok := strings.CutPrefix(in.name, "params."); ok && v == nil {
			v = q.unsaid(param, row)
		}
		e.row[in.name] = v
	}
	v, err := e.Eval(e.row)
	if err != nil {
		return nil
	}
	return v
}

// wrongExpression says what is wrong with an expression of the command line.
func wrongExpression(flag, src string, err error) error {
	var wrong *rule.Error
	if !errors.As(err, &wrong) {
		return err
	}
	hint := wrong.Hint
	if hint == "" {
		hint = `for example: auc > 0.64 and params.rounds >= 200 and experiment startsWith "route"`
	}
	return problem.Wrongf(hint, "%s %s: %s", flag, clip(src, 120), fmt.Sprint(wrong))
}

func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
