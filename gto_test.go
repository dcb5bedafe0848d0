package plumb_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/outside"
	"github.com/plumb-ml/plumb/internal/record"
)

// TestGTOReadsPlumb writes a registry with plumb and reads it with the real `gto show` and `gto history`: every field that both have is equal.
func TestGTOReadsPlumb(t *testing.T) {
	gto := gtoProgram(t)
	t.Parallel() // GTO starts slowly, and its clock ticks in seconds
	dir := sampleProject(t)
	push := func(day int) {
		if exit, _, errs := call(dir, "ci", "--event", "push", "--publish", "--now", fmt.Sprintf("2024-03-%02dT10:00:00Z", day)); exit != 0 {
			t.Fatal(errs)
		}
	}
	push(1)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("experiments/better.toml", "schema = 1\nmodel = \"toy\"\nextends = \"baseline\"\n[features]\nuse = [\"weak\", \"strong\"]\n")
	plumbCall(t, dir, "promote", "better")
	gitCommit(t, dir, "better")
	push(2)
	plumbCall(t, dir, "promote", "baseline")
	gitCommit(t, dir, "back")
	push(3)
	plumbCall(t, dir, "promote", "better", "--version", "2", "--stage", "staging", "--why", "load test", "--now", "2024-03-04T10:00:00Z")
	sameRegistry(t, gto, dir)
}

// TestPlumbReadsGTO writes registries with the real GTO and reads them with plumb.
func TestPlumbReadsGTO(t *testing.T) {
	gto := gtoProgram(t)
	t.Parallel() // GTO starts slowly, and its clock ticks in seconds
	dir := sampleProject(t)
	git(t, dir, "config", "user.name", "Ann")
	git(t, dir, "config", "user.email", "ann@example.org")
	do := func(args ...string) {
		t.Helper()
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1100 * time.Millisecond))) // GTO tells what happened in one second apart by kind alone
		cmd := exec.Command(gto, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("gto %v: %v\n%s", args, err, out)
		}
	}
	do("register", "churn")
	gitCommit(t, dir, "two")
	do("register", "churn", "--bump-minor")
	do("assign", "churn", "--version", "v0.0.1", "--stage", "prod")
	do("assign", "churn", "--version", "v0.1.0", "--stage", "prod")
	do("assign", "churn", "--version", "v0.1.0", "--stage", "dev", "--simple", "true")
	gitCommit(t, dir, "three")
	do("assign", "other", "HEAD", "--stage", "prod") // registers v0.0.1 on the way
	do("register", "models/risk:ltv")
	sameRegistry(t, gto, dir)
	do("deprecate", "churn", "v0.1.0", "prod") // unassigned: v0.0.1 again
	do("deprecate", "other", "v0.0.1")         // deregistered
	do("deprecate", "models/risk:ltv")
	git(t, dir, "tag", "churn@v9.9.9")                // not annotated: none of the registry's
	git(t, dir, "tag", "-a", "-m", "x", "v1.0.0")     // of another grammar
	git(t, dir, "tag", "-a", "-m", "x", "a@b@v1.0.0") // begins like the tag of a model a
	sameRegistry(t, gto, dir)

	var at record.ModelsAt
	plumbJSON(t, dir, &at, "models", "at", time.Now().UTC().Format(time.DateOnly), "churn")
	var prod []string
	for _, h := range at.Held {
		if h.Stage == "prod" {
			prod = append(prod, h.Version)
		}
	}
	if want := []string{"v0.0.1", "v0.1.0", "v0.0.1"}; !slices.Equal(prod, want) {
		t.Errorf("prod held %v today, want %v", prod, want)
	}
}

func gtoProgram(t *testing.T) string {
	gto := outside.Need(t, "gto")
	out, err := exec.Command(filepath.Join(filepath.Dir(resolved(t, gto)), "python"), "-c", "import gto; print(gto.__version__)").Output()
	if err != nil {
		out = []byte("of unknown version")
	}
	t.Logf("gto %s", strings.TrimSpace(string(out)))
	return gto
}

