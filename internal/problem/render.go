package problem

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Report is plumb.check/v1.
type Report struct {
	Schema    string    `json:"schema"`
	Documents int       `json:"documents"`
	Problems  []Problem `json:"problems"`
}

// Report gives the list as plumb.check/v1, for so many documents.
func (l *List) Report(documents int) Report {
	all := l.All()
	if all == nil {
		all = []Problem{}
	}
	return Report{Schema: "plumb.check/v1", Documents: documents, Problems: all}
}

// maxShown is how much of a source line is shown: enough for a long expression, and no more than two lines of a terminal.
const maxShown = 160

// Text shows every problem as file:line:col: message [rule], the source line with a caret, and the hint. source gives a file's text; nil means no source lines.
// What can't be printed is shown as a replacement character, so that a document can't play with the terminal.
func (l *List) Text(source func(file string) []byte) string {
	var b strings.Builder
	for _, p := range l.All() {
		p.write(&b, source)
	}
	return b.String()
}

// String gives one problem on one line, without its hint.
func (p Problem) String() string {
	level := ""
	if p.Level == LevelWarning {
		level = "warning: "
	}
	return fmt.Sprintf("%s: %s%s [%s]", clean(p.Pos.String()), level, clean(p.Message), p.Rule)
}

func (p Problem) write(b *strings.Builder, source func(string) []byte) {
	b.WriteString(p.String() + "\n")
	if source != nil && p.Line > 0 {
		if line, ok := lineOf(source(p.File), p.Line); ok {
			writeCaret(b, p, line)
		}
	}
	if p.Hint != "" {
		fmt.Fprintf(b, "  hint: %s\n", clean(p.Hint))
	}
}

func writeCaret(b *strings.Builder, p Problem, line string) {
	at := min(max(p.Col-1, 0), len(line))
	before, after := []rune(clean(line[:at])), []rune(clean(line[at:]))
	if cut := len(before) - maxShown/2; cut > 0 && len(before)+len(after) > maxShown {
		before = append([]rune("…"), before[cut:]...)
	}
	if keep := maxShown - len(before); len(after) > keep {
		after = append(after[:keep:keep], '…')
	}
	gutter := fmt.Sprintf("%5d | ", p.Line)
	fmt.Fprintf(b, "%s%s%s\n", gutter, string(before), string(after))
	fmt.Fprintf(b, "%s| %s^\n", strings.Repeat(" ", len(gutter)-2), strings.Repeat(" ", len(before)))
}

// lineOf gives a line of the source, counted from 1, without its end.
func lineOf(src []byte, n int) (string, bool) {
	for ; n > 1; n-- {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			return "", false
		}
		src = src[i+1:]
	}
	line, _, _ := bytes.Cut(src, []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r"))), true
}

// clean makes every character take one place and do nothing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case !unicode.IsPrint(r):
			return utf8.RuneError
		}
		return r
	}, s)
}
