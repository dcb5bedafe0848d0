package plumb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/cli"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/job"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"plumb":   func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())) },
		"trainer": trainer,
	})
}

// TestScripts runs testdata/script/*.txtar, one file a behaviour.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE") != "",
		Condition: func(name string) (bool, error) {
			if name == "landlock" {
				return !strings.HasPrefix(job.Sandbox(), "none: "), nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mkdata":   makeData,
			"project":  makeProject,
			"program":  makeProgram,
			"nosecret": noSecret,
			"verdicts": verdicts,
			"replace":  replaceText,
			"results":  sameResults,
			"cells":    sameCells,
			"claim":    claimRun,
			"holds":    holdsText,
			"rescored": rescoredBase,
			"forget":   forgetBase,
			"madeup":   madeUp,
			"forge":    forgeMonitor,
			"tamper":   tamper,
			"disown":   disown,
		},
		Setup: func(env *testscript.Env) error {
			for _, v := range []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org",
				"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.org", "HOME=" + env.WorkDir, "TMPDIR=" + env.WorkDir + "/tmp", "EXAMPLES=" + examples} {
				name, value, _ := strings.Cut(v, "=")
				env.Setenv(name, value)
			}
			return os.MkdirAll(env.WorkDir+"/tmp", 0o755)
		},
	})
}

// shape is what mkdata can be told.
type shape struct {
	rows, days int
	seed       uint64
	start      time.Time
}

func defaultShape() shape {
	return shape{rows: 4000, days: 60, seed: 1, start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func readShape(ts *testscript.TestScript, args []string) shape {
	s := defaultShape()
	for _, a := range args {
		name, value, _ := strings.Cut(a, "=")
		n, err := strconv.Atoi(value)
		ts.Check(err)
		switch name {
		case "rows":
			s.rows = n
		case "days":
			s.days = n
		case "seed":
			s.seed = uint64(n)
		case "skip":
			s.start = s.start.AddDate(0, 0, n)
		default:
			ts.Fatalf("mkdata knows rows, days, seed and skip, not %s", name)
		}
	}
	return s
}

// makeData writes a CSV whose label depends on strong and weak, not on noise, with a shock that a day's rows share.
func makeData(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writeData(ts.MkAbs(args[0]), readShape(ts, args[1:])))
}

func writeData(path string, s shape) error {
	r := rand.New(rand.NewPCG(s.seed, 7))
	var b strings.Builder
	b.WriteString("at,strong,weak,noise,kind,y\n")
	shock := make([]float64, s.days)
	for i := range shock {
		shock[i] = 0.3 * r.NormFloat64()
	}
	step := time.Duration(s.days) * 24 * time.Hour / time.Duration(s.rows)
	for i := range s.rows {
		at := s.start.Add(time.Duration(i) * step)
		strong, weak, noise := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		p := 1 / (1 + math.Exp(-(1.3*strong + 0.7*weak + shock[i*s.days/s.rows])))
		y := 0
		if r.Float64() < p {
			y = 1
		}
		fmt.Fprintf(&b, "%s,%.4f,%.4f,%.4f,%s,%d\n", at.Format("2006-01-02 15:04:05"), strong, weak, noise, []string{"a", "b", "c"}[r.IntN(3)], y)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// makeProject makes a repository with a champion that uses the weak column, and a pinned dataset: project DIR [mkdata's words].
func makeProject(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(writeData(filepath.Join(dir, "data", "rows-1.csv"), readShape(ts, args[1:])))
	for name, text := range projectFiles {
		ts.Check(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	ts.Check(run(ts, dir, "git", "init", "-q", "-b", "main"))
	ts.Check(run(ts, dir, "plumb", "data", "pin"))
	ts.Check(run(ts, dir, "git", "add", "-A"))
	ts.Check(run(ts, dir, "git", "commit", "-q", "-m", "base"))
}

func run(ts *testscript.TestScript, dir, name string, args ...string) error {
	where := ts.MkAbs(".")
	ts.Check(ts.Chdir(dir))
	err := ts.Exec(name, args...)
	ts.Check(ts.Chdir(where))
	return err
}

var projectFiles = map[string]string{
	"plumb.toml": "schema = 1\nname = \"toy\"\n",
	"datasets/rows.toml": `schema = 1
[source]
path = "data/*.csv"
[time]
event = "at"
[check.kinds]
kind = "expect_column_values_to_be_in_set"
column = "kind"
value_set = ["a", "b", "c"]
level = "critical"
`,
	"models/toy.toml": `schema = 1
task = "binary"
champion = "baseline"
[question]
dataset = "rows"
label = "y == 1"
split = { by = "time", test = "21d", valid = "7d" }
[metric.auc]
level = "gate"
tolerance = 0.01
require = "not_worse"
[gate.floor]
require = "auc >= 0.5"
`,
	"experiments/baseline.toml": `schema = 1
model = "toy"
hypothesis = "The weak column says something."
[features]
use = ["weak"]
[train]
learner = "glm"
`,
}

// verdicts turns the plumb.ci/v1 object on the last command's output into one line a comparison, and its exit code.
func verdicts(ts *testscript.TestScript, _ bool, args []string) {
	var ci record.CI
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &ci))
	var b strings.Builder
	for _, c := range ci.Comparisons {
		gate := "-"
		if i := slices.IndexFunc(c.Metrics, func(m record.MetricDifference) bool { return m.Level == "gate" && m.Slice == "" }); i >= 0 {
			gate = c.Metrics[i].Gate
		}
		fmt.Fprintf(&b, "%s: %s -> %s promotes=%v %s gate=%s method=%s\n", c.Model, dash(c.Base.Experiment), dash(c.Head.Experiment), c.Promotes, c.Verdict, gate, dash(c.Method))
	}
	fmt.Fprintf(&b, "exit %d\n", ci.Exit)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// replaceText replaces a text in a file: replace FILE OLD NEW. The old text must be there.
func replaceText(ts *testscript.TestScript, _ bool, args []string) {
	src := ts.ReadFile(args[0])
	if !strings.Contains(src, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(src, args[1], args[2])), 0o644))
}

// sameResults holds that two plumb.run/v1 files have one result digest: results A B.
func sameResults(ts *testscript.TestScript, _ bool, args []string) {
	var digests []string
	for _, file := range args {
		var r struct {
			Result string `json:"result"`
		}
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &r))
		digests = append(digests, r.Result)
	}
	if digests[0] == "" || digests[0] != digests[1] {
		ts.Fatalf("results differ: %v", digests)
	}
}

