package record

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/digest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func header() Header {
	return Header{Time: noon.Add(300 * time.Millisecond), Actor: ActorCI, By: By{Who: "ann@example.org", Program: "plumb 0.1.0"},
		Code: Code{Commit: strings.Repeat("c", 40)}}
}

func inputs() Inputs {
	sum := func(c string) string { return digest.Prefix + strings.Repeat(c, 64) }
	return Inputs{"question": sum("1"), "experiment": sum("2"), "dataset": sum("3"), "feature.origin": sum("4"), "code": sum("5"), "seed": int64(1), "semantics": int64(1)}
}

func result() Result {
	return Result{Metrics: map[string]float64{"auc": 0.71312345678901, "brier": math.Copysign(0, -1)}, Valid: map[string]float64{"auc": 1234567890987},
		Predictions: digest.Prefix + strings.Repeat("6", 64), Model: digest.Prefix + strings.Repeat("7", 64)}
}

func pointer(c string) Pointer {
	return Pointer{SHA256: strings.Repeat(c, 64), Bytes: 1234, Type: "application/vnd.apache.parquet", Rows: 10, OID: strings.Repeat(c, 40)}
}

// samples has one record of each kind that the program writes, by the name of its golden file.
func samples() map[string]any {
	half, low := 0.5, -0.01
	return map[string]any{
		"run": &Run{Header: header(), Experiment: "origin-history", Model: "delay", Task: TaskBinary, Status: "ok", Learner: "gbdt", Threshold: 0.5,
			Features: []string{"distance", "origin.mean_delay_12h"}, Inputs: inputs(), Result: result(), Params: map[string]any{"rounds": int64(200), "rate": 0.1},
			Split: Split{By: "time", Valid: noon.AddDate(0, 0, -42), Test: noon.AddDate(0, 0, -28)}, Rows: RowCounts{Train: 100, Valid: 20, Test: 30},
			Timings: Timings{Train: 1.5}, Artifact: pointer("a"), Evaluation: pointer("b"), Detail: pointer("d"), Set: map[string]any{"rounds": int64(200)}},
		"failed-run": &Run{Header: header(), Experiment: "baseline", Model: "delay", Task: TaskBinary, Status: "failed", Error: "line one\nline \"two\"", Inputs: inputs()},
		"snapshot": &Snapshot{Header: header(), Dataset: "flights", Content: digest.Prefix + strings.Repeat("3", 64), Lock: digest.Prefix + strings.Repeat("8", 64),
			Files: 6, Rows: 200000, Columns: []string{"date timestamp", "delay int64"}, Profile: pointer("e"), Quality: pointer("f"), Scores: map[string]float64{"accuracy": 98.5}},
		"comparison": &ComparisonRecord{Header: header(), Comparison: Comparison{Model: "delay", Experiment: "origin-history", Promotes: true,
			Base: Side{Run: "20010630T120000Z-0123456789ab", Experiment: "baseline"}, Head: Side{Experiment: "origin-history", Evaluation: pointer("b")},
			Verdict: Inconclusive, Metrics: []MetricDifference{{Name: "auc", Direction: "up", Level: "gate", Base: &half, Difference: &low, Verdict: Inconclusive, Gate: GatePass}},
			Gates:      []Gate{{Name: "slices", State: GateUnknown, Require: "min(slice.auc) >= 0.55", Values: map[string]float64{"min(slice.auc)": 0.5}}},
			Hypothesis: &Hypothesis{Text: "It helps.", State: "open", Metric: "auc", Gain: 0.01}, Inputs: InputsChanged{Changed: []string{"experiment"}}}},
		"version": &Version{Header: header(), Model: "delay", Number: 3, Experiment: "baseline", Run: "runs/baseline/2001-06/20010630T120000Z-0123456789ab.toml", Artifact: pointer("a")},
		"stage":   &Stage{Header: header(), Model: "delay", Stage: "production", Number: 12, Version: 3, Previous: 2, Why: "champion changed", Outcome: "staged"},
		"expired": &Decision{Header: header(), Choice: Expired, Reason: "evaluations are kept for 90d", Blobs: []string{strings.Repeat("a", 64), strings.Repeat("b", 64)}, Bytes: 2468},
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	for name, v := range samples() {
		t.Run(name, func(t *testing.T) {
			path, data, err := Encode(v)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte("# "+path+"\n"+string(data)), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := "# " + path + "\n" + string(data); got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Contains(name, "run") && len(data) > 3<<10 {
				t.Errorf("a run of %d bytes", len(data))
			}
			back, err := Decode(path, data)
			if err != nil {
				t.Fatal(err)
			}
			again, data2, err := Encode(back)
			if err != nil || again != path || string(data2) != string(data) {
				t.Errorf("encoded again: %s, %v\n%s", again, err, data2)
			}
			value := reflect.ValueOf(v).Elem().Interface()
			if byValue, _, err := Encode(value); err != nil || byValue != path {
				t.Errorf("a value is encoded to %s, %v; a pointer to %s", byValue, err, path)
			}
		})
	}
}

// The figures come from Python's hashlib and json over the same tables, written out in sorted keys without spaces.
func TestDigests(t *testing.T) {
	if got, err := inputs().Digest(); err != nil || got != "sha256:b14bd1c96b62d471c19f616595139a13b30ea557483e70b9a9e02c274b8dd3f9" {
		t.Errorf("inputs: %s, %v", got, err)
	}
	in := inputs()
	in["digest"] = "whatever"
	if got, _ := in.Digest(); got != "sha256:b14bd1c96b62d471c19f616595139a13b30ea557483e70b9a9e02c274b8dd3f9" {
		t.Errorf("with a digest in it: %s", got)
	}
	res := result()
	if err := res.SetDigest(); err != nil || res.Digest != "sha256:dbea98b96d91f29f994413a51e899e5933a9aa2315928f74595931dc0265b4fa" {
		t.Errorf("result: %s, %v", res.Digest, err)
	}
	if auc, brier := res.Metrics["auc"], res.Metrics["brier"]; auc != 0.7131234568 || math.Signbit(brier) {
		t.Errorf("rounded to %v and %v", auc, brier)
	}
	once := res.Digest
	if err := res.SetDigest(); err != nil || res.Digest != once {
		t.Errorf("a second time: %s, %v", res.Digest, err)
	}
	res.Metrics["auc"] = 0.71312345681
	if err := res.SetDigest(); err != nil || res.Digest != once {
		t.Errorf("a change of the 11th digit changes the digest: %s, %v", res.Digest, err)
	}
	res.Metrics["auc"] = 0.713123457
	if err := res.SetDigest(); err != nil || res.Digest == once {
		t.Errorf("a change of the 10th digit does not: %s, %v", res.Digest, err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		res.Metrics["auc"] = bad
		if err := res.SetDigest(); err == nil {
			t.Errorf("%v has a digest", bad)
		}
	}
	e := Evaluation{Task: TaskBinary, Part: []string{"test", "test", "valid"}, RowID: []int64{7, 9, 2}, Label: []float64{0, 1, 1},
		Scores: [][]float64{{0.25, math.Copysign(0, -1), 1e-9}}}
	if got, err := e.PredictionsDigest(); err != nil || got != "sha256:08a742a129cb3cc35152f6d4ef14ad29c94404a2e1737f9706caecaf2cf409f9" {
		t.Errorf("predictions: %s, %v", got, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(r *Run){
		"no time":              func(r *Run) { r.Time = time.Time{} },
		"no actor":             func(r *Run) { r.Actor = "" },
		"another actor":        func(r *Run) { r.Actor = "robot" },
		"a name with a slash":  func(r *Run) { r.Experiment = "../x" },
		"no name":              func(r *Run) { r.Experiment = "" },
		"a broken pointer":     func(r *Run) { r.Artifact.SHA256 = "../../etc/passwd" },
		"an injecting pointer": func(r *Run) { r.Artifact.Type = `x" }` },
		"a metric that is NaN": func(r *Run) { r.Result.Metrics["auc"] = math.NaN() },
		"an input beyond 2^53": func(r *Run) { r.Inputs["seed"] = int64(1) << 60 },
	} {
		run := samples()["run"].(*Run)
		change(run)
		if path, _, err := Encode(run); err == nil {
			t.Errorf("%s: encoded to %s", name, path)
		}
	}
	for _, v := range []any{nil, 7, Header{}, &Version{Header: header(), Model: "delay"}} {
		if path, _, err := Encode(v); err == nil {
			t.Errorf("%T: encoded to %s", v, path)
		}
	}
}

// What a branch holds may have been put there by anyone.
func TestDecodeRefuses(t *testing.T) {
	path, data, err := Encode(samples()["run"])
	if err != nil {
		t.Fatal(err)
	}
	renamed := func(data string) string {
		return "runs/origin-history/2001-06/" + newID(noon, []byte(data)) + ".toml"
	}
	edit := func(old, new string) string {
		out := strings.Replace(string(data), old, new, 1)
		if out == string(data) {
			t.Fatalf("%q is not in the record", old)
		}
		return out
	}
	for name, c := range map[string]struct{ path, data string }{
		"changed bytes":            {path, string(data) + "\n"},
		"no TOML":                  {renamed("="), "="},
		"empty":                    {renamed(""), ""},
		"another experiment":       {renamed(edit("origin-history", "baseline")), edit("origin-history", "baseline")},
		"another kind":             {renamed(edit(`kind = "run"`, `kind = "snapshot"`)), edit(`kind = "run"`, `kind = "snapshot"`)},
		"a newer schema":           {renamed(edit("schema = 1", "schema = 2")), edit("schema = 1", "schema = 2")},
		"another time":             {renamed(edit("12:00:00Z", "12:00:01Z")), edit("12:00:00Z", "12:00:01Z")},
		"inputs not of the digest": {renamed(edit("seed = 1", "seed = 2")), edit("seed = 1", "seed = 2")},
		"result not of the digest": {renamed(edit("auc = 0.7131234568", "auc = 0.9")), edit("auc = 0.7131234568", "auc = 0.9")},
		"wrong type":               {renamed(edit("threshold = 0.5", "threshold = []")), edit("threshold = 0.5", "threshold = []")},
		"deep nesting":             {renamed(strings.Repeat("[", 5000)), strings.Repeat("[", 5000)},
		"a kind to come":           {"monitors/delay/2001-06/" + newID(noon, data) + ".toml", string(data)},
	} {
		if v, err := Decode(c.path, []byte(c.data)); err == nil {
			t.Errorf("%s: decoded to %v", name, v)
		}
	}
}

func TestParsePath(t *testing.T) {
	const id = "20010630T120000Z-0123456789ab"
	for path, want := range map[string]string{
		"runs/baseline/2001-06/" + id + ".toml":         "run [baseline] 2001-06 " + id + " 0",
		"snapshots/flights/2001-06/" + id + ".toml":     "snapshot [flights] 2001-06 " + id + " 0",
		"versions/delay/1.toml":                         "version [delay]   1",
		"stages/delay/production/12.toml":               "stage [delay production]   12",
		"rollouts/delay/3/1.toml":                       "rollout [delay 3]   1",
		"decisions/waiver/2001-06/" + id + ".toml":      "decision [waiver] 2001-06 " + id + " 0",
		"runs/baseline/2001-07/" + id + ".toml":         "",
		"runs/baseline/" + id + ".toml":                 "",
		"runs/../2001-06/" + id + ".toml":               "",
		"runs/Baseline/2001-06/" + id + ".toml":         "",
		"runs/baseline/2001-06/x/" + id + ".toml":       "",
		"runs/baseline/2001-06/" + id + ".json":         "",
		"runs/baseline/2001-06/.toml":                   "",
		"runs/baseline/2001-06/99990230T120000Z-0.toml": "",
		"versions/delay/0.toml":                         "",
		"versions/delay/01.toml":                        "",
		"versions/delay/-1.toml":                        "",
		"versions/delay/99999999999999999999.toml":      "",
		"/runs/baseline/2001-06/" + id + ".toml":        "",
		"README.md":                                     "",
		"":                                              "",
	} {
		p, err := ParsePath(path)
		got := fmt.Sprint(p.Kind, " ", p.Names, " ", p.Month, " ", p.ID, " ", p.Number)
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("ParsePath(%q) = %s, %v, want %s", path, got, err, want)
		}
	}
}

func TestPointers(t *testing.T) {
	all := samples()
	for name, want := range map[string]string{"run": "artifact a evaluation b detail d", "failed-run": "", "snapshot": "profile e quality f", "comparison": "evaluation b",
		"version": "artifact a", "stage": "", "expired": ""} {
		var got []string
		for _, p := range Pointers(all[name]) {
			got = append(got, p.Key, p.SHA256[:1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s points at %q, want %q", name, got, want)
		}
	}
}
