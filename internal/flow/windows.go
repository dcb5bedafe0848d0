package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// windows finds each monitor's last full window. Windows of a length tile time from a Monday on, whenever the clock of the CI strikes; those that
// nobody looked at in between are counted.
func (w *watch) windows(context.Context) (string, error) {
	if len(w.head.Docs.Monitors) == 0 {
		return "", skip("there is no monitors/*.toml")
	}
	var waiting []string
	for _, id := range keys(w.head.Docs.Monitors) {
		m := w.head.Docs.Monitors[id]
		if w.head.Docs.Locks[m.Dataset] == nil {
			return "", problem.Wrongf("run `plumb data pin "+m.Dataset+"`", "monitor %s: dataset %s is not pinned", id, m.Dataset)
		}
		length, err := doc.Duration(m.Window)
		if err != nil {
			return "", fmt.Errorf("monitor %s: %w", id, err)
		}
		d := &due{monitor: m}
		d.result = record.Monitor{Header: w.p.header(record.KindMonitor, w.head), Monitor: id, Dataset: m.Dataset, Before: w.p.now().Truncate(length)}
		d.result.From = d.result.Before.Add(-length)
		if past := w.view.Monitors(id); len(past) > 0 {
			last := past[len(past)-1].Before
			if !last.Before(d.result.Before) {
				waiting = append(waiting, fmt.Sprintf("%s: the window to %s was looked at", id, last.Format(time.DateOnly)))
				continue
			}
			d.result.Missed = int(d.result.Before.Sub(last)/length) - 1
		}
		w.due = append(w.due, d)
	}
	if len(w.due) == 0 {
		return "", skip(list(waiting))
	}
	var said []string
	for _, d := range w.due {
		said = append(said, fmt.Sprintf("%s: %s to %s", d.monitor.ID, d.result.From.Format(time.DateOnly), d.result.Before.Format(time.DateOnly)))
	}
	return list(said), nil
}

// read lays out the rows of both sides: the window of the source as it is now, and the pinned rows before it.
func (w *watch) read(ctx context.Context) (string, error) {
	if len(w.due) == 0 {
		return "", skip("nothing is due")
	}
	var err error
	if w.shop, err = w.p.workshop(ctx, w.head.Docs.Project); err != nil {
		return "", err
	}
	var said []string
	w.due = slices.DeleteFunc(w.due, func(d *due) bool {
		if err := w.readOne(ctx, d); err != nil {
			w.lost = append(w.lost, fmt.Errorf("monitor %s: %w", d.monitor.ID, err))
			said = append(said, d.monitor.ID+": its rows can't be read")
			return true
		}
		said = append(said, fmt.Sprintf("%s: %s", d.monitor.ID, countOf(int(d.result.Rows), "row")))
		return false
	})
	if len(w.due) == 0 || ctx.Err() != nil {
		return "", errors.Join(w.lost...)
	}
	return list(said), nil
}

func (w *watch) readOne(ctx context.Context, d *due) error {
	ds := w.head.Docs.Datasets[d.monitor.Dataset]
	data, err := w.shop.data(ctx, w.head, ds.ID)
	if err != nil {
		return err
	}
	source, columns, err := dataset.Now(ctx, w.shop.db, w.p.Root, ds)
	if err != nil {
		return err
	}
	var items string
	d.columns, items = adopt(columns, w.head.Docs.Locks[ds.ID].Columns)
	event := "cast(" + engine.Ident(ds.Time.Event) + " as timestamp)"
	since := ""
	if length, err := doc.Duration(d.monitor.Reference); err == nil {
		since = fmt.Sprintf(" and %s >= %s", event, timestamp(d.result.From.Add(-length)))
	}
	from, before := timestamp(d.result.From), timestamp(d.result.Before)
	if d.reference, err = w.keep(ctx, fmt.Sprintf("select * from %s as d where %s < %s%s", data.Relations[ds.ID], event, from, since), &d.result.Reference); err != nil {
		return err
	}
	d.current, err = w.keep(ctx, fmt.Sprintf("select %s from %s as d where %s >= %s and %s < %s", items, source, event, from, event, before), &d.result.Rows)
	return err
}

// keep copies rows into a table and counts them.
func (w *watch) keep(ctx context.Context, query string, rows *int64) (string, error) {
	name, _, err := w.shop.db.Keep(ctx, query) // dropped with the engine
	if err != nil {
		return "", err
	}
	n, err := w.shop.db.Query(ctx, "select count(*) from "+name)
	if err == nil {
		*rows, _ = n.Values[0][0].(int64)
	}
	return name, err
}
