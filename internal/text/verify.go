package text

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// most is how many findings of one kind, or gaps of one reason, are printed; --json has all.
const most = 20

// Verification prints what is wrong and how to mend it, what could not be said, and what was looked at.
func Verification(o Out, v record.Verification) error {
	shown := map[string]int{}
	for _, f := range v.Findings {
		if shown[f.Rule]++; shown[f.Rule] > most {
			continue
		}
		colour, sign := Red, "✗"
		switch f.Level {
		case "warning":
			colour, sign = Amber, "?"
		case record.LevelNote:
			colour, sign = Dim, "·"
		}
		where := ""
		if f.Path != "" {
			where = escape.Terminal(f.Path) + ": "
		}
		fmt.Fprintf(o.W, "%s %s%s %s\n", o.Paint(colour, sign), where, escape.Terminal(f.Message), o.Paint(Dim, "["+f.Rule+"]"))
		if f.Hint != "" {
			fmt.Fprintf(o.W, "  %s %s\n", o.Paint(Dim, "mend:"), escape.Terminal(f.Hint))
		}
	}
	for _, more := range v.Unlisted {
		shown[more.Rule] += more.Findings
	}
	for _, rule := range slices.Sorted(maps.Keys(shown)) {
		if more := shown[rule] - most; more > 0 {
			fmt.Fprintf(o.W, "… %d more of [%s]: see --json\n", more, rule)
		}
	}
	if err := notAssessed(o, v.NotAssessed); err != nil {
		return err
	}
	if m := v.Mended; m != nil {
		fmt.Fprintf(o.W, "mended by commit %.10s: put back %s, took out %s, joined %s\n", m.Commit, number(len(m.Put), "record"), number(len(m.Dropped), "file"), number(len(m.Joined), "tip that the branch had lost"))
	}
	c := v.Checked
	fmt.Fprintf(o.W, "looked at %s, %s, %s and %s of the ledger\n", number(c.Records, "record"), number(c.Tags, "tag"),
		number(c.Commits, "commit"), number(len(v.Since), "witness of an earlier tip"))
	if v.Quick {
		fmt.Fprintf(o.W, "found %s in the store by name and size, and read none\n", number(c.Stored, "blob"))
	} else {
		fmt.Fprintf(o.W, "read %s, %d bytes\n", number(c.Blobs, "blob"), c.Bytes)
		fmt.Fprintf(o.W, "made %s again: of %s, %s and %s\n", number(c.Numbers, "number"), number(c.Runs, "run"), number(c.Comparisons, "comparison"), number(c.Snapshots, "snapshot"))
	}
	wrong := 0
	for _, f := range v.Findings {
		if f.Level == "error" {
			wrong++
		}
	}
	for _, more := range v.Unlisted {
		if more.Level == "error" {
			wrong += more.Findings
		}
	}
	verdict := o.Paint(Green, "✓") + " nothing is wrong"
	if v.Exit == problem.ExitFailed {
		verdict = o.Paint(Amber, "?") + " nothing is wrong of what could be looked at"
	}
	if wrong > 0 {
		verdict = o.Paint(Red, "✗") + " " + number(wrong, "thing") + " wrong"
	}
	_, err := fmt.Fprintln(o.W, verdict)
	return err
}

// notAssessed prints each reason once, with how much it holds for.
func notAssessed(o Out, all []record.NotAssessed) error {
	type group struct {
		first record.NotAssessed
		n     int
	}
	var order []string
	groups := map[string]*group{}
	for _, n := range all {
		key := n.What + "\x00" + n.Reason
		if groups[key] == nil {
			groups[key] = &group{first: n}
			order = append(order, key)
		}
		groups[key].n++
	}
	for i, key := range order {
		if i == most {
			_, err := fmt.Fprintf(o.W, "… %d more things were not assessed: --json lists them\n", len(order)-most)
			return err
		}
		g := groups[key]
		where := ""
		switch {
		case g.n > 1:
			where = fmt.Sprintf(" of %d records", g.n)
		case g.first.Path != "":
			where = " of " + escape.Terminal(g.first.Path)
		}
		if _, err := fmt.Fprintf(o.W, "%s not assessed: %s%s: %s\n", o.Paint(Dim, "–"), escape.Terminal(g.first.What), where, escape.Terminal(g.first.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// number says how many, as "1 run" or "2 runs".
func number(n int, noun string) string {
	head, rest, _ := strings.Cut(noun, " ")
	if n != 1 {
		head += plural(head)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, head, rest))
}

func plural(noun string) string {
	if strings.HasSuffix(noun, "s") {
		return "es"
	}
	return "s"
}
