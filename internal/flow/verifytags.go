package flow

import (
	"cmp"
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// tags holds the registry's tags, here and at the remote, against the records that they repeat. A tag follows from its record, so one that is another object
// was moved, or is not plumb's.
func (v *verifying) tags(ctx context.Context) (string, error) {
	source, err := v.p.registrySource(v.view)
	if err != nil {
		return "", err
	}
	here, remote, asked, err := v.p.Repo.TagIDs(ctx)
	if err != nil {
		return "", fmt.Errorf("listing tags: %w", err)
	}
	if !asked {
		v.skip("", "the remote's tags", "the remote did not answer")
	}
	all, err := v.p.Repo.Tags(registry.IsTag)
	if err != nil {
		return "", fmt.Errorf("reading the registry's tags: %w", err)
	}
	readable := map[string]gitdb.Tag{}
	for _, t := range all {
		readable[t.Name] = t
	}
	right := map[string]bool{} // names that are as they should be
	for _, e := range source.Echoes() {
		if e.Why != "" {
			continue
		}
		v.out.Checked.Tags++
		if err := v.echo(e, []tagSide{{"here", here}, {"at the remote", remote}}, readable, right); err != nil {
			return "", err
		}
	}
	for _, t := range all {
		if !right[t.Name] && v.ofProject(t.Name) {
			v.strange(t, source)
		}
	}
	return countOf(v.out.Checked.Tags, "tag"), nil
}

// tagSide is where tags are: object ids by name; nil where there is no remote.
type tagSide struct {
	where string
	ids   map[string]string
}

// echo looks for a record's tag on both sides.
func (v *verifying) echo(e registry.Echo, sides []tagSide, readable map[string]gitdb.Tag, right map[string]bool) error {
	found := false
	for _, side := range sides {
		tag, ok, err := v.tagOn(e, side)
		if err != nil {
			return err
		}
		if ok {
			found = true
			right[tag.Name] = true
			continue
		}
		if there := side.ids[e.Tag.Name]; there != "" {
			found = true // something is, and is told of
			right[e.Tag.Name] = true
			v.moved(e, side.where, there, readable)
		}
	}
	if !found {
		v.warning(record.RuleMissingTag, e.Record, "`plumb push` makes it", "there is no tag %s for tools that read tags", e.Tag.Name)
	}
	return nil
}

// tagOn finds the very tag of a record, whatever counter it has.
func (v *verifying) tagOn(e registry.Echo, side tagSide) (registry.Tag, bool, error) {
	_, id, err := v.p.asGit(e.Tag)
	if err != nil || side.ids[e.Tag.Name] == id {
		return e.Tag, err == nil, err
	}
	if e.Counter() == 0 {
		return registry.Tag{}, false, nil
	}
	for name, oid := range side.ids {
		n, ok := registry.ParseName(name)
		if !ok || !e.SameSeries(n) {
			continue
		}
		again := e.As(n.Counter)
		if _, id, err := v.p.asGit(again); err == nil && id == oid {
			return again, true, nil
		}
	}
	return registry.Tag{}, false, nil
}

// moved tells of a tag that has a record's name and is not its tag.
func (v *verifying) moved(e registry.Echo, where, oid string, readable map[string]gitdb.Tag) {
	mend := fmt.Sprintf("git tag -d '%s' (at the remote: git push ORIGIN ':refs/tags/%s'), then `plumb push` makes the right one", e.Tag.Name, e.Tag.Name)
	t, ok := readable[e.Tag.Name]
	claim, own := registry.ClaimOf(t.Message)
	switch {
	case !ok || where != "here":
		v.finding(record.RuleTag, e.Record, mend, "tag %s %s is %.10s and not the one that follows from the record: it was moved or made again", e.Tag.Name, where, oid)
	case own && claim.Record == e.Record && claim.SHA256 != sumIn(e):
		v.otherBytes(e.Record, e.Tag.Name, claim.SHA256)
	case t.Commit != e.Tag.Commit:
		v.finding(record.RuleTag, e.Record, mend, "tag %s points at %.10s, and the record says %.10s", e.Tag.Name, t.Commit, e.Tag.Commit)
	case !own:
		v.finding(record.RuleTag, e.Record, mend, "tag %s was not made by plumb: %q of %s", e.Tag.Name, clipped(t.Message), cmp.Or(t.Author.Email, t.Author.Name))
	default:
		v.finding(record.RuleTag, e.Record, mend, "tag %s says something else than the record", e.Tag.Name)
	}
}

// otherBytes tells of a tag that says other bytes than its record has. What changed the record is told of by history, if that is so; else the tag is to blame, as
// it takes less to make one.
func (v *verifying) otherBytes(path, tag, sum string) {
	if len(v.had[path]) > 0 {
		v.finding(record.RuleEdited, path, v.restore(path), "tag %s was made of other bytes of it, with SHA-256 %.12s…", tag, sum)
		return
	}
	v.finding(record.RuleTag, path, v.removeTag(tag)+", then `plumb push`; unless you know that the ledger was rewritten: then a clone that saw it before brings the record back with `plumb verify --mend`",
		"tag %s says other bytes of it, with SHA-256 %.12s…, and history has none but those that stand", tag, sum)
}

func sumIn(e registry.Echo) string {
	claim, _ := registry.ClaimOf(e.Tag.Message)
	return claim.SHA256
}

func clipped(text string) string { return fmt.Sprintf("%.80s", text) }

// strange tells of a tag of the grammar that is no record's: of another tool, or of a record that is gone.
func (v *verifying) strange(t gitdb.Tag, source registry.Source) {
	claim, own := registry.ClaimOf(t.Message)
	if own && v.tagOfDisowned(t, claim.Record) {
		return
	}
	if !own {
		n, _ := registry.ParseName(t.Name)
		for _, version := range source.Versions {
			if registry.Artifact(v.p.Prefix, version.Model) == n.Artifact && !t.Time.Before(version.Time) {
				v.warning(record.RuleTag, "", fmt.Sprintf("`plumb promote` stages what plumb and GTO agree on; git tag -d '%s' if it is a mistake", t.Name),
					"tag %s is another tool's, and the ledger decides for %s: it is not counted", t.Name, version.Model)
				return
			}
		}
		return
	}
	if sum, ok := source.Sums[claim.Record]; !ok {
		if _, known := v.facts[claim.Record]; !known {
			v.finding(record.RuleDeleted, claim.Record, v.restore(claim.Record), "tag %s repeats it, and the ledger does not have it", t.Name)
		}
	} else if sum != claim.SHA256 {
		v.otherBytes(claim.Record, t.Name, claim.SHA256)
	} else {
		v.finding(record.RuleTag, claim.Record, v.removeTag(t.Name), "tag %s names it and is not its tag", t.Name)
	}
}

// removeTag is what a person types to remove a tag, here and at the remote.
func (v *verifying) removeTag(name string) string {
	remove := fmt.Sprintf("git tag -d '%s'", name)
	if remote, ok := v.p.Repo.Remote(); ok {
		remove += fmt.Sprintf("; git push %s ':refs/tags/%s'", remote, name)
	}
	return remove
}
