package learn

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/model"
)

// separatedAt is the log odds by which no real feature moves: a coefficient as large as this grows without end.
const separatedAt = 12

// separated names the features that alone decide the class of some rows.
func (g *glm) separated() (notes []string) {
	if g.family.lone() == "" {
		return nil
	}
	last := -1
	for j, c := range g.d.columns {
		size := 0.0
		for _, beta := range g.beta {
			size = math.Max(size, math.Abs(beta[j]))
		}
		if j >= len(g.d.numbers) {
			size *= c.scale
		}
		if c.feature >= 0 && c.feature != last && size > separatedAt {
			last = c.feature
			notes = append(notes, fmt.Sprintf("%q %s, so its coefficient has no finite best value; l2 above 0 gives it one",
				g.d.features[c.feature].Name, g.family.lone()))
		}
	}
	return notes
}

// centre moves what the coefficients of all classes share to 0: without a penalty nothing else says where it is, and it changes no score.
func (g *glm) centre() {
	if g.l1 > 0 || g.l2 > 0 {
		return
	}
	for j := range g.d.columns {
		across := make([]float64, len(g.beta))
		for k := range across {
			across[k] = g.beta[k][j]
		}
		centre(across)
		for k := range across {
			g.beta[k][j] = across[k]
		}
	}
}

// centre takes the mean away from the numbers of classes; one number alone stays.
func centre(x []float64) {
	if len(x) < 2 {
		return
	}
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for k := range x {
		x[k] -= mean
	}
}

// model takes the standardisation back.
func (g *glm) model() *model.Linear {
	sums := len(g.beta)
	zeros := func(n int) model.PerClass { return make(model.PerClass, n) }
	m := &model.Linear{Task: g.job.Task, Classes: g.job.Classes, Intercept: zeros(sums), Notes: g.d.notes, Terms: make([]model.Term, len(g.d.features))}
	if _, counts := g.family.(poissonFamily); counts {
		m.Family = model.FamilyPoisson
	}
	for i, f := range g.d.features {
		m.Terms[i] = model.Term{Feature: f, Mean: zeros(1), Coefficient: zeros(sums), Missing: zeros(sums)}
		if f.IsCategory() {
			m.Terms[i].Mean = zeros(sums)
			for range f.Codes() {
				m.Terms[i].ByCode = append(m.Terms[i].ByCode, zeros(sums))
			}
		}
	}
	variance := make([]float64, len(m.Terms))
	for k := range g.beta {
		g.unscale(m, k, variance)
	}
	centre(m.Intercept)
	for i := range m.Terms {
		m.Terms[i].Spread = math.Sqrt(math.Max(0, variance[i]/float64(sums)))
	}
	return m
}

// unscale fills in the numbers of sum k and adds to each feature's variance.
func (g *glm) unscale(m *model.Linear, k int, variance []float64) {
	share := make([]float64, len(m.Terms))
	m.Intercept[k] = g.beta[k][0]
	for j, c := range g.d.columns[1:] {
		t, standard := &m.Terms[c.feature], g.beta[k][j+1]
		b := standard * c.scale
		switch {
		case !t.IsCategory() && c.share == 0:
			t.Coefficient[k], t.Mean[0] = b, c.mean
			variance[c.feature] += standard * standard
			m.Intercept[k] -= float64(b * c.mean)
		case !t.IsCategory():
			t.Missing[k] = b
			variance[c.feature] += b * b * c.share * (1 - c.share)
		default:
			if c.code == missingCode {
				t.Missing[k], share[c.feature] = b, c.share
			} else {
				t.ByCode[c.code][k] = b
			}
			t.Mean[k] += c.share * b
			variance[c.feature] += c.share * b * b
		}
	}
	for i := range m.Terms {
		t := &m.Terms[i]
		if t.IsCategory() {
			variance[i] -= t.Mean[k] * t.Mean[k]
			if share[i] == 0 {
				t.Missing[k] = t.Mean[k]
			}
		}
	}
}
