package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// A record is never edited and never deleted; one that should not have been written is disowned, by a decision that names its path and the SHA-256 of its bytes.
// Everything that lists records leaves it out, all by what stands here; by its path it can be read as before. A decision that disowns is a record like others, and
// can be disowned, which takes it back: whoever disowns an honest record is answered so.

// Disowning is a decision that a record counts for nothing.
type Disowning struct {
	record.Decision
	Path      string // its own
	Private   bool   // it is in this clone only
	TakenBack string // path of the decision that disowns this one; "" when it stands

	sum string // of its own bytes
}

// String says who, when and why.
func (d Disowning) String() string {
	return fmt.Sprintf("disowned by %s on %s (%.200s)", cmp.Or(d.By.Who, "somebody"), d.Time.Format("2006-01-02"), d.Reason)
}

// Of says whether it names these bytes.
func (d Disowning) Of(data []byte) bool { return d.SHA256 == record.Sum(data) }

// disownings are those of a view, or of one commit.
type disownings struct {
	all      []Disowning            // by time, then path
	standing map[string][]Disowning // by the path of the record
	counting map[string]Disowning   // by the path of the record, which has these bytes
}

const disownedFolder = "decisions/" + record.Disowned

// readDisownings reads the decisions that disown, and what they say of each other. What can't be decoded disowns nothing, and is told of by who decodes all decisions.
func readDisownings(sources ...source) (disownings, error) {
	d := disownings{standing: map[string][]Disowning{}, counting: map[string]Disowning{}}
	seen := map[string]bool{}
	for _, from := range sources {
		if from.tip == "" {
			continue
		}
		entries, err := from.repo.FilesUnder(from.tip, disownedFolder)
		if err != nil {
			return d, fmt.Errorf("reading what was disowned: %w", err)
		}
		for _, e := range entries {
			if seen[e.Path] {
				continue
			}
			seen[e.Path] = true
			data, err := from.repo.BlobLimit(e.OID, maxRecord)
			if errors.Is(err, gitdb.ErrTooLarge) {
				continue
			}
			if err != nil {
				return d, fmt.Errorf("reading record %s: %w", e.Path, err)
			}
			if r, err := record.Decode(e.Path, data); err == nil {
				d.all = append(d.all, Disowning{Decision: *r.(*record.Decision), Path: e.Path, Private: from.private, sum: record.Sum(data)})
			}
		}
	}
	slices.SortFunc(d.all, func(a, b Disowning) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Path, b.Path)) })
	d.weigh()
	return d, nil
}

// weigh finds those that stand: no other one that stands disowns them. There are no circles, as each names the bytes of what was there before it.
func (d *disownings) weigh() {
	of := map[string][]int{} // path of a record → who disowns it
	for i := range d.all {
		of[d.all[i].Record] = append(of[d.all[i].Record], i)
	}
	done := make([]bool, len(d.all))
	var settle func(i int)
	settle = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		for _, by := range of[d.all[i].Path] {
			if settle(by); d.all[by].SHA256 == d.all[i].sum && d.all[by].TakenBack == "" {
				d.all[i].TakenBack = d.all[by].Path
				return
			}
		}
	}
	for i := range d.all {
		if settle(i); d.all[i].TakenBack == "" {
			d.standing[d.all[i].Record] = append(d.standing[d.all[i].Record], d.all[i])
		}
	}
}

// match finds those that stand and name the bytes which their records have, in the first source that has them.
func (d *disownings) match(sources ...source) error {
	var open []string
	for file := range d.standing {
		open = append(open, file)
	}
	for _, from := range sources {
		there, err := from.repo.LookupAll(from.tip, open...)
		if err != nil {
			return fmt.Errorf("reading what was disowned: %w", err)
		}
		for file, oid := range there {
			data, err := from.repo.BlobLimit(oid, maxRecord)
			if errors.Is(err, gitdb.ErrTooLarge) {
				continue
			}
			if err != nil {
				return fmt.Errorf("reading record %s: %w", file, err)
			}
			if by, ok := d.of(file, data); ok {
				d.counting[file] = by
			}
		}
		open = slices.DeleteFunc(open, func(file string) bool { return there[file] != "" })
	}
	return nil
}

