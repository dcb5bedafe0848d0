// Package forge talks to the place that hosts the repository: today GitHub and GitHub Enterprise Server, and of their interface only what plumb
// writes or needs to know to write it.
//
// It is not a general client: what Git can answer is asked of Git. It reads no environment variable: internal/action does. It renders nothing.
// It stores nothing here; on the forge, one comment a pull request, found again by the hidden mark on its last line:
//
//	<!-- plumb:v1 project=flights head=1f0c… run=12 digest=sha256:… -->
//
// Words before `head=`, `run=` and `digest=` are the comment's identity; run and digest say whether a result is newer or the same.
package forge

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/plumb-ml/plumb/internal/problem"
)

// JobAuthor is who writes with the token that GitHub gives to a job.
const JobAuthor = "github-actions[bot]"

// Options say where to write, and as whom.
type Options struct {
	APIURL     string // https://api.github.com, or https://HOST/api/v3; plain http only on this machine
	Repository string // OWNER/NAME
	Token      string
	Author     string // login that Token writes as; "" asks the forge. Needed for an app's token, which may not ask
}

// Forge is one repository on one host.
type Forge struct {
	client *github.Client
	owner  string
	repo   string
	author string
}

// owners and names are what GitHub allows, and nothing that would climb out of the path they are put into: v62 does not escape them.
var (
	owners = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	names  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

// New checks the options and gives a Forge. It asks nothing of the network.
func New(o Options) (*Forge, error) {
	api, err := apiURL(o.APIURL)
	if err != nil {
		return nil, err
	}
	owner, repo, _ := strings.Cut(o.Repository, "/")
	if !owners.MatchString(owner) || !names.MatchString(repo) || repo == "." || repo == ".." {
		return nil, problem.Wrongf("set GITHUB_REPOSITORY to OWNER/NAME", "%q is not a repository", o.Repository)
	}
	if o.Token == "" || strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, problem.Wrongf("set GITHUB_TOKEN; in a workflow: `GITHUB_TOKEN: ${{ github.token }}`", "there is no usable token")
	}
	client := github.NewClient(&http.Client{
		Transport:     &transport{api: api, token: o.Token, next: plainTransport(), sleep: sleep},
		CheckRedirect: checkRedirect,
	})
	client.BaseURL = api
	return &Forge{client: client, owner: owner, repo: repo, author: o.Author}, nil
}

// apiURL gives the address that every path is relative to: with a slash at its end.
func apiURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	hint := "set GITHUB_API_URL, for instance https://api.github.com"
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, problem.Wrongf(hint, "%q is not the address of a forge's API", text)
	}
	local := u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, problem.Wrongf(hint, "%q would send the token in the clear", text)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	return u, nil
}

// plainTransport is the standard one with a limit on the time to the answer's first byte; the rest is limited per attempt.
func plainTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = attemptTime
	t.MaxResponseHeaderBytes = 64 << 10
	t.IdleConnTimeout = 10 * time.Second
	return t
}
