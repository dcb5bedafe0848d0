package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

func loadTrees(b []byte) (*Trees, error) {
	var f xgbFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("reading an XGBoost model: %w", err)
	}
	text, ok := f.Learner.Attributes[attribute]
	if !ok {
		return nil, errors.New("reading an XGBoost model: it has no attribute \"plumb\", so what its columns are is not known; only models that plumb trained are read")
	}
	var own extras
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return nil, fmt.Errorf("reading an XGBoost model: attribute \"plumb\": %w", err)
	}
	if own.Format != gbdtFormat {
		return nil, fmt.Errorf("reading an XGBoost model: this plumb does not know the format %.40q", own.Format)
	}
	m := &Trees{Task: own.Task, Classes: own.Classes, Columns: own.Features, Notes: own.Notes}
	if err := m.from(&f.Learner); err != nil {
		return nil, fmt.Errorf("reading an XGBoost model: %w", err)
	}
	return m, nil
}

// from takes what stands outside the attribute and checks that the two agree.
func (m *Trees) from(f *xgbLearner) error {
	at := slices.IndexFunc(objectives, func(o objective) bool { return o.task == m.Task && o.name == f.Objective.Name })
	switch {
	case at < 0:
		return fmt.Errorf("objective %.40q is not that of a %.40q task", f.Objective.Name, m.Task)
	case f.Booster.Name != "gbtree":
		return fmt.Errorf("booster %.40q is not gbtree", f.Booster.Name)
	case len(m.Columns) == 0:
		return errors.New("it has no features")
	}
	m.Loss = objectives[at].loss
	if err := errors.Join(distinct(m.Features()), checkClasses(m.Task, m.Classes)); err != nil {
		return err
	}
	margins := max(1, len(m.Classes))
	if n := len(f.Booster.Model.Trees); n < 2*margins || n%margins != 0 {
		return fmt.Errorf("it has %d trees; a base and then rounds of %d are needed", n, margins)
	}
	for i, class := range f.Booster.Model.Info {
		if int(class) != i%margins {
			return fmt.Errorf("tree %d is of class %d, not %d", i, class, i%margins)
		}
	}
	for i, x := range f.Booster.Model.Trees {
		t, err := x.tree(m.Columns)
		switch {
		case err != nil:
			return fmt.Errorf("tree %d: %w", i, err)
		case i >= margins:
			m.Trees = append(m.Trees, t)
		case len(t) > 1:
			return fmt.Errorf("tree %d is no base: it has more than one leaf", i)
		default:
			m.Base = append(m.Base, t[0].Value)
		}
	}
	return nil
}

// checkShape is what a tree must be before its numbers are looked at.
func (x *xgbTree) checkShape() error {
	n := len(x.Left)
	for _, have := range []int{len(x.Right), len(x.Indices), len(x.Conditions), len(x.DefaultLeft), len(x.Gains), len(x.Hessians), len(x.Weights), len(x.Types)} {
		if n == 0 || have != n {
			return errors.New("its arrays are not of one length")
		}
	}
	if len(x.CatNodes) > n || len(x.CatSegments) != len(x.CatNodes) || len(x.CatSizes) != len(x.CatNodes) {
		return errors.New("its categories are not one set a node")
	}
	return nil
}

// tree checks every index: each node but the root has one parent, which stands before it, so that there is no cycle.
func (x *xgbTree) tree(features []Feature) (Tree, error) {
	t := make(Tree, len(x.Left))
	parents := make([]uint8, len(t))
	for i := range t {
		node := &t[i]
		*node = Node{Value: x.Weights[i], Gain: x.Gains[i], Hessian: x.Hessians[i]}
		if x.Left[i] == -1 && x.Right[i] == -1 {
			node.Value = x.Conditions[i]
			continue
		}
		for _, child := range []int32{x.Left[i], x.Right[i]} {
			if int(child) <= i || int(child) >= len(t) || parents[child] > 0 {
				return nil, fmt.Errorf("node %d has the child %d, which is not a node of its own after it", i, child)
			}
			parents[child]++
		}
		if x.Indices[i] < 0 || int(x.Indices[i]) >= len(features) {
			return nil, fmt.Errorf("node %d splits on feature %d of %d", i, x.Indices[i], len(features))
		}
		if features[x.Indices[i]].IsCategory() != (x.Types[i] == 1) {
			return nil, fmt.Errorf("node %d splits a category as a number, or a number as a category", i)
		}
		node.Left, node.Right, node.Feature, node.Threshold = x.Left[i], x.Right[i], x.Indices[i], x.Conditions[i]
		node.MissingLeft = x.DefaultLeft[i] == 1
	}
	for i := 1; i < len(t); i++ {
		if parents[i] == 0 {
			return nil, fmt.Errorf("node %d has no parent", i)
		}
	}
	return t, x.sets(t, features)
}

// sets fills the sets of category splits.
func (x *xgbTree) sets(t Tree, features []Feature) error {
	for k, i := range x.CatNodes {
		from, size := x.CatSegments[k], x.CatSizes[k]
		if i < 0 || int(i) >= len(t) || x.Types[i] != 1 || t[i].Leaf() || t[i].Set != nil || from < 0 || size < 1 || from > int64(len(x.Categories)) || size > int64(len(x.Categories))-from {
			return fmt.Errorf("set %d of categories belongs to no split", k)
		}
		codes := features[t[i].Feature].Codes()
		t[i].Set = make([]uint64, codes/64+1)
		for _, c := range x.Categories[from : from+size] {
			if c < 0 || int(c) >= codes {
				return fmt.Errorf("node %d splits on level %d of %d", i, c, codes)
			}
			t[i].Set[c/64] |= 1 << (c % 64)
		}
	}
	for i := range t {
		if x.Types[i] == 1 && !t[i].Leaf() && t[i].Set == nil {
			return fmt.Errorf("node %d splits a category by no set", i)
		}
	}
	return nil
}
