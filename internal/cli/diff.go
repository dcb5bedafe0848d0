package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/text"
)

func diffCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "diff A B", GroupID: "experiment", Args: cobra.ExactArgs(2),
		Short: "Compare two runs: metrics with intervals, and what else differs: parameters, features, data, code, environment",
		Long: `Compare two runs by their stored predictions. A and B are run ids (or their beginnings) or experiments, which stand for the run that
the documents here ask for, else their newest.
Where predictions are gone, the recorded numbers stand beside each other without an interval.`,
		Example: "  plumb diff baseline origin-history\n" +
			"  plumb diff 20010630T120000Z-0123456789ab 20010701T080000Z-ba9876543210 --json",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		found, err := p.Diff(c.Context(), args[0], args[1])
		if err != nil {
			return err
		}
		return a.print(found, func(o text.Out) error {
			if err := text.Comparison(o, found.Comparison); err != nil {
				return err
			}
			return text.Changes(o, found.Changes)
		})
	}
	return c
}

func whyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "why [EXPERIMENT]", GroupID: "experiment", Args: cobra.MaximumNArgs(1),
		Short:             "Say why an experiment would run, or why it would not: which inputs changed since its last run",
		Example:           "  plumb why\n  plumb why origin-history --json",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		w, err := p.Why(c.Context(), name)
		if err != nil {
			return err
		}
		return a.print(w, func(o text.Out) error {
			fmt.Fprintln(o.W, w.Sentence)
			for _, ch := range w.Changes {
				fmt.Fprintf(o.W, "  %s: %s → %s\n", ch.Input, ch.Was, ch.Now)
			}
			return notes(o, w.Notes)
		})
	}
	return c
}
