package metric

import "github.com/plumb-ml/plumb/internal/stat"

// ranking is rows in descending order of a score, cut into blocks of equal scores.
type ranking struct {
	score    []float64 // of each block
	end      []int32   // of each block: the first row that is not in it
	group    []int32   // of each row, in order
	positive []float64 // weight of each row in order, 0 for a negative
	negative []float64 // likewise
	shares   bool      // every score is in [0, 1]
	counted  bool      // every weight is 1
}

// blocks is a ranking under one set of multiplicities.
type blocks struct {
	*ranking
	pos, neg []float64 // weight of each block by class
	sum      [2]float64
}

func (r rows) ranking(score []float64, positive func(i int) bool) *ranking {
	order := stat.Descending(score)
	k := &ranking{group: make([]int32, len(order)), positive: make([]float64, len(order)), negative: make([]float64, len(order)),
		shares: true, counted: r.Weight == nil}
	for at, row := range order {
		i, s := int(row), score[row]
		if n := len(k.score); n == 0 || k.score[n-1] != s {
			k.score, k.end = append(k.score, s), append(k.end, 0)
		}
		k.end[len(k.end)-1] = int32(at + 1)
		k.group[at] = r.group[i]
		if positive(i) {
			k.positive[at] = r.weight(i)
		} else {
			k.negative[at] = r.weight(i)
		}
		k.shares = k.shares && s >= 0 && s <= 1
	}
	return k
}

func (k *ranking) scratch() *blocks {
	return &blocks{ranking: k, pos: make([]float64, len(k.score)), neg: make([]float64, len(k.score))}
}

// fill weighs the blocks of b when group g counts count[g] times.
func (k *ranking) fill(count []uint16, b *blocks) {
	at := int32(0)
	b.sum = [2]float64{}
	for i, end := range k.end {
		pos, neg := 0.0, 0.0
		for ; at < end; at++ {
			times := float64(count[k.group[at]])
			pos += times * k.positive[at]
			neg += times * k.negative[at]
		}
		b.pos[i], b.neg[i] = pos, neg
		b.sum[0] += neg
		b.sum[1] += pos
	}
}
