package plumb_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// holdsText holds that a file's text, cut at its ends, stands in another: holds FILE IN.
func holdsText(ts *testscript.TestScript, neg bool, args []string) {
	if want := strings.TrimSpace(ts.ReadFile(args[0])); strings.Contains(ts.ReadFile(args[1]), want) == neg {
		ts.Fatalf("%s, and %q is there or not", args[1], want)
	}
}

// rescoredBase holds that the base value of a plumb.ci/v1 object is not what the base's run had stored, but what its model says of head's test rows
// that it did not train on: rescored CI BUNDLE DATA... It asks the model's blob and the CSV files, and computes the AUC by counting pairs.
func rescoredBase(ts *testscript.TestScript, _ bool, args []string) {
	var ci record.CI
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &ci))
	c := ci.Comparisons[0]
	run := recordedRun(ts, c.Base.Run)
	scorer, err := model.Load([]byte(gitText(ts, "cat-file", "blob", run.Artifact.OID)))
	ts.Check(err)
	rows := testRows(ts, args[2:], run.Split.Test)
	said := evaluationBlob(ts, filepath.Join(ts.MkAbs(args[1]), "blobs", c.Base.Evaluation.SHA256))
	if len(rows.label) != c.Rows || len(said.label) != c.Rows || !slices.Equal(rows.label, said.label) {
		ts.Fatalf("%d test rows in the files, %d in the comparison, %d in its evaluation, or other labels", len(rows.label), c.Rows, len(said.label))
	}
	scores, err := scorer.Score(table.Frame{N: len(rows.weak), Columns: []table.Vector{{Column: table.Column{Name: "weak", Type: table.Float64}, Floats: rows.weak}}})
	ts.Check(err)
	want, stored := pairsAUC(rows.label, scores[0]), run.Result.Metrics["auc"]
	for _, m := range c.Metrics {
		if m.Name != "auc" || m.Slice != "" {
			continue
		}
		if m.Base == nil || math.Abs(*m.Base-want) > 1e-9 || math.Abs(pairsAUC(said.label, said.weak)-want) > 1e-9 {
			ts.Fatalf("base AUC is %v, by hand %v", m.Base, want)
		}
		if math.Abs(stored-want) < 1e-3 {
			ts.Fatalf("the case proves nothing: stored %v, re-scored %v", stored, want)
		}
		return
	}
	ts.Fatalf("the comparison has no AUC")
}

// recordedRun reads a run's record from the ledger's branches with the git program.
func recordedRun(ts *testscript.TestScript, id string) record.Run {
	for _, ref := range strings.Fields(gitText(ts, "for-each-ref", "--format=%(refname)", "refs/plumb/private", "refs/heads/plumb")) {
		for _, path := range strings.Fields(gitText(ts, "ls-tree", "-r", "--name-only", ref)) {
			if !strings.HasPrefix(path, "runs/") || !strings.HasSuffix(path, id+".toml") {
				continue
			}
			v, err := record.Decode(path, []byte(gitText(ts, "show", ref+":"+path)))
			ts.Check(err)
			switch run := v.(type) {
			case record.Run:
				return run
			case *record.Run:
				return *run
			}
		}
	}
	ts.Fatalf("run %q is not in the ledger", id)
	return record.Run{}
}

func gitText(ts *testscript.TestScript, args ...string) string {
	c := exec.Command("git", args...)
	c.Dir = ts.MkAbs(".")
	out, err := c.Output()
	ts.Check(err)
	return string(out)
}

// scored are rows with a label and a number.
type scored struct{ label, weak []float64 }

// testRows reads the rows of mkdata's files that are tested under both sides' cuts: head's last 21 days, and after the base's own cut.
func testRows(ts *testscript.TestScript, files []string, baseCut time.Time) scored {
	var all [][]string
	newest := time.Time{}
	slices.Sort(files)
	for _, file := range files {
		lines, err := csv.NewReader(strings.NewReader(ts.ReadFile(file))).ReadAll()
		ts.Check(err)
		all = append(all, lines[1:]...)
	}
	at := func(line []string) time.Time {
		t, err := time.Parse("2006-01-02 15:04:05", line[0])
		ts.Check(err)
		return t
	}
	for _, line := range all {
		if at(line).After(newest) {
			newest = at(line)
		}
	}
	var out scored
	for _, line := range all {
		if t := at(line); !t.After(newest.AddDate(0, 0, -21)) || !t.After(baseCut) {
			continue
		}
		label, err := strconv.ParseFloat(line[5], 64)
		ts.Check(err)
		weak, err := strconv.ParseFloat(line[2], 64)
		ts.Check(err)
		out.label, out.weak = append(out.label, label), append(out.weak, weak)
	}
	return out
}

func evaluationBlob(ts *testscript.TestScript, path string) scored {
	dir, err := os.MkdirTemp("", "blob-")
	ts.Check(err)
	defer os.RemoveAll(dir)
	db, err := engine.Open(context.Background(), engine.Options{Read: []string{path}, Temp: dir})
	ts.Check(err)
	defer db.Close()
	f, err := db.Frame(context.Background(), fmt.Sprintf("select cast(label as double) as label, score from read_parquet('%s') where part = 'test' order by row_id", path))
	ts.Check(err)
	return scored{f.Column("label").Floats, f.Column("score").Floats}
}

// pairsAUC is the share of pairs of a positive and a negative row that the scores put in order, ties counting half.
func pairsAUC(label, score []float64) float64 {
	var right, pairs float64
	for i := range label {
		for j := range label {
			if label[i] != 1 || label[j] != 0 {
				continue
			}
			pairs++
			switch {
			case score[i] > score[j]:
				right++
			case score[i] == score[j]:
				right += 0.5
			}
		}
	}
	return right / pairs
}

// forgetBase takes out of a file store what only a base needs: the model of an experiment's oldest run, and the files that a branch pins:
// forget STORE EXPERIMENT BRANCH.
func forgetBase(ts *testscript.TestScript, _ bool, args []string) {
	oldest := ""
	for _, path := range strings.Fields(gitText(ts, "ls-tree", "-r", "--name-only", "plumb/ledger", "runs/"+args[1]+"/")) {
		if id := strings.TrimSuffix(filepath.Base(path), ".toml"); oldest == "" || id < oldest {
			oldest = id
		}
	}
	names := []string{recordedRun(ts, oldest).Artifact.SHA256}
	for _, line := range strings.Split(gitText(ts, "show", args[2]+":datasets/rows.lock.toml"), "\n") {
		if _, after, ok := strings.Cut(line, `sha256 = "`); ok {
			names = append(names, after[:64])
		}
	}
	gone := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e os.DirEntry, err error) error {
		if err == nil && slices.Contains(names, e.Name()) {
			gone++
			return os.Remove(path)
		}
		return err
	}))
	if gone != len(names) {
		ts.Fatalf("%d of %v were in the store", gone, names)
	}
}
