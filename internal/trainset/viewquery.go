package trainset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// viewQuery is a person's query of a view, checked: what it reads, and what of its answer is what.
type viewQuery struct {
	view           *doc.Feature
	items          []doc.Use // that share the query and its ttl
	sql            string
	source         string // the CTE that the query reads
	ttl            int64  // microseconds; 0: none
	known, created bool   // it yields known_time, created_time
	values         []string
}

// queries checks the queries of a view's items. Items with one query and one ttl share a join.
func (b *builder) queries(v *doc.Feature, uses []doc.Use) ([]*viewQuery, error) {
	var out []*viewQuery
	shared := map[[2]string]*viewQuery{}
	for _, u := range uses {
		item := v.Features[u.Item]
		key := [2]string{item.SQL, item.TTL}
		if q := shared[key]; q != nil {
			q.items = append(q.items, u)
			continue
		}
		q := &viewQuery{view: v, items: []doc.Use{u}, sql: strings.TrimRight(item.SQL, "; \t\r\n")}
		if item.TTL != "" {
			length, err := doc.Duration(item.TTL)
			if err != nil {
				return nil, fmt.Errorf("ttl of %s: %w", u.Item, err)
			}
			q.ttl = length.Microseconds()
		}
		shared[key], out = q, append(out, q)
	}
	for _, q := range out {
		if err := b.check(q); err != nil {
			return nil, fmt.Errorf("sql of %s: %w", q.items[0].Item, err)
		}
	}
	return out, nil
}

// check finds out what a query reads and yields, without running it.
func (b *builder) check(q *viewQuery) error {
	v := q.view
	tables, err := b.data.DB.CheckSelect(b.ctx, q.sql)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if !strings.EqualFold(t, v.Dataset) {
			return problem.Wrongf("a view reads the dataset that it names", "it reads %q, and the view's dataset is %q", t, v.Dataset)
		}
	}
	if err := b.data.DB.CheckOrdered(b.ctx, q.sql); err != nil {
		return err
	}
	if err := b.once(q); err != nil {
		return err
	}
	q.source = b.source(v.Dataset, nil)
	yields, err := b.yields(q)
	if err != nil {
		return err
	}
	if find(yields, "known_time") != nil {
		q.known = true
	} else if err := b.hide(q, yields); err != nil {
		return err
	}
	q.created = find(yields, "created_time") != nil
	for name, there := range map[string]bool{"feature_time": true, "known_time": q.known, "created_time": q.created} {
		if err := isTime(yields, name); there && err != nil {
			return err
		}
	}
	if err := b.entities(v, yields); err != nil {
		return err
	}
	return q.take(yields)
}

// once refuses a query that gives two columns a name that means something: the engine would take the first.
func (b *builder) once(q *viewQuery) error {
	listed, err := b.data.DB.SelectNames(b.ctx, q.sql)
	if err != nil {
		return err
	}
	meant := append([]string{"feature_time", "known_time", "created_time", "value"}, q.view.Entity...)
	for _, u := range q.items {
		meant = append(meant, u.Item)
	}
	seen := map[string]bool{}
	for _, name := range listed {
		name = strings.ToLower(name)
		if seen[name] && slices.ContainsFunc(meant, func(m string) bool { return strings.EqualFold(m, name) }) {
			return problem.Wrongf("call one of them otherwise", "it yields %s twice", name)
		}
		seen[name] = true
	}
	return nil
}

// take finds the value of each item in the query's answer.
func (q *viewQuery) take(yields []engine.Described) error {
	for i, u := range q.items {
		column := find(yields, "value")
		if column == nil {
			column = find(yields, u.Item)
		}
		if column == nil {
			return problem.Wrongf("a view's query yields its entity columns, feature_time and value", "it yields no column %q, nor one called value", u.Item)
		}
		value := "v." + quote(column.Name)
		switch column.Type {
		case table.Int64, table.Float64, table.Bool, table.String:
		case table.Decimal:
			value = "cast(" + value + " as double)"
		default:
			return problem.Wrongf("cast it, or select what about it matters, such as the hour of a time", "its value %q is of type %s, which nothing can learn from",
				column.Name, strings.ToLower(column.Raw))
		}
		q.values = append(q.values, fmt.Sprintf("%s as v%d", value, i))
	}
	return nil
}

// yields describes the query's answer.
func (b *builder) yields(q *viewQuery) ([]engine.Described, error) {
	return b.data.DB.Columns(b.ctx, fmt.Sprintf("with %s, the_view as (%s\n) select * from the_view", q.source, q.sql))
}

// source is a dataset as a CTE of its name, without some columns. Names of plumb's own parts have underscores, which no dataset's name has.
func (b *builder) source(dataset string, without []string) string {
	columns := "*"
	if len(without) > 0 {
		columns = engine.RowID
		for _, c := range b.docs.Locks[dataset].Columns {
			if !slices.Contains(without, c.Name) {
				columns += ", " + quote(c.Name)
			}
		}
	}
	return fmt.Sprintf("%s as (select %s from (%s) as d)", quote(dataset), columns, b.data.Relations[dataset])
}

