package learn

import (
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
)

// bounds are what leaves below a node may be worth, before the rate. A split by a column with a direction must have its sides in that order,
// and what is halfway between them bounds both from then on, so that no later split can undo the order (the basic method of LightGBM and
// XGBoost). Missing values have no place in the order: where they part from all others, nothing is bound.
type bounds struct{ low, high float64 }

var unbound = bounds{math.Inf(-1), math.Inf(1)}

func (b bounds) clamp(x float64) float64 { return min(max(x, b.low), b.high) }

// directions finds the columns that parameters name.
func directions(features []model.Feature, monotone map[string]int8) ([]int8, error) {
	if len(monotone) == 0 {
		return nil, nil
	}
	out := make([]int8, len(features))
	var numbers []string
	left := len(monotone)
	for i := range features {
		direction, named := monotone[features[i].Name]
		switch {
		case named && features[i].IsCategory():
			return nil, problem.Wrongf("give it an order: a row expression that makes it a number", "params.monotone names %q, which is a category", features[i].Name)
		case named:
			out[i], left = direction, left-1
		}
		if !features[i].IsCategory() {
			numbers = append(numbers, features[i].Name)
		}
	}
	for name := range monotone {
		if left > 0 && !slices.ContainsFunc(features, func(f model.Feature) bool { return f.Name == name }) {
			return nil, problem.Wrongf("numbers are: "+problem.And(numbers), "params.monotone names %q, which is no feature", name)
		}
	}
	return out, nil
}

// worth is the value of a leaf before the rate: minus gradient over hessian, within bounds.
func (b *gbdt) worth(total *cell, within bounds) float64 {
	penalised := float64(total.h)*b.unit.h + b.p["l2"]
	if penalised <= 0 {
		return within.clamp(0)
	}
	return within.clamp(min(max(-float64(total.g)*b.unit.g/penalised, -b.move), b.move))
}

// below gives the bounds of both sides of a split.
func (b *gbdt) below(s *split, parent *binNode) (left, right bounds) {
	left, right = parent.within, parent.within
	if b.direction == nil || b.direction[s.column] == 0 || s.bin < 0 {
		return left, right
	}
	rest := parent.total.minus(&s.left)
	middle := (b.worth(&s.left, parent.within) + b.worth(&rest, parent.within)) / 2
	if b.direction[s.column] > 0 {
		left.high, right.low = middle, middle
	} else {
		left.low, right.high = middle, middle
	}
	return left, right
}

// ordered says whether both sides of a cut may be so.
func (s *splitter) ordered(left, right *cell) bool {
	l, r := s.worth(left, s.within), s.worth(right, s.within)
	return l == r || l < r == (s.direction[s.column] > 0)
}

// bounded is score for a leaf that may not have its best value: minus twice what the loss changes by, to second order.
func (s *splitter) bounded(c *cell) float64 {
	g, h := float64(c.g)*s.unit.g, float64(c.h)*s.unit.h+s.penalty
	if h <= 0 {
		return 0
	}
	v := s.within.clamp(-g / h)
	return -v * (2*g + h*v)
}
