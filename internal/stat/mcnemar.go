package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactBelow is the number of disagreements under which McNemar's test is the exact binomial one.
const exactBelow = 25

// Disagreement counts the rows on which two deciders differ: Head alone is right, Base alone is right, of N rows.
type Disagreement struct {
	Head, Base, N int
}

// P is McNemar's two-sided p: exact under 25 disagreements, else chi-square with continuity correction (McNemar 1947, Edwards 1948).
func (d Disagreement) P() float64 {
	n := d.Head + d.Base
	switch {
	case n == 0:
		return 1
	case n < exactBelow:
		b := distuv.Binomial{N: float64(n), P: 0.5}
		return math.Min(1, 2*b.CDF(float64(min(d.Head, d.Base))))
	}
	gap := math.Max(0, math.Abs(float64(d.Head-d.Base))-1)
	return math.Erfc(math.Sqrt(gap * gap / float64(n) / 2))
}

// Interval is that of the difference of the two shares of right answers, head − base: Wald's with half a row added to each cell of the
// paired table (Agresti & Min 2005), which unlike the plain one covers when disagreements are few. No disagreement at all is exactly zero.
func (d Disagreement) Interval() (low, high float64) {
	if d.Head+d.Base == 0 {
		return 0, 0
	}
	head, base, n := float64(d.Head)+0.5, float64(d.Base)+0.5, float64(d.N)+2
	middle := (head - base) / n
	half := NormalQuantile(upper) * math.Sqrt((head+base)-(head-base)*(head-base)/n) / n
	return math.Max(-1, middle-half), math.Min(1, middle+half)
}
