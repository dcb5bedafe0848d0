package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/table"
)

const glmFormat = "plumb.glm/1"

// Linear is a glm: intercept plus one part a feature, through the logistic function for a binary task.
type Linear struct {
	Task      string
	Intercept float64
	Terms     []Term
	Notes     []string
}

// Term is a feature's part of the sum, on the scale of the data.
//
// A number x adds Coefficient·x; a missing one counts as Mean and adds Missing, the indicator's coefficient. A category's level adds its
// own of Levels (the first level's is 0), and Missing where there is none.
type Term struct {
	Feature
	Mean        float64   `json:"mean"` // of the train rows that have a value; for a category, of what its levels add
	Coefficient float64   `json:"coefficient"`
	ByCode      []float64 `json:"by_code,omitempty"` // category: what each code adds
	Missing     float64   `json:"missing"`           // what a missing value adds
	Spread      float64   `json:"spread"`            // standard deviation of what the feature adds, on the train rows
}

// linearFile is the format: the struct's fields in their order, ended by a newline.
type linearFile struct {
	Format    string   `json:"format"`
	Task      string   `json:"task"`
	Intercept float64  `json:"intercept"`
	Terms     termList `json:"terms"`
	Notes     []string `json:"notes,omitempty"`
}

type termList []Term

func (l *termList) UnmarshalJSON(b []byte) error {
	out, err := decodeList(b, maxFeatures, func(t *Term) error {
		if t.IsCategory() && len(t.ByCode) != t.Codes() {
			return fmt.Errorf("feature %.80q has %d coefficients for %d levels", t.Name, len(t.ByCode), t.Codes())
		}
		return t.check()
	})
	*l = out
	return err
}

func loadLinear(b []byte) (*Linear, error) {
	var f linearFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("reading a glm: %w", err)
	}
	if f.Task != TaskBinary && f.Task != TaskRegression {
		return nil, fmt.Errorf("reading a glm: it has no known task but %.40q", f.Task)
	}
	if len(f.Terms) == 0 {
		return nil, errors.New("reading a glm: it has no features")
	}
	m := &Linear{Task: f.Task, Intercept: f.Intercept, Terms: f.Terms, Notes: f.Notes}
	if err := distinct(m.Features()); err != nil {
		return nil, fmt.Errorf("reading a glm: %w", err)
	}
	return m, nil
}

// Encode writes plumb's own JSON.
func (m *Linear) Encode() ([]byte, error) {
	for _, t := range m.Terms {
		for _, x := range append([]float64{m.Intercept, t.Mean, t.Coefficient, t.Missing, t.Spread}, t.ByCode...) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, errors.New("writing a model: a coefficient is not a number")
			}
		}
	}
	return encode(linearFile{Format: glmFormat, Task: m.Task, Intercept: m.Intercept, Terms: m.Terms, Notes: m.Notes})
}

// Kind is KindGLM.
func (m *Linear) Kind() string { return KindGLM }

// Features names the columns that Score needs.
func (m *Linear) Features() []string {
	out := make([]string, len(m.Terms))
	for i := range m.Terms {
		out[i] = m.Terms[i].Name
	}
	return out
}

// Score adds the terms in their order.
func (m *Linear) Score(x table.Frame) ([][]float64, error) {
	out := make([]float64, x.N)
	for i := range out {
		out[i] = m.Intercept
	}
	for i := range m.Terms {
		if err := m.Terms[i].addTo(out, &x); err != nil {
			return nil, err
		}
	}
	if m.Task == TaskBinary {
		for i, sum := range out {
			out[i] = 1 / (1 + math.Exp(-sum))
		}
	}
	return [][]float64{out}, nil
}

func (t *Term) addTo(out []float64, x *table.Frame) error {
	if t.IsCategory() {
		read, err := t.codes(x)
		if err != nil {
			return err
		}
		for i := range out {
			if c := read(i); c >= 0 {
				out[i] += t.ByCode[c]
			} else {
				out[i] += t.Missing
			}
		}
		return nil
	}
	read, err := t.numbers(x)
	if err != nil {
		return err
	}
	for i := range out {
		if v := read(i); v == v {
			out[i] += float64(t.Coefficient * v) // the conversion forbids a fused multiply-add, which only some processors have
		} else {
			out[i] += t.Coefficient*t.Mean + t.Missing
		}
	}
	return nil
}

// Importance shares out the spreads.
func (m *Linear) Importance() map[string]float64 {
	features, spread := make([]Feature, len(m.Terms)), make([]float64, len(m.Terms))
	for i := range m.Terms {
		features[i], spread[i] = m.Terms[i].Feature, math.Max(0, m.Terms[i].Spread)
	}
	return shares(features, spread)
}

// Describe lists the coefficients in the order of the features.
func (m *Linear) Describe() Summary {
	s := Summary{Kind: KindGLM, Task: m.Task, Features: m.Features(), Base: m.Intercept, Notes: m.Notes}
	for i := range m.Terms {
		t := &m.Terms[i]
		add := func(term string, value float64) {
			s.Coefficients = append(s.Coefficients, Coefficient{Feature: t.Name, Term: term, Value: value})
		}
		if !t.IsCategory() {
			add("", t.Coefficient)
		}
		for c, value := range t.ByCode {
			if c < len(t.Levels) {
				add("= "+t.Levels[c], value)
			} else {
				add("other", value)
			}
		}
		if t.Missing != 0 {
			add("missing", t.Missing)
		}
	}
	return s
}
