package model

import (
	"math"
	"runtime"
	"sync"

	"github.com/plumb-ml/plumb/internal/table"
)

// Trees is a gbdt: margins, each a sum of trees over a base, through the loss's link to scores.
//
// Training chooses bases and leaves that are whole multiples of one power of two, so that sums of them are exact in float32 too, in any
// order: XGBoost and ONNX runtimes, which add float32 each in an order of its own, get the very margins that Score gets.
type Trees struct {
	Task    string
	Loss    string   // a Loss… of the task
	Classes []string // multiclass only
	Columns []Feature
	Base    []float32 // what every row starts from, one a margin: log odds, log of the class's share, the mean, the median, the log of the mean
	Trees   []Tree    // multiclass: one a class each round; tree i is of class i mod len(Classes)
	Notes   []string
}

// The losses that trees are trained on, as scikit-learn names them.
const (
	LossLog      = "log_loss"       // binary, multiclass; link: logistic function, softmax
	LossSquared  = "squared_error"  // regression
	LossAbsolute = "absolute_error" // regression
	LossPoisson  = "poisson"        // regression on counts; link: exp
)

// Tree is a list of nodes; the first is the root, and children stand after their parent.
type Tree []Node

// Node is a split, or a leaf when Left is 0.
type Node struct {
	Left, Right int32
	Feature     int32    // of Columns
	MissingLeft bool     // where a missing value goes
	Set         []uint64 // category: bit c is 1 when code c goes right; nil for a number
	Threshold   float32  // number: x < Threshold goes left, compared as float32
	Value       float32  // what the node adds when it is a leaf; for a split, what it would have added
	Gain        float32  // of the split: by how much it lowered twice the loss, as XGBoost's loss_changes
	Hessian     float32  // the sum of second derivatives over the train rows here
}

// Leaf says whether the node is one.
func (n *Node) Leaf() bool { return n.Left == 0 }

// Kind is KindGBDT.
func (m *Trees) Kind() string { return KindGBDT }

// Features names the columns that Score needs.
func (m *Trees) Features() []string { return names(m.Columns) }

// block is how many rows are scored together: their features stay in the cache while the trees pass by.
const block = 512

// Score sums float32 leaves in float64.
func (m *Trees) Score(x table.Frame) ([][]float64, error) {
	read := make([]func(int) float32, len(m.Columns))
	for i := range m.Columns {
		var err error
		if read[i], err = m.Columns[i].single(&x); err != nil {
			return nil, err
		}
	}
	out := columns(len(m.Base), x.N)
	workers := min(runtime.GOMAXPROCS(0), (x.N+block-1)/block)
	work := func(w int) {
		values := make([]float32, min(block, x.N)*len(m.Columns))
		for from := w * block; from < x.N; from += workers * block {
			m.scoreBlock(out, from, min(block, x.N-from), values, read)
		}
	}
	var wait sync.WaitGroup
	for w := 1; w < workers; w++ {
		wait.Go(func() { work(w) })
	}
	if workers > 0 {
		work(0)
	}
	wait.Wait()
	return out, nil
}

// scoreBlock fills n rows of the scores.
func (m *Trees) scoreBlock(scores [][]float64, from, n int, values []float32, read []func(int) float32) {
	width := len(read)
	for i := range n {
		for f := range read {
			values[i*width+f] = read[f](from + i)
		}
	}
	out := make([][]float64, len(scores))
	for k := range out {
		out[k] = scores[k][from : from+n]
		for i := range out[k] {
			out[k][i] = float64(m.Base[k])
		}
	}
	for at, t := range m.Trees {
		margin := out[at%len(out)]
		for i := range margin {
			margin[i] += float64(t.leaf(values[i*width : (i+1)*width]).Value)
		}
	}
	m.link()(out)
}

// link is what makes scores of margins.
func (m *Trees) link() func(margins [][]float64) {
	switch {
	case m.Task == TaskMulticlass:
		return softmax
	case m.Task == TaskBinary:
		return logistic
	case m.Loss == LossPoisson:
		return exponential
	}
	return func([][]float64) {}
}

// leaf finds where a row ends. Children stand after their parent, so it always ends.
func (t Tree) leaf(row []float32) *Node {
	n := &t[0]
	for !n.Leaf() {
		left := false
		switch x := row[n.Feature]; {
		case x != x:
			left = n.MissingLeft
		case n.Set != nil:
			left = n.Set[int(x)/64]>>(int(x)%64)&1 == 0
		default:
			left = x < n.Threshold
		}
		if left {
			n = &t[n.Left]
		} else {
			n = &t[n.Right]
		}
	}
	return n
}

// single reads a feature as XGBoost takes it: a number, or a category's code, NaN where missing.
func (f *Feature) single(x *table.Frame) (func(int) float32, error) {
	missing := float32(math.NaN())
	if f.IsCategory() {
		read, err := f.codes(x)
		return func(row int) float32 {
			if c := read(row); c >= 0 {
				return float32(c)
			}
			return missing
		}, err
	}
	read, err := f.numbers(x)
	return func(row int) float32 { return Single(read(row)) }, err
}

// Importance shares out the gain of all splits.
func (m *Trees) Importance() map[string]float64 {
	gain := make([]float64, len(m.Columns))
	for _, t := range m.Trees {
		for i := range t {
			if !t[i].Leaf() {
				gain[t[i].Feature] += float64(t[i].Gain)
			}
		}
	}
	return shares(m.Columns, gain)
}

// Describe counts trees and leaves.
func (m *Trees) Describe() Summary {
	s := Summary{Kind: KindGBDT, Task: m.Task, Classes: m.Classes, Features: m.Features(), Trees: len(m.Trees), Notes: m.Notes}
	for _, base := range m.Base {
		s.Base = append(s.Base, float64(base))
	}
	for _, t := range m.Trees {
		depth := make([]int, len(t))
		for i := range t {
			if t[i].Leaf() {
				s.Leaves++
				s.Depth = max(s.Depth, depth[i])
				continue
			}
			depth[t[i].Left], depth[t[i].Right] = depth[i]+1, depth[i]+1
		}
	}
	return s
}
