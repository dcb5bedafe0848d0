package text

import (
	"io"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
)

// Table is aligned text: names left, numbers right.
type Table struct {
	Columns []Column
	Rows    [][]Cell // as wide as Columns; what is missing is empty
}

// Column is a heading and how what is under it is aligned.
type Column struct {
	Name  string
	Right bool
	Most  int // characters shown of a cell; 0: all
}

// Cell is a text of the table.
type Cell struct {
	Text   string
	Colour Colour
}

// Cells makes a row of plain cells.
func Cells(texts ...string) []Cell {
	out := make([]Cell, len(texts))
	for i, t := range texts {
		out[i].Text = t
	}
	return out
}

// Write prints the table, two spaces between columns and none at a line's end.
func (t Table) Write(o Out) error {
	_, err := io.WriteString(o.W, t.render(o))
	return err
}

func (t Table) render(o Out) string {
	lines := make([][]Cell, 0, len(t.Rows)+1)
	head := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = Cell{Text: c.Name, Colour: Dim}
	}
	lines = append(lines, head)
	for _, row := range t.Rows {
		line := make([]Cell, len(t.Columns))
		for i := range line {
			if i < len(row) {
				line[i] = row[i]
			}
			if most := t.Columns[i].Most; most > 0 {
				line[i].Text = brief.Clip(line[i].Text, most)
			}
		}
		lines = append(lines, line)
	}
	widths := make([]int, len(t.Columns))
	for _, line := range lines {
		for i := range line {
			line[i].Text = escape.Terminal(line[i].Text)
			widths[i] = max(widths[i], width(line[i].Text))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(t.line(o, line, widths))
		b.WriteByte('\n')
	}
	return b.String()
}

func (t Table) line(o Out, cells []Cell, widths []int) string {
	last := len(cells) - 1
	for last > 0 && cells[last].Text == "" {
		last--
	}
	var b strings.Builder
	for i, c := range cells[:last+1] {
		if i > 0 {
			b.WriteString("  ")
		}
		gap := strings.Repeat(" ", widths[i]-width(c.Text))
		switch {
		case t.Columns[i].Right:
			b.WriteString(gap + o.Paint(c.Colour, c.Text))
		case i == last:
			b.WriteString(o.Paint(c.Colour, c.Text))
		default:
			b.WriteString(o.Paint(c.Colour, c.Text) + gap)
		}
	}
	return b.String()
}
