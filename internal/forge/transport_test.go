package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/forge/forgetest"
	"github.com/plumb-ml/plumb/internal/problem"
)

const comments = "/repos/ann/flights/issues/"

func TestRetries(t *testing.T) {
	later := map[string]string{"Retry-After": "7"}
	secondary := `{"message":"You have exceeded a secondary rate limit"}`
	for name, c := range map[string]struct {
		fault forgetest.Fault
		waits int
		least time.Duration
		says  string // "" when it works in the end
	}{
		"a GET that breaks off":          {forgetest.Fault{Method: "GET", Path: comments, Times: 2}, 2, 0, ""},
		"a GET that never works":         {forgetest.Fault{Method: "GET", Path: comments, Times: 99, Status: 502}, 4, 0, "answered 502"},
		"a GET while the server starts":  {forgetest.Fault{Method: "GET", Path: comments, Times: 4, Status: 503}, 4, 0, ""},
		"a POST that fails":              {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 500}, 0, 0, "answered 500"},
		"a POST that breaks off":         {forgetest.Fault{Method: "POST", Path: comments, Times: 1}, 0, 0, "creating the comment"},
		"a POST that may come later":     {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 429, Header: later}, 1, 7 * time.Second, ""},
		"403 with Retry-After":           {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 403, Header: later}, 1, 7 * time.Second, ""},
		"secondary limit, no header":     {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 403, Body: secondary}, 1, time.Minute, ""},
		"secondary limit that stays":     {forgetest.Fault{Method: "POST", Path: comments, Times: 9, Status: 403, Body: secondary}, 1, time.Minute, "limits this token"},
		"a limit that lasts":             {forgetest.Fault{Method: "GET", Path: comments, Times: 1, Status: 429, Header: map[string]string{"Retry-After": "3600"}}, 0, 0, "another 1h0m0s"},
		"a limit of a hostile length":    {forgetest.Fault{Method: "GET", Path: comments, Times: 9, Status: 429, Header: map[string]string{"Retry-After": "99999999999999999999"}}, 1, time.Minute, "limits this token"},
		"a primary limit":                {forgetest.Fault{Method: "GET", Path: comments, Times: 1, Status: 403, Header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(time.Hour).Unix())}}, 0, 0, "limits this token"},
		"the token only reads":           {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 403, Body: `{"message":"Resource not accessible by integration"}`}, 0, 0, "403: Resource not accessible"},
		"no such pull request":           {forgetest.Fault{Method: "GET", Path: comments, Times: 1, Status: 404, Body: `{"message":"Not Found"}`}, 0, 0, "404: Not Found"},
		"refused":                        {forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 422, Body: `{"message":"Validation Failed","errors":[{"field":"body","code":"missing"}]}`}, 0, 0, "422: Validation Failed; body missing"},
		"an answer that is no answer":    {forgetest.Fault{Method: "GET", Path: comments, Times: 1, Status: 200, Body: `<html>`}, 0, 0, "looking for the comment"},
		"the token is not known":         {forgetest.Fault{Method: "GET", Path: "/user", Times: 1, Status: 401, Body: "{\"message\":\"Bad\\n::error::credentials\"}"}, 0, 0, "401: Bad ::error::credentials"},
		"asking who one is is forbidden": {forgetest.Fault{Method: "GET", Path: "/user", Times: 1, Status: 403}, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, server, waits := open(t, forgetest.Options{})
			server.Fail(c.fault)
			_, err := f.UpsertComment(context.Background(), 12, body(1, "aa"), line(1, "aa"))
			if len(*waits) != c.waits || len(*waits) > 0 && (*waits)[0] < c.least {
				t.Errorf("waits %v, want %d", *waits, c.waits)
			}
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v does not say %q", err, c.says)
			case c.says != "" && (problem.Exit(err) != problem.ExitFailed || problem.Hint(err) == "" || strings.Contains(err.Error(), "\n")):
				t.Errorf("exit %d, hint %q, %v", problem.Exit(err), problem.Hint(err), err)
			}
		})
	}
}

