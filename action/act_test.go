package action_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/forge/forgetest"
	"github.com/plumb-ml/plumb/internal/outside"
)

// The workflows play under act, which runs jobs on this machine: nothing of GitHub is there but a small forge for the comments, a bare repository
// as the remote, and three stand-ins for GitHub's own actions. act does not enforce `permissions` and `concurrency`; other tests read those.

const (
	slug   = "ann/orders"
	secret = "job-token-of-the-test"
	number = 12
)

// stage is everything that a played workflow touches.
type stage struct {
	dir     string
	act     string
	program string
	remote  string // the bare repository
	work    string // a clone in which people commit
	forge   *forgetest.Server
	run     int
}

func TestPullRequestUnderAct(t *testing.T) {
	s := newStage(t)
	base := git(t, s.work, "rev-parse", "HEAD")
	s.play(t, "push", strings.Repeat("0", 40), "")
	s.ledgerHas(t, `^runs/baseline/`, `^versions/churn/1\.toml$`, `^stages/churn/production/1\.toml$`)

	git(t, s.work, "checkout", "-q", "-b", "both")
	s.commit(t, "serve both columns", map[string]string{
		"experiments/both.toml": experiment("both", `"x1", "x2"`),
		"models/churn.toml":     model("both"),
	})
	s.play(t, "pull_request", base, "")
	first := s.comment(t, "better")
	s.ledgerHas(t, `^runs/both/`, `^comparisons/churn/`)

	runs := s.runs(t)
	writes := s.forge.Writes()
	s.play(t, "pull_request", base, "")
	if s.comment(t, "better") != first || s.forge.Writes() != writes {
		t.Error("the comment was written again though nothing changed")
	}
	if again := s.runs(t); !slices.Equal(again, runs) {
		t.Errorf("the same pull request ran something again: %v, before: %v", again, runs)
	}

	s.commit(t, "serve noise", map[string]string{
		"experiments/noise.toml": experiment("noise", `"x3"`),
		"models/churn.toml":      model("noise"),
	})
	s.play(t, "pull_request", base, "Job failed") // the gate says no, and the comment says why all the same
	if second := s.comment(t, "worse"); second.ID != first.ID || second.Edits != 1 {
		t.Errorf("another comment: %+v", second)
	}

	git(t, s.work, "reset", "-q", "--hard", "HEAD~1")
	git(t, s.work, "checkout", "-q", "main")
	git(t, s.work, "merge", "-q", "--squash", "both")
	s.commit(t, "merge", nil)
	s.play(t, "push", base, "")
	s.ledgerHas(t, `^versions/churn/2\.toml$`, `^stages/churn/production/2\.toml$`)
	if again := s.runs(t); len(again) != len(runs)+1 { // noise's; what the merge serves was run in the pull request
		t.Errorf("runs after the merge: %v, before: %v", again, runs)
	}
}

