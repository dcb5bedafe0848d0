package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/text"
)

const verifyLong = `Hold the ledger against itself, against what was seen of it elsewhere, and against the raw files:

  records      each is named by its bytes, its digests are those of what stands beside them, and what it names is there and says the same
  history      no commit took a record away or changed one, and every tip that a tag, a version, this clone or --since names is still part of it
  tags         each is the one that follows from its record
  blobs        each is there and has its bytes, or a decision says that it is gone on purpose
  numbers      metrics, details, intervals, verdicts, profiles and scores follow from evaluations, models and the pinned rows

Exit 1 when something is wrong; each finding says how to mend it. A warning alone is no reason to fail, and a note tells what was put right. With --mend one commit on
top of the ledger puts back records that were changed or taken away, takes out files that never were records, and joins tips that a forced push cut off. It forces
nothing and takes away no record; then all is looked at again. A version or stage number of which history has two records is left to you: the finding says how.

A record that is false and was written so stays, as no record is ever edited or deleted. --disown makes a decision that it counts for nothing, private until
` + "`plumb push`" + `: it names the record's path and the SHA-256 of its bytes. Runs, models, comparisons, pages and tags leave it out from then on; verify still looks at it,
and says as a note what is wrong with it, or that nothing is. A decision that disowns can be disowned itself, which takes it back.`

func verifyCommand(a *app) *cobra.Command {
	var o flow.VerifyOptions
	var off flow.DisownOptions
	c := &cobra.Command{
		Use: "verify", GroupID: "keep", Args: cobra.NoArgs,
		Short: "Prove the ledger: every digest, every number from the raw files, and that nothing was taken away",
		Long:  verifyLong,
		Example: "  plumb verify\n  plumb verify --quick --json\n  plumb verify --since site/manifest.json --since 3f786850e387550fdab836ed7e6dc881de23001b\n  plumb verify --mend\n" +
			"  plumb verify --disown runs/baseline/2001-06/20010630T120000Z-0123456789ab.toml --reason \"its scores are not those of its model\"",
	}
	c.Flags().BoolVar(&o.Quick, "quick", false, "digests and structure only: read no blob, make no number again")
	c.Flags().StringArrayVar(&o.Since, "since", nil, "a tip of the ledger that must still be part of it: a commit, a site's manifest.json, or a file with a comment's text")
	c.Flags().BoolVar(&o.Mend, "mend", false, "put back what history proves by a commit on top of the ledger, and look again")
	c.Flags().StringArrayVar(&off.Paths, "disown", nil, "a record that counts for nothing from now on: its path in the ledger, a run's id, or PATH@ID for bytes that a number had once, as verify names them")
	c.Flags().StringVar(&off.Reason, "reason", "", "with --disown: why; it stays in the ledger")
	c.Flags().BoolVar(&off.DryRun, "dry-run", false, "with --disown: only say what would be recorded")
	_ = c.RegisterFlagCompletionFunc("disown", a.completeRecord) // errs for a flag that is not there
	c.RunE = func(c *cobra.Command, _ []string) error {
		if len(off.Paths) > 0 {
			if o.Quick || o.Mend || len(o.Since) > 0 {
				return problem.Wrongf("first one, then the other", "--disown records a decision, and --quick, --mend and --since are about looking")
			}
			return a.disown(c.Context(), off)
		}
		if off.Reason != "" || off.DryRun {
			return problem.Wrongf("--disown PATH says which record", "--reason and --dry-run go with --disown")
		}
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

func (a *app) disown(ctx context.Context, o flow.DisownOptions) error {
	p, err := a.open()
	if err != nil {
		return err
	}
	done, err := p.Disown(ctx, o)
	if err != nil {
		return err
	}
	return a.print(done, func(out text.Out) error {
		fresh := 0
		for _, d := range done.Disowned {
			said := "disowned by " + d.Record
			switch {
			case d.Already:
				said = "was disowned before, by " + d.Record
			case !done.Applied:
				said = "would be disowned"
			}
			if !d.Already {
				fresh++
			}
			fmt.Fprintf(out.W, "%s (sha256 %.12s…) %s\n", escape.Terminal(d.Path), d.SHA256, escape.Terminal(said))
			if d.Follows != "" {
				fmt.Fprintf(out.W, "  what follows: %s\n", escape.Terminal(d.Follows))
			}
		}
		switch {
		case !done.Applied:
			fmt.Fprintln(out.W, "nothing was written (--dry-run)")
		case fresh > 0:
			fmt.Fprintln(out.W, "next: `plumb push` makes it so for everybody")
		}
		return nil
	})
}

// completeRecord offers paths of the ledger, one folder at a time.
func (a *app) completeRecord(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	p, err := a.open()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	paths, err := p.RecordPaths(c.Context(), begun)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if len(paths) == 1 && strings.HasSuffix(paths[0], "/") {
		return paths, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return paths, cobra.ShellCompDirectiveNoFileComp
}
