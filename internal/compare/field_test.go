package compare

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/plumb-ml/plumb/internal/metric"
)

// sweep makes candidates of one skill, of which the last are worse: the errors of a day share a shock, and those of all candidates have a part in
// common, as those of one learner with other parameters have.
type sweep struct {
	days, rows, equal, worse int
}

func (w sweep) draw(seed uint64) Field {
	r := rand.New(rand.NewPCG(seed, 2002))
	f := Field{Task: metric.Regression, Metric: "rmse", Direction: metric.Down, Seed: seed, Candidates: make([]Answer, w.equal+w.worse)}
	for i := range f.Candidates {
		f.Candidates[i].Scores = make([][]float64, 1)
	}
	shock := make([]float64, len(f.Candidates))
	for day := range w.days {
		for i := range shock {
			shock[i] = 0.5 * r.NormFloat64()
		}
		for range w.rows {
			shared := r.NormFloat64()
			f.Label, f.Group = append(f.Label, 0), append(f.Group, strconv.Itoa(day))
			for i := range f.Candidates {
				e := 0.8*shared + 0.4*r.NormFloat64() + 0.4*shock[i]
				if i >= w.equal {
					e *= 1.5
				}
				f.Candidates[i].Scores[0] = append(f.Candidates[i].Scores[0], e)
			}
		}
	}
	return f.choose()
}

// truth is the rmse of every equal candidate on rows without end.
var truth = math.Sqrt(0.8*0.8 + 0.4*0.4 + 0.4*0.4*0.5*0.5)

// choose puts the best candidate first.
func (f Field) choose() Field {
	best, least := 0, math.Inf(1)
	for i, c := range f.Candidates {
		if v := metric.Compute(metric.Sample{Task: f.Task, Label: f.Label, Scores: c.Scores})["rmse"]; v < least {
			best, least = i, v
		}
	}
	f.Candidates[0], f.Candidates[best] = f.Candidates[best], f.Candidates[0]
	return f
}

// Of equal candidates none is called worse than the one that came out first, in 95 of 100 sets; plain 95 % intervals around that one call some
// worse in most. Its number is too good, and the corrected one is nearer to the truth.
// Measured with 400 sets: some called worse in 5.8 %; too good by 0.0397, corrected by −0.0007.
func TestChosenAmongEquals(t *testing.T) {
	sets := 100
	if slow {
		sets = 400
	}
	called, naive, corrected := 0, 0.0, 0.0
	for seed := range sets {
		f := sweep{days: 40, rows: 10, equal: 20}.draw(uint64(seed))
		s, err := Stand(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range s.Behind {
			if !b.Within {
				called++
				break
			}
		}
		first := metric.Compute(metric.Sample{Task: f.Task, Label: f.Label, Scores: f.Candidates[0].Scores})["rmse"]
		naive += (truth - first) / float64(sets)
		corrected += (truth - *s.Corrected) / float64(sets)
	}
	t.Logf("%d of %d sets call an equal candidate worse; the chosen number is too good by %.4f, corrected by %.4f", called, sets, naive, corrected)
	if share := float64(called) / float64(sets); share > 0.08 {
		t.Errorf("an equal candidate is called worse in %.0f %% of the sets", 100*share)
	}
	if naive < 0.005 || math.Abs(corrected) > naive/2 {
		t.Errorf("the correction does not help: %.4f before, %.4f after", naive, corrected)
	}
}

func TestWorseCandidatesAreOutsideNoise(t *testing.T) {
	f := sweep{days: 40, rows: 20, equal: 3, worse: 2}.draw(1)
	s, err := Stand(f)
	if err != nil {
		t.Fatal(err)
	}
	within := 0
	for i, b := range s.Behind {
		if b.Within {
			within++
		}
		if i == 0 && (b.Gain != 0 || b.Low != 0 || b.High != 0) {
			t.Errorf("the chosen one is behind itself: %+v", b)
		}
		if b.Gain > 0 || b.Low > b.Gain || b.High < b.Gain {
			t.Errorf("candidate %d: %+v", i, b)
		}
	}
	if within != 3 {
		t.Errorf("%d candidates are within noise, 3 are equal: %+v", within, s.Behind)
	}
}

func TestStandSaysWhyNot(t *testing.T) {
	few := sweep{days: 19, rows: 5, equal: 2}.draw(1)
	if s, err := Stand(few); err != nil || s.Reason != "19 groups, 20 needed" || s.Corrected != nil {
		t.Errorf("%+v %v", s, err)
	}
	one := sweep{days: 30, rows: 5, equal: 1}.draw(1)
	if s, err := Stand(one); err != nil || s.Reason == "" {
		t.Errorf("%+v %v", s, err)
	}
	same := sweep{days: 30, rows: 5, equal: 1}.draw(1)
	same.Candidates = append(same.Candidates, same.Candidates[0])
	if s, err := Stand(same); err != nil || !s.Behind[1].Within || s.Behind[1].Gain != 0 {
		t.Errorf("%+v %v", s, err)
	}
	wrong := sweep{days: 30, rows: 5, equal: 2}.draw(1)
	wrong.Metric = "auc"
	if _, err := Stand(wrong); err == nil {
		t.Error("an AUC of a regression")
	}
}

// The AUC to first order gives the distances of ranking every draw anew.
func TestAreasAreThoseOfRanking(t *testing.T) {
	in := world{days: 40, rows: 50, shock: 1, gain: 0.2}.draw(3)
	h, err := newHalf(in.Task, 0.5, in.Head, Side{Label: in.Label, Group: in.Group})
	if err != nil {
		t.Fatal(err)
	}
	quick, err := h.worker("auc")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := metric.NewPlan(h.Sample, h.group, h.groups, []string{"auc"})
	if err != nil {
		t.Fatal(err)
	}
	var a, b [1]float64
	quick()(ones(h.groups), a[:])
	plan.Worker()(ones(h.groups), b[:])
	if math.Abs(a[0]-b[0]) > 1e-12 {
		t.Errorf("all rows: %v, ranked %v", a[0], b[0])
	}
	whole := b[0]
	r, sum, squares := rand.New(rand.NewPCG(5, 5)), 0.0, 0.0
	for range 200 {
		count := make([]uint16, h.groups)
		for range count {
			count[r.IntN(len(count))]++
		}
		quick()(count, a[:])
		plan.Worker()(count, b[:])
		sum += (a[0] - b[0]) * (a[0] - b[0])
		squares += (b[0] - whole) * (b[0] - whole)
	}
	if sum > 0.01*squares {
		t.Errorf("the first order misses by %.5f on average", math.Sqrt(sum/200))
	}
}

func BenchmarkStand(b *testing.B) {
	f := sweep{days: 60, rows: 500, equal: 50}.draw(1)
	f.Task, f.Metric, f.Direction = metric.Binary, "auc", metric.Up
	r := rand.New(rand.NewPCG(1, 2))
	for i := range f.Label {
		f.Label[i] = float64(r.IntN(2))
	}
	for b.Loop() {
		if _, err := Stand(f); err != nil {
			b.Fatal(err)
		}
	}
}
