package stat

import "math"

// Part is a source of error that is independent of the others: its variance, and how well that is known.
type Part struct {
	Variance float64
	DF       float64 // degrees of freedom of Variance
}

// Parts adds sources of error up: variances sum, and the degrees of freedom are Welch's and Satterthwaite's, (Σv)² ÷ Σ(v²/df).
func Parts(all ...Part) Part {
	sum, weighed := 0.0, 0.0
	for _, p := range all {
		if p.Variance > 0 {
			sum += p.Variance
			weighed += p.Variance * p.Variance / p.DF
		}
	}
	if sum == 0 {
		return Part{}
	}
	return Part{Variance: sum, DF: sum * sum / weighed}
}

// HalfWidth is how far a part alone reaches at confidence Level.
func (p Part) HalfWidth() float64 {
	if p.Variance == 0 {
		return 0
	}
	return TQuantile(upper, p.DF) * math.Sqrt(p.Variance)
}

// With widens an interval, made on df degrees of freedom, by a further source of error that moves the difference alike in both directions:
//
//	low  = d − √((d − low)² + h²)
//	high = d + √((high − d)² + h²),  h the half width of the part
//
// which recovers the variance of each side from its limit (MOVER: Zou and Donner 2008, Statistics in Medicine 27:1693), so that an interval that was not
// symmetric stays so. Each part keeps its own t quantile. P is that of a difference as far from zero as the limit says, with Satterthwaite's degrees
// of freedom: below 1 − Level exactly when the interval leaves zero out.
func (e Estimate) With(p Part, df float64) Estimate {
	if p.Variance == 0 {
		return e
	}
	h, d := p.HalfWidth(), e.Difference
	below, above := d-e.Low, e.High-d
	e.Low, e.High = d-math.Hypot(below, h), d+math.Hypot(above, h)
	inner, outer := below, d-e.Low
	if d < 0 {
		inner, outer = above, e.High-d
	}
	own := inner / TQuantile(upper, df)
	both := Parts(Part{Variance: own * own, DF: df}, p)
	e.SE = outer / TQuantile(upper, both.DF)
	e.P = TwoSided(d/e.SE, both.DF)
	return e
}
