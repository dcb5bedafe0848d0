package forge

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/forge/forgetest"
	"github.com/plumb-ml/plumb/internal/problem"
)

const (
	repository = "ann/flights"
	token      = "a-token"
)

func line(run int, digest string) string {
	return fmt.Sprintf("<!-- plumb:v1 project=flights head=1f0c run=%d digest=%s -->", run, digest)
}

func body(run int, digest string) string {
	return fmt.Sprintf("### plumb: better (run %d)\n\ntext\n\n%s\n", run, line(run, digest))
}

// open gives a forge on a server; waiting is written down, not done.
func open(t *testing.T, o forgetest.Options) (*Forge, *forgetest.Server, *[]time.Duration) {
	t.Helper()
	o.Repository, o.Token = repository, token
	server := forgetest.Start(o)
	t.Cleanup(server.Close)
	f, waits := client(t, Options{APIURL: server.URL, Repository: repository, Token: token})
	return f, server, waits
}

func client(t *testing.T, o Options) (*Forge, *[]time.Duration) {
	t.Helper()
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	waits := &[]time.Duration{}
	f.client.Client().Transport.(*transport).sleep = func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}
	return f, waits
}

func upsert(t *testing.T, f *Forge, run int, digest, want string) {
	t.Helper()
	got, err := f.UpsertComment(context.Background(), 12, body(run, digest), line(run, digest))
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("run %d, digest %s: %s, want %s", run, digest, got, want)
	}
}

func TestUpsertComment(t *testing.T) {
	for _, login := range []string{"", "plumb-robot"} {
		t.Run("token of "+login, func(t *testing.T) {
			f, server, _ := open(t, forgetest.Options{Login: login, PageSize: 7})
			for i := range 40 {
				server.Add(12, "ann", fmt.Sprint("talk ", i))
			}
			upsert(t, f, 5, "aa", Created)
			for i := range 40 {
				server.Add(12, "bo", fmt.Sprint("more talk ", i))
			}
			writes := server.Writes()
			upsert(t, f, 5, "aa", Unchanged)
			upsert(t, f, 6, "aa", Unchanged)
			if server.Writes() != writes {
				t.Errorf("an unchanged comment was written")
			}
			upsert(t, f, 7, "bb", Updated)
			upsert(t, f, 6, "cc", Newer)
			upsert(t, f, 7, "dd", Updated) // another attempt of the same run
			all := server.Comments(12)
			if len(all) != 81 || all[40].Body != body(7, "dd") || all[40].Edits != 2 {
				t.Errorf("%d comments, ours: %+v", len(all), all[min(40, len(all)-1)])
			}
		})
	}
}

// A comment that is not ours stays as it is, whatever it says.
func TestOthersComments(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	others := []forgetest.Comment{
		server.Add(12, "mallory", body(999, "aa")),
		server.Add(12, "github-actions", body(999, "aa")),
		server.Add(12, forgetest.JobLogin, "an issue bot quotes:\n"+line(999, "aa")+"\nand goes on"),
		server.Add(12, forgetest.JobLogin, strings.ReplaceAll(body(999, "aa"), "project=flights", "project=flights-2")),
		server.Add(12, forgetest.JobLogin, strings.ReplaceAll(body(999, "aa"), "plumb:v1", "plumb:v2")),
		server.Add(13, forgetest.JobLogin, body(999, "aa")),
	}
	upsert(t, f, 1, "aa", Created)
	upsert(t, f, 2, "bb", Updated)
	for i, c := range append(server.Comments(12)[:5], server.Comments(13)...) {
		if c != others[i] {
			t.Errorf("comment %d was touched: %+v", i, c)
		}
	}
}

// Two jobs that find no comment and both create one end with one, which says the newest.
func TestCreateRace(t *testing.T) {
	for _, runs := range [][2]int{{5, 6}, {6, 5}, {5, 5}} {
		f, server, _ := open(t, forgetest.Options{})
		other, _ := client(t, Options{APIURL: server.URL, Repository: repository, Token: token})
		var begun atomic.Bool
		server.Before(func(r forgetest.Request) {
			if r.Method == "POST" && !begun.Swap(true) {
				upsert(t, other, runs[0], fmt.Sprint("d", runs[0]), Created)
			}
		})
		upsert(t, f, runs[1], fmt.Sprint("d", runs[1]), Created)
		all := server.Comments(12)
		newest := max(runs[0], runs[1])
		if len(all) != 1 || all[0].Body != body(newest, fmt.Sprint("d", newest)) {
			t.Errorf("runs %v: %+v", runs, all)
		}
	}
}

