// Package text is what plumb prints: tables, comparisons, problems and progress, for a terminal or a log.
//
// It is not a terminal library: it moves no cursor but that of the progress line. Results go where the caller says, usually standard output, all
// else to standard error. Every text from a file or a record loses its control characters on the way. It stores nothing.
package text

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Out is a place to print to.
type Out struct {
	W        io.Writer
	Terminal bool
	Color    bool
	Width    int // columns of the terminal; 0 where there is none, and then nothing is cut
}

// To describes w: colour only on a terminal, and never against NO_COLOR or TERM=dumb in env.
func To(w io.Writer, env []string) Out {
	out := Out{W: w}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return out
	}
	out.Terminal, out.Color = true, true
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		out.Width = width
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if name == "NO_COLOR" && value != "" || name == "TERM" && value == "dumb" {
			out.Color = false
		}
	}
	return out
}

// Colour is how a piece of text stands out. Colour is never the only sign of anything.
type Colour string

// The colours, as SGR parameters.
const (
	Plain Colour = ""
	Bold  Colour = "1"
	Dim   Colour = "2"
	Green Colour = "32"
	Red   Colour = "31"
	Amber Colour = "33"
)

// Paint colours text where the place takes it.
func (o Out) Paint(c Colour, text string) string {
	if !o.Color || c == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// ColourOf is the colour of a verdict or of a gate's state.
func ColourOf(state string) Colour {
	switch brief.Symbol(state) {
	case "✓":
		return Green
	case "✗":
		return Red
	case "?":
		return Amber
	}
	return Plain
}

// Comparison prints what a comparison found: the verdict, the table, gates, hypothesis and how it was made.
func Comparison(o Out, c record.Comparison) error {
	var b strings.Builder
	sentence := strings.TrimSpace(brief.Symbol(c.Verdict) + " " + escape.Terminal(brief.Sentence(c)))
	b.WriteString(o.Paint(ColourOf(c.Verdict), sentence) + "\n")
	if rows := brief.Rows(c); len(rows) > 0 {
		b.WriteString("\n" + rowsTable(rows, false).render(o))
	}
	for _, g := range c.Gates {
		b.WriteString(o.Paint(ColourOf(g.State), escape.Terminal(brief.GateSentence(g))) + "\n")
	}
	var rest []string
	if s := brief.Hypothesis(c); s != "" {
		rest = append(rest, s)
	}
	if s := brief.Method(c); s != "" {
		rest = append(rest, s)
	}
	if len(c.Inputs.Changed) > 0 {
		rest = append(rest, "Changed: "+brief.Inputs(c.Inputs.Changed)+".")
	}
	rest = append(rest, c.Notes...)
	if len(rest) > 0 {
		b.WriteString("\n")
	}
	for _, r := range rest {
		b.WriteString(escape.Terminal(r) + "\n")
	}
	_, err := io.WriteString(o.W, b.String())
	return err
}

// Brief prints what a flow found.
func Brief(o Out, found brief.Brief) error {
	var b strings.Builder
	state := found.Verdict
	if found.Fails {
		state = record.GateFail
	}
	b.WriteString(o.Paint(ColourOf(state), strings.TrimSpace(brief.Symbol(state)+" "+escape.Terminal(found.Sentence))) + "\n")
	section(&b, "Needs you", found.Needs)
	if len(found.Rows) > 0 {
		b.WriteString("\n" + rowsTable(found.Rows, found.Several).render(o))
	}
	section(&b, "Gates", found.Gates)
	section(&b, "Hypotheses", found.Claims)
	section(&b, "Data", found.Data)
	_, err := io.WriteString(o.W, b.String())
	return err
}

func section(b *strings.Builder, title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	b.WriteString("\n" + title + "\n")
	for _, t := range texts {
		b.WriteString("  " + escape.Terminal(t) + "\n")
	}
}

func rowsTable(rows []brief.Row, several bool) Table {
	t := Table{Columns: []Column{{Name: "metric"}, {Name: "base", Right: true}, {Name: "head", Right: true}, {Name: "Δ", Right: true}, {Name: "95 % interval", Right: true}, {Name: "verdict"}, {Name: "gate"}}}
	if several {
		t.Columns = append([]Column{{Name: "model"}}, t.Columns...)
	}
	for _, r := range rows {
		line := []Cell{{Text: r.Metric}, {Text: brief.With(r.Base, r.BaseSpread)}, {Text: brief.With(r.Head, r.HeadSpread)}, {Text: r.Difference}, {Text: r.Interval}, {Text: r.VerdictText(), Colour: ColourOf(r.Verdict)}, {Text: r.GateText(), Colour: ColourOf(r.Gate)}}
		if several {
			line = append([]Cell{{Text: r.Model}}, line...)
		}
		if r.Reason != "" {
			line[len(line)-2].Text += " (" + brief.Clip(r.Reason, 80) + ")"
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// Problems prints every problem as file:line:col: message [rule], then the line it is in with a caret under the place, then what to do. source gives
// a file's bytes, or nil where it is not to be had.
func Problems(o Out, all []problem.Problem, source func(file string) []byte) error {
	var b strings.Builder
	for _, p := range all {
		colour := Red
		if p.Level != problem.LevelError {
			colour = Amber
		}
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", o.Paint(Bold, escape.Terminal(p.Pos.String())), o.Paint(colour, string(p.Level)), escape.Terminal(p.Message), escape.Terminal(p.Rule))
		if p.Line > 0 && source != nil {
			b.WriteString(excerpt(source(p.File), p.Pos))
		}
		if p.Hint != "" {
			b.WriteString("    hint: " + escape.Terminal(p.Hint) + "\n")
		}
	}
	_, err := io.WriteString(o.W, b.String())
	return err
}

// excerpt is a position's line and a caret under its column, or "" when the file has no such line.
func excerpt(src []byte, pos problem.Pos) string {
	lines := strings.SplitN(string(src), "\n", pos.Line+1)
	if len(lines) < pos.Line {
		return ""
	}
	line := strings.TrimRight(lines[pos.Line-1], "\r")
	const most = 160
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	number := fmt.Sprintf("%5d | ", pos.Line)
	text := number + escape.Terminal(line) + "\n"
	if pos.Col > 0 && pos.Col <= min(len(line)+1, most) {
		text += strings.Repeat(" ", len(number)+width(escape.Terminal(strings.ToValidUTF8(line[:pos.Col-1], "")))) + "^\n"
	}
	return text
}

// width is how many columns of a terminal text takes.
func width(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// isWide is true for what East Asian typography sets two columns wide, and for emoji.
func isWide(r rune) bool {
	return r >= 0x1100 && r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7A3 || r >= 0xF900 && r <= 0xFAFF || r >= 0xFE30 && r <= 0xFE6F ||
		r >= 0xFF00 && r <= 0xFF60 || r >= 0xFFE0 && r <= 0xFFE6 || r >= 0x1F300 && r <= 0x1FAFF || r >= 0x20000 && r <= 0x3FFFD
}
