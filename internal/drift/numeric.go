package drift

import (
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
	"github.com/plumb-ml/plumb/internal/table"
)

const (
	fewNumbers = 20   // as many different reference values, or fewer, make a number a category
	manyTexts  = 1000 // as many different reference values, or more, make a string a text
	psiBins    = 10
	shownBins  = 20
	codeBins   = 50 // of pooled values, for exchanging blocks
)

// kindOf looks at the reference alone: what the current rows hold must not change what is asked.
func kindOf(v *table.Vector) string {
	if v.Floats != nil {
		seen := map[float64]bool{}
		for i, x := range v.Floats {
			if !absent(v, i) {
				if seen[x] = true; len(seen) > fewNumbers {
					return "numeric"
				}
			}
		}
		return "categorical"
	}
	seen, rows := map[string]bool{}, 0
	for i, x := range v.Strings {
		if !absent(v, i) {
			rows++
			seen[x] = true
		}
	}
	if len(seen) >= manyTexts || rows >= LeastRows && len(seen) > rows/2 { // names of rows, or prose
		return "text"
	}
	return "categorical"
}

// numbersOf gives a value a row, NaN where there is none.
func numbersOf(v *table.Vector) []float64 {
	out := make([]float64, length(v))
	for i := range out {
		if out[i] = v.Float(i); math.IsInf(out[i], 0) {
			out[i] = math.NaN()
		}
	}
	return out
}

// lengthsOf gives the length of each text in bytes.
func lengthsOf(v *table.Vector) []float64 {
	out := make([]float64, length(v))
	for i := range out {
		if out[i] = float64(len(v.Strings[i])); absent(v, i) {
			out[i] = math.NaN()
		}
	}
	return out
}

// ascending gives the values that exist, in order.
func ascending(values []float64) []float64 {
	out := make([]float64, 0, len(values))
	for _, x := range values {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

// numbers measures a column with an order. The effect is the larger of two distances: that of the values, and that of the shares that are missing,
// which is the same distance of the indicator.
func (m *measurement) numbers(reference, current []float64, ofValues bool) {
	a, b := ascending(reference), ascending(current)
	m.describe(a, b, ofValues)
	if m.insufficient() {
		return
	}
	effect, p := stat.KS(a, b)
	method := "Kolmogorov–Smirnov"
	if !ofValues {
		method += " of the texts' lengths"
	}
	missing := math.Abs(m.out.NullShareReference - m.out.NullShareCurrent)
	if m.out.NullShareReference+m.out.NullShareCurrent > 0 {
		_, q := stat.Contingency([]int64{int64(len(a)), int64(len(reference) - len(a))}, []int64{int64(len(b)), int64(len(current) - len(b))})
		p = math.Min(1, 2*math.Min(p, q)) // the smaller of two
		if missing > effect {
			method = "share of missing values"
		}
		method += ", of values and missing ones the larger"
	}
	codes := coded{}
	if m.blocks.N > 0 {
		codes = codedNumbers(reference, current, a, b)
	}
	m.finish(math.Max(effect, missing), p, method, codes)
}

// describe fills what is reported beside the effect.
func (m *measurement) describe(a, b []float64, ofValues bool) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	w := stat.Wasserstein(a, b)
	cuts := stat.Cuts(a, psiBins)
	x, y := counts(cuts, a), counts(cuts, b)
	psi, critical := stat.PSI(x, y)
	js := stat.JensenShannon(x, y)
	m.out.Statistics = record.DriftStatistics{PSI: &psi, PSICritical: &critical, Wasserstein: &w, JensenShannon: &js}
	m.out.Reference, m.out.Current = summary(a), summary(b)
	if ofValues {
		m.out.Bins = bins(a, b)
	}
}

func counts(cuts, values []float64) []int64 {
	out := make([]int64, len(cuts)+1)
	for _, x := range values {
		out[stat.Bin(cuts, x)]++
	}
	return out
}

func summary(sorted []float64) *record.DriftSummary {
	at := func(share float64) float64 { return sorted[int(share*float64(len(sorted)-1))] }
	sum := 0.0
	for _, x := range sorted {
		sum += x / float64(len(sorted))
	}
	return &record.DriftSummary{Mean: sum, Median: at(0.5), P05: at(0.05), P95: at(0.95)}
}

// bins are of equal width between the first and the last hundredth of both sides together, so that one odd value does not empty them all; the outer
// ones reach to the ends.
func bins(a, b []float64) []record.DriftBin {
	low := math.Min(a[len(a)/100], b[len(b)/100])
	high := math.Max(a[len(a)-1-len(a)/100], b[len(b)-1-len(b)/100])
	if !(high > low) || math.IsInf(high-low, 0) {
		return []record.DriftBin{}
	}
	out := make([]record.DriftBin, shownBins)
	cuts := make([]float64, 0, shownBins-1)
	for i := range out {
		out[i].From = low + (high-low)*float64(i)/shownBins
		out[i].To = low + (high-low)*float64(i+1)/shownBins
		if i > 0 {
			cuts = append(cuts, out[i].From)
		}
	}
	out[0].From, out[shownBins-1].To = math.Min(a[0], b[0]), math.Max(a[len(a)-1], b[len(b)-1])
	for i, n := range counts(cuts, a) {
		out[i].Reference = n
	}
	for i, n := range counts(cuts, b) {
		out[i].Current = n
	}
	return out
}

// codedNumbers bins by the quantiles of both sides together: what is exchanged must not depend on which side a row is of.
func codedNumbers(reference, current, a, b []float64) coded {
	pooled := slices.Concat(a, b)
	slices.Sort(pooled)
	cuts := stat.Cuts(pooled, codeBins)
	code := func(values []float64) []int32 {
		out := make([]int32, len(values))
		for i, x := range values {
			if out[i] = -1; !math.IsNaN(x) {
				out[i] = int32(stat.Bin(cuts, x))
			}
		}
		return out
	}
	return coded{reference: code(reference), current: code(current), codes: len(cuts) + 1, ordered: true}
}
