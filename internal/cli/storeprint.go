package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/flow"
	"github.com/plumb-ml/plumb/internal/text"
)

// shownBlobs is how many lines about single blobs are printed when not all are asked for.
const shownBlobs = 20

func sizeOf(b flow.StoredBlob) string {
	if b.Bytes == nil {
		return "size unknown"
	}
	return brief.Bytes(*b.Bytes)
}

func printInventory(o text.Out, i *flow.Inventory, all bool) error {
	fmt.Fprintf(o.W, "%s: %s\n", escape.Terminal(i.Store), count(len(i.Blobs), "blob"))
	for _, c := range i.Classes {
		fmt.Fprintf(o.W, "  %-12s %6d  %s\n", c.Class, c.Blobs, brief.Bytes(c.Bytes))
	}
	if all {
		for _, b := range i.Blobs {
			fmt.Fprintf(o.W, "%s  %10s  %-12s %s\n", b.SHA256, sizeOf(b), b.Class, escape.Terminal(b.Why))
		}
	}
	for n, m := range i.Missing {
		if n == shownBlobs && !all {
			fmt.Fprintf(o.W, "✗ … and %d more that are missing (--all)\n", len(i.Missing)-n)
			break
		}
		fmt.Fprintf(o.W, "✗ missing: %s of %s (%.12s…, %s)\n", m.Class, escape.Terminal(strings.Join(m.By, ", ")), m.SHA256, brief.Bytes(m.Bytes))
	}
	for _, w := range i.Wrong {
		fmt.Fprintf(o.W, "✗ wrong: %s (%.12s…): %s\n", cmp.Or(w.Class, "a blob"), w.SHA256, escape.Terminal(w.Error))
		if w.Hint != "" {
			fmt.Fprintf(o.W, "  %s\n", escape.Terminal(w.Hint))
		}
	}
	if i.Read && len(i.Wrong) == 0 {
		fmt.Fprintln(o.W, "every blob was read and holds what it is called by")
	}
	return nil
}

func printCopied(o text.Out, c *flow.CopyResult) error {
	verb := "copied"
	if c.DryRun {
		verb = "would copy"
	}
	fmt.Fprintf(o.W, "%s %s (%s) from %s to %s; %d were there", verb, count(c.Copied.Copied, "blob"), brief.Bytes(c.Bytes), escape.Terminal(c.From), escape.Terminal(c.To), c.Already)
	if c.Replaced > 0 {
		fmt.Fprintf(o.W, ", %d were wrong there and were replaced", c.Replaced)
	}
	fmt.Fprintln(o.W)
	for _, f := range c.Failed {
		fmt.Fprintln(o.W, "✗ not copied:", escape.Terminal(f))
	}
	return nil
}

func printPacked(o text.Out, p *flow.PackResult) error {
	if p.Why != "" {
		_, err := fmt.Fprintln(o.W, p.Why)
		return err
	}
	verb, next := "packed", ""
	if !p.Applied {
		verb, next = "would pack", "; --apply does it"
	}
	if len(p.Gone) == 0 {
		_, err := fmt.Fprintf(o.W, "nothing to pack: %s\n", count(p.Before, "ref"))
		return err
	}
	fmt.Fprintf(o.W, "%s %s into %d%s\n", verb, count(p.Before, "ref"), p.After, next)
	for _, name := range p.Left {
		fmt.Fprintln(o.W, "left alone, it holds something else:", escape.Terminal(name))
	}
	return nil
}

func printCollected(o text.Out, c *flow.Collection) error {
	counts, order := map[string]int{}, []string{}
	for _, b := range c.Drop {
		if counts[b.Why] == 0 {
			order = append(order, b.Why)
		}
		counts[b.Why]++
	}
	for n, b := range c.Drop {
		if n == shownBlobs {
			fmt.Fprintf(o.W, "… and %d more (--json lists all)\n", len(c.Drop)-n)
			break
		}
		fmt.Fprintf(o.W, "%s  %10s  %-12s %s\n", b.SHA256, sizeOf(b), b.Class, escape.Terminal(b.Why))
	}
	verb, next := "removed", ""
	if !c.Applied {
		verb, next = "would remove", "; --apply does it"
	}
	if len(c.Drop) == 0 {
		next = ""
	}
	fmt.Fprintf(o.W, "%s %d of %s (%s) from %s%s\n", verb, len(c.Drop), count(c.Blobs, "blob"), brief.Bytes(c.Bytes), escape.Terminal(c.Store), next)
	for _, why := range order {
		fmt.Fprintf(o.W, "  %6d  %s\n", counts[why], escape.Terminal(why))
	}
	if c.Young > 0 {
		fmt.Fprintf(o.W, "  %6d  stay only because they were pushed in the last 7 days\n", c.Young)
	}
	printUnfinished(o, c)
	return list(o.W, "recorded ", c.Records)
}

func printUnfinished(o text.Out, c *flow.Collection) {
	if c.Unlisted != "" {
		fmt.Fprintln(o.W, "unfinished uploads were not looked for:", escape.Terminal(c.Unlisted))
	}
	if len(c.Unfinished) == 0 {
		return
	}
	verb, next := "dropped", ""
	if !c.Applied {
		verb, next = "would drop", "; --apply does it"
	}
	var bytes int64
	for _, u := range c.Unfinished {
		bytes += max(u.Bytes, 0)
	}
	fmt.Fprintf(o.W, "%s %s (%s) that nobody went on with for 7 days%s\n", verb, count(len(c.Unfinished), "unfinished upload"), brief.Bytes(bytes), next)
}

func list(w io.Writer, before string, lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, before+escape.Terminal(l)); err != nil {
			return err
		}
	}
	return nil
}

func printForgotten(o text.Out, f *flow.Forgotten) error {
	verb := "erased"
	if !f.Applied {
		verb = "would erase"
	}
	for _, b := range f.Blobs {
		fmt.Fprintf(o.W, "%s %s (%s, %s)\n", verb, b.SHA256, b.Class, sizeOf(b))
	}
	for _, version := range f.Serves {
		fmt.Fprintf(o.W, "! it is the model of %s, which can't be served or gone back to then; that takes --force\n", escape.Terminal(version))
	}
	if err := list(o.W, "named by ", f.By); err != nil {
		return err
	}
	if err := list(o.W, "gone from ", f.Erased); err != nil {
		return err
	}
	if f.Record != "" {
		fmt.Fprintln(o.W, "recorded", f.Record)
	}
	fmt.Fprintln(o.W, "can't be reached from here:")
	if err := list(o.W, "  ", f.Left); err != nil {
		return err
	}
	if !f.Applied {
		fmt.Fprintln(o.W, "--apply does it")
	}
	return nil
}
