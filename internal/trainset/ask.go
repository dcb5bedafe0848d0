// Package trainset turns a model's question and an experiment into rows: who is asked and when, what the label is, which part each row plays
// (split.go), and what was known of it then (features.go).
//
// It does not train, and it stores nothing: SQL goes to the engine, the split and its rules are Go.
package trainset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// Data is where the rows are: an engine and, for each dataset, the SQL of its rows in order with `row_id`.
type Data struct {
	DB        *engine.DB
	Relations map[string]string
}

// Rows are the rows of a question that have a label, ordered by row id. All slices have one entry a row.
type Rows struct {
	RowID   []int64
	Key     []string // canonical JSON of the row's [source] key; nil when the dataset has none
	Label   []float64
	Weight  []float64 // nil: all 1
	Group   []string  // nil: every row is its own group
	Slices  map[string][]string
	Event   []int64 // microseconds since 1970; nil when the dataset has no event time
	Part    []Part
	Classes []string // multiclass: Label holds indices into it
	Task    string
	Split   record.Split
	Counts  record.RowCounts
}

// Ask gives the rows of a model's question with their labels, parts, groups and slices.
// Errors: a label that the task can't have, a part without rows, negative weights.
func Ask(ctx context.Context, data Data, docs *doc.Set, model string) (*Rows, error) {
	m := docs.Models[model]
	if m == nil {
		return nil, problem.Wrongf("`plumb check` lists the models", "there is no models/%s.toml", model)
	}
	a := asking{ctx: ctx, data: data, model: m, dataset: docs.Datasets[m.Question.Dataset], lock: docs.Locks[m.Question.Dataset]}
	if a.dataset == nil || a.lock == nil {
		return nil, problem.Wrongf("run `plumb data pin "+m.Question.Dataset+"`", "dataset %q of model %q is not pinned", m.Question.Dataset, model)
	}
	frame, err := a.read()
	if err != nil {
		return nil, fmt.Errorf("reading the question of %s: %w", model, err)
	}
	rows, known, err := a.rows(frame)
	if err != nil {
		return nil, err
	}
	if err := rows.split(m.Question.Split, splitColumns{known: known, key: frame.Column("split_key"), part: frame.Column("split_part")}); err != nil {
		return nil, fmt.Errorf("splitting the rows of %s: %w", model, err)
	}
	if m.Task == record.TaskMulticlass {
		if err := rows.classify(texts(frame.Column("label")), model); err != nil {
			return nil, err
		}
	}
	rows.keepLabelled()
	if m.Question.Group == "" {
		rows.groupByTime()
	}
	return rows, rows.checkParts(model)
}

// asking is one question on its way to rows.
type asking struct {
	ctx     context.Context
	data    Data
	model   *doc.Model
	dataset *doc.Dataset
	lock    *doc.Lock
}

