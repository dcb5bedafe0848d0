package escape

import (
	"regexp"
	"strings"
)

// Markdown is text as inline GitHub-flavoured Markdown that renders as the very text: no markup, HTML, link, mention, issue number, emoji or
// formula comes of it, wherever in a line it stands, also inside a table's cell. Zero-width spaces are put into what GitHub would otherwise link
// after rendering.
func Markdown(text string) string {
	text = Clean(text)
	text = part(text)
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	for i := range len(text) {
		c := text[i]
		switch {
		case c == ' ' && (i == 0 || i == len(text)-1 || text[i-1] == ' '):
			b.WriteString("&#32;") // leading spaces are a code block, trailing ones a line break, and runs of them would collapse
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c == '|':
			b.WriteString("&#124;") // a backslash would do outside tables only when no other precedes it
		case c == '\\':
			b.WriteString("&#92;")
		case strings.IndexByte("`*_[]#~$", c) >= 0, strings.IndexByte("+-.)=:", c) >= 0 && opensBlock(text, i):
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// MarkdownCell is Markdown for a table's cell: without space around it.
func MarkdownCell(text string) string { return Markdown(strings.TrimSpace(Clean(text))) }

// MarkdownCode is text as a code span when it is a plain word (an id, a path, a commit), else as Markdown: a code span can hold neither a pipe of a
// table nor a zero-width space without showing it.
func MarkdownCode(text string) string {
	if text == "" || len(text) > 200 || strings.Trim(text, wordCharacters) != "" || strings.ContainsFunc(text, notWord) {
		return Markdown(text)
	}
	return "`" + text + "`"
}

const wordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"

func notWord(r rune) bool { return !strings.ContainsRune(wordCharacters, r) }

// opensBlock says whether the character at i, were text a line of its own, would open a list, or is part of a rule, a heading's underline or a
// table's delimiter row. Elsewhere these characters are what they look like, and raw text stays readable in mail.
func opensBlock(text string, i int) bool {
	if strings.Trim(text, " -=:|+") == "" {
		return true
	}
	before := strings.TrimLeft(text[:i], " ")
	last := i+1 == len(text) || text[i+1] == ' '
	switch text[i] {
	case '+', '-':
		return before == "" && last
	case '.', ')':
		return before != "" && strings.Trim(before, "0123456789") == "" && last
	}
	return false
}

// links is what GitHub finds in rendered text: where the second group begins, a zero-width space goes.
var links = []*regexp.Regexp{
	regexp.MustCompile(`(@)([\p{L}\p{N}_/-])`),
	regexp.MustCompile(`(?i)((?:[a-z][a-z0-9+.-]*|):)(//)`),
	regexp.MustCompile(`(?i)((?:mailto|xmpp|javascript|data|vbscript):)([^\x{200b}])`),
	regexp.MustCompile(`(?i)(www)(\.)`),
	regexp.MustCompile(`(#)([0-9])`),
	regexp.MustCompile(`(?i)(gh-)([0-9])`),
	regexp.MustCompile(`(:)([a-zA-Z0-9_+-]+:)`),
	regexp.MustCompile(`(\$)([^ \x{200b}])`),
}

// commit is a word that GitHub links when it begins the name of a commit.
var commit = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)

// part puts a zero-width space into everything that GitHub would link.
func part(text string) string {
	for _, l := range links {
		// Twice: matches do not overlap, and what ends one may begin another (`:a:b:`).
		text = l.ReplaceAllString(text, "${1}"+zeroWidth+"${2}")
		text = l.ReplaceAllString(text, "${1}"+zeroWidth+"${2}")
	}
	return commit.ReplaceAllStringFunc(text, func(word string) string {
		if !strings.ContainsAny(word, "abcdef") || !strings.ContainsAny(word, "0123456789") {
			return word
		}
		return word[:6] + zeroWidth + word[6:]
	})
}
