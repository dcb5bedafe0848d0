package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/registry"
)

// tagging is what came of repeating the registry's records in tags.
type tagging struct {
	Written []string // names, made or sent
	Notes   []string // what could not be, and why
}

// repeatInTags makes the tags of version and stage records that are not there yet, here and at the remote. A record is the truth and its tag an echo for other
// tools, so a tag that can't be written is told and no error: the next push makes it.
func (p *Project) repeatInTags(ctx context.Context, v *ledger.View) (tagging, error) {
	var out tagging
	source, err := p.registrySource(v)
	if err != nil || len(source.Versions)+len(source.Stages) == 0 {
		return out, err
	}
	here, remote, asked, err := p.Repo.TagIDs(ctx)
	if err != nil {
		return out, fmt.Errorf("listing tags: %w", err)
	}
	var fresh []gitdb.Tag
	var names []string
	away := 0
	for _, e := range source.Echoes() {
		if e.Why != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("%s has no tag: %s", e.Record, e.Why))
			continue
		}
		tag, err := p.placed(e, here, remote)
		if err != nil {
			out.Notes = append(out.Notes, err.Error())
			continue
		}
		atRemote := remote == nil || remote[tag.Name] != ""
		switch isHere := here[tag.Name] != ""; {
		case isHere && atRemote, !isHere && remote != nil && atRemote: // the remote has it; a clone need not
			continue
		case !p.Repo.Has(tag.Commit):
			away++
			continue
		case !isHere:
			fresh = append(fresh, tag)
			here[tag.Name] = "new"
		}
		names = append(names, tag.Name)
	}
	if away > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%s of commits that this clone lacks: `git fetch --unshallow`, then `plumb push`, makes them", countOf(away, "tag")))
	}
	if err := p.Repo.WriteTags(ctx, fresh); err != nil {
		return out, fmt.Errorf("writing tags: %w", err)
	}
	out.Written = names
	if remote == nil && asked || len(names) == 0 {
		return out, nil
	}
	if err := p.Repo.PushTags(ctx, names); err != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("the tags are here and not at the remote; `plumb push` sends them: %v", err))
	}
	return out, nil
}

// placed finds the name under which a record's tag is, or is to be. A stage's name that another tool took is passed over; a version's can't be.
func (p *Project) placed(e registry.Echo, here, remote map[string]string) (gitdb.Tag, error) {
	tag, id, err := p.asGit(e.Tag)
	if err != nil {
		return tag, err
	}
	taken := func(name string) string {
		if oid := remote[name]; oid != "" {
			return oid
		}
		return here[name]
	}
	if oid := taken(tag.Name); oid == "" || oid == id {
		return tag, nil
	}
	if e.Counter() == 0 {
		return tag, fmt.Errorf("%s has no tag: %s is there and says something else (`plumb verify` says what)", e.Record, tag.Name)
	}
	last := e.Counter()
	for _, names := range []map[string]string{here, remote} {
		for name, oid := range names {
			n, ok := registry.ParseName(name)
			if !ok || !e.SameSeries(n) {
				continue
			}
			last = max(last, n.Counter)
			again, id, err := p.asGit(e.As(n.Counter))
			if err == nil && oid == id {
				return again, nil
			}
		}
	}
	tag, _, err = p.asGit(e.As(last + 1))
	return tag, err
}

func (p *Project) asGit(t registry.Tag) (gitdb.Tag, string, error) {
	tag := gitdb.Tag{Name: t.Name, Commit: t.Commit, Author: gitdb.Identity{Name: t.Author, Email: t.Email}, Time: t.Time, Message: t.Message}
	id, err := p.Repo.TagID(tag)
	return tag, id, err
}

// tag repeats what was staged in tags. Nothing that goes wrong here undoes the records.
func (pub *publication) tag(ctx context.Context) (string, error) {
	if pub.trusted.Name != "push" || pub.out.Tip == "" {
		return "", skip("no version or stage was claimed")
	}
	v, err := pub.p.view(ctx)
	if err != nil {
		return "", skip(fmt.Sprintf("the ledger could not be read again: %v", err))
	}
	done, err := pub.p.repeatInTags(ctx, v)
	for _, note := range done.Notes {
		pub.p.progress("%s", note)
	}
	switch {
	case err != nil:
		return "", skip(fmt.Sprintf("%v; `plumb push` writes them", err))
	case len(done.Written) == 0 && len(done.Notes) > 0:
		return "", skip(done.Notes[0])
	case len(done.Written) == 0:
		return "", skip("every record has its tag")
	}
	pub.out.Tags = done.Written
	return list(done.Written), nil
}
