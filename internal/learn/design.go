package learn

import (
	"math"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
)

// design is the train part as numbers: the intercept and the numbers as a dense row, categories and missing values as places of ones.
//
// Numbers are centred and divided by their standard deviation; a missing one is the mean, so 0. Ones are divided by theirs but not
// centred, which would make them dense and, with a free intercept, changes no coefficient.
type design struct {
	set      *Set
	features []model.Feature
	columns  []column    // the intercept, then numbers, then ones
	numbers  [][]float64 // dense columns, a slice a column; the first is all 1
	slots    []slot
	total    float64 // sum of the weights
	notes    []string
}

// column is one column of the design.
type column struct {
	feature int // -1: the intercept
	code    int // of a level, or missingCode
	mean    float64
	scale   float64 // 1 / standard deviation; 0: the column is constant and not used
	share   float64 // ones: the share of the weight that has them
}

// missingCode is the code of a missing value's indicator.
const missingCode = -1

// slot is a group of columns of which a row has at most one: the levels of a category, or a number's indicator.
type slot struct {
	feature  int
	codes    []int32 // of each row: missingCode or a code
	columns  []int32 // by code + 1: the column, or -1
	ofNumber bool    // codes other than missingCode do not count
}

// maxColumns bounds the normal equations: 2,000 columns are 32 MB and some seconds a step.
const maxColumns = 2000

func newDesign(job *Job, features []model.Feature) (*design, error) {
	d := &design{set: &job.Train, features: features, columns: []column{{feature: -1, scale: 1}}}
	d.numbers = append(d.numbers, filled(d.set.X.N, 1))
	for i := range d.set.X.N {
		d.total += d.set.weight(i)
	}
	for i := range features {
		if err := d.add(i); err != nil {
			return nil, err
		}
	}
	for i := range d.slots {
		d.place(&d.slots[i])
	}
	if len(d.columns) > maxColumns {
		return nil, problem.Wrongf("lower the parameter levels, drop a category with many levels, or use gbdt",
			"glm would have %d columns; at most %d are allowed", len(d.columns), maxColumns)
	}
	return d, nil
}

// add reads a feature: a number becomes a dense column, a category and missing numbers a slot, whose columns follow when all numbers are there.
func (d *design) add(i int) error {
	f := &d.features[i]
	if f.IsCategory() {
		codes, err := f.Category(&d.set.X)
		d.slots = append(d.slots, slot{feature: i, codes: codes, columns: make([]int32, f.Codes()+1)})
		return err
	}
	values, err := f.Numbers(&d.set.X)
	if err != nil {
		return err
	}
	c, some, err := d.standardise(values, i)
	if err != nil {
		return err
	}
	if some.missing > 0 && some.distinct > 0 {
		codes := make([]int32, len(values))
		for row, x := range values {
			if x != x {
				codes[row], values[row] = missingCode, 0
			}
		}
		d.slots = append(d.slots, slot{feature: i, codes: codes, columns: make([]int32, 2), ofNumber: true})
	}
	d.notes = append(d.notes, some.notes(f)...)
	d.columns, d.numbers = append(d.columns, c), append(d.numbers, values)
	return nil
}

// standardise changes values to mean 0 and standard deviation 1, missing ones counted as the mean; NaN stays. It says how many values
// there are: none, one, or more.
func (d *design) standardise(values []float64, feature int) (column, census, error) {
	c := column{feature: feature}
	var some census
	sum, weight := 0.0, 0.0
	for i, x := range values {
		if x != x {
			some.missing++
			continue
		}
		sum += float64(d.set.weight(i) * x)
		weight += d.set.weight(i)
	}
	if weight == 0 {
		clear(values)
		return c, some, nil
	}
	c.mean = sum / weight
	squares := 0.0
	for i, x := range values {
		if x == x {
			squares += float64(d.set.weight(i) * (x - c.mean) * (x - c.mean))
		}
	}
	deviation := math.Sqrt(squares / d.total)
	if math.IsInf(deviation, 0) || math.IsNaN(deviation) {
		return c, some, problem.Wrongf("scale it in a row expression", "the values of %q are too large to square", d.features[feature].Name)
	}
	some.distinct = 2
	if deviation <= 1e-12*math.Abs(c.mean) {
		deviation, some.distinct = math.Inf(1), 1
	}
	c.scale = 1 / deviation
	for i, x := range values {
		values[i] = (x - c.mean) * c.scale
	}
	return c, some, nil
}

