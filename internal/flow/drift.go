package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// DriftOptions say what is compared with what.
type DriftOptions struct {
	Dataset string // "" when the project has one only
	Window  string // a duration; "" is 7d

}

// driftWindow is the window that nobody named.
const driftWindow = "7d"

// Drift compares the last complete window of a dataset's source, as it is now, with the pinned rows before it. Rows of one day move together,
// or of one hour when the window is shorter than a day. Without a time, the window ends with the newest day of the source.
func (p *Project) Drift(ctx context.Context, o DriftOptions) (*record.Drift, error) {
	t, w, ds, err := p.pinned(ctx, o.Dataset)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if ds.Time.Event == "" {
		return nil, problem.Wrongf("set [time] event in "+ds.Path+", or compare two files: plumb drift OLD NEW", "dataset %s has no event time, so it has no windows", ds.ID)
	}
	if o.Window == "" {
		o.Window = driftWindow
	}
	length, err := doc.Duration(o.Window)
	if err != nil || length <= 0 {
		return nil, problem.Wrongf("for example --window 28d", "--window %q is not a duration", o.Window)
	}
	data, err := w.data(ctx, t, ds.ID)
	if err != nil {
		return nil, err
	}
	p.progress("%s: reading the source as it is now", ds.ID)
	source, columns, err := dataset.Now(ctx, w.db, p.Root, ds)
	if err != nil {
		return nil, err
	}
	c := p.contrast(ctx, w, t, ds)
	from, before, err := c.window(ctx, source, ds.Time.Event, length, p.opt.Now)
	if err != nil {
		return nil, err
	}
	c.grouped(ds.Time.Event, length)
	event := "cast(" + engine.Ident(ds.Time.Event) + " as timestamp)"
	reference := contrastSide{DriftSide: record.DriftSide{Name: ds.ID + " as pinned", Before: from.Format(time.RFC3339)}, columns: dataset.Columns(t.Docs.Locks[ds.ID]),
		relation: fmt.Sprintf("(select * from %s as d where %s < %s)", data.Relations[ds.ID], event, timestamp(from))}
	current := contrastSide{DriftSide: record.DriftSide{Name: ds.ID + " now", From: from.Format(time.RFC3339), Before: before.Format(time.RFC3339)}, columns: columns,
		relation: fmt.Sprintf("(select * from %s as d where %s >= %s and %s < %s)", source, event, timestamp(from), event, timestamp(before))}
	return c.judge(ctx, reference, current)
}

// contrast compares rows of one dataset: what it knows of the columns comes from the documents and from the champions' runs.
func (p *Project) contrast(ctx context.Context, w *workshop, t *Tree, ds *doc.Dataset) *contrast {
	return &contrast{db: w.db, progress: p.progress, public: func(column string) bool { return ds.Columns[column].Public }, left: map[string]string{},
		importance: p.importances(ctx, t, ds.ID), targets: targetsOf(t.Docs, ds.ID)}
}

// grouped makes the rows of one day of the event move together, or of one hour in windows shorter than a day.
func (c *contrast) grouped(event string, window time.Duration) {
	c.left[event] = "it says which window a row is in"
	c.group = fmt.Sprintf("epoch_us(date_trunc('%s', cast(%s as timestamp)))", blockOf(window), engine.Ident(event))
}

