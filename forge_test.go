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
			path := filepath.Join(f.dir, filepath.FromSlash(m.Name))
			if err := os.Remove(path); err != nil {
				f.t.Fatal(err)
			}
			for range strings.Count(m.Name, "/") { // and the folders that are empty now
				path = filepath.Dir(path)
				if os.Remove(path) != nil {
					break
				}
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
		path, data, err := record.Encode(change(f.record(m.Name)))
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

// blob adds a blob to the bundle in place of another and points at it.
func (f *forged) blob(data []byte, was record.Pointer) record.Pointer {
	f.drop("blobs/" + was.SHA256)
	now := was
	now.SHA256, now.Bytes = hexSum(data), int64(len(data))
	f.add("blobs/"+now.SHA256, data)
	return now
}

// again adds a record beside the one below prefix.
func (f *forged) again(prefix string, change func(any) any) {
	for _, m := range f.table.Members {
		if !strings.HasPrefix(m.Name, "records/"+prefix) {
			continue
		}
		path, data, err := record.Encode(change(f.record(m.Name)))
		if err != nil {
			f.t.Fatal(err)
		}
		f.add("records/"+path, data)
		return
	}
}

func (f *forged) record(member string) any {
	data, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(member)))
	if err != nil {
		f.t.Fatal(err)
	}
	r, err := record.Decode(strings.TrimPrefix(member, "records/"), data)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// base changes base's rows as scored, and makes the pointers agree.
func (f *forged) base(change func(*record.Evaluation)) {
	f.comparison(func(c *record.Comparison) { c.Base.Evaluation = f.rewrite(c.Base.Evaluation, change) })
}

// rewrite changes an evaluation of the bundle.
func (f *forged) rewrite(was record.Pointer, change func(*record.Evaluation)) record.Pointer {
	ctx := context.Background()
	db, err := engine.Open(ctx, engine.Options{Read: []string{f.dir}, Temp: f.t.TempDir()})
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
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
	now := f.blob(data, was)
	now.Rows = int64(len(e.RowID))
	return now
}

// firstRows keeps the first n rows.
func firstRows(e record.Evaluation, n int) record.Evaluation {
	e.Part, e.RowID, e.Label, e.Scores = e.Part[:n], e.RowID[:n], e.Label[:n], [][]float64{e.Scores[0][:n]}
	if e.Group != nil {
		e.Group = e.Group[:n]
	}
	for name := range e.Slices {
		e.Slices[name] = e.Slices[name][:n]
	}
	return e
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

// evaluation changes the run's evaluation, and makes every pointer agree with it.
func (f *forged) evaluation(change func(*record.Evaluation)) {
	var now record.Pointer
	f.run(func(r *record.Run) {
		now = f.rewrite(r.Evaluation, change)
		r.Evaluation = now
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
