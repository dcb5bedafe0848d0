package plumb_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/engine"
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
	git(t, dir, "checkout", "-q", "-b", "topic")
	write(t, filepath.Join(dir, "experiments", "better.toml"), []byte("schema = 1\nmodel = \"toy\"\nextends = \"baseline\"\n[features]\nuse = [\"weak\", \"strong\"]\n"))
	model, err := os.ReadFile(filepath.Join(dir, "models", "toy.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "models", "toy.toml"), []byte(strings.Replace(string(model), `"baseline"`, `"better"`, 1)))
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "-m", "topic")
	bundle = filepath.Join(t.TempDir(), "bundle")
	if exit, _, errs := call(dir, "ci", "--event", "pull_request", "--base", "main", "--bundle", bundle); exit != 0 {
		t.Fatalf("measuring: exit %d: %s", exit, errs)
	}
	return dir, bundle
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

// forged is a bundle in the hands of somebody who can write a table that agrees with it.
type forged struct {
	t     *testing.T
	dir   string
	table record.Bundle
	keep  bool // leave the table as it is
}

func forge(t *testing.T, dir string) *forged {
	f := &forged{t: t, dir: dir}
	f.read("bundle.json", &f.table)
	return f
}

func (f *forged) read(name string, into any) {
	data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// sign writes the table anew over the members that there are.
func (f *forged) sign() {
	if f.keep {
		return
	}
	for i := range f.table.Members {
		m := &f.table.Members[i]
		data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(strings.TrimPrefix(m.Name, "../"))))
		if err != nil {
			f.t.Fatal(err)
		}
		m.Bytes, m.SHA256 = int64(len(data)), hexSum(data)
	}
	data, err := json.MarshalIndent(f.table, "", "  ")
	if err != nil {
		f.t.Fatal(err)
	}
	write(f.t, filepath.Join(f.dir, "bundle.json"), append(data, '\n'))
}

func (f *forged) add(name string, data []byte) {
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	write(f.t, path, data)
	f.table.Members = append(f.table.Members, record.Member{Name: name})
}

func (f *forged) drop(prefix string) {
	var kept []record.Member
	for _, m := range f.table.Members {
		if strings.HasPrefix(m.Name, prefix) {
			if err := os.Remove(filepath.Join(f.dir, filepath.FromSlash(m.Name))); err != nil {
				f.t.Fatal(err)
			}
			continue
		}
		kept = append(kept, m)
	}
	f.table.Members = kept
}

func (f *forged) rename(from, to string) {
	for i := range f.table.Members {
		if f.table.Members[i].Name == from {
			f.table.Members[i].Name = to
		}
	}
}

// replace swaps the one record below prefix for what change makes of it.
func (f *forged) replace(prefix string, change func(any) any) {
	for _, m := range f.table.Members {
		if !strings.HasPrefix(m.Name, "records/"+prefix) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(m.Name)))
		if err != nil {
			f.t.Fatal(err)
		}
		r, err := record.Decode(strings.TrimPrefix(m.Name, "records/"), data)
		if err != nil {
			f.t.Fatal(err)
		}
		path, data, err := record.Encode(change(r))
		if err != nil {
			f.t.Fatal(err)
		}
		f.drop(m.Name)
		f.add("records/"+path, data)
		return
	}
	f.t.Fatalf("no record below %s", prefix)
}

func (f *forged) run(change func(*record.Run)) {
	f.replace("runs/", func(r any) any {
		run := *r.(*record.Run)
		change(&run)
		return run
	})
}

func (f *forged) comparison(change func(*record.Comparison)) {
	f.replace("comparisons/", func(r any) any {
		c := *r.(*record.ComparisonRecord)
		change(&c.Comparison)
		f.result(func(ci *record.CI) { ci.Comparisons[0] = c.Comparison })
		return c
	})
}

func (f *forged) result(change func(*record.CI)) {
	var ci record.CI
	f.read("result.json", &ci)
	change(&ci)
	data, err := json.Marshal(ci)
	if err != nil {
		f.t.Fatal(err)
	}
	write(f.t, filepath.Join(f.dir, "result.json"), data)
}

// resign makes the inputs' digest agree with the inputs.
func (f *forged) resign(r *record.Run) {
	delete(r.Inputs, "digest")
	d, err := r.Inputs.Digest()
	if err != nil {
		f.t.Fatal(err)
	}
	r.Inputs["digest"] = d
}

// evaluation changes the run's evaluation, and makes every number and pointer agree with it.
func (f *forged) evaluation(change func(*record.Evaluation)) {
	ctx := context.Background()
	db, err := engine.Open(ctx, engine.Options{Read: []string{f.dir}, Temp: f.t.TempDir()})
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	var was record.Pointer
	var now record.Pointer
	f.run(func(r *record.Run) {
		was = r.Evaluation
		path := filepath.Join(f.dir, "blobs", was.SHA256)
		frame, err := db.Frame(ctx, "select * from read_parquet('"+path+"')")
		if err != nil {
			f.t.Fatal(err)
		}
		e, err := record.EvaluationOf(frame)
		if err != nil {
			f.t.Fatal(err)
		}
		change(&e)
		if err := db.WriteFrame(ctx, e.Frame(), path); err != nil {
			f.t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			f.t.Fatal(err)
		}
		now = record.Pointer{SHA256: hexSum(data), Bytes: int64(len(data)), Type: was.Type, Rows: was.Rows}
		r.Evaluation = now
		f.drop("blobs/" + was.SHA256)
		f.add("blobs/"+now.SHA256, data)
	})
	f.comparison(func(c *record.Comparison) { c.Head.Evaluation = now })
}

// digestOf gives an input digest of an experiment as base has it.
func digestOf(t *testing.T, dir, experiment, input string) string {
	t.Helper()
	_, out, _ := call(dir, "runs", "show", experiment, "--json")
	var shown struct {
		Inputs map[string]any `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatal(err)
	}
	d, ok := shown.Inputs[input].(string)
	if !ok {
		t.Fatalf("no input %s: %s", input, out)
	}
	return d
}

// storedRun makes of a run what claims to be the recorded run of another experiment.
func storedRun(t *testing.T, dir, experiment string, as record.Run) record.Run {
	as.Experiment = experiment
	as.Inputs = record.Inputs{}
	_, out, _ := call(dir, "runs", "show", experiment, "--json")
	var shown struct {
		Inputs map[string]any `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatal(err)
	}
	for k, v := range shown.Inputs {
		if n, ok := v.(float64); ok {
			v = int64(n)
		}
		as.Inputs[k] = v
	}
	return as
}

func members(t *testing.T, dir string) []string {
	var table record.Bundle
	(&forged{t: t, dir: dir}).read("bundle.json", &table)
	var out []string
	for _, m := range table.Members {
		out = append(out, m.Name)
	}
	return out
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
