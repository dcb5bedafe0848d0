// Package escape makes text harmless for the place it goes to: one function per sink.
//
// It is not a sanitiser of documents: nothing is rejected, and what a reader sees is the text that was given. What no reader can see (control
// characters, zero-width characters) or what changes the order in which text is read (bidirectional overrides) is taken out or shown as U+FFFD.
// HTML is html/template's business and JSON encoding/json's; neither needs help from here. It stores nothing.
package escape

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// zeroWidth parts two characters without showing. It is how a mention, an address or an issue number stops being one: GitHub looks for those in
// the rendered text, where a backslash has already gone.
const zeroWidth = "\u200b"

// Clean gives text as one line without anything invisible: line breaks and tabs become spaces, control characters, bidirectional overrides and
// broken UTF-8 become U+FFFD, zero-width characters go.
func Clean(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\v', r == '\f', r == 0x85, r == 0x2028, r == 0x2029:
			b.WriteByte(' ')
		case isHidden(r):
		case r == utf8.RuneError, unicode.IsControl(r), isOverride(r):
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain says whether text is printable ASCII, which nearly all of it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isHidden is true for characters that take no room: soft hyphen, zero-width ones, byte order mark, variation selectors and tag characters.
func isHidden(r rune) bool {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5, r == 0x180E, r == 0x3164, r == 0xFEFF, r == 0xFFA0:
		return true
	case r >= 0x200B && r <= 0x200D, r >= 0x2060 && r <= 0x2064, r >= 0x206A && r <= 0x206F:
		return true
	case r >= 0x180B && r <= 0x180D, r >= 0xFE00 && r <= 0xFE0F, r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return false
}

// isOverride is true for characters that turn the direction of what follows.
func isOverride(r rune) bool {
	return r == 0x61C || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

// Terminal gives text as one line that moves no cursor and changes no colour. Logs of GitHub's runners are terminals too: they take a line that begins
// with :: and what follows ##[ anywhere for commands, so both are parted.
func Terminal(text string) string {
	text = Clean(text)
	if start := strings.TrimLeft(text, " "); strings.HasPrefix(start, "::") {
		text = text[:len(text)-len(start)] + ": " + start[1:]
	}
	return strings.ReplaceAll(text, "##[", "## [")
}

// TerminalLines is Terminal for text of several lines: a diff, a document.
func TerminalLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = Terminal(line)
	}
	return strings.Join(lines, "\n")
}

// WorkflowData is text as the message of a workflow command (`::error::message`): one line, whatever it holds, as actions/toolkit escapes it.
func WorkflowData(text string) string {
	return workflowData.Replace(keepBreaks(text))
}

// WorkflowProperty is text as a property of a workflow command (`::error file=…`).
func WorkflowProperty(text string) string {
	return workflowProperty.Replace(keepBreaks(text))
}

var (
	workflowData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	workflowProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// keepBreaks cleans every line of text and keeps the breaks between them.
func keepBreaks(text string) string {
	if !strings.ContainsAny(text, "\r\n") {
		return Clean(text)
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(text, "\r\n")
		if i < 0 {
			b.WriteString(Clean(text))
			return b.String()
		}
		b.WriteString(Clean(text[:i]))
		b.WriteByte(text[i])
		text = text[i+1:]
	}
}

// CSV is a cell that no spreadsheet takes for a formula: one that begins with = + - @, a tab or a line break gets an apostrophe in front,
// unless it is a number. Quoting is encoding/csv's business.
func CSV(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
