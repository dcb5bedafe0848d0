package brief

import (
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
)

// The caption says of which side's training the intervals know.
func TestTraining(t *testing.T) {
	five, three := &record.Seeds{Tried: 5}, &record.Seeds{Tried: 3}
	same, elsewhere := &record.Seeds{Tried: 5, Same: true}, &record.Seeds{Tried: 5, Elsewhere: true}
	for _, c := range []struct {
		base, head *record.Seeds
		want       string
	}{
		{nil, nil, "Intervals are of the difference and leave out the randomness of training."},
		{five, five, "Each side was trained with 5 seeds: numbers are means over them, and ± is their standard deviation. Intervals of the difference hold the randomness of training. Gates over"},
		{three, five, "Base was trained with 3 seeds: its numbers are means over them, and ± is their standard deviation. Head was trained with 5 seeds: its"},
		{nil, five, "Base was trained once. Head was trained with 5 seeds: its numbers are means over them, and ± is their standard deviation. Intervals of the difference hold the randomness of the head's training, not of the base's. Gates"},
		{same, nil, "Base was to be trained with 5 seeds, which make no difference. Head was trained once. Intervals of the difference hold the randomness of the base's training, not of the head's."},
		{same, same, "Base was to be trained with 5 seeds, which make no difference. Head was to be trained with 5 seeds, which make no difference. Intervals of the difference hold the randomness of training."},
		{elsewhere, five, "Base is the served model; ± is the standard deviation of its 5 seeds on the rows that they were tested on. Head was trained with 5 seeds"},
	} {
		got := training(record.Comparison{Base: record.Side{Seeds: c.base}, Head: record.Side{Seeds: c.head}})
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestOperations(t *testing.T) {
	run := record.Run{Learner: "gbdt", Artifact: record.Pointer{Bytes: 251234}, Timings: record.Timings{Train: 1.73}, Inputs: record.Inputs{"seed": int64(3)}, Repeats: 5,
		Speed: record.Speed{P50: 0.0213, P95: 0.09, P99: 3.456, Throughput: 1230000, Calls: 500}}
	for _, c := range []struct{ got, want string }{
		{Operations(&run), "latency p50 21 µs, p95 90 µs, p99 3.5 ms · throughput 1,230,000 rows/s · model size 251 kB · training time 1.7 s"},
		{Latency(record.Speed{Why: "it has no worker"}), "not measured: it has no worker"}, {Latency(record.Speed{}), ""},
		{HowFast(&run), "Latency is of 500 rows, one at a time, features at hand, no network; throughput is of many rows at once."},
		{Requirement(record.Requirement{Name: "latency", Metric: "latency_p95_ms", AtMost: at(50), State: record.Met, Value: at(0.09)}), "✓ latency is met: latency p95 90 µs, at most 50 ms"},
		{Requirement(record.Requirement{Name: "size", Metric: "model_bytes", AtMost: at(1000), State: record.NotMet, Value: at(251234)}), "✗ size is not met: model size 251 kB, at most 1,000 bytes"},
		{Requirement(record.Requirement{Name: "tail", Metric: "latency_p99_ms", AtMost: at(2.5), State: record.NotMeasured, Reason: "it has no worker"}), "? tail is not measured: latency p99, at most 2.5 ms; it has no worker"},
		{Requirement(record.Requirement{Name: "skill", Metric: "auc", AtLeast: at(0.7), State: record.Met, Value: at(0.71)}), "✓ skill is met: AUC 0.710, at least 0.7"},
		{Seeds(&run), "Trained with 5 seeds, 3 to 7; the first is served, and ± is their standard deviation."},
		{MeanOf("auc", 0.70331, 0.00051), "0.703 ± 0.0005"}, {MeanOf("lift_10", 2.49911, 0.01756), "2.499 ± 0.018"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
