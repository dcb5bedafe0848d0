package compare

import (
	"encoding/json"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// judged judges, failing the test on an error.
func judged(t *testing.T, in Input) Outcome {
	t.Helper()
	out, err := Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// line finds a metric's line of all rows.
func line(t *testing.T, out Outcome, name string) record.MetricDifference {
	t.Helper()
	for _, m := range out.Metrics {
		if m.Name == name && m.Slice == "" {
			return m
		}
	}
	t.Fatalf("no line for %s", name)
	return record.MetricDifference{}
}

func everyMetric(task string) []doc.Metric {
	var out []doc.Metric
	for _, name := range metric.For(task) {
		out = append(out, doc.Metric{Name: name, Level: "gate"})
	}
	return out
}

func TestIdenticalAnswersAreTheSame(t *testing.T) {
	for name, days := range map[string]int{"enough groups": 60, "few groups": 3} {
		in := world{days: days, rows: 50, shock: 1}.draw(1)
		in.Head, in.Contract = in.Base, everyMetric("binary")
		in.Value = func(tp, fp, fn, tn float64) (float64, bool) { return 3*tp - fp, true }
		out := judged(t, in)
		if out.Verdict != record.Same || len(out.Fails()) > 0 {
			t.Errorf("%s: %s, %v", name, out.Verdict, out.Fails())
		}
		for _, m := range out.Metrics {
			if m.Verdict != record.Same || *m.Difference != 0 || *m.Low != 0 || *m.High != 0 || *m.P != 1 {
				t.Errorf("%s: %s is %s, %v [%v, %v]", name, m.Name, m.Verdict, *m.Difference, *m.Low, *m.High)
			}
		}
		if v := out.Value; *v.Difference != 0 || *v.Low != 0 || *v.High != 0 {
			t.Errorf("%s: value %+v", name, v)
		}
	}
}

// The same order of scores under other numbers is the same AUC, not a better one by rounding.
func TestSameRankingIsTheSameAUC(t *testing.T) {
	in := world{days: 30, rows: 40, shock: 1}.draw(2)
	in.Head = [][]float64{slices.Clone(in.Base[0])}
	for i, s := range in.Head[0] {
		in.Head[0][i] = s * s / 3
	}
	if m := line(t, judged(t, in), "auc"); m.Verdict != record.Same || *m.Low != 0 || *m.High != 0 {
		t.Errorf("auc is %s [%v, %v]", m.Verdict, *m.Low, *m.High)
	}
}

func TestFewGroupsConcludeNothing(t *testing.T) {
	in := world{days: 12, rows: 100, shock: 0, gain: 5}.draw(3)
	out := judged(t, in)
	m := line(t, out, "auc")
	if m.Verdict != record.Inconclusive || m.Low != nil || m.P != nil || m.Reason != "12 groups, 20 needed" || m.RowsNeeded != 800 {
		t.Errorf("%+v", m)
	}
	if out.Verdict != record.Inconclusive || out.Reason != "auc: 12 groups, 20 needed" || out.Groups != 12 || out.Rows != 1200 {
		t.Errorf("%+v", out)
	}
	in.Group = in.Group[:1190]
	if _, err := Judge(in); err == nil {
		t.Error("groups of other length than rows are accepted")
	}
}

func TestMethods(t *testing.T) {
	in := world{days: 30, rows: 40, shock: 0.3}.draw(4)
	in.Contract = everyMetric("binary")
	want := func(in Input, methods map[string]string) {
		t.Helper()
		out := judged(t, in)
		for name, method := range methods {
			m := line(t, out, name)
			if m.Method != method || m.Low == nil || !(*m.Low <= *m.Difference && *m.Difference <= *m.High) || !(*m.P > 0 && *m.P <= 1) {
				t.Errorf("%s by %q, want %q: %+v", name, m.Method, method, m)
			}
		}
	}
	want(in, map[string]string{"auc": "clustered DeLong", "accuracy": "group bootstrap", "f1": "group bootstrap", "ece": "group bootstrap"})
	in.Group = nil
	want(in, map[string]string{"auc": "DeLong", "accuracy": "McNemar", "f1": "bootstrap"})
	in.Weight = make([]float64, len(in.Label))
	for i := range in.Weight {
		in.Weight[i] = 1 + float64(i%3)
	}
	want(in, map[string]string{"auc": "DeLong", "accuracy": "bootstrap"})
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	in := world{days: 25, rows: 40, shock: 0.5}.draw(5)
	in.Contract, in.Slices = everyMetric("binary"), map[string][]string{"day": in.Group}
	many, _ := json.Marshal(judged(t, in))
	before := runtime.GOMAXPROCS(1)
	one, _ := json.Marshal(judged(t, in))
	runtime.GOMAXPROCS(before)
	if string(many) != string(one) {
		t.Error("the outcome depends on the number of cores")
	}
	in.Seed++
	if other, _ := json.Marshal(judged(t, in)); string(other) == string(one) {
		t.Error("another seed gives the same intervals")
	}
}

func TestBadNumbersAreErrors(t *testing.T) {
	for want, spoil := range map[string]func(in *Input){
		"head's scores: score of row 7 is NaN":       func(in *Input) { in.Head[0][7] = math.NaN() },
		"base's scores: score of row 0 is +Inf":      func(in *Input) { in.Base[0][0] = math.Inf(1) },
		"label of row 2 is NaN":                      func(in *Input) { in.Label[2] = math.NaN() },
		"head's scores: 1199 scores for 1200":        func(in *Input) { in.Head[0] = in.Head[0][1:] },
		"base's scores: a binary sample has 0 score": func(in *Input) { in.Base = nil },
		"weight of row 0 is -1":                      func(in *Input) { in.Weight = slices.Repeat([]float64{-1}, 1200) },
		"1 values of slice origin":                   func(in *Input) { in.Slices = map[string][]string{"origin": {"ATL"}} },
		`task "" is none of`:                         func(in *Input) { in.Task = "" },
	} {
		in := world{days: 30, rows: 40}.draw(6)
		spoil(&in)
		if _, err := Judge(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	in := world{days: 30, rows: 40}.draw(6)
	in.Head[0][0] = math.NaN()
	if _, err := First(in); err == nil {
		t.Error("First accepts NaN")
	}
	if _, err := JudgeUnpaired(in, Side{Label: in.Label}); err == nil {
		t.Error("JudgeUnpaired accepts NaN")
	}
}

func TestNothingToCompare(t *testing.T) {
	in := Input{Task: "binary", Base: [][]float64{{}}, Head: [][]float64{{}}, Contract: everyMetric("binary")}
	out := judged(t, in)
	if out.Verdict != record.Missing || out.Reason != "auc: there are no rows with a label" {
		t.Errorf("no rows: %s, %s", out.Verdict, out.Reason)
	}
	in = Input{Task: "binary", Label: []float64{1}, Base: [][]float64{{0.3}}, Head: [][]float64{{0.6}}, BaseThreshold: 0.5, HeadThreshold: 0.5}
	if out := judged(t, in); out.Verdict != record.Missing || out.Reason != "auc: every label is 1" {
		t.Errorf("one row: %s, %s", out.Verdict, out.Reason)
	}
}

// A base that never says yes has no precision: head's is a first one, not a missing one.
func TestBaseWithoutTheNumber(t *testing.T) {
	in := world{days: 30, rows: 40}.draw(7)
	in.BaseThreshold, in.Contract = 2, []doc.Metric{{Name: "precision", Level: "gate"}}
	m := line(t, judged(t, in), "precision")
	if m.Verdict != record.First || m.Gate != record.GatePass || !strings.Contains(m.Reason, "every answer is the same at threshold 2") {
		t.Errorf("%+v", m)
	}
	in.BaseThreshold, in.HeadThreshold = 0.5, 2
	if m := line(t, judged(t, in), "precision"); m.Verdict != record.Missing || m.Gate != record.GateFail || m.Head != nil {
		t.Errorf("%+v", m)
	}
}

func TestMetricThatScoresDoNotGive(t *testing.T) {
	in := world{days: 30, rows: 40}.draw(8)
	in.Contract = []doc.Metric{{Name: "latency_p95_ms", Level: "gate"}, {Name: "value"}}
	out := judged(t, in)
	if m := line(t, out, "latency_p95_ms"); m.Verdict != record.Missing || m.Gate != record.GateFail || m.Unit != "ms" || m.Direction != "down" {
		t.Errorf("%+v", m)
	}
	if m := line(t, out, "value"); m.Verdict != record.Missing || m.Gate != record.GateNone || !strings.Contains(m.Reason, "design card") {
		t.Errorf("%+v", m)
	}
	if got := out.Fails(); len(got) != 1 || got[0] != "latency_p95_ms is missing" {
		t.Errorf("fails: %q", got)
	}
}

func TestHypothesisNeedsItsMetric(t *testing.T) {
	in := world{days: 60, rows: 60, gain: 3}.draw(9)
	in.Contract = []doc.Metric{{Name: "auc", Level: "gate"}}
	in.Hypothesis, in.Expect = "Sharper.", map[string]doc.Expect{"average_precision": {Gain: 0.001}}
	out := judged(t, in)
	if m := line(t, out, "average_precision"); m.Level != levelInfo || m.Verdict != record.Better {
		t.Errorf("%+v", m)
	}
	if h := out.Hypothesis; h.State != Confirmed || h.Metric != "average_precision" || h.Gain != 0.001 || h.Text != "Sharper." {
		t.Errorf("%+v", h)
	}
	if out.Verdict != record.Better {
		t.Errorf("verdict %s", out.Verdict)
	}
}

func TestValue(t *testing.T) {
	in := world{days: 60, rows: 60, gain: 3}.draw(10)
	in.Value = func(tp, fp, fn, tn float64) (float64, bool) {
		return 1000 * (2*tp - fp) / (tp + fp + fn + tn), tp+fp+fn+tn > 0
	}
	in.Currency, in.Period = "USD", "month"
	in.Contract = []doc.Metric{{Name: "value", Level: "gate", Require: "better"}}
	out := judged(t, in)
	v, m := out.Value, line(t, out, "value")
	if v.Currency != "USD" || v.Period != "month" || math.Abs(*v.Head-*v.Base-*v.Difference) > 1e-6 || *v.Low > *v.Difference || *v.High < *v.Difference {
		t.Errorf("%+v", v)
	}
	if *m.Difference != *v.Difference || *m.Low != *v.Low || m.Verdict != record.Better || m.Gate != record.GatePass {
		t.Errorf("%+v", m)
	}
	in.Value = func(tp, fp, fn, tn float64) (float64, bool) { return 0, false }
	if v := judged(t, in).Value; v.Head != nil || v.Reason == "" {
		t.Errorf("a value that does not exist: %+v", v)
	}
}

func TestFirstNewQuestionMissing(t *testing.T) {
	in := world{days: 30, rows: 40}.draw(14)
	in.Base, in.Hypothesis, in.Expect = nil, "It works.", map[string]doc.Expect{"auc": {Gain: 0.01}}
	in.Gates = map[string]doc.Gate{"floor": {Require: "auc >= 0.99"}}
	out, err := First(in)
	if err != nil {
		t.Fatal(err)
	}
	m := line(t, out, "auc")
	if out.Verdict != record.First || m.Verdict != record.First || m.Gate != record.GatePass || m.Head == nil || m.Base != nil {
		t.Errorf("first: %s, %+v", out.Verdict, m)
	}
	if got := out.Fails(); len(got) != 1 || got[0] != "gate floor says no: auc >= 0.99" {
		t.Errorf("first fails: %q", got)
	}
	if out.Hypothesis.State != Open {
		t.Errorf("first: hypothesis %+v", out.Hypothesis)
	}
	in.Gates = nil
	if out, err = NewQuestion(in); err != nil || out.Verdict != record.NewQuestion || len(out.Fails()) > 0 {
		t.Errorf("new question: %s, %v, %v", out.Verdict, out.Fails(), err)
	}
	in.Gates = map[string]doc.Gate{"floor": {Require: "auc >= 0.5"}}
	out = Missing(in, "training failed: exit 1")
	if out.Verdict != record.Missing || len(out.Fails()) != 3 || line(t, out, "auc").Reason != "training failed: exit 1" {
		t.Errorf("missing: %s, %q", out.Verdict, out.Fails())
	}
	in.Label = make([]float64, len(in.Label))
	if out, err = First(in); err != nil || out.Verdict != record.Missing {
		t.Errorf("first without an AUC: %s, %v", out.Verdict, err)
	}
}

func TestWithoutContract(t *testing.T) {
	in := world{days: 30, rows: 40, gain: 5}.draw(17)
	in.Contract = nil
	out := judged(t, in)
	if len(out.Metrics) != 1 || out.Metrics[0].Name != "auc" || out.Verdict != record.Better || out.Metrics[0].Gate != record.GateNone {
		t.Errorf("%+v", out)
	}
}
