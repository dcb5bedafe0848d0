// Package action is where plumb meets the runner of GitHub Actions: the event that started the job comes in here, and step outputs, summary,
// annotations and folded log lines go out here.
//
// It is the only reader of GITHUB_* variables, and gets them as a list, so that a test is a list too. It does not talk to GitHub (internal/forge does)
// and renders nothing. It never writes GITHUB_ENV or GITHUB_PATH. It stores nothing of its own: it appends to the files that the runner names.
package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// eventBytes is the longest event file that is read: GitHub caps its payloads there.
const eventBytes = 25 << 20

// Event is what started the job. Its texts are checked for their form, so that they can go into a path, an address or an argument.
type Event struct {
	Name        string // pull_request | push | schedule | workflow_dispatch | workflow_run, or another that plumb has no flow for
	Trigger     string // workflow_run: name of the event that started the run which ended
	Repository  string // OWNER/NAME
	SHA         string // what the runner would check out; for a pull request a merge commit that nobody wrote
	Ref         string // refs/heads/main
	Base        string // commit before: of the pull request's base branch, or of the branch before the push; "" when there is none
	Head        string // commit that the event is about
	PullRequest int    // number; 0 when the event is not about one
	Fork        bool   // head is in another repository
	RunID       int64
	RunNumber   int64 // counts the runs of this workflow; another attempt keeps it
	RunURL      string
	APIURL      string
	ServerURL   string
	Actor       string // login
}

// payload is the part of the event file that plumb reads.
type payload struct {
	Number      int    `json:"number"`
	Before      string `json:"before"`
	After       string `json:"after"`
	PullRequest *struct {
		Number int    `json:"number"`
		Base   branch `json:"base"`
		Head   branch `json:"head"`
	} `json:"pull_request"`
	WorkflowRun *struct {
		Event          string      `json:"event"`
		HeadSHA        string      `json:"head_sha"`
		HeadRepository *repository `json:"head_repository"`
		PullRequests   []struct {
			Number int    `json:"number"`
			Head   branch `json:"head"`
		} `json:"pull_requests"`
	} `json:"workflow_run"`
}

type branch struct {
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"` // null when the fork was deleted
}

type repository struct {
	FullName string `json:"full_name"`
}

// ServerHost is the host that the job's token is for: of GITHUB_SERVER_URL, which a person may set too, else github.com.
func ServerHost(env []string) string {
	at, err := url.Parse(orElse(reader(env)("GITHUB_SERVER_URL"), "https://github.com"))
	if err != nil || at.Host == "" {
		return "github.com"
	}
	return at.Host
}

const hint = "run this in a job of GitHub Actions, or give --event, --base and --head"

// FromEnv reads the event that env (as of os.Environ) tells of. It is false, without an error, outside GitHub Actions.
func FromEnv(env []string) (Event, bool, error) {
	get := reader(env)
	if get("GITHUB_ACTIONS") != "true" {
		return Event{}, false, nil
	}
	e := Event{
		Name:       get("GITHUB_EVENT_NAME"),
		Repository: get("GITHUB_REPOSITORY"),
		SHA:        get("GITHUB_SHA"),
		Ref:        get("GITHUB_REF"),
		Actor:      get("GITHUB_ACTOR"),
		APIURL:     orElse(get("GITHUB_API_URL"), "https://api.github.com"),
		ServerURL:  orElse(get("GITHUB_SERVER_URL"), "https://github.com"),
	}
	var errs []error
	e.RunID, errs = number(errs, "GITHUB_RUN_ID", get)
	e.RunNumber, errs = number(errs, "GITHUB_RUN_NUMBER", get)
	if err := errors.Join(errs...); err != nil {
		return Event{}, true, problem.Wrongf(hint, "reading the job's environment: %w", err)
	}
	p, err := readPayload(get("GITHUB_EVENT_PATH"))
	if err != nil {
		return Event{}, true, problem.Wrongf(hint, "reading the event: %w", err)
	}
	if err := e.take(p); err != nil {
		return Event{}, true, err
	}
	if err := e.check(); err != nil {
		return Event{}, true, problem.Wrongf(hint, "reading the event: %w", err)
	}
	if e.RunID > 0 {
		e.RunURL = fmt.Sprintf("%s/%s/actions/runs/%d", strings.TrimSuffix(e.ServerURL, "/"), e.Repository, e.RunID)
	}
	return e, true, nil
}