// hide takes from a query that does not say when its values are known the columns of which that has to be said: late ones, and those that the label
// is made of. Looking for their names in the text would miss `select *`; what is not there can't be read.
func (b *builder) hide(q *viewQuery, yields []engine.Described) error {
	hidden := b.hidden(q.view.Dataset)
	if len(hidden) == 0 || !q.enough(yields) {
		return nil
	}
	q.source = b.source(q.view.Dataset, names(hidden))
	without, err := b.yields(q)
	if err == nil && q.enough(without) {
		return nil
	}
	read := hidden[0]
	for _, h := range hidden { // which of them it was
		q.source = b.source(q.view.Dataset, []string{h.name})
		if without, err := b.yields(q); err != nil || !q.enough(without) {
			read = h
			break
		}
	}
	return problem.Wrongf(fmt.Sprintf("select the time at which %s is known as known_time; `plumb features check` proves it", read.name),
		"it reads %s, which %s, and does not yield known_time", read.name, read.why)
}

// enough says whether an answer has a value for every item.
func (q *viewQuery) enough(yields []engine.Described) bool {
	return !slices.ContainsFunc(q.items, func(u doc.Use) bool { return find(yields, "value") == nil && find(yields, u.Item) == nil })
}

// guarded is a column that a query may not read without saying when it is known.
type guarded struct{ name, why string }

func names(columns []guarded) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return out
}

func (b *builder) hidden(dataset string) []guarded {
	var out []guarded
	for _, name := range b.docs.Datasets[dataset].Late() {
		out = append(out, guarded{name, "is late"})
	}
	if b.model == nil || b.dataset.ID != dataset {
		return out
	}
	label, err := rule.Parse(b.model.Question.Label, doc.Environment(b.docs.Locks[dataset], b.dataset))
	if err != nil {
		return out
	}
	for _, name := range label.Columns() {
		if !slices.Contains(names(out), name) {
			out = append(out, guarded{name, "is what the label is made of"})
		}
	}
	return out
}

func find(columns []engine.Described, name string) *engine.Described {
	i := slices.IndexFunc(columns, func(c engine.Described) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return nil
	}
	return &columns[i]
}

func isTime(yields []engine.Described, name string) error {
	switch c := find(yields, name); {
	case c == nil:
		return problem.Wrongf("a view's query yields its entity columns, feature_time and value", "it yields no column %q", name)
	case c.Type != table.Date && c.Type != table.Timestamp:
		return problem.Wrongf("cast it to timestamp", "%s is of type %s and must be a time", name, strings.ToLower(c.Raw))
	}
	return nil
}

// entities holds that a query yields a view's entities.
func (b *builder) entities(v *doc.Feature, yields []engine.Described) error {
	for _, entity := range v.Entity {
		c := find(yields, entity)
		if c == nil {
			return problem.Wrongf("a view's query yields its entity columns, feature_time and value", "it yields no column %q", entity)
		}
		if err := b.sameEntity(v, entity, c.Type); err != nil {
			return err
		}
	}
	return nil
}

// sameEntity holds that a view's entity has the type of the column that asks for it: engines would compare 1 with '1' in ways of their own.
func (b *builder) sameEntity(v *doc.Feature, entity string, has table.Type) error {
	asked := v.Asks(entity)
	wants, ok := doc.Environment(b.docs.Locks[b.dataset.ID], b.dataset).Columns[asked]
	switch {
	case !ok:
		return problem.Wrongf(fmt.Sprintf("say which column of the asking row it is: on = { %s = \"COLUMN\" }", entity),
			"it joins by %s, and dataset %s has no column %q", entity, b.dataset.ID, asked)
	case wants != has:
		return problem.Wrongf(fmt.Sprintf("cast one of them: declare [column.%s] type, or write cast(%s as %s) in a query", asked, entity, engine.TypeName(wants)),
			"the view's %s is %s and the asking row's %s is %s: they can't be the same", entity, has, asked, wants)
	}
	return nil
}

// askedEntities are the asking row's columns that a view is joined by, as e0, e1, ….
func (b *builder) askedEntities(v *doc.Feature) []string {
	out := make([]string, len(v.Entity))
	for i, entity := range v.Entity {
		out[i] = fmt.Sprintf("%s as e%d", quote(v.Asks(entity)), i)
	}
	return out
}

// columns are what the join takes of the query's answer.
func (q *viewQuery) columns() []string {
	var out []string
	for i, entity := range q.view.Entity {
		out = append(out, fmt.Sprintf("v.%s as e%d", quote(entity), i))
	}
	out = append(out, "cast(v.feature_time as timestamp) as ft")
	if q.known {
		out = append(out, "cast(v.known_time as timestamp) as known")
	}
	if q.created {
		out = append(out, "cast(v.created_time as timestamp) as created")
	}
	return append(out, q.values...)
}

// present leaves out rows that no question can be joined to.
func (q *viewQuery) present() string {
	out := []string{"v.feature_time is not null"}
	for _, entity := range q.view.Entity {
		out = append(out, "v."+quote(entity)+" is not null")
	}
	if q.known {
		out = append(out, "v.known_time is not null")
	}
	return strings.Join(out, " and ")
}
