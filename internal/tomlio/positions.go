package tomlio

import (
	"bytes"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Positions remembers where each key of a document stands. Keys are given part by part; an element of an array is named by its number: At("features", "use", "2").
type Positions struct {
	file    string
	src     []byte
	lines   []int // offset of each line's first byte
	root    *node
	refused bool
}

// Refused says whether the file was not parsed at all.
func (p *Positions) Refused() bool { return p.refused }

// Source gives the text that positions refer to.
func (p *Positions) Source() []byte { return p.src }

// File gives the position of the whole file.
func (p *Positions) File() problem.Pos { return problem.Pos{File: p.file} }

// Has says whether the document has this key, even one whose value could not be read.
func (p *Positions) Has(key ...string) bool {
	_, depth := p.find(key)
	return depth == len(key)
}

// Broken says whether a key is there but could not be read, which is on the list of problems already.
func (p *Positions) Broken(key ...string) bool {
	n, depth := p.find(key)
	return depth == len(key) && n.kind == kindBroken
}

// At gives the place of a key: that of its nearest table where the document does not have it, the whole file where there is none.
func (p *Positions) At(key ...string) problem.Pos {
	n, depth := p.find(key)
	if depth == 0 {
		return p.File()
	}
	return p.pos(n.at)
}

// Value gives the place where a key's value starts, or what At gives.
func (p *Positions) Value(key ...string) problem.Pos {
	n, depth := p.find(key)
	if depth < len(key) || depth == 0 || n.kind == kindTable || n.kind == kindBroken {
		return p.At(key...)
	}
	return p.pos(n.start)
}

// Inside gives the place of byte offset of a string value, which escapes and quotes have moved.
func (p *Positions) Inside(offset int, key ...string) problem.Pos {
	n, depth := p.find(key)
	if depth < len(key) || depth == 0 || n.kind != kindString {
		return p.At(key...)
	}
	return p.pos(n.start + rawOffset(p.src[n.start:n.end], offset))
}

// Keys lists the keys of a table in the order of the document.
func (p *Positions) Keys(prefix ...string) []string {
	n, depth := p.find(prefix)
	if depth < len(prefix) {
		return nil
	}
	return n.keys
}

// find gives the deepest node on the way to key and how many parts of key it covers.
func (p *Positions) find(key []string) (*node, int) {
	n := p.root
	for i, part := range key {
		next := n.child(part)
		if next == nil {
			return n, i
		}
		n = next
	}
	return n, len(key)
}

func (n *node) child(part string) *node {
	if n.kind != kindArray {
		return n.kids[part]
	}
	i, err := strconv.Atoi(part)
	if err != nil || i < 0 || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

func (p *Positions) index() {
	p.lines = append(p.lines[:0], 0)
	for i := 0; ; {
		n := bytes.IndexByte(p.src[i:], '\n')
		if n < 0 {
			return
		}
		i += n + 1
		p.lines = append(p.lines, i)
	}
}

// line gives the number, from 0, of the line that holds an offset.
func (p *Positions) line(offset int) int {
	return sort.Search(len(p.lines), func(i int) bool { return p.lines[i] > offset }) - 1
}

func (p *Positions) pos(offset int) problem.Pos {
	offset = min(max(offset, 0), len(p.src))
	l := p.line(offset)
	return problem.Pos{File: p.file, Line: l + 1, Col: offset - p.lines[l] + 1}
}

// rawOffset gives the offset in a string as written, quotes included, of byte offset of its value.
func rawOffset(raw []byte, offset int) int {
	i, literal := openingQuote(raw)
	for i < len(raw) {
		plain := literal || raw[i] != '\\' || i+1 >= len(raw)
		if plain && offset > 0 {
			i++
			offset--
			continue
		}
		if plain {
			break
		}
		n, bytes := escape(raw[i:])
		if bytes > 0 && offset <= 0 {
			break
		}
		i += n
		offset -= bytes
	}
	return min(i, len(raw)-1)
}

func openingQuote(raw []byte) (length int, literal bool) {
	literal = len(raw) > 0 && raw[0] == '\''
	if len(raw) < 6 || raw[1] != raw[0] || raw[2] != raw[0] {
		return 1, literal
	}
	switch {
	case raw[3] == '\n':
		return 4, literal
	case raw[3] == '\r' && raw[4] == '\n':
		return 5, literal
	}
	return 3, literal
}

// escape gives the length of the escape that raw starts with and of the bytes that it stands for.
func escape(raw []byte) (length, bytes int) {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[1]]
	if digits > 0 && len(raw) >= 2+digits {
		r, err := strconv.ParseUint(string(raw[2:2+digits]), 16, 32)
		if err == nil {
			return 2 + digits, max(utf8.RuneLen(rune(r)), 1)
		}
	}
	if c := raw[1]; c == ' ' || c == '\t' || c == '\r' || c == '\n' { // a line that ends in a backslash goes on after the white space
		n := 1
		for n < len(raw) && (raw[n] == ' ' || raw[n] == '\t' || raw[n] == '\r' || raw[n] == '\n') {
			n++
		}
		return n, 0
	}
	return 2, 1
}
