package action

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
)

const (
	base  = "aa11bb22cc33dd44ee55aa11bb22cc33dd44ee55"
	head  = "1f0c3b5a7d9e1f0c3b5a7d9e1f0c3b5a7d9e1f0c"
	merge = "cccccccccccccccccccccccccccccccccccccccc"
)

func environment(event, file string, more ...string) []string {
	return append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=" + event, "GITHUB_EVENT_PATH=" + file, "GITHUB_REPOSITORY=ann/flights", "GITHUB_SHA=" + merge,
		"GITHUB_REF=refs/heads/main", "GITHUB_RUN_ID=345", "GITHUB_RUN_NUMBER=6", "GITHUB_ACTOR=ann",
	}, more...)
}

func TestFromEnv(t *testing.T) {
	for _, c := range []struct {
		file, event string
		want        Event // what differs from event to event
		wrong       string
	}{
		{"pull_request", "pull_request", Event{Base: base, Head: head, PullRequest: 12}, ""},
		{"pull_request_fork", "pull_request", Event{Base: base, Head: head, PullRequest: 12, Fork: true}, ""},
		{"pull_request_gone_fork", "pull_request", Event{Base: base, Head: head, PullRequest: 12, Fork: true}, ""},
		{"pull_request_hostile_sha", "pull_request", Event{}, `the head commit is "--upload-pack=id"`},
		{"pull_request_hostile_number", "pull_request", Event{}, "number is 99999999999"},
		{"push", "pull_request", Event{}, "holds no pull request"},
		{"pull_request", "pull_request_target", Event{}, "does not run there"},
		{"push", "push", Event{Base: base, Head: head}, ""},
		{"push_new_branch", "push", Event{Head: head}, ""},
		{"push_deleted", "push", Event{}, "deleted its branch"},
		{"schedule", "schedule", Event{Head: merge}, ""},
		{"workflow_dispatch", "workflow_dispatch", Event{Head: merge}, ""},
		{"workflow_run", "workflow_run", Event{Head: head, PullRequest: 12, Trigger: "pull_request"}, ""},
		{"workflow_run_fork", "workflow_run", Event{Head: head, Fork: true, Trigger: "pull_request"}, ""},
		{"push", "workflow_run", Event{}, "holds no workflow run"},
		{"schedule", "merge_group", Event{Head: merge}, ""},
		{"nothing", "push", Event{}, "no such file"},
	} {
		t.Run(c.event+" "+c.file, func(t *testing.T) {
			got, in, err := FromEnv(environment(c.event, filepath.Join("testdata", "events", c.file+".json")))
			if !in {
				t.Error("not in Actions")
			}
			if c.wrong != "" {
				if problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), c.wrong) || problem.Hint(err) == "" {
					t.Errorf("%v does not say %q", err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			want.Name, want.Repository, want.SHA, want.Ref, want.RunID, want.RunNumber, want.Actor = c.event, "ann/flights", merge, "refs/heads/main", 345, 6, "ann"
			want.APIURL, want.ServerURL, want.RunURL = "https://api.github.com", "https://github.com", "https://github.com/ann/flights/actions/runs/345"
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestOutsideActions(t *testing.T) {
	for _, env := range [][]string{nil, {"GITHUB_ACTIONS=false", "GITHUB_EVENT_NAME=push"}, {"GITHUB_ACTIONS=true", "GITHUB_ACTIONS="}, {"X"}} {
		if e, in, err := FromEnv(env); in || err != nil || e != (Event{}) {
			t.Errorf("%v: %+v %v %v", env, e, in, err)
		}
	}
}

// Every variable that is not what it should be is named, all at once.
func TestHostileEnvironment(t *testing.T) {
	file := filepath.Join("testdata", "events", "push.json")
	_, _, err := FromEnv(environment("push", file, "GITHUB_REPOSITORY=../../user", "GITHUB_REF=refs/heads/a b", "GITHUB_ACTOR=a\n::error::b",
		"GITHUB_API_URL=https://token@evil.example", "GITHUB_SERVER_URL=javascript:alert(1)", "GITHUB_SHA=HEAD"))
	for _, want := range []string{"the repository", "the ref", "the actor", "GITHUB_API_URL", "GITHUB_SERVER_URL", "the commit"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "\n::") {
		t.Errorf("a line of %q is a workflow command", err)
	}
	if _, _, err := FromEnv(environment("push", file, "GITHUB_RUN_NUMBER=1e9", "GITHUB_RUN_ID=-1")); err == nil ||
		!strings.Contains(err.Error(), "GITHUB_RUN_NUMBER") || !strings.Contains(err.Error(), "GITHUB_RUN_ID") {
		t.Errorf("numbers: %v", err)
	}
}

func TestHostileEventFile(t *testing.T) {
	dir := t.TempDir()
	deep := strings.Repeat("[", 100000)
	for name, data := range map[string]string{"empty": "", "deep": `{"x":` + deep, "list": "[]", "number": `{"number":"12"}`, "long": strings.Repeat(" ", eventBytes+1)} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := FromEnv(environment("push", file)); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{"", dir, "/dev/zero"} {
		if _, _, err := FromEnv(environment("push", path)); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func FuzzEvent(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, event := range []string{"pull_request", "push", "workflow_run"} {
			f.Add(event, data)
		}
	}
	file := filepath.Join(f.TempDir(), "event.json")
	f.Fuzz(func(t *testing.T, event string, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		e, _, err := FromEnv(environment(event, file))
		if err != nil {
			return
		}
		if !commitForm.MatchString(e.Head) || e.Base != "" && !commitForm.MatchString(e.Base) || e.PullRequest < 0 || strings.ContainsAny(fmt.Sprint(e), "\n\r\x00") {
			t.Errorf("%+v", e)
		}
	})
}

func TestServerHost(t *testing.T) {
	for env, want := range map[string]string{"": "github.com", "https://ghe.example.org": "ghe.example.org", "https://ghe.example.org:8443/": "ghe.example.org:8443",
		"nonsense": "github.com", "://": "github.com"} {
		if got := ServerHost([]string{"GITHUB_SERVER_URL=" + env}); got != want {
			t.Errorf("ServerHost of %q = %q, want %q", env, got, want)
		}
	}
}
