package learn

import "math"

// quadratic is ½ xᵀAx − bᵀx: what a Newton step makes of the objective. The gram holds A's lower triangle. x is of one sum after the other,
// each of so many columns, the intercept first.
type quadratic struct {
	width int
	gram  [][]float64
	right []float64
	drop  []bool // x stays 0 there
}

func newQuadratic(width, sums int) quadratic {
	n := width * sums
	q := quadratic{width: width, gram: make([][]float64, n), right: make([]float64, n), drop: make([]bool, n)}
	for i := range q.gram {
		q.gram[i] = make([]float64, i+1)
	}
	return q
}

// put copies the lower triangle of a symmetric block to the place of sums a ≥ b.
func (q *quadratic) put(a, b int, block [][]float64) {
	for i, row := range block {
		for j, x := range row {
			q.gram[a*q.width+i][b*q.width+j] = x
			if a != b {
				q.gram[a*q.width+j][b*q.width+i] = x
			}
		}
	}
}

// penalise adds l2/2·Σ(beta + x)², intercepts left out.
func (q *quadratic) penalise(beta []float64, l2 float64) {
	for j, b := range beta {
		if j%q.width > 0 {
			q.right[j] -= l2 * b
			q.gram[j][j] += l2
		}
	}
}

// explained is the share of a column's variance that earlier columns leave to it, below which they explain it.
const explained = 1e-10

// solve gives the least x by Cholesky's decomposition, row by row. A column that earlier ones explain gets 0, as in R; with `mark`, for good.
func (q *quadratic) solve(mark bool) []float64 {
	n := len(q.right)
	x, dropped := make([]float64, n), make([]bool, n)
	for i := range n {
		row := q.gram[i]
		whole := row[i]
		for j := range i {
			if dropped[j] {
				row[j] = 0
				continue
			}
			row[j] = (row[j] - dot(row[:j], q.gram[j][:j])) / q.gram[j][j]
		}
		left := whole - dot(row[:i], row[:i])
		if q.drop[i] || !(left > explained*whole) {
			dropped[i] = true
			q.drop[i] = q.drop[i] || mark
			row[i] = 1
			continue
		}
		row[i] = math.Sqrt(left)
		x[i] = (q.right[i] - dot(row[:i], x[:i])) / row[i]
	}
	for i := n - 1; i >= 0; i-- {
		if dropped[i] {
			x[i] = 0
			continue
		}
		x[i] /= q.gram[i][i]
		for j := range i {
			x[j] -= float64(x[i] * q.gram[i][j])
		}
	}
	return x
}

// dot keeps four sums, so that the processor need not wait for each addition.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// The end of coordinate descent: no coordinate moves by more than lassoMove, or there were so many sweeps.
const (
	lassoMove   = 1e-10
	lassoSweeps = 10_000
)

// lasso gives the step from beta that makes the quadratic plus l1·Σ|beta + step| least, by coordinate descent (Friedman and others 2010).
// Intercepts are not penalised.
func (q *quadratic) lasso(beta []float64, l1 float64) []float64 {
	n := len(beta)
	step, slope := make([]float64, n), make([]float64, n) // slope: b − A·step
	copy(slope, q.right)
	for range lassoSweeps {
		moved, largest := 0.0, 1e-300
		for j := range n {
			a := q.gram[j][j]
			if q.drop[j] || a <= 0 {
				continue
			}
			old := beta[j] + step[j]
			next := old + slope[j]/a
			if j%q.width > 0 {
				next = soft(next, l1/a)
			}
			if change := next - old; change != 0 {
				step[j] += change
				q.move(slope, j, change)
				moved = math.Max(moved, math.Abs(change))
			}
			largest = math.Max(largest, math.Abs(next))
		}
		if moved <= lassoMove*largest {
			break
		}
	}
	return step
}

// move takes a change of coordinate j off the slopes.
func (q *quadratic) move(slope []float64, j int, change float64) {
	for k := range j {
		slope[k] -= float64(change * q.gram[j][k])
	}
	for k := j; k < len(slope); k++ {
		slope[k] -= float64(change * q.gram[k][j])
	}
}

func soft(x, by float64) float64 {
	switch {
	case x > by:
		return x - by
	case x < -by:
		return x + by
	}
	return 0
}
