package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// timed refuses files that lack the event, or hold something in it that is no time.
func (p *pinner) timed(ctx context.Context, looks []look) error {
	event := p.ds.Time.Event
	if event == "" {
		return nil
	}
	with := ""
	var without []string
	for i, name := range p.names {
		has, err := p.hasEvent(ctx, name, looks[i])
		switch {
		case err != nil:
			return err
		case !has:
			without = append(without, name)
		case with == "":
			with = name
		}
	}
	switch {
	case len(without) > 0 && with == "":
		return problem.Wrongf("the files have the event of their rows, or "+p.ds.Path+" names another column", "%s has no column %q, the event of %s", without[0], event, p.ds.Path)
	case len(without) > 0:
		return problem.Wrongf("all files of a dataset have the same columns", "%s has no column %q, which %s has", without[0], event, with)
	}
	for i, name := range p.names {
		if err := p.allTimes(ctx, name, looks[i]); err != nil {
			return err
		}
	}
	return nil
}

// hasEvent says whether a file has the event's column. A file of JSON lines has a key when a row has it.
func (p *pinner) hasEvent(ctx context.Context, name string, l look) (bool, error) {
	c := l.find(p.ds.Time.Event)
	if p.format != engine.JSON || l.rows == 0 {
		return c.Name != "", nil
	}
	if c.Type == "" || p.declared(c.Name) == "" {
		return c.Type != "", nil
	}
	rows, err := p.db.Query(ctx, fmt.Sprintf("select count(%s) from %s", engine.Ident(c.Name), engine.Raw([]string{p.file(name)}, p.format, []table.Column{c.Column})))
	if err != nil {
		return false, inFile(name, err)
	}
	return rows.Values[0][0] != int64(0), nil
}

// allTimes names the first value of the event that is no time. Where the document declares the type, enforce does.
func (p *pinner) allTimes(ctx context.Context, name string, l look) error {
	c := l.find(p.ds.Time.Event)
	text := engine.Ident(c.Name)
	switch {
	case p.declared(c.Name) != "" || c.Type == table.Date || c.Type == table.Timestamp || l.rows == 0:
		return nil
	case c.Type == "":
		return problem.Wrongf("write when each row is of", "%s: column %q, the event, has no value", name, c.Name)
	case p.format != engine.Parquet:
		text = p.text(c.Name)
	case c.Type != table.String:
		return problem.Wrongf("write it as a time", "%s: column %q is %s, which is no time", name, c.Name, strings.ToLower(c.Raw))
	}
	columns := make([]table.Column, len(l.columns))
	for i, s := range l.columns {
		columns[i] = s.Column
	}
	rows, err := p.db.Query(ctx, fmt.Sprintf("select min(%s) from %s where %s <> '' and not %s", engine.RowID, p.numbered(name, columns), text,
		matches(text, patterns[table.Timestamp], table.Timestamp)))
	if err != nil {
		return inFile(name, err)
	}
	if row, found := rows.Values[0][0].(int64); found {
		return problem.Wrongf("mend the value", "%s: column %q, the event, holds a value that is no time", p.position(name, row), c.Name)
	}
	return nil
}
