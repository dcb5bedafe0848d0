package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
	"github.com/plumb-ml/plumb/internal/trigger"
)

// Triggers lists every trigger of the working folder with what it last did: plumb.triggers/v1. With check, false alarms are counted too.
func (p *Project) Triggers(ctx context.Context, monitor string, check bool) (*record.Triggers, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if err := t.sound(); err != nil {
		return nil, err
	}
	if monitor != "" && t.Docs.Monitors[monitor] == nil {
		return nil, problem.Wrongf("there are: "+list(keys(t.Docs.Monitors)), "there is no monitors/%s.toml", monitor)
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	w, err := p.workshop(ctx, t.Docs.Project)
	if err != nil {
		return nil, err
	}
	defer w.close()
	out := &record.Triggers{Schema: "plumb.triggers/v1", Triggers: []record.Trigger{}}
	for _, id := range keys(t.Docs.Monitors) {
		m := t.Docs.Monitors[id]
		if monitor != "" && id != monitor {
			continue
		}
		results := v.Monitors(id)
		for _, name := range m.Order {
			d := m.Triggers[name]
			one := record.Trigger{Monitor: id, Name: name, Dataset: m.Dataset, When: d.When, Then: d.Then, Window: m.Window, About: d.About}
			if n := len(results); n > 0 {
				if s, ok := results[n-1].Triggers[name]; ok {
					one.Last, one.Before = &s, results[n-1].Before.Format(time.RFC3339)
				}
			}
			if check {
				p.progress("%s: drawing windows in which nothing is wrong", name)
				if one.FalseAlarms, err = w.falseAlarms(ctx, t, m, d); err != nil {
					return nil, fmt.Errorf("trigger %s of monitor %s: %w", name, id, err)
				}
			}
			out.Triggers = append(out.Triggers, one)
		}
	}
	return out, nil
}

// falseAlarms draws windows from the pinned rows.
func (w *workshop) falseAlarms(ctx context.Context, t *Tree, m *doc.Monitor, d doc.Trigger) (*record.FalseAlarms, error) {
	lock, ds := t.Docs.Locks[m.Dataset], t.Docs.Datasets[m.Dataset]
	if lock == nil {
		return nil, problem.Wrongf("run `plumb data pin "+m.Dataset+"`", "dataset %s is not pinned", m.Dataset)
	}
	window, err := doc.Duration(m.Window)
	if err != nil {
		return nil, err
	}
	block := 24 * time.Hour
	if blockOf(window) == "hour" {
		block = time.Hour
	}
	env := doc.TriggerEnv(lock, ds)
	needed, err := trigger.Needed(d, env)
	if err != nil {
		return nil, err
	}
	sample, err := w.sample(ctx, t, ds, lock, needed, blockOf(window))
	if err != nil {
		return nil, err
	}
	blocks := int((window + block - 1) / block)
	if len(sample.Rows) < 2*blocks {
		return &record.FalseAlarms{Reason: fmt.Sprintf("%d %ss are pinned, and two windows take %d", len(sample.Rows), blockOf(window), 2*blocks)}, nil
	}
	rate, err := trigger.FalseAlarms(d, env, sample, window, blocks, driftSeed)
	if err != nil {
		return nil, err
	}
	return &record.FalseAlarms{PerYear: &rate.PerYear, Unknown: rate.Unknown, Windows: rate.Windows, Blocks: len(sample.Rows)}, nil
}

// sample reads the pinned rows' values by block of the event's time, the blocks in order. A block without rows is none.
func (w *workshop) sample(ctx context.Context, t *Tree, ds *doc.Dataset, lock *doc.Lock, needed []rule.Aggregate, block string) (trigger.Sample, error) {
	out := trigger.Sample{Values: map[string][][]float64{}}
	data, err := w.data(ctx, t, ds.ID)
	if err != nil {
		return out, err
	}
	items := []string{fmt.Sprintf("epoch_us(date_trunc('%s', cast(%s as timestamp))) as block", block, engine.Ident(ds.Time.Event))}
	for _, a := range needed {
		items = append(items, sampled(a, lock))
	}
	f, err := w.db.Frame(ctx, fmt.Sprintf("select %s from %s as d where %s is not null order by block", strings.Join(items, ", "), data.Relations[ds.ID], engine.Ident(ds.Time.Event)))
	if err != nil {
		return out, err
	}
	var starts []int
	for i, b := range f.Columns[0].Ints {
		if i == 0 || b != f.Columns[0].Ints[i-1] {
			starts = append(starts, i)
		}
	}
	for k, from := range starts {
		to := f.N
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		out.Rows = append(out.Rows, int64(to-from))
		for c, a := range needed {
			values := make([]float64, 0, to-from)
			for i := from; i < to; i++ {
				values = append(values, f.Columns[c+1].Float(i))
			}
			out.Values[trigger.Key(a)] = append(out.Values[trigger.Key(a)], values)
		}
	}
	return out, nil
}

// sampled is the SQL of the values that a number is worked out from. Different texts are different numbers.
func sampled(a rule.Aggregate, lock *doc.Lock) string {
	name := engine.Ident(a.Column)
	if a.Function == "share" {
		return "case when cast(" + name + " as varchar) = '" + strings.ReplaceAll(a.Share, "'", "''") + "' then 1.0::double else 0.0::double end"
	}
	at := slices.IndexFunc(dataset.Columns(lock), func(c table.Column) bool { return c.Name == a.Column })
	switch dataset.Columns(lock)[at].Type {
	case table.Float64:
		return "case when isfinite(" + name + ") then " + name + " end"
	case table.Int64, table.Decimal, table.Bool:
		return "cast(" + name + " as double)"
	}
	return "case when " + name + " is not null then cast(dense_rank() over (order by " + name + ") as double) end"
}
