package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// Value prints what answers are worth: the sum, the arithmetic, what makes it nothing, and what a claimed figure would need.
func Value(o Out, v record.Value) error {
	var b strings.Builder
	say := func(format string, args ...any) { b.WriteString(escape.Terminal(fmt.Sprintf(format, args...)) + "\n") }
	b.WriteString(o.Paint(Bold, escape.Terminal(brief.Worth(v))) + "\n")
	if v.Of != "" {
		say("%s", v.Of)
	}
	if v.Refused == "" {
		t := Table{Columns: []Column{{Name: "line"}, {Name: "value", Right: true}, {Name: "how"}}}
		for _, line := range brief.ValueLines(v) {
			t.Rows = append(t.Rows, Cells(line.Label, brief.Value("", *line.Value), line.Formula))
		}
		b.WriteString("\n" + t.render(o))
	}
	if lines := brief.BreakEven(v); len(lines) > 0 {
		section(&b, "Worth nothing at", lines)
	}
	if v.Claim != nil {
		title, lines := brief.Claim(v)
		section(&b, title, lines)
	}
	if v.Reason != "" {
		say("note: %s", v.Reason)
	}
	_, err := io.WriteString(o.W, b.String())
	return err
}
