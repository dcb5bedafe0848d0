package plumb_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// peer is one way to list the runs.
type peer struct {
	name    string
	prepare func() // before each time
	command []string
	dir     string
	times   int
	found   string // what its output has to have
}

// took is the median of some times: wall, processor, and the most memory of all.
type took struct {
	wall, cpu time.Duration
	memory    int64 // KB
}

func (p peer) time(t *testing.T) took {
	t.Helper()
	var all []took
	for range p.times {
		if p.prepare != nil {
			p.prepare()
		}
		took, out, err := takes(t, p.dir, p.command)
		if err != nil || !strings.Contains(string(out), p.found) {
			t.Fatalf("%s: %v: %.400s", p.name, err, out)
		}
		all = append(all, took)
	}
	middle := all[0]
	slices.SortFunc(all, func(a, b took) int { return cmp.Compare(a.wall, b.wall) })
	middle.wall = all[len(all)/2].wall
	slices.SortFunc(all, func(a, b took) int { return cmp.Compare(a.cpu, b.cpu) })
	middle.cpu = all[len(all)/2].cpu
	for _, a := range all {
		middle.memory = max(middle.memory, a.memory)
	}
	return middle
}

// takes runs a program to its end.
func takes(t *testing.T, dir string, command []string) (took, []byte, error) {
	t.Helper()
	said := filepath.Join(t.TempDir(), "took.json")
	script, err := filepath.Abs("testdata/peers/measure.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", append([]string{script, said}, command...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "DVC_NO_ANALYTICS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return took{}, out, err
	}
	var is struct{ Wall, CPU, Memory float64 }
	data, err := os.ReadFile(said)
	if err == nil {
		err = json.Unmarshal(data, &is)
	}
	return took{time.Duration(is.Wall * 1e9), time.Duration(is.CPU * 1e9), int64(is.Memory)}, out, err
}

// TestPeers lists and filters the same runs with plumb, with `git cat-file` as the floor, with DVC and with MLflow, and prints how long each takes.
// PLUMB_PEERS says how many runs; PLUMB_PEERS_DVC and PLUMB_PEERS_MLFLOW name the folders of the programs, made with testdata/peers/requirements-*.txt
// (without one that tool is left out); PLUMB_PEERS_DIR keeps what is made, for another time.
func TestPeers(t *testing.T) {
	count := 0
	fmt.Sscan(os.Getenv("PLUMB_PEERS"), &count)
	if count == 0 {
		t.Skip("PLUMB_PEERS=10000 compares with other tools")
	}
	top := os.Getenv("PLUMB_PEERS_DIR")
	if top == "" {
		top = t.TempDir()
	}
	dir := filepath.Join(top, fmt.Sprint("runs-", count))
	if _, err := os.Stat(filepath.Join(dir, "runs.jsonl")); err != nil {
		manyRuns(t, dir, count)
	}
	program := filepath.Join(t.TempDir(), "plumb")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/plumb").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	lines := filepath.Join(dir, "runs.jsonl")
	scripts, _ := filepath.Abs("testdata/peers")
	where := `auc > 0.64 and params.rounds >= 200 and experiment startsWith "route"`
	dropIndex := func() {
		for _, f := range must(filepath.Glob(filepath.Join(dir, ".git", "plumb", "index-*"))) {
			_ = os.Remove(f)
		}
	}
	oids := filepath.Join(t.TempDir(), "oids")
	if err := os.WriteFile(oids, []byte(git(t, dir, "ls-tree", "-r", "--format=%(objectname)", "plumb/ledger")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	peers := []peer{
		{"plumb --help", nil, []string{program, "--help"}, dir, 7, "Usage"},
		{"plumb runs, indexed", nil, []string{program, "runs", "--where", where, "--limit", "10"}, dir, 7, " runs"},
		{"plumb runs, cold", dropIndex, []string{program, "runs", "--where", where, "--limit", "10"}, dir, 3, " runs"},
		{"git cat-file", nil, []string{"sh", "-c", "git cat-file --batch < " + oids + " | tail -1 >/dev/null"}, dir, 3, ""},
	}
	peers = append(peers, dvcPeers(t, top, count, scripts, lines)...)
	peers = append(peers, mlflowPeers(t, top, count, scripts, lines)...)
	var base took
	for i, p := range peers {
		if i == 1 {
			p.time(t) // makes the index
		}
		got := p.time(t)
		if i == 1 {
			base = got
		}
		ratio := ""
		if i > 1 {
			ratio = fmt.Sprintf("%6.1f × the processor of plumb indexed", float64(got.cpu)/float64(base.cpu))
		}
		t.Logf("%d runs: %-34s %8.3f s wall %8.3f s processor %5d MB %s", count, p.name, got.wall.Seconds(), got.cpu.Seconds(), got.memory>>10, ratio)
	}
	inProcess(t, dir, where, dropIndex)
}

// inProcess lists without starting a program.
func inProcess(t *testing.T, dir, where string, dropIndex func()) {
	t.Helper()
	for _, cold := range []bool{true, false} {
		var all []time.Duration
		for range 5 {
			if cold {
				dropIndex()
			}
			start := time.Now()
			if exit, _, errs := call(dir, "runs", "--where", where, "--limit", "10"); exit != 0 {
				t.Fatal(errs)
			}
			all = append(all, time.Since(start))
		}
		slices.Sort(all)
		t.Logf("in process, cold %v: %.3f s wall, median of 5, the fastest %.3f s", cold, all[2].Seconds(), all[0].Seconds())
	}
}

func dvcPeers(t *testing.T, top string, count int, scripts, lines string) []peer {
	t.Helper()
	bin := os.Getenv("PLUMB_PEERS_DVC")
	if bin == "" {
		return nil
	}
	dvc, dir := filepath.Join(bin, "dvc"), filepath.Join(top, fmt.Sprint("dvc-", count))
	if _, err := os.Stat(dir); err != nil {
		runPeer(t, filepath.Join(bin, "python"), filepath.Join(scripts, "dvc_peer.py"), dvc, dir, lines)
	}
	show := []string{dvc, "exp", "show", "--json"}
	forget := func() { _ = os.RemoveAll(filepath.Join(dir, ".dvc", "tmp")) }
	return []peer{{"dvc exp show, cold", forget, show, dir, 1, fmt.Sprintf("run-%d", count-1)}, {"dvc exp show, cached", nil, show, dir, 3, fmt.Sprintf("run-%d", count-1)}}
}

func mlflowPeers(t *testing.T, top string, count int, scripts, lines string) (peers []peer) {
	t.Helper()
	bin := os.Getenv("PLUMB_PEERS_MLFLOW")
	if bin == "" {
		return nil
	}
	python, script := filepath.Join(bin, "python"), filepath.Join(scripts, "mlflow_peer.py")
	for _, store := range []string{"file", "sqlite"} {
		uri := filepath.Join(top, fmt.Sprint("mlflow-", store, "-", count))
		_, err := os.Stat(uri)
		if store == "sqlite" {
			uri = "sqlite:///" + uri
		}
		if err != nil {
			runPeer(t, python, script, "log", uri, lines)
		}
		peers = append(peers, peer{"mlflow search_runs, " + store, nil, []string{python, script, "search", uri, lines}, top, 3, `"found"`})
	}
	return append(peers, peer{"mlflow, import alone", nil, []string{python, "-c", "from mlflow.tracking import MlflowClient"}, top, 3, ""})
}

func runPeer(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
