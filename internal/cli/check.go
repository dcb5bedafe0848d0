package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func checkCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "check", GroupID: "start", Args: cobra.NoArgs,
		Short:   "Check every document, and show all problems with their places",
		Example: "  plumb check\n  plumb check --json | jq '.problems[].message'",
	}
	c.RunE = func(*cobra.Command, []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		t, err := p.Working()
		if err != nil {
			return err
		}
		all := t.Docs.Problems.All()
		if all == nil {
			all = []problem.Problem{}
		}
		result := struct {
			Schema    string            `json:"schema"`
			Documents int               `json:"documents"`
			Problems  []problem.Problem `json:"problems"`
		}{"plumb.check/v1", len(t.Docs.Files), all}
		err = a.print(result, func(o text.Out) error {
			if err := text.Problems(o, all, sourceOf(t.FS)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(o.W, "%d documents, %d problems\n", len(t.Docs.Files), len(all))
			return err
		})
		if err == nil && t.Docs.Problems.Errors() > 0 {
			return answer(problem.ExitWrong)
		}
		return err
	}
	return c
}
