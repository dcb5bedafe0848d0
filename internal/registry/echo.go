package registry

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

// Source is what a registry is told from.
type Source struct {
	Prefix   string            // folder of the project in its repository; "." at the top
	Versions []record.Version  // by model, then number
	Stages   []record.Stage    // by model, stage, number
	Sums     map[string]string // path of each of these records → SHA-256 of its bytes, hex
	Tags     []Tag             // of the repository, of any name
	Off      []Off             // what is left out of these because it was disowned
	Disowned map[string]string // path of a record that is among neither, as it counts for nothing → who says so and why
}

// VersionPath and StagePath are where records are in the ledger.
func VersionPath(v record.Version) string {
	return fmt.Sprintf("versions/%s/%d.toml", v.Model, v.Number)
}

// StagePath is the path of a stage record.
func StagePath(s record.Stage) string {
	return fmt.Sprintf("stages/%s/%s/%d.toml", s.Model, s.Stage, s.Number)
}

// Echo is the tag that repeats a record. It follows from the record and nothing else, so that two who write it write the same object, and one that differs was
// not written by plumb or was changed.
type Echo struct {
	Record string // path
	Tag    Tag
	Why    string // why there is none; "" when there is
	name   Name
}

// As gives the tag under a name with another counter: for a stage whose first name is taken by another tool.
func (e Echo) As(counter int) Tag {
	t, n := e.Tag, e.name
	n.Counter = counter
	t.Name = n.String()
	return t
}

// Counter is that of the echo's own name: the number of the stage record; 0 for a version.
func (e Echo) Counter() int { return e.name.Counter }

// SameSeries says whether a tag's name differs from the echo's in the counter alone.
func (e Echo) SameSeries(n Name) bool {
	n.Counter = e.name.Counter
	return n == e.name
}

// Echoes gives the tags of all records, versions first.
func (s Source) Echoes() []Echo {
	var out []Echo
	commits := map[[2]string]int{} // model and commit → version
	for _, v := range s.Versions {
		e := s.echo(v.Model, VersionPath(v), v.Header, v.Ledger)
		e.name.Version = VersionName(v.Number)
		e.Tag.Commit = v.Code.Commit
		key := [2]string{v.Model, v.Code.Commit}
		if had, taken := commits[key]; taken && e.Why == "" {
			e.Why = fmt.Sprintf("version %d is of the same commit, and GTO knows a version by its commit", had)
		} else if e.Why == "" {
			commits[key] = v.Number
		}
		e.finish(s, fmt.Sprintf("%s version %d: experiment %s", v.Model, v.Number, v.Experiment), v.Ledger)
		out = append(out, e)
	}
	for i, st := range s.Stages {
		e := s.echo(st.Model, StagePath(st), st.Header, st.Ledger)
		e.name.Stage, e.name.Counter = st.Stage, st.Number
		v, ok := s.version(st.Model, st.Version)
		switch e.Tag.Commit = v.Code.Commit; {
		case e.Why != "":
		case !ok && s.Disowned[VersionPath(record.Version{Model: st.Model, Number: st.Version})] != "":
			e.Why = fmt.Sprintf("version %d was disowned", st.Version)
		case !ok:
			e.Why = fmt.Sprintf("there is no version %d", st.Version)
		case commits[[2]string{v.Model, v.Code.Commit}] != v.Number:
			e.Why = fmt.Sprintf("version %d has no tag", v.Number)
		}
		e.Tag.Time = s.effective(i)
		e.finish(s, fmt.Sprintf("%s version %d in %s: %s", st.Model, st.Version, st.Stage, oneLine(st.Why)), st.Ledger)
		out = append(out, e)
	}
	return out
}

func (s Source) echo(model, path string, h record.Header, ledger string) Echo {
	who := h.By.Who
	e := Echo{Record: path, name: Name{Artifact: Artifact(s.Prefix, model)}, Tag: Tag{Author: who, Email: who, Time: h.Time.UTC()}}
	if !strings.Contains(who, "@") {
		e.Tag.Email = "plumb@localhost"
	}
	if who == "" {
		e.Tag.Author = "plumb"
	}
	switch {
	case e.name.Artifact == "":
		e.Why = fmt.Sprintf("the folder %q can't stand in the name of a tag", s.Prefix)
	case h.Code.Commit == "":
		e.Why = "the record names no commit"
	case s.Sums[path] == "":
		e.Why = "the record's bytes are not at hand"
	}
	return e
}

// finish writes the message: a line for people, then what a reader can check.
func (e *Echo) finish(s Source, line, ledger string) {
	e.Tag.Name = e.name.String()
	e.Tag.Message = fmt.Sprintf("%s\n\nrecord: %s\nsha256: %s\n", line, e.Record, s.Sums[e.Record])
	if ledger != "" {
		e.Tag.Message += "ledger: " + ledger + "\n"
	}
}

// oneLine keeps a text from ending the line that it stands in.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 200 {
		text = string(r[:199]) + "…"
	}
	return text
}

func (s Source) version(model string, number int) (record.Version, bool) {
	for _, v := range s.Versions {
		if v.Model == model && v.Number == number {
			return v, true
		}
	}
	return record.Version{}, false
}

// effective is when the i-th stage record began to count: its time, and not before its predecessor's, since clocks differ and numbers don't.
func (s Source) effective(i int) time.Time {
	at := s.Stages[i].Time.UTC()
	for i--; i >= 0 && s.Stages[i].Model == s.Stages[i+1].Model && s.Stages[i].Stage == s.Stages[i+1].Stage; i-- {
		if before := s.Stages[i].Time.UTC(); before.After(at) {
			at = before
		}
	}
	return at
}

// Claim is what a tag's message says of a record.
type Claim struct {
	Record string // path
	SHA256 string
	Ledger string // tip when it was claimed; "" when there was none
}

var claimPattern = regexp.MustCompile(`(?m)^record: (\S{1,300})\nsha256: ([0-9a-f]{64})$(?:\nledger: ([0-9a-f]{40,64})$)?`)

// ClaimOf reads a tag's message; ok is false when it is not one that plumb wrote.
func ClaimOf(message string) (c Claim, ok bool) {
	f := claimPattern.FindStringSubmatch(message)
	if f == nil {
		return Claim{}, false
	}
	return Claim{Record: f[1], SHA256: f[2], Ledger: f[3]}, true
}
