package flow

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// cells that end within so long of each other are recorded together: a record of its own would cost a quick one more than its training.
const recordEvery = 2 * time.Second

// maxTogether is how many cells are kept in memory until they are recorded.
const maxTogether = 50

// finished is a cell that ran, or failed to.
type finished struct {
	cell int
	x    *execution
	err  error
}

// run runs the cells that the ledger does not have. When ctx ends, what is finished is recorded, and the rest is left.
func (s *sweep) run(ctx context.Context) error {
	var todo []int
	for i, c := range s.out.Cells {
		if !c.Cached {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	w, err := s.workshop(ctx)
	if err != nil {
		return err
	}
	s.p.progress("sweep of %s: reading rows and features", s.o.Experiment)
	start := time.Now()
	read, err := w.sheet(ctx, s.t, s.o.Experiment)
	if err != nil {
		return err
	}
	read.keep([]trainset.Part{trainset.Train}, []trainset.Part{trainset.Valid}, []trainset.Part{trainset.Test, trainset.Valid})
	s.out.Jobs = s.jobs(read, len(todo))
	working, stop := context.WithCancel(ctx)
	defer stop()
	results := s.start(working, todo, reading{read, time.Since(start)})
	err = s.collect(ctx, results, len(todo))
	stop()
	for range results { // after an error of recording: workers end before the engine does
		continue
	}
	return err
}

// start lets as many workers as there are jobs take cells, each with its share of the cores. A training gives the same bits on any number of cores, so
// how many work at a time changes no result.
func (s *sweep) start(ctx context.Context, todo []int, read reading) <-chan finished {
	results, next := make(chan finished), make(chan int)
	go func() {
		defer close(next)
		for _, i := range todo {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	quiet := *s.p // the sweep says how far it is; what a cell does is a part of that
	quiet.opt.Progress = func(msg string) { s.doing.Store(&msg) }
	var working sync.WaitGroup
	for range s.out.Jobs {
		shop := *s.shop
		shop.p, shop.threads = &quiet, max(1, runtime.NumCPU()/s.out.Jobs)
		working.Go(func() {
			for i := range next {
				x, err := shop.cell(ctx, s, i, read)
				results <- finished{i, x, err}
			}
		})
	}
	go func() {
		working.Wait()
		close(results)
	}()
	return results
}

// cell answers one. A panic is its failure, not the sweep's: other cells are worth hours.
func (w *workshop) cell(ctx context.Context, s *sweep, i int, read reading) (x *execution, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the learner broke: %v", r)
		}
	}()
	t := *s.t
	t.Docs, t.Dirty = s.cells[i].docs, true
	if x, err = w.answer(ctx, &t, s.o.Experiment, read); err != nil {
		return nil, err
	}
	x.model = nil // its bytes are enough until it is recorded
	x.run.Sweep, x.run.Set = s.out.Sweep, map[string]any{}
	for k, v := range s.cells[i].set {
		x.run.Set[k] = v
	}
	return x, nil
}

// collect records what comes, soon but not one by one.
func (s *sweep) collect(ctx context.Context, results <-chan finished, many int) error {
	var batch []finished
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	start, left := time.Now(), many
	flush := func() error {
		err := s.record(context.WithoutCancel(ctx), batch)
		batch = nil
		return err
	}
	s.p.progress("sweep of %s", s.o.Experiment)
	for {
		s.p.meter(len(s.cells)-left, len(s.cells), s.soFar(time.Since(start), many-left, left))
		select {
		case f, more := <-results:
			switch {
			case !more:
				if err := flush(); err != nil || ctx.Err() == nil {
					return err
				}
				return s.stopped()
			case f.err != nil && ctx.Err() != nil: // it was stopped, it did not fail
				continue
			case f.err != nil:
				s.fail(f)
			default:
				batch = append(batch, f)
				s.out.Made++
				s.have(f.cell, f.x.run)
			}
			left--
			if len(batch) < maxTogether {
				continue
			}
		case <-tick.C:
		}
		if err := flush(); err != nil {
			return err
		}
	}
}

func (s *sweep) fail(f finished) {
	s.out.Failed++
	c := &s.out.Cells[f.cell]
	text, _, _ := strings.Cut(f.err.Error(), "\n")
	c.Status, c.Error = "failed", fmt.Sprintf("%.500s", text)
}

// stopped is the end of a sweep that was interrupted.
func (s *sweep) stopped() error {
	done := s.out.Cached + s.out.Made
	return problem.Failedf("the same command goes on with the rest; `plumb runs --sweep "+s.out.Sweep+"` lists what there is",
		"%w: %d of %d cells are recorded", ErrStopped, done, len(s.cells))
}

// record stores and records finished cells: their blobs in one go, then their records.
func (s *sweep) record(ctx context.Context, batch []finished) error {
	if len(batch) == 0 {
		return nil
	}
	var blobs []store.Blob
	for _, f := range batch {
		blobs = append(blobs, f.x.blobs...)
	}
	stored, err := s.p.Store.Put(ctx, blobs)
	if err != nil {
		return fmt.Errorf("storing %s: %w", countOf(len(batch), "cell"), err)
	}
	var files []ledger.File
	for _, f := range batch {
		run := f.x.run
		located(stored, pointersOf(&run)...)
		path, data, err := record.Encode(run)
		if err != nil {
			return fmt.Errorf("writing the record of cell %d: %w", f.cell+1, err)
		}
		files = append(files, ledger.File{Path: path, Data: data})
		run.ID = idOf(path)
		s.have(f.cell, run)
	}
	if err := s.p.Ledger.AppendPrivate(ctx, files); err != nil {
		return fmt.Errorf("recording %s: %w", countOf(len(batch), "cell"), err)
	}
	return nil
}
