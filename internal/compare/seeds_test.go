package compare

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// seedWorld is two experiments, each trained with several seeds. A seed moves a model's skill (luck) and, row by row, what it answers (noise); a day
// moves all seeds of an experiment alike.
type seedWorld struct {
	days, rows  int
	base, head  int     // seeds of each side
	luck, noise float64 // standard deviations of a seed's effect on skill, and on the log odds of a row
	gain        float64
}

func (w seedWorld) draw(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 2003))
	in := Input{Task: "binary", BaseThreshold: 0.5, HeadThreshold: 0.5, Seed: seed, Contract: []doc.Metric{{Name: "auc"}, {Name: "brier"}, {Name: "f1"}}}
	skill := make([]float64, w.base+w.head)
	for s := range skill {
		skill[s] = 1 + w.luck*r.NormFloat64()
		if s >= w.base {
			skill[s] += w.gain
		}
	}
	scores := make([][]float64, len(skill))
	for day := range w.days {
		weather, shock := r.NormFloat64(), [2]float64{0.5 * r.NormFloat64(), 0.5 * r.NormFloat64()}
		for range w.rows {
			x, label, own := r.NormFloat64(), 0.0, [2]float64{r.NormFloat64(), r.NormFloat64()}
			if r.Float64() < share(x+weather) {
				label = 1
			}
			in.Label, in.Group = append(in.Label, label), append(in.Group, strconv.Itoa(day))
			for s := range scores {
				side := min(s/w.base, 1)
				if s >= w.base {
					side = 1
				}
				scores[s] = append(scores[s], share(x*skill[s]+shock[side]+own[side]+w.noise*r.NormFloat64()))
			}
		}
	}
	answers := func(of [][]float64) (first [][]float64, more []Answer) {
		for _, s := range of[1:] {
			more = append(more, Answer{Scores: [][]float64{s}, Threshold: 0.5})
		}
		return [][]float64{of[0]}, more
	}
	in.Base, in.BaseMore = answers(scores[:w.base])
	in.Head, in.HeadMore = answers(scores[w.base:])
	return in
}

// held says in how many draws the interval holds the difference of what the experiments give on average, which is the mean over all draws.
func held(t *testing.T, draws int, draw func(seed uint64) Input) map[string]float64 {
	t.Helper()
	low, high, sum := map[string][]float64{}, map[string][]float64{}, map[string]float64{}
	for seed := range draws {
		for _, m := range judged(t, draw(uint64(seed))).Metrics {
			low[m.Name], high[m.Name] = append(low[m.Name], *m.Low), append(high[m.Name], *m.High)
			sum[m.Name] += *m.Difference
		}
	}
	out := map[string]float64{}
	for name := range low {
		truth := sum[name] / float64(draws)
		for i := range low[name] {
			if low[name][i] <= truth && truth <= high[name][i] {
				out[name] += 1 / float64(draws)
			}
		}
	}
	return out
}

func someDraws() int {
	switch {
	case slow:
		return 2000
	case testing.Short():
		return 200
	}
	return 400
}

// once takes the repeats away: what a comparison says that saw one seed a side.
func once(in Input) Input {
	in.BaseMore, in.HeadMore = nil, nil
	return in
}

// Intervals with repeats hold the difference of the experiments in 93 to 98 % of the draws, with fewer than five seeds in up to 99 %: they may be a
// little wide, see seeds.go. One seed a side holds it far less often, and calls experiments of equal skill better or worse in a third of all draws.
//
// Measured with PLUMB_SLOW=1, 2,000 draws, for the AUC, with repeats and with one seed a side: 0.963 and 0.715 in the first world; two seeds a side
// 0.989; three against ten 0.965; hardly any luck 0.946 and 0.942; more luck than rows tell 0.967 and 0.328; noise in the rows alone 0.961 and 0.942.
func TestSeedsAreInTheInterval(t *testing.T) {
	draws := someDraws()
	worlds := []seedWorld{{days: 40, rows: 50, base: 5, head: 5, luck: 0.3, noise: 0.5, gain: 0.3}}
	if slow {
		worlds = append(worlds, seedWorld{days: 40, rows: 50, base: 2, head: 2, luck: 0.3, noise: 0.5, gain: 0.3}, seedWorld{days: 40, rows: 50, base: 3, head: 10, luck: 0.3, noise: 0.5, gain: 0.3},
			seedWorld{days: 40, rows: 50, base: 5, head: 5, luck: 0.02, noise: 0.5, gain: 0.3}, seedWorld{days: 100, rows: 50, base: 5, head: 5, luck: 0.6, noise: 0, gain: 0.3},
			seedWorld{days: 40, rows: 50, base: 5, head: 5, luck: 0, noise: 1, gain: 0})
	}
	for _, w := range worlds {
		with, without := held(t, draws, w.draw), held(t, draws, func(seed uint64) Input { return once(w.draw(seed)) })
		for name, share := range with {
			t.Logf("%+v: %s holds %.3f of %d draws, with one seed a side %.3f", w, name, share, draws, without[name])
			if share < 0.93 || share > 0.985 && w.luck > 0.1 && min(w.base, w.head) > 4 {
				t.Errorf("%+v: intervals of %s hold %.3f", w, name, share)
			}
		}
		if w.luck >= 0.3 && without["auc"] > 0.85 {
			t.Errorf("%+v: one seed a side holds %.3f: the world is too mild to show anything", w, without["auc"])
		}
	}
}