// read fetches one row per row of the dataset, in order.
func (a *asking) read() (table.Frame, error) {
	env := doc.Environment(a.lock, a.dataset)
	columns := []string{"row_id"}
	add := func(name, source, as string) error {
		sql, err := expression(source, env)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", name, a.model.Path, err)
		}
		columns = append(columns, fmt.Sprintf("%s as %s", fmt.Sprintf(as, sql), quote(name)))
		return nil
	}
	q := a.model.Question
	labelAs := "cast(%s as double)"
	if a.model.Task == record.TaskMulticlass {
		labelAs = "cast(%s as varchar)"
	}
	if err := add("label", q.Label, labelAs); err != nil {
		return table.Frame{}, err
	}
	for _, optional := range []struct{ name, source, as string }{
		{"weight", q.Weight, "cast(%s as double)"}, {"group", q.Group, "cast(%s as varchar)"},
	} {
		if optional.source == "" {
			continue
		}
		if err := add(optional.name, optional.source, optional.as); err != nil {
			return table.Frame{}, err
		}
	}
	if a.dataset.Time.Event != "" {
		columns = append(columns, fmt.Sprintf("cast(%s as timestamp) as event", quote(a.dataset.Time.Event)))
		known := quote(a.dataset.Time.Event)
		if a.labelIsLate(env) {
			sql, err := expression(a.dataset.Time.Known, env)
			if err != nil {
				return table.Frame{}, fmt.Errorf("known of %s: %w", a.dataset.Path, err)
			}
			known = sql
		}
		columns = append(columns, fmt.Sprintf("cast(%s as timestamp) as known", known))
	}
	for i, slice := range q.Slices {
		columns = append(columns, fmt.Sprintf("cast(%s as varchar) as slice_%d", quote(slice), i))
	}
	for i, key := range a.dataset.Source.Key {
		columns = append(columns, fmt.Sprintf("%s as key_%d", quote(key), i))
	}
	if q.Split.Key != "" {
		columns = append(columns, quote(q.Split.Key)+" as split_key")
	}
	if q.Split.Column != "" {
		columns = append(columns, fmt.Sprintf("cast(%s as varchar) as split_part", quote(q.Split.Column)))
	}
	sql := fmt.Sprintf("select %s from (%s) as d order by row_id", strings.Join(columns, ", "), a.data.Relations[q.Dataset])
	return a.data.DB.Frame(a.ctx, sql)
}

// labelIsLate says whether the label is made of a column that is not known at event time.
func (a *asking) labelIsLate(env rule.Env) bool {
	expr, err := rule.Parse(a.model.Question.Label, env)
	if err != nil || a.dataset.Time.Known == "" {
		return false
	}
	return slices.ContainsFunc(expr.Columns(), func(c string) bool { return a.dataset.Columns[c].Late })
}

// rows reads the frame into Rows, all of them: those without a label have NaN. The second result is when each label is known.
func (a *asking) rows(f table.Frame) (*Rows, []int64, error) {
	r := &Rows{RowID: f.Column("row_id").Ints, Task: a.model.Task, Slices: map[string][]string{}}
	if err := r.readLabels(f.Column("label"), a.model); err != nil {
		return nil, nil, err
	}
	if w := f.Column("weight"); w != nil {
		r.Weight = make([]float64, f.N)
		for i := range r.Weight {
			if r.Weight[i] = w.Float(i); (!(r.Weight[i] >= 0) || math.IsInf(r.Weight[i], 0)) && !math.IsNaN(r.Label[i]) {
				return nil, nil, problem.Wrongf("weights are finite numbers of at least 0", "row %d of %s has weight %v", r.RowID[i], a.dataset.ID, r.Weight[i])
			}
		}
	}
	if g := f.Column("group"); g != nil {
		r.Group = texts(g)
	}
	for i, slice := range a.model.Question.Slices {
		r.Slices[slice] = texts(f.Column(fmt.Sprintf("slice_%d", i)))
	}
	var keys []*table.Vector
	for i := range a.dataset.Source.Key {
		keys = append(keys, f.Column(fmt.Sprintf("key_%d", i)))
	}
	r.Key = canonicalKeys(keys)
	if e := f.Column("event"); e != nil {
		if n := nulls(e); n > 0 {
			return nil, nil, problem.Wrongf("add the check expect_column_values_to_not_be_null, and mend or filter the source",
				"%d rows of %s have no event time (column %q)", n, a.dataset.ID, a.dataset.Time.Event)
		}
		r.Event = e.Ints
		known := f.Column("known")
		out := make([]int64, f.N)
		for i := range out {
			if out[i] = math.MaxInt64; !known.IsNull(i) { // never known: it can't train
				out[i] = known.Ints[i]
			}
		}
		return r, out, nil
	}
	return r, nil, nil
}

