package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

var start = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func at(v float64) *float64 { return &v }

// blobs is a store in memory.
type blobs map[string][]byte

func (b blobs) put(t testing.TB, v any, kind string) record.Pointer {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	p := record.Pointer{SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data)), Type: kind}
	b[p.SHA256] = data
	return p
}

func (b blobs) read(p record.Pointer) ([]byte, error) {
	if data, ok := b[p.SHA256]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("no blob %s", p.SHA256)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// documents is a project with two models, four experiments and one dataset.
func documents() *doc.Set {
	flights := &doc.Dataset{Head: doc.Head{ID: "flights"}, Owner: "@ann", Source: doc.Source{Path: "data/flights/*.parquet"}, Time: doc.Time{Event: "date", Known: "date + minutes(40 + distance / 7.5 + max(delay, 0))"},
		Columns: map[string]doc.ColumnNote{"delay": {Type: "int64", Unit: "min", Late: true, Description: "arrival delay; negative is early"}, "origin": {Public: true}}}
	lock := &doc.Lock{Content: digestOf("flights"), Format: "parquet", Rows: 199876}
	for _, c := range []string{"date", "delay", "distance", "origin", "destination"} {
		lock.Columns = append(lock.Columns, doc.LockColumn{Name: c, Type: "int64"})
	}
	for m := 1; m <= 6; m++ {
		lock.Files = append(lock.Files, doc.LockFile{Path: fmt.Sprintf("data/flights/2001-%02d.parquet", m), SHA256: digestOf(fmt.Sprint(m))[7:], Bytes: 480123 + int64(m)*777, Rows: 33312})
	}
	delay := &doc.Model{Head: doc.Head{ID: "delay"}, Task: "binary", Champion: "baseline", Order: []string{"auc", "log_loss", "ece"},
		Question: doc.Question{Dataset: "flights", Label: "delay > 15", Split: doc.Split{By: "time", Test: "28d", Valid: "14d"}, Slices: []string{"origin"}, Group: "day(date)", Threshold: 0.5},
		Metrics:  map[string]doc.Metric{"auc": {Level: "gate", Direction: "up", Tolerance: 0.002}, "log_loss": {Level: "guard", Tolerance: 0.001}, "ece": {}},
		Gates:    map[string]doc.Gate{"slices": {Require: "min(slice.auc) >= 0.55"}}}
	minutes := &doc.Model{Head: doc.Head{ID: "minutes"}, Task: "regression", Champion: "linear", Order: []string{"mae"}, Question: doc.Question{Dataset: "flights", Label: "delay", Split: doc.Split{By: "hash", Test: 0.2, Valid: 0.2}},
		Metrics: map[string]doc.Metric{"mae": {Level: "gate"}}}
	experiment := func(id, model, hypothesis string) *doc.Experiment {
		return &doc.Experiment{Head: doc.Head{ID: id}, Model: model, Hypothesis: hypothesis, Train: doc.Train{Learner: "gbdt", Seed: 1}, Params: map[string]any{"rounds": int64(200), "learning_rate": 0.1, "leaves": int64(31)},
			Features: doc.FeatureUse{Use: []string{"distance", "hour", "origin.mean_delay_12h"}, Row: map[string]string{"hour": "hour(date)"}}, Expect: map[string]doc.Expect{"auc": {Gain: 0.01}}}
	}
	return &doc.Set{Project: &doc.Project{Name: "flights", Roles: map[string]doc.Role{"data-engineer": {Who: []string{"@ann", "@bo"}}}}, Design: &doc.Design{Value: worthOfCase(), MetricByRole: map[string]string{"stakeholder": "value", "domain-expert": "recall"}, Requirement: map[string]doc.Requirement{"latency": {Metric: "latency_p95_ms", AtMost: at(50)}, "size": {Metric: "model_bytes", AtMost: at(100000)}, "skill": {Metric: "r2", AtLeast: at(0.2)}}, Vision: "Crew planners know by breakfast which flights of the day will be late, and move reserve crews before passengers wait."},
		Datasets: map[string]*doc.Dataset{"flights": flights}, Locks: map[string]*doc.Lock{"flights": lock}, Models: map[string]*doc.Model{"delay": delay, "minutes": minutes},
		Experiments: map[string]*doc.Experiment{"baseline": experiment("baseline", "delay", ""), "origin-history": experiment("origin-history", "delay", "Delays seen at the origin in the last 12 hours lift AUC by at least 0.01."),
			"deeper-trees": experiment("deeper-trees", "delay", "Deeper trees find what the baseline misses."), "linear": experiment("linear", "minutes", "")}}
}

// worthOfCase prices answers, with one scenario that fixes a value and a claim, one that does not, and one that is impossible.
func worthOfCase() doc.Value {
	return doc.Value{Currency: "USD", Period: "month", Population: 10000, Case: map[string]string{"tp": "keep * (price - discount)", "fp": "-discount"}, Hours: map[string]string{"fp": "-0.1"},
		Assume: map[string]doc.Assumption{"keep": {Mode: 0.5, Low: at(0.3), High: at(0.6), Source: "guess"}, "price": {Mode: 10}, "discount": {Mode: 5, Source: "contract"}},
		Scenario: map[string]doc.Scenario{"as-sold": {About: "What the slide says.", Flagged: at(1000), Precision: at(0.8), Claim: at(3200)}, "accuracy": {Accuracy: at(0.8), Flagged: at(1000)},
			"impossible": {Flagged: at(20000), Precision: at(0.5)}}}
}

func detailOf(seed float64) record.Detail {
	d := record.Detail{Schema: "plumb.detail/v1", Task: "binary", Threshold: at(0.5), Importance: map[string]float64{"distance": 12.5, "hour": 40.25, "origin__mean_delay_12h": 88.125}}
	d.Test = record.PartDetail{Rows: 41234, Groups: 28, Confusion: &record.Confusion{TP: 2100, FP: 1400, FN: 6200, TN: 31534}, Absent: map[string]string{"lift_10": "fewer than 10 rows"}}
	for i := range 200 {
		x := float64(i) / 199
		d.ROC = append(d.ROC, record.CurvePoint{X: x, Y: math.Pow(x, 0.45+seed/10)})
		d.PR = append(d.PR, record.CurvePoint{X: x, Y: 0.75 - 0.55*math.Sqrt(x)})
	}
	for i := range 10 {
		x := 0.03 + 0.07*float64(i)
		d.Calibration = append(d.Calibration, record.CalibrationBin{Rows: 4123, Answer: x, Actual: x + 0.02*math.Sin(float64(i)), Low: at(x - 0.03), High: at(x + 0.04)})
	}
	for i := range 20 {
		f := float64(i)
		d.Histogram = append(d.Histogram, record.HistogramBin{From: f / 20, To: (f + 1) / 20, Negative: 6000 * math.Exp(-f/4), Positive: 900 * math.Exp(-f/7)})
	}
	for i, code := range []string{"ATL", "DFW", "ORD", "LAX", "PHX", "DEN", "IAH", "MSP", "DTW", "SFO", "EWR", "LAS", "CLT", "STL", "PHL", "SEA", "BOS", "LGA"} {
		d.Slices = append(d.Slices, record.SliceDetail{Column: "origin", Value: code, Rows: 4100 - 190*i, Metrics: map[string]float64{"auc": 0.71 - 0.006*float64(i), "log_loss": 0.5, "average_precision": 0.41}})
	}
	return d
}

// classDetail is a detail of so many classes: a matrix with a strong diagonal, and neighbours that are taken for each other.
func classDetail(classes int) record.Detail {
	d := record.Detail{Schema: "plumb.detail/v1", Task: "multiclass", Importance: map[string]float64{"p12": 0.3, "p43": 0.2, "p21": 0.1}, Test: record.PartDetail{Rows: 360, Groups: 360}}
	for i := range classes {
		d.Classes = append(d.Classes, fmt.Sprint(i))
		row := make([]float64, classes)
		row[i], row[(i+3)%classes], row[(i+5)%classes] = float64(30+i%4), float64(i%3), float64(i%2)
		d.Test.Matrix = append(d.Test.Matrix, row)
		share := 0.99 - 0.015*float64(i%7)
		d.PerClass = append(d.PerClass, record.ClassDetail{Class: fmt.Sprint(i), Rows: 36, Answered: 35, Precision: at(share), Recall: at(share - 0.01), F1: at(share), AUC: at(0.999)})
		x := 0.5 + 0.5*float64(i)/float64(classes)
		d.Calibration = append(d.Calibration, record.CalibrationBin{Rows: 36, Answer: x, Actual: x - 0.01, Low: at(x - 0.1), High: at(x)})
	}
	d.Classes[1], d.PerClass[1].Class, d.PerClass[2].Precision = "", "", nil
	return d
}

// classRun is a run of a question with so many classes.
func classRun(t testing.TB, store blobs, i, classes int) record.Run {
	r := runOf(i, fmt.Sprintf("which-of-%d", classes), "digit")
	d := classDetail(classes)
	if classes == 3 {
		r.Repeats = 5
		for seed := range 5 {
			d.Repeats = append(d.Repeats, record.RepeatDetail{Seed: int64(seed + 1), Test: map[string]float64{"accuracy": 0.9639 + 0.002*math.Sin(float64(seed)), "balanced_accuracy": 0.9641, "macro_f1": 0.9637 - 0.001*float64(seed), "weighted_f1": 0.96}})
		}
	}
	r.Task, r.Detail = "multiclass", store.put(t, d, "application/json")
	r.Result.Metrics = map[string]float64{"accuracy": 0.9639, "balanced_accuracy": 0.9641, "macro_f1": 0.9637, "weighted_f1": 0.9638, "log_loss": 0.1412, "macro_auc_ovr": 0.9989}
	r.Result.Valid = map[string]float64{"accuracy": 0.9582, "balanced_accuracy": 0.958, "macro_f1": 0.9579, "weighted_f1": 0.958, "log_loss": 0.1502, "macro_auc_ovr": 0.9988}
	return r
}

func runOf(i int, experiment, model string) record.Run {
	made := start.Add(time.Duration(i) * 26 * time.Hour)
	auc := 0.66 + 0.008*math.Sin(float64(i)*1.7) + map[string]float64{"origin-history": 0.04, "deeper-trees": -0.012}[experiment]
	r := record.Run{Header: record.Header{Time: made, Actor: "ci", Code: record.Code{Commit: strings.Repeat(fmt.Sprintf("%08x", i), 5)}}, Experiment: experiment, Model: model, Task: "binary", Status: "ok", Learner: "gbdt",
		ID:     made.Format("20060102T150405Z") + "-" + digestOf(fmt.Sprint(i, experiment))[7:19],
		Inputs: record.Inputs{"question": digestOf("q"), "experiment": digestOf(experiment), "dataset": digestOf("flights"), "code": digestOf("gbdt/1"), "seed": int64(1), "semantics": int64(1), "digest": digestOf(fmt.Sprint(i))},
		Result: record.Result{Metrics: map[string]float64{"auc": auc, "average_precision": 0.41, "log_loss": 0.5 - auc/50, "brier": 0.163, "ece": 0.0121, "accuracy": 0.8123, "f1": 0.356, "precision": 0.6, "recall": 0.253},
			Valid: map[string]float64{"auc": auc - 0.004, "average_precision": 0.4, "log_loss": 0.49, "brier": 0.161, "ece": 0.0131}},
		Params: map[string]any{"rounds": int64(200), "learning_rate": 0.1}, Rows: record.RowCounts{Train: 128000, Valid: 21000, Test: 41234, NoLabel: 312, LeftOut: 44},
		Split:   record.Split{By: "time", Valid: start.Add(-42 * 24 * time.Hour), Test: start.Add(-28 * 24 * time.Hour)},
		Timings: record.Timings{Features: 0.91, Train: 1.73, Evaluate: 0.22, Total: 2.9}, Threshold: 0.5,
		Speed: record.Speed{P50: 0.0213, P95: 0.0301, P99: 0.0517, Throughput: 1230000, Calls: 500}}
	if model == "minutes" {
		r.Task, r.Result.Metrics, r.Result.Valid = "regression", map[string]float64{"mae": 18.231 + 0.2*math.Sin(float64(i)), "rmse": 31.02, "r2": 0.113}, map[string]float64{"mae": 18.6}
	}
	return r
}

func difference(name, level string, base, head, half float64) record.MetricDifference {
	d := head - base
	m := record.MetricDifference{Name: name, Level: level, Direction: "up", Base: at(base), Head: at(head), Difference: at(d), Low: at(d - half), High: at(d + half), P: at(0.0001), N: 41234, Groups: 28, Method: "clustered DeLong", Gate: record.GateNone, Verdict: record.Better}
	if name == "log_loss" || name == "brier" || name == "ece" || name == "mae" {
		m.Direction, m.Method = "down", "group bootstrap"
	}
	if level != "info" {
		m.Gate = record.GatePass
	}
	return m
}

func comparisonOf(base, head *record.Run) record.Comparison {
	auc := difference("auc", "gate", 0.6761, 0.7129, 0.0061)
	auc.Tolerance, auc.Require, auc.BaseSpread, auc.HeadSpread, auc.Training = 0.002, "not_worse", at(0.0009), at(0.0021), at(0.0018)
	loss := difference("log_loss", "guard", 0.4871, 0.4712, 0.0031)
	loss.Tolerance = 0.001
	ece := difference("ece", "info", 0.0121, 0.0129, 0.0041)
	ece.Verdict, ece.RowsNeeded = record.Inconclusive, 61234
	brier := difference("brier", "info", 0.1631, 0.1630, 0.0004)
	brier.Verdict, brier.Tolerance = record.Same, 0.001
	lift := record.MetricDifference{Name: "lift_10", Level: "info", Direction: "up", Verdict: record.Missing, Gate: record.GateNone, Reason: "12 rows, 50 needed"}
	c := record.Comparison{Model: "delay", Experiment: "origin-history", Promotes: true, Verdict: record.Better, Method: "rescored", Rows: 41234, Groups: 28, LeftOut: 12,
		Base:    record.Side{Run: base.ID, Experiment: "baseline", Commit: base.Code.Commit, Distance: 0, Threshold: 0.5, Seeds: &record.Seeds{Tried: 5}},
		Head:    record.Side{Run: head.ID, Experiment: "origin-history", Commit: head.Code.Commit, Threshold: 0.5, Who: "@ann", Seeds: &record.Seeds{Tried: 5}},
		Metrics: []record.MetricDifference{auc, loss, ece, brier, lift}, Gates: []record.Gate{{Name: "slices", State: "pass", Require: "min(slice.auc) >= 0.55", Values: map[string]float64{"min(slice.auc)": 0.581}}},
		Hypothesis: &record.Hypothesis{Text: "Delays seen at the origin in the last 12 hours lift AUC by at least 0.01.", State: "confirmed", Metric: "auc", Gain: 0.01},
		Inputs:     record.InputsChanged{Changed: []string{"experiment", "feature.origin"}},
		Value:      &record.ValueDifference{Currency: "USD", Period: "month", Base: at(12310), Head: at(15120), Difference: at(2810), Low: at(1900), High: at(3650)}}
	for i, code := range []string{"ATL", "DFW", "ORD", "LAX"} {
		m := difference("auc", "info", 0.66, 0.66+0.01*float64(i-1), 0.011)
		m.Slice = "origin=" + code
		m.Verdict = []string{record.Inconclusive, record.Inconclusive, record.Inconclusive, record.Better}[i]
		c.Metrics = append(c.Metrics, m)
	}
	return c
}

// fixture is a project in the middle of its life; runs says how many runs there are.
func fixture(t testing.TB, runs int) Input {
	store := blobs{}
	in := Input{Docs: documents(), Commit: strings.Repeat("a1b2c3d4", 5), LedgerTip: strings.Repeat("9f8e7d6c", 5), Detail: store.read}
	names := []string{"baseline", "origin-history", "deeper-trees", "linear"}
	details := []record.Pointer{store.put(t, detailOf(0), "application/json"), store.put(t, detailOf(-1), "application/json")}
	for i := range runs {
		model := "delay"
		if i%4 == 3 {
			model = "minutes"
		}
		r := runOf(i, names[i%4], model)
		if model == "delay" {
			r.Detail = details[i%2]
			r.Artifact = record.Pointer{SHA256: digestOf("model")[7:], Bytes: 251234, Type: "application/json"}
		}
		if i == 6 {
			r.Status, r.Error, r.Result.Metrics, r.Result.Valid, r.Detail = "failed", "training: the label has one class only in the train part (128,000 rows, all 0)", nil, nil, record.Pointer{}
		}
		in.Runs = append(in.Runs, r)
	}
	if runs >= 24 {
		in.Runs = append(in.Runs, classRun(t, store, runs, 3), classRun(t, store, runs, 10), classRun(t, store, runs, 30))
	}
	for i := range min(runs/4, 12) {
		c := record.ComparisonRecord{Header: record.Header{Time: start.Add(time.Duration(i*30) * time.Hour), Actor: "ci"}, Comparison: comparisonOf(&in.Runs[4*i], &in.Runs[4*i+1])}
		c.ID = c.Time.Format("20060102T150405Z") + "-" + digestOf(fmt.Sprint("c", i))[7:19]
		if i%3 == 1 {
			c.Comparison.Experiment, c.Comparison.Head.Experiment, c.Comparison.Verdict, c.Comparison.Promotes = "deeper-trees", "deeper-trees", record.Worse, false
			m := difference("auc", "gate", 0.676, 0.664, 0.004)
			m.Verdict, m.Gate = record.Worse, record.GateFail
			c.Comparison.Metrics[0], c.Comparison.Hypothesis.State = m, "refuted"
		}
		in.Comparisons = append(in.Comparisons, c)
	}
	if runs > 0 {
		in.Versions = []record.Version{{Header: record.Header{Time: start, Actor: "ci"}, Model: "delay", Number: 1, Experiment: "baseline", Run: "runs/baseline/2001-06/" + in.Runs[0].ID + ".toml", Artifact: in.Runs[0].Artifact}}
		in.Stages = []record.Stage{{Header: record.Header{Time: start, Actor: "ci"}, Model: "delay", Stage: "production", Number: 1, Version: 1, Why: "first version", Outcome: "deployed"}}
	}
	in.Snapshots = []record.Snapshot{snapshotOf(t, store), refusedSnapshot(t, store)}
	in.Monitors = monitorsOf(t, store)
	in.Maturity = maturityOf()
	return in
}

// maturityOf has every outcome.
func maturityOf() *record.Maturity {
	return &record.Maturity{Schema: "plumb.maturity/v1", Overall: 1, Axes: map[string]record.Axis{"automation": {Level: 1, Next: []string{"A2"}}, "collaboration": {Level: 3, Next: []string{}}, "monitoring": {Level: 1, Next: []string{"M2"}}},
		Probes: []record.Probe{{ID: "A1", Axis: "automation", Level: 1, Asks: "Is what is served trained by one command?", Outcome: record.ProbeTrue, Has: true, Runs: true, Passes: true, Evidence: []string{"models/delay.toml", "runs/baseline/2001-06/20010630T120000Z-0123456789ab.toml"}},
			{ID: "A2", Axis: "automation", Level: 2, Asks: "Does the CI measure each pull request?", Outcome: record.ProbeFalse, Evidence: []string{}, Remedy: "plumb init --action writes the workflow"},
			{ID: "C4", Axis: "collaboration", Level: 2, Asks: "Are changes compared before they are merged?", Outcome: record.ProbeNotApplicable, Evidence: []string{}},
			{ID: "M2", Axis: "monitoring", Level: 2, Asks: "Is the data that comes in looked at?", Outcome: record.ProbeFalse, Has: true, Evidence: []string{"monitors/flights.toml"}, Remedy: "let the schedule run"}}}
}

// monitorsOf is a quarter of weeks: the delays wander, one week alarms, one has too few rows, one was missed.
func monitorsOf(t testing.TB, store blobs) []record.Monitor {
	effect, small, p := 0.24, 0.04, 0.0004
	found := record.Drift{Schema: "plumb.drift/v1", Verdict: record.DriftFound, Drifted: 1, Columns: []record.DriftColumn{
		{Name: "distance", Kind: "numeric", Role: "feature", Verdict: record.DriftStable, Effect: &small, EffectName: "ks_d", P: &small, Q: &small, Reference: &record.DriftSummary{Median: 616}, Current: &record.DriftSummary{Median: 596}},
		{Name: "delay", Kind: "numeric", Role: "target", Verdict: record.DriftFound, Severe: true, Effect: &effect, EffectName: "ks_d", P: &p, Q: &p, Reference: &record.DriftSummary{Median: -2}, Current: &record.DriftSummary{Median: 11}, NullShareCurrent: 0.013},
		{Name: "origin", Kind: "categorical", Role: "feature", Verdict: record.DriftInsufficient, EffectName: "cramers_v", Reason: "12 rows on the smaller side, 50 needed"}}}
	pointer := store.put(t, found, "application/json")
	var out []record.Monitor
	for week := range 12 {
		from := start.AddDate(0, 0, 7*week)
		m := record.Monitor{Header: record.Header{Time: from.AddDate(0, 0, 7), Actor: "ci", By: record.By{Who: "@ann"}}, ID: fmt.Sprintf("20010630T1200%02dZ-0123456789ab", week),
			Monitor: "flights", Dataset: "flights", From: from, Before: from.AddDate(0, 0, 7), Rows: 7000 + int64(week), Reference: 96000, Verdict: record.DriftStable, Drift: pointer,
			Triggers: map[string]record.TriggerState{"delays-moved": {When: "abs(mean(delay) - ref.mean(delay)) >= 6", Then: "retrain", Condition: record.ConditionFalse, State: record.TriggerQuiet,
				Values: map[string]float64{"mean(delay)": 5 + float64(week*week%7), "ref.mean(delay)": 6.2}}}}
		switch week {
		case 4:
			m.Verdict, m.Drifted, m.Failed = record.DriftFound, []string{"delay"}, []string{"delay-range"}
			m.Triggers["delays-moved"] = record.TriggerState{When: "abs(mean(delay) - ref.mean(delay)) >= 6", Then: "retrain", Condition: record.ConditionTrue, State: record.TriggerFired, Values: map[string]float64{"mean(delay)": 15, "ref.mean(delay)": 6.2}}
		case 7:
			m.Verdict, m.Rows, m.Missed = record.DriftInsufficient, 12, 1
			m.Triggers["delays-moved"] = record.TriggerState{When: "abs(mean(delay) - ref.mean(delay)) >= 6", Then: "retrain", Condition: record.ConditionUnknown, State: record.TriggerUnknown, Reason: "12 rows in the window, 1000 needed"}
		case 11:
			m.Verdict, m.Watched = record.DriftWatch, []string{"origin", "destination"}
		}
		out = append(out, m)
	}
	return out
}

func snapshotOf(t testing.TB, store blobs) record.Snapshot {
	p := record.Profile{Schema: "plumb.profile/v1", Dataset: "flights", Rows: 199876}
	for i, c := range []struct{ name, kind string }{{"date", "timestamp"}, {"delay", "int64"}, {"distance", "int64"}, {"origin", "string"}, {"destination", "string"}} {
		col := record.ColumnProfile{Name: c.name, Type: c.kind, Distinct: int64(200 * (i + 1)), Nulls: int64(i * 31), Min: -60.0, Max: 1200.0, Quantiles: []record.ProfilePoint{{Share: 0.5, Value: -3.0}}}
		switch c.kind {
		case "timestamp":
			col.Min, col.Max, col.Quantiles = "2001-01-01T00:01:00Z", "2001-06-30T23:59:00Z", []record.ProfilePoint{{Share: 0.5, Value: "2001-03-31T09:14:00Z"}}
		case "string":
			col.Min, col.Max, col.Quantiles, col.Public = 3.0, 3.0, nil, c.name == "origin"
			col.TopCounts = []int64{9100, 8000, 7600, 5000, 4400, 4100, 3900, 3500, 3300, 3000}
			if col.Public {
				col.Top = []record.ProfileCount{{Value: "ATL", Rows: 9100}, {Value: "DFW", Rows: 8000}, {Value: "ORD", Rows: 7600}}
			}
		}
		if c.kind != "string" {
			for b := range 20 {
				col.Histogram = append(col.Histogram, record.ProfileBin{Rows: int64(9000 * math.Exp(-math.Pow(float64(b-4-i), 2)/12))})
			}
		}
		p.Columns = append(p.Columns, col)
	}
	count := func(n int64) *int64 { return &n }
	q := record.Quality{Schema: "plumb.quality/v1", Dataset: "flights", Rows: 199876, Columns: 5, Success: false, Scores: map[string]record.DimensionScore{"accuracy": {Score: at(99.7), State: "fail", Checks: 2}, "completeness": {Score: at(100), State: "pass", Checks: 1}, "consistency": {State: "not_assessed"}, "timeliness": {Score: at(100), State: "pass", Checks: 1}},
		Checks: []record.QualityCheck{
			{ID: "delay-range", Kind: "expect_column_values_to_be_between", Column: "delay", Level: "critical", Dimension: "accuracy", State: "pass", Success: true, ElementCount: count(199876), UnexpectedCount: count(0), UnexpectedPercent: at(0)},
			{ID: "distance-positive", Kind: "expect_column_values_to_be_between", Column: "distance", Level: "warning", Dimension: "accuracy", State: "fail", ElementCount: count(199876), UnexpectedCount: count(612), UnexpectedPercent: at(0.30619), Reason: "99.69 % pass, 99.9 % are needed"},
			{ID: "origin-there", Kind: "expect_column_values_to_not_be_null", Column: "origin", Level: "critical", Dimension: "completeness", State: "pass", Success: true, UnexpectedCount: count(0)},
			{ID: "rows", Kind: "expect_table_row_count_to_be_between", Level: "info", Dimension: "timeliness", State: "pass", Success: true, Observed: 199876}}}
	return record.Snapshot{Header: record.Header{Time: start, Actor: "human", By: record.By{Who: "@ann"}}, ID: "20010630T120000Z-0123456789ab", Dataset: "flights", Content: digestOf("flights"), Lock: documents().Locks["flights"].Digest(), Files: 6, Rows: 199876, Columns: []string{"date timestamp", "delay int64", "distance int64", "origin string", "destination string"},
		Profile: store.put(t, p, "application/json"), Quality: store.put(t, q, "application/json"), Scores: q.ScoreMap()}
}

// refusedSnapshot is of rows that a branch brought, which fail a critical check.
func refusedSnapshot(t testing.TB, store blobs) record.Snapshot {
	failed := int64(847)
	q := record.Quality{Schema: "plumb.quality/v1", Dataset: "flights", Scores: map[string]record.DimensionScore{"accuracy": {Score: at(59), State: "fail", Checks: 1}},
		Checks: []record.QualityCheck{{ID: "delay-range", Column: "delay", Level: "critical", Dimension: "accuracy", State: "fail", UnexpectedCount: &failed}}}
	return record.Snapshot{Header: record.Header{Time: start.Add(time.Hour)}, ID: "20010630T130000Z-0123456789ac", Dataset: "flights", Content: digestOf("spoiled"), Lock: digestOf("spoiled lock"), Rows: 199876, Quality: store.put(t, q, "application/json"), Scores: q.ScoreMap()}
}

// withPullRequest adds the pull request that the site is made for.
func withPullRequest(in Input) Input {
	in.CI = &record.CI{Schema: "plumb.ci/v1", Event: "pull_request", Project: "flights", Base: strings.Repeat("1234abcd", 5), Head: strings.Repeat("a1b2c3d4", 5), PullRequest: 12, RunNumber: 77, Comparisons: []record.Comparison{comparisonOf(&in.Runs[0], &in.Runs[1])},
		Steps:   []record.Step{{Name: "read documents", State: "done", Why: "9 documents", Seconds: 0.02}, {Name: "check data", State: "skipped", Why: "no lock changed"}, {Name: "run", State: "done", Why: "origin-history has no record", Seconds: 2.9}},
		OnMerge: []string{"delay serves origin-history as version 2", "rollback target is version 1 (baseline)"}, Changes: []string{"feature view origin is new"}, Problems: []problem.Problem{{Pos: problem.Pos{File: "models/delay.toml", Line: 4, Col: 9}, Rule: "no-slices", Level: problem.LevelWarning, Message: "no slice is named", Hint: "add slices = [\"origin\"]"}},
		Data: []record.DataChange{{Dataset: "flights", RowsBase: 180000, RowsHead: 199876, Changed: true, Scores: map[string]float64{"accuracy": 99.7}, Failed: []string{"distance-positive: 99.69 % pass, 99.9 % are needed"}}}}
	return in
}

// build gives every file of the site.
func build(t testing.TB, in Input) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := Build(context.Background(), in, func(path string, data []byte) error {
		if _, twice := out[path]; twice {
			t.Errorf("%s is written twice", path)
		}
		out[path] = data
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
