package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// The shape of XGBoost's JSON (doc/model.schema of XGBoost 2.1, whose files 3.x reads too; keys in XGBoost's order). Numbers that XGBoost
// keeps in parameter structs are text there.
type xgbFile struct {
	Learner xgbLearner `json:"learner"`
	Version [3]int     `json:"version"`
}

type xgbLearner struct {
	Attributes map[string]string `json:"attributes"`
	Names      []string          `json:"feature_names"`
	Types      []string          `json:"feature_types"`
	Booster    xgbBooster        `json:"gradient_booster"`
	Param      xgbLearnerParam   `json:"learner_model_param"`
	Objective  xgbObjective      `json:"objective"`
}

type xgbLearnerParam struct {
	BaseScore   string `json:"base_score"`
	Boost       string `json:"boost_from_average"`
	NumClass    string `json:"num_class"`
	NumFeature  string `json:"num_feature"`
	NumOfTarget string `json:"num_target"`
}

type xgbObjective struct {
	Name string            `json:"name"`
	Loss map[string]string `json:"reg_loss_param"`
}

type xgbBooster struct {
	Model xgbTrees `json:"model"`
	Name  string   `json:"name"`
}

type xgbTrees struct {
	Param  map[string]string `json:"gbtree_model_param"`
	Indptr []int32           `json:"iteration_indptr"`
	Info   []int32           `json:"tree_info"`
	Trees  xgbTreeList       `json:"trees"`
}

type xgbTree struct {
	Weights     floats            `json:"base_weights"`
	Categories  []int32           `json:"categories"`
	CatNodes    []int32           `json:"categories_nodes"`
	CatSegments []int64           `json:"categories_segments"`
	CatSizes    []int64           `json:"categories_sizes"`
	DefaultLeft []int32           `json:"default_left"`
	ID          int32             `json:"id"`
	Left        []int32           `json:"left_children"`
	Gains       floats            `json:"loss_changes"`
	Parents     []int32           `json:"parents"`
	Right       []int32           `json:"right_children"`
	Conditions  floats            `json:"split_conditions"`
	Indices     []int32           `json:"split_indices"`
	Types       []int32           `json:"split_type"`
	Hessians    floats            `json:"sum_hessian"`
	Param       map[string]string `json:"tree_param"`
}

// extras is what XGBoost has no place for: the text of attribute "plumb".
type extras struct {
	Format   string      `json:"format"`
	Task     string      `json:"task"`
	Base     float64     `json:"base"`
	Features featureList `json:"features"`
	Notes    []string    `json:"notes,omitempty"`
}

const (
	attribute  = "plumb"
	gbdtFormat = "plumb.gbdt/1"
	noParent   = math.MaxInt32 // what XGBoost writes for the root
)

var objectives = map[string]string{TaskBinary: "binary:logistic", TaskRegression: "reg:squarederror"}

// floats are written as XGBoost does, always with an exponent: its reader tells integers from numbers by their look.
type floats []float32

func (f floats) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 12*len(f)+2)
	b = append(b, '[')
	for i, x := range f {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'E', -1, 32)
	}
	return append(b, ']'), nil
}

type xgbTreeList []xgbTree

func (l *xgbTreeList) UnmarshalJSON(b []byte) error {
	out, err := decodeList(b, maxTrees, (*xgbTree).checkShape)
	*l = out
	return err
}

type featureList []Feature

func (l *featureList) UnmarshalJSON(b []byte) error {
	out, err := decodeList(b, maxFeatures, (*Feature).check)
	*l = out
	return err
}

// Encode writes XGBoost's JSON.
func (m *Trees) Encode() ([]byte, error) {
	own, err := encode(extras{Format: gbdtFormat, Task: m.Task, Base: m.Base, Features: m.Columns, Notes: m.Notes})
	if err != nil {
		return nil, err
	}
	kinds := make([]string, len(m.Columns))
	for i := range m.Columns {
		kinds[i] = "float"
		if m.Columns[i].IsCategory() {
			kinds[i] = "c"
		}
	}
	count, width := strconv.Itoa(len(m.Trees)), strconv.Itoa(len(m.Columns))
	f := xgbFile{Version: [3]int{2, 1, 0}, Learner: xgbLearner{Attributes: map[string]string{attribute: string(own[:len(own)-1])},
		Names: m.Features(), Types: kinds,
		Param:     xgbLearnerParam{BaseScore: m.baseScore(), Boost: "0", NumClass: "0", NumFeature: width, NumOfTarget: "1"},
		Objective: xgbObjective{Name: objectives[m.Task], Loss: map[string]string{"scale_pos_weight": "1"}},
		Booster: xgbBooster{Name: "gbtree", Model: xgbTrees{Info: make([]int32, len(m.Trees)), Indptr: []int32{0},
			Param: map[string]string{"num_parallel_tree": "1", "num_trees": count}}}}}
	trees := &f.Learner.Booster.Model
	for i, t := range m.Trees {
		trees.Indptr = append(trees.Indptr, int32(i+1))
		trees.Trees = append(trees.Trees, t.xgb(i, width))
	}
	return encode(f)
}

