package plumb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// manyRuns makes a project whose ledger has so many runs of 3 KB, as the program writes them, and gives them as JSON lines too, for other tools.
func manyRuns(t testing.TB, dir string, count int) {
	t.Helper()
	for name, text := range projectFiles {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	repo, err := gitdb.Init(dir, "main")
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	lines, err := os.Create(filepath.Join(dir, "runs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	random := rand.New(rand.NewPCG(1, uint64(count)))
	const batch = 5000
	size := 0
	for from := 0; from < count; from += batch {
		var files []gitdb.File
		for i := from; i < min(from+batch, count); i++ {
			run := realisticRun(random, i)
			path, data, err := record.Encode(&run)
			if err != nil {
				t.Fatal(err)
			}
			size += len(data)
			files = append(files, gitdb.File{Path: path, Data: data})
			if err := json.NewEncoder(lines).Encode(map[string]any{"id": run.ID, "experiment": run.Experiment, "time": run.Time, "params": run.Params, "metrics": run.Result.Metrics}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := repo.Update(context.Background(), "refs/heads/plumb/ledger", func(w *gitdb.Writer, tip string) (string, error) {
			tree, err := w.Tree(tip, files)
			if err != nil {
				return "", err
			}
			info := gitdb.CommitInfo{Message: "many\n"}
			if tip != "" {
				info.Parents = []string{tip}
			}
			return w.Commit(tree, info)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "repack", "-a", "-d", "-q")
	git(t, dir, "prune-packed")
	t.Logf("%d runs of %d bytes on average", count, size/count)
}

// realisticRun is the i-th of many runs: 20 experiments of two models over three years.
func realisticRun(random *rand.Rand, i int) record.Run {
	sum := func(n int) string { return fmt.Sprintf("sha256:%064x", n) }
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * 1000 * time.Second)
	kinds := []string{"baseline", "route", "route-history", "weather", "all"}
	r := record.Run{Experiment: fmt.Sprintf("%s-%d", kinds[i%5], i%4), Model: "toy", Task: "binary", Status: "ok", Hypothesis: sum(i % 20), Learner: "gbdt",
		Threshold: 0.5, Environment: "go1.26.8 linux/amd64",
		Header: record.Header{Time: at, Actor: "ci", By: record.By{Who: "ann", URL: fmt.Sprintf("https://ci.example.org/runs/%d", i), Program: "plumb 1.0.0"},
			Code: record.Code{Commit: fmt.Sprintf("%040x", i)}}}
	r.Inputs = record.Inputs{"question": sum(1), "experiment": sum(i), "dataset": sum(2), "code": sum(3), "seed": int64(i % 7), "semantics": int64(1), "environment": sum(4)}
	for _, view := range []string{"origin", "weather", "route"} {
		r.Inputs["feature."+view] = sum(5 + len(view))
	}
	r.Params = map[string]any{"rounds": int64(50 * (1 + random.IntN(10))), "rate": 0.01 * float64(1+random.IntN(30)), "depth": int64(3 + random.IntN(6)),
		"l2": random.Float64(), "booster": []string{"dart", "plain"}[random.IntN(2)], "min_rows": int64(20)}
	for f := range 12 {
		r.Features = append(r.Features, fmt.Sprintf("origin.mean_delay_%dh", f))
	}
	r.Result.Metrics, r.Result.Valid = map[string]float64{}, map[string]float64{}
	for _, name := range metric.For("binary") {
		r.Result.Metrics[name], r.Result.Valid[name] = random.Float64(), random.Float64()
	}
	r.Result.Metrics["auc"] = 0.6 + 0.1*random.Float64()
	r.Result.Predictions, r.Result.Model = sum(i+1), sum(i+2)
	r.Split = record.Split{By: "time", Valid: at, Test: at}
	r.Rows = record.RowCounts{Train: 100_000, Valid: 20_000, Test: 20_000}
	r.Timings = record.Timings{Features: random.Float64(), Train: 10 * random.Float64(), Evaluate: random.Float64(), Total: 12 * random.Float64()}
	p := record.Pointer{SHA256: fmt.Sprintf("%064x", i), Bytes: 123456, Type: "application/vnd.apache.parquet", Rows: 40000, OID: fmt.Sprintf("%040x", i)}
	r.Artifact, r.Evaluation, r.Detail = p, p, p
	return r
}

func TestMakeMany(t *testing.T) {
	dir, count := os.Getenv("PLUMB_MANY"), 0
	if dir == "" {
		t.Skip("set PLUMB_MANY")
	}
	fmt.Sscan(os.Getenv("PLUMB_COUNT"), &count)
	manyRuns(t, dir, count)
}