// readLabels fills Label, NaN where there is none. Of a multiclass label it says no more than that; classify numbers the classes.
func (r *Rows) readLabels(v *table.Vector, m *doc.Model) error {
	n := len(r.RowID)
	r.Label = make([]float64, n)
	if m.Task == record.TaskMulticlass {
		for i := range n {
			if v.IsNull(i) {
				r.Label[i] = math.NaN()
			}
		}
		return nil
	}
	for i := range n {
		r.Label[i] = v.Float(i)
		if math.IsInf(r.Label[i], 0) {
			return problem.Wrongf("filter such rows, or write a label that is null for them", "the label of model %q is %v in row %d", m.ID, r.Label[i], r.RowID[i])
		}
		if y := r.Label[i]; m.Task == "binary" && y != 0 && y != 1 && !math.IsNaN(y) {
			return problem.Wrongf("write a condition, as in label = \"delay > 15\"", "the label of model %q is %v in row %d, and task = \"binary\" needs 0 or 1", m.ID, y, r.RowID[i])
		}
	}
	return nil
}

// keepLabelled drops rows without a label or outside every part, and counts them.
func (r *Rows) keepLabelled() {
	var keep []int
	for i, y := range r.Label {
		switch {
		case math.IsNaN(y):
			r.Counts.NoLabel++
			continue
		case r.Part[i] == None:
			r.Counts.LeftOut++
			continue
		}
		keep = append(keep, i)
		switch r.Part[i] {
		case Train:
			r.Counts.Train++
		case Valid:
			r.Counts.Valid++
		case Test:
			r.Counts.Test++
		}
	}
	*r = *r.Select(keep)
}

// Select gives the rows with these indices.
func (r *Rows) Select(keep []int) *Rows {
	out := *r
	out.RowID, out.Key, out.Label, out.Weight = at(r.RowID, keep), at(r.Key, keep), at(r.Label, keep), at(r.Weight, keep)
	out.Group, out.Event, out.Part = at(r.Group, keep), at(r.Event, keep), at(r.Part, keep)
	out.Slices = map[string][]string{}
	for name, values := range r.Slices {
		out.Slices[name] = at(values, keep)
	}
	return &out
}

// Of lists the indices of the rows of a part.
func (r *Rows) Of(part Part) []int {
	var out []int
	for i, p := range r.Part {
		if p == part {
			out = append(out, i)
		}
	}
	return out
}

func (r *Rows) checkParts(model string) error {
	for _, part := range []struct {
		name string
		n    int
	}{{"train", r.Counts.Train}, {"valid", r.Counts.Valid}, {"test", r.Counts.Test}} {
		if part.n == 0 {
			return problem.Wrongf(fmt.Sprintf("change [question] split in models/%s.toml, or pin more data", model),
				"the %s part of model %q has no rows (train %d, valid %d, test %d, without a label %d)",
				part.name, model, r.Counts.Train, r.Counts.Valid, r.Counts.Test, r.Counts.NoLabel)
		}
	}
	return nil
}

// Evaluation is the evaluation of these rows: the test part, then the valid part. score gives the score columns of row i of r.
func (r *Rows) Evaluation(scores [][]float64) record.Evaluation {
	order := append(r.Of(Test), r.Of(Valid)...)
	kept := r.Select(order)
	e := record.Evaluation{Task: r.Task, Classes: r.Classes, RowID: kept.RowID, Key: kept.Key, Label: kept.Label, Weight: kept.Weight,
		Group: kept.Group, Slices: kept.Slices, Part: make([]string, len(order))}
	for i, p := range kept.Part {
		e.Part[i] = p.String()
	}
	for _, column := range scores {
		e.Scores = append(e.Scores, at(column, order))
	}
	return e
}

func expression(source string, env rule.Env) (string, error) {
	expr, err := rule.Parse(source, env)
	if err != nil {
		return "", err
	}
	return expr.SQL(), nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func at[T any](from []T, rows []int) []T {
	if from == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = from[r]
	}
	return out
}

func texts(v *table.Vector) []string {
	n := len(v.Strings)
	out := make([]string, n)
	for i := range n {
		out[i] = v.Text(i)
	}
	return out
}

func nulls(v *table.Vector) int {
	n := 0
	for _, null := range v.Null {
		if null {
			n++
		}
	}
	return n
}