// sameCells holds that two plumb.sweep/v1 files have the same cells with the same results: cells A B.
func sameCells(ts *testscript.TestScript, _ bool, args []string) {
	var said [2]record.Sweep
	for i, file := range args {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &said[i]))
	}
	if len(said[0].Cells) == 0 || len(said[0].Cells) != len(said[1].Cells) {
		ts.Fatalf("%d and %d cells", len(said[0].Cells), len(said[1].Cells))
	}
	for i, a := range said[0].Cells {
		if b := said[1].Cells[i]; a.Result == "" || a.Result != b.Result || a.Inputs != b.Inputs {
			ts.Fatalf("cell %d: %s and %s", a.Cell, a.Result, b.Result)
		}
	}
}

// madeUp records privately a run whose result nobody ever got: madeup DIR EXPERIMENT TIME. It is the experiment's newest run with other metrics and predictions.
func madeUp(ts *testscript.TestScript, _ bool, args []string) {
	repo, err := gitdb.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer repo.Close()
	l, err := ledger.Open(repo, ledger.Options{})
	ts.Check(err)
	v, err := l.Read(context.Background())
	ts.Check(err)
	var run record.Run
	for _, r := range v.Runs() {
		if r.Experiment == args[1] {
			run = r
		}
	}
	run.Time, err = time.Parse(time.RFC3339, args[2])
	ts.Check(err)
	run.Result.Metrics["auc"] = 0.99
	run.Result.Predictions = "sha256:" + strings.Repeat("0", 64)
	path, data, err := record.Encode(&run)
	ts.Check(err)
	ts.Check(l.AppendPrivate(context.Background(), []ledger.File{{Path: path, Data: data}}))
}
