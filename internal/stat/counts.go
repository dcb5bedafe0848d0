package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// ChiSquareTail is P(X ≥ x) of the chi-square distribution with df degrees of freedom; 1 when there are none.
func ChiSquareTail(x, df float64) float64 {
	if df <= 0 || x <= 0 {
		return 1
	}
	return distuv.ChiSquared{K: df}.Survival(x)
}

// ChiSquareQuantile is the x with P(X ≤ x) = p of the chi-square distribution with df degrees of freedom.
func ChiSquareQuantile(p, df float64) float64 { return distuv.ChiSquared{K: df}.Quantile(p) }

// Phi2 is Pearson's chi-square of the table of two rows of counts, a over b, divided by its total, and how many columns have a count.
func Phi2(a, b []int64) (phi2 float64, columns int) {
	var n, m float64
	for i := range a {
		n, m = n+float64(a[i]), m+float64(b[i])
	}
	for i := range a {
		column := float64(a[i] + b[i])
		if column == 0 {
			continue
		}
		columns++
		if n > 0 && m > 0 {
			off := float64(a[i]) - column*n/(n+m)
			phi2 += off * off / column * (n + m) / (n * m)
		}
	}
	return phi2, columns
}

// Contingency tests that two rows of counts share one distribution: Pearson's chi-square without a continuity correction, as a p, and Cramér's V with
// Bergsma's correction of its bias (2013), 0…1.
func Contingency(a, b []int64) (v, p float64) {
	phi2, columns := Phi2(a, b)
	total := 0.0
	for i := range a {
		total += float64(a[i] + b[i])
	}
	if columns < 2 || total < 2 {
		return 0, 1
	}
	k := float64(columns)
	p = ChiSquareTail(phi2*total, k-1)
	phi2 = math.Max(0, phi2-(k-1)/(total-1))
	k -= (k - 1) * (k - 1) / (total - 1)
	rows := 2 - 1/(total-1)
	return math.Sqrt(phi2 / math.Min(k-1, rows-1)), p
}

// PSI is the population stability index Σ (b − a) ln(b/a) over the shares of two rows of counts, with half a count added to each so that it is
// finite, and its critical value: what it exceeds in 5 of 100 samples of these sizes when nothing changed (Yurdakul 2018), and 0.1 at least.
func PSI(a, b []int64) (psi, critical float64) {
	var n, m float64
	for i := range a {
		n, m = n+float64(a[i]), m+float64(b[i])
	}
	if n == 0 || m == 0 || len(a) < 2 {
		return 0, 0.1
	}
	half := float64(len(a)) / 2
	for i := range a {
		x, y := (float64(a[i])+0.5)/(n+half), (float64(b[i])+0.5)/(m+half)
		psi += (y - x) * math.Log(y/x)
	}
	return psi, math.Max(0.1, ChiSquareQuantile(Level, float64(len(a)-1))*(1/n+1/m))
}

// JensenShannon is the Jensen–Shannon distance (the root of the divergence to the base 2) of two rows of counts: 0 alike, 1 nothing in common.
func JensenShannon(a, b []int64) float64 {
	var n, m float64
	for i := range a {
		n, m = n+float64(a[i]), m+float64(b[i])
	}
	if n == 0 || m == 0 {
		return 0
	}
	sum := 0.0
	for i := range a {
		x, y := float64(a[i])/n, float64(b[i])/m
		for _, z := range []float64{x, y} {
			if z > 0 {
				sum += z * math.Log2(z/((x+y)/2)) / 2
			}
		}
	}
	return math.Sqrt(math.Max(0, sum))
}

// BenjaminiHochberg gives for each p the smallest false discovery rate at which it would be called (1995): min over larger p of p·n/rank.
func BenjaminiHochberg(p []float64) []float64 {
	order := Descending(p)
	q, least := make([]float64, len(p)), 1.0
	for i, at := range order {
		least = math.Min(least, p[at]*float64(len(p))/float64(len(p)-i))
		q[at] = least
	}
	return q
}

// Cuts gives at most parts − 1 different values that cut an ascending sample into parts of about equal counts (Hyndman & Fan type 7): bin i holds
// the values of at least cut i − 1 and below cut i.
func Cuts(sorted []float64, parts int) []float64 {
	if len(sorted) == 0 {
		return nil
	}
	var cuts []float64
	for i := 1; i < parts; i++ {
		cuts = append(cuts, quantile(sorted, float64(i)/float64(parts)))
	}
	cuts = slices.Compact(cuts)
	if len(cuts) > 0 && cuts[0] == sorted[0] { // nothing is below it
		cuts = cuts[1:]
	}
	return cuts
}

// Bin is the bin of x between cuts.
func Bin(cuts []float64, x float64) int {
	at, found := slices.BinarySearch(cuts, x)
	if found {
		at++
	}
	return at
}
