package doc_test

import (
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/plumb-ml/plumb/internal/doc"
)

var builtin = map[string]string{"gbdt": "gbdt/1", "glm": "glm/1"}

// project gives testdata/good with a view in use and a command learner, to be changed by a test.
func project(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	good := os.DirFS("testdata/good")
	err := fs.WalkDir(good, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(good, p)
		out[p] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	put(out, "experiments/view.toml", "schema = 1\nextends = \"baseline\"\n[features]\nuse = [\"distance\", \"hour\", \"origin.mean_delay_12h\"]\n")
	put(out, "experiments/own.toml", `schema = 1
model = "delay"
[features]
use = ["distance"]
[train]
learner = "command"
command = ["python", "train.py"]
code = ["train.py", "src/**"]
lock = "uv.lock"
[params]
rate = 0.1
`)
	for _, file := range []string{"train.py", "src/a.py", "src/deep/b.py", "uv.lock", "other.py"} {
		put(out, file, "# "+file+"\n")
	}
	return out
}

func put(m fstest.MapFS, file, text string) {
	m[file] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
}

// edit replaces text in a file of a copy of the project.
func edit(t *testing.T, m fstest.MapFS, file, old, new string) fstest.MapFS {
	t.Helper()
	out := maps.Clone(m)
	text := string(m[file].Data)
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %q", file, old)
	}
	out[file] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, new, 1)), Mode: m[file].Mode}
	return out
}

