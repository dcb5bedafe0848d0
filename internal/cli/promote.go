package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func promoteCommand(a *app) *cobra.Command {
	var o flow.PromoteOptions
	c := &cobra.Command{
		Use: "promote [EXPERIMENT]", GroupID: "model", Args: cobra.MaximumNArgs(1),
		Short: "Make an experiment the champion of its model: edit one line, for a pull request",
		Long: `Edit the champion line of models/<name>.toml, and nothing else of it. Merging the change is the promotion; reverting the merge goes back.

--version N pins an older version of the champion, which is the quick way back: version = N beside champion. Promoting without it takes the pin away.
--stage NAME stages a version elsewhere at once: no document rules such a stage, so it is a record in the ledger, and a tag.`,
		Example:           "  plumb promote origin-history\n  plumb promote --version 3 --dry-run\n  plumb promote origin-history --stage staging --why \"load test\"",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	c.Flags().StringVar(&o.Model, "model", "", "the model, where the project has several and no experiment is named")
	c.Flags().IntVar(&o.Version, "version", 0, "an older version of that experiment")
	c.Flags().StringVar(&o.Stage, "stage", "", "a stage other than production: written to the ledger at once")
	c.Flags().BoolVar(&o.NewStage, "new-stage", false, "the stage's name is meant, though it looks like another's")
	c.Flags().StringVar(&o.Why, "why", "", "why, for a stage's record")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "print what would change")
	a.nowFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if c.Flags().Changed("version") && o.Version < 1 {
			return problem.Wrongf("versions count from 1; leave --version out for the newest", "there is no version %d", o.Version)
		}
		if o.Stage == "" && (o.Why != "" || o.NewStage) {
			return problem.Wrongf("the reason of a promotion stands in its pull request", "--why and --new-stage go with --stage")
		}
		o.Experiment = first(args)
		p, err := a.open()
		if err != nil {
			return err
		}
		done, err := p.Promote(c.Context(), o)
		if err != nil {
			return err
		}
		return a.print(done, func(out text.Out) error { return promotion(out, *done, o.DryRun) })
	}
	return c
}

func promotion(o text.Out, done flow.Promotion, dry bool) error {
	fmt.Fprint(o.W, escape.TerminalLines(done.Diff), escape.TerminalLines(done.Record))
	for _, path := range done.Records {
		fmt.Fprintln(o.W, path)
	}
	for _, tag := range done.Tags {
		fmt.Fprintln(o.W, "tag", tag)
	}
	fmt.Fprintln(o.W, escape.Terminal(done.Sentence))
	if err := notes(o, done.Notes); err != nil {
		return err
	}
	switch {
	case !done.Changed:
		return nil
	case dry:
		fmt.Fprintln(o.W, "nothing was written (--dry-run)")
	case done.File != "":
		fmt.Fprintf(o.W, "next: commit %s and open a pull request\n", escape.Terminal(done.File))
	}
	return nil
}
