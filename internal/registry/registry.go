// Package registry is which version of a model was in which stage and when: told by the ledger's version and stage records, and by the annotated tags of
// GTO's grammar, which plumb repeats its records in, so that other tools read them.
//
// Records decide. A tag is read as an event of its own only where no record stands behind it: all the history of a registry that GTO wrote, and of one that plumb
// took over what lies before its first record. Later tags of others are listed and not counted, because a tag can be moved and a record can't.
//
// It is not a client of Git: it is given records and tags, and gives events, states and the tags to write. It stores nothing.
package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// Tag is an annotated tag of a commit.
type Tag struct {
	Name    string // without refs/tags/
	Commit  string
	Author  string
	Email   string
	Time    time.Time
	Message string
}

// Name is the name of a tag, taken apart.
type Name struct {
	Artifact   string // "dir:name" for one of a sub-folder
	Version    string // "v1.2.3"; "" when the tag is not about a version
	Stage      string // "" when the tag is not about a stage
	Cancel     bool   // the version is deregistered, the stage unassigned
	Deprecated bool
	Created    bool
	Counter    int // 0 when the name has none
}

// The grammar of GTO 1.10.1 (gto/constants.py, tag_re).
const (
	namePart    = `[a-zA-Z0-9](?:[a-zA-Z0-9\-/_]*[a-zA-Z0-9])?`
	versionPart = `v(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)` +
		`(?:-(?:(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+(?:[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?`
)

var (
	tagPattern = regexp.MustCompile(`^((?:[a-zA-Z0-9\-_./]+=)?` + namePart + `)(?:(?:#(` + namePart + `)|@(` + versionPart + `))(!?)|@(?:(deprecated)|(created)))(?:#([0-9]+))?$`)
	dirPattern = regexp.MustCompile(`^[a-zA-Z0-9\-_./]+$`)
)

// maxName is the longest name of a tag that is read.
const maxName = 500

// ParseName takes a tag's name apart; ok is false for a tag that is not of this grammar. A name that only begins like one ("a@b@v1.0.0") is not.
func ParseName(tag string) (n Name, ok bool) {
	if len(tag) > maxName {
		return Name{}, false
	}
	f := tagPattern.FindStringSubmatch(tag)
	if f == nil {
		return Name{}, false
	}
	n = Name{Artifact: strings.ReplaceAll(f[1], "=", ":"), Stage: f[2], Version: f[3], Cancel: f[4] == "!", Deprecated: f[5] != "", Created: f[6] != ""}
	if f[7] != "" {
		var err error
		if n.Counter, err = strconv.Atoi(f[7]); err != nil {
			return Name{}, false
		}
	}
	return n, true
}

// IsTag says whether a tag's name is of the grammar.
func IsTag(name string) bool {
	_, ok := ParseName(name)
	return ok
}

// String writes the name as a tag has it.
func (n Name) String() string {
	text := strings.ReplaceAll(n.Artifact, ":", "=")
	switch {
	case n.Deprecated:
		text += "@deprecated"
	case n.Created:
		text += "@created"
	case n.Version != "":
		text += "@" + n.Version
	default:
		text += "#" + n.Stage
	}
	if n.Cancel {
		text += "!"
	}
	if n.Counter > 0 {
		text += "#" + strconv.Itoa(n.Counter)
	}
	return text
}

// Artifact is the name that other tools know a model by: of a project in a sub-folder it begins with the folder. It is "" where the folder's name can't
// stand in a tag.
func Artifact(prefix, model string) string {
	if prefix == "" || prefix == "." {
		return model
	}
	if !dirPattern.MatchString(prefix) {
		return ""
	}
	return prefix + ":" + model
}

// VersionName is the n-th version as a semantic version: each is a major one, since nothing says that a model can stand in for another.
func VersionName(n int) string { return fmt.Sprintf("v%d.0.0", n) }

// newer compares versions by their precedence.
func newer(a, b string) bool { return semver.Compare(a, b) > 0 }

func isSemver(v string) bool { return semver.IsValid(v) }

// NewestFirst sorts versions by their precedence, what is none (a commit) behind.
func NewestFirst(versions []string) []string {
	slices.SortFunc(versions, func(a, b string) int { return cmp.Or(semver.Compare(b, a), strings.Compare(a, b)) })
	return versions
}
