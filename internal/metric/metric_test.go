package metric

import (
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// golden is a case of testdata/golden.json, which testdata/golden.py makes with scikit-learn and SciPy.
type golden struct {
	Name      string
	Task      string
	Label     []float64
	Scores    [][]float64
	Weight    []float64
	Threshold float64
	Want      map[string]float64
	Classes   [][4]*float64 // precision, recall, F1, AUC of each class
	ECE       *float64      `json:"confidence_ece"`
}

func (g golden) sample() Sample {
	return Sample{Task: g.Task, Label: g.Label, Scores: g.Scores, Weight: g.Weight, Threshold: g.Threshold}
}

func read(t testing.TB) []golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-10*math.Max(1, math.Abs(want)) }

func TestGoldens(t *testing.T) {
	tested := map[string]bool{}
	for _, g := range read(t) {
		got := Compute(g.sample())
		for name, want := range g.Want {
			tested[g.Task+" "+name] = true
			tolerance := 1e-10
			if g.Name == "far from zero" && name != "mape" && name != "smape" {
				tolerance = 1e-6 // the labels themselves hold no more digits of what differs
			}
			if v, ok := got[name]; !ok || math.Abs(v-want) > tolerance*math.Max(1, math.Abs(want)) {
				t.Errorf("%s %s: %s = %.15g, want %.15g", g.Task, g.Name, name, v, want)
			}
		}
	}
	for task := range formulas {
		for _, name := range For(task) {
			if !tested[task+" "+name] {
				t.Errorf("no golden for %s of a %s task", name, task)
			}
			if _, ok := Lookup(name); !ok {
				t.Errorf("%s has no specification", name)
			}
		}
	}
}

// What is shown of each class, and the calibration of the answers, against scikit-learn.
func TestClasses(t *testing.T) {
	seen := 0
	for _, g := range read(t) {
		for i, want := range g.Classes {
			c := Classes(g.sample())[i]
			for k, got := range []float64{c.Precision(), c.Recall(), c.F1(), c.AUC} {
				if (want[k] == nil) != math.IsNaN(got) || want[k] != nil && !near(got, *want[k]) {
					t.Errorf("%s, class %d, number %d: %v", g.Name, i, k, got)
				}
				seen++
			}
		}
		if g.ECE == nil {
			continue
		}
		if got := Compute(Confidence(g.sample()))["ece"]; !near(got, *g.ECE) {
			t.Errorf("%s: calibration error of the answers %v, want %v", g.Name, got, *g.ECE)
		}
	}
	if seen == 0 {
		t.Error("no golden has classes")
	}
}

// A metric that does not exist is absent, and there are words for why.
func TestAbsent(t *testing.T) {
	sample := func(task string, label []float64, scores ...[]float64) Sample {
		return Sample{Task: task, Label: label, Scores: scores, Threshold: 0.5}
	}
	for name, c := range map[string]struct {
		s      Sample
		absent string
		why    string
	}{
		"no rows":      {sample(Binary, nil, nil), strings.Join(For(Binary), " "), "no rows"},
		"only 1":       {sample(Binary, []float64{1, 1}, []float64{0.9, 0.2}), "auc balanced_accuracy specificity mcc ks_score", "every label is 1"},
		"only 0":       {sample(Binary, []float64{0, 0}, []float64{0.9, 0.2}), "auc average_precision balanced_accuracy recall mcc lift_10 ks_score", "every label is 0"},
		"never yes":    {sample(Binary, []float64{0, 1}, []float64{0.1, 0.2}), "precision mcc", "every answer is the same at threshold 0.5"},
		"no shares":    {sample(Binary, []float64{0, 1}, []float64{-3, 7}), "log_loss brier ece", "no probabilities"},
		"a class less": {sample(Multiclass, []float64{0, 1}, []float64{0.6, 0.2}, []float64{0.3, 0.7}, []float64{0.1, 0.1}), "macro_auc_ovr", "1 of 3 classes has no rows"},
		"no sum":       {sample(Multiclass, []float64{0, 1}, []float64{0.6, 0.2}, []float64{0.3, 0.7}), "log_loss", "sum to 1"},
		"equal labels": {sample(Regression, []float64{7, 7, 7}, []float64{7, 8, 9}), "r2", "all labels are equal"},
		"zero labels":  {sample(Regression, []float64{0, 0}, []float64{7, 8}), "mape r2", ""},
		"not a number": {sample(Binary, []float64{0, 1}, []float64{0.1, math.NaN()}), strings.Join(For(Binary), " "), "must be a finite number"},
	} {
		got := Compute(c.s)
		var absent []string
		for _, m := range For(c.s.Task) {
			if _, ok := got[m]; ok {
				continue
			}
			absent = append(absent, m)
			if why := Absent(c.s, m); !strings.Contains(why, c.why) || why == "" {
				t.Errorf("%s: %s is absent because %q, want %q", name, m, why, c.why)
			}
		}
		if strings.Join(absent, " ") != c.absent {
			t.Errorf("%s: absent %v, want %s", name, absent, c.absent)
		}
	}
}

