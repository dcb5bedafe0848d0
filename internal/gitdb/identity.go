package gitdb

import (
	"context"
	"os"
	"strings"

	"github.com/go-git/go-git/v5/config"
)

var fallbackIdentity = Identity{"plumb", "plumb@localhost"}

// Identity is the e-mail address of who commits: of the environment (GIT_COMMITTER_NAME and _EMAIL) or Git's configuration, else plumb@localhost.
func (r *Repo) Identity() string { return r.committer().Email }

func (r *Repo) committer() Identity {
	r.whoOnce.Do(func() { r.who = r.findIdentity() })
	return r.who
}

func (r *Repo) findIdentity() Identity {
	who := Identity{os.Getenv("GIT_COMMITTER_NAME"), os.Getenv("GIT_COMMITTER_EMAIL")}
	if who.Name != "" && who.Email != "" {
		return who
	}
	if r.program != "" { // it also knows conditional includes
		who = r.configuredIdentity()
	} else {
		r.mu.Lock()
		defer r.mu.Unlock()
		repo, err := r.library()
		if err != nil {
			return fallbackIdentity
		}
		settings, err := repo.ConfigScoped(config.GlobalScope)
		if err != nil { // the user's own file cannot be read: the repository's can
			settings, err = repo.Config()
		}
		if err == nil {
			who = Identity{settings.User.Name, settings.User.Email}
		}
	}
	if plain(who.Name) == "" || plain(who.Email) == "" {
		return fallbackIdentity
	}
	return who
}

func (r *Repo) configuredIdentity() (who Identity) {
	out, err := r.git(context.Background(), call{args: []string{"config", "-z", "--get-regexp", `^user\.(name|email)$`}})
	if err != nil {
		return Identity{} // exit status 1: neither is set
	}
	for entry := range strings.SplitSeq(out, "\x00") { // what comes later counts
		switch key, value, _ := strings.Cut(entry, "\n"); key {
		case "user.name":
			who.Name = strings.TrimSpace(value)
		case "user.email":
			who.Email = strings.TrimSpace(value)
		}
	}
	return who
}
