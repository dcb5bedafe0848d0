package gitdb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plumb-ml/plumb/internal/problem"
)

// remotes gives a clone of a fresh bare repository in each way that one can be reached, with and without the git program.
func remotes(t *testing.T, test func(t *testing.T, bare string, clone *Repo)) {
	for _, way := range []string{"relative path", "file", "http with a token"} {
		for _, program := range []bool{true, false} {
			if way == "relative path" && !program {
				continue // the git program is what starts go-git's side too
			}
			t.Run(fmt.Sprintf("%s, git program %v", way, program), func(t *testing.T) {
				dir, r := repository(t)
				bare := filepath.Join(filepath.Dir(dir), filepath.Base(dir)+"-bare.git")
				gitRun(t, dir, "init", "-q", "--bare", "-b", "main", bare)
				address := map[string]string{"relative path": "../" + filepath.Base(bare), "file": "file://" + bare}[way]
				if address == "" {
					address = serve(t, bare, "secret-token").URL + "/" + filepath.Base(bare)
					r.SetToken("secret-token", "")
				}
				gitRun(t, dir, "remote", "add", "origin", address)
				if !program {
					r.program = ""
				}
				test(t, bare, r)
			})
		}
	}
}

// serve is a smart-HTTP remote that wants a token, as GitHub does; "" lets everybody in.
func serve(t *testing.T, bare, token string) *httptest.Server {
	t.Helper()
	gitRun(t, bare, "config", "http.receivepack", "true")
	backend := tool(t, "git-http-backend", filepath.Join(gitRun(t, bare, "--exec-path"), "git-http-backend"))
	handler := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x"}, InheritEnv: []string{"PATH", "GIT_CONFIG_GLOBAL"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); token != "" && (!ok || user != "x-access-token" || password != token || len(r.Header.Values("Authorization")) != 1) {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestRemote(t *testing.T) {
	remotes(t, func(t *testing.T, bare string, r *Repo) {
		ctx := context.Background()
		if refs, err := r.ListRemote(ctx, "refs/"); err != nil || len(refs) != 0 {
			t.Fatalf("an empty remote has %v, %v", refs, err)
		}
		const ref = "refs/heads/plumb/ledger"
		one := must[string](t)(r.Update(ctx, "refs/plumb/private", adding(File{Path: "x", Data: []byte("1")})))
		if err := r.Push(ctx, one+":"+ref); err != nil {
			t.Fatal(err)
		}
		if refs, err := r.ListRemote(ctx, ref); err != nil || len(refs) != 1 || refs[ref] != one {
			t.Fatalf("the remote has %v, %v", refs, err)
		}
		if err := r.Push(ctx, one+":"+ref); err != nil {
			t.Errorf("pushing again: %v", err)
		}

		mirror := must[*Mirror](t)(r.Mirror(ctx))
		if err := mirror.Fetch(ctx, true, ref); err != nil {
			t.Fatal(err)
		}
		if got := must[string](t)(mirror.Ref(ref)); got != one {
			t.Errorf("the mirror is at %s, want %s", got, one)
		}
		two := must[string](t)(r.Update(ctx, "refs/plumb/private", adding(File{Path: "y", Data: []byte("2")})))
		var other string
		err := mirror.Write(ctx, func(w *Writer) (err error) {
			other, err = adding(File{Path: "z", Data: []byte("3")})(w, one)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := mirror.Push(ctx, other+":"+ref); err != nil {
			t.Fatalf("pushing from the mirror: %v", err)
		}
		if err := r.Push(ctx, two+":"+ref); err == nil {
			t.Error("a push over a moved ref went through")
		}
		if got := gitRun(t, bare, "rev-parse", ref); got != other {
			t.Errorf("the remote is at %s, want %s", got, other)
		}
		fsck(t, bare)
		fsck(t, mirror.common)
		fsck(t, r.root)
		if refs := gitRun(t, r.root, "for-each-ref", "--format=%(refname)"); refs != "refs/heads/main\nrefs/plumb/private" {
			t.Errorf("refs of the clone: %s", refs)
		}
	})
}

// What a force push of somebody else did to the branch is followed, without history.
func TestMirrorIsShallowAndFollows(t *testing.T) {
	remotes(t, func(t *testing.T, bare string, r *Repo) {
		ctx := context.Background()
		const ref = "refs/heads/plumb/ledger"
		for i := range 5 {
			must[string](t)(r.Update(ctx, "refs/plumb/private", adding(File{Path: fmt.Sprint(i), Data: []byte("1")})))
		}
		tip := must[string](t)(r.Ref("refs/plumb/private"))
		if err := r.Push(ctx, tip+":"+ref); err != nil {
			t.Fatal(err)
		}
		mirror := must[*Mirror](t)(r.Mirror(ctx))
		if err := mirror.Fetch(ctx, true, ref); err != nil {
			t.Fatal(err)
		}
		if got := gitRun(t, mirror.common, "rev-list", "--count", ref); got != "1" {
			t.Errorf("the mirror has %s commits, want 1", got)
		}
		gitRun(t, bare, "update-ref", ref, gitRun(t, bare, "rev-parse", ref+"~2"))
		if err := mirror.Fetch(ctx, true, ref); err != nil {
			t.Fatal(err)
		}
		if files := must[[]Entry](t)(mirror.Files(must[string](t)(mirror.Ref(ref)))); len(files) != 3 {
			t.Errorf("files = %v, want 3", files)
		}
		if err := mirror.Drop(ctx); err != nil {
			t.Fatal(err)
		}
		again := must[*Mirror](t)(r.Mirror(ctx))
		if err := again.Fetch(ctx, true, ref); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMirrorIsMadeAnewWhenBroken(t *testing.T) {
	dir, r := repository(t)
	gitRun(t, dir, "remote", "add", "origin", dir)
	ctx := context.Background()
	mirror := must[*Mirror](t)(r.Mirror(ctx))
	if err := os.Remove(filepath.Join(mirror.common, "HEAD")); err != nil {
		t.Fatal(err)
	}
	fresh := must[*Mirror](t)(open(t, dir).Mirror(ctx))
	write(t, fresh.common, "shallow.lock", "") // a git program was killed
	write(t, fresh.common, "refs/heads/main.lock", "")
	if err := fresh.Fetch(ctx, true, "refs/heads/main"); err != nil {
		t.Error(err)
	}
}

// The token goes over https, or to this machine, and to one host.
func TestWhoGetsTheToken(t *testing.T) {
	for _, c := range []struct {
		address, host string
		want          bool
	}{
		{"https://github.com/a/b", "", true},
		{"https://github.com/a/b", "github.com", true},
		{"https://GitHub.com/a/b", "github.com", true},
		{"https://evil.example/a/b", "github.com", false},
		{"https://github.com.evil.example/a/b", "github.com", false},
		{"https://github.com:8443/a/b", "github.com", false},
		{"http://github.com/a/b", "", false},
		{"http://127.0.0.1:3000/a/b", "", true},
		{"ssh://git@github.com/a/b", "", false},
		{"git@github.com:a/b", "", false},
		{"/srv/git/b.git", "", false},
	} {
		r := &Repo{token: "t", host: c.host}
		if got := r.useToken(c.address); got != c.want {
			t.Errorf("useToken(%s) for host %q = %v, want %v", c.address, c.host, got, c.want)
		}
	}
}

// A header that actions/checkout left in the configuration does not come on top of ours, and neither shows in an error.
func TestTokenReplacesAPersistedHeader(t *testing.T) {
	dir, r := repository(t)
	bare := filepath.Join(t.TempDir(), "bare.git")
	gitRun(t, dir, "init", "-q", "--bare", bare)
	server := serve(t, bare, "right")
	gitRun(t, dir, "remote", "add", "origin", server.URL+"/bare.git")
	gitRun(t, dir, "config", "http."+server.URL+"/.extraheader", "AUTHORIZATION: basic b2xk")
	r.SetToken("right", "")
	if _, err := r.ListRemote(context.Background(), "refs/"); err != nil {
		t.Error(err)
	}
	mirror := must[*Mirror](t)(r.Mirror(context.Background()))
	if _, err := mirror.ListRemote(context.Background(), "refs/"); err != nil {
		t.Error(err)
	}
	r.SetToken("wrong-token", "")
	_, err := r.ListRemote(context.Background(), "refs/")
	if err == nil || strings.Contains(err.Error(), "wrong-token") {
		t.Errorf("with a wrong token: %v", err)
	}
}

// Without a token the credentials that the repository's configuration holds are used, also from the mirror.
func TestMirrorUsesTheRepositorysCredentials(t *testing.T) {
	dir, r := repository(t)
	var seen atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") == "basic c2F2ZWQ=" {
			seen.Add(1)
		}
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer server.Close()
	gitRun(t, dir, "remote", "add", "origin", server.URL+"/b.git")
	write(t, dir, ".git/saved", "[http \""+server.URL+"/\"]\n\textraheader = AUTHORIZATION: basic c2F2ZWQ=\n")
	gitRun(t, dir, "config", "includeIf.gitdir:"+dir+"/.git.path", "saved")
	mirror := must[*Mirror](t)(r.Mirror(context.Background()))
	if _, err := mirror.ListRemote(context.Background(), "refs/"); err == nil {
		t.Error("no error")
	}
	if seen.Load() == 0 {
		t.Error("the mirror did not use the repository's credentials")
	}
}

func TestNoRemote(t *testing.T) {
	_, r := repository(t)
	ctx := context.Background()
	_, listErr := r.ListRemote(ctx, "refs/")
	_, mirrorErr := r.Mirror(ctx)
	for _, err := range []error{listErr, mirrorErr, r.Push(ctx, "x:refs/heads/x")} {
		if !errors.Is(err, ErrNoRemote) {
			t.Errorf("%v, want %v", err, ErrNoRemote)
		}
	}
}

func TestPushRefusesForce(t *testing.T) {
	dir, r := repository(t)
	gitRun(t, dir, "remote", "add", "origin", "https://user:password@127.0.0.1:1/x")
	for _, spec := range []string{"+HEAD:refs/heads/x", "--force"} {
		if err := r.Push(context.Background(), spec); err == nil {
			t.Errorf("Push(%s): no error", spec)
		}
	}
	err := r.Push(context.Background(), "HEAD:refs/heads/x")
	if err == nil || strings.Contains(err.Error(), "password") {
		t.Errorf("an address with a password: %v", err)
	}
	if got := r.RemoteURL(); got != "https://127.0.0.1:1/x" {
		t.Errorf("RemoteURL = %s", got)
	}
}

// A remote that sends its visitors elsewhere does not send the token along.
func TestTokenDoesNotFollowRedirects(t *testing.T) {
	var seen atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			seen.Add(1)
		}
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer elsewhere.Close()
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+r.URL.String(), http.StatusFound)
	}))
	defer remote.Close()
	for _, program := range []bool{true, false} {
		dir, r := repository(t)
		gitRun(t, dir, "remote", "add", "origin", remote.URL+"/b.git")
		r.SetToken("secret", "")
		if !program {
			r.program = ""
		}
		if _, err := r.ListRemote(context.Background(), "refs/"); err == nil {
			t.Error("no error")
		}
	}
	if n := seen.Load(); n > 0 {
		t.Errorf("the token went elsewhere %d times", n)
	}
	// An address that the configuration turns into another one is another host, too.
	dir, r := repository(t)
	gitRun(t, dir, "remote", "add", "origin", "http://127.0.0.1:1/b.git")
	gitRun(t, dir, "config", "url."+elsewhere.URL+"/.insteadOf", "http://127.0.0.1:1/")
	r.SetToken("secret", "")
	if _, err := r.ListRemote(context.Background(), "refs/"); err == nil || seen.Load() > 0 {
		t.Errorf("insteadOf: %v, the token went elsewhere %d times", err, seen.Load())
	}
}