func TestCheck(t *testing.T) {
	sound := func() Sample {
		return Sample{Task: Binary, Label: []float64{0, 1}, Scores: [][]float64{{0.1, 0.9}}, Weight: []float64{1, 0}}
	}
	if err := sound().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(s *Sample){
		"task \"ranking\"":      func(s *Sample) { s.Task = "ranking" },
		"0 score columns":       func(s *Sample) { s.Scores = nil },
		"at least 2":            func(s *Sample) { s.Task = Multiclass },
		"1 scores for 2 rows":   func(s *Sample) { s.Scores[0] = s.Scores[0][:1] },
		"3 weights for 2 rows":  func(s *Sample) { s.Weight = []float64{1, 1, 1} },
		"weights are at least":  func(s *Sample) { s.Weight[1] = -1 },
		"weight of row 0 is +I": func(s *Sample) { s.Weight[0] = math.Inf(1) },
		"label of row 1 is 0.5": func(s *Sample) { s.Label[1] = 0.5 },
		"label of row 0 is NaN": func(s *Sample) { s.Label[0] = math.NaN() },
		"score of row 1 is -In": func(s *Sample) { s.Scores[0][1] = math.Inf(-1) },
		"the threshold":         func(s *Sample) { s.Threshold = math.NaN() },
	} {
		s := sound()
		spoil(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if got := Compute(s); len(got) != 0 {
			t.Errorf("%q: computed %v of a sample that is refused", want, got)
		}
	}
}

// The order of rows changes no metric; a worker is as good the second time; counting a group twice is having its rows twice.
func TestPlanCountsGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, g := range read(t) {
		s := g.sample()
		groups := 13
		group, count := make([]int32, len(s.Label)), make([]uint16, groups)
		var rows []int
		for i := range group {
			group[i] = int32(r.IntN(groups))
		}
		for i := range count {
			count[i] = uint16(r.IntN(4))
		}
		for i := range group {
			for range count[group[i]] {
				rows = append(rows, i)
			}
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		want := Compute(s.Select(rows))
		plan, err := NewPlan(s, group, groups, For(s.Task))
		if err != nil {
			t.Fatal(err)
		}
		worker, out := plan.Worker(), make([]float64, len(For(s.Task)))
		worker(make([]uint16, groups), out)
		for i, v := range out {
			if !math.IsNaN(v) {
				t.Errorf("%s %s: %s of no rows = %v", g.Task, g.Name, For(s.Task)[i], v)
			}
		}
		worker(count, out)
		for i, name := range For(s.Task) {
			v, ok := want[name]
			if ok != !math.IsNaN(out[i]) || ok && !near(out[i], v) && g.Name != "far from zero" {
				t.Errorf("%s %s: %s = %.15g, of repeated rows %.15g %v", g.Task, g.Name, name, out[i], v, ok)
			}
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	s := read(t)[0].sample()
	if _, err := NewPlan(s, make([]int32, len(s.Label)), 1, []string{"rmse"}); err == nil {
		t.Error("a binary sample has no rmse")
	}
	plan, err := NewPlan(s, make([]int32, len(s.Label)), 1, Cells)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, 4)
	plan.Worker()([]uint16{1}, out)
	if sum := out[0] + out[1] + out[2] + out[3]; sum != float64(len(s.Label)) {
		t.Errorf("cells %v sum to %v, want %d", out, sum, len(s.Label))
	}
}

// BestThreshold finds what trying every score finds.
func TestBestThreshold(t *testing.T) {
	for _, g := range read(t) {
		if g.Task != Binary {
			continue
		}
		for _, name := range thresholded {
			s := g.sample()
			got, err := BestThreshold(s, name)
			if err != nil {
				t.Fatalf("%s %s: %v", g.Name, name, err)
			}
			best := math.Inf(-1)
			for _, score := range s.Scores[0] {
				s.Threshold = score
				if v, ok := Compute(s)[name]; ok {
					best = max(best, v)
				}
			}
			s.Threshold = got
			if v := Compute(s)[name]; !near(v, best) {
				t.Errorf("%s: %s at %v is %v, the best is %v", g.Name, name, got, v, best)
			}
		}
	}
}

func TestBestThresholdRefuses(t *testing.T) {
	s := read(t)[0].sample()
	for _, name := range []string{"auc", "log_loss", "f2", ""} {
		if _, err := BestThreshold(s, name); err == nil {
			t.Errorf("a threshold is best by %q", name)
		}
	}
	if _, err := BestThreshold(Sample{Task: Binary, Scores: [][]float64{nil}}, "f1"); err == nil {
		t.Error("a threshold is best on no rows")
	}
	if _, err := BestThreshold(Sample{Task: Regression, Scores: [][]float64{{1}}, Label: []float64{1}}, "f1"); err == nil {
		t.Error("a regression has a threshold")
	}
	if v, err := BestThreshold(Sample{Task: Binary, Scores: [][]float64{{1, math.Nextafter(1, 0)}}, Label: []float64{1, 0}}, "f1"); err != nil || v != 1 {
		t.Errorf("between neighbours: %v, %v; want 1", v, err)
	}
}

func TestSlices(t *testing.T) {
	var column []string
	for value, n := range map[string]int{"b": 150, "a": 150, "c": MinSliceRows, "d": MinSliceRows - 1, "": 200} {
		column = append(column, slices.Repeat([]string{value}, n)...)
	}
	large, small := Slices(column)
	var names []string
	for _, s := range large {
		names = append(names, s.Value)
		for _, row := range s.Rows {
			if column[row] != s.Value {
				t.Fatalf("row %d is not of slice %q", row, s.Value)
			}
		}
	}
	if strings.Join(names, ",") != ",a,b,c" || small != 1 {
		t.Errorf("slices %q and %d small ones", names, small)
	}
}

func TestCurveData(t *testing.T) {
	for _, g := range read(t) {
		s := g.sample()
		blocks, bins := Blocks(s), Calibration(s)
		if g.Task != Binary {
			if blocks != nil || bins != nil {
				t.Errorf("%s has curves", g.Task)
			}
			continue
		}
		area, above, positives, negatives := 0.0, 0.0, 0.0, 0.0
		for i, b := range blocks {
			if i > 0 && b.Score >= blocks[i-1].Score {
				t.Fatal("blocks do not descend")
			}
			area += b.Negative * (above + b.Positive/2)
			above, positives, negatives = above+b.Positive, positives+b.Positive, negatives+b.Negative
		}
		got := Compute(s)
		if !near(area/positives/negatives, got["auc"]) {
			t.Errorf("%s: the curve's area %v is not the AUC %v", g.Name, area/positives/negatives, got["auc"])
		}
		gap, weight := 0.0, 0.0
		for _, b := range bins {
			gap, weight = gap+math.Abs(b.Positive-b.Score), weight+b.Weight
		}
		if len(bins) == 0 || !near(gap/weight, got["ece"]) || !near(weight, positives+negatives) {
			t.Errorf("%s: the bins' gap %v is not ece %v", g.Name, gap/weight, got["ece"])
		}
	}
}

func TestSpecs(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range specs {
		if seen[s.Name] || s.Direction != Up && s.Direction != Down {
			t.Errorf("specification %+v", s)
		}
		seen[s.Name] = true
	}
	if _, ok := Lookup("acuracy"); ok {
		t.Error("an unknown name is known")
	}
	if For("ranking") != nil {
		t.Error("an unknown task has metrics")
	}
	for task := range maps.Keys(formulas) {
		for _, name := range For(task) {
			if Ranked(name) == slices.Contains(thresholded, name) {
				t.Errorf("%s: Ranked is wrong", name)
			}
		}
	}
}
