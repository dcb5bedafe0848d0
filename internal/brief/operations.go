package brief

import (
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Operation is an operations metric as people say it, with its unit: "21 µs", "25.1 kB".
func Operation(name string, v float64) string {
	switch {
	case name == "model_bytes":
		return Bytes(int64(v))
	case name == "train_seconds":
		return Seconds(v)
	case strings.HasSuffix(name, "_ms") && v < 0.1:
		return Number(v*1000, significant(v*1000, 2)) + " µs"
	case strings.HasSuffix(name, "_ms"):
		return Number(v, significant(v, 2)) + " ms"
	case name == "throughput_rps":
		return Number(v, significant(v, 3)) + " rows/s"
	}
	return Value(name, v)
}

// operationNames are the labels without the unit that Operation gives.
var operationNames = map[string]string{
	"latency_p50_ms": "latency p50", "latency_p95_ms": "latency p95", "latency_p99_ms": "latency p99", "throughput_rps": "throughput", "model_bytes": "model size", "train_seconds": "training time",
}

// OperationName is what Operation is a number of.
func OperationName(name string) string { return firstOf(operationNames[name], Label(name)) }

// Operations is a run's speed and size in a line: "latency p50 21 µs, p95 30 µs, p99 52 µs · throughput 1,200,000 rows/s · …"; "" when nothing was measured.
func Operations(run *record.Run) string {
	var parts []string
	if latency := Latency(run.Speed); latency != "" {
		parts = append(parts, "latency "+latency)
	}
	measured := run.Operations()
	for _, name := range []string{"throughput_rps", "model_bytes", "train_seconds"} {
		if v, ok := measured[name]; ok {
			parts = append(parts, OperationName(name)+" "+Operation(name, v))
		}
	}
	return strings.Join(parts, " · ")
}

// Latency is "p50 21 µs, p95 30 µs, p99 52 µs", or why it was not measured; "" where nobody tried.
func Latency(s record.Speed) string {
	if s.Why != "" {
		return "not measured: " + Clip(s.Why, 160)
	}
	var parts []string
	for _, q := range []struct {
		name string
		ms   float64
	}{{"p50", s.P50}, {"p95", s.P95}, {"p99", s.P99}} {
		if q.ms > 0 {
			parts = append(parts, q.name+" "+Operation("latency_p50_ms", q.ms))
		}
	}
	return strings.Join(parts, ", ")
}

// HowFast says what the latency and the throughput of a run are of; "" when none was measured.
func HowFast(r *record.Run) string {
	if r.Speed.Calls == 0 || r.Speed.Why != "" {
		return ""
	}
	text := fmt.Sprintf("Latency is of %s, one at a time, features at hand, no network; throughput is of many rows at once", plural(r.Speed.Calls, "row"))
	if r.Environment != "" {
		text += "; on " + Clip(r.Environment, 80)
	}
	return text + "."
}

// Requirement says whether a bound of the design card holds: "✓ latency is met: latency p95 21 µs, at most 50 ms".
func Requirement(r record.Requirement) string {
	text := strings.TrimSpace(Symbol(r.State) + " " + r.Name + " is " + Word(r.State) + ": " + OperationName(r.Metric))
	if r.Value != nil {
		text += " " + Operation(r.Metric, *r.Value)
	}
	text += ", " + Bound(r)
	if r.Reason != "" {
		text += "; " + Clip(r.Reason, 160)
	}
	return text
}

// Bound is what a requirement asks for: "at most 50 ms".
func Bound(r record.Requirement) string {
	var bounds []string
	if r.AtLeast != nil {
		bounds = append(bounds, "at least "+written(r.Metric, *r.AtLeast))
	}
	if r.AtMost != nil {
		bounds = append(bounds, "at most "+written(r.Metric, *r.AtMost))
	}
	return strings.Join(bounds, " and ")
}

// written is a bound as it was written, with the metric's unit.
func written(name string, v float64) string {
	switch {
	case name == "model_bytes":
		return Exact(v) + " bytes"
	case name == "train_seconds":
		return Exact(v) + " s"
	case strings.HasSuffix(name, "_ms"):
		return Exact(v) + " ms"
	case name == "throughput_rps":
		return Exact(v) + " rows/s"
	}
	return Exact(v)
}
