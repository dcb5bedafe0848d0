package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/table"
)

// Now gives the rows of a dataset's source as they are, as SQL in brackets with row_id first, and their columns: for looking at what is not pinned. Errors are
// Pin's, but for one: files that do not agree on their columns, or with the document, are read all the same, because that a feed has changed is what one looks
// for. A column that a file lacks is null in its rows, and of types that do not fit the last file's counts; a column without a single value has the type "".
// Every file has the event, and times in it: rows without one are in no window, and nobody would miss them.
func Now(ctx context.Context, db *engine.DB, root string, ds *doc.Dataset) (relation string, columns []table.Column, err error) {
	names, err := expand(root, ds.Source.Path)
	if err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", ds.ID, err)
	}
	p := pinner{db: db, root: root, ds: ds, names: names}
	if p.format, err = formatOf(names); err == nil {
		relation, columns, err = p.now(ctx)
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", ds.ID, p.local(err))
	}
	return relation, columns, nil
}

func (p *pinner) now(ctx context.Context) (string, []table.Column, error) {
	looks, err := p.looks(ctx)
	if err != nil {
		return "", nil, err
	}
	if err := p.timed(ctx, looks); err != nil {
		return "", nil, err
	}
	shapes := p.shapes(looks)
	var all []table.Column
	for i := range shapes {
		if err := shapes[i].settle(ctx); err != nil {
			return "", nil, err
		}
		all = widened(all, shapes[i].columns)
	}
	if len(shapes) == 1 {
		return engine.Scan(p.paths(), p.format, all), all, nil
	}
	parts, idents := make([]string, len(shapes)), make([]string, len(all))
	for i, s := range shapes {
		parts[i] = s.as(all)
	}
	for i, c := range all {
		idents[i] = engine.Ident(c.Name)
	}
	return fmt.Sprintf("(select (row_number() over ()) - 1 as %s, %s from (%s))", engine.RowID, strings.Join(idents, ", "), strings.Join(parts, " union all by name ")), all, nil
}

// shape is files that have the same columns.
type shape struct {
	pinner
	looks   []look
	columns []table.Column
}

// shapes groups files by the names of their columns, and by their types where those do not fit. The last file is in the last group.
func (p *pinner) shapes(looks []look) []shape {
	named := p.group(looks, func(c sniffed) string { return c.Name })
	var out []shape
	for _, s := range named {
		if _, err := s.merge(s.looks); err == nil {
			out = append(out, s)
			continue
		}
		out = append(out, s.group(s.looks, func(c sniffed) string { return c.Name + " " + string(c.Type) + c.Raw })...)
	}
	return out
}

// group puts files together whose columns say the same, in the order of the last of each.
func (p *pinner) group(looks []look, say func(sniffed) string) []shape {
	var out []shape
	at := map[string]int{}
	for i := range slices.Backward(looks) {
		said := make([]string, len(looks[i].columns))
		for k, c := range looks[i].columns {
			said[k] = say(c)
		}
		if p.format != engine.CSV { // read by name, so the order is nobody's business
			slices.Sort(said)
		}
		key := strings.Join(said, "\x00")
		if _, ok := at[key]; !ok {
			at[key] = len(out)
			out = append(out, shape{pinner: *p})
			out[len(out)-1].names = nil
		}
		s := &out[at[key]]
		s.names, s.looks = append(s.names, p.names[i]), append(s.looks, looks[i])
	}
	for i := range out {
		slices.Reverse(out[i].names)
		slices.Reverse(out[i].looks)
	}
	slices.Reverse(out)
	return out
}

func (s *shape) settle(ctx context.Context) (err error) {
	if s.columns, err = s.merge(s.looks); err != nil {
		return err
	}
	return s.enforce(ctx, s.columns, s.looks)
}

// widened adds the columns of later files.
func widened(all, later []table.Column) []table.Column {
	for _, c := range later {
		i := slices.IndexFunc(all, func(a table.Column) bool { return a.Name == c.Name })
		if i < 0 {
			all = append(all, c)
		} else if t, ok := join(sniffed{Column: all[i]}, sniffed{Column: c}); ok {
			all[i].Type = t
		} else {
			all[i].Type = c.Type
		}
	}
	return all
}

// as selects the files' rows with the types that all have together.
func (s *shape) as(all []table.Column) string {
	items := make([]string, len(s.columns))
	for i, c := range s.columns {
		name := engine.Ident(c.Name)
		items[i] = name
		if t := all[slices.IndexFunc(all, func(a table.Column) bool { return a.Name == c.Name })].Type; t != c.Type {
			items[i] = fmt.Sprintf("try_cast(%s as %s) as %s", name, engine.TypeName(t), name)
		}
	}
	return "select " + strings.Join(items, ", ") + " from " + engine.Rows(s.paths(), s.format, s.columns)
}
