package tomlio

import (
	"errors"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

var (
	startsKey    = regexp.MustCompile(`^[ \t]*([A-Za-z0-9_-]+(?:[ \t]*\.[ \t]*[A-Za-z0-9_-]+)*)[ \t]*=`)
	startsHeader = regexp.MustCompile(`^[ \t]*\[+[ \t]*([A-Za-z0-9_-]+(?:[ \t]*\.[ \t]*[A-Za-z0-9_-]+)*)`)
)

// recover reports a syntax error and gives the offset at which reading goes on.
func (b *builder) recover(err error) int {
	b.syntax++
	src := b.pos.src
	begin := b.statement()
	line := b.pos.line(begin)
	at := begin
	var pe *unstable.ParserError
	if errors.As(err, &pe) {
		at = max(begin, min(b.base+cap(src[b.base:])-cap(pe.Highlight), len(src)))
	}
	unclosed := at >= len(src)-1 && b.pos.line(at) > line && endsInside(src[begin:])
	message := err.Error()
	if unclosed {
		at, message = begin, "what starts here is never closed: "+message
	}
	b.list.Errorf(b.pos.pos(at), "syntax", "%s", message)
	if hint := syntaxHint(b.text(b.pos.line(at)), at-b.pos.lines[b.pos.line(at)]); hint != "" {
		b.list.Hint("%s", hint)
	}
	b.brokenStatement(b.text(line), b.pos.lines[line])
	if unclosed {
		return b.nextStatement(line + 1)
	}
	if stop := b.pos.line(at); stop > line {
		return b.nextStatement(stop)
	}
	if endsInside([]byte(b.text(line))) {
		return b.nextStatement(line + 1)
	}
	return b.lineStart(line + 1)
}

// statement gives where the expression starts that could not be parsed: after the line of the last good one, blank lines and comments.
func (b *builder) statement() int {
	line := b.pos.line(max(b.ended, b.base))
	if b.ended >= b.base && b.ended > 0 {
		line++
	}
	for ; line < len(b.pos.lines); line++ {
		text := strings.TrimSpace(b.text(line))
		if text != "" && text[0] != '#' {
			full := b.text(line)
			return b.pos.lines[line] + len(full) - len(strings.TrimLeft(full, " \t"))
		}
	}
	return b.pos.lines[len(b.pos.lines)-1]
}

func (b *builder) lineStart(line int) int {
	if line >= len(b.pos.lines) {
		return len(b.pos.src)
	}
	return b.pos.lines[line]
}

func (b *builder) text(line int) string {
	return strings.TrimRight(string(b.pos.src[b.pos.lines[line]:b.lineStart(line+1)]), "\r\n")
}

// nextStatement gives the start of the first line from `line` on that looks like a key or a table header.
func (b *builder) nextStatement(line int) int {
	for ; line < len(b.pos.lines); line++ {
		if text := b.text(line); startsKey.MatchString(text) || startsHeader.MatchString(text) {
			break
		}
	}
	return b.lineStart(line)
}

// brokenStatement notes the key or the table of a line that could not be parsed, so that it does not count as missing.
func (b *builder) brokenStatement(text string, offset int) {
	if m := startsHeader.FindStringSubmatchIndex(text); m != nil && !strings.Contains(text[:m[2]], "[[") {
		b.header(parts(text[m[2]:m[3]], offset+m[2]), false)
		b.ended = 0
		return
	}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		b.table = nil
		return
	}
	m := startsKey.FindStringSubmatchIndex(text)
	if m == nil || b.table == nil {
		return
	}
	b.broken(b.table, parts(text[m[2]:m[3]], offset+m[2]))
}

// broken notes a key that is there but can't be read.
func (b *builder) broken(t *node, key []part) {
	for _, k := range key {
		if t.kind != kindTable {
			return
		}
		if t.kids[k.name] == nil {
			t.put(k.name, &node{kind: kindBroken, at: k.at, start: k.at})
			return
		}
		t = t.kids[k.name]
	}
}

func parts(text string, offset int) []part {
	var out []part
	for _, piece := range strings.Split(text, ".") {
		name := strings.TrimSpace(piece)
		at := offset + strings.Index(piece, name)
		out = append(out, part{name, at, at + len(name)})
		offset += len(piece) + 1
	}
	return out
}
