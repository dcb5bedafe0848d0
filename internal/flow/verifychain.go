package flow

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// tooLate is how far a record may be dated after the commit that brought it: clocks differ by less.
const tooLate = 24 * time.Hour

// chains holds each record of a stage against the one before it: what it says that served, and when.
func (v *verifying) chains(context.Context) (string, error) {
	stages := map[string][]*record.Stage{} // by folder
	for _, p := range v.ofKind(record.KindStage) {
		s, err := decoded[record.Stage](v, p)
		if err != nil {
			return "", err
		}
		stages[path.Dir(p)] = append(stages[path.Dir(p)], s)
	}
	for _, folder := range keys(stages) {
		all := stages[folder]
		slices.SortFunc(all, func(a, b *record.Stage) int { return cmp.Compare(a.Number, b.Number) })
		before := &record.Stage{}
		var passed []int // versions that records staged since, which count for nothing: whoever wrote before they were disowned says one of them
		for _, s := range all {
			p := fmt.Sprintf("%s/%d.toml", folder, s.Number)
			if s.Number == before.Number+len(passed)+1 && s.Previous != before.Version && !slices.Contains(passed, s.Previous) {
				v.finding(record.RuleReference, p, v.restore(p), "it says that version %d served before, and number %d staged %d", s.Previous, before.Number, before.Version)
			}
			if s.Time.Before(before.Time) {
				v.finding(record.RuleReference, p, v.oneOf(p, registry.StagePath(*before)), "it is of %s, before number %d of %s", s.Time.Format(time.RFC3339), before.Number, before.Time.Format(time.RFC3339))
			}
			if run, ok := v.facts[s.Run]; ok && s.Inputs != "" && s.Inputs != run.digest && !v.sameModel(s.Inputs, run.artifact) {
				v.finding(record.RuleReference, p, v.restore(p), "it says the inputs %s, and those of its run are %s", shortDigest(s.Inputs), shortDigest(run.digest))
			}
			if _, off := v.off[p]; off {
				passed = append(passed, s.Version)
				continue
			}
			before, passed = s, nil
		}
		if before.Number > 0 {
			v.newest = append(v.newest, before)
		}
	}
	return countOf(len(stages), "stage"), nil
}

// sameModel says whether a run with these inputs made the very artifact: a version is found by its bytes too.
func (v *verifying) sameModel(inputs, artifact string) bool {
	for p, f := range v.facts {
		if _, off := v.off[p]; !off && f.kind == record.KindRun && f.digest == inputs && f.artifact == artifact {
			return true
		}
	}
	return false
}

// dates holds the times of records against the commits that brought them.
func (v *verifying) dates(c ledger.Commit) {
	for _, p := range c.Added {
		if f := v.facts[p]; f.kind != "" && f.time.Sub(c.Time) > tooLate && !v.future(f) {
			v.finding(record.RuleRecord, p, v.restore(p), "it is of %s, and commit %.10s brought it on %s", f.time.Format(time.RFC3339), c.ID, c.Time.Format(time.RFC3339))
		}
	}
}

func (v *verifying) future(f fact) bool { return time.Until(f.time) > tooLate }

// ahead finds records of the future, whoever brought them when.
func (v *verifying) ahead() {
	for _, p := range v.view.Paths() {
		if f := v.facts[p]; f.kind != "" && v.future(f) {
			v.finding(record.RuleRecord, p, v.restore(p), "it is of the future: %s", f.time.Format(time.RFC3339))
		}
	}
}

// inputsChanged holds what a comparison says that differs against the two runs.
func (v *verifying) inputsChanged(p string, c record.Comparison) error {
	base, head := v.ids[c.Base.Run], v.ids[c.Head.Run]
	if base == "" || head == "" {
		return nil // of a run that was made for the comparison only, the documents tell: judge
	}
	a, err := decoded[record.Run](v, base)
	if err != nil {
		return err
	}
	b, err := decoded[record.Run](v, head)
	if err != nil {
		return err
	}
	v.sameChanged(p, c.Inputs.Changed, changedInputs(a.Inputs, b.Inputs))
	return nil
}

// sameChanged compares names of inputs. What belongs to the program is left aside: where a side was made for the comparison only, it is not known any more.
func (v *verifying) sameChanged(p string, said, found []string) {
	said, found = slices.DeleteFunc(slices.Clone(said), ofProgram), slices.DeleteFunc(slices.Clone(found), ofProgram)
	if !slices.Equal(said, found) && len(said)+len(found) > 0 {
		v.finding(record.RuleReference, p, v.restore(p), "it says that %s changed, and of its two sides %s differ", orNothing(said), orNothing(found))
	}
}

func orNothing(names []string) string { return cmp.Or(strings.Join(names, ", "), "nothing") }

// serves says whether what serves now was made of a dataset with this content.
func (v *verifying) serves(content string) bool {
	for _, s := range v.newest {
		if run, err := decoded[record.Run](v, s.Run); err == nil && run.Inputs["dataset"] == any(content) {
			return true
		}
	}
	return false
}
