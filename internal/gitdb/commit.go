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
	by      Identity // who committed
	time    int64    // seconds since 1970, of who committed
	subject string   // first line of the message
}

// parseCommit reads a commit's header and the first line of its message.
func parseCommit(data []byte) (commit, error) {
	var c commit
	header, message, _ := bytes.Cut(data, []byte("\n\n"))
	first, _, _ := bytes.Cut(message, []byte("\n"))
	c.subject = strings.TrimSpace(string(first))
	for line := range bytes.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "committer":
			var when time.Time
			c.by, when = parseSignature(value)
			c.time = when.Unix()
		}
	}
	if c.tree == "" {
		return commit{}, errors.New("damaged: a commit without a tree")
	}
	return c, nil
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
	who := signature(*info.Author, info.Time)
	fmt.Fprintf(&out, "author %s\ncommitter %s\n", who, who)
	fmt.Fprintf(&out, "\n%s", info.Message)
	return out.Bytes()
}

// signature is who and when, as commits and tags say it. Git knows no time before 1970.
func signature(who Identity, when time.Time) string {
	return fmt.Sprintf("%s <%s> %d +0000", plain(who.Name), plain(who.Email), max(when.Unix(), 0))
}

// parseSignature reads one. A time that cannot be read is 1970, as for Git.
func parseSignature(text string) (Identity, time.Time) {
	name, rest, _ := strings.Cut(text, "<")
	end := strings.LastIndexByte(rest, '>')
	if end < 0 {
		return Identity{}, time.Unix(0, 0)
	}
	var seconds, zone int64
	var err error
	if when := strings.Fields(rest[end+1:]); len(when) > 0 {
		if seconds, err = strconv.ParseInt(when[0], 10, 64); err == nil && len(when) > 1 {
			zone, _ = strconv.ParseInt(when[1], 10, 32)
		}
	}
	offset := int(zone/100*60+zone%100) * 60
	return Identity{strings.TrimSpace(name), rest[:end]}, time.Unix(seconds, 0).In(time.FixedZone("", offset))
}
