package evaluate

import (
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// Bounds are inclusive; what was not measured is neither met nor not; what is of another task is not asked.
func TestRequirements(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	run := &record.Run{Task: "binary", Artifact: record.Pointer{Bytes: 1000}, Result: record.Result{Metrics: map[string]float64{"auc": 0.7}}, Speed: record.Speed{P50: 5, P95: 50, Why: ""}}
	card := &doc.Design{Requirement: map[string]doc.Requirement{
		"a-fast": {Metric: "latency_p95_ms", AtMost: at(50)}, "b-faster": {Metric: "latency_p50_ms", AtMost: at(4.9)}, "c-tail": {Metric: "latency_p99_ms", AtMost: at(500)},
		"d-size": {Metric: "model_bytes", AtLeast: at(500), AtMost: at(1000)}, "e-skill": {Metric: "auc", AtLeast: at(0.71)}, "f-other": {Metric: "rmse", AtMost: at(1)}}}
	want := []string{"a-fast met", "b-faster not_met", "c-tail not_measured", "d-size met", "e-skill not_met"}
	got := Requirements(card, run)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, r := range got {
		if r.Name+" "+r.State != want[i] || (r.Value == nil) != (r.State == record.NotMeasured) {
			t.Errorf("%+v, want %s", r, want[i])
		}
	}
	if Requirements(nil, run) != nil {
		t.Error("without a card nothing is asked")
	}
	run.Speed = record.Speed{Why: "it has no worker"}
	if r := Requirements(card, run)[0]; r.State != record.NotMeasured || r.Reason != "it has no worker" {
		t.Errorf("%+v", r)
	}
}
