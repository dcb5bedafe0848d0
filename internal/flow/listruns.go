package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// RunsOptions select runs.
type RunsOptions struct {
	Experiment, Model string
	Sweep             string   // its id, or the beginning of it
	Where             string   // an expression that must be true
	Sort              []string // expressions, the first one first; "-" before one turns it round. Default: the newest first
	Columns           []string // names or expressions to show; none: the usual ones
	Wide              bool     // without Columns: all that an export has
	Limit             int      // 0: all
}

// RunList is what was asked for: plumb.runs/v1.
type RunList struct {
	Schema     string              `json:"schema"`
	Total      int                 `json:"total"`    // that the filters let through
	Recorded   int                 `json:"recorded"` // all that there are
	Runs       []record.RunSummary `json:"runs"`
	Unreadable int                 `json:"unreadable"` // records of runs that were left out; `plumb verify` says why
	Notes      []string            `json:"notes,omitempty"`
	Columns    []table.Column      `json:"-"` // of Rows, where RunsOptions.Columns asked for some
	Rows       [][]any             `json:"-"` // one a run
}

// Runs lists recorded runs.
func (p *Project) Runs(ctx context.Context, o RunsOptions) (*RunList, error) {
	v, err := p.glance(ctx)
	if err != nil {
		return nil, err
	}
	out, err := p.listRuns(ctx, v, o)
	if errors.Is(err, index.ErrUnusable) { // a damaged column shows when it is read
		p.Ledger.DropIndexes()
		out, err = p.listRuns(ctx, v, o)
	}
	return out, err
}

func (p *Project) listRuns(ctx context.Context, v *ledger.View, o RunsOptions) (*RunList, error) {
	t, done, err := v.RunTable(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	q := newQuery(t, func() *doc.Set { return load(os.DirFS(p.Root)) })
	rows := t.Rows()
	out := &RunList{Schema: "plumb.runs/v1", Recorded: len(rows), Runs: []record.RunSummary{}, Unreadable: v.Unread()}
	if rows, out.Notes, err = q.filter(rows, o); err != nil {
		return nil, err
	}
	out.Total = len(rows)
	if err := q.sort(rows, o.Sort); err != nil {
		return nil, err
	}
	if o.Limit > 0 && len(rows) > o.Limit {
		rows = rows[:o.Limit]
	}
	if out.Runs, err = q.summaries(rows); err != nil {
		return nil, err
	}
	if o.Wide && len(o.Columns) == 0 {
		o.Columns, err = q.wide(rows)
	}
	if err == nil && len(o.Columns) > 0 {
		out.Columns, out.Rows, err = q.show(rows, o.Columns)
	}
	for i := range out.Rows {
		if o.Wide {
			break // an export has no use for both
		}
		out.Runs[i].Columns = map[string]any{}
		for j, c := range out.Columns {
			out.Runs[i].Columns[c.Name] = out.Rows[i][j]
		}
	}
	return out, err
}

// filter keeps the runs that pass. What a run does not have makes a comparison unknown, and unknown does not pass.
func (q *query) filter(rows []int, o RunsOptions) (passed []int, notes []string, err error) {
	for _, f := range []struct {
		column, want string
		prefix       bool
	}{{"experiment", o.Experiment, false}, {"model", o.Model, false}, {"sweep", o.Sweep, true}} {
		if f.want == "" {
			continue
		}
		c, err := q.t.Column(f.column, table.String)
		if err != nil {
			return nil, nil, err
		}
		rows = slices.DeleteFunc(rows, func(r int) bool {
			text := c.Text(r)
			return text != f.want && !(f.prefix && text != "" && strings.HasPrefix(text, f.want))
		})
	}
	if o.Where == "" {
		return rows, nil, nil
	}
	parsed, err := q.parse(o.Where)
	if err != nil {
		q.assumeParams()
		parsed, err = q.parse(o.Where)
	}
	if err == nil && parsed.Type() != table.Bool {
		err = &rule.Error{Msg: "a filter is true or false, and this is a " + string(parsed.Type()), Hint: `compare it, as in auc > 0.64`}
	}
	if err != nil {
		return nil, nil, wrongExpression("--where", o.Where, err)
	}
	where, err := q.ready(parsed)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) > 0 {
		for _, name := range q.unknown(where, rows) {
			notes = append(notes, fmt.Sprintf("no run has %s: it was not given, and is no parameter of a built-in learner that ran", name))
		}
	}
	return slices.DeleteFunc(rows, func(r int) bool { return q.value(where, r) != true }), notes, nil
}

