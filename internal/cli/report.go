package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/text"
)

func reportCommand(a *app) *cobra.Command {
	var out, bundle string
	c := &cobra.Command{
		Use: "report", GroupID: "review", Args: cobra.NoArgs,
		Short: "Build the static report site",
		Long: `Build the site from the documents and the ledger. It opens from disk, from a subpath and without JavaScript.
The folder is replaced; one that is no plumb report is refused.`,
		Example: "  plumb report\n  plumb report -o public/",
	}
	c.Flags().StringVarP(&out, "output", "o", "_site", "the folder to build")
	c.Flags().StringVar(&bundle, "bundle", "", "show the result of this bundle as the open proposal")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		if !filepath.IsAbs(out) {
			out = filepath.Join(p.Root, out)
		}
		var ci *record.CI
		if bundle != "" {
			if ci, err = flow.ReadResult(bundle); err != nil {
				return err
			}
		}
		r, err := p.Report(c.Context(), out, ci)
		if err != nil {
			return err
		}
		return a.print(r, func(o text.Out) error {
			_, err := fmt.Fprintf(o.W, "%d pages, %d kB: %s\n", r.Pages, r.Bytes/1000, r.Index)
			return err
		})
	}
	return c
}
