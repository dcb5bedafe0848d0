package index

import (
	"cmp"
	"maps"
	"slices"

	"github.com/plumb-ml/plumb/internal/table"
)

// Segment is some runs by column: in memory, or in a file and read when asked for.
type Segment struct {
	n       int
	columns map[key]*Column // those in memory
	file    *File           // nil: all are
	places  map[key]place
}

// Len is how many runs there are.
func (s *Segment) Len() int { return s.n }

func (s *Segment) keys() []key {
	if s.file == nil {
		return slices.Collect(maps.Keys(s.columns))
	}
	return slices.Collect(maps.Keys(s.places))
}

// column gives one; nil when the segment has none of this name and type.
func (s *Segment) column(k key) (*Column, error) {
	if c, ok := s.columns[k]; ok || s.file == nil {
		return c, nil
	}
	at, ok := s.places[k]
	if !ok {
		return nil, nil
	}
	c, err := s.file.column(k, at, s.n)
	if err != nil {
		return nil, err
	}
	if s.columns == nil {
		s.columns = map[key]*Column{}
	}
	s.columns[k] = c
	return c, nil
}

// Builder makes a segment, run by run.
type Builder struct {
	n       int
	columns map[key]*Column
	words   map[key]map[string]uint32
}

// Add takes in a run.
func (b *Builder) Add(r Row) {
	if b.columns == nil {
		b.columns, b.words = map[key]*Column{}, map[key]map[string]uint32{}
	}
	for name, value := range r {
		k := key{name, typeOf(value)}
		c := b.columns[k]
		if c == nil {
			c = newColumn(k.typ, 0)
			b.columns[k], b.words[k] = c, map[string]uint32{}
		}
		c.grow(b.n)
		c.put(value, b.words[k])
	}
	b.n++
}

// Segment gives what was taken in.
func (b *Builder) Segment() *Segment {
	for _, c := range b.columns {
		c.grow(b.n)
	}
	return &Segment{n: b.n, columns: b.columns}
}

// Table is runs of several segments, one behind the other.
type Table struct {
	segments []*Segment
	starts   []int
	n        int
	joined   map[key]*Column
	dropped  map[int]bool

	OwnFrom int // the row from which on runs are in this clone only
}

// NewTable puts segments together.
func NewTable(segments ...*Segment) *Table {
	t := &Table{joined: map[key]*Column{}}
	for _, s := range segments {
		t.segments, t.starts = append(t.segments, s), append(t.starts, t.n)
		t.n += s.n
	}
	t.OwnFrom = t.n
	return t
}

// Len is how many rows the columns have, dropped ones included.
func (t *Table) Len() int { return t.n }

// Drop leaves rows out: those of one segment whose id another one has too.
func (t *Table) Drop(rows []int) {
	if t.dropped == nil {
		t.dropped = map[int]bool{}
	}
	for _, r := range rows {
		t.dropped[r] = true
	}
}

// Segments is how many there are.
func (t *Table) Segments() int { return len(t.segments) }

// Start is where the rows of the i-th segment begin.
func (t *Table) Start(i int) int { return t.starts[i] }

// Rows lists the rows that count.
func (t *Table) Rows() []int {
	rows := make([]int, 0, t.n)
	for i := range t.n {
		if !t.dropped[i] {
			rows = append(rows, i)
		}
	}
	return rows
}

// Names lists the columns, by name, then type. A name comes more than once when its values are of several types.
func (t *Table) Names() []table.Column {
	seen := map[key]bool{}
	var names []table.Column
	for _, s := range t.segments {
		for _, k := range s.keys() {
			if !seen[k] {
				seen[k] = true
				names = append(names, table.Column{Name: k.name, Type: k.typ})
			}
		}
	}
	slices.SortFunc(names, func(a, b table.Column) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type)) })
	return names
}

// Column gives the values of a name and type over all rows; absent everywhere when there is no such column.
func (t *Table) Column(name string, typ table.Type) (*Column, error) {
	k := key{name, typ}
	if c := t.joined[k]; c != nil {
		return c, nil
	}
	var all *Column
	for i, s := range t.segments {
		c, err := s.column(k)
		if err != nil {
			return nil, err
		}
		switch {
		case len(t.segments) == 1 && c != nil:
			all = c
			continue
		case all == nil:
			all = newColumn(typ, t.starts[i])
		}
		if c == nil {
			all.grow(t.starts[i] + s.n)
		} else {
			all.join(c)
		}
	}
	if all == nil {
		all = newColumn(typ, t.n)
	}
	t.joined[k] = all
	return all, nil
}

// Join makes one segment of several, in memory, their rows one behind the other.
func Join(segments ...*Segment) (*Segment, error) {
	if len(segments) == 1 {
		return segments[0], nil
	}
	t := NewTable(segments...)
	s := &Segment{n: t.n, columns: map[key]*Column{}}
	for _, name := range t.Names() {
		c, err := t.Column(name.Name, name.Type)
		if err != nil {
			return nil, err
		}
		s.columns[key{name.Name, name.Type}] = c.compact()
	}
	return s, nil
}

// compact keeps each word once.
func (c *Column) compact() *Column {
	if c.codes == nil {
		return c
	}
	out := &Column{Type: c.Type, n: c.n, codes: make([]uint32, c.n)}
	at := map[string]uint32{}
	for i, code := range c.codes {
		if code == 0 {
			continue
		}
		word := c.words[code-1]
		again, ok := at[word]
		if !ok {
			out.words = append(out.words, word)
			again = uint32(len(out.words))
			at[word] = again
		}
		out.codes[i] = again
	}
	return out
}
