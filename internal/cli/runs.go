package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func runsCommand(a *app) *cobra.Command {
	var o flow.RunsOptions
	c := &cobra.Command{
		Use: "runs", GroupID: "experiment", Args: cobra.NoArgs,
		Short:   "List recorded runs, newest first",
		Example: "  plumb runs\n  plumb runs --experiment baseline --json\n  plumb runs show 20010630T120000Z-0123456789ab",
	}
	c.Flags().StringVar(&o.Experiment, "experiment", "", "only runs of this experiment")
	c.Flags().StringVar(&o.Model, "model", "", "only runs of this model's experiments")
	c.Flags().StringVar(&o.Sweep, "sweep", "", "only runs that this sweep made, with their metrics on the valid part")
	c.Flags().IntVar(&o.Limit, "limit", 30, "show at most so many (0: all)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		if o.Limit < 0 {
			return problem.Wrongf("--limit 0 shows all", "--limit %d is less than none", o.Limit)
		}
		runs, total, err := p.Runs(c.Context(), o)
		if err != nil {
			return err
		}
		list := []record.RunSummary{}
		for _, r := range runs {
			list = append(list, flow.Summary(r))
		}
		result := struct {
			Schema string              `json:"schema"`
			Total  int                 `json:"total"`
			Runs   []record.RunSummary `json:"runs"`
		}{"plumb.runs/v1", total, list}
		return a.print(result, func(out text.Out) error { return text.Runs(out, runs, total, partOf(o)) })
	}
	c.AddCommand(runsShowCommand(a))
	return c
}

// partOf is what is shown of runs: of a sweep the valid part, by which alone one of them may be chosen.
func partOf(o flow.RunsOptions) string {
	if o.Sweep != "" {
		return "valid"
	}
	return "test"
}

func runsShowCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Args: cobra.ExactArgs(1),
		Short:             "Show one run: its inputs, parameters, metrics and pointers",
		Long:              "Show one run. ID is a run's id, the beginning of one, or an experiment, which stands for its newest run.",
		Example:           "  plumb runs show baseline\n  plumb runs show 20010630T120000Z-0123456789ab",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		run, source, err := p.FindRun(c.Context(), args[0])
		if err != nil {
			return err
		}
		result := struct {
			Schema string            `json:"schema"`
			Run    record.RunSummary `json:"run"`
			Inputs record.Inputs     `json:"inputs"`
			Result record.Result     `json:"result"`
			Rows   record.RowCounts  `json:"rows"`
		}{"plumb.run/v1", flow.Summary(run), run.Inputs, run.Result, run.Rows}
		return a.print(result, func(o text.Out) error {
			_, err := fmt.Fprint(o.W, escape.TerminalLines(string(source)))
			return err
		})
	}
	return c
}
