package model

import (
	"fmt"
	"math"
	"slices"
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
	Name    string            `json:"name"`
	Poisson map[string]string `json:"poisson_regression_param,omitempty"`
	Loss    map[string]string `json:"reg_loss_param,omitempty"`
	Softmax map[string]string `json:"softmax_multiclass_param,omitempty"`
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
	Classes  []string    `json:"classes,omitempty"`
	Features featureList `json:"features"`
	Notes    []string    `json:"notes,omitempty"`
}

const (
	attribute  = "plumb"
	gbdtFormat = "plumb.gbdt/2"
	noParent   = math.MaxInt32 // what XGBoost writes for the root
)

// objective is what XGBoost calls a loss, and the base_score that adds nothing to its margins.
type objective struct{ task, loss, name, neutral string }

var objectives = []objective{
	{TaskBinary, LossLog, "binary:logistic", "5E-1"},
	{TaskMulticlass, LossLog, "multi:softprob", "0E0"},
	{TaskRegression, LossSquared, "reg:squarederror", "0E0"},
	{TaskRegression, LossAbsolute, "reg:absoluteerror", "0E0"},
	{TaskRegression, LossPoisson, "count:poisson", "1E0"},
}

func (o *objective) xgb(classes int) xgbObjective {
	out := xgbObjective{Name: o.name}
	switch {
	case o.task == TaskMulticlass:
		out.Softmax = map[string]string{"num_class": strconv.Itoa(classes)}
	case o.loss == LossPoisson:
		out.Poisson = map[string]string{"max_delta_step": "7E-1"}
	case o.loss != LossAbsolute:
		out.Loss = map[string]string{"scale_pos_weight": "1"}
	}
	return out
}

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
	at := slices.IndexFunc(objectives, func(o objective) bool { return o.task == m.Task && o.loss == m.Loss })
	if at < 0 {
		return nil, fmt.Errorf("writing a model: no loss %q for a %s task", m.Loss, m.Task)
	}
	own, err := encode(extras{Format: gbdtFormat, Task: m.Task, Classes: m.Classes, Features: m.Columns, Notes: m.Notes})
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
	learner := xgbLearner{Attributes: map[string]string{attribute: string(own[:len(own)-1])}, Names: m.Features(), Types: kinds,
		Param: xgbLearnerParam{BaseScore: objectives[at].neutral, Boost: "0", NumClass: strconv.Itoa(len(m.Classes)),
			NumFeature: strconv.Itoa(len(m.Columns)), NumOfTarget: "1"},
		Objective: objectives[at].xgb(len(m.Classes)), Booster: xgbBooster{Name: "gbtree", Model: m.xgb()}}
	return encode(xgbFile{Version: [3]int{2, 1, 0}, Learner: learner})
}

// xgb gives the trees, those of one leaf that hold the base first.
func (m *Trees) xgb() xgbTrees {
	margins, width := len(m.Base), strconv.Itoa(len(m.Columns))
	out := xgbTrees{Indptr: []int32{0}}
	add := func(t Tree) {
		id := len(out.Trees)
		out.Trees, out.Info = append(out.Trees, t.xgb(id, width)), append(out.Info, int32(id%margins))
		if len(out.Trees)%margins == 0 {
			out.Indptr = append(out.Indptr, int32(len(out.Trees)))
		}
	}
	for _, base := range m.Base {
		add(Tree{{Value: base}})
	}
	for _, t := range m.Trees {
		add(t)
	}
	out.Param = map[string]string{"num_parallel_tree": "1", "num_trees": strconv.Itoa(len(out.Trees))}
	return out
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
