package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func initCommand(a *app) *cobra.Command {
	var o flow.InitOptions
	var train bool
	c := &cobra.Command{
		Use: "init [--train -- PROGRAM [ARGUMENT]...]", GroupID: "start",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case train && len(args) == 0:
				return problem.Wrongf("plumb init --data churn.csv --label churned --train -- python train.py", "--train wants a program after --")
			case !train && len(args) > 0:
				return problem.Wrongf("`plumb init --help` has examples", "init takes no arguments but after --train --")
			}
			o.Train = args
			return nil
		},
		Short: "Make a project around a data file: five small documents, and `plumb run` works",
		Long: `Read a CSV, Parquet or JSON-lines file, find out its types, the task, the event time and the features, and write
plumb.toml, the dataset with its lock, a model and one experiment. Nothing that is there is overwritten, and when it fails nothing is left.
A CSV has a header, commas and decimal points, in UTF-8; a .tsv has tabs. The label may be a column with two values (a yes-or-no question), a
column of texts or numbered classes (which one), a column of numbers (how much), or an expression as 'delay > 15'.

--train takes a program of yours instead of a built-in learner: its files become train.code, the first of uv.lock, poetry.lock and requirements.txt
train.lock, and a predict script beside it [predict]. What the program is given and must leave is told by ` + "`plumb run --help`" + `.

--action writes the workflow that comments on pull requests, with the Action at the commit you name.`,
		Example: "  plumb init --data ~/churn.csv --label churned\n  plumb init --data delays.parquet --label 'delay > 15' --time date\n" +
			"  plumb init --data iris.csv --label species\n" +
			"  plumb init --data churn.csv --label churned --train -- python train.py\n" +
			"  plumb init --action my-org/plumb@0123456789abcdef0123456789abcdef01234567",
	}
	c.Flags().StringVar(&o.Data, "data", "", "the data file; one outside the project is copied to data/")
	c.Flags().StringVar(&o.Label, "label", "", "the column to predict, or an expression")
	c.Flags().StringVar(&o.Task, "task", "", "binary, multiclass or regression (default: what the label looks like)")
	c.Flags().StringVar(&o.Time, "time", "", "the column that says when a row's question is asked (default: the only one; \"none\": split by hash)")
	c.Flags().BoolVar(&train, "train", false, "the experiment runs the program after --")
	c.Flags().StringVar(&o.Action, "action", "", "where the GitHub Action lives, OWNER/REPO@SHA")
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be written")
	_ = c.RegisterFlagCompletionFunc("task", completeFrom(func() []string { return doc.Tasks })) // errs for a flag that is not there
	c.RunE = func(c *cobra.Command, _ []string) error {
		opt, err := a.options()
		if err != nil {
			return err
		}
		done, err := flow.Init(c.Context(), opt, o)
		if err != nil {
			return err
		}
		return a.print(done, func(out text.Out) error {
			for _, f := range done.Found {
				fmt.Fprintln(out.W, escape.Terminal(f))
			}
			for _, l := range done.Lines {
				fmt.Fprintln(out.W, "    "+escape.Terminal(l))
			}
			verb := "wrote"
			if o.DryRun {
				verb = "would write"
			}
			for _, f := range done.Files {
				fmt.Fprintln(out.W, verb, escape.Terminal(f))
			}
			for _, n := range done.Next {
				fmt.Fprintln(out.W, "next:", n)
			}
			return nil
		})
	}
	return c
}
