package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func valueCommand(a *app) *cobra.Command {
	var o flow.ValueOptions
	var flagged, precision, positives, accuracy, claim float64
	c := &cobra.Command{
		Use: "value [EXPERIMENT | RUN]", GroupID: "judge", Args: cobra.MaximumNArgs(1),
		Short: "Say what a model's answers are worth in money and hours, line by line",
		Long: `Price a model's right and false alarms by the design card: those of a run (the champion's when none is named), or assumed ones.

Every line of the arithmetic is shown, with the value of each assumption, and of the precision, that makes the whole worth nothing. An accuracy
alone does not say which errors are made, and the errors are what costs: it is refused, with the range that it allows.`,
		Example:           "  plumb value\n  plumb value --flagged 1000 --precision 0.8\n  plumb value --flagged 1000 --precision 0.8 --claim 3200\n  plumb value --accuracy 0.8 --flagged 1000\n  plumb value --scenario as-sold",
		ValidArgsFunction: completeFrom(a.experimentNames),
	}
	f := c.Flags()
	f.Float64Var(&flagged, "flagged", 0, "assumed: cases a period that the model warns of")
	f.Float64Var(&precision, "precision", 0, "assumed: share of these that are right, 0 to 1")
	f.Float64Var(&positives, "positives", 0, "assumed: cases a period that there are to be found")
	f.Float64Var(&accuracy, "accuracy", 0, "share of all cases answered rightly: refused, with the range that it allows")
	f.StringVar(&o.Scenario, "scenario", "", "assumed: what a [value.scenario.NAME] of design.toml says")
	f.Float64Var(&claim, "claim", 0, "a figure somebody names: what would have to be true for it")
	c.RunE = func(c *cobra.Command, args []string) error {
		for name, to := range map[string]**float64{"flagged": &o.Alarms.Flagged, "precision": &o.Alarms.Precision, "positives": &o.Alarms.Positives, "accuracy": &o.Alarms.Accuracy, "claim": &o.Claim} {
			if c.Flags().Changed(name) {
				*to = map[string]*float64{"flagged": &flagged, "precision": &precision, "positives": &positives, "accuracy": &accuracy, "claim": &claim}[name]
			}
		}
		o.Run = first(args)
		p, err := a.open()
		if err != nil {
			return err
		}
		v, err := p.Value(c.Context(), o)
		if err != nil {
			return err
		}
		if err := a.print(v, func(out text.Out) error { return text.Value(out, *v) }); err != nil {
			return err
		}
		if v.Refused != "" {
			return answer(problem.ExitWrong)
		}
		return nil
	}
	return c
}