// Comments left over from an accident are put away at the next write.
func TestDuplicates(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	first := server.Add(12, forgetest.JobLogin, body(1, "aa"))
	server.Add(12, forgetest.JobLogin, body(2, "bb"))
	upsert(t, f, 3, "cc", Updated)
	if all := server.Comments(12); len(all) != 1 || all[0].ID != first.ID || all[0].Body != body(3, "cc") {
		t.Errorf("%+v", all)
	}
}

// internal/comment gives how a marker begins.
func TestBeginningOfMarker(t *testing.T) {
	f, _, _ := open(t, forgetest.Options{})
	for i, want := range []string{Created, Unchanged} {
		if got, err := f.UpsertComment(context.Background(), 12, body(i, "aa"), "<!-- plumb:v1 project=flights "); err != nil || got != want {
			t.Errorf("%s, %v", got, err)
		}
	}
	if _, err := f.UpsertComment(context.Background(), 12, body(1, "aa"), "<!-- plumb:v1 "); err == nil {
		t.Error("half an identity was taken")
	}
}

func TestLineEndsAreNoChange(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	text := "### plumb: same\n\ntext\n\n<!-- plumb:v1 project=flights -->"
	server.Add(12, forgetest.JobLogin, strings.ReplaceAll(text, "\n", "\r\n"))
	got, err := f.UpsertComment(context.Background(), 12, text+"\n", "<!-- plumb:v1 project=flights -->")
	if err != nil || got != Unchanged {
		t.Errorf("%s, %v", got, err)
	}
}

func TestCommentRefused(t *testing.T) {
	f, server, _ := open(t, forgetest.Options{})
	long := strings.Repeat("x", BodyBytes)
	for name, c := range map[string]struct {
		number       int
		body, marker string
		exit         int
	}{
		"no number":      {0, body(1, "a"), line(1, "a"), problem.ExitWrong},
		"too long":       {12, long + body(1, "a"), line(1, "a"), problem.ExitFailed},
		"no mark":        {12, "text", line(1, "a"), problem.ExitFailed},
		"mark inside":    {12, body(1, "a") + "more", line(1, "a"), problem.ExitFailed},
		"another mark":   {12, body(1, "a"), "<!-- plumb:v1 project=other -->", problem.ExitFailed},
		"no identity":    {12, "text\n<!-- run=1 -->", "<!-- run=1 -->", problem.ExitFailed},
		"run is no run":  {12, "text\n<!-- plumb run=-1 -->", "<!-- plumb run=-1 -->", problem.ExitFailed},
		"run is too big": {12, "text\n<!-- plumb run=99999999999999999999 -->", "<!-- plumb run=1 -->", problem.ExitFailed},
		"not UTF-8":      {12, "\xff" + body(1, "a"), line(1, "a"), problem.ExitFailed},
		"mark ends":      {12, "text\n<!-- plumb --> <!-- x -->", "<!-- plumb -->", problem.ExitFailed},
	} {
		_, err := f.UpsertComment(context.Background(), c.number, c.body, c.marker)
		if problem.Exit(err) != c.exit || problem.Hint(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// An app's token may not ask who it is; told, it finds its comment.
func TestGivenAuthor(t *testing.T) {
	server := forgetest.Start(forgetest.Options{Repository: repository, Token: token, Login: "my-app[bot]"})
	defer server.Close()
	f, _ := client(t, Options{APIURL: server.URL, Repository: repository, Token: token, Author: "my-app[bot]"})
	upsert(t, f, 1, "aa", Created)
	upsert(t, f, 2, "bb", Updated)
	for _, r := range server.Requests() {
		if r.Path == "/user" {
			t.Error("the author was asked for")
		}
	}
}

func FuzzMark(f *testing.F) {
	f.Add(body(1, "sha256:00"))
	f.Add("<!-- plumb -->")
	f.Add("<!--  -->\n<!-- a=b run= -->")
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := markOf(text)
		if ok && (m.id == "" || m.run < 0 || strings.ContainsAny(m.id, "\n\r") || strings.Contains(m.id, "--")) {
			t.Errorf("%q gives %+v", text, m)
		}
	})
}
