package gitdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/plumb-ml/plumb/internal/problem"
)

// configuration reads the repository's own configuration file, without what it includes.
func (r *Repo) configuration() (*config.Config, error) {
	text, err := readUpTo(filepath.Join(r.common, "config"), 1<<20)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	c := config.New()
	if err := sound(func() error { return config.NewDecoder(bytes.NewReader(text)).Decode(c) }); err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	return c, nil
}

// readFormat learns how the repository keeps objects and refs. What Git itself would refuse to open because it does not know it is refused here too.
func (r *Repo) readFormat() error {
	c, err := r.configuration()
	if err != nil {
		return err
	}
	r.format = sha1Format
	for _, option := range c.Section("extensions").Options {
		value := strings.ToLower(option.Value)
		switch strings.ToLower(option.Key) {
		case "objectformat":
			if value == sha256Format.name {
				r.format = sha256Format
			}
		case "refstorage":
			r.reftable = value == "reftable"
		case "partialclone":
			r.promisor = true
		}
	}
	for _, remote := range c.Section("remote").Subsections {
		r.promisor = r.promisor || remote.Option("promisor") == "true"
	}
	if r.program == "" && (r.format != sha1Format || r.reftable) {
		return problem.Failedf("install the git program: without it plumb reads repositories with SHA-1 objects and refs in files",
			"the repository has %s objects and refs in %s", r.format.name, map[bool]string{true: "a reftable", false: "files"}[r.reftable])
	}
	return nil
}

// checkOwner holds a repository of somebody else's against Git's own rule (safe.directory): its configuration names programs that Git runs.
func (r *Repo) checkOwner() error {
	if r.program == "" || ownedByUs(r.gitDir) && (r.root == "" || ownedByUs(r.root)) {
		return nil // no program is run that would believe the configuration
	}
	c := call{args: []string{"rev-parse", "--git-dir"}, discover: true}
	_, err := r.git(context.Background(), c)
	return err
}

// ownership turns Git's refusal of somebody else's repository into an error that says what to do.
func (r *Repo) ownership(said string) error {
	if !strings.Contains(said, "dubious ownership") && !strings.Contains(said, "unsafe repository") {
		return nil
	}
	dir := cmpOr(r.root, r.gitDir)
	return problem.Failedf("if you trust it: git config --global --add safe.directory "+dir, "%s belongs to somebody else, and git does not work there", dir)
}
