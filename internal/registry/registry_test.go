package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
)

func TestParseName(t *testing.T) {
	for tag, want := range map[string]Name{
		"churn@v1.2.3":               {Artifact: "churn", Version: "v1.2.3"},
		"churn@v1.2.3-rc.1+b!#7":     {Artifact: "churn", Version: "v1.2.3-rc.1+b", Cancel: true, Counter: 7},
		"churn#prod#12":              {Artifact: "churn", Stage: "prod", Counter: 12},
		"churn#prod!":                {Artifact: "churn", Stage: "prod", Cancel: true},
		"churn@deprecated#3":         {Artifact: "churn", Deprecated: true, Counter: 3},
		"models/risk=ltv@v0.0.1":     {Artifact: "models/risk:ltv", Version: "v0.0.1"},
		"a/b-c_d#x/y":                {Artifact: "a/b-c_d", Stage: "x/y"},
		"churn@created":              {Artifact: "churn", Created: true},
		"services/a.b=churn#prod#1":  {Artifact: "services/a.b:churn", Stage: "prod", Counter: 1},
		"x@v1.0.0":                   {Artifact: "x", Version: "v1.0.0"},
		"delay@v10.0.0":              {Artifact: "delay", Version: "v10.0.0"},
		"delay#production#3":         {Artifact: "delay", Stage: "production", Counter: 3},
		"services/a.b=churn@v2.0.0#": {},
	} {
		got, ok := ParseName(tag)
		if ok != (want != Name{}) || got != want {
			t.Errorf("%q: %+v, %v", tag, got, ok)
		}
		if ok && got.String() != tag {
			t.Errorf("%q is written %q", tag, got.String())
		}
	}
	for _, tag := range []string{"", "v1.0.0", "churn", "churn@1.0.0", "churn@v1.0", "churn@v01.0.0", "a@b@v1.0.0", "-a@v1.0.0", "a-@v1.0.0", "churn#", "churn#prod#x",
		"churn@v1.0.0\n", "churn#prod##1", strings.Repeat("a", 600) + "@v1.0.0", "churn#prod#99999999999999999999"} {
		if n, ok := ParseName(tag); ok {
			t.Errorf("%q is %+v", tag, n)
		}
	}
}

var start = time.Date(2001, 6, 30, 12, 0, 0, 0, time.UTC)

func commit(n int) string { return fmt.Sprintf("%040x", n) }

// made is a source with versions 1, 2, … of commits 1, 2, …, and production stages of the given versions, an hour apart.
func made(staged ...int) Source {
	s := Source{Prefix: ".", Sums: map[string]string{}}
	head := func(i, c int) record.Header {
		return record.Header{Time: start.Add(time.Duration(i) * time.Hour), By: record.By{Who: "ann@example.org"}, Code: record.Code{Commit: commit(c)}}
	}
	for i, v := range staged {
		if v > len(s.Versions) {
			s.Versions = append(s.Versions, record.Version{Header: head(i, v), Model: "m", Number: v, Experiment: "e"})
			s.Sums[VersionPath(s.Versions[v-1])] = strings.Repeat("a", 64)
		}
		s.Stages = append(s.Stages, record.Stage{Header: head(i, v), Model: "m", Stage: "production", Number: i + 1, Version: v})
		s.Sums[StagePath(s.Stages[i])] = strings.Repeat("b", 64)
	}
	return s
}

// held writes terms as "production v1.0.0 0-1, …", in hours since the start.
func held(terms []Term) string {
	var out []string
	for _, t := range terms {
		until := ""
		if t.Until != nil {
			until = fmt.Sprint(t.Until.Sub(start).Hours())
		}
		out = append(out, fmt.Sprintf("%s %s %v-%s", *t.Assignment.Stage, *t.Assignment.Version, t.Since.Sub(start).Hours(), until))
	}
	return strings.Join(out, ", ")
}

func tag(name string, c int, hours float64) Tag {
	return Tag{Name: name, Commit: commit(c), Author: "Bo", Email: "bo@example.org", Time: start.Add(time.Duration(hours * float64(time.Hour))), Message: "by GTO"}
}

