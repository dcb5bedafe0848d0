package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// SweepOptions say what `plumb run --grid` does.
type SweepOptions struct {
	Experiment string
	Set        map[string]string // in every cell
	Grid       []Axis
	Jobs       int    // cells at a time; 0: as many as the machine has room for, one for a command learner
	By         string // the metric that chooses; "" is the model's first gate
	Test       bool   // show the test part too
	DryRun     bool
	Force      bool
	Save       string // the experiment to write the best cell to; "" writes nothing
}

// ErrStopped says that a sweep was interrupted. What it made is recorded.
var ErrStopped = errors.New("stopped by a signal")

// sweep is one on its way.
type sweep struct {
	p     *Project
	o     SweepOptions
	t     *Tree
	v     *ledger.View
	cells []cell
	runs  []record.Run // of each cell; no Inputs: it has none yet
	out   record.Sweep
	shop  *workshop              // opened when the first step needs it
	doing atomic.Pointer[string] // what some cell said last
}

// Matrix gives the cells of a grid as jobs of a CI. Nothing runs.
func (p *Project) Matrix(o SweepOptions) (record.Matrix, error) {
	s, err := p.sweep(o)
	if err != nil {
		return record.Matrix{}, err
	}
	return matrix(s.o.Experiment, s.cells, o.Grid)
}

// Sweep runs an experiment of the working folder over a grid of parameters: each cell is a private run of its own, and one that the ledger has is not
// run again, so a sweep that was interrupted goes on. The best is chosen on the valid part. A cell that fails is in the result, not in the error.
func (p *Project) Sweep(ctx context.Context, o SweepOptions) (*record.Sweep, error) {
	started := time.Now()
	s, err := p.sweep(o)
	if err != nil {
		return nil, err
	}
	if s.v, err = p.view(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if s.shop != nil {
			s.shop.close()
		}
	}()
	s.find()
	if !o.DryRun {
		if err := s.finish(ctx); err != nil {
			return nil, err
		}
	}
	s.out.Notes = append(s.out.Notes, p.movedData(ctx, s.t, s.o.Experiment)...)
	s.out.Seconds = time.Since(started).Seconds()
	return &s.out, nil
}

// finish runs what has no run, chooses, and writes the choice down.
func (s *sweep) finish(ctx context.Context) error {
	if err := s.run(ctx); err != nil {
		return err
	}
	if err := s.choose(ctx); err != nil {
		return err
	}
	return s.save()
}

// sweep reads the documents and plans the cells.
func (p *Project) sweep(o SweepOptions) (*sweep, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if err := t.sound(); err != nil {
		return nil, err
	}
	if o.Experiment, err = t.theExperiment(o.Experiment); err != nil {
		return nil, err
	}
	s := &sweep{p: p, o: o, t: t}
	e := t.Docs.Experiments[o.Experiment]
	m := t.Docs.Models[e.Model]
	s.out = record.Sweep{Schema: "plumb.sweep/v1", Experiment: o.Experiment, Model: m.ID, Task: m.Task, Cells: []record.SweepCell{},
		Ranking: []int{}, Notes: []string{}}
	if s.out.By, err = chooser(m, o.By); err != nil {
		return nil, err
	}
	if o.Save != "" {
		if err := t.saveable(o.Experiment, o.Save); err != nil {
			return nil, err
		}
	}
	if s.cells, err = t.combine(o.Experiment, o.Set, o.Grid); err != nil {
		return nil, err
	}
	s.out.Grid = axes(s.cells, o.Grid)
	s.out.Sweep, err = sweepID(o.Experiment, s.cells)
	return s, err
}

// sweepID is the same for the same cells on the same inputs, so that a sweep that goes on is one sweep.
func sweepID(experiment string, cells []cell) (string, error) {
	var inputs []string
	for _, c := range cells {
		inputs = append(inputs, c.key)
	}
	d, err := digest.Of(map[string]any{"experiment": experiment, "cells": inputs})
	if err != nil {
		return "", fmt.Errorf("naming the sweep: %w", err)
	}
	return strings.TrimPrefix(d, digest.Prefix)[:12], nil
}

