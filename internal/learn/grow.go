package learn

import (
	"context"
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// binTree is a tree over bins.
type binTree []binNode

type binNode struct {
	left, right int32 // 0: a leaf
	depth       int
	split       split
	goesLeft    *[256]bool // by bin
	total       cell
	within      bounds
	value       float32
	hessian     float32
}

// value is what the tree adds to a row.
func (t binTree) value(data *binned, row int) float64 {
	n := &t[0]
	for n.left != 0 {
		if n.goesLeft[data.columns[n.split.column][row]] {
			n = &t[n.left]
		} else {
			n = &t[n.right]
		}
	}
	return float64(n.value)
}

// grower grows one tree after the other, best leaf first.
type grower struct {
	b           *gbdt
	rows        []uint32 // rows of the tree, those of a leaf together and in their order
	columns     []int    // columns that the tree may use
	tree        binTree
	open        []openLeaf
	closed      []span
	ordered     []pair // gradients of the leaf being filled
	left, right []uint32
	free        []histogram
	held        int // histograms in use
}

type span struct {
	node     int32
	from, to int // of rows
}

// openLeaf has a split to offer. Its histogram may be gone, see keep.
type openLeaf struct {
	span
	histogram histogram
	best      split
}

func newGrower(b *gbdt) grower {
	n := b.train.rows
	return grower{b: b, rows: make([]uint32, n), ordered: make([]pair, n), left: make([]uint32, n), right: make([]uint32, n)}
}

// all puts every row into the next tree.
func (g *grower) all() {
	g.rows = g.rows[:g.b.train.rows]
	for i := range g.rows {
		g.rows[i] = uint32(i)
	}
}

func (g *grower) grow(ctx context.Context, columns []int) (binTree, error) {
	if len(columns) != len(g.columns) {
		g.free = nil
	}
	g.columns, g.tree, g.open, g.closed = columns, nil, g.open[:0], g.closed[:0]
	h := g.take()
	g.fill(h, g.rows)
	root := span{to: len(g.rows)}
	g.tree = append(g.tree, g.node(h.total(), 0, unbound))
	g.offer(root, h)
	for leaves := 1; leaves < int(g.b.p["leaves"]) && len(g.open) > 0; leaves++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g.divide(leaves+1 == int(g.b.p["leaves"]))
	}
	for _, l := range g.open {
		g.closed = append(g.closed, l.span)
		g.give(l.histogram)
	}
	return g.tree, nil
}

// node gives a leaf its value: what it is worth, times the learning rate.
func (g *grower) node(total cell, depth int, within bounds) binNode {
	return binNode{total: total, depth: depth, within: within, hessian: float32(float64(total.h) * g.b.unit.h),
		value: rounded(g.b.worth(&total, within)*g.b.p["rate"], g.b.step)}
}

// divide splits the open leaf with the highest gain. The last one's children stay as they are.
func (g *grower) divide(last bool) {
	at := 0
	for i := range g.open {
		if g.open[i].best.gain > g.open[at].best.gain {
			at = i
		}
	}
	l := g.open[at]
	g.open = append(g.open[:at], g.open[at+1:]...)
	parent := &g.tree[l.node]
	total, depth := parent.total, parent.depth+1
	parent.split, parent.goesLeft = l.best, l.best.table(g.b.binners)
	parent.left, parent.right = int32(len(g.tree)), int32(len(g.tree)+1)
	middle := l.from + g.partition(g.rows[l.from:l.to], g.b.train.columns[l.best.column], parent.goesLeft)
	small, large := span{parent.left, l.from, middle}, span{parent.right, middle, l.to}
	onLeft, onRight := g.b.below(&l.best, parent)
	g.tree = append(g.tree, g.node(l.best.left, depth, onLeft), g.node(total.minus(&l.best.left), depth, onRight))
	if small.to-small.from > large.to-large.from {
		small, large = large, small
	}
	if last {
		g.closed = append(g.closed, small, large)
		g.give(l.histogram)
		return
	}
	g.children(small, large, l.histogram)
}

// children offers both: the smaller is summed, the larger is what is left of the parent.
func (g *grower) children(small, large span, parent histogram) {
	if !g.divisible(large) {
		g.closed = append(g.closed, small, large)
		g.give(parent)
		return
	}
	h := g.take()
	g.fill(h, g.rows[small.from:small.to])
	if parent == nil {
		parent = g.take()
		g.fill(parent, g.rows[large.from:large.to])
	} else {
		parent.subtract(h, g.b.job.Threads)
	}
	g.offer(large, parent)
	g.offer(small, h)
}