// Experiments of equal skill, whose seeds differ.
func TestLuckIsSeldomCalledBetter(t *testing.T) {
	draws, w := someDraws(), seedWorld{days: 40, rows: 50, base: 5, head: 5, luck: 0.4, noise: 0.3}
	decided := func(in Input) (n int) {
		if m := line(t, judged(t, in), "auc"); m.Verdict == record.Better || m.Verdict == record.Worse {
			n = 1
		}
		return n
	}
	with, without := 0, 0
	for seed := range draws {
		in := w.draw(uint64(seed))
		with += decided(in)
		without += decided(once(in))
	}
	t.Logf("better or worse in %d of %d draws, with one seed a side in %d", with, draws, without)
	if float64(with) > 0.07*float64(draws) || float64(without) < 0.2*float64(draws) {
		t.Errorf("%d with repeats, %d without, of %d", with, without, draws)
	}
}

// A base whose seeds answered other rows is one model and a spread: the interval is about what base's experiment gives, not about that model.
func TestSpreadOfOtherRows(t *testing.T) {
	draws, w := someDraws(), seedWorld{days: 40, rows: 50, base: 5, head: 5, luck: 0.3, noise: 0.5, gain: 0.3}
	for name, share := range held(t, draws, func(seed uint64) Input {
		in, old := w.draw(seed), w.draw(seed+1e6)
		c, err := newContest(old, nil)
		if err != nil {
			t.Fatal(err)
		}
		in.BaseMore, in.BaseSpread = nil, map[string]Spread{}
		for _, m := range in.Contract {
			in.BaseSpread[m.Name] = c.base.measure(nil).spread(m.Name)
		}
		return in
	}) {
		t.Logf("%s holds %.3f of %d draws", name, share, draws)
		if share < 0.93 || share > 0.985 {
			t.Errorf("%s: %.3f", name, share)
		}
	}
}

func TestSeeds(t *testing.T) {
	w := seedWorld{days: 40, rows: 20, base: 3, head: 4, luck: 0.3, noise: 0.5, gain: 0.2}
	in := w.draw(7)
	in.Value, in.Contract = func(tp, fp, _, _ float64) (float64, bool) { return 3*tp - fp, true }, everyMetric("binary")
	in.Gates = map[string]doc.Gate{"served": {Require: "auc > 0"}}
	out := judged(t, in)
	auc := line(t, out, "auc")
	// The numbers are means, and the spread is that of the seeds, as each alone would be measured.
	var each []float64
	for _, a := range append([]Answer{{in.Head, 0.5}}, in.HeadMore...) {
		alone := once(in)
		alone.Head = a.Scores
		each = append(each, *line(t, judged(t, alone), "auc").Head)
	}
	squares := 0.0
	for _, v := range each {
		squares += (v - mean(each)) * (v - mean(each))
	}
	if math.Abs(*auc.Head-mean(each)) > 1e-9 || math.Abs(*auc.HeadSpread-math.Sqrt(squares/3)) > 1e-9 || auc.BaseSpread == nil {
		t.Errorf("head %v, spread %v; of the seeds alone %v", *auc.Head, *auc.HeadSpread, each)
	}
	if auc.Method != "clustered DeLong, with the spread of seeds" || *auc.Training <= 0 || out.Gates[0].Values["auc"] != each[0] {
		t.Errorf("%+v, gate %+v", auc, out.Gates[0])
	}
	for _, m := range out.Metrics {
		if m.Low == nil || *m.Low > *m.Difference || *m.High < *m.Difference || (*m.P < 0.05) != (*m.Low > 0 || *m.High < 0) && m.Method != "group bootstrap, with the spread of seeds" {
			t.Errorf("%s: %v in [%v, %v], p %v", m.Name, *m.Difference, *m.Low, *m.High, *m.P)
		}
	}
	if out.Value == nil || out.Value.Low == nil || *out.Value.Low > *out.Value.Difference {
		t.Errorf("value %+v", out.Value)
	}
	same, first := in, once(in)
	same.BaseMore, same.HeadMore = []Answer{{in.Base, 0.5}}, []Answer{{in.Head, 0.5}, {in.Head, 0.5}}
	if a, b := line(t, judged(t, same), "auc"), line(t, judged(t, first), "auc"); *a.Low != *b.Low || *a.P != *b.P || a.HeadSpread != nil || a.Method != b.Method {
		t.Errorf("seeds that make no difference: %+v, want %+v", a, b)
	}
	twin := in
	twin.Base, twin.BaseMore = in.Head, in.HeadMore
	if m := line(t, judged(t, twin), "auc"); *m.Low != 0 || *m.High != 0 || m.Method != methodIdentical {
		t.Errorf("the same models on both sides: %+v", m)
	}
	in.HeadMore[1].Scores = [][]float64{in.Head[0][1:]}
	if _, err := Judge(in); err == nil {
		t.Error("a repeat with a row too few is read")
	}
}

func TestRowsNeededLeavesTrainingOut(t *testing.T) {
	s := signed{difference: 0.01, low: -0.01, high: 0.03, training: 0.015}
	if n := s.rowsNeeded(1000, 0); n != 0 {
		t.Errorf("%d rows settle what seeds leave open", n)
	}
	s.training = 0.006 // (0.02² − 0.006²) ÷ (0.01² − 0.006²) = 5.6875
	if n := s.rowsNeeded(1000, 0); n != 4700 {
		t.Errorf("%d more rows, want 4700", n)
	}
}
