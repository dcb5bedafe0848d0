package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func modelsPullCommand(a *app) *cobra.Command {
	o := flow.PullOptions{}
	c := &cobra.Command{
		Use: "pull EXPERIMENT|RUN|MODEL[@vN]", Args: cobra.ExactArgs(1),
		Short: "Write a model to a file, for plumb or for other tools",
		Long: `Write the model of a run to a file: an experiment's as the documents here ask for (else its newest), one by its id, or that of a model's version, the newest without @vN.

--format plumb is the file as it is stored, checked against the record. Of a gbdt that is XGBoost's own JSON, so --format xgboost is the same bytes:
xgboost.Booster(model_file=FILE) reads it. XGBoost takes a category as the place of its level in the list that the attribute "plumb" of the file has for
the feature (booster.attr("plumb")): 0, 1, …; NaN when it is missing or not there, or the list's length where the feature has "other".
--format onnx is a graph that takes the features as they are in the data, one input each, a row a case: numbers, dates (days since 1970) and timestamps
(microseconds) as double with NaN where missing, categories as string; what stands for a missing one is said at the input, "" in most cases. Its output
"score" is the probability, one a class for several classes, or the value.`,
		Example:           "  plumb models pull baseline --format onnx\n  plumb models pull delay@v3 --format xgboost --out delay.json\n  plumb models pull 20010630T120000Z-0123456789ab --out model.json --force",
		ValidArgsFunction: completeFrom(func() []string { return slices.Concat(a.experimentNames(), a.modelNames()) }),
	}
	c.Flags().StringVar(&o.Format, "format", flow.PullFormats[0], problem.Or(flow.PullFormats))
	c.Flags().StringVar(&o.Out, "out", "", "the file or folder to write to (default: a file named after the experiment)")
	c.Flags().BoolVar(&o.Force, "force", false, "replace a file that is there")
	_ = c.RegisterFlagCompletionFunc("format", completeFrom(func() []string { return flow.PullFormats })) // errs for a flag that is not there
	c.RunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(flow.PullFormats, o.Format) {
			return problem.Wrongf("there are "+problem.And(flow.PullFormats), "unknown format %q", o.Format)
		}
		p, err := a.open()
		if err != nil {
			return err
		}
		o.Name, o.Out = args[0], a.path(o.Out)
		done, err := p.PullModel(c.Context(), o)
		if err != nil {
			return err
		}
		return a.print(done, func(out text.Out) error {
			_, err := fmt.Fprintf(out.W, "%s: the %s of %s, run %s, %d bytes\n", escape.Terminal(done.File), escape.Terminal(done.Learner), escape.Terminal(done.Experiment), done.Run, done.Bytes)
			return err
		})
	}
	return c
}
