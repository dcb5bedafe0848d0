package gitdb

import (
	"context"
	"encoding/base64"
	"errors"
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

// remote is where records go.
type remote struct {
	name string
	url  string
	push string // where pushes go, when that is elsewhere
}

// Remote gives the name of the remote that records go to: origin, else the first by name.
func (r *Repo) Remote() (string, bool) {
	at, err := r.remote()
	return at.name, err == nil
}

// RemoteURL gives the remote's address without a password, for messages; "" when there is no remote.
func (r *Repo) RemoteURL() string {
	at, err := r.remote()
	if err != nil {
		return ""
	}
	return withoutUser(at.url)
}

func (r *Repo) remote() (remote, error) {
	if r.mirrors.url != "" {
		return r.mirrors, nil
	}
	c, err := r.configuration()
	if err != nil {
		return remote{}, err
	}
	known := map[string]remote{}
	for _, section := range c.Section("remote").Subsections {
		urls := slices.Concat(section.OptionAll("pushurl"), section.OptionAll("url")) // the first counts
		at := remote{section.Name, "", r.absolute(urls...)}
		if at.url = r.absolute(section.OptionAll("url")...); at.url != "" {
			known[at.name] = at
		}
	}
	if at, ok := known["origin"]; ok {
		return at, nil
	}
	names := slices.Sorted(maps.Keys(known))
	if len(names) == 0 {
		return remote{}, ErrNoRemote
	}
	return known[names[0]], nil
}

// A scheme, or host:path with no slash before the colon; a letter and a colon is a drive.
var elsewhere = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]+://|^[^/\\]{2,}:`)

// absolute gives the first address; a path that is relative to the working tree is made independent of where it is used. It is "" for none, and for what
// the git program could take for an option.
func (r *Repo) absolute(addresses ...string) string {
	switch {
	case len(addresses) == 0 || addresses[0] == "" || addresses[0][0] == '-':
		return ""
	case elsewhere.MatchString(addresses[0]) || filepath.IsAbs(addresses[0]):
		return addresses[0]
	}
	return absoluteFrom(cmpOr(r.root, r.gitDir), filepath.FromSlash(addresses[0]))
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
	at, err := r.remote()
	if err != nil {
		return nil, err
	}
	all, err := r.listAll(ctx, at.url)
	if err != nil {
		return nil, r.remoteError("asking", at.url, err)
	}
	maps.DeleteFunc(all, func(name, oid string) bool {
		return checkRefName(name) != nil || !r.format.is(oid) || !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
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
	at, err := r.remote()
	if err != nil {
		return err
	}
	address := at.push
	if slices.ContainsFunc(refspecs, func(spec string) bool { return strings.HasPrefix(spec, "+") || strings.HasPrefix(spec, "-") }) {
		return fmt.Errorf("pushing: %q is not a plain refspec", refspecs)
	}
	if r.program == "" {
		err = r.wirePush(ctx, address, refspecs)
	} else {
		var out string
		out, err = r.git(ctx, call{args: append(pushArgs(address), refspecs...), config: r.asToken(address)})
		if refusal := refused(out); err != nil && refusal != "" {
			return r.refusal(address, refspecs, refusal, err)
		}
	}
	if err != nil {
		return r.remoteError("pushing to", address, err)
	}
	return nil
}

func pushArgs(address string) []string {
	return []string{"push", "--quiet", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed", "--", address}
}

// refused gives why a remote that was reached did not take a ref by its own rules, not because the ref had moved; "" when it did not say so. It is for the
// hint: whether a ref has moved is seen from the ref.
func refused(porcelain string) string {
	for line := range strings.Lines(porcelain) {
		_, reason, ok := strings.Cut(line, "[remote rejected] (")
		reason = strings.TrimSuffix(strings.TrimSpace(reason), ")")
		moved := strings.Contains(reason, "lock") || strings.Contains(reason, "failed to update ref") || strings.Contains(reason, "fetch first")
		if ok && !moved {
			return reason
		}
	}
	return ""
}

func (r *Repo) refusal(address string, refspecs []string, reason string, err error) error {
	_, ref, _ := strings.Cut(refspecs[0], ":")
	name := strings.TrimPrefix(ref, "refs/heads/")
	hint := fmt.Sprintf("let those who record push to %s: its branch rule should forbid force pushes and deletion, and ask for no pull request, review or status check", name)
	return problem.Failedf(hint, "pushing to remote %s: %w %s (%s): %s", withoutUser(address), ErrRefused, name, reason, r.withoutSecrets(err))
}

func (r *Repo) withoutSecrets(err error) string {
	text := withoutUser(err.Error())
	if r.token != "" {
		text = strings.ReplaceAll(text, r.token, "***")
	}
	return text
}

func (r *Repo) remoteError(doing, address string, err error) error {
	if errors.As(err, new(*problem.Failure)) || errors.As(err, new(*beyond)) {
		return err
	}
	text := r.withoutSecrets(err)
	hint := "see `git remote -v`, the network, and who may write there"
	switch {
	case containsAny(text, "could not read Username", "could not read Password", "Authentication failed", "terminal prompts disabled"):
		hint = "give Git a credential for it: `gh auth setup-git`, a credential helper, an ssh address, or GITHUB_TOKEN in the environment"
	case containsAny(text, "error: 301", "error: 302", "error: 307", "error: 308"):
		hint = "it has moved, and the token goes to no other address: git remote set-url"
	case containsAny(text, "error: 403", "Permission to", "Write access to repository not granted"):
		hint = "whoever runs this may not write there: in a workflow give the job `permissions: contents: write`"
	case containsAny(text, "Permission denied (publickey", "Host key verification failed"):
		hint = "see `ssh -T` with that host: is the key in the agent (`ssh-add -l`), and the host's key known?"
	}
	return problem.Failedf(hint, "%s remote %s: %s", doing, withoutUser(address), text)
}

func containsAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// fetchCall is what is fetched and how.
type fetchCall struct {
	args   []string // of git fetch: how deep
	specs  []string // refspecs or object ids
	limits *Limits  // nil: whatever comes
	share  []*os.File
}

// fetch brings objects and refs of the remote into this repository.
func (r *Repo) fetch(ctx context.Context, f fetchCall) error {
	at, err := r.remote()
	if err != nil {
		return err
	}
	if r.program == "" {
		err = r.wireFetch(ctx, at.url, f)
	} else {
		args := slices.Concat([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no"},
			f.args, []string{"--", at.url}, f.specs)
		c := call{args: args, config: r.asToken(at.url), share: f.share}
		if f.limits != nil {
			c.config, c.memory = slices.Concat(c.config, receiveSettings), receiveMemory
		}
		_, err = r.git(ctx, c)
	}
	if err != nil {
		return r.remoteError("fetching from", at.url, err)
	}
	return nil
}

// Borrow brings the commits that a ref of the remote is at into this repository, without a ref of its own: for who builds on them at once.
func (r *Repo) Borrow(ctx context.Context, ref string) error {
	if r.program == "" { // go-git takes no refspec without a destination; nothing is written to this one
		ref += ":" + wanted + "tip"
	}
	return r.fetch(ctx, fetchCall{specs: []string{ref}})
}
