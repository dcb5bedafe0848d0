package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

func demoCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "demo [DIR]", GroupID: "start", Args: cobra.MaximumNArgs(1),
		Short: "Make a repository of real flights, open a branch in it, and show its review",
		Long: `Copy the embedded example (188,000 real US flights of 2001) into a new repository with a base and one branch, measure both as CI would,
and print the comment that the pull request would get. It needs no network and takes about half a minute.`,
		Example: "  plumb demo\n  plumb demo my-flights",
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "plumb-demo"
		if len(args) > 0 {
			dir = args[0]
		}
		o, err := a.options()
		if err != nil {
			return err
		}
		d, err := flow.NewDemo(c.Context(), a.path(dir), o)
		if err != nil {
			return err
		}
		result := struct {
			Schema  string `json:"schema"`
			Folder  string `json:"folder"`
			Branch  string `json:"branch"`
			Comment string `json:"comment"`
			Site    string `json:"site"`
		}{"plumb.demo/v1", d.Folder, d.Branch, d.Review.Body, d.Report.Index}
		return a.print(result, func(o text.Out) error {
			fmt.Fprintln(o.W, d.Review.Body)
			fmt.Fprintf(o.W, "The repository is in %s, on branch %s.\n", d.Folder, d.Branch)
			fmt.Fprintf(o.W, "The report site: %s\n", d.Report.Index)
			_, err := fmt.Fprintf(o.W, "Next: cd %s && plumb runs && plumb run --set rounds=300   (go install ./cmd/plumb puts plumb on the PATH)\n", d.Folder)
			return err
		})
	}
	return c
}
