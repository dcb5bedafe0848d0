package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// Mending is done by the program and not by commands for a person to type: `git push --force` of an old tip loses what was recorded since, and `git revert` takes
// away what the same commit brought and refuses merges. One commit on top puts back exactly what history proves, and joins what was cut off.

// mend puts right what was found and can be, and looks again.
func (v *verifying) mend(ctx context.Context) (*record.Verification, error) {
	m := ledger.Mending{Put: map[string][]byte{}, Drop: v.drop, Join: v.join}
	for path, oid := range v.put {
		data, err := v.history.Blob(oid)
		if err != nil {
			v.skip(path, "its bytes, to put them back", err.Error())
			continue
		}
		m.Put[path] = data
	}
	if len(m.Put)+len(m.Drop)+len(m.Join) == 0 && !v.odd {
		return &v.out, nil
	}
	v.p.progress("mending the ledger")
	done, err := v.p.Ledger.Mend(ctx, m)
	if err != nil {
		return nil, err
	}
	o := v.o
	o.Mend = false
	out, err := v.p.Verify(ctx, o)
	if err == nil && len(done.Put)+len(done.Dropped)+len(done.Joined) > 0 {
		out.Mended = &record.Mended{Commit: done.Commit, Put: notNil(done.Put), Dropped: notNil(done.Dropped), Joined: notNil(done.Joined)}
	}
	return out, err
}

// fate is what history says of a record that some commit changed or took away.
type fate struct {
	oids []string      // of all bytes that it had, those that it was first written with first, as far as one line of history tells
	by   ledger.Commit // that changed it first; zero when only merges chose

}

func (s *fate) take(l ledger.Loss, c ledger.Commit) {
	if !l.Settled && s.by.ID == "" {
		s.by = c
		s.oids = append([]string{l.Was}, s.oids...)
	}
	for _, oid := range []string{l.Was, l.Now} {
		if oid != "" && !slices.Contains(s.oids, oid) {
			s.oids = append(s.oids, oid)
		}
	}
}

// rightBytes gives the object id of the bytes that belong at a path, "" when none of those that it had ever was a record. A name made of bytes decides; of numbered
// records the first bytes count.
func (v *verifying) rightBytes(path string, oids []string) string {
	for _, oid := range oids {
		data, err := v.history.Blob(oid)
		if errors.Is(err, gitdb.ErrNotFound) || err == nil && ledger.IsRecord(path, data) {
			return oid
		}
	}
	return ""
}

// retell judges a record that some commit changed or took away, by what is there now.
func (v *verifying) retell(path, now string, s *fate) {
	oids := s.oids
	if s.by.ID == "" { // the branch's choice holds unless the name says otherwise
		oids = append([]string{now}, oids...)
	}
	right := v.rightBytes(path, oids)
	switch {
	case right == "" && now == "":
		v.swept[s.by.ID] = append(v.swept[s.by.ID], path)
	case right == "":
		v.suspects[path] = ""
	case right == now && s.by.ID == "" && v.otherBytes(path, now, s.oids) != "":
		other := v.otherBytes(path, now, s.oids)
		v.warning(record.RuleEdited, path, fmt.Sprintf("`git show %.10s` gives what the other history has there, and `git log -m %s -- %s` who joined them; what is still wanted of it takes the next number, by `plumb promote`", other, v.where, path),
			"two histories that were joined gave out this number: %.10s counts, and %.10s is lost", now, other)
	case right == now && s.by.ID == "":
		v.note(record.RuleEdited, path, "two histories that were joined had other bytes of it, and those that count were kept")
	case right == now:
		v.note(record.RuleEdited, path, "commit %.10s of %s changed it or took it away, and it was put back byte for byte", s.by.ID, s.by.By.Email)
	case now == "" && v.goneDisowned(path, right):
		v.note(record.RuleDisowned, path, "%s; commit %.10s of %s took it away: it is not looked at, and `git show %.10s` gives its bytes", v.gone[path], s.by.ID, s.by.By.Email, right)
	case now == "":
		v.put[path] = right
		v.finding(record.RuleDeleted, path, "", "commit %.10s of %s took it away", s.by.ID, s.by.By.Email)
	default:
		v.put[path] = right
		v.finding(record.RuleEdited, path, "", "commit %.10s of %s changed it; it was %.10s", s.by.ID, s.by.By.Email, right)
	}
}

// otherBytes gives the object id of another record that a numbered path had in some history, "" when there was none: of one that is named by its bytes there can't be.
func (v *verifying) otherBytes(path, now string, oids []string) string {
	if at, err := record.ParsePath(path); err != nil || at.Number == 0 {
		return ""
	}
	return v.rightBytes(path, slices.DeleteFunc(slices.Clone(oids), func(oid string) bool { return oid == now }))
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

// missing takes note of the records of a lost tip that have to come back, and gives them.
func (v *verifying) missing(lost []ledger.Loss) []ledger.Loss {
	return slices.DeleteFunc(lost, func(l ledger.Loss) bool {
		if v.rightBytes(l.Path, []string{l.Was}) == "" {
			return true // it was no record then
		}
		_, told := v.gone[l.Path]
		if l.Now == "" && v.goneDisowned(l.Path, l.Was) {
			if !told {
				v.note(record.RuleDisowned, l.Path, "%s; it was there at a tip that the branch has lost: it is not looked at, and `git show %.10s` gives its bytes", v.gone[l.Path], l.Was)
			}
			return true
		}
		if v.put[l.Path] == "" {
			v.put[l.Path] = l.Was
		}
		return v.put[l.Path] == l.Now
	})
}

// junk lists what stands in the ledger where a record should, never was one, and can be taken out. Files that nobody takes for records may stay.
func (v *verifying) junk() error {
	now, err := v.history.Now()
	if err != nil {
		return err
	}
	beside := ""
	n := 0
	for path := range now {
		if !ledger.MayBeRecord(path) {
			if n++; beside == "" || path < beside {
				beside = path
			}
		}
	}
	if n > 0 {
		v.note(record.RuleRecord, beside, "it is no record and nobody reads it: %s of %s", countOf(n, "such file"), v.where)
	}
	for path, bad := range v.suspects {
		if oid := now[path]; oid != "" && v.put[path] == "" && (oid == bad || v.rightBytes(path, []string{oid}) == "") {
			v.drop[path] = oid
		}
	}
	return nil
}
