package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func driftCommand(a *app) *cobra.Command {
	var o flow.DriftOptions
	var group string
	var exit bool
	c := &cobra.Command{
		Use: "drift [DATASET | OLD NEW]", GroupID: "data", Args: cobra.MaximumNArgs(2),
		Short: "Say which columns are distributed otherwise than before, and how sure that is",
		Long: `Compare the last complete window of a dataset's source, as it is now, with the pinned rows before it; or any two files, with no project.

A column has drifted when the difference is too clear for chance (q < 0.05 across the columns, Benjamini–Hochberg) and large enough to matter
(Kolmogorov–Smirnov distance or Cramér's V of 0.10; 0.20 is severe). One of the two alone is "watch"; fewer than 50 rows on a side say nothing.
A column whose values are of another type now (int64, then text), or that is gone, has drifted by that; a wider type of the same kind is no drift.
Rows of one day move together, so p comes from exchanging whole days between the sides.`,
		Example:           "  plumb drift\n  plumb drift flights --window 28d\n  plumb drift old.parquet new.csv --group day --json",
		ValidArgsFunction: completeFrom(a.datasetNames),
	}
	c.Flags().StringVar(&o.Window, "window", "", "length of the current window, as 28d (default 7d)")
	c.Flags().StringVar(&group, "group", "", "of two files: a column whose equal values mark rows that move together")
	c.Flags().BoolVar(&exit, "exit-code", false, "exit 1 when a column has drifted")
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		d, err := a.drift(c, args, o, group)
		if err != nil {
			return err
		}
		if err := a.print(d, func(out text.Out) error { return text.Drift(out, *d) }); err != nil {
			return err
		}
		if exit && d.Verdict == record.DriftFound {
			return answer(problem.ExitNo)
		}
		return nil
	}
	return c
}

func (a *app) drift(c *cobra.Command, args []string, o flow.DriftOptions, group string) (*record.Drift, error) {
	if len(args) == 2 {
		if o.Window != "" {
			return nil, problem.Wrongf("leave it out", "--window is of a dataset; two files are compared whole")
		}
		return flow.DriftFiles(c.Context(), a.path(args[0]), a.path(args[1]), group, a.progress.Step)
	}
	if group != "" {
		return nil, problem.Wrongf("leave it out: rows of a dataset go by the day of their event", "--group is for two files")
	}
	p, err := a.open()
	if err != nil {
		return nil, err
	}
	o.Dataset = first(args)
	return p.Drift(c.Context(), o)
}
