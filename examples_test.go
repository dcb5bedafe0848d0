package plumb_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/cli"
	"github.com/plumb-ml/plumb/internal/outside"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestExamplesOfPrograms runs the example repositories whose programs are other people's: scikit-learn, XGBoost, R. Each prints one metric of the
// valid part as its own library computes it, which plumb's must equal.
func TestExamplesOfPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("interpreters start slowly")
	}
	for _, c := range []struct {
		example, experiment, metric string
		need                        func(testing.TB)
		said                        *regexp.Regexp
	}{
		{"sklearn", "pipeline", "auc", needPython, regexp.MustCompile(`valid auc (\S+)`)},
		{"xgboost", "trees", "accuracy", needPython, regexp.MustCompile(`valid accuracy (\S+)`)},
		{"r", "poisson", "rmse", func(t testing.TB) { outside.Need(t, "R") }, regexp.MustCompile(`valid rmse (\S+)`)},
	} {
		t.Run(c.example, func(t *testing.T) {
			c.need(t)
			dir := filepath.Join(t.TempDir(), c.example)
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("examples", c.example))); err != nil {
				t.Fatal(err)
			}
			git(t, dir, "init", "-q", "-b", "main")
			gitCommit(t, dir, "first")
			if exit, _, errs := call(dir, "check"); exit != 0 {
				t.Fatal(errs)
			}
			var out, errs bytes.Buffer
			if exit := cli.Main([]string{"-C", dir, "run", c.experiment, "--json"}, strings.NewReader(""), &out, &errs, os.Environ()); exit != 0 {
				t.Fatal(errs.String())
			}
			var run struct{ Valid map[string]float64 }
			if err := json.Unmarshal(out.Bytes(), &run); err != nil {
				t.Fatal(err)
			}
			log := logOf(t, dir)
			found := c.said.FindStringSubmatch(log)
			if found == nil {
				t.Fatalf("the log has no %s: %s", c.said, log)
			}
			want, err := strconv.ParseFloat(found[1], 64)
			if err != nil || math.Abs(run.Valid[c.metric]-want) > 1e-9*math.Abs(want) { // records keep 10 digits
				t.Errorf("%s of the valid part is %v, and the program says %v (%v)", c.metric, run.Valid[c.metric], want, err)
			}
		})
	}
}

func needPython(t testing.TB) { outside.Python(t) }

// logOf is what the program of the only private run printed, read with the git program.
func logOf(t *testing.T, dir string) string {
	t.Helper()
	for _, ref := range strings.Fields(git(t, dir, "for-each-ref", "--format=%(refname)", "refs/plumb/private")) {
		for _, path := range strings.Fields(git(t, dir, "ls-tree", "-r", "--name-only", ref)) {
			v, err := record.Decode(path, []byte(git(t, dir, "show", ref+":"+path)+"\n"))
			if run, ok := v.(*record.Run); err == nil && ok && run.Log.OID != "" {
				return git(t, dir, "cat-file", "blob", run.Log.OID)
			}
		}
	}
	t.Fatal("no private run has a log")
	return ""
}
