package gitdb

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// commit is what plumb needs to know of one.
type commit struct {
	tree    string
	parents []string
	time    int64 // seconds since 1970, of who committed
}

// parseCommit reads a commit's header.
func parseCommit(data []byte) (commit, error) {
	var c commit
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "committer":
			after := value[strings.LastIndexByte(value, '>')+1:]
			seconds, _, _ := strings.Cut(strings.TrimSpace(after), " ")
			c.time, _ = strconv.ParseInt(seconds, 10, 64) // Git reads an unreadable time as 0 too
		case "":
			if c.tree == "" {
				return commit{}, errors.New("damaged: a commit without a tree")
			}
			return c, nil
		}
	}
	return commit{}, errors.New("damaged: this is no commit")
}

func (r *Repo) commitAt(oid string) (commit, error) {
	found, data, err := r.object(oid, maxCommit)
	if err == nil && found != commitObject {
		err = fmt.Errorf("%s is a %s: %w", oid, found, ErrNotFound)
	}
	if err != nil {
		return commit{}, err
	}
	c, err := parseCommit(data)
	if err != nil {
		return commit{}, fmt.Errorf("commit %s: %w", oid, err)
	}
	return c, nil
}

// CommitInfo is what a commit says beside its tree. Without an author it is the user that Git is configured for, else plumb <plumb@localhost>.
type CommitInfo struct {
	Message string
	Parents []string
	Author  *Identity
	Time    time.Time // zero: now
}

func (info CommitInfo) encode(tree string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "tree %s\n", tree)
	for _, parent := range info.Parents {
		fmt.Fprintf(&out, "parent %s\n", parent)
	}
	seconds := max(info.Time.Unix(), 0) // Git knows no time before 1970
	for _, role := range []string{"author", "committer"} {
		fmt.Fprintf(&out, "%s %s <%s> %d +0000\n", role, plain(info.Author.Name), plain(info.Author.Email), seconds)
	}
	fmt.Fprintf(&out, "\n%s", info.Message)
	return out.Bytes()
}
