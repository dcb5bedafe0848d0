package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func featuresCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "features", GroupID: "data", Args: cobra.NoArgs,
		Short: "See what models learn from, prove that it was known, and what a change does to it",
		Long: `Features are columns, expressions of the row ([features.row] of an experiment), and what views (features/*.toml) join by entity and time:

  agg = "avg(delay)", window = "12h"   over rows of the same entity that became known in the 12 hours before the question, never the row itself
  sql = "select …", ttl = "14d"        the newest row with question − ttl ≤ feature_time ≤ question and known_time ≤ question; of one time, the
                                       newest created_time. known_time and created_time may be left out; what is late needs known_time.

Every question gets exactly one answer; null where there is none, and 0 for a count.`,
		Example: "  plumb features list\n  plumb features show origin.mean_delay_12h\n  plumb features check\n  plumb features diff --base main",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		if a.json {
			return problem.Wrongf("`plumb features list --json`", "plumb features needs a verb: list, show, check or diff")
		}
		return c.Help()
	}
	c.AddCommand(featuresListCommand(a), featuresShowCommand(a), featuresCheckCommand(a), featuresDiffCommand(a))
	return c
}

func featuresListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Args: cobra.NoArgs, Short: "List every feature, what it is and who uses it",
		Example: "  plumb features list\n  plumb features list --json | jq -r '.features[] | select(.experiments == []).name'",
	}
	c.RunE = func(*cobra.Command, []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		all, err := p.Features()
		if err != nil {
			return err
		}
		return a.print(all, func(o text.Out) error { return text.Features(o, *all) })
	}
	return c
}

func featuresShowCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "show FEATURE", Args: cobra.ExactArgs(1),
		Short:             "Show one feature: what it is, when that changed, which runs used it, and what it was worth to them",
		Example:           "  plumb features show origin.mean_delay_12h\n  plumb features show hour --json",
		ValidArgsFunction: completeFrom(func() []string { return a.featureNames(false) }),
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		f, err := p.ShowFeature(c.Context(), args[0])
		if err != nil {
			return err
		}
		return a.print(f, func(o text.Out) error { return text.Feature(o, *f) })
	}
	return c
}

func featuresCheckCommand(a *app) *cobra.Command {
	o := flow.CheckOptions{Seed: 1}
	c := &cobra.Command{
		Use:   "check [VIEW | VIEW.FEATURE]...",
		Short: "Prove by trying that no feature sees what was not known when the question was asked; exit 1 when one does",
		Long: `Take the future away and see whether any answer changes. At each of several moments (cuts), every feature of a view is computed again for all
questions asked by then, over data in which

  drop       rows whose event is later than the cut are gone
  randomise  they are there, and hold values of other rows

and in both, late columns that were not known by the cut hold other values. A question whose answer changes has seen the future: a leak, shown with
the row, and what it sees. Before that, rows are read in reverse: a value that changes then could not be made again. Values are shown only of
columns marked public. What is found is there; what is not found may still hide in questions that hardly ever occur: more --cuts, another --seed.`,
		Example:           "  plumb features check\n  plumb features check origin --cuts 20 --seed 7\n  plumb features check --json | jq '.features[] | select(.state == \"leak\")'",
		ValidArgsFunction: completeFrom(func() []string { return a.featureNames(true) }),
	}
	c.Flags().IntVar(&o.Cuts, "cuts", 0, "at how many moments (default: 5 to 20, the more the smaller the data)")
	c.Flags().Uint64Var(&o.Seed, "seed", o.Seed, "of what is drawn: the same seed tries the same")
	c.RunE = func(c *cobra.Command, args []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		o.Names = args
		found, err := p.CheckFeatures(c.Context(), o)
		if err != nil {
			return err
		}
		if err := a.print(found, func(o text.Out) error { return text.FeatureChecks(o, *found) }); err != nil {
			return err
		}
		if found.Verdict == record.FeatureLeaks || found.Verdict == record.FeatureUnstable {
			return answer(problem.ExitNo)
		}
		return nil
	}
	return c
}

func featuresDiffCommand(a *app) *cobra.Command {
	var base, head string
	c := &cobra.Command{
		Use: "diff", Args: cobra.NoArgs,
		Short: "Say which features a branch adds, removes or changes, and how their values differ on the same rows",
		Long: `Compare the features of the working folder, or of --head, with those of the commit at which it left --base. Values of both definitions are computed
on the same rows, head's: the share of rows that differ, the means, and the shares without a value.`,
		Example: "  plumb features diff --base main\n  plumb features diff --base v1 --head feature-branch --json",
	}
	c.Flags().StringVar(&base, "base", "", "a branch or commit (default: the branch that pull requests go to)")
	c.Flags().StringVar(&head, "head", "", "a branch or commit (default: the working folder)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		if base == "" {
			base = p.IntentBranch()
		}
		d, err := p.DiffFeatures(c.Context(), base, head)
		if err != nil {
			return err
		}
		return a.print(d, func(o text.Out) error { return text.FeatureDiff(o, *d) })
	}
	return c
}

// featureNames lists features for completion; those of views only where only they can be named.
func (a *app) featureNames(views bool) []string {
	p, err := a.open()
	if err != nil {
		return nil
	}
	all, err := p.Features()
	if err != nil {
		return nil
	}
	var out []string
	for _, f := range all.Features {
		if f.View != "" || !views {
			out = append(out, f.Name)
		}
	}
	return out
}
