package learn

// cell sums the derivatives, in fixed point, and the rows of one bin.
type cell struct{ g, h, n int64 }

func (c *cell) add(d *cell) { c.g, c.h, c.n = c.g+d.g, c.h+d.h, c.n+d.n }

func (c *cell) minus(d *cell) cell { return cell{c.g - d.g, c.h - d.h, c.n - d.n} }

// histogram has the cells of every column of a tree, one a bin.
type histogram [][256]cell

// fill sums the rows of a leaf into h, a column at a time: each is one goroutine's, so the number of goroutines changes nothing.
func (g *grower) fill(h histogram, rows []uint32) {
	b := g.b
	whole := len(rows) == b.train.rows
	if !whole {
		stripes(b.job.Threads, len(rows), func(from, to int) {
			for i := from; i < to; i++ {
				g.ordered[i] = b.gradient[rows[i]]
			}
		})
	}
	threads := b.job.Threads
	if len(rows) < smallLeaf {
		threads = 1
	}
	parallel(threads, len(h), func(i int) {
		clear(h[i][:])
		if column := b.train.columns[g.columns[i]]; whole {
			sumAll(&h[i], column, b.gradient)
		} else {
			sumRows(&h[i], column, rows, g.ordered[:len(rows)])
		}
	})
}

// smallLeaf is how many rows are not worth a second goroutine.
const smallLeaf = 2048

func sumAll(h *[256]cell, column []uint8, gradient []pair) {
	gradient = gradient[:len(column)]
	for i, bin := range column {
		c, p := &h[bin], gradient[i]
		c.g += int64(p.g)
		c.h += int64(p.h)
		c.n++
	}
}

func sumRows(h *[256]cell, column []uint8, rows []uint32, gradient []pair) {
	gradient = gradient[:len(rows)]
	for i, row := range rows {
		c, p := &h[column[row]], gradient[i]
		c.g += int64(p.g)
		c.h += int64(p.h)
		c.n++
	}
}

// subtract leaves the sibling's histogram in h.
func (h histogram) subtract(child histogram, threads int) {
	parallel(threads, len(h), func(i int) {
		for bin := range h[i] {
			h[i][bin] = h[i][bin].minus(&child[i][bin])
		}
	})
}

// total sums a histogram's rows, over the bins of its first column.
func (h histogram) total() (sum cell) {
	for bin := range h[0] {
		sum.add(&h[0][bin])
	}
	return sum
}