// chooser finds the metric that decides: the named one, or the first gate of the contract, its first metric, the task's first.
func chooser(m *doc.Model, name string) (record.SweepBy, error) {
	known := metric.For(m.Task)
	by := record.SweepBy{Metric: name, Part: "valid", Why: "--by"}
	if name == "" {
		by.Metric, by.Why = known[0], "the first metric of a "+m.Task+" task"
		for _, level := range []string{"info", "guard", "gate"} {
			for _, of := range slices.Backward(m.Order) {
				if m.Metrics[of].Level == level && slices.Contains(known, of) {
					by.Metric, by.Why = of, "the first "+level+" of models/"+m.ID+".toml"
				}
			}
		}
	}
	if !slices.Contains(known, by.Metric) {
		hint := "a " + m.Task + " task has " + list(known)
		if near := problem.Nearest(by.Metric, known); near != "" {
			hint = "did you mean " + near + "? " + hint
		}
		return by, problem.Wrongf(hint, "a sweep can't choose by %q: it is not made from the scores of the valid part", by.Metric)
	}
	by.Direction = m.Metrics[by.Metric].Direction
	if spec, ok := metric.Lookup(by.Metric); ok && by.Direction == "" {
		by.Direction = spec.Direction
	}
	return by, nil
}

// find fills the cells, and looks up those that the ledger has.
func (s *sweep) find() {
	s.runs = make([]record.Run, len(s.cells))
	for i, c := range s.cells {
		out := record.SweepCell{Cell: i + 1, Set: c.value, Args: c.args, Status: "planned", Inputs: c.key}
		hits := slices.DeleteFunc(s.v.RunsByInputs(c.key), func(r record.Run) bool { return r.Status != "ok" })
		if len(hits) > 0 && !s.o.Force {
			out.Cached = true
			s.out.Cached++
			s.out.Cells = append(s.out.Cells, out)
			s.have(i, hits[0])
			continue
		}
		s.out.Cells = append(s.out.Cells, out)
	}
}

// have takes over a cell's run.
func (s *sweep) have(i int, run record.Run) {
	c := &s.out.Cells[i]
	s.runs[i] = run
	c.Status, c.Run, c.Valid, c.Seconds, c.Result = "ok", run.ID, run.Result.Valid, run.Timings.Total, run.Result.Digest
	if s.o.Test {
		c.Test = run.Result.Metrics
	}
	if v, ok := run.Result.Valid[s.out.By.Metric]; ok {
		c.Value = &v
	} else {
		c.Reason = s.out.By.Metric + " does not exist on its valid part"
	}
}

// better says whether a value is better than another, by the metric that chooses.
func (s *sweep) better(a, b float64) bool {
	if s.out.By.Metric == metric.Bias { // best at zero
		a, b = math.Abs(a), math.Abs(b)
	}
	if s.out.By.Direction == metric.Down {
		return a < b
	}
	return a > b
}

// ranked lists the cells that have a value, the best first; of equal ones the one that comes first in the grid.
func (s *sweep) ranked() []int {
	var order []int
	for i, c := range s.out.Cells {
		if c.Value != nil {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := *s.out.Cells[a].Value, *s.out.Cells[b].Value
		switch {
		case s.better(x, y):
			return -1
		case s.better(y, x):
			return 1
		}
		return cmp.Compare(a, b)
	})
	return order
}

// soFar is where a sweep is, for who waits.
func (s *sweep) soFar(took time.Duration, fresh, left int) string {
	var parts []string
	if order := s.ranked(); len(order) > 0 {
		best := s.out.Cells[order[0]]
		parts = append(parts, fmt.Sprintf("best so far %s %s (%s)", brief.Label(s.out.By.Metric), brief.Value(s.out.By.Metric, *best.Value), settingsOf(best.Set, s.out.Grid)))
	}
	if s.out.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", s.out.Failed))
	}
	if fresh > 0 && left > 0 {
		parts = append(parts, "about "+brief.Seconds(took.Seconds()/float64(fresh)*float64(left))+" left")
	}
	if doing := s.doing.Load(); doing != nil {
		parts = append(parts, *doing)
	}
	return strings.Join(parts, ", ")
}

// settingsOf writes a cell's values in the order of the grid.
func settingsOf(set map[string]any, grid []record.SweepAxis) string {
	var parts []string
	for _, a := range grid {
		parts = append(parts, fmt.Sprintf("%s=%v", a.Param, set[a.Param]))
	}
	return strings.Join(parts, " ")
}
