package stat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// drifts is testdata/drift.json: figures of scipy 1.x, scikit-learn and R's p.adjust for small samples, some from textbooks (Scholz, Conover).
type drifts struct {
	Numeric []struct {
		Name        string
		Ref, Cur    []float64
		D           float64   `json:"ks_D"`
		Exact       *float64  `json:"ks_p_exact"`
		Limit       float64   `json:"ks_p_kolmogorov_limit"`
		Wasserstein float64   `json:"wasserstein"`
		Edges       []float64 `json:"decile_edges_ref_linear"`
		PSI         float64   `json:"psi_decile_add_half"`
		Critical    float64   `json:"psi_crit95"`
	}
	Counts []struct {
		Name     string
		Ref, Cur []float64
		Chi2     *float64
		P        *float64 `json:"chi2_p"`
		V        *float64 `json:"cramers_v_bias_corrected"`
		JS       float64  `json:"js_distance_base2"`
		PSI      float64  `json:"psi_add_half"`
	}
	PAdjust []struct {
		P  []float64
		BH []float64 `json:"fdr_bh"`
	}
}

func readDrifts(t *testing.T) drifts {
	t.Helper()
	b, err := os.ReadFile("testdata/drift.json")
	if err != nil {
		t.Fatal(err)
	}
	var out drifts
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDistancesOfSamples(t *testing.T) {
	checked := 0
	for _, c := range readDrifts(t).Numeric {
		t.Run(c.Name, func(t *testing.T) {
			slices.Sort(c.Ref)
			slices.Sort(c.Cur)
			d, p := KS(c.Ref, c.Cur)
			near(t, "D", d, c.D)
			n, m := float64(len(c.Ref)), float64(len(c.Cur))
			if c.Exact != nil && n*m <= exactPairs {
				near(t, "p", p, *c.Exact)
			}
			near(t, "the limit of p", kolmogorov(math.Sqrt(n*m/(n+m))*d), c.Limit)
			near(t, "W1", Wasserstein(c.Ref, c.Cur), c.Wasserstein)
			cuts := Cuts(c.Ref, 10)
			if len(cuts)+2 != len(c.Edges) { // ties merge deciles, and other tools merge them otherwise
				return
			}
			checked++
			psi, critical := PSI(binned(cuts, c.Ref), binned(cuts, c.Cur))
			near(t, "PSI", psi, c.PSI)
			near(t, "the critical PSI", critical, math.Max(0.1, c.Critical))
		})
	}
	if checked < 3 {
		t.Errorf("the PSI of %d samples was compared", checked)
	}
}

func binned(cuts, values []float64) []int64 {
	out := make([]int64, len(cuts)+1)
	for _, x := range values {
		out[Bin(cuts, x)]++
	}
	return out
}

func TestDistancesOfCounts(t *testing.T) {
	whole := func(x []float64) []int64 {
		out := make([]int64, len(x))
		for i, v := range x {
			out[i] = int64(v)
		}
		return out
	}
	for _, c := range readDrifts(t).Counts {
		t.Run(c.Name, func(t *testing.T) {
			a, b := whole(c.Ref), whole(c.Cur)
			v, p := Contingency(a, b)
			if c.P != nil {
				near(t, "p", p, *c.P)
			}
			if c.V != nil {
				near(t, "V", v, *c.V)
			}
			near(t, "JS", JensenShannon(a, b), c.JS)
			psi, _ := PSI(a, b)
			near(t, "PSI", psi, c.PSI)
		})
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	for _, c := range readDrifts(t).PAdjust {
		for i, q := range BenjaminiHochberg(c.P) {
			near(t, "q", q, c.BH[i])
		}
	}
}

// The two ways to a p meet where one takes over from the other, and the exact one is the share of all orders for samples small enough to try them.
func TestKSPMeets(t *testing.T) {
	for _, d := range []float64{0.05, 0.08, 0.1, 0.12} {
		exact, limit := ksExact(d, 500, 500), KSP(d, 501, 500)
		if math.Abs(exact-limit) > 0.02*exact {
			t.Errorf("D = %g: exact %g, by the limit %g", d, exact, limit)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	const draws = 20_000
	reached := 0
	for range draws {
		a, b := make([]float64, 7), make([]float64, 11)
		for i := range a {
			a[i] = random.Float64()
		}
		for i := range b {
			b[i] = random.Float64()
		}
		slices.Sort(a)
		slices.Sort(b)
		if d, _ := KS(a, b); d >= 0.5-1e-9 {
			reached++
		}
	}
	// 0.5 is no value of D here: the next is what counts.
	p := 0.0
	for s := 39; s <= 77; s++ {
		p = math.Max(p, ksExact(float64(s)/77, 7, 11))
	}
	if share := float64(reached) / draws; math.Abs(share-p) > 4*math.Sqrt(p*(1-p)/draws) {
		t.Errorf("D ≥ 0.5 in %g of the draws, p %g", share, p)
	}
}

func TestEmptySamples(t *testing.T) {
	if d, p := KS(nil, []float64{1}); d != 0 || p != 1 {
		t.Errorf("KS of nothing: %g, %g", d, p)
	}
	if v, p := Contingency([]int64{5, 0}, []int64{7, 0}); v != 0 || p != 1 {
		t.Errorf("one category: %g, %g", v, p)
	}
	if w := Wasserstein(nil, nil); w != 0 {
		t.Errorf("W1 of nothing: %g", w)
	}
	if psi, critical := PSI([]int64{0, 0}, []int64{1, 2}); psi != 0 || critical != 0.1 {
		t.Errorf("PSI of nothing: %g, %g", psi, critical)
	}
}
