package cli

import (
	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

func verifyCommand(a *app) *cobra.Command {
	var o flow.VerifyOptions
	c := &cobra.Command{
		Use: "verify", GroupID: "keep", Args: cobra.NoArgs,
		Short: "Prove the ledger: every digest, every number from the raw files, and that nothing was taken away",
		Long: `Hold the ledger against itself, against what was seen of it elsewhere, and against the raw files:

  records      each is named by its bytes, its digests are those of what stands beside them, and what it names is there and says the same
  history      no commit took a record away or changed one, and every tip that a tag, a version, this clone or --since names is still part of it
  tags         each is the one that follows from its record
  blobs        each is there and has its bytes, or a decision says that it is gone on purpose
  numbers      metrics, details, intervals, verdicts, profiles and scores follow from evaluations, models and the pinned rows

Exit 1 when something is wrong; each finding says how to mend it. A warning alone is no reason to fail, and a note tells what was put right. With --mend one commit on
top of the ledger puts back records that were changed or taken away, takes out files that never were records, and joins tips that a forced push cut off. It forces
nothing and takes away no record; then all is looked at again.`,
		Example: "  plumb verify\n  plumb verify --quick --json\n  plumb verify --since site/manifest.json --since 3f786850e387550fdab836ed7e6dc881de23001b\n  plumb verify --mend",
	}
	c.Flags().BoolVar(&o.Quick, "quick", false, "digests and structure only: read no blob, make no number again")
	c.Flags().StringArrayVar(&o.Since, "since", nil, "a tip of the ledger that must still be part of it: a commit, a site's manifest.json, or a file with a comment's text")
	c.Flags().BoolVar(&o.Mend, "mend", false, "put back what history proves by a commit on top of the ledger, and look again")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		found, err := p.Verify(c.Context(), o)
		if err != nil {
			return err
		}
		if err := a.print(found, func(out text.Out) error { return text.Verification(out, *found) }); err != nil {
			return err
		}
		return answer(found.Exit)
	}
	return c
}
