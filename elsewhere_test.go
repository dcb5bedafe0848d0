package plumb_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// claimRun records, in the clone that is the current folder, a run of an experiment that is not what it says: claim EXPERIMENT HOW.
// It starts from the clone's newest run of that experiment, which it takes away.
func claimRun(ts *testscript.TestScript, _ bool, args []string) {
	ctx, dir := context.Background(), ts.MkAbs(".")
	repo, err := gitdb.Open(dir)
	ts.Check(err)
	led, err := ledger.Open(repo, ledger.Options{})
	ts.Check(err)
	blobs, err := store.Open(repo, "git", store.Options{})
	ts.Check(err)
	v, err := led.Read(ctx)
	ts.Check(err)
	newest := func(experiment string) record.Run {
		var out record.Run
		for _, r := range v.Runs() {
			if r.Experiment == experiment {
				out = r
			}
		}
		if out.ID == "" {
			ts.Fatalf("there is no run of %s", experiment)
		}
		return out
	}
	c := claim{ts: ts, run: newest(args[0]), other: newest("baseline"), store: blobs}
	change, known := claims[args[1]]
	if !known {
		ts.Fatalf("claim does not know %s", args[1])
	}
	ts.Check(run(ts, dir, "git", "update-ref", "-d", "refs/plumb/private"))
	c.run.Time = c.run.Time.Add(time.Second)
	change(&c)
	file, data, err := record.Encode(&c.run)
	ts.Check(err)
	if c.lie != nil {
		data = c.lie(data)
		sum := sha256.Sum256(data)
		file = path.Join(path.Dir(file), fmt.Sprintf("%s-%x.toml", c.run.Time.UTC().Format("20060102T150405Z"), sum[:6]))
	}
	ts.Check(led.AppendPrivate(ctx, []ledger.File{{Path: file, Data: data}}))
}

// claim is a run on its way to a lie.
type claim struct {
	ts         *testscript.TestScript
	run, other record.Run
	store      store.Store
	lie        func(record []byte) []byte
}

func (c *claim) get(p record.Pointer) []byte {
	data, err := c.store.Get(context.Background(), p)
	c.ts.Check(err)
	return data
}

func (c *claim) put(data []byte, like record.Pointer) record.Pointer {
	p, err := c.store.Put(context.Background(), []store.Blob{{Data: data, Type: like.Type, Rows: like.Rows}})
	c.ts.Check(err)
	p[0].Name = like.Name
	return p[0]
}

// model replaces the model, and says so in the result where named is set.
func (c *claim) model(data []byte, named bool) {
	c.run.Artifact = c.put(data, c.run.Artifact)
	if named {
		c.run.Result.Model = "sha256:" + c.run.Artifact.SHA256
	}
}

