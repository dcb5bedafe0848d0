package plumb_test

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/record"
)

// TestHostileBundles holds that the publisher believes a bundle's scores and nothing else: whatever is changed, with or without a table that
// agrees, publishing ends with exit 3, says why, and leaves the ledger's tip where it was.
func TestHostileBundles(t *testing.T) {
	dir, good := proposal(t)
	t.Run("any one byte", func(t *testing.T) {
		for _, m := range append(members(t, good), "bundle.json") {
			b := copied(t, good)
			path := filepath.Join(b, filepath.FromSlash(m))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []int{0, len(data) / 2, len(data) - 1} {
				changed := append([]byte(nil), data...)
				changed[at] ^= 1
				write(t, path, changed)
				refused(t, dir, b, m)
			}
		}
	})
	for name, c := range map[string]struct {
		spoil func(*testing.T, *forged)
		says  string
	}{
		"a run of base's digest": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Inputs["experiment"] = digestOf(t, dir, "baseline", "experiment"); f.resign(r) })
		}, "may not record"},
		"the unchanged champion's run": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { *r = storedRun(t, dir, "baseline", *r) })
		}, "may not record"},
		"another model's run": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Model = "other" })
		}, "not those of the documents"},
		"another experiment's name": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Experiment = "baseline" })
		}, "not those of the documents"},
		"inputs that are not the tree's": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Inputs["code"] = "sha256:" + strings.Repeat("0", 64); f.resign(r) })
		}, "may not record"},
		"parameters that are not the tree's": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Params = map[string]any{"l2": 3.5} })
		}, "parameters"},
		"metrics that the scores do not give": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) {
				r.Result.Metrics["auc"] = 0.99
				if err := r.Result.SetDigest(); err != nil {
					t.Fatal(err)
				}
			})
		}, "numbers"},
		"labels that are not the data's": {func(t *testing.T, f *forged) {
			f.evaluation(func(e *record.Evaluation) { e.Label[0] = 1 - e.Label[0] })
		}, "labels"},
		"rows that are not the data's": {func(t *testing.T, f *forged) {
			f.evaluation(func(e *record.Evaluation) { e.RowID[len(e.RowID)-1] = 1 << 40 })
		}, "no valid row"},
		"groups that are not the data's": {func(t *testing.T, f *forged) {
			f.evaluation(func(e *record.Evaluation) { e.Group[0] = "2000-01-01" })
		}, "groups"},
		"a verdict that the rows do not give": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Verdict = record.Same })
		}, "verdict"},
		"a gate that says pass": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Metrics[0].Gate = record.GateNone })
		}, "verdict"},
		"a result that is not the record's": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Comparisons[0].Experiment = "baseline" })
		}, "result.json"},
		"a feature that is not to be tried": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) {
				ci.Features = []record.FeatureCheck{{Name: "a.b", Model: "toy", State: record.FeatureClean}}
			})
		}, "0 are to be tried"},
		"no comparison at all": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Comparisons = nil })
			f.drop("records/comparisons/")
		}, "comparisons"},
		"a blob that no record names": {func(t *testing.T, f *forged) { f.add("blobs/"+hexSum([]byte("x")), []byte("x")) }, "named by no record"},
		"a name that climbs":          {func(t *testing.T, f *forged) { f.rename("result.json", "../result.json") }, "not allowed"},
		"a file beside the table":     {func(t *testing.T, f *forged) { write(t, filepath.Join(f.dir, "more"), []byte("x")); f.keep = true }, "not in the bundle's table"},
		"a link": {func(t *testing.T, f *forged) {
			path := filepath.Join(f.dir, "result.json")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/etc/hostname", path); err != nil {
				t.Fatal(err)
			}
			f.keep = true
		}, "regular file"},
		"a folder that is a link": {func(t *testing.T, f *forged) {
			link := f.dir + "-link"
			if err := os.Symlink(f.dir, link); err != nil {
				t.Fatal(err)
			}
			f.dir, f.keep = link, true
		}, "no folder"},
		"a pipe": {func(t *testing.T, f *forged) {
			path := filepath.Join(f.dir, "result.json")
			if err := errors.Join(os.Remove(path), exec.Command("mkfifo", path).Run()); err != nil {
				t.Fatal(err)
			}
			f.keep = true
		}, "regular file"},
		"a folder beside the table": {func(t *testing.T, f *forged) {
			if err := os.MkdirAll(filepath.Join(f.dir, "a", "b"), 0o755); err != nil {
				t.Fatal(err)
			}
			f.keep = true
		}, "holds no member"},
		"a record from the future": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Time = r.Time.AddDate(50, 0, 0) })
		}, "its time is"},
		"a record from long ago, to be the first": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Time = r.Time.AddDate(-1, 0, 0) })
		}, "its time is"},
		"another commit": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Code.Commit = strings.Repeat("a", 40) })
		}, "it was made at"},
		"a run that failed": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Status = "failed" })
		}, "went well"},
		"a note for the page": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Environment = strings.Repeat("x", 1000) })
		}, "environment"},
		"timings that are no numbers": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Timings.Total = math.NaN() })
		}, "timings"},
		"features that the model has not": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Features = append(r.Features, "secret") })
		}, "features"},
		"details that the rows do not give": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Detail = f.blob([]byte(`{"schema":"plumb.detail/v1"}`), r.Detail) })
		}, "details"},
		"a model that is none": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Artifact = f.blob([]byte(`{"format":"plumb.glm/1"}`), r.Artifact) })
		}, "can't be read"},
		"a pointer into another's objects": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Artifact.OID = strings.Repeat("a", 40) })
		}, "pointer"},
		"two runs of one digest": {func(t *testing.T, f *forged) {
			f.again("runs/", func(r any) any { run := *r.(*record.Run); run.Timings.Total++; return run })
		}, "two runs"},
		"some rows left out": {func(t *testing.T, f *forged) {
			f.evaluation(func(e *record.Evaluation) { *e = firstRows(*e, len(e.RowID)-1) })
		}, "rows"},
		"rows of base left out": {func(t *testing.T, f *forged) {
			f.base(func(e *record.Evaluation) { *e = firstRows(*e, len(e.RowID)/2) })
		}, "rows"},
		"scores of base that its model did not give": {func(t *testing.T, f *forged) {
			f.base(func(e *record.Evaluation) { e.Scores[0][0] = 1 - e.Scores[0][0] })
		}, "its scores are not those of the model"},
		"a method that was not needed": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Method = "stored" })
		}, "can be re-scored"},
		"no method": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Method = "" })
		}, "can be re-scored"},
		"base's run as head's": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Head.Run, c.Head.Evaluation = c.Base.Run, c.Base.Evaluation })
		}, "names a run of the ledger"},
		"a run of the ledger that is another's": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Base.Run = "20010630T120000Z-0123456789ab" })
		}, "may stand for"},
		"rows left out that were not": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.LeftOut = 7 })
		}, "verdict or numbers"},
		"somebody's name": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Head.Who = "@ann" })
		}, "verdict or numbers"},
		"another threshold": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Base.Threshold = 0.9 })
		}, "verdict or numbers"},
		"an exit that the gates do not give": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Exit = 1 })
		}, "exit"},
		"data that were not checked": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Data = append(ci.Data, record.DataChange{Dataset: "rows"}) })
		}, "data"},
		"steps that the flow has not": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Steps[0].Name = "nothing to see here" })
		}, "step 1"},
		"another head":  {func(t *testing.T, f *forged) { f.table.Head = strings.Repeat("1", 40) }, "head"},
		"another event": {func(t *testing.T, f *forged) { f.table.Event = "push" }, "push"},
	} {
		t.Run(name, func(t *testing.T) {
			f := forge(t, copied(t, good))
			c.spoil(t, f)
			f.sign()
			if errs := refused(t, dir, f.dir, name); !strings.Contains(errs, c.says) {
				t.Errorf("the reason does not say %q: %s", c.says, errs)
			}
		})
	}
	t.Run("untouched", func(t *testing.T) {
		f := forge(t, copied(t, good))
		f.sign()
		if exit, _, errs := publish(dir, f.dir); exit != 0 {
			t.Fatalf("exit %d: %s", exit, errs)
		}
		if tip(t, dir) == "" {
			t.Error("nothing was recorded")
		}
	})
}

