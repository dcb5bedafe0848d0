package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Maturity prints the level of each axis, every question with its answer and evidence, and what is next.
func Maturity(o Out, m record.Maturity) error {
	var b strings.Builder
	b.WriteString(o.Paint(Bold, fmt.Sprintf("level %d of 3", m.Overall)))
	for _, axis := range record.Axes {
		fmt.Fprintf(&b, " · %s %d", axis, m.Axes[axis].Level)
	}
	b.WriteString("\n\n")
	t := Table{Columns: []Column{{Name: ""}, {Name: "probe"}, {Name: "level", Right: true}, {Name: "asks", Most: 90}, {Name: "evidence", Most: 70}}}
	for _, p := range m.Probes {
		sign := map[string]Cell{record.ProbeTrue: {Text: "✓", Colour: Green}, record.ProbeFalse: {Text: "✗", Colour: Red}, record.ProbeNotApplicable: {Text: "–", Colour: Dim}}[p.Outcome]
		evidence := ""
		if n := len(p.Evidence); n > 0 {
			evidence = p.Evidence[n-1]
		}
		t.Rows = append(t.Rows, []Cell{sign, {Text: p.ID}, {Text: fmt.Sprint(p.Level)}, {Text: p.Asks}, {Text: evidence}})
	}
	b.WriteString(t.render(o))
	if next := nextSteps(m); len(next) > 0 {
		b.WriteString("\n" + o.Paint(Bold, "Next") + "\n")
		for _, n := range next {
			b.WriteString("  " + escape.Terminal(n) + "\n")
		}
	}
	_, err := io.WriteString(o.W, b.String())
	return err
}

// nextSteps are the remedies of what keeps each axis from its next level.
func nextSteps(m record.Maturity) []string {
	remedy := map[string]string{}
	for _, p := range m.Probes {
		remedy[p.ID] = p.Remedy
	}
	var out []string
	for _, axis := range record.Axes {
		for _, id := range m.Axes[axis].Next {
			out = append(out, id+": "+remedy[id])
		}
	}
	return out
}
