package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/table"
)

const glmFormat = "plumb.glm/1"

// FamilyPoisson is the family of regression on counts: the sum is the log of the mean. The other families follow from the task: binomial,
// multinomial, gaussian.
const FamilyPoisson = "poisson"

// Linear is a glm: one sum, or for a multiclass task one a class, of an intercept and one part a feature, through the family's link:
// logistic function, softmax, exp or none.
type Linear struct {
	Task      string
	Family    string   // FamilyPoisson or ""
	Classes   []string // multiclass only
	Intercept PerClass
	Terms     []Term
	Notes     []string
}

// Term is a feature's part of the sums, on the scale of the data.
//
// A number x adds Coefficient·x; a missing one counts as Mean and adds Missing, the indicator's coefficient. A category's level adds its
// own of ByCode (the first level's is 0), and Missing where there is none.
type Term struct {
	Feature
	Mean        PerClass   `json:"mean"` // a number: of the train rows that have a value, the same for all classes, so one; a category: of what its levels add
	Coefficient PerClass   `json:"coefficient"`
	ByCode      []PerClass `json:"by_code,omitempty"` // category: what each code adds
	Missing     PerClass   `json:"missing"`           // what a missing value adds
	Spread      float64    `json:"spread"`            // standard deviation of what the feature adds on the train rows; of several classes the root of their mean square
}

// PerClass is one number, or for a multiclass task one a class. In JSON one number stands alone.
type PerClass []float64

// MarshalJSON writes a number or a list.
func (p PerClass) MarshalJSON() ([]byte, error) {
	if len(p) == 1 {
		return json.Marshal(p[0])
	}
	return json.Marshal([]float64(p))
}

// UnmarshalJSON reads a number or a list.
func (p *PerClass) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]float64)(p))
	}
	*p = make(PerClass, 1)
	return json.Unmarshal(b, &(*p)[0])
}

// linearFile is the format: the struct's fields in their order, ended by a newline.
type linearFile struct {
	Format    string   `json:"format"`
	Task      string   `json:"task"`
	Family    string   `json:"family,omitempty"`
	Classes   []string `json:"classes,omitempty"`
	Intercept PerClass `json:"intercept"`
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
	m := &Linear{Task: f.Task, Family: f.Family, Classes: f.Classes, Intercept: f.Intercept, Terms: f.Terms, Notes: f.Notes}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("reading a glm: %w", err)
	}
	return m, nil
}

// check is what a file or a training must keep to.
func (m *Linear) check() error {
	switch {
	case m.Task != TaskBinary && m.Task != TaskMulticlass && m.Task != TaskRegression:
		return fmt.Errorf("it has no known task but %.40q", m.Task)
	case m.Family != "" && (m.Family != FamilyPoisson || m.Task != TaskRegression):
		return fmt.Errorf("a %s task has no family %.40q", m.Task, m.Family)
	case len(m.Terms) == 0:
		return errors.New("it has no features")
	}
	if err := errors.Join(distinct(m.Features()), checkClasses(m.Task, m.Classes)); err != nil {
		return err
	}
	sums := max(1, len(m.Classes))
	for i := range m.Terms {
		t, means := &m.Terms[i], 1
		if t.IsCategory() {
			means = sums
		}
		given := append([]PerClass{m.Intercept, t.Coefficient, t.Missing}, t.ByCode...)
		if len(t.Mean) != means || slices.ContainsFunc(given, func(p PerClass) bool { return len(p) != sums }) {
			return fmt.Errorf("feature %.80q does not have the numbers of %d sums", t.Name, sums)
		}
		for _, x := range slices.Concat(append(given, t.Mean, PerClass{t.Spread})...) {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return errors.New("a coefficient is not a number")
			}
		}
	}
	return nil
}

// Encode writes plumb's own JSON.
func (m *Linear) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("writing a model: %w", err)
	}
	return encode(linearFile{Format: glmFormat, Task: m.Task, Family: m.Family, Classes: m.Classes, Intercept: m.Intercept, Terms: m.Terms, Notes: m.Notes})
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
	out := columns(max(1, len(m.Classes)), x.N)
	for k, intercept := range m.Intercept {
		for i := range out[k] {
			out[k][i] = intercept
		}
	}
	for i := range m.Terms {
		if err := m.Terms[i].addTo(out, &x); err != nil {
			return nil, err
		}
	}
	switch {
	case m.Task == TaskBinary:
		logistic(out)
	case m.Task == TaskMulticlass:
		softmax(out)
	case m.Family == FamilyPoisson:
		exponential(out)
	}
	return out, nil
}

// addTo adds the feature's part to the sums.
func (t *Term) addTo(sums [][]float64, x *table.Frame) error {
	if t.IsCategory() {
		read, err := t.codes(x)
		if err != nil {
			return err
		}
		for i := range x.N {
			adds := t.Missing
			if c := read(i); c >= 0 {
				adds = t.ByCode[c]
			}
			for k, column := range sums {
				column[i] += adds[k]
			}
		}
		return nil
	}
	read, err := t.numbers(x)
	if err != nil {
		return err
	}
	for i := range x.N {
		v := read(i)
		for k, column := range sums {
			if v == v {
				column[i] += float64(t.Coefficient[k] * v) // the conversion forbids a fused multiply-add, which only some processors have
			} else {
				column[i] += float64(t.Coefficient[k]*t.Mean[0]) + t.Missing[k]
			}
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

// Describe lists the coefficients in the order of the classes and the features.
func (m *Linear) Describe() Summary {
	s := Summary{Kind: KindGLM, Task: m.Task, Classes: m.Classes, Features: m.Features(), Base: m.Intercept, Notes: m.Notes}
	for k := range m.Intercept {
		for i := range m.Terms {
			for _, c := range m.Terms[i].describe(k) {
				if len(m.Classes) > 0 {
					c.Class = m.Classes[k]
				}
				s.Coefficients = append(s.Coefficients, c)
			}
		}
	}
	return s
}

// describe lists the coefficients of one sum. An indicator that no train row had has none.
func (t *Term) describe(k int) (out []Coefficient) {
	add := func(term string, value float64) {
		out = append(out, Coefficient{Feature: t.Name, Term: term, Value: value})
	}
	if !t.IsCategory() {
		add("", t.Coefficient[k])
	}
	for c, value := range t.ByCode {
		if c < len(t.Levels) {
			add("= "+t.Levels[c], value[k])
		} else {
			add("other", value[k])
		}
	}
	if slices.ContainsFunc(t.Missing, func(x float64) bool { return x != 0 }) {
		add("missing", t.Missing[k])
	}
	return out
}