// newStage builds plumb, writes the project and starts the forge.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{act: outside.Need(t, "act"), dir: t.TempDir()}
	s.program = filepath.Join(s.dir, "plumb")
	build := exec.Command("go", "build", "-o", s.program, "../cmd/plumb")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building plumb: %v\n%s", err, out)
	}
	s.forge = forgetest.Start(forgetest.Options{Repository: slug, Token: secret})
	t.Cleanup(s.forge.Close)

	s.remote, s.work = filepath.Join(s.dir, "remote.git"), filepath.Join(s.dir, "work")
	git(t, s.dir, "init", "-q", "--bare", "-b", "main", s.remote)
	git(t, s.dir, "clone", "-q", s.remote, s.work)
	git(t, s.work, "checkout", "-q", "-b", "main")
	for _, kind := range []string{"pull-request", "push"} {
		text := fill(read(t, "../templates/workflow/plumb-"+kind+".yml"), "plumb-ml/plumb@"+strings.Repeat("1", 40), "main")
		text = regexp.MustCompile(`(?m)^( +)command: .*$`).ReplaceAllString(text, "$0\n${1}binary-path: "+s.program)
		put(t, s.work, ".github/workflows/plumb-"+kind+".yml", text)
	}
	put(t, s.work, "plumb.toml", "schema = 1\nname = \"orders\"\n")
	put(t, s.work, "data/orders.csv", orders(4000))
	put(t, s.work, "datasets/orders.toml", "schema = 1\n[source]\npath = \"data/orders.csv\"\n")
	put(t, s.work, "models/churn.toml", model("baseline"))
	put(t, s.work, "experiments/baseline.toml", experiment("baseline", `"x1"`))
	pin := exec.Command(s.program, "data", "pin")
	pin.Dir = s.work
	if out, err := pin.CombinedOutput(); err != nil {
		t.Fatalf("pinning: %v\n%s", err, out)
	}
	s.commit(t, "a project", nil)
	s.stub(t, "checkout", `git init -q .
git remote add origin '`+s.remote+`'
git fetch -q --tags origin '+refs/heads/*:refs/remotes/origin/*'
git checkout -q --detach "$INPUT_REF"`)
	s.stub(t, "upload-artifact", `rm -rf '`+s.dir+`/artifact'
cp -R "$INPUT_PATH" '`+s.dir+`/artifact'`)
	s.stub(t, "download-artifact", `mkdir -p "$INPUT_PATH"
cp -R '`+s.dir+`/artifact/.' "$INPUT_PATH"`)
	put(t, s.dir, "actions/plumb/action.yml", read(t, "../action.yml"))
	for _, name := range []string{"install.sh", "run.sh"} {
		put(t, s.dir, "actions/plumb/action/"+name, read(t, name))
	}
	for _, name := range []string{"actrc", "act/actrc"} {
		put(t, s.dir, "xdg/"+name, "")
	}
	return s
}

// stub stands in for one of GitHub's actions.
func (s *stage) stub(t *testing.T, name, script string) {
	t.Helper()
	put(t, s.dir, "actions/"+name+"/action.yml", `name: `+name+`
description: stand-in
inputs:
  ref: { description: ref, required: false }
  path: { description: path, required: false }
runs:
  using: composite
  steps:
    - shell: bash
      env:
        INPUT_REF: ${{ inputs.ref }}
        INPUT_PATH: ${{ inputs.path }}
      run: |
        set -eu
        `+strings.ReplaceAll(script, "\n", "\n        ")+"\n")
}

// commit writes files, commits and pushes the branch that is checked out.
func (s *stage) commit(t *testing.T, message string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		put(t, s.work, name, text)
	}
	git(t, s.work, "add", "-A")
	git(t, s.work, "commit", "-q", "-m", message)
	git(t, s.work, "push", "-q", "-f", "origin", "HEAD")
}

