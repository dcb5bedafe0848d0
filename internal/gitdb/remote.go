package gitdb

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/problem"
)

// Remote gives the name of the remote that records go to: origin, else the first by name.
func (r *Repo) Remote() (string, bool) {
	name, _, err := r.remote()
	return name, err == nil
}

// RemoteURL gives the remote's address without a password, for messages; "" when there is no remote.
func (r *Repo) RemoteURL() string {
	_, address, err := r.remote()
	if err != nil {
		return ""
	}
	return withoutUser(address)
}

func (r *Repo) remote() (name, address string, err error) {
	if r.url != "" {
		return "origin", r.url, nil
	}
	r.mu.Lock()
	settings, err := r.repo.Config()
	r.mu.Unlock()
	if err != nil {
		return "", "", fmt.Errorf("reading configuration: %w", err)
	}
	name = "origin"
	if settings.Remotes[name] == nil {
		names := slices.Sorted(maps.Keys(settings.Remotes))
		if len(names) == 0 {
			return "", "", ErrNoRemote
		}
		name = names[0]
	}
	urls := settings.Remotes[name].URLs
	if len(urls) == 0 || strings.HasPrefix(urls[0], "-") {
		return "", "", ErrNoRemote
	}
	return name, r.absolute(urls[0]), nil
}

// A scheme, or host:path with no slash before the colon; a letter and a colon is a drive.
var elsewhere = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]+://|^[^/\\]{2,}:`)

// absolute makes a remote's path that is relative to the working tree independent of where it is used.
func (r *Repo) absolute(address string) string {
	if elsewhere.MatchString(address) || filepath.IsAbs(address) {
		return address
	}
	return absoluteFrom(cmpOr(r.root, r.gitDir), filepath.FromSlash(address))
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var userInfo = regexp.MustCompile(`(://)[^/@\s]+@`)

func withoutUser(text string) string { return userInfo.ReplaceAllString(text, "$1") }

// secret says whether and how the token goes with address: only over https (or to this machine, for tests and proxies), only to the host that it is for.
func (r *Repo) useToken(address string) bool {
	at, err := url.Parse(address)
	if r.token == "" || err != nil || at.Host == "" {
		return false
	}
	local := at.Hostname() == "127.0.0.1" || at.Hostname() == "::1" || at.Hostname() == "localhost"
	secure := at.Scheme == "https" || at.Scheme == "http" && local
	return secure && (r.host == "" || strings.EqualFold(r.host, at.Host))
}

// asToken gives the Git settings that send the token. The first takes away headers that other configuration sets for this address: two of them are refused.
func (r *Repo) asToken(address string) [][2]string {
	if !r.useToken(address) {
		return nil
	}
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+r.token))
	key := "http." + address + ".extraHeader"
	return [][2]string{{key, ""}, {key, header}, {"credential.helper", ""}, {"http.followRedirects", "false"}}
}

// ListRemote gives the remote's refs whose full names start with one of the prefixes.
func (r *Repo) ListRemote(ctx context.Context, prefixes ...string) (map[string]string, error) {
	_, address, err := r.remote()
	if err != nil {
		return nil, err
	}
	all, err := r.listAll(ctx, address)
	if err != nil {
		return nil, r.remoteError("asking", address, err)
	}
	maps.DeleteFunc(all, func(name, _ string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
	return all, nil
}

func (r *Repo) listAll(ctx context.Context, address string) (map[string]string, error) {
	if r.program == "" {
		return r.wireList(ctx, address)
	}
	out, err := r.git(ctx, call{args: []string{"ls-remote", "--quiet", "--refs", "--", address}, config: r.asToken(address)})
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if oid, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			refs[name] = oid
		}
	}
	return refs, nil
}

// Push sends objects and moves refs of the remote ("<oid>:refs/heads/x"), never by force: the remote refuses a ref that has moved meanwhile. Hooks do not run.
func (r *Repo) Push(ctx context.Context, refspecs ...string) error {
	_, address, err := r.remote()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(refspecs, func(spec string) bool { return strings.HasPrefix(spec, "+") || strings.HasPrefix(spec, "-") }) {
		return fmt.Errorf("pushing: %q is not a plain refspec", refspecs)
	}
	if r.program == "" {
		err = r.wirePush(ctx, address, refspecs)
	} else {
		args := []string{"push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed", "--", address}
		_, err = r.git(ctx, call{args: append(args, refspecs...), config: r.asToken(address)})
	}
	if err != nil {
		return r.remoteError("pushing to", address, err)
	}
	return nil
}

func (r *Repo) remoteError(doing, address string, err error) error {
	text := withoutUser(err.Error())
	if r.token != "" {
		text = strings.ReplaceAll(text, r.token, "***")
	}
	failure := problem.Failedf("see `git remote -v`, the network, and who may write there", "%s remote %s: %s", doing, withoutUser(address), text)
	return failure
}

// fetch brings objects and refs of the remote into this repository.
func (r *Repo) fetch(ctx context.Context, depth []string, specs []string, share ...*os.File) error {
	_, address, err := r.remote()
	if err != nil {
		return err
	}
	if r.program == "" {
		err = r.wireFetch(ctx, address, len(depth) > 0, specs)
	} else {
		args := slices.Concat([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no"},
			depth, []string{"--", address}, specs)
		_, err = r.git(ctx, call{args: args, config: r.asToken(address), share: share})
	}
	if err != nil {
		return r.remoteError("fetching from", address, err)
	}
	return nil
}