func inputs(t *testing.T, m fstest.MapFS, experiment string) map[string]any {
	t.Helper()
	set := doc.Load(m)
	if set.Problems.Errors() > 0 {
		t.Fatal(set.Problems.Text(set.Source))
	}
	in, err := set.Inputs(experiment, 1, builtin)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func changed(a, b map[string]any) []string {
	var out []string
	for name := range a {
		if !reflect.DeepEqual(a[name], b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// TestInputs holds that comments, order and defaults change no digest, and that what decides an outcome changes its own and no other.
func TestInputs(t *testing.T) {
	m := project(t)
	for name, c := range map[string]struct {
		experiment, file, old, new string
		want                       []string
	}{
		"comment":              {"baseline", "models/delay.toml", "task", "# why\ntask", nil},
		"order":                {"baseline", "experiments/baseline.toml", "[train]\nlearner = \"gbdt\"\n\n[params]\nrounds = 200\n", "[params]\nrounds = 200\n[train]\nlearner = \"gbdt\"\n", nil},
		"a default said":       {"baseline", "models/delay.toml", "slices", "threshold = 0.5\nslices", nil},
		"default seed said":    {"baseline", "experiments/baseline.toml", "learner", "seed = 1\nlearner", nil},
		"default repeats said": {"baseline", "experiments/baseline.toml", "learner", "repeats = 1\nlearner", nil},
		"repeats":              {"baseline", "experiments/baseline.toml", "learner", "repeats = 5\nlearner", []string{"experiment"}},
		"slices":               {"baseline", "models/delay.toml", "slices = [\"origin\"]", "slices = [\"destination\"]", nil},
		"group":                {"baseline", "models/delay.toml", "day(date)", "hour(date)", nil},
		"contract":             {"baseline", "models/delay.toml", "0.002", "0.003", nil},
		"champion":             {"baseline", "models/delay.toml", "\"baseline\"", "\"view\"", nil},
		"hypothesis":           {"baseline", "experiments/baseline.toml", "say something", "say nothing", nil},
		"expectation":          {"baseline", "experiments/baseline.toml", "[features]", "[expect.auc]\ngain = 0.01\n[features]", nil},
		"owner":                {"baseline", "datasets/flights.toml", "@ann", "@bo", nil},
		"check":                {"baseline", "datasets/flights.toml", "[column.delay]", "[check.a]\nkind = \"expect_column_to_exist\"\ncolumn = \"delay\"\n[column.delay]", nil},
		"unit":                 {"baseline", "datasets/flights.toml", "late = true", "late = true\nunit = \"min\"", nil},
		"file boundaries":      {"baseline", "datasets/flights.lock.toml", "01.parquet", "02.parquet", nil},
		"view not in use":      {"baseline", "features/origin.toml", "12h\"\n", "13h\"\n", nil},
		"label":                {"baseline", "models/delay.toml", "delay > 15", "delay > 16", []string{"question"}},
		"weight":               {"baseline", "models/delay.toml", "slices", "weight = \"distance\"\nslices", []string{"question"}},
		"split":                {"baseline", "models/delay.toml", "28d", "27d", []string{"question"}},
		"threshold":            {"baseline", "models/delay.toml", "slices", "threshold = \"best:f1\"\nslices", []string{"question"}},
		"known":                {"baseline", "datasets/flights.toml", "minutes(40)", "minutes(41)", []string{"question"}},
		"declared type":        {"baseline", "datasets/flights.toml", "late = true", "late = true\ntype = \"int64\"", []string{"question"}},
		"late":                 {"baseline", "datasets/flights.toml", "[column.delay]", "[column.destination]\nlate = true\n[column.delay]", []string{"question"}},
		"feature":              {"baseline", "experiments/baseline.toml", "\"hour\"]", "\"hour\", \"origin\"]", []string{"experiment"}},
		"order of features":    {"baseline", "experiments/baseline.toml", "\"distance\", \"hour\"", "\"hour\", \"distance\"", []string{"experiment"}},
		"row feature":          {"baseline", "experiments/baseline.toml", "hour(date)", "hour(date) + 1", []string{"experiment"}},
		"param":                {"baseline", "experiments/baseline.toml", "200", "201", []string{"experiment"}},
		"learner":              {"baseline", "experiments/baseline.toml", "gbdt", "glm", []string{"code", "experiment"}},
		"seed":                 {"baseline", "experiments/baseline.toml", "learner", "seed = 2\nlearner", []string{"seed"}},
		"content":              {"baseline", "datasets/flights.lock.toml", "sha256:aa", "sha256:bb", []string{"dataset"}},
		"content under a view": {"view", "datasets/flights.lock.toml", "sha256:aa", "sha256:bb", []string{"dataset", "feature.origin"}},
		"window":               {"view", "features/origin.toml", "12h\"\n", "13h\"\n", []string{"feature.origin"}},
		"inherited param":      {"view", "experiments/baseline.toml", "200", "201", []string{"experiment"}},
		"inherited seed":       {"view", "experiments/baseline.toml", "learner", "seed = 2\nlearner", []string{"seed"}},
		"base's hypothesis":    {"view", "experiments/baseline.toml", "say something", "say nothing", nil},
		"code":                 {"own", "src/deep/b.py", "#", "##", []string{"code"}},
		"code not declared":    {"own", "other.py", "#", "##", nil},
		"lock file":            {"own", "uv.lock", "#", "##", []string{"environment"}},
		"command":              {"own", "experiments/own.toml", "\"python\"", "\"python3\"", []string{"experiment"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := changed(inputs(t, m, c.experiment), inputs(t, edit(t, m, c.file, c.old, c.new), c.experiment))
			if !slices.Equal(got, c.want) {
				t.Errorf("changed %v, want %v", got, c.want)
			}
		})
	}
}

func TestInputNames(t *testing.T) {
	m := project(t)
	for experiment, want := range map[string]string{
		"baseline": "code dataset experiment question seed semantics",
		"view":     "code dataset experiment feature.origin question seed semantics",
		"own":      "code dataset environment experiment question seed semantics",
	} {
		in := inputs(t, m, experiment)
		if got := strings.Join(slices.Sorted(maps.Keys(in)), " "); got != want {
			t.Errorf("%s: %s", experiment, got)
		}
		for name, v := range in {
			if s, ok := v.(string); ok && len(s) != len("sha256:")+64 {
				t.Errorf("%s.%s = %s", experiment, name, s)
			}
		}
	}
}

// TestCodeMode holds that a program made executable, and a file added under a pattern, are changes of code.
func TestCodeMode(t *testing.T) {
	m := project(t)
	before := inputs(t, m, "own")
	executable := maps.Clone(m)
	executable["train.py"] = &fstest.MapFile{Data: m["train.py"].Data, Mode: 0o755}
	added := maps.Clone(m)
	put(added, "src/c.py", "")
	for name, tree := range map[string]fstest.MapFS{"mode": executable, "file": added} {
		if got := changed(before, inputs(t, tree, "own")); !slices.Equal(got, []string{"code"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCodeFilesRefuse(t *testing.T) {
	m := project(t)
	m["src/link.py"] = &fstest.MapFile{Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}
	if _, err := doc.Load(m).CodeFiles("own"); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("a link: %v", err)
	}
	delete(m, "src/link.py")
	delete(m, "train.py")
	if _, err := doc.Load(m).Inputs("own", 1, builtin); err == nil || !strings.Contains(err.Error(), "matches no file") {
		t.Errorf("a pattern without a file: %v", err)
	}
	m = project(t)
	delete(m, "uv.lock")
	if _, err := doc.Load(m).Inputs("own", 1, builtin); err == nil {
		t.Error("a lock that is missing was digested")
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a.py", "a.py", true}, {"a.py", "b/a.py", false}, {"*.py", "a.py", true}, {"*.py", "b/a.py", false}, {"**/*.py", "a.py", true},
		{"**/*.py", "b/c/a.py", true}, {"src/**", "src/a", true}, {"src/**", "src/a/b", true}, {"src/**", "srcs/a", false}, {"src/**/x", "src/x", true},
		{"src/**/x", "src/a/b/x", true}, {"**", "a/b", true}, {"a/*", "a/b/c", false}, {"[", "a", false}, {"", "a", false},
		{strings.Repeat("**/", 30) + "x", strings.Repeat("a/", 60) + "y", false},
	} {
		if got := doc.Match(c.pattern, c.name); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.name, got)
		}
	}
}

func TestHypothesisDigest(t *testing.T) {
	m := project(t)
	of := func(m fstest.MapFS) string { return doc.Load(m).Experiments["baseline"].HypothesisDigest() }
	if of(m) == of(edit(t, m, "experiments/baseline.toml", "say something", "say nothing")) {
		t.Error("another hypothesis has the same digest")
	}
	if of(m) == of(edit(t, m, "experiments/baseline.toml", "[features]", "[expect.auc]\ngain = 0.01\n[features]")) {
		t.Error("another expectation has the same digest")
	}
	if of(m) != of(edit(t, m, "experiments/baseline.toml", "200", "300")) {
		t.Error("a param is no part of the hypothesis")
	}
}

func TestExtends(t *testing.T) {
	set := doc.Load(project(t))
	e := set.Experiments["view"]
	if e.Model != "delay" || e.Train.Learner != "gbdt" || e.Params["rounds"] != int64(200) || e.Features.Row["hour"] != "hour(date)" || len(e.Features.Use) != 3 || e.Hypothesis != "" {
		t.Errorf("%+v", e)
	}
	e.Params["rounds"] = int64(1)
	if set.Experiments["baseline"].Params["rounds"] != int64(200) {
		t.Error("the two share a map")
	}
	uses, err := set.Uses("view")
	want := []doc.Use{{Name: "distance", Kind: "column"}, {Name: "hour", Kind: "row", Expr: "hour(date)"}, {Name: "origin__mean_delay_12h", Kind: "view", View: "origin", Item: "mean_delay_12h"}}
	if err != nil || !reflect.DeepEqual(uses, want) {
		t.Errorf("%v %v", uses, err)
	}
	if v := set.Views("view"); !slices.Equal(v, []string{"origin"}) {
		t.Errorf("views %v", v)
	}
	if c := set.Champions(); !maps.Equal(c, map[string]string{"delay": "baseline"}) {
		t.Errorf("champions %v", c)
	}
}

func TestWithSet(t *testing.T) {
	set := doc.Load(project(t))
	for name, c := range map[string]struct {
		key, value string
		param      any
		bad        bool
	}{
		"whole":           {"rounds", "300", int64(300), false},
		"prefixed":        {"params.rounds", "300", int64(300), false},
		"less whole":      {"rounds", "2.5", 2.5, false},
		"of other type":   {"rounds", "many", nil, true},
		"new":             {"depth", "4", int64(4), false},
		"new text":        {"loss", "log", "log", false},
		"quoted":          {"loss", "\"log\"", "log", false},
		"new truth":       {"flag", "true", true, false},
		"infinite":        {"rate", "inf", nil, true},
		"empty key":       {"", "1", nil, true},
		"of the model":    {"train.command", "sh", nil, true},
		"unknown learner": {"train.learner", "sh", nil, true},
		"dotted":          {"a.b", "1", nil, true},
		"seed text":       {"train.seed", "x", nil, true},
		"bad duration":    {"train.timeout", "x", nil, true},
	} {
		got, err := set.WithSet("baseline", map[string]string{c.key: c.value})
		if (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err == nil && got.Experiments["baseline"].Params[strings.TrimPrefix(c.key, "params.")] != c.param {
			t.Errorf("%s: %v", name, got.Experiments["baseline"].Params)
		}
	}
	got, err := set.WithSet("baseline", map[string]string{"train.seed": "7", "train.learner": "glm", "rounds": "5"})
	if e := got.Experiments["baseline"]; err != nil || e.Train.Seed != 7 || e.Train.Learner != "glm" {
		t.Errorf("%v %+v", err, e)
	}
	if old := set.Experiments["baseline"]; old.Train.Seed != 1 || old.Params["rounds"] != int64(200) {
		t.Error("the set itself was changed")
	}
	if _, err := set.WithSet("nobody", nil); err == nil {
		t.Error("an unknown experiment was set")
	}
	a, _ := set.Inputs("baseline", 1, builtin)
	b, _ := got.Inputs("baseline", 2, builtin)
	if c := changed(a, b); !slices.Equal(c, []string{"code", "experiment", "seed", "semantics"}) {
		t.Errorf("changed %v", c)
	}
}
