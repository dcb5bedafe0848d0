package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

// defaultSite is where the report goes when nobody says; `plumb init` has Git ignore it.
const defaultSite = "_site"

func reportCommand(a *app) *cobra.Command {
	var out, bundle string
	c := &cobra.Command{
		Use: "report", GroupID: "review", Args: cobra.NoArgs,
		Short: "Build the static report site",
		Long: `Build the site from the documents and the ledger. It opens from disk, from a subpath and without JavaScript.
The folder is replaced; one that is no plumb report is refused.`,
		Example: "  plumb report\n  plumb report -o public/",
	}
	c.Flags().StringVarP(&out, "output", "o", defaultSite, "the folder to build; when not given, in the project's folder")
	c.Flags().StringVar(&bundle, "bundle", "", "show the result of this bundle as the open proposal")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		dir := filepath.Join(p.Root, defaultSite)
		if c.Flags().Changed("output") {
			dir = a.path(out)
		}
		var ci *record.CI
		if bundle != "" {
			if ci, err = flow.ReadResult(a.path(bundle)); err != nil {
				return err
			}
		}
		r, err := p.Report(c.Context(), dir, ci)
		if err != nil {
			return err
		}
		return a.print(r, func(o text.Out) error {
			_, err := fmt.Fprintf(o.W, "%s, %d kB: %s\n", count(r.Pages, "page"), r.Bytes/1000, r.Index)
			return err
		})
	}
	return c
}
