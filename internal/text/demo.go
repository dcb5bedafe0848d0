package text

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Tale is a story of what people did and what plumb made of it.
type Tale struct {
	Folder, Branch, Site string
	Anew                 bool // a story that was stopped half way was there
	Moments              []Moment
	Last                 brief.Brief          // of the last moment
	OnMerge              []string             // what merging it does
	Live                 []record.StageChange // in order
	Open                 []record.Proposal    // made on the way
}

// Moment is one line of a tale.
type Moment struct {
	Day, Did, Branch string
	Verdict          string
	Fails            bool
	Says             string
}

// plainWord is what a shell takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

// quoted is a word as a shell reads it.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func (m Moment) state() string {
	if m.Fails {
		return record.GateFail
	}
	return m.Verdict
}

// found is what it says without the verdict in front.
func (m Moment) found() string {
	_, after, cut := strings.Cut(m.Says, " — ")
	if !cut {
		after = m.Says
	}
	return escape.Terminal(brief.Clip(after, 200))
}

// Demo prints a tale: what happened day by day, what is so now, and where to look next.
func Demo(o Out, t Tale) error {
	var b strings.Builder
	if t.Anew {
		fmt.Fprintf(&b, "A story that was stopped half way was in %s: it was told anew, from the start.\n\n", escape.Terminal(t.Folder))
	}
	b.WriteString(o.Paint(Bold, "What happened") + "\n")
	for _, m := range t.Moments {
		did := m.Did
		if m.Branch != "" {
			did += " (" + m.Branch + ")"
		}
		fmt.Fprintf(&b, "%8s  %s\n", m.Day, escape.Terminal(did))
		fmt.Fprintf(&b, "          %s\n", o.Paint(ColourOf(m.state()), strings.TrimSpace(brief.Symbol(m.state())+" "+escape.Terminal(m.Says))))
	}
	b.WriteString("\n" + o.Paint(Bold, "Now") + "\n")
	if n := len(t.Live); n > 0 {
		last := t.Live[n-1]
		fmt.Fprintf(&b, "  live: version %d of %s, experiment %s (%d versions before it)\n", last.Version, last.Model, last.Experiment, last.Version-1)
	}
	if len(t.OnMerge) > 0 && len(t.Moments) > 0 {
		fmt.Fprintf(&b, "  for a reviewer to decide: branch %s: %s\n", escape.Terminal(t.Branch), t.Moments[len(t.Moments)-1].found())
	}
	for _, m := range t.OnMerge {
		fmt.Fprintf(&b, "  on merge: %s\n", escape.Terminal(m))
	}
	for _, m := range t.Moments {
		if m.Branch != "" && brief.Symbol(m.state()) == "✗" {
			fmt.Fprintf(&b, "  not to be merged: branch %s: %s\n", escape.Terminal(m.Branch), m.found())
		}
	}
	for _, m := range slices.Backward(t.Moments) {
		if m.Verdict == brief.Alarm {
			fmt.Fprintf(&b, "  last alarm: %s: %s\n", m.Day, m.found())
			break
		}
	}
	if _, err := io.WriteString(o.W, b.String()+"\n"+o.Paint(Bold, "The last pull request")+"\n"); err != nil {
		return err
	}
	if err := Brief(o, t.Last); err != nil {
		return err
	}
	b.Reset()
	b.WriteString("\n" + o.Paint(Bold, "Where to look next") + "\n")
	dir := quoted(t.Folder)
	fmt.Fprintf(&b, "  the report site      %s\n", t.Site)
	fmt.Fprintf(&b, "  what people decided  git -C %[1]s log --oneline main\n  what machines saw    git -C %[1]s log --stat plumb/ledger\n", dir)
	if n := len(t.Open); n > 0 {
		fmt.Fprintf(&b, "  what a trigger asked git -C %s show --stat %s\n", dir, t.Open[n-1].Branch)
	}
	fmt.Fprintf(&b, "Next: cd %s && plumb runs && plumb run --set rounds=300   (go install ./cmd/plumb puts plumb on the PATH)\n", dir)
	_, err := io.WriteString(o.W, b.String())
	return err
}