// claims are ways to lie about a run, by name.
var claims = map[string]func(c *claim){
	"honest":      func(c *claim) {},
	"other-bytes": func(c *claim) { c.model(c.weights(2), false) },
	"other-model": func(c *claim) { c.model(c.weights(2), true) },
	"no-model":    func(c *claim) { c.model([]byte(`{"format":"plumb.glm/1"}`), true) },
	"other-weights": func(c *claim) { // of a program's model
		var weights map[string]float64
		c.ts.Check(json.Unmarshal(c.get(c.run.Artifact), &weights))
		for name := range weights {
			weights[name] = -weights[name]
		}
		data, err := json.Marshal(weights)
		c.ts.Check(err)
		c.model(data, false)
	},
	"no-blob": func(c *claim) { c.run.Artifact.SHA256, c.run.Artifact.OID = strings.Repeat("a", 64), "" },
	"other-features": func(c *claim) { // baseline's model, which saw less
		c.model(c.get(c.other.Artifact), true)
	},
	"other-evaluation": func(c *claim) { c.run.Evaluation = c.other.Evaluation },
	"other-metrics": func(c *claim) {
		c.run.Result.Metrics["auc"] = 0.99
	},
	"other-valid":     func(c *claim) { c.run.Result.Valid["auc"] = 0.99 },
	"other-threshold": func(c *claim) { c.run.Threshold = 0.25 },
	"other-params":    func(c *claim) { c.run.Params = map[string]any{"l2": 7.0} },
	"other-rows":      func(c *claim) { c.run.Rows.Train-- },
	"other-learner":   func(c *claim) { c.run.Learner = "gbdt" },
	"other-task":      func(c *claim) { c.run.Task = "regression" },
	"other-inputs": func(c *claim) { // all of baseline's run, under the digest of the wanted one
		key, honest := c.run.Inputs.Key(), c.other.Inputs.Key()
		name, now := c.run.Experiment, c.run.Time
		c.run = c.other
		c.run.Experiment, c.run.Time = name, now
		c.lie = func(data []byte) []byte { return []byte(strings.Replace(string(data), honest, key, 1)) }
	},
	"edited-number": func(c *claim) { // the digest of the result does not follow
		c.lie = func(data []byte) []byte {
			return []byte(strings.Replace(string(data), "auc = 0.", "auc = 0.9", 1))
		}
	},
}

// weights is the model with every coefficient times so much: the same features, other answers.
func (c *claim) weights(by float64) []byte {
	var m map[string]any
	c.ts.Check(json.Unmarshal(c.get(c.run.Artifact), &m))
	text := string(c.get(c.run.Artifact))
	at := strings.Index(text, `"coefficient":`)
	if at < 0 {
		c.ts.Fatalf("a glm has coefficients: %s", text)
	}
	return []byte(text[:at] + `"coefficient":` + fmt.Sprint(by) + text[at+strings.IndexAny(text[at:], ",}"):])
}

// TestHostileBundlesOfAPersonsRun holds that the publisher lets the model of a run that a person made score the rows itself, and believes neither the
// bundle's scores nor who it says trained it.
func TestHostileBundlesOfAPersonsRun(t *testing.T) {
	dir := sampleProject(t)
	proposeBetter(t, dir)
	if exit, _, errs := call(dir, "run", "better"); exit != 0 {
		t.Fatalf("running: exit %d: %s", exit, errs)
	}
	good := measured(t, dir)
	for name, c := range map[string]struct {
		spoil func(*testing.T, *forged)
		says  string
	}{
		"scores that its model did not give": {func(t *testing.T, f *forged) {
			f.head(func(e *record.Evaluation) { e.Scores[0][0] = 1 - e.Scores[0][0] })
		}, "its scores are not those of the model of run"},
		"labels that are not the data's": {func(t *testing.T, f *forged) {
			f.head(func(e *record.Evaluation) { e.Label[0] = 1 - e.Label[0] })
		}, "labels"},
		"some rows left out": {func(t *testing.T, f *forged) {
			f.head(func(e *record.Evaluation) { *e = firstRows(*e, len(e.RowID)-1) })
		}, "rows"},
		"no rows at all": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { f.drop("blobs/" + c.Head.Evaluation.SHA256) })
		}, "blob"},
		"another run": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Head.Run = c.Base.Run })
		}, "may stand for"},
		"somebody else's name": {func(t *testing.T, f *forged) {
			f.comparison(func(c *record.Comparison) { c.Head.Who = "@bo" })
		}, "verdict or numbers"},
		"runs that a push would have scored": {func(t *testing.T, f *forged) {
			f.result(func(ci *record.CI) { ci.Scored = []string{ci.Comparisons[0].Head.Run} })
		}, "runs_scored"},
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
	})
}

// head changes head's rows as scored, and makes the pointers agree.
func (f *forged) head(change func(*record.Evaluation)) {
	f.comparison(func(c *record.Comparison) { c.Head.Evaluation = f.rewrite(c.Head.Evaluation, change) })
}
