package flow

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

// restore is what to do about a record that is wrong and always was: nothing shows what it should say.
func (v *verifying) restore(path string) string {
	who := "see who brought it with `git fetch` and `git log " + v.where + " -- " + path + "`"
	switch {
	case v.facts[path].kind == "":
		return "it was written so, and no record is ever edited: decide nothing by it, and " + who
	case v.view.Private(path):
		return "it is in this clone only, so don't push it: " + v.p.dropPrivate()
	}
	return fmt.Sprintf("it was written so, and no record is ever edited: %s; `%s`, then `plumb push`, make it count for nothing", who, v.disownCommand(path))
}

// records reads every record alone: that its name is that of its bytes, that its digests are those of what stands beside them.
func (v *verifying) records(ctx context.Context) (string, error) {
	paths := v.disownedLast(v.view.Paths())
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		v.tell("records", i, len(paths))
		v.out.Checked.Records++
		if v.view.Private(p) {
			v.out.Checked.Private++
		}
		data, err := v.view.Bytes(p)
		if errors.Is(err, gitdb.ErrTooLarge) {
			v.suspect(p)
			v.finding(record.RuleRecord, p, v.restore(p), "it is too large for a record: %v", err)
			continue
		}
		if err != nil {
			v.finding(record.RuleRecord, p, "fetch the ledger again: delete .git/plumb/cache", "it can't be read: %v", err)
			continue
		}
		r, err := record.Decode(p, data)
		switch {
		case err == nil:
			v.remember(p, r)
		case errors.Is(err, record.ErrMisplaced):
			v.suspect(p)
			v.finding(record.RuleEdited, p, v.restore(p), "it %v", record.ErrMisplaced)
		case errors.Is(err, record.ErrNewer):
			v.out.Checked.Unknown++
			v.skip(p, "its contents", err.Error())
		default:
			v.suspect(p)
			v.finding(record.RuleRecord, p, v.restore(p), "%v", err)
		}
	}
	for _, p := range v.view.Strays() {
		_, err := record.ParsePath(p)
		if errors.Is(err, record.ErrNewer) {
			v.out.Checked.Unknown++
			v.skip(p, "its contents", err.Error())
			continue
		}
		v.suspect(p)
		v.finding(record.RuleRecord, p, v.restore(p), "%v", err)
	}
	v.gaps()
	return fmt.Sprintf("%s, %d private, %d of a newer program", countOf(v.out.Checked.Records, "record"), v.out.Checked.Private, v.out.Checked.Unknown), nil
}

// headerOf is what every record starts with.
func headerOf(r any) record.Header {
	switch r := r.(type) {
	case *record.Run:
		return r.Header
	case *record.Snapshot:
		return r.Header
	case *record.ComparisonRecord:
		return r.Header
	case *record.Version:
		return r.Header
	case *record.Stage:
		return r.Header
	case *record.Decision:
		return r.Header
	case *record.Monitor:
		return r.Header
	}
	return record.Header{}
}

// suspect takes note of a path of the branch at which something stands that is no record.
func (v *verifying) suspect(p string) {
	if !v.view.Private(p) {
		v.suspects[p] = v.view.ObjectID(p)
	}
}

func (v *verifying) suspected(p string) bool {
	_, ok := v.suspects[p]
	return ok
}

// remember keeps what others refer to.
func (v *verifying) remember(p string, r any) {
	var f fact
	h := headerOf(r)
	switch r := r.(type) {
	case *record.Run:
		f = fact{model: r.Model, artifact: r.Artifact.SHA256, digest: r.Inputs.Key()}
		v.ids[r.ID] = p
	case *record.Version:
		f = fact{model: r.Model, number: r.Number, artifact: r.Artifact.SHA256, run: r.Run}
		v.madeOf[r.Run] = append(v.madeOf[r.Run], p)
	case *record.Stage:
		f = fact{model: r.Model, number: r.Version, run: r.Run}
	case *record.Decision:
		f = fact{run: r.Run}
		if r.Choice == record.Expired || r.Choice == record.Forgotten {
			v.droppings = append(v.droppings, dropping{p, r.Choice, r.Reason, r.Time, r.Blobs})
		}
	}
	if at, err := record.ParsePath(p); err == nil {
		f.kind = at.Kind
	}
	f.time = h.Time
	v.facts[p] = f
	v.names(p, r)
	switch {
	case h.Actor == record.ActorCI:
		v.ci[p] = true
	case h.By.Who != "" && !v.view.Private(p):
		v.who[p] = h.By.Who
	}
}

// gaps finds numbers that are missing: versions and stages count from 1. What counts for nothing fills the place of its own number and shows no gap before it.
func (v *verifying) gaps() {
	for _, p := range v.view.Paths() {
		at, err := record.ParsePath(p)
		_, sound := v.facts[p]
		if _, off := v.off[p]; err == nil && at.Number > 0 && sound && !off {
			v.numbers[path.Dir(p)] = append(v.numbers[path.Dir(p)], at.Number)
		}
	}
	for _, folder := range keys(v.numbers) {
		slices.Sort(v.numbers[folder])
		want := 1
		for _, n := range v.numbers[folder] {
			v.gap(folder, want, n)
			want = n + 1
		}
	}
}