// summaries gives runs as plumb.runs/v1 has them.
func (q *query) summaries(rows []int) ([]record.RunSummary, error) {
	out := make([]record.RunSummary, len(rows))
	for i := range out {
		out[i] = record.RunSummary{Params: map[string]any{}, Metrics: map[string]float64{}, Valid: map[string]float64{}, Tags: map[string]string{}, Private: rows[i] >= q.t.OwnFrom}
	}
	if len(rows) == 0 {
		return out, nil
	}
	for _, name := range q.t.Names() {
		c, err := q.t.Column(name.Name, name.Type)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			if v := c.At(r); v != nil {
				summarise(&out[i], name.Name, v)
			}
		}
	}
	return out, nil
}

// summarise puts a column's value where the summary has it; columns that it does not have are left out.
func summarise(s *record.RunSummary, name string, v any) {
	if prefix, rest, ok := strings.Cut(name, "."); ok {
		number, _ := v.(float64)
		switch prefix {
		case "metrics":
			s.Metrics[rest] = number
		case "valid":
			s.Valid[rest] = number
		case "params":
			s.Params[rest] = v
		case "operations":
			if s.Operations == nil {
				s.Operations = map[string]float64{}
			}
			s.Operations[rest] = number
		case "set":
			if s.Set == nil {
				s.Set = map[string]any{}
			}
			s.Set[rest] = v
		}
		return
	}
	text, _ := v.(string)
	switch name {
	case "id":
		s.ID = text
	case "experiment":
		s.Experiment = text
	case "model":
		s.Model = text
	case "task":
		s.Task = text
	case "status":
		s.Status = text
	case "commit":
		s.Commit = text
	case "time":
		if at, ok := v.(time.Time); ok {
			s.Time = at.UTC().Format("2006-01-02T15:04:05Z")
		}
	case "actor", "learner", "who", "sweep":
		s.Tags[name] = text
	}
}

// show gives the columns that were asked for: a name as it was recorded, or an expression.
func (q *query) show(rows []int, columns []string) ([]table.Column, [][]any, error) {
	out := make([][]any, len(rows))
	for i := range out {
		out[i] = make([]any, len(columns))
	}
	names := make([]table.Column, len(columns))
	for j, src := range columns {
		value, typ, err := q.shown(src)
		if err != nil {
			return nil, nil, err
		}
		names[j] = table.Column{Name: src, Type: typ}
		for i, r := range rows {
			v := value(r)
			switch x := v.(type) {
			case float64:
				if math.IsNaN(x) || math.IsInf(x, 0) {
					v = nil
				}
			case rule.Duration:
				v = int64(x)
			}
			out[i][j] = v
		}
	}
	return names, out, nil
}

func (q *query) shown(src string) (func(row int) any, table.Type, error) {
	if q.typed[src] == nil {
		q.assumeParams()
	}
	if q.typed[src] != nil {
		in, err := q.columns(src)
		typ := index.JSON // of several types: as text
		if choices := q.choices(src); len(choices) == 1 && len(q.typed[src]) <= 2 {
			typ = choices[0]
		}
		return func(row int) any { return q.at(in, row) }, typ, err
	}
	parsed, err := q.parse(src)
	if err != nil {
		return nil, "", wrongExpression("--columns", src, err)
	}
	e, err := q.ready(parsed)
	if err != nil {
		return nil, "", err
	}
	return func(row int) any { return q.value(e, row) }, parsed.Type(), nil
}