// Without a token Git's credential helpers are asked, also for the mirror.
func TestCredentialHelper(t *testing.T) {
	dir, r := repository(t)
	bare := filepath.Join(t.TempDir(), "bare.git")
	gitRun(t, dir, "init", "-q", "--bare", bare)
	gitRun(t, dir, "remote", "add", "origin", serve(t, bare, "from-the-helper").URL+"/bare.git")
	_, err := r.ListRemote(context.Background(), "refs/")
	if err == nil || !strings.Contains(problem.Hint(err), "gh auth setup-git") {
		t.Errorf("without a credential: %v (%s)", err, problem.Hint(err))
	}
	gitRun(t, dir, "config", "credential.helper", "!f() { echo username=x-access-token; echo password=from-the-helper; }; f")
	if _, err := r.ListRemote(context.Background(), "refs/"); err != nil {
		t.Error(err)
	}
	mirror := must[*Mirror](t)(open(t, dir).Mirror(context.Background()))
	if _, err := mirror.ListRemote(context.Background(), "refs/"); err != nil {
		t.Errorf("from the mirror: %v", err)
	}
}

// What is pushed goes to the address for pushes.
func TestPushURL(t *testing.T) {
	dir, r := repository(t)
	from, to := filepath.Join(t.TempDir(), "from.git"), filepath.Join(t.TempDir(), "to.git")
	for _, bare := range []string{from, to} {
		gitRun(t, dir, "init", "-q", "--bare", bare)
	}
	gitRun(t, dir, "remote", "add", "origin", from)
	gitRun(t, dir, "remote", "set-url", "--push", "origin", to)
	head, _, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Push(context.Background(), head+":refs/heads/x"); err != nil {
		t.Fatal(err)
	}
	if got := gitRun(t, to, "rev-parse", "refs/heads/x"); got != head {
		t.Errorf("pushed %s, want %s", got, head)
	}
}