// mostGone is how many missing numbers before another one are told of one by one: any number can be written into a name.
const mostGone = 100

func (v *verifying) gap(folder string, want, n int) {
	for ; want < n; want++ {
		gone := fmt.Sprintf("%s/%d.toml", folder, want)
		if v.view.ObjectID(gone) != "" {
			continue
		}
		said := fmt.Sprintf("%s/%d.toml is there, and number %d is not", folder, n, want)
		if n-want > mostGone {
			said = fmt.Sprintf("%s/%d.toml is there, and of the numbers from %d to %d many are not", folder, n, want, n-1)
			want = n
		}
		after := fmt.Sprintf("%s/%d.toml", folder, n)
		v.finding(record.RuleDeleted, gone, fmt.Sprintf("if it ever was, `plumb verify --mend` in a clone that saw it brings it back; if not, nobody gave out the number of %s: `%s`, then `plumb push`",
			after, v.disownCommand(after)), "%s", said)
	}
}

// references holds records against those that they name.
func (v *verifying) references(context.Context) (string, error) {
	n := 0
	for _, p := range v.view.Paths() {
		switch f := v.facts[p]; f.kind {
		case record.KindVersion:
			n++
			run, ok := v.facts[f.run]
			switch {
			case !ok || run.kind != record.KindRun:
				v.lost(p, f.run)
			case run.artifact != f.artifact:
				v.finding(record.RuleReference, p, v.restore(p), "its artifact is %.12s…, and that of its run %s is %.12s…", f.artifact, f.run, run.artifact)
			case run.model != f.model:
				v.finding(record.RuleReference, p, v.restore(p), "its run %s is of model %s", f.run, run.model)
			}
			v.restsOn(p, f.run)
		case record.KindStage:
			n++
			named := fmt.Sprintf("versions/%s/%d.toml", f.model, f.number)
			switch version, ok := v.facts[named]; {
			case !ok:
				v.lost(p, named)
			case version.run != f.run:
				v.finding(record.RuleReference, p, v.restore(p), "it says run %s, and version %d is of run %s", f.run, f.number, version.run)
			}
			v.served(p, named)
		case record.KindDecision:
			if f.run != "" && v.facts[f.run].kind != record.KindRun {
				v.lost(p, f.run)
			}
		case record.KindComparison:
			n++
			if err := v.comparisonRefers(p); err != nil {
				return "", err
			}
		}
	}
	return countOf(n, "record") + " name others", nil
}

// lost reports a record that another one names and that is not there.
func (v *verifying) lost(from, named string) {
	if v.view.Offline != "" {
		v.skip(from, named, "the remote's ledger could not be read")
		return
	}
	if v.suspected(named) {
		v.follows(named, record.RuleReference, from, v.restore(named), "it names %s, which is no record", named)
		return
	}
	v.follows(named, record.RuleReference, from, "if it lies in somebody's clone, `plumb push` there brings it; if not: "+v.restore(from), "it names %s, which the ledger does not have", named)
}

func (v *verifying) comparisonRefers(p string) error {
	c, err := decoded[record.ComparisonRecord](v, p)
	if err != nil {
		return err
	}
	for _, side := range []record.Side{c.Comparison.Base, c.Comparison.Head} {
		if side.Run == "" {
			continue
		}
		at, ok := v.ids[side.Run]
		if by, off := v.off[at]; off {
			v.warning(record.RuleDisowned, p, "nothing, if it is known; else disown it too: `"+v.disownCommand(p)+"`", "it compares run %s, which was %s", side.Run, by)
		}
		if !ok {
			v.lost(p, fmt.Sprintf("runs/%s/%s/%s.toml", side.Experiment, monthOf(side.Run), side.Run))
		} else if f := v.facts[at]; f.digest != side.Digest {
			v.finding(record.RuleReference, p, v.restore(p), "it says that run %s has the inputs %s, and they are %s", side.Run, shortDigest(side.Digest), shortDigest(f.digest))
		}
	}
	return v.inputsChanged(p, c.Comparison)
}

func monthOf(id string) string {
	if len(id) < 6 {
		return "?"
	}
	return id[:4] + "-" + id[4:6]
}

// each reads the records of a kind again and looks at one after the other; what they are called is for who waits.
func each[T any](ctx context.Context, v *verifying, kind string, look func(p string, r *T) error) error {
	paths := v.ofKind(kind)
	for i, p := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.tell(kind, i, len(paths))
		r, err := decoded[T](v, p)
		if err != nil {
			return err
		}
		if err := look(p, r); err != nil {
			return err
		}
	}
	return nil
}

// decoded reads a record again: it was read before, so that it can be.
func decoded[T any](v *verifying, p string) (*T, error) {
	data, err := v.view.Bytes(p)
	if err != nil {
		return nil, err
	}
	r, err := record.Decode(p, data)
	if err != nil {
		return nil, err
	}
	t, ok := r.(*T)
	if !ok {
		return nil, fmt.Errorf("%s is a %T", p, r)
	}
	return t, nil
}

// ofKind lists the paths of the records of a kind that could be read.
func (v *verifying) ofKind(kind string) []string {
	var out []string
	for _, p := range v.view.Paths() {
		if v.facts[p].kind == kind {
			out = append(out, p)
		}
	}
	return out
}
