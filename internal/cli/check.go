package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

func checkCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "check", GroupID: "start", Args: cobra.NoArgs,
		Short: "Check every document, and show all problems with their places",
		Long: "Read every document of the project, and show everything that is wrong at once, each with its place and what to do. It runs nothing and needs no repository.\n\n" +
			"What the built-in learners can be told, under [params] of an experiment or with `plumb run --set`, and what they do when they are not told:\n\n" +
			"learner = \"gbdt\"\n" + learn.About(model.KindGBDT) + "\nlearner = \"glm\"\n" + strings.TrimRight(learn.About(model.KindGLM), "\n"),
		Example: "  plumb check\n  plumb check --json | jq '.problems[].message'",
	}
	c.RunE = func(*cobra.Command, []string) error {
		found, err := flow.Check(flow.Options{Dir: a.dir})
		if err != nil {
			return err
		}
		all := append([]problem.Problem{}, found.Problems.All()...)
		result := struct {
			Schema    string            `json:"schema"`
			Documents int               `json:"documents"`
			Problems  []problem.Problem `json:"problems"`
			Notes     []string          `json:"notes"`
		}{"plumb.check/v1", found.Documents, all, found.Notes}
		err = a.print(result, func(o text.Out) error {
			if err := text.Problems(o, all, sourceOf(found.FS)); err != nil {
				return err
			}
			if err := notes(o, found.Notes); err != nil {
				return err
			}
			_, err := fmt.Fprintf(o.W, "%s, %s\n", count(found.Documents, "document"), count(len(all), "problem"))
			return err
		})
		if err == nil && found.Problems.Errors() > 0 {
			return answer(problem.ExitWrong)
		}
		return err
	}
	return c
}
