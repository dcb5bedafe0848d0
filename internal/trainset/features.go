package trainset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// Features gives what an experiment's learner sees of each of the rows, in their order: one column a feature, in the document's order.
// docs say what the features are; data says which rows exist, so a base's definitions can be computed over the head's data.
func Features(ctx context.Context, data Data, docs *doc.Set, experiment string, rows *Rows) (table.Frame, error) {
	e := docs.Experiments[experiment]
	if e == nil {
		return table.Frame{}, problem.Wrongf("`plumb check` lists the experiments", "there is no experiments/%s.toml", experiment)
	}
	uses, err := docs.Uses(experiment)
	if err != nil {
		return table.Frame{}, err
	}
	whole, err := Values(ctx, data, docs, e.Model, uses)
	if err != nil {
		return table.Frame{}, fmt.Errorf("computing the features of %s: %w", experiment, err)
	}
	index, err := whole.find(rows.RowID)
	if err != nil {
		return table.Frame{}, err
	}
	return whole.Select(index), nil
}

// Answers are the values of features for every question of a model, one row a question, ordered by row id.
type Answers struct {
	RowID []int64
	table.Frame
}

// Values gives features of a model's questions, whether an experiment has them or not: one column a use, in their order.
// Every row of the question's dataset comes back exactly once.
func Values(ctx context.Context, data Data, docs *doc.Set, model string, uses []doc.Use) (*Answers, error) {
	m := docs.Models[model]
	b := builder{ctx: ctx, data: data, docs: docs, model: m, dataset: docs.Datasets[m.Question.Dataset], found: map[string]table.Vector{}}
	if err := b.own(uses); err != nil {
		return nil, err
	}
	views := map[string][]doc.Use{}
	var order []string
	for _, u := range uses {
		if u.Kind == doc.UseView {
			if views[u.View] == nil {
				order = append(order, u.View)
			}
			views[u.View] = append(views[u.View], u)
		}
	}
	for _, view := range order {
		if err := b.view(b.docs.Features[view], views[view]); err != nil {
			return nil, fmt.Errorf("features/%s.toml: %w", view, err)
		}
	}
	out := &Answers{RowID: b.rowID}
	out.N = len(out.RowID)
	for _, u := range uses {
		v := b.found[u.Name]
		v.Name = u.Name
		out.Columns = append(out.Columns, v)
	}
	return out, nil
}

// find gives the index of each row id.
func (a *Answers) find(ids []int64) ([]int, error) {
	out := make([]int, len(ids))
	for i, id := range ids {
		at := int(id) // the common case: every row was asked
		if at < 0 || at >= len(a.RowID) || a.RowID[at] != id {
			var ok bool
			if at, ok = slices.BinarySearch(a.RowID, id); !ok {
				return nil, fmt.Errorf("row %d has no features", id)
			}
		}
		out[i] = at
	}
	return out, nil
}

// builder computes features for every question, one row each.
type builder struct {
	ctx     context.Context
	data    Data
	docs    *doc.Set
	model   *doc.Model   // whose questions they are
	dataset *doc.Dataset // of the questions
	rowID   []int64      // of the questions, once known
	found   map[string]table.Vector
}

// own computes plain columns and row expressions in one pass, and finds out which rows ask.
func (b *builder) own(uses []doc.Use) error {
	env := doc.Environment(b.docs.Locks[b.dataset.ID], b.dataset)
	columns, taken := []string{engine.RowID}, map[string]string{}
	for _, u := range uses {
		sql := quote(u.Name)
		switch u.Kind {
		case doc.UseColumn:
		case doc.UseRow:
			var err error
			if sql, err = expression(u.Expr, env); err != nil {
				return fmt.Errorf("row feature %s: %w", u.Name, err)
			}
		default:
			continue
		}
		as := fmt.Sprint("own", len(taken))
		taken[as] = u.Name
		columns = append(columns, sql+" as "+as)
	}
	if len(taken) == 0 && len(uses) > 0 {
		return nil // the first view says which rows ask
	}
	return b.collect(fmt.Sprintf("select %s from (%s) as d order by row_id", strings.Join(columns, ", "), b.data.Relations[b.dataset.ID]), taken)
}

// view computes items of one feature view.
func (b *builder) view(v *doc.Feature, uses []doc.Use) error {
	var queries, aggregates []doc.Use
	for _, u := range uses {
		if v.Features[u.Item].SQL != "" {
			queries = append(queries, u)
		} else {
			aggregates = append(aggregates, u)
		}
	}
	if len(queries) > 0 {
		if err := b.joined(v, queries); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(aggregates, atOnce) {
		sql, err := b.windows(v, some)
		if err != nil {
			return err
		}
		if err := b.collect(sql, outputs("f", some)); err != nil {
			return err
		}
	}
	return nil
}

// atOnce is how many windows one query computes: the engine holds all of them for all questions and facts.
const atOnce = 16

// joined computes items that are queries.
func (b *builder) joined(v *doc.Feature, uses []doc.Use) error {
	if b.dataset.Time.Event == "" {
		return problem.Wrongf("set [time] event in the dataset", "joining %s as of a question needs the event time of %s", uses[0].Item, b.dataset.ID)
	}
	queries, err := b.queries(v, uses)
	if err != nil {
		return err
	}
	for _, q := range queries {
		if err := b.collect(b.asOf(q), outputs("v", q.items)); err != nil {
			return fmt.Errorf("sql of %s: %w", q.items[0].Item, err)
		}
	}
	return nil
}

// outputs names the columns of an answer after the uses that they are.
func outputs(letter string, uses []doc.Use) map[string]string {
	out := map[string]string{}
	for i, name := range named(letter, len(uses)) {
		out[name] = uses[i].Name
	}
	return out
}

// collect runs a query that yields every question once, ordered, and takes its columns by name. It holds the query to that.
// Floating sums depend on the order of addition, so they are kept to 10 significant digits.
func (b *builder) collect(sql string, names map[string]string) error {
	f, err := b.data.DB.Frame(b.ctx, sql)
	if err != nil {
		return err
	}
	ids := f.Column(engine.RowID).Ints
	switch {
	case b.rowID == nil:
		b.rowID = ids
	case !slices.Equal(b.rowID, ids):
		return fmt.Errorf("%d questions got %d answers, or got them twice: this is a defect of plumb", len(b.rowID), len(ids))
	}
	for column, name := range names {
		v := *f.Column(column)
		finite(&v)
		b.found[name] = v
	}
	return nil
}

// finite keeps floats to 10 significant digits, and makes those null that are no number, as they are in expressions.
func finite(v *table.Vector) {
	for i, x := range v.Floats {
		if v.Floats[i] = rounded(x); !math.IsNaN(x) && !math.IsInf(x, 0) {
			continue
		}
		if v.Null == nil {
			v.Null = make([]bool, len(v.Floats))
		}
		v.Null[i], v.Floats[i] = true, 0
	}
}

// interval writes microseconds as an ANSI literal that both engines read.
func interval(micros int64) string {
	return fmt.Sprintf("interval '%d.%06d' second", micros/1e6, micros%1e6)
}

func rounded(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) || x == math.Trunc(x) {
		return x
	}
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 9, 64), 64)
	if err != nil {
		return x
	}
	return y
}
