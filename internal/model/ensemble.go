package model

import (
	"math"

	"github.com/plumb-ml/plumb/internal/onnx"
)

// ensemble collects the nodes of trees as the lists that ONNX's TreeEnsembleRegressor has.
type ensemble struct {
	place                                  []int64 // of each feature: its column
	tree, id, feature, yes, no, missingYes []int64
	mode                                   []string
	value                                  []float32
	leafTree, leafID, target               []int64
	weight                                 []float32
}

// add takes in a tree of one target. A node keeps its number, and the further comparisons of a set get new ones behind.
func (e *ensemble) add(t Tree, tree, target int64) {
	extra := int64(len(t))
	for i := range t {
		n, id := &t[i], int64(i)
		switch {
		case n.Leaf():
			e.node(tree, id, "LEAF", n, 0, [2]int64{})
			e.leafTree, e.leafID, e.target = append(e.leafTree, tree), append(e.leafID, id), append(e.target, target)
			e.weight = append(e.weight, n.Value)
		case n.Set == nil:
			e.node(tree, id, "BRANCH_LT", n, threshold(n), [2]int64{int64(n.Left), int64(n.Right)})
		default:
			extra = e.set(n, tree, id, extra)
		}
	}
}

// set asks for one code after the other: yes is right, the last no is left.
func (e *ensemble) set(n *Node, tree, id, extra int64) int64 {
	var codes []float32
	for c := range 64 * len(n.Set) {
		if n.Set[c/64]>>(c%64)&1 == 1 {
			codes = append(codes, float32(c))
		}
	}
	for i, code := range codes {
		no := extra
		if i == len(codes)-1 {
			no = int64(n.Left)
		} else {
			extra++
		}
		e.node(tree, id, "BRANCH_EQ", n, code, [2]int64{int64(n.Right), no})
		id = no
	}
	return extra
}

func (e *ensemble) node(tree, id int64, mode string, n *Node, value float32, to [2]int64) {
	missing := int64(0)
	if mode == "BRANCH_LT" && n.MissingLeft || mode == "BRANCH_EQ" && !n.MissingLeft {
		missing = 1
	}
	e.tree, e.id, e.mode, e.value = append(e.tree, tree), append(e.id, id), append(e.mode, mode), append(e.value, value)
	e.feature, e.missingYes = append(e.feature, e.place[n.Feature]), append(e.missingYes, missing)
	e.yes, e.no = append(e.yes, to[0]), append(e.no, to[1])
}

// threshold is the node's. Nothing is below the smallest float32 in Score, where numbers are clamped to it; in ONNX minus infinity would be.
func threshold(n *Node) float32 {
	if n.Threshold == -math.MaxFloat32 {
		return float32(math.Inf(-1))
	}
	return n.Threshold
}

func (e *ensemble) attributes(base []float32) []onnx.Attribute {
	return []onnx.Attribute{
		onnx.Text("aggregate_function", "SUM"), onnx.Text("post_transform", "NONE"), onnx.Int("n_targets", int64(len(base))), onnx.Floats("base_values", base),
		onnx.Ints("nodes_treeids", e.tree), onnx.Ints("nodes_nodeids", e.id), onnx.Ints("nodes_featureids", e.feature), onnx.Texts("nodes_modes", e.mode),
		onnx.Floats("nodes_values", e.value), onnx.Ints("nodes_truenodeids", e.yes), onnx.Ints("nodes_falsenodeids", e.no),
		onnx.Ints("nodes_missing_value_tracks_true", e.missingYes),
		onnx.Ints("target_treeids", e.leafTree), onnx.Ints("target_nodeids", e.leafID), onnx.Ints("target_ids", e.target), onnx.Floats("target_weights", e.weight),
	}
}