func TestTerms(t *testing.T) {
	for name, c := range map[string]struct {
		source Source
		tags   []Tag
		want   string
	}{
		"records alone":           {made(1, 2, 1), nil, "production v1.0.0 0-1, production v2.0.0 1-2, production v1.0.0 2-"},
		"nothing":                 {made(), nil, ""},
		"a tag after the records": {made(1, 2), []Tag{tag("m#production#9", 1, 5), tag("m@v7.0.0", 7, 5)}, "production v1.0.0 0-1, production v2.0.0 1-"},
		"tags before the records": {made(1), []Tag{tag("m@v0.1.0", 9, -3), tag("m#production#1", 9, -2)}, "production v0.1.0 -2-0, production v1.0.0 0-"},
		"another stage by tags":   {made(1), []Tag{tag("m#canary#1", 1, 3)}, "canary v1.0.0 3-, production v1.0.0 0-"},
		"the newest is taken away": {made(), []Tag{tag("g@v1.0.0", 1, 0), tag("g@v2.0.0", 2, 1), tag("g#p#1", 1, 2), tag("g#p#2", 2, 3), tag("g#p!#3", 2, 4)},
			"p v1.0.0 2-3, p v2.0.0 3-4, p v1.0.0 4-"},
		"deregistered":             {made(), []Tag{tag("g@v1.0.0", 1, 0), tag("g#p#1", 1, 1), tag("g@v1.0.0!", 1, 2)}, "p v1.0.0 1-2"},
		"deprecated":               {made(), []Tag{tag("g@v1.0.0", 1, 0), tag("g#p#1", 1, 1), tag("g@deprecated", 1, 2)}, "p v1.0.0 1-2"},
		"a commit without version": {made(), []Tag{tag("g#p", 3, 1)}, "p " + commit(3) + " 1-"},
	} {
		c.source.Tags = c.tags
		if got := held(Terms(c.source.History())); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// A clock that goes back must not bring an older version back: numbers say what came after what.
func TestTermsWithAClockThatGoesBack(t *testing.T) {
	s := made(1, 2, 1)
	s.Stages[1].Time = start.Add(9 * time.Hour)
	if got, want := held(Terms(s.History())), "production v1.0.0 0-9, production v1.0.0 9-"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestEchoes(t *testing.T) {
	s := made(1, 2, 1)
	s.Versions[1].Ledger = commit(77)
	echoes := s.Echoes()
	var names []string
	for _, e := range echoes {
		names = append(names, e.Tag.Name+" at "+strings.TrimLeft(e.Tag.Commit, "0"))
		s.Tags = append(s.Tags, e.Tag)
	}
	want := []string{"m@v1.0.0 at 1", "m@v2.0.0 at 2", "m#production#1 at 1", "m#production#2 at 2", "m#production#3 at 1"} // a version's commit is how GTO knows it
	if !slices.Equal(names, want) {
		t.Errorf("%v\nwant %v", names, want)
	}
	if c, ok := ClaimOf(echoes[1].Tag.Message); !ok || c.Record != "versions/m/2.toml" || c.SHA256 != strings.Repeat("a", 64) || c.Ledger != commit(77) {
		t.Errorf("%+v of %q", c, echoes[1].Tag.Message)
	}
	events := s.History()
	if len(events) != 5 {
		t.Errorf("tags that repeat records are told twice: %d events", len(events))
	}
	for _, e := range events {
		if e.Source != record.SourceLedger || e.Ref == "" {
			t.Errorf("%+v", e)
		}
	}
	// The echo is the same whoever makes it; a name that another tool took is passed over.
	if a, b := echoes[2].Tag, echoes[2].As(9); a.Name != "m#production#1" || b.Name != "m#production#9" || a.Message != b.Message {
		t.Errorf("%q %q", a.Name, b.Name)
	}
	s.Versions[1].Code.Commit = s.Versions[0].Code.Commit
	if e := s.Echoes()[1]; e.Why == "" {
		t.Error("GTO can't tell two versions of one commit apart, and both have a tag")
	}
	s.Prefix = "a b"
	if e := s.Echoes()[0]; e.Why == "" {
		t.Error("a folder with a space is in a tag's name")
	}
}

// A tag that names a record and stands where that record's tag does not is no echo.
func TestHistoryOfAFalseEcho(t *testing.T) {
	s := made(1)
	false_ := s.Echoes()[0].Tag
	false_.Name = "m@v5.0.0"
	s.Tags = []Tag{false_}
	for _, e := range s.History() {
		if e.Source == record.SourceTag && (e.Counted || e.Reason == "") {
			t.Errorf("%+v", e)
		}
	}
	if got := After(s.History())["m"].Latest(); got != "v1.0.0" {
		t.Errorf("latest is %s", got)
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"a@v1.0.0", "a#b#1", "d=a@v1.0.0!", "a@deprecated"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		n, ok := ParseName(tag)
		if ok && n.String() != tag && !strings.Contains(tag, "#0") { // a counter's leading zeros go
			t.Errorf("%q is written %q", tag, n.String())
		}
	})
}
