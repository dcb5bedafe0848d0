package plumb_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/cli"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestHostileBundlesOfPrograms holds what the publisher takes of a run whose model it can't open: everything but the scores, the model's bytes, the
// log and the curves is made again, and those are bounded.
func TestHostileBundlesOfPrograms(t *testing.T) {
	dir, good := programProposal(t)
	for name, c := range map[string]struct {
		spoil func(*testing.T, *forged)
		says  string
	}{
		"metrics that the scores do not give": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) {
				r.Result.Metrics["auc"] = 0.99
				if err := r.Result.SetDigest(); err != nil {
					t.Fatal(err)
				}
			})
		}, "numbers"},
		"a model digest in the result": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) {
				r.Result.Model = "sha256:" + r.Artifact.SHA256
				if err := r.Result.SetDigest(); err != nil {
					t.Fatal(err)
				}
			})
		}, "numbers"},
		"features that are not the document's": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Features = []string{"strong"} })
		}, "features"},
		"another learner": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Learner = "glm" })
		}, "parameters or hypothesis"},
		"a sandbox of many lines": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Sandbox = strings.Repeat("landlock\x1b[31m", 50) })
		}, "sandbox"},
		"a model of another type": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Artifact.Type = "text/html" })
		}, "pointer"},
		"a file that is said to be a tar": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Artifact.Name = "" })
		}, "pointer"},
		"a log that is not text": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Log = f.blob([]byte("\xff\xfe"), r.Log) })
		}, "log"},
		"a log without end": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Log = f.blob(bytes.Repeat([]byte("x"), 9<<20), r.Log) })
		}, "log"},
		"curves that are none": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) {
				r.Detail = f.blob(detailWith(t, f, r.Detail, record.ReportedCurve{Name: "<script>", Points: []record.ReportedPoint{{}}}), r.Detail)
			})
		}, "curve"},
		"curves without end": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) {
				r.Detail = f.blob(detailWith(t, f, r.Detail, make([]record.ReportedCurve, 40)...), r.Detail)
			})
		}, "curves"},
		"details that the rows do not give": {func(t *testing.T, f *forged) {
			f.run(func(r *record.Run) { r.Detail = f.blob([]byte(`{"schema":"plumb.detail/v1"}`), r.Detail) })
		}, "details"},
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
	t.Run("other curves and another log", func(t *testing.T) { // are the program's word
		f := forge(t, copied(t, good))
		f.run(func(r *record.Run) {
			r.Detail = f.blob(detailWith(t, f, r.Detail, record.ReportedCurve{Name: "mine", Points: []record.ReportedPoint{{Step: 1, Value: 2}}}), r.Detail)
			r.Log = f.blob([]byte("::error::what I say\n"), r.Log)
		})
		f.sign()
		if exit, _, errs := publish(dir, f.dir); exit != 0 {
			t.Fatalf("exit %d: %s", exit, errs)
		}
	})
}

// detailWith is a run's detail with other curves.
func detailWith(t *testing.T, f *forged, was record.Pointer, curves ...record.ReportedCurve) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, "blobs", was.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	var d record.Detail
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	d.Reported = curves
	out, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// programProposal is a project with an experiment on a branch whose learner is the trainer, and the bundle of measuring it.
func programProposal(t *testing.T) (dir, bundle string) {
	t.Helper()
	dir = sampleProject(t)
	git(t, dir, "checkout", "-q", "-b", "topic")
	write(t, filepath.Join(dir, "trainer.lock"), []byte("trainer 1\n"))
	write(t, filepath.Join(dir, "experiments", "program.toml"), []byte(`schema = 1
model = "toy"
extends = "baseline"
[features]
use = ["weak", "strong"]
[train]
learner = "command"
command = ["trainer", "train"]
code = ["trainer.lock"]
lock = "trainer.lock"
format = "csv"
`))
	gitCommit(t, dir, "topic")
	bundle = filepath.Join(t.TempDir(), "bundle")
	var out, errs bytes.Buffer
	if exit := cli.Main([]string{"-C", dir, "ci", "--event", "pull_request", "--base", "main", "--bundle", bundle}, strings.NewReader(""), &out, &errs, os.Environ()); exit != 0 {
		t.Fatalf("measuring: exit %d: %s", exit, errs.String())
	}
	return dir, bundle
}
