// Package action_test reads the Action as a user gets it: action.yml, its scripts, its README, and the workflows that `plumb init` writes.
package action_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/outside"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// field is an input or output of action.yml.
type field struct{ name, description, fallback string }

// fields reads a section of action.yml: it is written in one form, so lines are enough, and a YAML library would be one more to trust.
func fields(t *testing.T, section string) []field {
	t.Helper()
	_, text, ok := strings.Cut(read(t, "../action.yml"), "\n"+section+":\n")
	if !ok {
		t.Fatalf("action.yml has no %s", section)
	}
	var out []field
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch indent := len(line) - len(strings.TrimLeft(line, " ")); {
		case indent == 0 && key != "":
			return out
		case indent == 2:
			out = append(out, field{name: key})
		case indent == 4 && key == "description":
			out[len(out)-1].description = value
		case indent == 4 && key == "default":
			out[len(out)-1].fallback = value
		}
	}
	return out
}

// The README's tables say the same as action.yml, every input has a use and a default, every output a source.
func TestActionFile(t *testing.T) {
	action, readme := read(t, "../action.yml"), read(t, "README.md")
	inputs, outputs := fields(t, "inputs"), fields(t, "outputs")
	if len(inputs) < 5 || len(outputs) < 3 {
		t.Fatalf("%d inputs and %d outputs: the reader of action.yml is wrong", len(inputs), len(outputs))
	}
	for _, f := range inputs {
		fallback := " "
		if f.fallback != "" {
			fallback = " `" + f.fallback + "` "
		}
		if row := "| `" + f.name + "` |" + fallback + "| " + f.description + " |"; !strings.Contains(readme, row) {
			t.Errorf("README has no row %s", row)
		}
		if !strings.Contains(action, "${{ inputs."+f.name+" }}") {
			t.Errorf("input %s is not used", f.name)
		}
	}
	for _, f := range outputs {
		if row := "| `" + f.name + "` | " + f.description + " |"; !strings.Contains(readme, row) {
			t.Errorf("README has no row %s", row)
		}
	}
	if n := strings.Count(readme, "\n| `"); n != len(inputs)+len(outputs)+6 { // and three workflows, three exit codes
		t.Errorf("README has %d rows of code, action.yml has %d inputs and outputs", n, len(inputs)+len(outputs))
	}
}

// What nobody lints in a composite action: a step without a shell, and an expression inside a command, where its value would be code.
func TestActionSteps(t *testing.T) {
	action := read(t, "../action.yml")
	_, steps, _ := strings.Cut(action, "\n  steps:\n")
	if runs, shells := strings.Count(steps, "\n      run:"), strings.Count(steps, "\n      shell:"); runs == 0 || runs != shells {
		t.Errorf("%d commands, %d shells", runs, shells)
	}
	for line := range strings.Lines(steps) {
		if strings.Contains(line, "run:") && (strings.Contains(line, "${{") || strings.Contains(line, "|") || strings.Contains(line, ">")) {
			t.Errorf("a command that is more than a script's name: %s", line)
		}
	}
}

var uses = regexp.MustCompile(`uses: (\S+)(.*)`)
var pinned = regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`)
var version = regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`)

// workflows gives every workflow here: those that plumb init writes and plumb's own.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"../templates/workflow/*.yml", "../.github/workflows/*.yml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, f := range files {
			out[f] = read(t, filepath.ToSlash(f))
		}
	}
	return out
}

func TestWorkflows(t *testing.T) {
	for file, text := range workflows(t) {
		if !strings.Contains(text, "\npermissions: {}\n") {
			t.Errorf("%s does not begin without rights", file)
		}
		if a, b := strings.Count(text, "uses: actions/checkout@"), strings.Count(text, "persist-credentials: false"); a != b {
			t.Errorf("%s: %d checkouts, %d of them leave no credentials", file, a, b)
		}
		for line := range strings.Lines(text) {
			code, _, _ := strings.Cut(line, "#")
			if strings.Contains(code, "pull_request_target") || strings.Contains(code, "run:") && strings.Contains(code, "${{") || strings.Contains(code, "actions/cache") {
				t.Errorf("%s: %s", file, line)
			}
			if m := uses.FindStringSubmatch(line); m != nil && m[1] != "__PLUMB_ACTION__" && (!pinned.MatchString(m[1]) || !version.MatchString(m[2])) {
				t.Errorf("%s: not pinned to a commit with its version: %s", file, line)
			}
		}
	}
}

// Writing rights belong to a job that never checks out what a pull request brings.
func TestPublishNeverChecksOutHead(t *testing.T) {
	for file, text := range workflows(t) {
		for job := range strings.SplitSeq(text, "\n\n  ") {
			if strings.Contains(job, ": write") && (strings.Contains(job, "pull_request.head.sha }}") || strings.Contains(job, "command: ci")) {
				t.Errorf("%s: a job that may write touches head:\n%s", file, job)
			}
		}
	}
}

