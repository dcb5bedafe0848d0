package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func reproduceCommand(a *app) *cobra.Command {
	var o flow.ReproduceOptions
	c := &cobra.Command{
		Use: "reproduce RUN", GroupID: "experiment", Args: cobra.ExactArgs(1),
		Short: "Make a recorded run again from its commit, its data and its features, and compare",
		Long: `Make a recorded run again and compare metrics and predictions. Documents and code are those of the run's commit, read without a checkout; data and features
are found by their digests: in this folder, in the commit, or in the store. Nothing of the working folder that has another digest is used.

Built-in learners give the very same result; for a command a metric or score may differ by 1e-6, or by what --tolerance says. What came of it is recorded
as a decision (decisions/reproduced/…), privately until ` + "`plumb push`" + `. Exit 1 when the result is another.`,
		Example:           "  plumb reproduce baseline\n  plumb reproduce 20010630T120000Z-0123456789ab --tolerance 0.001 --json",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.Flags().Float64Var(&o.Tolerance, "tolerance", 0, "the largest difference of a metric or score that is none (default: 0 for built-in learners, 1e-6 for commands)")
	c.Flags().BoolVar(&o.Private, "no-record", false, "keep no record of it")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "find documents and data, run nothing")
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		o.Run = args[0]
		switch {
		case !c.Flags().Changed("tolerance"):
			o.Tolerance = -1
		case !(o.Tolerance >= 0 && o.Tolerance < 1e300): // NaN too
			return problem.Wrongf("as in --tolerance 0.001", "--tolerance is a difference from 0, not %v", o.Tolerance)
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		found, err := p.Reproduce(c.Context(), o)
		if err != nil {
			return err
		}
		if err := a.print(found, func(out text.Out) error { return reproduced(out, *found) }); err != nil {
			return err
		}
		return answer(found.Exit)
	}
	return c
}

func reproduced(o text.Out, r record.Reproduced) error {
	if err := text.Reproduced(o, r); err != nil {
		return err
	}
	if r.Record != "" {
		fmt.Fprintln(o.W, r.Record)
	}
	return notes(o, r.Notes)
}