// Issue "go-github v62 sends the token wherever a redirect leads".
func TestTokenStaysAtHome(t *testing.T) {
	for _, code := range []int{301, 302, 307, 308} {
		var seen []string
		away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method+" "+r.Header.Get("Authorization"))
			fmt.Fprint(w, "[]")
		}))
		f, server, _ := open(t, forgetest.Options{})
		redirect := map[string]string{"Location": away.URL + "/x"}
		server.Fail(forgetest.Fault{Method: "GET", Path: comments, Times: 1, Status: code, Header: redirect})
		server.Fail(forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: code, Header: redirect})
		_, err := f.UpsertComment(context.Background(), 12, body(1, "aa"), line(1, "aa"))
		away.Close()
		for _, s := range seen {
			if s != "GET " {
				t.Errorf("%d: the other host saw %q", code, s)
			}
		}
		if len(seen) == 0 {
			t.Errorf("%d: the redirect was not followed", code)
		}
		if code >= 307 && (err == nil || !strings.Contains(err.Error(), "sends a write on")) {
			t.Errorf("%d: a write went to another host: %v", code, err)
		}
	}
}

func TestRedirectAtHomeKeepsToken(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	moved := map[string]string{"Location": server.URL + "/repos/ann/flights/issues/12/comments"}
	server.Fail(forgetest.Fault{Method: "POST", Path: comments, Times: 1, Status: 307, Header: moved})
	upsert(t, f, 1, "aa", Created)
	server.Fail(forgetest.Fault{Method: "GET", Path: comments, Times: 99, Status: 302, Header: moved})
	if _, err := f.UpsertComment(context.Background(), 12, body(2, "bb"), line(2, "bb")); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("redirects in a circle: %v", err)
	}
}

func TestHugeAnswer(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	server.Fail(forgetest.Fault{Method: "GET", Path: comments, Times: 99, Status: 200, Body: strings.Repeat(" ", answerBytes+1)})
	if _, err := f.UpsertComment(context.Background(), 12, body(1, "aa"), line(1, "aa")); err == nil || !strings.Contains(err.Error(), "longer than 16 MiB") {
		t.Errorf("%v", err)
	}
}

func TestCancel(t *testing.T) {
	f, server, waits := open(t, forgetest.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	server.Before(func(forgetest.Request) { cancel() })
	if _, err := f.UpsertComment(ctx, 12, body(1, "aa"), line(1, "aa")); err == nil || len(*waits) != 0 {
		t.Errorf("%v after %v", err, *waits)
	}
}

func TestOptions(t *testing.T) {
	good := Options{APIURL: "https://api.github.com", Repository: repository, Token: token}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for _, u := range []string{"", "api.github.com", "http://api.github.com", "ftp://x", "https://", "https://a:b@x", "https://x/?a=b", "file:///etc/passwd", "http://localhost.evil.org", "%"} {
		o := good
		o.APIURL = u
		if _, err := New(o); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("address %q: %v", u, err)
		}
	}
	for _, r := range []string{"", "a", "a/", "/b", "a/b/c", "../../user", "a/..", "a/.", "a/b?c", "a b/c", "a/b%2f..", "-a/b", "a/b\n"} {
		o := good
		o.Repository = r
		if _, err := New(o); problem.Exit(err) != problem.ExitWrong {
			t.Errorf("repository %q: %v", r, err)
		}
	}
	for _, s := range []string{"", "a b", "a\r\nX: y"} {
		o := good
		o.Token = s
		_, err := New(o)
		if problem.Exit(err) != problem.ExitWrong || s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("token %q: %v", s, err)
		}
	}
	enterprise := good
	enterprise.APIURL = "https://git.example.org/api/v3"
	f, err := New(enterprise)
	if err != nil || f.client.BaseURL.String() != "https://git.example.org/api/v3/" {
		t.Errorf("%v", err)
	}
}
