package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

func pushCommand(a *app) *cobra.Command {
	var o flow.ShareOptions
	c := &cobra.Command{
		Use: "push", GroupID: "experiment", Args: cobra.NoArgs,
		Short: "Share private records: replay them onto the ledger branch and send their blobs",
		Long: `Send the blobs of private records and pinned data that Git does not carry, then the records. A ledger that grew in this repository before it had a remote is brought there
with its history. What the store has lost of records that were pushed before, and this clone has, is sent again; with --verify every such blob in the store is
read too, and replaced where its bytes are wrong.`,
		Example: "  plumb push\n  plumb push --dry-run\n  plumb push --verify",
	}
	c.Flags().BoolVar(&o.DryRun, "dry-run", false, "list what would be sent")
	c.Flags().BoolVar(&o.Verify, "verify", false, "read what the store has, and replace what is wrong there")
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.open()
		if err != nil {
			return err
		}
		sent, err := p.Share(c.Context(), o)
		if err != nil {
			return err
		}
		return a.print(sent, func(out text.Out) error { return printSent(out, sent, o.DryRun) })
	}
	return c
}

func printSent(o text.Out, sent *flow.Sent, dry bool) error {
	recorded, back := "recorded", "sent again"
	if dry {
		recorded, back = "would record", "would send again"
	}
	for _, path := range sent.Data {
		fmt.Fprintln(o.W, "data", escape.Terminal(path))
	}
	for _, path := range sent.Records {
		fmt.Fprintln(o.W, path)
	}
	for _, tag := range sent.Tags {
		fmt.Fprintln(o.W, "tag", tag)
	}
	if n := sent.Mended.Blobs; n > 0 {
		fmt.Fprintf(o.W, "%s %s (%s) that the store lacked", back, count(n, "blob"), brief.Bytes(sent.Mended.Bytes))
		if sent.Mended.Replaced > 0 {
			fmt.Fprintf(o.W, "; %d were wrong there", sent.Mended.Replaced)
		}
		fmt.Fprintln(o.W)
	}
	with := ""
	if !dry {
		with = fmt.Sprintf(", sent %s (%s)", count(sent.Blobs.Blobs, "blob"), brief.Bytes(sent.Blobs.Bytes))
		if len(sent.Records)+sent.Blobs.Blobs+sent.Mended.Blobs == 0 {
			with = ": there was nothing to send"
		}
	}
	fmt.Fprintf(o.W, "%s %s on %s%s\n", recorded, count(len(sent.Records), "record"), sent.Branch, with)
	return notes(o, sent.Notes)
}
