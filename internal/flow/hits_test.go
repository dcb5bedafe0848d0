package flow

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestUsable holds which runs of one digest stand for it: those of other pull requests once the digest is on the intent branch, and none of them
// when they contradict each other. A bug let the first to record a copied proposal decide what is served.
func TestUsable(t *testing.T) {
	type made struct {
		pullRequest int
		auc         float64
		status      string
	}
	ok := func(pr int, auc float64) made { return made{pr, auc, "ok"} }
	for name, c := range map[string]struct {
		runs []made
		by   seeker
		want []int // pull requests of the runs that count, in order
	}{
		"own pull request":               {[]made{ok(7, 0.6)}, seeker{pullRequest: 7}, []int{7}},
		"another's":                      {[]made{ok(8, 0.6)}, seeker{pullRequest: 7}, nil},
		"a laptop's branch":              {[]made{ok(8, 0.6)}, seeker{}, nil},
		"another's, now on main":         {[]made{ok(8, 0.6)}, seeker{pullRequest: 7, onIntent: true}, []int{8}},
		"two that agree":                 {[]made{ok(8, 0.6), ok(9, 0.6)}, seeker{onIntent: true}, []int{8, 9}},
		"two that contradict":            {[]made{ok(8, 0.6), ok(9, 0.9)}, seeker{onIntent: true}, nil},
		"two that contradict and a push": {[]made{ok(8, 0.6), ok(9, 0.9), ok(0, 0.6)}, seeker{onIntent: true}, []int{0}},
		"one that failed":                {[]made{{0, 0.6, "failed"}}, seeker{onIntent: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if out, err := exec.Command("git", "init", "-q", "-b", "main", dir).CombinedOutput(); err != nil {
				t.Fatal(string(out))
			}
			repo, err := gitdb.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			l, err := ledger.Open(repo, ledger.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var files []ledger.File
			key := ""
			for n, m := range c.runs {
				run := record.Run{Header: record.Header{Time: time.Unix(int64(1e9+n), 0), Actor: record.ActorCI, By: record.By{PullRequest: m.pullRequest}},
					Experiment: "one", Model: "a", Status: m.status, Inputs: record.Inputs{"seed": int64(1)},
					Result: record.Result{Metrics: map[string]float64{"auc": m.auc}}}
				path, data, err := record.Encode(&run)
				if err != nil {
					t.Fatal(err)
				}
				key = run.Inputs.Key()
				files = append(files, ledger.File{Path: path, Data: data})
			}
			if _, err := l.Append(t.Context(), func(*ledger.View) ([]ledger.File, error) { return files, nil }); err != nil {
				t.Fatal(err)
			}
			v, err := l.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, run := range usable(v, key, c.by) {
				got = append(got, run.By.PullRequest)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

// TestRecordable holds what a pull request may record, and that a command of head leaves no other run of its job to be believed.
func TestRecordable(t *testing.T) {
	command := "schema = 1\nmodel = \"a\"\nhypothesis = \"It helps.\"\n[features]\nuse = [\"x\"]\n[train]\nlearner = \"command\"\n" +
		"command = [\"python\", \"NAME.py\"]\ncode = [\"NAME.py\"]\nlock = \"uv.lock\"\n"
	with := func(name string) edits {
		return edits{"experiments/" + name + ".toml": strings.ReplaceAll(command, "NAME", name), name + ".py": "print(1)\n", "uv.lock": "x"}
	}
	plain := edits{"experiments/new.toml": experimentOf("a", "k")}
	twice := edits{"experiments/new.toml": experimentOf("a", "k"), "experiments/newer.toml": experimentOf("a", "k")}
	join := func(all ...edits) edits {
		out := edits{}
		for _, e := range all {
			for k, v := range e {
				out[k] = v
			}
		}
		return out
	}
	for name, c := range map[string]struct {
		change edits
		want   string
	}{
		"nothing":                          {edits{}, ""},
		"a new experiment":                 {plain, "new"},
		"the same under two names":         {twice, "new,newer"},
		"a champion that base has":         {edits{"models/a.toml": modelOf("two")}, ""},
		"a command alone":                  {with("cmd"), "cmd"},
		"a command beside a built-in":      {join(with("cmd"), plain), "cmd"},
		"two commands":                     {join(with("cmd"), with("dmc")), ""},
		"two commands beside a built-in":   {join(with("cmd"), with("dmc"), plain), ""},
		"base's champion under a new name": {edits{"experiments/copy.toml": experimentOf("a", "x")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			base, head := treeOf(t, baseTree, true), treeOf(t, c.change.apply(t, baseTree), true)
			var got []string
			for _, ids := range recordable("pull_request", base, head) {
				got = append(got, ids...)
			}
			if list := strings.Join(union2(got, nil), ","); list != c.want {
				t.Errorf("got %q, want %q", list, c.want)
			}
		})
	}
}

func TestWhyStage(t *testing.T) {
	staged := []record.Stage{{Version: 3, Inputs: "new"}, {Version: 1, Inputs: "old"}}
	for name, c := range map[string]struct {
		stages []record.Stage
		p      pending
		staged bool
	}{
		"never":               {nil, pending{digest: "new"}, false},
		"the same":            {staged[:1], pending{digest: "new"}, true},
		"changed":             {staged[:1], pending{digest: "newer"}, false},
		"pinned":              {staged[:1], pending{digest: "new", pin: 1}, false},
		"pinned already":      {staged, pending{digest: "new", pin: 1}, true},
		"the pin taken away":  {staged, pending{digest: "new"}, false},
		"reverted to the pin": {staged, pending{digest: "old"}, true},
	} {
		if why := whyStage(c.stages, c.p); (why == "") != c.staged {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// TestUntrustedParquet holds that a small file that stands for much is refused before it is read.
func TestUntrustedParquet(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db, err := engine.Open(ctx, engine.Options{Read: []string{dir}, Temp: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := &workshop{db: db, dir: dir}
	const row = "'test' as part, i as row_id, (i % 2)::bigint as label, 0.5::double as score"
	for name, c := range map[string]struct{ sql, says string }{
		"as wanted":          {"select " + row + " from range(1000) t(i)", ""},
		"more rows":          {"select " + row + " from range(1000000) t(i)", "there should be 1000"},
		"one text, repeated": {"select " + row + ", repeat('x', 1000000) as slice_a from range(1000) t(i)", "texts have"},
		"many columns":       {"select " + row + strings.Repeat(", 1 as c", 600) + " from range(1000) t(i)", "too many"},
		"another column":     {"select " + row + ", 1 as more from range(1000) t(i)", "not one of an evaluation"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "made.parquet")
			sql := c.sql
			for n := 0; strings.Contains(sql, " as c,"); n++ {
				sql = strings.Replace(sql, " as c,", " as c"+string(rune('a'+n/26%26))+string(rune('a'+n%26))+",", 1)
			}
			if err := db.Exec(ctx, "copy ("+sql+") to '"+path+"' (format parquet, compression zstd)"); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.untrusted(ctx, data, record.TaskBinary, 1000)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%d bytes: %v, want %q", len(data), err, c.says)
			}
		})
	}
	if _, err := w.untrusted(ctx, []byte("PAR1 and no more"), record.TaskBinary, 1000); err == nil {
		t.Error("no Parquet is accepted")
	}
}
