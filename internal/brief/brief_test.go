package brief

import (
	"math"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

func at(v float64) *float64 { return &v }

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Number(1234567.891, 2), "1,234,567.89"}, {Number(-0.0001, 3), "0.000"}, {Number(-0.5, 1), "−0.5"}, {Number(math.NaN(), 2), "–"}, {Number(math.Inf(-1), 2), "–"}, {Number(1e18, 0), "1.000e+18"}, {Number(0, 0), "0"},
		{Number(999, 0), "999"}, {Number(1000, 0), "1,000"}, {Signed(0.0373, 3), "+0.037"}, {Signed(-0.0373, 3), "−0.037"}, {Signed(0, 3), "0.000"}, {Signed(0.0001, 3), "0.000"}, {Signed(12345, 0), "+12,345"},
		{About(7), "7"}, {About(99), "99"}, {About(61234), "61,000"}, {About(123456), "120,000"}, {Value("auc", 0.71287), "0.713"}, {Value("rmse", 23.41789), "23.42"}, {Value("rmse", 0.000123456), "0.000123"}, {Value("mae", 18), "18"},
		{Value("rmse", 123456.7), "123,457"}, {Money("USD", 2810.4), "$2,810"}, {Money("EUR", -3.5), "−€3.50"}, {SignedMoney("CHF", 1200), "CHF +1,200"}, {SignedMoney("USD", 0), "$0"}, {Money("", 5), "5"}, {Money("USD", math.NaN()), "–"},
		{Seconds(0), "0 s"}, {Seconds(0.0123), "12 ms"}, {Seconds(2.94), "2.9 s"}, {Seconds(600), "10.0 min"}, {Seconds(86400), "24.0 h"}, {Seconds(-1), "–"}, {Bytes(12), "12 B"}, {Bytes(251234), "251 kB"}, {Bytes(5_000_000_000), "5.00 GB"},
		{Score(99.97), "99.9"}, {Score(100), "100"}, {Exact(0.002), "0.002"}, {Exact(-1.5), "−1.5"}, {Exact(3), "3"}, {Label("auc"), "AUC"}, {Label("my_metric"), "my_metric"}, {Short("sha256:0123456789"), "0123456"}, {Short("abc"), "abc"},
		{Clip("one two three", 9), "one two…"}, {Clip("äöü", 3), "äöü"}, {Clip("abcdefgh", 4), "abc…"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func metricOf(name, verdict string, base, head, low, high float64) record.MetricDifference {
	return record.MetricDifference{Name: name, Level: "gate", Direction: "up", Base: at(base), Head: at(head), Difference: at(head - base), Low: at(low), High: at(high), Verdict: verdict, Gate: record.GatePass}
}

// A number that is not zero never reads as zero, and one that decides never as its opposite.
func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		m    record.MetricDifference
		want string
	}{
		{metricOf("auc", "better", 0.6761, 0.7129, 0.0307, 0.0429), "0.676 0.713 +0.037 +0.031 … +0.043"},
		{metricOf("auc", "same", 0.71290, 0.71314, -0.0002, 0.0006), "0.7129 0.7131 +0.0002 −0.0002 … +0.0006"},
		{metricOf("auc", "better", 0.7, 0.701, 0.00004, 0.002), "0.70000 0.70100 +0.00100 +0.00004 … +0.00200"},
		{metricOf("rmse", "worse", 23.417, 24.012, 0.2, 0.99), "23.42 24.01 +0.59 +0.20 … +0.99"},
		{metricOf("model_bytes", "worse", 251234, 301234, 50000, 50000), "251,234 301,234 +50,000 +50,000 … +50,000"},
		{metricOf("auc", "same", 0.5, 0.5, 0, 0), "0.500 0.500 0.000 0.000 … 0.000"},
		{record.MetricDifference{Name: "auc", Verdict: "missing"}, "– – – –"},
	} {
		r := RowOf(c.m)
		if got := strings.Join([]string{r.Base, r.Head, r.Difference, r.Interval}, " "); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestRowReason(t *testing.T) {
	m := metricOf("auc", record.Inconclusive, 0.7, 0.7, -0.1, 0.1)
	m.RowsNeeded, m.Reason = 61234, "about 61234 more rows needed"
	if got := RowOf(m).Reason; got != "about 61,000 more rows needed" {
		t.Errorf("%q says it twice", got)
	}
	m.Reason = "12 groups, 20 needed"
	if got := RowOf(m).Reason; got != "12 groups, 20 needed; about 61,000 more rows needed" {
		t.Error(got)
	}
	if r := (Row{Verdict: record.Inconclusive, Gate: record.GateFail}); r.VerdictText() != "? cannot say" || r.GateText() != "✗ fail" {
		t.Errorf("%q, %q", r.VerdictText(), r.GateText())
	}
}

func comparison(verdict string, promotes bool) record.Comparison {
	m := metricOf("auc", verdict, 0.6761, 0.7129, 0.0307, 0.0429)
	if verdict == record.Worse {
		m = metricOf("auc", verdict, 0.7129, 0.6761, -0.0429, -0.0307)
		m.Gate = record.GateFail
	}
	return record.Comparison{Model: "delay", Experiment: "b", Promotes: promotes, Verdict: verdict, Base: record.Side{Experiment: "a"}, Head: record.Side{Experiment: "b"}, Rows: 10, Metrics: []record.MetricDifference{m}}
}

// TestVerdict holds which of several things the first line speaks of.
func TestVerdict(t *testing.T) {
	wrong := []problem.Problem{{Pos: problem.Pos{File: "f.toml"}, Level: problem.LevelError, Message: "bad"}}
	warned := []problem.Problem{{Level: problem.LevelWarning}}
	blocked := []record.DataChange{{Dataset: "d", Blocking: true, Failed: []string{"c"}}}
	for name, c := range map[string]struct {
		ci    record.CI
		want  string
		fails bool
	}{
		"better":                          {record.CI{Comparisons: []record.Comparison{comparison(record.Better, true)}}, record.Better, false},
		"worst of those that promote":     {record.CI{Comparisons: []record.Comparison{comparison(record.Better, true), comparison(record.Inconclusive, true), comparison(record.Worse, false)}}, record.Inconclusive, false},
		"a refuted proposal fails nobody": {record.CI{Comparisons: []record.Comparison{comparison(record.Worse, false)}}, record.Worse, false},
		"worse":                           {record.CI{Comparisons: []record.Comparison{comparison(record.Worse, true)}}, record.Worse, true},
		"problems before verdicts":        {record.CI{Problems: wrong, Comparisons: []record.Comparison{comparison(record.Better, true)}}, Invalid, false},
		"warnings are no problem":         {record.CI{Problems: warned}, Nothing, false},
		"blocked":                         {record.CI{Data: blocked, Comparisons: []record.Comparison{comparison(record.Better, true)}}, Blocked, true},
		"failed":                          {record.CI{Exit: 3, Steps: []record.Step{{Name: "run", State: "failed", Why: "x"}}, Problems: wrong}, Failed, false},
		"staged":                          {record.CI{Staged: []record.StageChange{{Model: "m", Experiment: "e"}}}, Staged, false},
		"data":                            {record.CI{Data: []record.DataChange{{Dataset: "d", Changed: true}}}, Data, false},
		"nothing":                         {record.CI{}, Nothing, false},
	} {
		b := Of(c.ci)
		if b.Verdict != c.want || b.Fails != c.fails || !strings.HasPrefix(b.Sentence, "plumb: "+title(c.want)) {
			t.Errorf("%s: %s, %v: %s", name, b.Verdict, b.Fails, b.Sentence)
		}
	}
}

func TestNeedsAreFew(t *testing.T) {
	var ci record.CI
	for range 9 {
		ci.Problems = append(ci.Problems, problem.Problem{Level: problem.LevelError, Message: "bad"})
		ci.Comparisons = append(ci.Comparisons, comparison(record.Better, true), comparison(record.Worse, true))
	}
	b := Of(ci)
	if len(b.Needs) != MaxNeeds || !strings.HasSuffix(b.Needs[2], "And 15 more, below.") {
		t.Errorf("needs %q", b.Needs)
	}
	if len(b.Rows) != MaxRows || b.Hidden != 10 {
		t.Errorf("%d rows, %d hidden", len(b.Rows), b.Hidden)
	}
}

func TestSentences(t *testing.T) {
	moved := comparison(record.Better, true)
	moved.Base.Experiment, moved.Inputs.Changed = "b", []string{"dataset", "feature.origin", "code"}
	gone := record.Comparison{Model: "delay", Promotes: true, Verdict: record.Missing, Reason: "the pull request removes the champion", Base: record.Side{Experiment: "a"}}
	claim := comparison(record.Better, true)
	claim.Hypothesis = &record.Hypothesis{Text: "b lifts AUC.", State: "confirmed", Metric: "auc", Gain: 0.01}
	far := comparison(record.Better, true)
	far.Method, far.Groups, far.LeftOut, far.Head.Who = "stored", 3, 1, "@ann"
	for _, c := range []struct{ got, want string }{
		{Sentence(comparison(record.Better, true)), "better — delay: b beats a, AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)"},
		{Sentence(comparison(record.Worse, true)), "worse — delay: b loses to a, AUC 0.713 → 0.676 (−0.037, 95 % CI −0.043 … −0.031)"},
		{Sentence(moved), "better — delay: b with changed data, feature view origin and the learner's code beats b as it was, AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)"},
		{Sentence(gone), "missing — delay: nothing answers it any more: the pull request removes the champion"},
		{Hypothesis(claim), "✓ Confirmed: b lifts AUC. (AUC +0.037, a gain of 0.01 claimed)"},
		{Trained(far.Head), "trained by @ann, scored by CI"}, {Person("ann@example.org"), "ann"}, {Person("@ann"), "@ann"}, {Person(""), ""},
		{Method(far), "Both sides stand by their stored predictions of 10 shared test rows in 3 groups that move together; 1 row that either side trained on is left out. Intervals are of the difference and leave out the randomness of training. b was trained by @ann, scored by CI."},
		{GateSentence(record.Gate{Name: "g", State: "unknown", Require: "x > 1", Reason: "x does not exist here"}), "? g cannot say: x > 1; x does not exist here"},
		{DataSentence(record.DataChange{Dataset: "d", Changed: true, RowsBase: 10, RowsHead: 10}), "d 10 rows as before, other content"},
		{DataSentence(record.DataChange{Dataset: "d", Changed: true, RowsHead: 1234}), "d is new, 1,234 rows"},
		{Inputs([]string{"experiment"}), "settings"}, {Word(record.Inconclusive), "cannot say"}, {Symbol(record.First), ""},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

// The value's row reads like a metric's, in the card's currency.
func TestValueRow(t *testing.T) {
	row, ok := RowOfValue(&record.ValueDifference{Currency: "USD", Period: "month", Base: at(12310), Head: at(15120), Difference: at(2810), Low: at(-100), High: at(3650)})
	if !ok || row.Metric != "value a month" || row.Difference != "+$2,810" || row.Interval != "−$100 … +$3,650" || row.Verdict != record.Inconclusive {
		t.Errorf("%+v", row)
	}
	if _, ok := RowOfValue(nil); ok {
		t.Error("no design card, no row")
	}
	if row, ok := RowOfValue(&record.ValueDifference{Reason: "no confusion matrix"}); !ok || row.Base != Absent || row.Reason == "" {
		t.Errorf("%+v", row)
	}
}