// play runs the workflow of an event from base to what is checked out; fails is what the log says when a job fails, "" when all is well.
func (s *stage) play(t *testing.T, event, base, fails string) {
	t.Helper()
	s.run++
	head := git(t, s.work, "rev-parse", "HEAD")
	side := func(ref, commit string) map[string]any {
		return map[string]any{"ref": ref, "sha": commit, "repo": map[string]any{"full_name": slug}}
	}
	payload := map[string]any{
		"repository": map[string]any{"full_name": slug, "name": "orders", "owner": map[string]any{"login": "ann"}, "default_branch": "main"},
	}
	if event == "push" {
		payload["ref"], payload["before"], payload["after"] = "refs/heads/main", base, head
	} else {
		payload["number"] = number
		payload["pull_request"] = map[string]any{"number": number, "head": side("both", head), "base": side("main", base)}
	}
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(s.dir, fmt.Sprint("root", s.run)) // act takes commit and repository from where it stands
	git(t, s.dir, "clone", "-q", "-s", s.work, root)
	git(t, root, "remote", "set-url", "origin", "https://github.com/"+slug+".git")
	args := []string{
		event, "-e", put(t, s.dir, "event.json", string(data)), "-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "--actor", "ann",
		"-W", ".github/workflows/plumb-" + strings.ReplaceAll(event, "_", "-") + ".yml", "-s", "GITHUB_TOKEN=" + secret,
		"--env", "GITHUB_API_URL=" + s.forge.URL, "--env", fmt.Sprint("GITHUB_RUN_NUMBER=", s.run), "--env", fmt.Sprint("GITHUB_RUN_ID=", 100+s.run),
		"--local-repository", "plumb-ml/plumb@" + strings.Repeat("1", 40) + "=" + filepath.Join(s.dir, "actions", "plumb"),
	}
	for _, m := range uses.FindAllStringSubmatch(read(t, filepath.Join(root, ".github/workflows/plumb-pull-request.yml")), -1) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(m[1], "actions/"), "@"); ok && strings.HasPrefix(m[1], "actions/") {
			args = append(args, "--local-repository", m[1]+"="+filepath.Join(s.dir, "actions", name))
		}
	}
	cmd := exec.Command(s.act, args...)
	cmd.Dir = root
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.dir, "XDG_CONFIG_HOME=" + s.dir + "/xdg", "XDG_CACHE_HOME=" + s.dir + "/xdg",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if text := log.String(); (err == nil) != (fails == "") || !strings.Contains(text, fails) || !strings.Contains(text, "Success - Main Publish") {
		t.Fatalf("run %d: %v, want failure %q and a publish\n%s", s.run, err, fails, text)
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the token is in the log")
	}
}

// comment gives the one comment on the pull request, whose first line must say the verdict.
func (s *stage) comment(t *testing.T, verdict string) forgetest.Comment {
	t.Helper()
	all := s.forge.Comments(number)
	if len(all) != 1 {
		t.Fatalf("%d comments: %+v", len(all), all)
	}
	first, _, _ := strings.Cut(all[0].Body, "\n")
	if !regexp.MustCompile(`\b` + verdict + `\b`).MatchString(first) {
		t.Errorf("the first line does not say %s: %s", verdict, first)
	}
	return all[0]
}

// ledger lists the records on the remote's ledger.
func (s *stage) ledger(t *testing.T) string {
	t.Helper()
	return git(t, s.remote, "ls-tree", "-r", "--name-only", "refs/heads/plumb/ledger")
}

// runs lists the run records on the ledger.
func (s *stage) runs(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(strings.Split(s.ledger(t), "\n"), func(path string) bool { return !strings.HasPrefix(path, "runs/") })
}

func (s *stage) ledgerHas(t *testing.T, patterns ...string) {
	t.Helper()
	paths := s.ledger(t)
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)` + p).MatchString(paths) {
			t.Errorf("the ledger has no %s:\n%s", p, paths)
		}
	}
}

// model and experiment are the project's documents.
func model(champion string) string {
	return `schema = 1
task = "binary"
champion = "` + champion + `"
[question]
dataset = "orders"
label = "y > 0"
split = { by = "hash", key = "id", test = 0.3, valid = 0.2 }
[metric.auc]
level = "gate"
`
}

func experiment(name, columns string) string {
	return `schema = 1
model = "churn"
hypothesis = "` + name + ` says who leaves."
[features]
use = [` + columns + `]
[train]
learner = "glm"
`
}

// orders is a table in which x1 says a little, x2 much and x3 nothing about y. Its numbers come from a generator of its own (Lehmer's), so that no
// other program's random numbers decide a verdict.
func orders(rows int) string {
	state := uint64(20010630)
	uniform := func() float64 {
		state = state * 48271 % 2147483647
		return float64(state) / 2147483647
	}
	var b strings.Builder
	b.WriteString("id,x1,x2,x3,y\n")
	for i := range rows {
		x1, x2, x3 := uniform()*2-1, uniform()*2-1, uniform()*2-1
		y := 0
		if uniform() < 1/(1+math.Exp(-(x1+3*x2))) {
			y = 1
		}
		fmt.Fprintf(&b, "%d,%.6f,%.6f,%.6f,%d\n", i+1, x1, x2, x3, y)
	}
	return b.String()
}
