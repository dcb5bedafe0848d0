package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// What belongs at a path that some commit changed? A record named by its bytes says so itself. A number does not: where history tells one line, of bytes that were
// written and then edited or taken away, the first count. Where it tells two - a merge that chose, a number given out again, a tip that was forced off - an order of
// commits is whatever its writer likes, and no rule can say who is false: a person decides, by disowning, and nothing that stands is replaced until then.

// fate is what history says of a record that some commit changed or took away.
type fate struct {
	oids []string      // of all bytes that it had before or after a change, in the order of commits
	by   ledger.Commit // that changed it first; zero when only merges chose
	line bool          // each change began with what the last one had left, and none was a merge's
	last string        // what the last change left; "" for nothing
}

func (s *fate) take(l ledger.Loss, c ledger.Commit) {
	s.line = !c.Merge && (len(s.oids) == 0 || s.line && s.last == l.Was)
	s.last = l.Now
	if !l.Settled && s.by.ID == "" {
		s.by = c
	}
	for _, oid := range []string{l.Was, l.Now} {
		if oid != "" && !slices.Contains(s.oids, oid) {
			s.oids = append(s.oids, oid)
		}
	}
}

// valid gives those of the bytes that can be the record of a path.
func (v *verifying) valid(path string, oids []string) []string {
	var out []string
	for _, oid := range oids {
		data, err := v.history.Blob(oid)
		if oid != "" && !slices.Contains(out, oid) && (errors.Is(err, gitdb.ErrNotFound) || err == nil && ledger.IsRecord(path, data)) {
			out = append(out, oid)
		}
	}
	return out
}

// undisowned leaves out bytes of a path that a decision says count for nothing.
func (v *verifying) undisowned(path string, oids []string) []string {
	return slices.DeleteFunc(slices.Clone(oids), func(oid string) bool {
		data, err := v.history.Blob(oid)
		_, off := v.view.DisownedBytes(path, data)
		return err == nil && off
	})
}

// judgement is what belongs at a path.
type judgement struct {
	right  string   // object id; "" where nothing ever was a record, or a person decides
	others []string // that may be right as well, besides what stands or would be put back
}

// weigh judges all bytes that a path had, now those that stand. Without a line nothing that can be a record is replaced, unless it is disowned.
func (v *verifying) weigh(path, now string, oids []string, line bool) judgement {
	valid := v.valid(path, append(slices.Clone(oids), now))
	switch {
	case len(valid) == 0:
		return judgement{}
	case len(valid) == 1 || line || !record.IsNumbered(path):
		return judgement{right: valid[0]}
	}
	live := v.undisowned(path, valid)
	switch stands := slices.Contains(valid, now); {
	case len(live) == 0 && stands:
		return judgement{right: now}
	case len(live) == 0:
		return judgement{right: valid[0]}
	case len(live) == 1:
		return judgement{right: live[0]}
	case slices.Contains(live, now):
		return judgement{now, slices.DeleteFunc(live, func(oid string) bool { return oid == now })}
	}
	return judgement{"", live}
}

// retell judges a record that some commit changed or took away, by what is there now.
func (v *verifying) retell(path, now string, s *fate) {
	line := s.line && s.last == now
	v.had[path] = s.oids
	switch j := v.weigh(path, now, s.oids, line); {
	case len(j.others) > 0:
		v.undecided(path, now, j)
	case j.right == "" && now == "":
		v.swept[s.by.ID] = append(v.swept[s.by.ID], path)
	case j.right == "":
		v.suspects[path] = ""
	case j.right == now && s.by.ID == "":
		v.note(record.RuleEdited, path, "two histories that were joined had other bytes of it, and those that count were kept")
	case j.right == now && (line || !record.IsNumbered(path)):
		v.note(record.RuleEdited, path, "commit %.10s of %s changed it or took it away, and it was put back byte for byte", s.by.ID, s.by.By.Email)
	case j.right == now:
		v.note(record.RuleEdited, path, "commit %.10s of %s changed it or took it away, and what stands is the only record of this number that counts", s.by.ID, s.by.By.Email)
	case now == "":
		v.put[path] = j.right
		v.finding(record.RuleDeleted, path, "", "commit %.10s of %s took it away", s.by.ID, s.by.By.Email)
	default:
		v.put[path] = j.right
		v.finding(record.RuleEdited, path, "", "commit %.10s of %s changed it; it was %.10s", s.by.ID, s.by.By.Email, j.right)
	}
}

// undecided tells of a number that several records had, and how a person decides.
func (v *verifying) undecided(path, now string, j judgement) {
	if v.conflicts[path] {
		return
	}
	v.conflicts[path] = true
	delete(v.put, path)
	at := make([]string, len(j.others))
	for i, oid := range j.others {
		at[i] = path + "@" + oid
	}
	stands, keep := "none of them stands", disownCommand(at[1:])+"` leaves "+fmt.Sprintf("%.10s", j.others[0])
	if j.right != "" {
		stands, keep = fmt.Sprintf("%.10s stands", now), fmt.Sprintf("%s` leaves what stands, which is %s@%s", disownCommand(at), path, now)
	}
	v.finding(record.RuleEdited, path, fmt.Sprintf("`git show OID` shows each, and `git log -m %s -- %s` who brought it: disown all but the right one, then `plumb push` and `plumb verify --mend`. `%s", v.where, path, keep),
		"history has %s of this number, and does not tell which is right: %s; %s",
		countOf(len(j.others)+min(1, len(j.right)), "record"), strings.Join(shortIDs(append(slices.Clone(j.others), j.right)), ", "), stands)
}

func shortIDs(oids []string) []string {
	var out []string
	for _, oid := range oids {
		if oid != "" {
			out = append(out, fmt.Sprintf("%.10s", oid))
		}
	}
	return out
}

// tellSwept makes one note of what a commit took out that never was a record.
func (v *verifying) tellSwept(stories map[string]*fate) {
	for _, id := range keys(v.swept) {
		paths := v.swept[id]
		slices.Sort(paths)
		more := ""
		if n := len(paths) - 1; n > 0 {
			more = fmt.Sprintf(", and %d more like it", n)
		}
		v.note(record.RuleRecord, paths[0], "it was no record, and commit %.10s of %s took it out again%s", id, stories[paths[0]].by.By.Email, more)
	}
}

// missing takes note of the records of a lost tip that have to come back, and gives them. A tip that nobody but a tag names is not believed so far.
func (v *verifying) missing(lost []ledger.Loss, believed bool) []ledger.Loss {
	return slices.DeleteFunc(lost, func(l ledger.Loss) bool {
		had := append(slices.Clone(v.had[l.Path]), l.Was, v.put[l.Path])
		j := v.weigh(l.Path, l.Now, had, false)
		switch {
		case len(v.valid(l.Path, []string{l.Was})) == 0 || j.right == l.Now && len(j.others) == 0:
			return true // it was no record then, or what stands is right
		case !believed:
			return false
		}
		if v.had[l.Path] = had; len(j.others) > 0 {
			v.undecided(l.Path, l.Now, j)
			return true
		}
		v.put[l.Path] = j.right
		return false
	})
}
