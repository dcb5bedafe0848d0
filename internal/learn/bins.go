package learn

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/table"
)

// missingBin is where missing values are; the bins before it hold steps of a number or codes of a category.
const missingBin = 255

// binner cuts one column into at most 255 bins and the one of missing values.
type binner struct {
	feature model.Feature
	cuts    []float32 // a number's thresholds, rising: x is in the bin that counts the cuts ≤ x
	bins    int       // without the missing one
}

// sampleRows is how many rows decide where a number is cut, as in scikit-learn: more change little and cost a sort.
const sampleRows = 200_000

// newBinner looks at a train column.
func newBinner(f model.Feature, x *table.Frame, limit int) (binner, error) {
	b := binner{feature: f, bins: f.Codes()}
	if f.IsCategory() {
		return b, nil
	}
	values, err := f.Numbers(x)
	if err != nil {
		return b, err
	}
	step := max(1, (len(values)+sampleRows-1)/sampleRows)
	sample := make([]float32, 0, len(values)/step+1)
	for i := 0; i < len(values); i += step {
		if v := values[i]; v == v {
			sample = append(sample, model.Single(v))
		}
	}
	slices.Sort(sample)
	b.cuts = cuts(sample, limit)
	b.bins = len(b.cuts) + 1
	return b, nil
}

// cuts places thresholds between values of the sorted sample: between all neighbours when there are few, else so that bins hold about as
// many rows each; a value that fills a bin alone gets one.
func cuts(sorted []float32, limit int) []float32 {
	type run struct {
		value float32
		count int
	}
	var runs []run
	for _, v := range sorted {
		if n := len(runs); n > 0 && runs[n-1].value == v {
			runs[n-1].count++
		} else {
			runs = append(runs, run{v, 1})
		}
	}
	var out []float32
	left, held := len(sorted), 0
	for i := 0; i+1 < len(runs) && len(out) < limit-1; i++ {
		held += runs[i].count
		wanted := float64(left) / float64(limit-len(out))
		full := float64(held) >= wanted || float64(runs[i+1].count) >= wanted
		if full || len(runs) <= limit {
			out = append(out, between(runs[i].value, runs[i+1].value))
			left, held = left-held, 0
		}
	}
	return out
}

// between gives a threshold t with a < t ≤ b, in the middle where float32 has one.
func between(a, b float32) float32 {
	if t := float32((float64(a) + float64(b)) / 2); t > a {
		return t
	}
	return b
}

// column gives the bins of x's rows.
func (b *binner) column(x *table.Frame) ([]uint8, error) {
	out := make([]uint8, x.N)
	if b.feature.IsCategory() {
		codes, err := b.feature.Category(x)
		for i, c := range codes {
			out[i] = missingBin
			if c >= 0 {
				out[i] = uint8(c)
			}
		}
		return out, err
	}
	values, err := b.feature.Numbers(x)
	for i, v := range values {
		out[i] = b.bin(v)
	}
	return out, err
}

func (b *binner) bin(v float64) uint8 {
	if math.IsNaN(v) {
		return missingBin
	}
	x, low, high := model.Single(v), 0, len(b.cuts)
	for low < high {
		if mid := (low + high) / 2; x < b.cuts[mid] {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return uint8(low)
}

// binned is a part of the data as the trees see it, a byte a value.
type binned struct {
	columns [][]uint8
	rows    int
}

func (b *binned) of(binners []binner, x *table.Frame, threads int) error {
	b.rows, b.columns = x.N, make([][]uint8, len(binners))
	errs := make([]error, len(binners))
	parallel(threads, len(binners), func(i int) { b.columns[i], errs[i] = binners[i].column(x) })
	return first(errs)
}

// notes says which columns training can't use.
func (b *binned) notes(features []model.Feature) []string {
	var out []string
	for i := range features {
		var count [256]int
		for _, bin := range b.columns[i] {
			count[bin]++
		}
		c := census{missing: count[missingBin]}
		for bin, n := range count[:missingBin] {
			if n > 0 {
				c.distinct++
			}
			if features[i].Other && bin == len(features[i].Levels) {
				c.other = n
			}
		}
		out = append(out, c.notes(&features[i])...)
	}
	return out
}

func newBinners(features []model.Feature, x *table.Frame, limit, threads int) ([]binner, error) {
	out, errs := make([]binner, len(features)), make([]error, len(features))
	parallel(threads, len(features), func(i int) { out[i], errs[i] = newBinner(features[i], x, limit) })
	return out, first(errs)
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// parallel does every item once on so many goroutines. Each item writes only what is its own, so who does it changes nothing.
func parallel(threads, items int, do func(item int)) {
	if threads = min(threads, items); threads <= 1 {
		for i := range items {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	work := func() {
		for i := next.Add(1) - 1; i < int64(items); i = next.Add(1) - 1 {
			do(int(i))
		}
	}
	for range threads - 1 {
		wait.Go(work)
	}
	work()
	wait.Wait()
}

// stripe is the rows of one item of parallel work: a fixed number, so that sums do not depend on how many threads there are.
const stripe = 1 << 14

// stripes calls do for every stripe of n rows.
func stripes(threads, n int, do func(from, to int)) {
	parallel(threads, (n+stripe-1)/stripe, func(i int) { do(i*stripe, min((i+1)*stripe, n)) })
}
