package trainset

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
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
	b := builder{ctx: ctx, data: data, docs: docs, dataset: docs.Datasets[docs.Models[e.Model].Question.Dataset]}
	found := map[string]table.Vector{}
	if err := b.own(uses, found); err != nil {
		return table.Frame{}, fmt.Errorf("computing the row features of %s: %w", experiment, err)
	}
	for _, view := range docs.Views(experiment) {
		if err := b.view(docs.Features[view], uses, found); err != nil {
			return table.Frame{}, fmt.Errorf("computing features/%s.toml: %w", view, err)
		}
	}
	whole := table.Frame{}
	for _, u := range uses {
		v := found[u.Name]
		v.Name = u.Name
		whole.Columns = append(whole.Columns, v)
	}
	index := make([]int, len(rows.RowID))
	for i, id := range rows.RowID {
		index[i] = int(id)
	}
	return whole.Select(index), nil
}

// builder computes features for every row of the question's dataset, so that a row id is an index.
type builder struct {
	ctx     context.Context
	data    Data
	docs    *doc.Set
	dataset *doc.Dataset
}

// own computes plain columns and row expressions in one pass.
func (b *builder) own(uses []doc.Use, into map[string]table.Vector) error {
	env := doc.Environment(b.docs.Locks[b.dataset.ID], b.dataset)
	columns := []string{"row_id"}
	var names []string
	for _, u := range uses {
		switch u.Kind {
		case "column":
			columns = append(columns, fmt.Sprintf("%s as %s", quote(u.Name), quote("f_"+u.Name)))
		case "row":
			sql, err := expression(u.Expr, env)
			if err != nil {
				return fmt.Errorf("feature %s: %w", u.Name, err)
			}
			columns = append(columns, fmt.Sprintf("%s as %s", sql, quote("f_"+u.Name)))
		default:
			continue
		}
		names = append(names, u.Name)
	}
	if len(names) == 0 {
		return nil
	}
	f, err := b.data.DB.Frame(b.ctx, fmt.Sprintf("select %s from (%s) as d order by row_id", strings.Join(columns, ", "), b.data.Relations[b.dataset.ID]))
	if err != nil {
		return err
	}
	for _, name := range names {
		into[name] = *f.Column("f_" + name)
	}
	return nil
}

// view computes the items of one feature view that the experiment uses.
func (b *builder) view(v *doc.Feature, uses []doc.Use, into map[string]table.Vector) error {
	var aggs []doc.Use
	for _, u := range uses {
		if u.Kind != "view" || u.View != v.ID {
			continue
		}
		if v.Features[u.Item].SQL == "" {
			aggs = append(aggs, u)
			continue
		}
		sql, err := b.asOf(v, u.Item)
		if err != nil {
			return err
		}
		if err := b.collect(sql, map[string]string{"value": u.Name}, into); err != nil {
			return err
		}
	}
	if len(aggs) == 0 {
		return nil
	}
	sql, err := b.windows(v, aggs)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for i, u := range aggs {
		names[fmt.Sprintf("f%d", i)] = u.Name
	}
	return b.collect(sql, names, into)
}

// collect runs a query that yields every row of the question once, ordered, and takes its columns by name.
// Floating sums depend on the order of addition, so they are kept to 10 significant digits.
func (b *builder) collect(sql string, names map[string]string, into map[string]table.Vector) error {
	f, err := b.data.DB.Frame(b.ctx, sql)
	if err != nil {
		return err
	}
	for column, name := range names {
		v := *f.Column(column)
		for i, x := range v.Floats {
			v.Floats[i] = rounded(x)
		}
		into[name] = v
	}
	return nil
}

// asOf joins, for each asking row at time t, the newest row of the view's query with t − ttl ≤ feature_time ≤ t and known_time ≤ t,
// ties to the newest created_time. What ties in that too is answered by the largest value: some rule has to make the answer one.
func (b *builder) asOf(v *doc.Feature, item string) (string, error) {
	if b.dataset.Time.Event == "" {
		return "", problem.Wrongf("set [time] event in the dataset", "joining %s as of a question needs the event time of %s", item, b.dataset.ID)
	}
	query, err := b.query(v, item)
	if err != nil {
		return "", err
	}
	on := []string{"v.feature_time <= q.t", "v." + query.known + " <= q.t"}
	if ttl := v.Features[item].TTL; ttl != "" {
		length, err := doc.Duration(ttl)
		if err != nil {
			return "", err
		}
		on = append(on, "v.feature_time >= q.t - "+interval(length.Microseconds()))
	}
	var asked []string
	for i, entity := range v.Entity {
		asked = append(asked, fmt.Sprintf("%s as e%d", quote(onColumn(v, entity)), i))
		on = append(on, fmt.Sprintf("v.%s = q.e%d", quote(entity), i))
	}
	order := fmt.Sprintf("v.feature_time desc nulls last, v.%s desc nulls last, v.%s desc nulls last", query.created, quote(query.value))
	return fmt.Sprintf(`%s, the_questions as (select row_id, cast(%s as timestamp) as t, %s from (%s) as d),
the_pairs as (select q.row_id, v.%s as value, row_number() over (partition by q.row_id order by %s) as n
from the_questions as q left join the_view as v on %s)
select row_id, value from the_pairs where n = 1 order by row_id`,
		query.with, quote(b.dataset.Time.Event), strings.Join(asked, ", "), b.data.Relations[b.dataset.ID], quote(query.value), order,
		strings.Join(on, " and ")), nil
}

// viewQuery is a view's query as a CTE `the_view`, and the names of its columns.
type viewQuery struct {
	with                  string
	value, known, created string
}

// query checks what a view's query reads and yields.
func (b *builder) query(v *doc.Feature, item string) (viewQuery, error) {
	q := viewQuery{value: "value", known: "feature_time", created: "feature_time"}
	sql := strings.TrimRight(v.Features[item].SQL, "; \t\r\n")
	tables, err := b.data.DB.CheckSelect(b.ctx, sql)
	if err != nil {
		return q, fmt.Errorf("sql of %s: %w", item, err)
	}
	for _, t := range tables {
		if t != v.Dataset {
			return q, problem.Wrongf("a view reads the dataset that it names", "sql of %s reads %q, and the view's dataset is %q", item, t, v.Dataset)
		}
	}
	// The names of plumb's own parts have underscores, which no dataset's name has. The query may end in a comment, hence the line break.
	q.with = fmt.Sprintf("with %s as (%s), the_view as (%s\n)", quote(v.Dataset), b.data.Relations[v.Dataset], sql)
	shape, err := b.data.DB.Frame(b.ctx, q.with+" select * from the_view limit 0")
	if err != nil {
		return q, fmt.Errorf("sql of %s: %w", item, err)
	}
	if shape.Column(q.value) == nil {
		q.value = item
	}
	for _, needed := range append(slices.Clone(v.Entity), "feature_time", q.value) {
		if shape.Column(needed) == nil {
			return q, problem.Wrongf("a view's query yields its entity columns, feature_time and value", "sql of %s yields no column %q", item, needed)
		}
	}
	if shape.Column("known_time") != nil {
		q.known = "known_time"
	}
	if shape.Column("created_time") != nil {
		q.created = "created_time"
	}
	return q, nil
}

// onColumn is the asking row's column for an entity column of the view.
func onColumn(v *doc.Feature, entity string) string {
	if c, ok := v.On[entity]; ok {
		return c
	}
	return entity
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
