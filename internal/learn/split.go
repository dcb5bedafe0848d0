package learn

import (
	"cmp"
	"slices"
)

// split cuts a leaf in two by one column.
type split struct {
	gain        float64 // by how much twice the loss falls; 0: there is no split
	column      int     // of the data
	bin         int     // number: bins up to this one go left; -1: only missing values do
	set         []uint8 // category: these codes go right; missingBin is one of them
	left        cell
	missingLeft bool
}

// The rules for splits of categories, which have many ways to fit noise (LightGBM's cat_smooth, cat_l2, max_cat_threshold; scikit-learn's
// MIN_CAT_SUPPORT): levels are ordered by gradient over hessian plus levelSmooth; one side has at most maxLevels of them; a level with
// fewer rows than minLevelRows in the leaf stays with the rest; leaf values that a gain is counted from are shrunk by levelPenalty more.
const (
	levelSmooth  = 10
	levelPenalty = 10
	maxLevels    = 32
	minLevelRows = 10
)

// splitter looks for the best split of one leaf in one column.
type splitter struct {
	*gbdt
	total   cell
	within  bounds
	column  int
	penalty float64 // added to every hessian
	parent  float64 // score of the leaf as it is
	best    split
}

func (b *gbdt) bestSplit(h *[256]cell, column int, leaf *binNode) split {
	s := splitter{gbdt: b, total: leaf.total, within: leaf.within, column: column, penalty: b.p["l2"]}
	s.parent = s.score(&s.total)
	if b.binners[column].feature.IsCategory() {
		s.penalty += levelPenalty
		s.category(h)
	} else {
		s.number(h)
	}
	return s.best
}

// score is twice what the loss falls by when a leaf gets its best value (Chen and Guestrin 2016, equation 6).
func (s *splitter) score(c *cell) float64 {
	if s.direction != nil {
		return s.bounded(c)
	}
	g, h := float64(c.g)*s.unit.g, float64(c.h)*s.unit.h
	if h+s.penalty <= 0 {
		return 0
	}
	return g * g / (h + s.penalty)
}

// try keeps a split when it is allowed and better than the best so far.
func (s *splitter) try(left *cell) bool {
	right := s.total.minus(left)
	if left.n < s.minChild || right.n < s.minChild || float64(left.h)*s.unit.h < s.minHessian || float64(right.h)*s.unit.h < s.minHessian {
		return false
	}
	gain := s.score(left) + s.score(&right) - s.parent
	if gain <= s.best.gain {
		return false
	}
	s.best.gain, s.best.left, s.best.column = gain, *left, s.column
	return true
}

// cut is try for a split that has an order.
func (s *splitter) cut(left *cell) bool {
	if s.direction != nil && s.direction[s.column] != 0 {
		if right := s.total.minus(left); !s.ordered(left, &right) {
			return false
		}
	}
	return s.try(left)
}

// number tries every cut, with missing values on either side when there are some; where there are none they will go with the larger side.
func (s *splitter) number(h *[256]cell) {
	missing := &h[missingBin]
	if missing.n > 0 && s.try(missing) {
		s.best.bin, s.best.missingLeft = -1, true
	}
	var left cell
	for bin := range s.binners[s.column].bins - 1 {
		if h[bin].n == 0 {
			continue
		}
		left.add(&h[bin])
		if s.cut(&left) {
			s.best.bin, s.best.missingLeft = bin, missing.n == 0 && 2*left.n >= s.total.n
		}
		if missing.n == 0 {
			continue
		}
		with := left
		with.add(missing)
		if s.cut(&with) {
			s.best.bin, s.best.missingLeft = bin, true
		}
	}
}

// category orders the levels by what their rows want and tries to put the first or the last ones on a side of their own (Fisher 1958).
func (s *splitter) category(h *[256]cell) {
	var levels []uint8
	var want [256]float64
	for bin := range h {
		if h[bin].n >= minLevelRows {
			levels = append(levels, uint8(bin))
			want[bin] = float64(h[bin].g) * s.unit.g / (float64(h[bin].h)*s.unit.h + levelSmooth)
		}
	}
	slices.SortFunc(levels, func(a, b uint8) int { return cmp.Or(cmp.Compare(want[a], want[b]), cmp.Compare(a, b)) })
	before := s.best.gain
	for range 2 {
		var right cell
		for i, level := range levels[:min(len(levels), maxLevels)] {
			right.add(&h[level])
			if i == 0 && level == missingBin {
				s.missingAlone(right)
			} else if left := s.total.minus(&right); s.try(&left) {
				s.best.set = slices.Clone(levels[:i+1])
			}
		}
		slices.Reverse(levels)
	}
	if s.best.gain == before {
		return
	}
	s.best.missingLeft = !slices.Contains(s.best.set, missingBin)
	if h[missingBin].n == 0 {
		s.best.missingLeft = 2*s.best.left.n >= s.total.n
	}
}

// missingAlone tries all levels against the missing ones, which go left: the right side must have a level, or XGBoost refuses the tree.
func (s *splitter) missingAlone(missing cell) {
	if s.try(&missing) {
		s.best.set = nil
		for code := range s.binners[s.column].bins {
			s.best.set = append(s.best.set, uint8(code))
		}
	}
}
