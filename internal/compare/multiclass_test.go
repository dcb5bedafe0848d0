package compare

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// classWorld makes days of rows of three classes. A day has a mood that favours some class, and each model reads the day wrong in its own way.
func classWorld(days, rows int, shock, gain float64, seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 2002))
	in := Input{Task: "multiclass", Seed: seed, Contract: everyMetric("multiclass"), Base: make([][]float64, 3), Head: make([][]float64, 3)}
	for day := range days {
		var mood, ofBase, ofHead [3]float64
		for c := range 3 {
			mood[c], ofBase[c], ofHead[c] = 0.5*r.NormFloat64(), shock*r.NormFloat64(), shock*r.NormFloat64()
		}
		for range rows {
			var truth, base, head [3]float64
			for c := range 3 {
				x := 1.5 * r.NormFloat64()
				truth[c] = x + mood[c]
				base[c] = x + ofBase[c] + r.NormFloat64()
				head[c] = x*(1+gain) + ofHead[c] + r.NormFloat64()
			}
			u, p, label := r.Float64(), softmax(truth), 0
			for c := 0; c < 2 && u > p[c]; c++ {
				u -= p[c]
				label = c + 1
			}
			in.Label, in.Group = append(in.Label, float64(label)), append(in.Group, strconv.Itoa(day))
			for c, b := range softmax(base) {
				in.Base[c] = append(in.Base[c], b)
			}
			for c, h := range softmax(head) {
				in.Head[c] = append(in.Head[c], h)
			}
		}
	}
	return in
}

func softmax(z [3]float64) (p [3]float64) {
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v)
	}
	for c, v := range z {
		p[c] = math.Exp(v) / sum
	}
	return p
}

// Of two classes, each one's AUC against the rest is the binary AUC, and so are the mean and its interval.
func TestMacroAUCOfTwoClassesIsTheAUC(t *testing.T) {
	in := world{days: 40, rows: 50, shock: 1, gain: 0.5}.draw(3)
	want := line(t, judged(t, in), "auc")
	two := in
	two.Task, two.Contract = "multiclass", everyMetric("multiclass")
	for _, side := range []*[][]float64{&two.Base, &two.Head} {
		rest := make([]float64, len(two.Label))
		for i, s := range (*side)[0] {
			rest[i] = 1 - s
		}
		*side = [][]float64{rest, (*side)[0]}
	}
	got := line(t, judged(t, two), "macro_auc_ovr")
	for i, pair := range [][2]*float64{{got.Difference, want.Difference}, {got.Low, want.Low}, {got.High, want.High}, {got.P, want.P}} {
		if math.Abs(*pair[0]-*pair[1]) > 1e-9 {
			t.Errorf("number %d: %v of two classes, %v of yes or no", i, *pair[0], *pair[1])
		}
	}
}

// The closed form against what it stands for: the same days drawn again and again, and the macro AUC of each draw. The half widths agree to what
// 2,000 draws tell.
func TestMacroAUCIsThatOfResampling(t *testing.T) {
	in := classWorld(60, 40, 0.6, 0.2, 5)
	m := line(t, judged(t, in), "macro_auc_ovr")
	c, err := newContest(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	base, head := c.draws([]string{m.Name})
	differences := head[0]
	for r := range differences {
		differences[r] -= base[0][r]
	}
	low, high, ok := stat.Interval(differences, c.groups())
	if ratio := (*m.High - *m.Low) / (high - low); !ok || ratio < 0.93 || ratio > 1.07 {
		t.Errorf("[%v, %v] in closed form, [%v, %v] by resampling: %v", *m.Low, *m.High, low, high, ratio)
	}
	if m.Method != "clustered DeLong" {
		t.Error(m.Method)
	}
}

// What three classes add to simulate_test.go: of two models of equal skill, better or worse is said in at most 7 % of 500 draws, and where skill
// differs intervals hold the difference in 93 to 97 %. Measured with
// PLUMB_SLOW=1, 2,000 draws: accuracy 5.1 % and 94.8 %, macro F1 5.6 % and 95.0 %, log loss 4.4 % and 95.8 %, macro AUC 4.5 % and 95.2 %.
func TestClassesAreJudgedAsTheyShould(t *testing.T) {
	draws := 500
	if slow {
		draws = 2000
	}
	wrong, held := map[string]int{}, map[string]int{}
	low, high, sum := map[string][]float64{}, map[string][]float64{}, map[string]float64{}
	for seed := range draws {
		for _, m := range quickly(t, classWorld(40, 30, 0.6, 0, uint64(seed))) {
			if m.Verdict == record.Better || m.Verdict == record.Worse {
				wrong[m.Name]++
			}
		}
		for _, m := range quickly(t, classWorld(40, 30, 0.4, 0.3, uint64(seed))) {
			low[m.Name], high[m.Name] = append(low[m.Name], *m.Low), append(high[m.Name], *m.High)
			sum[m.Name] += *m.Difference
		}
	}
	for name := range low {
		truth := sum[name] / float64(draws)
		for i := range low[name] {
			if low[name][i] <= truth && truth <= high[name][i] {
				held[name]++
			}
		}
		wrongShare, heldShare := float64(wrong[name])/float64(draws), float64(held[name])/float64(draws)
		t.Logf("%s: wrong %.3f, held %.3f of %d draws", name, wrongShare, heldShare, draws)
		if wrongShare > 0.07 || heldShare < 0.93 || heldShare > 0.97 {
			t.Errorf("%s: wrong %.3f, held %.3f", name, wrongShare, heldShare)
		}
	}
}

func quickly(t *testing.T, in Input) []record.MetricDifference {
	t.Helper()
	in.Contract = []doc.Metric{{Name: "accuracy"}, {Name: "macro_f1"}, {Name: "log_loss"}, {Name: "macro_auc_ovr"}}
	return judged(t, in).Metrics
}
