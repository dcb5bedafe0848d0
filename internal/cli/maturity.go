package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/text"
)

func maturityCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "maturity", GroupID: "judge", Args: cobra.NoArgs,
		Short: "Say how far the way you work with models is automated, shared and watched, by evidence",
		Long: `Ask a handful of questions of the documents and of the ledger: on automation, collaboration and monitoring, at three levels each.

A question holds when a document has it, a record shows that it ran, and the record says that it passed. What only a person did is not done by CI.
It is a mirror, not a target.`,
		Example: "  plumb maturity\n  plumb maturity --json",
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		m, err := p.Maturity(c.Context())
		if err != nil {
			return err
		}
		return a.print(m, func(o text.Out) error { return text.Maturity(o, *m) })
	}
	return c
}