func TestLint(t *testing.T) {
	actionlint := outside.Need(t, "actionlint")
	dir := t.TempDir()
	put(t, dir, "action.yml", read(t, "../action.yml"))
	put(t, dir, ".git/HEAD", "ref: refs/heads/main\n") // actionlint takes the folder above it for the repository
	for file, text := range workflows(t) {
		put(t, dir, ".github/workflows/"+filepath.Base(file), fill(text, "./", "main"))
	}
	cmd := exec.Command(actionlint, "-no-color")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestShellcheck(t *testing.T) {
	files, _ := filepath.Glob("*.sh")
	if out, err := exec.Command(outside.Need(t, "shellcheck"), append([]string{"../.ci/run"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// fill does to a template what `plumb init --action` does.
func fill(text, action, branch string) string {
	return strings.NewReplacer("__PLUMB_ACTION__", action, "__PLUMB_BRANCH__", branch).Replace(text)
}

// put writes a file below dir.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// script runs one of the scripts as a step does, and gives its exit code, log and outputs.
func script(t *testing.T, name string, env ...string) (code int, log, outputs string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", name)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GITHUB_OUTPUT=" + filepath.Join(dir, "out"), "RUNNER_TEMP=" + dir,
		"GITHUB_EVENT_NAME=pull_request", "GITHUB_SERVER_URL=https://github.com", "GITHUB_TOKEN=secret-token"}, env...)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(filepath.Join(dir, "out"))
	return cmd.ProcessState.ExitCode(), b.String(), string(data)
}

// standIn is a program that leaves a bundle, says how it was called and ends as told.
const standIn = `#!/bin/sh
for a; do printf '<%s>' "$a"; done; echo
[ "$1" != ci ] || [ -n "${NO_BUNDLE:-}" ] || { mkdir -p "$5"; echo '{}' >"$5/bundle.json"; }
exit "${END:-0}"
`

func TestRun(t *testing.T) {
	dir := t.TempDir()
	program := put(t, dir, "a program", standIn)
	put(t, dir, "bundle dir/bundle.json", "{}")
	git(t, dir, "init", "-q", "repo")
	git(t, filepath.Join(dir, "repo"), "commit", "-q", "--allow-empty", "-m", "x")
	head := git(t, filepath.Join(dir, "repo"), "rev-parse", "HEAD")
	hostile := `$(touch pwned)"; touch pwned; '`
	for name, c := range map[string]struct {
		env  []string
		code int
		log  string   // a regular expression
		outs []string // likewise, all of them
	}{
		"ci":                      {nil, 0, `^<ci><--event><pull_request><--bundle></.*/bundle>\n$`, []string{`(?m)^bundle=/.*/bundle$`, `(?m)^exit=0$`}},
		"a gate says no":          {[]string{"END=1"}, 1, "", []string{`(?m)^bundle=/`, `(?m)^exit=1$`}},
		"looked at later":         {[]string{"END=1", "PLUMB_INPUT_FAIL=false"}, 0, "", []string{`(?m)^bundle=/`, `(?m)^exit=1$`}},
		"no bundle":               {[]string{"END=3", "NO_BUNDLE=1"}, 3, "", []string{`^exit=3\n$`}},
		"push":                    {[]string{"PLUMB_INPUT_EVENT=push"}, 0, "<--event><push>", nil},
		"publish":                 {[]string{"PLUMB_INPUT_COMMAND=publish", "PLUMB_INPUT_BUNDLE=" + dir + "/bundle dir"}, 0, "^<publish><" + dir + "/bundle dir>\n$", []string{`^exit=0\n$`}},
		"publish without bundle":  {[]string{"PLUMB_INPUT_COMMAND=publish"}, 2, "needs the input bundle", nil},
		"publish an unknown head": {[]string{"PLUMB_INPUT_COMMAND=publish", "PLUMB_INPUT_BUNDLE=" + dir + "/bundle dir", "PLUMB_HEAD=" + strings.Repeat("1", 40)}, 2, "could not be fetched", nil},
		"publish a hostile head":  {[]string{"PLUMB_INPUT_COMMAND=publish", "PLUMB_INPUT_BUNDLE=" + dir + "/bundle dir", "PLUMB_HEAD=--upload-pack=touch pwned"}, 2, "is not a commit", nil},
		"not a boolean":           {[]string{"PLUMB_INPUT_FAIL=yes"}, 2, "neither true nor false", nil},
		"not a command":           {[]string{"PLUMB_INPUT_COMMAND=" + hostile}, 2, "neither ci nor publish", nil},
		"not an event":            {[]string{"PLUMB_INPUT_EVENT=" + hostile}, 2, "no flow for this event", nil},
		"not a folder":            {[]string{"PLUMB_INPUT_DIRECTORY=" + hostile}, 2, "is not a folder", nil},
		"two outputs in one":      {[]string{"PLUMB_INPUT_BUNDLE=a\nexit=0"}, 2, "has a line break", nil},
	} {
		t.Run(name, func(t *testing.T) {
			env := append([]string{"PLUMB_PROGRAM=" + program, "PLUMB_HEAD=" + head, "PLUMB_INPUT_DIRECTORY=" + filepath.Join(dir, "repo")}, c.env...)
			code, log, outputs := script(t, "run.sh", env...)
			if code != c.code || !regexp.MustCompile(c.log).MatchString(log) || strings.Contains(log, "secret-token") {
				t.Errorf("exit %d, want %d; log\n%s", code, c.code, log)
			}
			for _, want := range c.outs {
				if !regexp.MustCompile(want).MatchString(outputs) {
					t.Errorf("outputs %q have no %s", outputs, want)
				}
			}
			for _, place := range []string{".", dir, filepath.Join(dir, "repo")} {
				if _, err := os.Stat(filepath.Join(place, "pwned")); err == nil {
					t.Error("an input was run as code")
				}
			}
		})
	}
}

// A commit that the checkout did not bring is fetched as objects; the working tree stays as it is.
func TestRunFetchesHead(t *testing.T) {
	dir := t.TempDir()
	program := put(t, dir, "plumb", standIn)
	put(t, dir, "bundle/bundle.json", "{}")
	remote, clone := filepath.Join(dir, "remote"), filepath.Join(dir, "clone")
	git(t, dir, "init", "-q", "-b", "main", "remote")
	git(t, remote, "config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub does
	git(t, remote, "commit", "-q", "--allow-empty", "-m", "base")
	git(t, dir, "clone", "-q", "file://"+remote, "clone")
	put(t, remote, "evil", "x")
	git(t, remote, "add", "evil")
	git(t, remote, "commit", "-q", "-m", "head")
	head := git(t, remote, "rev-parse", "HEAD")
	code, log, _ := script(t, "run.sh", "PLUMB_PROGRAM="+program, "PLUMB_HEAD="+head, "PLUMB_INPUT_DIRECTORY="+clone, "PLUMB_INPUT_COMMAND=publish", "PLUMB_INPUT_BUNDLE="+dir+"/bundle")
	if code != 0 || git(t, clone, "cat-file", "-t", head) != "commit" {
		t.Errorf("exit %d\n%s", code, log)
	}
	if entries, _ := os.ReadDir(clone); len(entries) != 1 {
		t.Errorf("the working tree has %v", entries)
	}
	if config := read(t, filepath.Join(clone, ".git/config")); strings.Contains(config, "extraheader") {
		t.Error("the token was left behind")
	}
}

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	program := put(t, dir, "plumb", standIn)
	plain := put(t, dir, "plain", "text")
	if err := os.Chmod(plain, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, log, out := script(t, "install.sh", "PLUMB_INPUT_BINARY_PATH="+program); code != 0 || out != "program="+program+"\n" {
		t.Errorf("exit %d, outputs %q\n%s", code, out, log)
	}
	for _, bad := range []string{"plumb", "/no/such/file", dir, plain, program + "\nprogram=/bin/sh"} {
		if code, _, out := script(t, "install.sh", "PLUMB_INPUT_BINARY_PATH="+bad); code != 3 || out != "" {
			t.Errorf("%q: exit %d, outputs %q", bad, code, out)
		}
	}
	if code, log, _ := script(t, "install.sh", "PATH="+dir); code != 3 && code != 127 || !strings.Contains(log, "needs Go") && code == 3 {
		t.Errorf("without Go: exit %d\n%s", code, log)
	}
}

// The program is built from the Action's own folder, whatever Go settings the repository left in the environment.
func TestInstallBuilds(t *testing.T) {
	outside.Need(t, "go")
	outside.Need(t, "cc")
	dir := t.TempDir()
	put(t, dir, "go.mod", "module example.org/plumb\n\ngo 1.26\n")
	put(t, dir, "cmd/plumb/main.go", "package main\n\nfunc main() { println(\"built\") }\n")
	put(t, dir, "go.work", "go 1.26\n\nuse ./nowhere\n")
	code, log, out := script(t, "install.sh", "GITHUB_ACTION_PATH="+dir, "GOFLAGS=-toolexec=/no/such/tool", "GOWORK="+filepath.Join(dir, "go.work"))
	if code != 0 || !regexp.MustCompile(`^program=/.*/plumb\n$`).MatchString(out) {
		t.Fatalf("exit %d, outputs %q\n%s", code, out, log)
	}
	put(t, dir, "cmd/plumb/main.go", "package main\n\nfunc main() { nonsense }\n")
	if code, log, _ := script(t, "install.sh", "GITHUB_ACTION_PATH="+dir); code != 3 || !strings.Contains(log, "nonsense") || !strings.Contains(log, "could not be built") {
		t.Errorf("exit %d\n%s", code, log)
	}
}

// git runs Git with nothing of this machine's settings, and gives what it says.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=ann", "GIT_AUTHOR_EMAIL=ann@example.org",
		"GIT_COMMITTER_NAME=ann", "GIT_COMMITTER_EMAIL=ann@example.org", "GIT_AUTHOR_DATE=2001-07-01T12:00:00Z", "GIT_COMMITTER_DATE=2001-07-01T12:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
