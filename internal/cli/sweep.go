package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

// sweepFlags are those of `plumb run` that only a sweep reads.
type sweepFlags struct {
	grid   []string
	jobs   int
	by     string
	matrix bool
	test   bool
}

func (f *sweepFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.grid, "grid", nil, "values of a parameter to try, as rounds=100,200 (repeatable: every combination)")
	c.Flags().IntVar(&f.jobs, "jobs", 0, "with --grid: cells at a time (default: as many as there are cores and memory; 1 for a command learner)")
	c.Flags().StringVar(&f.by, "by", "", "with --grid: the metric of the valid part that chooses (default: the model's first gate)")
	c.Flags().BoolVar(&f.matrix, "matrix", false, "with --grid: print the cells as a matrix for GitHub Actions, and run nothing")
	c.Flags().BoolVar(&f.test, "test", false, "with --grid: show the test part too, by which nothing is chosen")
}

// check refuses flags that mean nothing together.
func (f *sweepFlags) check(c *cobra.Command) error {
	if len(f.grid) == 0 {
		for _, name := range []string{"jobs", "by", "matrix", "test"} {
			if c.Flags().Changed(name) {
				return problem.Wrongf("for example --grid rounds=100,200 --"+name, "--%s is for a sweep, and there is no --grid", name)
			}
		}
		return nil
	}
	if c.Flags().Changed("jobs") && f.jobs < 1 {
		return problem.Wrongf("leave it out for as many as there are cores", "--jobs %d is less than one", f.jobs)
	}
	return nil
}

// sweep runs an experiment over a grid, or prints its matrix.
func (a *app) sweep(c *cobra.Command, f sweepFlags, run flow.RunOptions) error {
	o := flow.SweepOptions{Experiment: run.Experiment, Set: run.Set, Jobs: f.jobs, By: f.by, Test: f.test, DryRun: run.DryRun, Force: run.Force, Save: run.Save}
	var err error
	if o.Grid, err = flow.ParseGrid(f.grid); err != nil {
		return err
	}
	p, err := a.open()
	if err != nil {
		return err
	}
	if f.matrix {
		m, err := p.Matrix(o)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(m)
		}
		return a.printJSON(m.Matrix) // as `fromJSON` of a workflow reads it: any other key would be one more dimension
	}
	s, err := p.Sweep(c.Context(), o)
	if err != nil {
		return err
	}
	err = a.print(s, func(out text.Out) error {
		if err := text.Sweep(out, *s); err != nil {
			return err
		}
		if err := notes(out, s.Notes); err != nil {
			return err
		}
		if next := nextOfSweep(*s); next != "" {
			_, err := fmt.Fprintln(out.W, next)
			return err
		}
		return nil
	})
	if err == nil && s.Failed > 0 {
		return answer(problem.ExitFailed)
	}
	return err
}

// nextOfSweep is what to type next.
func nextOfSweep(s record.Sweep) string {
	switch {
	case s.Saved != "":
		return "wrote " + s.Saved + ": write its hypothesis, and `git add` it"
	case s.Best == nil:
		return ""
	}
	words := []string{"plumb", "run", s.Experiment}
	for _, arg := range s.Cells[*s.Best-1].Args {
		words = append(words, flow.ShellWord(arg))
	}
	return "next: " + strings.Join(words, " ") + " --save NAME   writes experiments/NAME.toml"
}
