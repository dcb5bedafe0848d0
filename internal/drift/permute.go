package drift

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/plumb-ml/plumb/internal/stat"
)

const (
	mostDraws   = 9999
	enoughHits  = 20 // more draws would not change what a p this large means
	leastOrders = 20 // fewer ways to exchange the blocks can't give a p below 0.05
)

// coded is a column as small numbers, for exchanging blocks. −1 is missing.
type coded struct {
	reference, current []int32
	codes              int
	ordered            bool
}

// permute gives P(effect ≥ the observed one) when whole blocks change sides. Draws go on until 20 of them reach the observed effect, at most
// 9,999: h hits in l draws are a p of h/l (Besag & Clifford 1991), and too few of (h+1)/(l+1).
func (c coded) permute(blocks Blocks, seed uint64) (p float64, draws int, err error) {
	if blocks.N == 0 {
		return 1, 0, nil
	}
	width := c.codes + 1 // the last one is missing
	count := make([]int64, blocks.N*width)
	side := make([]bool, blocks.N) // of the current rows
	add := func(codes, block []int32) {
		for i, code := range codes {
			if code < 0 {
				code = int32(c.codes)
			}
			count[int(block[i])*width+int(code)]++
		}
	}
	add(c.reference, blocks.Reference)
	add(c.current, blocks.Current)
	moved := 0
	for _, b := range blocks.Current {
		if !side[b] {
			side[b] = true
			moved++
		}
	}
	if orders(blocks.N, moved) < leastOrders {
		return 0, 0, fmt.Errorf("rows of one block move together, and there are %d blocks, %d of them current: too few to tell drift from chance", blocks.N, moved)
	}
	x := exchange{coded: c, count: count, width: width, a: make([]int64, width), b: make([]int64, width)}
	observed := x.effect(side)
	random := rand.New(rand.NewPCG(seed, uint64(blocks.N)))
	hits := 0
	for draws < mostDraws && hits < enoughHits {
		random.Shuffle(len(side), func(i, j int) { side[i], side[j] = side[j], side[i] })
		draws++
		if x.effect(side) >= observed-1e-12 {
			hits++
		}
	}
	if hits == enoughHits {
		return float64(hits) / float64(draws), draws, nil
	}
	return float64(hits+1) / float64(draws+1), draws, nil
}

// orders is the number of ways to choose k of n blocks, or a large number.
func orders(n, k int) float64 {
	out := 1.0
	for i := range min(k, n-k) {
		out *= float64(n-i) / float64(i+1)
		if out > 1e6 {
			break
		}
	}
	if k == 0 || k == n {
		return 0
	}
	return out
}

// exchange computes the effect for one assignment of blocks to sides.
type exchange struct {
	coded
	count []int64 // block × code
	width int
	a, b  []int64
}

func (x *exchange) effect(current []bool) float64 {
	clear(x.a)
	clear(x.b)
	for block, is := range current {
		row, to := x.count[block*x.width:(block+1)*x.width], x.a
		if is {
			to = x.b
		}
		for i, n := range row {
			to[i] += n
		}
	}
	if !x.ordered {
		phi2, _ := stat.Phi2(x.a, x.b) // rises with V: the table keeps its size and total
		return phi2
	}
	return distance(x.a, x.b)
}

// distance is the larger of the distances of values and of missing shares, as in numbers, on bins.
func distance(a, b []int64) float64 {
	last := len(a) - 1
	var n, m float64
	for i := range last {
		n, m = n+float64(a[i]), m+float64(b[i])
	}
	missing := 0.0
	if rows, others := n+float64(a[last]), m+float64(b[last]); rows > 0 && others > 0 {
		missing = math.Abs(n/rows - m/others)
	}
	if n == 0 || m == 0 {
		return missing
	}
	most, f, g := missing, 0.0, 0.0
	for i := range last {
		f, g = f+float64(a[i])/n, g+float64(b[i])/m
		most = math.Max(most, math.Abs(f-g))
	}
	return most
}
