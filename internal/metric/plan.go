package metric

import (
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/stat"
)

// Plan is a sample made ready to be measured many times with different multiplicities of its groups. It is read-only once made.
type Plan struct {
	names  []string
	chosen []formula
	sums   *groupSums // nil when no chosen formula reads sums
	ranks  []*ranking
	task   string
}

// formula is one metric: of sums, or of the rows in the order of their scores. NaN says that it does not exist.
type formula struct {
	name string
	sums func(sum []float64) float64
	rank func(of []*blocks) float64
}

var formulas map[string][]formula

func init() { // formulas name functions that look the table up
	formulas = map[string][]formula{Binary: binary, Multiclass: multiclass, Regression: regression}
}

// Cells names the weights of a binary sample's confusion matrix, which a Plan measures like metrics.
var Cells = []string{"tp", "fp", "fn", "tn"}

// Ranked says whether a metric is made from the order or the size of scores alone, so that no threshold changes it.
func Ranked(name string) bool {
	return !slices.Contains(thresholded, name) && !slices.Contains(Cells, name) && name != Value
}

// NewPlan prepares the named metrics of a sample. group numbers each row's group from 0 to groups − 1. It refuses what Check refuses
// and names that are not of the task.
func NewPlan(s Sample, group []int32, groups int, names []string) (*Plan, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	p := &Plan{names: names, task: s.Task}
	for _, name := range names {
		f, ok := find(s.Task, name)
		if !ok {
			return nil, fmt.Errorf("no metric %q for a %s task", name, s.Task)
		}
		p.chosen = append(p.chosen, f)
	}
	rows := rows{Sample: s, group: group, groups: groups}
	for _, f := range p.chosen {
		if f.sums != nil && p.sums == nil {
			p.sums = rows.sum()
		}
		if f.rank != nil && p.ranks == nil {
			p.ranks = rows.rank()
		}
	}
	return p, nil
}

func find(task, name string) (formula, bool) {
	for _, f := range formulas[task] {
		if f.name == name {
			return f, true
		}
	}
	if cell := slices.Index(Cells, name); cell >= 0 && task == Binary {
		return formula{name: name, sums: func(s []float64) float64 { return s[cell] }}, true
	}
	return formula{}, false
}

// Worker makes a statistic for one goroutine: the planned metrics, in the order of their names, when group g counts count[g] times.
func (p *Plan) Worker() stat.Statistic {
	var sum []float64
	if p.sums != nil {
		sum = make([]float64, p.sums.width)
	}
	tables := make([]*blocks, len(p.ranks))
	for i, r := range p.ranks {
		tables[i] = r.scratch()
	}
	return func(count []uint16, out []float64) {
		p.sums.total(count, sum)
		for i, r := range p.ranks {
			r.fill(count, tables[i])
		}
		for i, f := range p.chosen {
			out[i] = math.NaN()
			switch {
			case f.sums != nil:
				out[i] = f.sums(sum)
			case len(tables) > 0:
				out[i] = f.rank(tables)
			}
		}
	}
}

// rows is a sample with its groups.
type rows struct {
	Sample
	group  []int32
	groups int
}

func (r rows) weight(i int) float64 {
	if r.Weight == nil {
		return 1
	}
	return r.Weight[i]
}

// rank orders the rows by each thing that a metric ranks them by.
func (r rows) rank() []*ranking {
	switch r.Task {
	case Binary:
		return []*ranking{r.ranking(r.Scores[0], func(i int) bool { return r.Label[i] > 0.5 })}
	case Regression:
		size := make([]float64, len(r.Label))
		for i, y := range r.Label {
			size[i] = math.Abs(r.Scores[0][i] - y)
		}
		return []*ranking{r.ranking(size, func(int) bool { return false })}
	}
	var out []*ranking
	for class, scores := range r.Scores {
		out = append(out, r.ranking(scores, func(i int) bool { return int(r.Label[i]) == class }))
	}
	return out
}
