package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// rows are runs of which none has all columns, some have a column as a number and others as a text.
func rows(n int, seed uint64) []Row {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]Row, n)
	for i := range out {
		r := Row{"id": fmt.Sprintf("id-%d-%d", seed, i), "time": time.UnixMicro(int64(i) * 1e6).UTC()}
		if random.IntN(3) > 0 {
			r["metrics.auc"] = random.Float64()
		}
		switch random.IntN(5) {
		case 0:
			r["params.depth"] = int64(random.IntN(9) - 4)
		case 1:
			r["params.depth"] = []string{"auto", "", "gro\u00df"}[random.IntN(3)]
		case 2:
			r["params.depth"] = 2.5
		case 3:
			r["params.depth"] = json.RawMessage(`[1,2]`)
		}
		if random.IntN(2) == 0 {
			r["dirty"] = random.IntN(2) == 0
		}
		out[i] = r
	}
	return out
}

func segment(all []Row) *Segment {
	var b Builder
	for _, r := range all {
		b.Add(r)
	}
	return b.Segment()
}

// same holds that a table has exactly these rows.
func same(t *testing.T, got *Table, want []Row) {
	t.Helper()
	if got.Len() != len(want) {
		t.Fatalf("%d rows, want %d", got.Len(), len(want))
	}
	values := map[string]bool{}
	for _, name := range got.Names() {
		c, err := got.Column(name.Name, name.Type)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			v := c.At(i)
			if v == nil {
				continue
			}
			values[fmt.Sprint(i, name.Name)] = true
			if !reflect.DeepEqual(v, want[i][name.Name]) {
				t.Fatalf("row %d: %s is %#v, want %#v", i, name.Name, v, want[i][name.Name])
			}
		}
	}
	n := 0
	for _, r := range want {
		n += len(r)
	}
	if len(values) != n {
		t.Fatalf("%d values, want %d", len(values), n)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index-0")
	var all []Row
	var segments []*Segment
	for i := range 12 { // more than are kept apart
		fresh := rows(i*7, uint64(i))
		all = append(all, fresh...)
		segments = append(segments, segment(fresh))
		meta := Meta{Ref: "r", Tip: fmt.Sprint(i), Problems: []Problem{{"p", "m"}}}
		next := filepath.Join(t.TempDir(), "index-1")
		if err := Write(next, meta, segments); err != nil {
			t.Fatal(err)
		}
		f, err := Open(next)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if !reflect.DeepEqual(f.Meta, meta) || len(f.Segments) > maxSegments {
			t.Errorf("%+v, %d segments", f.Meta, len(f.Segments))
		}
		same(t, NewTable(f.Segments...), all)
		segments = f.Segments // as from an older file
		path = next
	}
	if c, err := NewTable(segments...).Column("nobody's", table.Float64); err != nil || c.At(3) != nil {
		t.Errorf("a column that is not there: %v %v", err, c.At(3))
	}
	_ = path
}

func TestDrop(t *testing.T) {
	table := NewTable(segment(rows(3, 1)), segment(rows(3, 2)))
	table.Drop([]int{1, 4})
	if got := table.Rows(); !reflect.DeepEqual(got, []int{0, 2, 3, 5}) || table.Start(1) != 3 || table.Segments() != 2 {
		t.Error(got)
	}
}

// A damaged file is unusable or right, never wrong and never a panic.
func TestDamage(t *testing.T) {
	all := rows(12, 3)
	path := filepath.Join(t.TempDir(), "index-0")
	if err := Write(path, Meta{Ref: "r", Tip: "t"}, []*Segment{segment(all)}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err == nil {
			defer f.Close()
			got := NewTable(f.Segments...)
			for _, name := range got.Names() {
				if _, err = got.Column(name.Name, name.Type); err != nil {
					break
				}
			}
			if err == nil {
				same(t, got, all)
				return
			}
		}
		if !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x55
		check(fmt.Sprintf("byte %d", i), bad)
	}
	for _, n := range []int{0, 1, tailBytes - 1, tailBytes, len(good) / 2, len(good) - 1} {
		check(fmt.Sprintf("cut to %d", n), good[:n])
	}
	check("text", []byte(strings.Repeat("hello ", 100)))
}

// TestNames pins the names that filters use. A change of them is a new Version, or older files would lack a column.
func TestNames(t *testing.T) {
	run := &record.Run{ID: "i", Error: "e", Sweep: "s", Environment: "x", Hypothesis: "h", Params: map[string]any{"p": int64(1), "n": math.NaN(), "l": []any{int64(1)}},
		Set: map[string]any{"p": "1"}, Inputs: record.Inputs{"digest": "d", "seed": int64(1)}, Result: record.Result{Metrics: map[string]float64{"auc": 1},
			Valid: map[string]float64{"auc": 1}, Predictions: "p", Digest: "d"}, Artifact: record.Pointer{Bytes: 1}, Speed: record.Speed{P50: 1, P95: 1, P99: 1, Throughput: 1},
		Timings: record.Timings{Train: 1}, Header: record.Header{By: record.By{Who: "w", URL: "u", PullRequest: 1}, Code: record.Code{Commit: "c"}}}
	var got []string
	for _, c := range NewTable(segment([]Row{RowOf(run)})).Names() {
		got = append(got, c.Name+" "+string(c.Type))
	}
	want := `actor string, commit string, dirty bool, environment string, error string, experiment string, hypothesis string, id string, inputs.digest string, inputs.seed int64, ` +
		`learner string, metrics.auc float64, model string, operations.latency_p50_ms float64, operations.latency_p95_ms float64, operations.latency_p99_ms float64, ` +
		`operations.model_bytes float64, operations.throughput_rps float64, operations.train_seconds float64, params.l json, params.p int64, predictions string, program string, ` +
		`pull_request int64, result string, rows.left_out int64, rows.no_label int64, rows.test int64, rows.train int64, rows.valid int64, seconds.evaluate float64, ` +
		`seconds.features float64, seconds.total float64, seconds.train float64, set.p string, status string, sweep string, task string, threshold float64, time timestamp, ` +
		`url string, valid.auc float64, who string`
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("the names changed: raise Version\n%s\nwant\n%s", text, want)
	}
}
