// Package stat holds the statistics that judges stand on: the AUC with its influence values, DeLong's tests, McNemar's test,
// the group bootstrap, and the few distributions that they need.
//
// It is not a statistics library: what no judge asks for is not here, and nothing here decides anything. It knows no metric
// but the AUC, whose interval has a closed form. It stores nothing, reads no clock, and gives the same bits on one core as on many.
package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Level is the confidence of every interval.
const Level = 0.95

// upper is the probability below the upper end of a two-sided interval.
const upper = 1 - (1-Level)/2

// NormalQuantile gives the z with P(Z ≤ z) = p.
func NormalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// NormalCDF gives P(Z ≤ z).
func NormalCDF(z float64) float64 { return distuv.UnitNormal.CDF(z) }

// maxDF is where Student's t is the normal distribution to more digits than anyone reads (2e-9 at 95 %).
const maxDF = 1e9

// TQuantile gives the t with P(T ≤ t) = p for df degrees of freedom; df = +Inf is the normal distribution.
func TQuantile(p, df float64) float64 {
	switch {
	case df > maxDF:
		return NormalQuantile(p)
	case p < 0.5: // the library's left tail loses digits to 1 − p
		return -student(df).Quantile(1 - p)
	}
	return student(df).Quantile(p)
}

// TwoSided gives P(|T| ≥ |t|) for df degrees of freedom; df = +Inf is the normal distribution.
func TwoSided(t, df float64) float64 {
	if df > maxDF {
		return math.Erfc(math.Abs(t) / math.Sqrt2)
	}
	return 2 * student(df).CDF(-math.Abs(t))
}

func student(df float64) distuv.StudentsT { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df} }

// Wilson gives Wilson's score interval of a share, k of n, at confidence Level (Wilson 1927). With n = 0 it is [0, 1].
func Wilson(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	z, size := NormalQuantile(upper), float64(n)
	p := float64(k) / size
	shrink := 1 + z*z/size
	middle := (p + z*z/(2*size)) / shrink
	half := z / shrink * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	return math.Max(0, middle-half), math.Min(1, middle+half)
}

// Estimate is a difference, head − base, with what is known of its error.
type Estimate struct {
	Base, Head float64
	Difference float64
	SE         float64 // standard error of Difference
	Low, High  float64 // interval at confidence Level
	P          float64 // two-sided, of no difference
}

// estimate makes an interval of two numbers whose difference has the given variance and degrees of freedom.
func estimate(base, head, variance, df float64) Estimate {
	e := Estimate{Base: base, Head: head, Difference: head - base, SE: math.Sqrt(math.Max(0, variance)), P: 1}
	half := TQuantile(upper, df) * e.SE
	e.Low, e.High = e.Difference-half, e.Difference+half
	switch {
	case e.SE > 0:
		e.P = TwoSided(e.Difference/e.SE, df)
	case e.Difference != 0: // every row agrees on the difference
		e.P = 0
	}
	return e
}

// Groups numbers the distinct names from 0 in order of first appearance. Nil names stand for n rows that are a group each.
func Groups(names []string, n int) (index []int32, groups int) {
	index = make([]int32, n)
	if names == nil {
		for i := range index {
			index[i] = int32(i)
		}
		return index, n
	}
	seen := make(map[string]int32, 64)
	for i, name := range names {
		g, ok := seen[name]
		if !ok {
			g = int32(len(seen))
			seen[name] = g
		}
		index[i] = g
	}
	return index, len(seen)
}

// Descending gives the numbers of the rows by falling value, ties in their order. NaN is not allowed.
func Descending(values []float64) []int32 {
	type row struct {
		value float64
		index int32
	}
	rows := make([]row, len(values))
	for i, v := range values {
		rows[i] = row{v, int32(i)}
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return int(a.index - b.index)
	})
	order := make([]int32, len(rows))
	for i, r := range rows {
		order[i] = r.index
	}
	return order
}
