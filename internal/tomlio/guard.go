package tomlio

import (
	"bytes"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/problem"
)

// maxRepeats bounds how often one file is blamed for one kind of mistake.
const maxRepeats = 20

// checkEncoding reports bytes that are not UTF-8, once a line, and gives a copy of the source with a question mark for each, so that reading can go on.
func checkEncoding(p *Positions, list *problem.List) []byte {
	if utf8.Valid(p.src) {
		return p.src
	}
	out := bytes.Clone(p.src)
	lastLine, said := 0, 0
	for i := 0; i < len(out); {
		r, n := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && n <= 1 {
			if at := p.pos(i); at.Line != lastLine && said < maxRepeats {
				list.Errorf(at, "encoding", "byte 0x%02x is not UTF-8", out[i])
				list.Hint("save the file as UTF-8")
				lastLine = at.Line
				said++
			}
			out[i] = '?'
		}
		i += max(n, 1)
	}
	return out
}

// tooDeep says whether brackets, inline tables and dotted keys nest deeper than MaxNesting, and where. It is a scan in linear time and constant memory that
// does not need the source to be valid: it runs before any parser sees it.
func tooDeep(src []byte) (offset int, deep bool) {
	g := guard{src: src, lineStart: true}
	for g.i < len(src) {
		if !counts[src[g.i]] { // nearly all bytes of a record
			g.i++
			g.lineStart = false
			continue
		}
		g.step()
		if g.base+g.dots > MaxNesting {
			return g.i - 1, true
		}
	}
	return 0, false
}

// counts are the bytes that step does something about.
var counts = func() (is [256]bool) {
	for _, c := range "#\"'\n[]{}., \t" {
		is[c] = true
	}
	return is
}()

// checkDialect reports what only TOML 1.1 allows. Our parser would take it, other people's tools (Python's tomllib among them) would not.
func checkDialect(p *Positions, list *problem.List) {
	said := 0
	g := guard{src: p.src, lineStart: true}
	g.newer = func(offset int, what string) {
		if said++; said <= maxRepeats {
			list.Errorf(p.pos(offset), "dialect", "%s", what)
			list.Hint("TOML 1.1 has it; most readers have TOML 1.0")
		}
	}
	for g.i < len(g.src) {
		g.step()
	}
}

// guard counts depth. base is the depth of the innermost bracket or table header, dots what the key being read adds to it.
type guard struct {
	src       []byte
	i         int
	base      int
	dots      int
	stack     [MaxNesting + 1]int  // base before each open bracket
	kinds     [MaxNesting + 1]byte // the open brackets
	last      byte                 // the last byte that was not white space or comment
	newer     func(offset int, what string)
	open      int
	header    int  // depth of the table header in force
	inHeader  bool // between the brackets of one
	lineStart bool // only white space since the line began
}

func (g *guard) step() {
	c := g.src[g.i]
	start := g.lineStart
	g.dialect(c)
	g.lineStart = c == '\n' || (start && (c == ' ' || c == '\t'))
	switch c {
	case '#':
		g.skipTo('\n')
		return
	case '"', '\'':
		g.skipString(c)
		return
	case '\n':
		if g.open == 0 {
			g.base, g.dots, g.inHeader = g.header, 0, false
		}
	case '[', '{':
		g.opened(c, start)
	case ']', '}':
		g.closed()
	case '.':
		g.dots++
	case ',':
		g.dots = 0
	}
	g.i++
}

func (g *guard) dialect(c byte) {
	inTable := g.open > 0 && g.open <= len(g.kinds) && g.kinds[g.open-1] == '{'
	switch {
	case g.newer == nil:
	case inTable && c == '\n':
		g.newer(g.i, "an inline table ends on the line where it starts")
		g.kinds[g.open-1] = '(' // said once a table
	case inTable && c == '}' && g.last == ',':
		g.newer(g.i, "an inline table has no comma before its }")
	}
	if c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '#' {
		g.last = c
	}
}

func (g *guard) opened(c byte, start bool) {
	if c == '[' && start && g.open == 0 {
		g.inHeader, g.header, g.base, g.dots = true, 0, 1, 0
		return
	}
	if g.open < len(g.stack) {
		g.stack[g.open], g.kinds[g.open] = g.base, c
	}
	g.open++
	g.base += g.dots + 1
	g.dots = 0
}

func (g *guard) closed() {
	switch {
	case g.inHeader:
		g.header = g.base + g.dots
		g.inHeader = false
	case g.open > 0:
		g.open--
		g.base, g.dots = g.stack[min(g.open, MaxNesting)], 0
	}
}

func (g *guard) skipTo(end byte) {
	n := bytes.IndexByte(g.src[g.i:], end)
	if n < 0 {
		n = len(g.src) - g.i
	}
	g.i += n
}

// skipString passes over a string of either kind. One that never ends stops at its line, so that the rest is still counted.
func (g *guard) skipString(quote byte) {
	if len(g.src) > g.i+2 && g.src[g.i+1] == quote && g.src[g.i+2] == quote {
		g.skipLong(quote, bytes.Repeat([]byte{quote}, 3))
		return
	}
	for g.i++; g.i < len(g.src); g.i++ {
		switch c := g.src[g.i]; {
		case c == '\n':
			return
		case c == '\\' && quote == '"':
			g.escape()
		case c == quote:
			g.i++
			return
		}
	}
}

// escape passes over the byte that a backslash escapes.
func (g *guard) escape() {
	g.i++
	if g.newer != nil && g.i < len(g.src) && (g.src[g.i] == 'e' || g.src[g.i] == 'x') {
		g.newer(g.i-1, `a control character is written \u001b, with four digits`)
	}
}

func (g *guard) skipLong(quote byte, triple []byte) {
	for g.i += 3; g.i < len(g.src); g.i++ {
		switch {
		case g.src[g.i] == '\\' && quote == '"':
			g.escape()
		case bytes.HasPrefix(g.src[g.i:], triple):
			g.i += 3
			for g.i < len(g.src) && g.src[g.i] == quote {
				g.i++
			}
			return
		}
	}
}