func resolved(t *testing.T, path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// sameRegistry compares `gto history`, `gto show` and `gto show NAME` with what plumb says.
func sameRegistry(t *testing.T, gto, dir string) {
	t.Helper()
	ask := func(into any, args ...string) {
		t.Helper()
		cmd := exec.Command(gto, append(args, "--json")...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, into)
		}
		if err != nil {
			t.Fatalf("gto %v: %v: %s", args, err, out)
		}
	}
	var history []map[string]any
	ask(&history, "history")
	var ours struct {
		Events []map[string]any `json:"events"`
	}
	plumbJSON(t, dir, &ours, "models", "history")
	sameMaps(t, "history", history, ours.Events)

	var show map[string]struct {
		Version            *string
		Stage              map[string]*string
		Registered, Active bool
	}
	ask(&show, "show")
	var list record.Models
	plumbJSON(t, dir, &list, "models", "list")
	fields := 0
	for _, m := range list.Models {
		theirs, ok := show[m.Model]
		if !ok && m.Active && m.Versions > 0 {
			t.Errorf("gto does not show %s", m.Model)
		}
		if !ok {
			continue // deprecated, or a document alone
		}
		held := map[string]string{}
		for _, s := range m.Stages {
			held[s.Stage] = s.Version
		}
		want := map[string]string{}
		for stage, version := range theirs.Stage {
			if version != nil {
				want[stage] = *version
			}
		}
		if !maps.Equal(held, want) || !reflect.DeepEqual(m.Latest, theirs.Version) || !theirs.Active || !m.Active {
			t.Errorf("%s: plumb says %v latest %v, gto %v latest %v", m.Model, held, m.Latest, want, theirs.Version)
		}
		fields += 2 + len(want)
		delete(show, m.Model)
		sameVersions(t, ask, dir, m.Model)
	}
	if len(show) > 0 {
		t.Errorf("plumb does not list %v", slices.Collect(maps.Keys(show)))
	}
	t.Logf("%d events of %d fields, %d fields of models are equal", len(history), len(history[0]), fields)
}

// sameMaps holds that each object of one list is in the other at its place, with every field.
func sameMaps(t *testing.T, what string, theirs, ours []map[string]any) {
	t.Helper()
	if len(theirs) != len(ours) {
		t.Fatalf("%s: gto has %d entries, plumb %d:\n%v\n%v", what, len(theirs), len(ours), theirs, ours)
	}
	for i := range theirs {
		for key, want := range theirs[i] {
			got, ok := ours[i][key]
			if !ok || !sameField(key, got, want) {
				t.Errorf("%s %d: %s is %v, gto says %v", what, i, key, got, want)
			}
		}
	}
}

func sameField(key string, a, b any) bool {
	if key != "timestamp" && key != "created_at" {
		return reflect.DeepEqual(a, b)
	}
	x, errX := time.Parse(time.RFC3339, fmt.Sprint(a))
	y, errY := time.Parse(time.RFC3339, fmt.Sprint(b))
	return errX == nil && errY == nil && x.Equal(y)
}

func sameVersions(t *testing.T, ask func(any, ...string), dir, model string) {
	t.Helper()
	var theirs []struct {
		Version, Author, Message, Ref string
		CommitHexsha                  string `json:"commit_hexsha"`
		AuthorEmail                   string `json:"author_email"`
		CreatedAt                     string `json:"created_at"`
		IsActive                      bool   `json:"is_active"`
		Discovered                    bool
		Registrations                 []any
		Stages                        []struct{ Stage string }
	}
	ask(&theirs, "show", model)
	var ours record.ModelShown
	plumbJSON(t, dir, &ours, "models", "show", model)
	active := slices.DeleteFunc(slices.Clone(ours.VersionList), func(v record.ModelVersion) bool { return !v.Active })
	i := 0
	for _, v := range theirs {
		if len(v.Registrations) == 0 {
			continue // a commit that has only a stage
		}
		if i >= len(active) {
			t.Fatalf("%s: plumb lacks version %s", model, v.Version)
		}
		o := active[i]
		i++
		stages := []string{}
		for _, s := range v.Stages {
			stages = append(stages, s.Stage)
		}
		slices.Sort(stages)
		got := []any{o.Version, o.Who, o.WhoEmail, o.Message, o.Ref, o.Commit, o.Active, o.Stages}
		want := []any{v.Version, v.Author, v.AuthorEmail, v.Message, v.Ref, v.CommitHexsha, v.IsActive, stages}
		if !reflect.DeepEqual(got, want) || !sameField("created_at", o.Time.Format(time.RFC3339), v.CreatedAt) {
			t.Errorf("%s: plumb says\n%v, gto\n%v", model, got, want)
		}
	}
	if i != len(active) {
		t.Errorf("%s: plumb has %d active versions, gto %d", model, len(active), i)
	}
}

func plumbCall(t *testing.T, dir string, args ...string) {
	t.Helper()
	if exit, out, errs := call(dir, args...); exit != 0 {
		t.Fatalf("plumb %v: exit %d: %s%s", args, exit, out, errs)
	}
}

func plumbJSON(t *testing.T, dir string, into any, args ...string) {
	t.Helper()
	exit, out, errs := call(dir, append(args, "--json")...)
	if exit != 0 {
		t.Fatalf("plumb %v: exit %d: %s", args, exit, errs)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatal(err)
	}
}

// gitCommit commits everything, also nothing.
func gitCommit(t *testing.T, dir, message string) {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "-q", "--allow-empty", "-m", message)
}
