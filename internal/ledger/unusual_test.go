package ledger

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unusual are ways to come by a clone. Each gives its folder; the remote is a bare repository with one commit.
var unusual = []struct {
	name  string
	init  []string // options of git init for the remote
	clone func(t *testing.T, bare, dir string) string
}{
	{"plain", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", bare, dir)
		return dir
	}},
	{"as actions/checkout makes it", nil, func(t *testing.T, bare, dir string) string {
		return checkout(t, bare, dir, func(address, header string) {
			git(t, dir, "config", "--local", "http."+address+"/.extraheader", header)
		})
	}},
	{"as actions/checkout 6 makes it", nil, func(t *testing.T, bare, dir string) string {
		return checkout(t, bare, dir, func(address, header string) {
			saved := filepath.Join(t.TempDir(), "git-credentials.config")
			git(t, dir, "config", "--file", saved, "http."+address+"/.extraheader", header)
			git(t, dir, "config", "--local", "includeIf.gitdir:"+dir+"/.git.path", saved)
		})
	}},
	{"a linked working tree", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", bare, dir)
		git(t, dir, "worktree", "add", "-q", "--detach", dir+"-linked")
		return dir + "-linked"
	}},
	{"a submodule", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "init", "-q", dir)
		git(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", bare, "inner")
		return filepath.Join(dir, "inner")
	}},
	{"borrowed objects", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", "--shared", bare, dir+"-middle")
		git(t, ".", "clone", "-q", "--shared", dir+"-middle", dir)
		git(t, dir, "remote", "set-url", "origin", bare)
		return dir
	}},
	{"an index over packs, and a graph of commits", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", bare, dir)
		git(t, dir, "repack", "-q", "-a", "-d")
		git(t, dir, "commit", "-q", "--allow-empty", "-m", "second")
		git(t, dir, "repack", "-q", "-d")
		git(t, dir, "multi-pack-index", "write")
		git(t, dir, "commit-graph", "write", "--reachable")
		return dir
	}},
	{"without blobs", nil, func(t *testing.T, bare, dir string) string {
		git(t, bare, "config", "uploadpack.allowFilter", "true")
		git(t, ".", "clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+bare, dir)
		return dir
	}},
	{"without trees", nil, func(t *testing.T, bare, dir string) string {
		git(t, bare, "config", "uploadpack.allowFilter", "true")
		git(t, ".", "clone", "-q", "--no-checkout", "--filter=tree:0", "file://"+bare, dir)
		return dir
	}},
	{"sparse", nil, func(t *testing.T, bare, dir string) string {
		git(t, bare, "config", "uploadpack.allowFilter", "true")
		git(t, ".", "clone", "-q", "--filter=blob:none", "--sparse", "file://"+bare, dir)
		git(t, dir, "config", "core.repositoryformatversion", "1") // as newer git does
		return dir
	}},
	{"SHA-256", []string{"--object-format=sha256"}, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", bare, dir)
		return dir
	}},
	{"a reftable", []string{"--ref-format=reftable"}, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", "--ref-format=reftable", bare, dir)
		return dir
	}},
	{"a reftable and SHA-256", []string{"--ref-format=reftable", "--object-format=sha256"}, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", "--ref-format=reftable", bare, dir)
		git(t, dir, "worktree", "add", "-q", "--detach", dir+"-linked")
		return dir + "-linked"
	}},
	{"a folder of refs that is packed", nil, func(t *testing.T, bare, dir string) string {
		git(t, ".", "clone", "-q", bare, dir)
		git(t, dir, "pack-refs", "--all", "--prune")
		git(t, bare, "pack-refs", "--all", "--prune")
		return dir
	}},
}

func TestUnusualClones(t *testing.T) {
	for _, c := range unusual {
		t.Run(c.name, func(t *testing.T) {
			top := t.TempDir()
			bare, first := filepath.Join(top, "bare.git"), filepath.Join(top, "first")
			for dir, bareness := range map[string]string{bare: "--bare", first: "--quiet"} {
				git(t, ".", slices.Concat([]string{"init", "-q", bareness, "-b", "main"}, supported(t, c.init), []string{dir})...)
			}
			git(t, first, "remote", "add", "origin", bare)
			if err := os.WriteFile(filepath.Join(first, "a.txt"), []byte("one\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			git(t, first, "add", ".")
			git(t, first, "commit", "-q", "-m", "first")
			git(t, first, "push", "-q", "origin", "HEAD")
			recordEverywhere(t, first, c.clone(t, bare, filepath.Join(top, "clone")))
			fsck(t, bare)
		})
	}
}

// recordEverywhere records in two clones of one remote, and reads in each what the other recorded.
func recordEverywhere(t *testing.T, first, second string) {
	t.Helper()
	here, there := open(t, first), open(t, second)
	var all []string
	turns := []*Ledger{here, there, here, there}
	if testing.Short() {
		turns = turns[:2]
	}
	for i, l := range turns {
		mine, shared := run("private", i), run("shared", i)
		private(t, l, mine)
		appendAll(t, l, shared)
		if v := read(t, l); !v.Private(mine.Path) || v.Private(shared.Path) {
			t.Errorf("round %d: what is private and what is not: %v", i, v.Paths())
		}
		if _, err := l.Push(context.Background()); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		all = append(all, mine.Path, shared.Path)
	}
	slices.Sort(all)
	for _, l := range []*Ledger{here, there, open(t, second)} {
		v := read(t, l)
		if !slices.Equal(v.Paths(), all) || len(v.Runs()) != len(all) || len(v.Problems()) > 0 {
			t.Errorf("%v, %v, want %v", v.Paths(), v.Problems(), all)
		}
	}
	fsck(t, second)
	if status := git(t, second, "status", "--porcelain", "--untracked-files=no"); status != "" && git(t, second, "config", "--default", "", "--get", "remote.origin.promisor") == "" {
		t.Errorf("git status: %s", status)
	}
}

// supported skips what the git program here cannot make.
func supported(t *testing.T, options []string) []string {
	t.Helper()
	for _, option := range options {
		probe := filepath.Join(t.TempDir(), "probe")
		if out, err := tryGit("init", "-q", option, probe); err != nil {
			why, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
			skipUnlessRequired(t, "git"+option, why)
		}
	}
	return options
}

// checkout does what actions/checkout does: one commit, detached, from a server that wants the header which save puts into the configuration.
func checkout(t *testing.T, bare, dir string, save func(address, header string)) string {
	t.Helper()
	const secret = "the-job's-token"
	address := serveGuarded(t, bare, secret)
	git(t, ".", "init", "-q", dir)
	git(t, dir, "remote", "add", "origin", address+"/"+filepath.Base(bare))
	save(address, "AUTHORIZATION: basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+secret)))
	commit := git(t, bare, "rev-parse", "main")
	git(t, dir, "-c", "protocol.version=2", "fetch", "-q", "--no-tags", "--prune", "--no-recurse-submodules", "--depth=1", "origin", "+"+commit+":refs/remotes/origin/main")
	git(t, dir, "checkout", "-q", "--progress", "--force", "--detach", "refs/remotes/origin/main")
	return dir
}

// serveGuarded serves a remote over smart HTTP to who has the token.
func serveGuarded(t *testing.T, bare, token string) string {
	t.Helper()
	backend := httpBackend(t, bare)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != token || len(r.Header.Values("Authorization")) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		(&cgi.Handler{Path: backend, InheritEnv: inherited, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(bare), "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=x"}}).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