// place gives a slot's codes their columns: every level but the first, the rare ones together, missing ones.
func (d *design) place(s *slot) {
	shares, rows := make([]float64, len(s.columns)), make([]int, len(s.columns))
	for i, code := range s.codes {
		shares[code+1] += d.set.weight(i) / d.total
		rows[code+1]++
	}
	for at := range s.columns {
		s.columns[at] = -1
	}
	add := func(at int) {
		if share := shares[at]; share > 0 && share < 1 {
			s.columns[at] = int32(len(d.columns))
			d.columns = append(d.columns, column{feature: s.feature, code: at - 1, share: share, scale: 1 / math.Sqrt(share*(1-share))})
		}
	}
	if s.ofNumber {
		add(0)
		return
	}
	f := &d.features[s.feature]
	for at := 2; at < len(s.columns); at++ {
		add(at)
	}
	add(0)
	some := census{missing: rows[0]}
	for code, n := range rows[1:] {
		if n > 0 {
			some.distinct++
		}
		if code == len(f.Levels) {
			some.other = n
		}
	}
	d.notes = append(d.notes, some.notes(f)...)
}

// margins gives each row's sum for standardised coefficients.
func (d *design) margins(beta []float64, threads int) []float64 {
	out := make([]float64, d.set.X.N)
	stripes(threads, len(out), func(from, to int) {
		for k, values := range d.numbers {
			if b := beta[k]; b != 0 {
				for i := from; i < to; i++ {
					out[i] += float64(b * values[i])
				}
			}
		}
		for k := range d.slots {
			s := &d.slots[k]
			for i := from; i < to; i++ {
				if c := s.columns[s.codes[i]+1]; c >= 0 {
					out[i] += float64(beta[c] * d.columns[c].scale)
				}
			}
		}
	})
	return out
}

// lanes is how many partial sums there are: fixed, so that results do not depend on the number of cores.
const lanes = 4

// normal sums the normal equations of rows weighted by w: the lower triangle of XᵀWX and Xᵀv, both divided by the total weight.
func (d *design) normal(w, v []float64, threads int) (gram [][]float64, right []float64) {
	parts := make([]*normalLane, lanes)
	parallel(threads, lanes, func(lane int) {
		parts[lane] = newNormalLane(d)
		for from := lane * stripe; from < d.set.X.N; from += lanes * stripe {
			parts[lane].sum(from, min(from+stripe, d.set.X.N), w, v)
		}
	})
	gram, right = parts[0].gram, parts[0].right
	for i := range gram {
		for _, p := range parts[1:] {
			right[i] += p.right[i]
			for j := range i + 1 {
				gram[i][j] += p.gram[i][j]
			}
		}
	}
	for i := range gram {
		right[i] *= d.scaleOfOnes(i) / d.total
		for j := range i + 1 {
			gram[i][j] *= d.scaleOfOnes(i) * d.scaleOfOnes(j) / d.total
		}
	}
	return gram, right
}

// scaleOfOnes is 1 for the numbers, whose values are scaled already.
func (d *design) scaleOfOnes(column int) float64 {
	if column < len(d.numbers) {
		return 1
	}
	return d.columns[column].scale
}

// normalLane is a partial sum, of ones that are not scaled yet.
type normalLane struct {
	d     *design
	gram  [][]float64
	right []float64
	row   []float64 // numbers of one row
	ones  []int32   // columns that are one in it
}

func newNormalLane(d *design) *normalLane {
	l := &normalLane{d: d, gram: make([][]float64, len(d.columns)), right: make([]float64, len(d.columns)), row: make([]float64, len(d.numbers))}
	for i := range l.gram {
		l.gram[i] = make([]float64, i+1)
	}
	return l
}

func (l *normalLane) sum(from, to int, w, v []float64) {
	for i := from; i < to; i++ {
		for k := range l.row {
			l.row[k] = l.d.numbers[k][i]
		}
		l.ones = l.ones[:0]
		for k := range l.d.slots {
			s := &l.d.slots[k]
			if c := s.columns[s.codes[i]+1]; c >= 0 {
				l.ones = append(l.ones, c)
			}
		}
		l.add(w[i], v[i])
	}
}

func (l *normalLane) add(w, v float64) {
	for k, x := range l.row {
		l.right[k] += float64(v * x)
		wx, gram := w*x, l.gram[k]
		for j := range gram {
			gram[j] += float64(wx * l.row[j])
		}
	}
	for k, c := range l.ones {
		l.right[c] += v
		gram := l.gram[c]
		for j, x := range l.row {
			gram[j] += float64(w * x)
		}
		for _, other := range l.ones[:k+1] {
			l.gram[max(c, other)][min(c, other)] += w
		}
	}
}
