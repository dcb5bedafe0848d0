package plumb_test

import (
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/record"
)

// tamper adds a record to a checked out ledger that has a right name and right digests, and is false in one way: tamper DIR HOW.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	var run record.Run
	read(ts, dir, "runs/better/*/*.toml", &run)
	var forged any = &run
	switch args[1] {
	case "model":
		var other record.Run
		read(ts, dir, "runs/baseline/*/*.toml", &other)
		run.Artifact, run.Result.Model, run.Detail = other.Artifact, other.Result.Model, record.Pointer{}

	case "weights": // of the same features, learnt otherwise
		var other record.Run
		read(ts, dir, "runs/better/*/20240304*.toml", &other)
		run.Artifact, run.Result.Model, run.Detail = other.Artifact, other.Result.Model, record.Pointer{}
	case "rows":
		run.Rows.Train = 5
	case "split":
		run.Split.Test = run.Split.Test.AddDate(-1, 0, 0)
	case "params":
		run.Params = map[string]any{"rounds": int64(9999)}
	case "features":
		run.Features = []string{"strong"}
	case "threshold":
		run.Threshold += 0.25
	case "future":
		run.Time = time.Now().AddDate(1, 0, 0)
	case "late":
		run.Time = time.Now().Add(-time.Hour)
	case "stage":
		var s record.Stage
		read(ts, dir, "stages/toy/production/2.toml", &s)
		s.Number, s.Version, s.Previous, s.Time = 3, 1, 99, s.Time.AddDate(-1, 0, 0)
		var one record.Version
		read(ts, dir, "versions/toy/1.toml", &one)
		s.Run = one.Run
		forged = &s
	case "expired":
		forged = &record.Decision{Header: record.Header{Time: run.Time.AddDate(0, 0, 3), Actor: record.ActorHuman}, Choice: record.Expired, Reason: "old", Blobs: []string{run.Artifact.SHA256}}
	case "changed":
		var c record.ComparisonRecord
		read(ts, dir, "comparisons/toy/*/*.toml", &c)
		c.Comparison.Inputs.Changed = []string{"seed"}
		forged = &c
	default:
		ts.Fatalf("nothing is known about %s", args[1])
	}
	path, data, err := record.Encode(forged)
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, path), data, 0o644))
}

// read decodes the one record that a pattern names.
func read[T any](ts *testscript.TestScript, dir, pattern string, into *T) {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("no %s", pattern)
	}
	data, err := os.ReadFile(found[0])
	ts.Check(err)
	path, err := filepath.Rel(dir, found[0])
	ts.Check(err)
	r, err := record.Decode(path, data)
	ts.Check(err)
	*into = *r.(*T)
}
