package flow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// dropping is a decision that blobs are gone.
type dropping struct {
	path   string
	choice string
	reason string
	time   time.Time
	blobs  []string
}

// expiries holds the decisions that blobs have expired against the rules: who can write the ledger could hide anything behind one. Only what the rules allow, now or
// at an earlier commit of plumb.toml, counts as gone on purpose. To forget is a person's word, so it is told.
func (v *verifying) expiries(ctx context.Context) error {
	v.remembered()
	if len(v.droppings) == 0 {
		return nil
	}
	rules, err := v.keeps(ctx)
	if err != nil {
		return err
	}
	versions := map[string]time.Time{} // path of a run → when it became a version
	for _, p := range v.ofKind(record.KindVersion) {
		f := v.facts[p]
		if _, off := v.off[p]; off {
			continue
		}
		if at, ok := versions[f.run]; !ok || f.time.Before(at) {
			versions[f.run] = f.time
		}
	}
	for _, d := range v.droppings {
		_, off := v.off[d.path]
		if d.choice == record.Forgotten && !off {
			v.note(record.RuleBlob, d.path, "%s said to be forgotten: %s", countOf(len(d.blobs), "blob"), clipped(d.reason))
		}
		bad, why := 0, ""
		for _, sum := range d.blobs {
			found := ""
			if d.choice == record.Expired && v.blobs[sum] != nil {
				found = v.tooEarly(d, v.blobs[sum], versions, rules)
			}
			if found == "" {
				if !off {
					v.dropped[sum] = &d
				}
				continue
			}
			bad, why = bad+1, found
		}
		if bad > 0 {
			v.finding(record.RuleBlob, d.path, v.restore(d.path), "an expired decision that the rules do not allow, for %s: %s", countOf(bad, "blob"), why)
		}
	}
	return nil
}

// keeps gives the rules of retention: those that hold, and those that held before.
func (v *verifying) keeps(ctx context.Context) ([]doc.Keep, error) {
	rules := []doc.Keep{v.p.settings().Store.Keep}
	head, _, err := v.p.Repo.Head()
	if err != nil || head == "" {
		return rules, nil //nolint:nilerr // nothing is committed yet
	}
	const most = 100
	file := "plumb.toml"
	if v.p.Prefix != "." {
		file = v.p.Prefix + "/" + file
	}
	touches, _, err := v.p.Repo.Touches(ctx, head, file, most)
	if err != nil {
		return nil, fmt.Errorf("reading the history of %s: %w", file, err)
	}
	for _, t := range touches {
		tree, why := v.treeOf(t.Commit)
		if why == "" && tree.Docs.Project != nil {
			rules = append(rules, tree.Docs.Project.Store.Keep)
		}
	}
	return rules, nil
}

// tooEarly says why a blob could not have expired when a decision says so, or "".
func (v *verifying) tooEarly(d dropping, b *namedBlob, versions map[string]time.Time, rules []doc.Keep) string {
	if d.time.After(v.p.now().Add(time.Hour)) {
		return "it is of the future"
	}
	for _, by := range b.by {
		class := classOf[by.key]
		if class == "" {
			class = by.key
		}
		version, ok := versions[by.path]
		switch made := recordTime(by.path, v.facts[by.path].time); {
		case ok && !version.After(d.time), strings.HasPrefix(by.path, "versions/"):
			return by.path + " names one, and what a version was made of never expires"
		case !allows(rules, class, d.time.Sub(made)):
			return fmt.Sprintf("%s names one of the %s, and was %d days old", by.path, class, int(d.time.Sub(made).Hours()/24))
		}
	}
	return ""
}

func allows(rules []doc.Keep, class string, age time.Duration) bool {
	for _, keep := range rules {
		if lasts, ends := keep.For(class); ends && age > lasts {
			return true
		}
	}
	return false
}
