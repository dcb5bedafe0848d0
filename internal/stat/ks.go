package stat

import "math"

// exactPairs is the largest n·m for which the Kolmogorov–Smirnov p is counted exactly.
const exactPairs = 250_000

// KS gives the two-sample Kolmogorov–Smirnov distance sup |F − G| of two ascending samples, and P(D ≥ d) if both were drawn from one continuous
// distribution: counted over lattice paths (Hodges 1957) for up to 250,000 pairs, else by Kolmogorov's limit. (Stephens' correction of the
// limit is for one sample: at two of 100 it is a fifth too small.)
// With ties the p is too large, never too small. An empty sample has distance 0 and p 1.
func KS(a, b []float64) (d, p float64) {
	if len(a) == 0 || len(b) == 0 {
		return 0, 1
	}
	n, m := float64(len(a)), float64(len(b))
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x := math.Min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		d = math.Max(d, math.Abs(float64(i)/n-float64(j)/m))
	}
	return d, KSP(d, len(a), len(b))
}

// KSP is P(D ≥ d) for samples of n and m values.
func KSP(d float64, n, m int) float64 {
	if n*m <= exactPairs {
		return ksExact(d, n, m)
	}
	return kolmogorov(d * math.Sqrt(float64(n)*float64(m)/float64(n+m)))
}

// ksExact walks the lattice from (0, 0) to (n, m), all paths alike, and gives the share of those that reach |i/n − j/m| ≥ d. inside[j] is the
// share of the paths to (i, j) that have not: a path comes from (i−1, j) with probability i/(i+j).
func ksExact(d float64, n, m int) float64 {
	steps := math.Round(d * float64(n) * float64(m)) // D is a whole multiple of 1/(n·m)
	inside := make([]float64, m+1)
	for i := 0; i <= n; i++ {
		for j := 0; j <= m; j++ {
			switch {
			case math.Abs(float64(i*m-j*n)) >= steps && steps > 0:
				inside[j] = 0
			case i == 0 && j == 0:
				inside[j] = 1
			default:
				from := float64(i) / float64(i+j) * inside[j]
				if j > 0 {
					from += float64(j) / float64(i+j) * inside[j-1]
				}
				inside[j] = from
			}
		}
	}
	if steps == 0 {
		return 1
	}
	return 1 - inside[m]
}

// kolmogorov is P(K > x) of Kolmogorov's distribution: 2 Σ (−1)^(k−1) exp(−2k²x²).
func kolmogorov(x float64) float64 {
	if x < 0.2 { // 1 to 17 digits, and the series would need many terms
		return 1
	}
	sum := 0.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * x * x)
		if sum += math.Copysign(term, math.Mod(k, 2)-0.5); term < 1e-18 {
			break
		}
	}
	return math.Min(1, math.Max(0, 2*sum))
}

// Wasserstein is the first Wasserstein distance ∫ |F − G| of two ascending samples, in their unit; 0 when one is empty.
func Wasserstein(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	n, m := float64(len(a)), float64(len(b))
	sum, last := 0.0, math.Min(a[0], b[0])
	for i, j := 0, 0; i < len(a) || j < len(b); {
		x := math.Inf(1)
		if i < len(a) {
			x = a[i]
		}
		if j < len(b) {
			x = math.Min(x, b[j])
		}
		sum += math.Abs(float64(i)/n-float64(j)/m) * (x - last)
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		last = x
	}
	return sum
}
