package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/drift"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// kindOf puts types together that one column may have in turn without anybody's harm; "" is the type of no value at all.
func kindOf(t table.Type) string {
	switch t {
	case table.Int64, table.Float64, table.Decimal:
		return "number"
	case table.Date, table.Timestamp:
		return "time"
	}
	return string(t)
}

// changeOf gives the type that a column has among others, "" when it is not there, and says whether it is not what it was.
func changeOf(was table.Column, now []table.Column) (is table.Type, changed bool) {
	i := slices.IndexFunc(now, func(c table.Column) bool { return c.Name == was.Name })
	if i < 0 {
		return "", true
	}
	a, b := kindOf(was.Type), kindOf(now[i].Type)
	return now[i].Type, a != b && a != "" && b != ""
}

// untyped takes the type from columns of the reference that have no value: a lock calls them text, and what comes after is no change of type.
func (c *contrast) untyped(ctx context.Context, reference *contrastSide, current []table.Column) error {
	var names, items []string
	for _, col := range reference.columns {
		if is, changed := changeOf(col, current); changed && is != "" && col.Type == table.String {
			names, items = append(names, col.Name), append(items, "count("+engine.Ident(col.Name)+")")
		}
	}
	if len(names) == 0 {
		return nil
	}
	rows, err := c.db.Query(ctx, "select "+strings.Join(items, ", ")+" from "+reference.relation+" as d")
	if err != nil {
		return fmt.Errorf("reading %s: %w", reference.Name, err)
	}
	reference.columns = slices.Clone(reference.columns)
	for i, col := range reference.columns {
		if k := slices.Index(names, col.Name); k >= 0 && rows.Values[0][k] == int64(0) {
			reference.columns[i].Type = ""
		}
	}
	return nil
}

// changed describes the columns that are not what they were, with how many values each side has.
func (c *contrast) changed(ctx context.Context, reference, current contrastSide) ([]record.DriftColumn, error) {
	var out []record.DriftColumn
	for _, col := range reference.columns {
		if is, changed := changeOf(col, current.columns); changed && c.left[col.Name] == "" {
			out = append(out, drift.Change(c.column(col.Name, nil, nil), col.Type, is))
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	for side, s := range []contrastSide{reference, current} {
		items := make([]string, len(out))
		for k := range out {
			items[k] = valuesOf(out[k].Name, s.columns)
		}
		rows, err := c.db.Query(ctx, "select "+strings.Join(items, ", ")+" from "+s.relation+" as d")
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.Name, err)
		}
		for k := range out {
			n, _ := rows.Values[0][k].(int64)
			*[]*int{&out[k].NReference, &out[k].NCurrent}[side] = int(n)
		}
	}
	return out, nil
}

// valuesOf is the SQL of how many values a column has; NaN and infinities are none.
func valuesOf(name string, columns []table.Column) string {
	i := slices.IndexFunc(columns, func(c table.Column) bool { return c.Name == name })
	switch {
	case i < 0:
		return "count(null)"
	case columns[i].Type == table.Float64:
		return "count(case when isfinite(" + engine.Ident(name) + ") then 1 end)"
	}
	return "count(" + engine.Ident(name) + ")"
}

// inOrder puts the columns that are not what they were among the measured ones, in the reference's order.
func inOrder(reference []table.Column, measured, changed []record.DriftColumn, rows [2]int) []record.DriftColumn {
	missing := func(n, rows int) float64 {
		if rows == 0 {
			return 0
		}
		return float64(rows-n) / float64(rows)
	}
	for _, c := range changed {
		c.NullShareReference, c.NullShareCurrent = missing(c.NReference, rows[0]), missing(c.NCurrent, rows[1])
		measured = append(measured, c)
	}
	at := map[string]int{}
	for i, c := range reference {
		at[c.Name] = i
	}
	slices.SortStableFunc(measured, func(a, b record.DriftColumn) int { return cmp.Compare(at[a.Name], at[b.Name]) })
	return measured
}

// adopt gives columns without a value the type that they were pinned with, and the SQL that selects all of them so.
func adopt(now []table.Column, pinned []doc.LockColumn) ([]table.Column, string) {
	out := slices.Clone(now)
	var casts []string
	for i, c := range now {
		if c.Type != "" {
			continue
		}
		out[i].Type = table.String
		if k := slices.IndexFunc(pinned, func(p doc.LockColumn) bool { return p.Name == c.Name }); k >= 0 {
			out[i].Type = table.Type(pinned[k].Type)
		}
		casts = append(casts, fmt.Sprintf("cast(%s as %s) as %s", engine.Ident(c.Name), engine.TypeName(out[i].Type), engine.Ident(c.Name)))
	}
	if len(casts) == 0 {
		return out, "*"
	}
	return out, "* replace (" + strings.Join(casts, ", ") + ")"
}

// both keeps the pinned columns that the source still has, with values of the same kind, and the wider of two types of numbers: of others a trigger can't say
// anything.
func both(pinned []doc.LockColumn, now []table.Column) []doc.LockColumn {
	var out []doc.LockColumn
	for _, c := range pinned {
		is, changed := changeOf(table.Column{Name: c.Name, Type: table.Type(c.Type)}, now)
		if changed {
			continue
		}
		if is == table.Float64 {
			c.Type = string(is)
		}
		out = append(out, c)
	}
	return out
}

// blind says why a condition can't be judged: it reads columns that are not what they were. "" when it does not.
func blind(when string, pinned []doc.LockColumn, now []table.Column) string {
	e, err := rule.Parse(when, doc.TriggerEnv(&doc.Lock{Columns: pinned}, nil))
	if err != nil {
		return ""
	}
	changes := map[string]record.TypeChange{}
	for _, a := range e.Aggregates() {
		i := slices.IndexFunc(pinned, func(c doc.LockColumn) bool { return c.Name == a.Column })
		if i < 0 {
			continue
		}
		was := table.Column{Name: a.Column, Type: table.Type(pinned[i].Type)}
		if is, changed := changeOf(was, now); changed {
			changes[a.Column] = record.TypeChange{Was: string(was.Type), Is: string(is)}
		}
	}
	return brief.Changes(changes)
}