// proposal is a project with a better experiment on a branch, and the bundle of measuring it.
func proposal(t *testing.T) (dir, bundle string) {
	t.Helper()
	dir = sampleProject(t)
	proposeBetter(t, dir)
	return dir, measured(t, dir)
}

// proposeBetter commits a better experiment as the champion, on a branch.
func proposeBetter(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "checkout", "-q", "-b", "topic")
	write(t, filepath.Join(dir, "experiments", "better.toml"), []byte("schema = 1\nmodel = \"toy\"\nextends = \"baseline\"\n[features]\nuse = [\"weak\", \"strong\"]\n"))
	model, err := os.ReadFile(filepath.Join(dir, "models", "toy.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "models", "toy.toml"), []byte(strings.Replace(string(model), `"baseline"`, `"better"`, 1)))
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "-m", "topic")
}

// measured is the bundle of what is checked out.
func measured(t *testing.T, dir string) string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "bundle")
	if exit, _, errs := call(dir, "ci", "--event", "pull_request", "--base", "main", "--bundle", bundle); exit != 0 {
		t.Fatalf("measuring: exit %d: %s", exit, errs)
	}
	return bundle
}

// publish says itself what the event is: the bundle must agree.
func publish(dir, bundle string) (int, string, string) {
	return call(dir, "publish", bundle, "--event", "pull_request", "--base", "main", "--head", "topic")
}

func refused(t *testing.T, dir, bundle, what string) string {
	t.Helper()
	before := tip(t, dir)
	exit, _, errs := publish(dir, bundle)
	if exit != 3 || errs == "" {
		t.Errorf("%s: exit %d, want 3: %s", what, exit, errs)
	}
	if after := tip(t, dir); after != before {
		t.Fatalf("%s: the ledger moved from %q to %q", what, before, after)
	}
	return errs
}

func tip(t *testing.T, dir string) string {
	return git(t, dir, "for-each-ref", "--format=%(objectname)", "refs/heads/plumb/")
}