// of gives the first that disowns these bytes of a path.
func (d *disownings) of(file string, data []byte) (Disowning, bool) {
	at := slices.IndexFunc(d.standing[file], func(by Disowning) bool { return by.Of(data) })
	if at < 0 {
		return Disowning{}, false
	}
	return d.standing[file][at], true
}

// disownings reads them once. That they can't be read is kept for whoever asks with err: what they disown must not count by that.
func (v *View) disownings() *disownings {
	v.disownOnce.Do(func() {
		var err error
		if v.disowned, err = readDisownings(v.sources...); err == nil {
			err = v.disowned.match(v.sources...)
		}
		if err != nil {
			v.mu.Lock()
			v.failure = errors.Join(v.failure, err)
			v.mu.Unlock()
		}
	})
	return &v.disowned
}

// Disowned gives the records that are here and count for nothing, each by its path with the decision that says so. Do not change it.
func (v *View) Disowned() map[string]Disowning { return v.disownings().counting }

// WhyDisowned says of the same records by whom, when and why.
func (v *View) WhyDisowned() map[string]string {
	why := map[string]string{}
	for file, by := range v.Disowned() {
		why[file] = by.String()
	}
	return why
}

// DisownedBytes gives the decision that disowns the record which had these bytes at a path, wherever it is now.
func (v *View) DisownedBytes(file string, data []byte) (Disowning, bool) {
	return v.disownings().of(file, data)
}

// Disownings lists all decisions that disown, also those that do not count, by time. Do not change it.
func (v *View) Disownings() []Disowning { return v.disownings().all }

// disownsAt says whether a decision that stands names a path, which therefore is not given out again.
func (v *View) disownsAt(file string) bool { return len(v.disownings().standing[file]) > 0 }

// Next is the number that the next record of a folder ("versions/delay") takes: the first after those that count that was never given out, also not to what was
// disowned. What is no record, or was disowned, uses up its own number only, however large that is.
func (v *View) Next(folder string) int {
	next := 1
	for _, r := range v.Versions("") {
		if folder == "versions/"+r.Model {
			next = max(next, r.Number+1)
		}
	}
	for _, s := range v.Stages("", "") {
		if folder == "stages/"+s.Model+"/"+s.Stage {
			next = max(next, s.Number+1)
		}
	}
	taken := func() bool {
		file := fmt.Sprintf("%s/%d.toml", folder, next)
		_, there := v.at(file)
		return there || len(v.disownings().standing[file]) > 0
	}
	for taken() {
		next++
	}
	return next
}

// counting leaves out what was disowned.
func counting(paths []string, off map[string]Disowning) []string {
	if len(off) == 0 {
		return paths
	}
	return slices.DeleteFunc(slices.Clone(paths), func(file string) bool { _, ok := off[file]; return ok })
}

// dropDisowned leaves disowned runs out of the table, which has them from indexes that may be older than the decision.
func (v *View) dropDisowned(t *index.Table) error {
	ids := map[string]bool{}
	for file := range v.Disowned() {
		if strings.HasPrefix(file, runsFolder+"/") {
			ids[strings.TrimSuffix(path.Base(file), ".toml")] = true
		}
	}
	if len(ids) == 0 {
		return nil
	}
	id, err := t.Column("id", table.String)
	if err != nil {
		return err
	}
	experiment, err := t.Column("experiment", table.String)
	if err != nil {
		return err
	}
	made, err := t.Column("time", table.Timestamp)
	if err != nil {
		return err
	}
	var rows []int
	for i := range t.Len() {
		if !ids[id.Text(i)] {
			continue
		}
		if _, off := v.Disowned()[RunPath(experiment.Text(i), made.Micros(i), id.Text(i))]; off {
			rows = append(rows, i)
		}
	}
	t.Drop(rows)
	return nil
}