// reader gives a lookup in env; of two entries the later counts, as it does for a process.
func reader(env []string) func(string) string {
	values := make(map[string]string, len(env))
	for _, entry := range env {
		key, value, _ := strings.Cut(entry, "=")
		values[key] = value
	}
	return func(key string) string { return values[key] }
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// number reads a variable that counts; one that is not set is 0.
func number(errs []error, key string, get func(string) string) (int64, []error) {
	if get(key) == "" {
		return 0, errs
	}
	n, err := strconv.ParseInt(get(key), 10, 64)
	if err != nil || n < 0 {
		return 0, append(errs, fmt.Errorf("%s is %.40q, not a number", key, get(key)))
	}
	return n, errs
}

// readPayload reads the event file. encoding/json bounds the nesting.
func readPayload(path string) (payload, error) {
	var p payload
	if path == "" {
		return p, errors.New("GITHUB_EVENT_PATH is not set")
	}
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return p, errors.New("GITHUB_EVENT_PATH is not a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, eventBytes+1))
	if err != nil {
		return p, err
	}
	if len(data) > eventBytes {
		return p, fmt.Errorf("the event is longer than %d MiB", eventBytes>>20)
	}
	return p, json.Unmarshal(data, &p)
}

// take fills what depends on the kind of event.
func (e *Event) take(p payload) error {
	e.Head = e.SHA
	switch e.Name {
	case "pull_request":
		if p.PullRequest == nil {
			return problem.Wrongf(hint, "reading the event: it holds no pull request")
		}
		e.PullRequest = max(p.Number, p.PullRequest.Number)
		e.Base, e.Head = p.PullRequest.Base.SHA, p.PullRequest.Head.SHA
		e.Fork = e.elsewhere(p.PullRequest.Head.Repo)
	case "push":
		e.Base, e.Head = p.Before, orElse(p.After, e.SHA)
		if zero(e.Head) {
			return problem.Wrongf("run this for pushes that leave a branch", "the push deleted its branch")
		}
		if zero(e.Base) {
			e.Base = ""
		}
	case "workflow_run":
		if p.WorkflowRun == nil {
			return problem.Wrongf(hint, "reading the event: it holds no workflow run")
		}
		run := p.WorkflowRun
		e.Trigger, e.Head, e.Fork = run.Event, run.HeadSHA, e.elsewhere(run.HeadRepository)
		// The list is empty for forks. It also names other pull requests of the same branch: take it only when it leaves no choice.
		if len(run.PullRequests) == 1 && run.PullRequests[0].Head.SHA == run.HeadSHA {
			e.PullRequest = run.PullRequests[0].Number
		}
	case "pull_request_target":
		return problem.Wrongf("use `on: pull_request`; `plumb init --action` writes such a workflow",
			"pull_request_target gives a pull request's code the rights of the base branch: plumb does not run there")
	}
	return nil
}

// elsewhere says whether a head repository is not this one. One that is gone was a fork.
func (e *Event) elsewhere(r *repository) bool {
	return r == nil || !strings.EqualFold(r.FullName, e.Repository)
}

func zero(commit string) bool { return commit != "" && strings.Trim(commit, "0") == "" }

// What the texts of an event look like.
var (
	eventForm      = regexp.MustCompile(`^[a-z_]{1,50}$`)
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	commitForm     = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	refForm        = regexp.MustCompile(`^refs/[^\x00-\x20\x7f~^:?*\[\\]+$`)           // its length is checked beside it: a counted class takes long to build
	loginForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_/-]{0,99}(\[bot\])?$`) // act, which plays workflows on a laptop, calls itself nektos/act
)

const maxText = 1005 // a ref with its "refs/"

// check gathers everything that has not the form it should have.
func (e *Event) check() error {
	var errs []error
	form := func(what, text string, form *regexp.Regexp, optional bool) {
		if (len(text) > maxText || !form.MatchString(text)) && (text != "" || !optional) {
			errs = append(errs, fmt.Errorf("%s is %.80q", what, text))
		}
	}
	form("the event's name", e.Name, eventForm, false)
	form("the trigger's name", e.Trigger, eventForm, e.Name != "workflow_run")
	form("the repository", e.Repository, repositoryForm, false)
	form("the commit", e.SHA, commitForm, false)
	form("the base commit", e.Base, commitForm, e.Name != "pull_request")
	form("the head commit", e.Head, commitForm, false)
	form("the ref", e.Ref, refForm, true)
	form("the actor", e.Actor, loginForm, true)
	for what, text := range map[string]string{"GITHUB_API_URL": e.APIURL, "GITHUB_SERVER_URL": e.ServerURL} {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			errs = append(errs, fmt.Errorf("%s is %.80q", what, text))
		}
	}
	if e.PullRequest < 0 || e.PullRequest > 1<<31-1 || e.Name == "pull_request" && e.PullRequest == 0 {
		errs = append(errs, fmt.Errorf("the pull request's number is %d", e.PullRequest))
	}
	return errors.Join(errs...)
}