// DriftFiles compares two files of rows; it needs no project. group names a column whose equal values mark rows that move together, "" when
// every row moves on its own. Values are shown: the files are the caller's own.
func DriftFiles(ctx context.Context, reference, current, group string, progress func(string)) (*record.Drift, error) {
	temp, err := os.MkdirTemp("", "plumb-drift-")
	if err != nil {
		return nil, fmt.Errorf("making a temporary folder: %w", err)
	}
	defer os.RemoveAll(temp)
	var files [2]string
	for i, name := range []string{reference, current} {
		if files[i], err = filepath.Abs(name); err != nil {
			return nil, err
		}
		if info, err := os.Stat(files[i]); err != nil || info.IsDir() {
			return nil, problem.Wrongf("two files of Parquet, CSV or JSON lines: plumb drift OLD NEW", "there is no file %s", name)
		}
	}
	db, err := engine.Open(ctx, engine.Options{Read: files[:], Temp: temp})
	if err != nil {
		return nil, fmt.Errorf("starting the engine: %w", err)
	}
	defer db.Close()
	c := contrast{db: db, public: func(string) bool { return true }, left: map[string]string{},
		progress: func(format string, args ...any) { progress(fmt.Sprintf(format, args...)) }}
	if group != "" {
		c.group, c.left[group] = "cast("+engine.Ident(group)+" as varchar)", "it says which rows move together"
	}
	var sides [2]contrastSide
	for i, file := range files {
		c.progress("reading %s", filepath.Base(file))
		ds := &doc.Dataset{Source: doc.Source{Path: filepath.Base(file)}}
		ds.ID = filepath.Base(file)
		sides[i].Name = ds.ID
		if sides[i].relation, sides[i].columns, err = dataset.Now(ctx, db, filepath.Dir(file), ds); err != nil {
			return nil, err
		}
		if group != "" && !slices.ContainsFunc(sides[i].columns, func(c table.Column) bool { return c.Name == group }) {
			return nil, problem.Wrongf("name a column of both files", "%s has no column %q", ds.ID, group)
		}
	}
	return c.judge(ctx, sides[0], sides[1])
}

// window gives the last complete window of a relation: it ends at the last midnight (or full hour) that is not after now, or without a time
// right after the newest row's day (or hour).
func (c *contrast) window(ctx context.Context, relation, event string, length time.Duration, now time.Time) (from, before time.Time, err error) {
	step := 24 * time.Hour
	if blockOf(length) == "hour" {
		step = time.Hour
	}
	if now.IsZero() {
		rows, err := c.db.Query(ctx, fmt.Sprintf("select max(case when isfinite(t) then t end) from (select cast(%s as timestamp) as t from %s as d)", engine.Ident(event), relation))
		if err != nil {
			return from, before, err
		}
		newest, ok := rows.Values[0][0].(time.Time)
		if !ok {
			return from, before, problem.Wrongf("", "no row has a time in %s", event)
		}
		now = newest.Add(step)
	}
	before = now.UTC().Truncate(step)
	return before.Add(-length), before, nil
}

func blockOf(window time.Duration) string {
	if window < 24*time.Hour {
		return "hour"
	}
	return "day"
}

func timestamp(t time.Time) string {
	return "timestamp '" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'"
}

// targetsOf lists the columns that the labels of a dataset's models are made of.
func targetsOf(docs *doc.Set, id string) map[string]bool {
	out := map[string]bool{}
	for _, m := range docs.Models {
		if m.Question.Dataset != id {
			continue
		}
		label, err := rule.Parse(m.Question.Label, doc.Environment(docs.Locks[id], docs.Datasets[id]))
		if err != nil {
			continue
		}
		for _, column := range label.Columns() {
			out[column] = true
		}
	}
	return out
}

// importances gives what the champions on a dataset make of its columns, the largest where there are several; nil where no run is known.
func (p *Project) importances(ctx context.Context, t *Tree, id string) map[string]float64 {
	v, err := p.view(ctx)
	if err != nil {
		return nil
	}
	out := map[string]float64{}
	for _, model := range slices.Sorted(maps.Keys(t.Docs.Models)) {
		m := t.Docs.Models[model]
		if m.Question.Dataset != id || m.Champion == "" {
			continue
		}
		for _, run := range v.RunsByInputs(served(t.Docs, m.Champion)) {
			var detail record.Detail
			data, err := p.Store.Get(ctx, run.Detail)
			if err != nil || json.Unmarshal(data, &detail) != nil {
				continue // an order of a table is lost, not a finding
			}
			for name, x := range detail.Importance {
				out[name] = max(out[name], x)
			}
			break
		}
	}
	return out
}
