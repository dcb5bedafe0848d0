// Package model is what a built-in learner leaves behind: its file formats and how it scores rows.
//
// It does not train (internal/learn does) and reads no file: Load takes bytes, which may come from anyone, and is bounded.
// It stores nothing. Two formats exist:
//
//   - gbdt: XGBoost's own JSON, which XGBoost reads as it is. The first tree, or the first of each class, is one leaf: the base. XGBoost's
//     base_score can't hold every base (it is a probability in float32 for log odds, one number for many classes) and stays neutral. What
//     XGBoost has no place for (column types, levels of categories, classes) is JSON text in the attribute "plumb", which XGBoost keeps
//     and ignores.
//   - glm: one JSON object, "format": "plumb.glm/1".
//
// What a model was trained on decides what it takes: a column that is not there or has another type is an error that names it. A null, a
// NaN and an infinity are missing; a level that training did not see is the feature's "other" where rare levels were gathered, else missing.
package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/plumb-ml/plumb/internal/table"
)

// The kinds of model.
const (
	KindGLM  = "glm"
	KindGBDT = "gbdt"
)

// The tasks, as documents write them.
const (
	TaskBinary     = "binary"
	TaskMulticlass = "multiclass"
	TaskRegression = "regression"
)

// What a model may have at most, written or read.
const (
	MaxBytes   = 256 << 20 // of its file
	MaxClasses = 1 << 10
)

// What a file may claim; training stays well below. A split by a category keeps a bit for each code.
const (
	maxFeatures = 1 << 16
	maxTrees    = 1 << 20
	maxCodes    = 1 << 10
)

// Model scores rows.
type Model interface {
	// Kind is KindGLM or KindGBDT.
	Kind() string
	// Features names the columns that Score needs, in the order of training.
	Features() []string
	// Score gives one column of len(x) scores: P(label = 1) for a binary task, the value for regression; multiclass has one column a class,
	// in the order of training. Columns that the model does not know are ignored. An error names the column that is not there or of another type.
	Score(x table.Frame) ([][]float64, error)
	// Encode gives the file: the same bytes for the same model.
	Encode() ([]byte, error)
	// Importance gives each feature's share of what the model knows, by name, adding up to 1: of the gain of all splits (gbdt), of the standard
	// deviations of the features' parts of the prediction on the train rows, which for a number is |standardised coefficient| (glm). A model
	// that knows nothing gives zeros.
	Importance() map[string]float64
	// Describe says what the model is, for people.
	Describe() Summary
}

// Summary is what a page says of a model.
type Summary struct {
	Kind         string        `json:"kind"`
	Task         string        `json:"task"`
	Classes      []string      `json:"classes,omitempty"` // multiclass: in the order of Score's columns
	Features     []string      `json:"features"`
	Trees        int           `json:"trees,omitempty"`
	Leaves       int           `json:"leaves,omitempty"` // of all trees
	Depth        int           `json:"depth,omitempty"`  // of the deepest tree; a single leaf has depth 0
	Base         []float64     `json:"base"`             // what every row starts from, one or one a class: the intercept, or the base margin (log odds for binary)
	Coefficients []Coefficient `json:"coefficients,omitempty"`
	Notes        []string      `json:"notes,omitempty"` // what training had to do with odd columns
}

// Coefficient is one number of a glm. Values are on the scale of the data; what they add to are log odds for a binary task, logs of the
// class's weight for multiclass, the value for regression or, of the poisson family, its log.
type Coefficient struct {
	Class   string  `json:"class,omitempty"` // multiclass only
	Feature string  `json:"feature"`
	Term    string  `json:"term,omitempty"` // "= level", "other" or "missing"; empty for the number itself
	Value   float64 `json:"value"`
}

// Load reads what Encode wrote. The bytes may come from anyone: sizes are bounded, nothing in them is run, and anything odd is an error.
func Load(b []byte) (Model, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("a model file of %d bytes: at most %d are read", len(b), MaxBytes)
	}
	var head struct {
		Format  string    `json:"format"`
		Learner *struct{} `json:"learner"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("reading a model: %w", err)
	}
	switch {
	case head.Format == glmFormat:
		return loadLinear(b)
	case head.Format != "":
		return nil, fmt.Errorf("reading a model: this plumb does not know the format %.40q", head.Format)
	case head.Learner == nil:
		return nil, errors.New("reading a model: it is neither a plumb glm nor XGBoost JSON")
	}
	return loadTrees(b)
}

// encode writes v as JSON that XGBoost's reader takes too: no HTML escapes, a final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("writing a model: %w", err)
	}
	if b.Len() > MaxBytes {
		return nil, fmt.Errorf("writing a model: it has %d bytes, and at most %d are allowed: train fewer rounds or leaves", b.Len(), MaxBytes)
	}
	return b.Bytes(), nil
}

// decodeList reads a JSON array item by item and checks each before the next, so that a small file can't ask for much memory.
func decodeList[T any](b []byte, limit int, check func(*T) error) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("a list is needed")
	}
	var out []T
	for d.More() {
		var item T
		if err := d.Decode(&item); err != nil {
			return nil, err
		}
		if len(out) == limit {
			return nil, fmt.Errorf("more than %d items", limit)
		}
		if err := check(&item); err != nil {
			return nil, fmt.Errorf("item %d: %w", len(out), err)
		}
		out = append(out, item)
	}
	return out, nil
}