func (g *grower) divisible(s span) bool {
	deepest := int(g.b.p["depth"])
	return int64(s.to-s.from) >= 2*g.b.minChild && (deepest == 0 || g.tree[s.node].depth < deepest)
}

// offer finds a leaf's best split and opens it, or closes it when there is none.
func (g *grower) offer(s span, h histogram) {
	best := split{}
	if g.divisible(s) {
		found := make([]split, len(g.columns))
		parallel(g.b.job.Threads, len(g.columns), func(i int) {
			found[i] = g.b.bestSplit(&h[i], g.columns[i], &g.tree[s.node])
		})
		for _, f := range found {
			if f.gain > best.gain {
				best = f
			}
		}
	}
	if best.gain == 0 {
		g.closed = append(g.closed, s)
		g.give(h)
		return
	}
	g.open = append(g.open, openLeaf{span: s, histogram: g.keep(h), best: best})
}

// maxHistograms bounds the memory of histograms, in bytes. A variable for its test.
var maxHistograms = 512 << 20

// keep lets a histogram go when many are held: its leaf's children are then both summed, which gives the same integers.
func (g *grower) keep(h histogram) histogram {
	if g.held*len(h)*256*24 > maxHistograms {
		g.give(h)
		return nil
	}
	return h
}

func (g *grower) take() histogram {
	g.held++
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	return make(histogram, len(g.columns))
}

func (g *grower) give(h histogram) {
	if h != nil {
		g.held--
		g.free = append(g.free, h)
	}
}

// partition puts the rows that go left first, keeping their order, and says how many they are.
func (g *grower) partition(rows []uint32, column []uint8, goesLeft *[256]bool) int {
	var step [256]int
	for bin, left := range goesLeft {
		if left {
			step[bin] = 1
		}
	}
	counts := make([]int, (len(rows)+stripe-1)/stripe)
	stripes(g.b.job.Threads, len(rows), func(from, to int) {
		left, right, n := g.left[from:to], g.right[from:to], 0
		for i, row := range rows[from:to] {
			left[n], right[i-n] = row, row
			n += step[column[row]]
		}
		counts[from/stripe] = n
	})
	total := 0
	for _, n := range counts {
		total += n
	}
	l, r := 0, total
	for i, n := range counts {
		from, to := i*stripe, min((i+1)*stripe, len(rows))
		copy(rows[l:], g.left[from:from+n])
		copy(rows[r:], g.right[from:to-n])
		l, r = l+n, r+to-from-n
	}
	return total
}

// addTo adds the last tree to the margins.
func (g *grower) addTo(margin []float64, tree binTree, sampled bool) {
	threads := g.b.job.Threads
	if sampled {
		stripes(threads, len(margin), func(from, to int) {
			for row := from; row < to; row++ {
				margin[row] += tree.value(&g.b.train, row)
			}
		})
		return
	}
	parallel(threads, len(g.closed), func(i int) {
		value := float64(tree[g.closed[i].node].value)
		for _, row := range g.rows[g.closed[i].from:g.closed[i].to] {
			margin[row] += value
		}
	})
}

// table says for each bin whether it goes left.
func (s *split) table(binners []binner) *[256]bool {
	var t [256]bool
	category := binners[s.column].feature.IsCategory()
	for bin := range missingBin {
		t[bin] = category || bin <= s.bin
	}
	t[missingBin] = s.missingLeft
	for _, code := range s.set {
		t[code] = false
	}
	return &t
}

// model writes the tree over values.
func (t binTree) model(binners []binner) model.Tree {
	out := make(model.Tree, len(t))
	for i := range t {
		n := &t[i]
		out[i] = model.Node{Left: n.left, Right: n.right, Value: n.value, Hessian: n.hessian}
		if n.left == 0 {
			continue
		}
		b := &binners[n.split.column]
		out[i].Feature, out[i].MissingLeft, out[i].Gain = int32(n.split.column), n.split.missingLeft, model.Single(n.split.gain)
		switch {
		case b.feature.IsCategory():
			out[i].Set = make([]uint64, b.feature.Codes()/64+1)
			for _, code := range n.split.set {
				if code != missingBin {
					out[i].Set[code/64] |= 1 << (code % 64)
				}
			}
		case n.split.bin < 0:
			out[i].Threshold = -math.MaxFloat32
		default:
			out[i].Threshold = b.cuts[n.split.bin]
		}
	}
	return out
}