// baseScore is the base as XGBoost keeps it: before the link function, in float32.
func (m *Trees) baseScore() string {
	base := m.Base
	if m.Task == TaskBinary {
		base = 1 / (1 + math.Exp(-base))
	}
	return strconv.FormatFloat(base, 'E', -1, 32)
}

func (t Tree) xgb(id int, width string) xgbTree {
	n := len(t)
	ints := func() []int32 { return make([]int32, n) }
	x := xgbTree{ID: int32(id), Weights: make(floats, n), Gains: make(floats, n), Conditions: make(floats, n), Hessians: make(floats, n),
		DefaultLeft: ints(), Left: ints(), Right: ints(), Parents: ints(), Indices: ints(), Types: ints(),
		Categories: []int32{}, CatNodes: []int32{}, CatSegments: []int64{}, CatSizes: []int64{},
		Param: map[string]string{"num_deleted": "0", "num_feature": width, "num_nodes": strconv.Itoa(n), "size_leaf_vector": "1"}}
	x.Parents[0] = noParent
	for i := range t {
		node := &t[i]
		x.Weights[i], x.Gains[i], x.Hessians[i] = node.Value, node.Gain, node.Hessian
		if node.Leaf() {
			x.Left[i], x.Right[i], x.Conditions[i] = -1, -1, node.Value
			continue
		}
		x.Left[i], x.Right[i], x.Indices[i], x.Conditions[i] = node.Left, node.Right, node.Feature, node.Threshold
		x.Parents[node.Left], x.Parents[node.Right] = int32(i), int32(i)
		if node.MissingLeft {
			x.DefaultLeft[i] = 1
		}
		if node.Set != nil {
			x.addSet(i, node.Set)
		}
	}
	return x
}

func (x *xgbTree) addSet(node int, set []uint64) {
	x.Types[node] = 1
	x.CatNodes = append(x.CatNodes, int32(node))
	x.CatSegments = append(x.CatSegments, int64(len(x.Categories)))
	before := len(x.Categories)
	for c := range 64 * len(set) {
		if set[c/64]>>(c%64)&1 == 1 {
			x.Categories = append(x.Categories, int32(c))
		}
	}
	x.CatSizes = append(x.CatSizes, int64(len(x.Categories)-before))
}

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
	m := &Trees{Task: own.Task, Columns: own.Features, Base: own.Base, Notes: own.Notes}
	switch {
	case own.Format != gbdtFormat:
		return nil, fmt.Errorf("reading an XGBoost model: this plumb does not know the format %.40q", own.Format)
	case objectives[own.Task] == "" || f.Learner.Objective.Name != objectives[own.Task]:
		return nil, fmt.Errorf("reading an XGBoost model: objective %.40q is not that of a %.40q task", f.Learner.Objective.Name, own.Task)
	case f.Learner.Booster.Name != "gbtree":
		return nil, fmt.Errorf("reading an XGBoost model: booster %.40q is not gbtree", f.Learner.Booster.Name)
	}
	if len(f.Learner.Booster.Model.Trees) == 0 || len(m.Columns) == 0 {
		return nil, errors.New("reading an XGBoost model: it has no trees or no features")
	}
	if err := distinct(m.Features()); err != nil {
		return nil, fmt.Errorf("reading an XGBoost model: %w", err)
	}
	for i, x := range f.Learner.Booster.Model.Trees {
		t, err := x.tree(m.Columns)
		if err != nil {
			return nil, fmt.Errorf("reading an XGBoost model: tree %d: %w", i, err)
		}
		m.Trees = append(m.Trees, t)
	}
	return m, nil
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
		if i < 0 || int(i) >= len(t) || x.Types[i] != 1 || t[i].Leaf() || t[i].Set != nil || from < 0 || size < 0 || from > int64(len(x.Categories)) || size > int64(len(x.Categories))-from {
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
