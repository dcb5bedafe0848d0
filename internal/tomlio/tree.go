package tomlio

import (
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/plumb-ml/plumb/internal/problem"
)

type kind int

const (
	kindTable kind = iota
	kindArray
	kindString
	kindInteger
	kindFloat
	kindBool
	kindTime
	kindBroken // the key is there, its value could not be read
)

// made says how a table came to be, which decides what may still be added to it.
type made int

const (
	byPath   made = iota // named on the way by the header of a table inside it
	byHeader             // has a header of its own
	byDots               // named on the way by a dotted key
	byBraces             // an inline table
)

// node is a value of the document with its place. Offsets count from the start of the source.
type node struct {
	kind  kind
	made  made
	at    int // of the key, or of the value where there is none
	start int // of the value
	end   int
	value any // of a scalar: string, int64, float64, bool, time.Time
	keys  []string
	kids  map[string]*node
	items []*node
	last  int // of a table: where its last own line ends; edits add after it
}

func newTable(at int) *node {
	return &node{kind: kindTable, at: at, start: at, kids: map[string]*node{}}
}

func (n *node) put(key string, child *node) {
	n.keys = append(n.keys, key)
	n.kids[key] = child
}

// builder turns the parser's expressions into a tree. After a mistake it goes on with the next line that starts something.
type builder struct {
	pos    *Positions
	list   *problem.List
	parser unstable.Parser
	base   int   // offset at which the parser started
	table  *node // of the header in force; nil where that could not be read
	path   string
	ended  int // offset at which the last good expression ended
	syntax int // mistakes reported
	arrays map[string]bool
}

func (b *builder) build() {
	b.table = b.pos.root
	b.arrays = map[string]bool{}
	src := b.pos.src
	for b.base < len(src) && b.syntax < maxRepeats {
		b.parser.Reset(src[b.base:])
		for b.parser.NextExpression() {
			b.expression(b.parser.Expression())
		}
		if b.parser.Error() == nil {
			return
		}
		b.base = b.recover(b.parser.Error())
	}
}

func (b *builder) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		b.header(b.key(n), false)
	case unstable.ArrayTable:
		b.header(b.key(n), true)
	case unstable.KeyValue:
		end := b.base + int(n.Raw.Offset+n.Raw.Length)
		if b.table != nil {
			b.keyValue(b.table, n)
			b.table.last = end
		}
		b.ended = end
	}
}

// part is one part of a dotted key.
type part struct {
	name string
	at   int
	end  int
}

func (b *builder) key(n *unstable.Node) []part {
	var out []part
	for it := n.Key(); it.Next(); {
		k := it.Node()
		at := b.base + int(k.Raw.Offset)
		out = append(out, part{string(k.Data), at, at + int(k.Raw.Length)})
	}
	return out
}

func dotted(key []part) string {
	names := make([]string, len(key))
	for i, k := range key {
		names[i] = k.name
	}
	return strings.Join(names, ".")
}

// header makes the table that a [header] names the one in force.
func (b *builder) header(key []part, array bool) {
	last := key[len(key)-1]
	b.ended = last.end
	b.path = dotted(key)
	b.table = nil
	if array {
		b.arrayTable(key)
		return
	}
	t := b.pos.root
	for _, k := range key[:len(key)-1] {
		if t = b.enter(t, k, byPath); t == nil {
			return
		}
	}
	old := t.kids[last.name]
	switch {
	case old == nil:
		old = newTable(last.at)
		t.put(last.name, old)
	case old.kind == kindTable && old.made == byPath:
		old.at = last.at
	case old.kind == kindBroken:
		return
	default:
		b.twice(last, old)
		if old.kind != kindTable || old.made == byBraces {
			return
		}
	}
	old.made, old.last = byHeader, last.end
	b.table = old
}

func (b *builder) arrayTable(key []part) {
	name := dotted(key)
	if b.arrays[name] {
		return
	}
	b.arrays[name] = true
	b.list.Errorf(b.pos.pos(key[0].at), "array-table", "[[%s]] is a list of tables without names", name)
	b.list.Hint("give every item a name of its own: [%s.some-name]", name)
	b.broken(b.pos.root, key)
}

// enter goes into the table k of t on the way to a deeper one, and makes it where it is missing. It gives nil where that is not allowed.
func (b *builder) enter(t *node, k part, how made) *node {
	next := t.kids[k.name]
	if next == nil {
		next = newTable(k.at)
		next.made = how
		t.put(k.name, next)
		return next
	}
	closed := next.made == byBraces || (how == byDots && next.made != byDots)
	switch {
	case next.kind == kindBroken:
		return nil
	case next.kind != kindTable || closed:
		b.twice(k, next)
		return nil
	}
	return next
}

func (b *builder) twice(k part, old *node) {
	b.list.Errorf(b.pos.pos(k.at), "duplicate", "%q is given twice", k.name)
	b.list.Hint("the first one is in line %d", b.pos.pos(old.at).Line)
}

func (b *builder) keyValue(t *node, n *unstable.Node) {
	key := b.key(n)
	for _, k := range key[:len(key)-1] {
		if t = b.enter(t, k, byDots); t == nil {
			return
		}
	}
	last := key[len(key)-1]
	if old := t.kids[last.name]; old != nil {
		if old.kind != kindBroken {
			b.twice(last, old)
		}
		return
	}
	v := b.value(n.Value(), last.end)
	v.at = last.at
	t.put(last.name, v)
}

// value makes the node of a value that starts at or after offset from. Arrays and inline tables come without a range of their own.
func (b *builder) value(n *unstable.Node, from int) *node {
	out := &node{start: b.base + int(n.Raw.Offset)}
	out.end = out.start + int(n.Raw.Length)
	switch n.Kind {
	case unstable.Array:
		out.kind = kindArray
		out.start = b.opening(from, '[')
		at := out.start + 1
		for it := n.Children(); it.Next(); {
			item := b.value(it.Node(), at)
			at = max(item.end, item.start)
			out.items = append(out.items, item)
		}
		out.end = at
	case unstable.InlineTable:
		out.kind, out.made, out.kids = kindTable, byBraces, map[string]*node{}
		for it := n.Children(); it.Next(); {
			kv := it.Node()
			b.keyValue(out, kv)
			out.end = b.base + int(kv.Raw.Offset+kv.Raw.Length)
		}
	default:
		b.scalar(n, out)
	}
	out.at = out.start
	return out
}

// opening finds the bracket at which an array starts: only white space, commas, comments, an equals sign and closing brackets can stand before it.
func (b *builder) opening(from int, bracket byte) int {
	src := b.pos.src
	for i := from; i < len(src); i++ {
		if src[i] == '#' {
			for i < len(src) && src[i] != '\n' {
				i++
			}
			continue
		}
		if src[i] == bracket {
			return i
		}
	}
	return from
}
