package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/comment"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// onlyAdded goes through the ledger's commits: none may take a record away or change one. One that was put back as it was is no finding.
func (v *verifying) onlyAdded(ctx context.Context) (string, error) {
	if !v.history.Whole {
		v.skip("", "the beginning of the ledger's history", v.history.Why)
	}
	now, err := v.history.Now()
	if err != nil {
		return "", err
	}
	v.ahead()
	stories := map[string]*fate{}
	err = v.history.Each(func(c ledger.Commit) error {
		v.out.Checked.Commits++
		v.dates(c)
		v.tell("history", v.out.Checked.Commits, v.history.Len())
		for _, l := range c.Lost {
			if stories[l.Path] == nil {
				stories[l.Path] = &fate{}
			}
			stories[l.Path].take(l, c)
		}
		return ctx.Err()
	})
	for _, path := range keys(stories) {
		v.retell(path, now[path], stories[path])
	}
	v.tellSwept(stories)
	if begun := v.history.Beginnings(); len(begun) > 1 {
		v.note(record.RuleHistory, "", "its history begins %d times, at %.10s and %.10s: it was rewritten once, and joined again", len(begun), begun[0], begun[1])
	}
	return countOf(v.out.Checked.Commits, "commit"), err
}

// witnesses holds the ledger against the tips that somebody named. A tip that is not in the history any more shows that it was rewritten, and what of its
// records is gone.
func (v *verifying) witnesses(ctx context.Context) (string, error) {
	named, err := v.named(ctx)
	if err != nil {
		return "", err
	}
	for _, lost := range v.view.Rewritten {
		if v.history.Has(lost.Tip) {
			continue // by commits on top, which were told of
		}
		v.finding(record.RuleHistory, "", lost.Hint(v.branch()), "%s", lost)
		gone, err := v.history.LostSince(ctx, v.p.Repo, lost.Kept)
		if err != nil {
			return "", fmt.Errorf("reading what the ledger was at %.10s: %w", lost.Tip, err)
		}
		v.missing(gone, true)
		v.join = append(v.join, lost.Tip)
	}
	believed := map[string]bool{}
	for _, w := range named {
		believed[w.Tip] = believed[w.Tip] || !strings.HasPrefix(w.Named, byTag)
	}
	done := map[string]string{} // tip → state
	for _, w := range named {
		state, ok := done[w.Tip]
		if !ok {
			if state, err = v.witness(ctx, w, believed[w.Tip]); err != nil {
				return "", err
			}
			done[w.Tip] = state
		}
		w.State = state
		v.out.Since = append(v.out.Since, w)
	}
	return countOf(len(done), "tip"), nil
}

// byTag is how a tip is named by a tag. Whoever may write tags can name any commit in one, so that alone brings nothing into the ledger.
const byTag = "tag "

// named collects the tips: of tags, of the records of versions and stages, of this clone's last look, of what the caller gave.
func (v *verifying) named(ctx context.Context) ([]record.Witness, error) {
	var out []record.Witness
	add := func(tip, by string) {
		if tip != "" {
			out = append(out, record.Witness{Tip: tip, Named: by})
		}
	}
	for _, given := range v.o.Since {
		tip, err := v.tipOf(given)
		if err == nil && !v.history.Has(tip) {
			err = v.isLedger(ctx, tip)
		}
		if err != nil {
			return nil, err
		}
		add(tip, "--since "+given)
	}
	add(v.seen, "what this clone saw last")
	for _, p := range slices.Concat(v.ofKind(record.KindVersion), v.ofKind(record.KindStage)) {
		data, err := v.view.Bytes(p)
		if err != nil {
			return nil, err
		}
		r, err := record.Decode(p, data)
		if err != nil {
			return nil, err
		}
		switch r := r.(type) {
		case *record.Version:
			add(r.Ledger, p)
		case *record.Stage:
			add(r.Ledger, p)
		}
	}
	tags, err := v.p.Repo.Tags(registry.IsTag)
	if err != nil {
		return nil, fmt.Errorf("reading the registry's tags: %w", err)
	}
	for _, t := range tags {
		if claim, ok := registry.ClaimOf(t.Message); ok && v.ofProject(t.Name) {
			add(claim.Ledger, byTag+t.Name)
		}
	}
	return out, ctx.Err()
}

// ofProject says whether a tag is of this project's models: another project of the repository has a ledger of its own.
func (v *verifying) ofProject(tag string) bool {
	n, ok := registry.ParseName(tag)
	if !ok {
		return false
	}
	folder, _, inFolder := strings.Cut(n.Artifact, ":")
	if v.p.Prefix == "." {
		return !inFolder
	}
	return inFolder && folder == v.p.Prefix
}

// isLedger refuses a commit of something else than a ledger: what it holds would be taken for lost records.
func (v *verifying) isLedger(ctx context.Context, tip string) error {
	lost, err := v.history.LostSince(ctx, v.p.Repo, tip)
	if err != nil || len(lost) == 0 {
		return nil // that it can't be had is told where it is looked for
	}
	for _, l := range lost {
		if at, err := record.ParsePath(l.Path); err == nil && at.Kind != "" {
			return nil
		}
	}
	return problem.Wrongf("--since takes a commit of "+v.branch()+", a site's manifest.json, or a file with a comment's text", "%.10s is no commit of a ledger: it holds no record", tip)
}

var commitPattern = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// tipOf reads what --since was given: a commit, or a file that names a tip: a site's manifest.json, or a comment as it was copied.
func (v *verifying) tipOf(given string) (string, error) {
	if commitPattern.MatchString(given) {
		return given, nil
	}
	const hint = "--since takes a commit of the ledger, a site's manifest.json, or a file with a comment's text"
	path := given
	if !filepath.IsAbs(path) {
		path = filepath.Join(v.p.opt.Dir, path)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > 64<<20 {
		if tip, err := v.p.Repo.Resolve(given); err == nil {
			return tip, nil
		}
		return "", problem.Wrongf(hint, "%q is neither a commit nor a file", given)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var site struct{ Schema, Ledger string }
	if json.Unmarshal(data, &site) == nil && site.Schema == "plumb.site/v1" && commitPattern.MatchString(site.Ledger) {
		return site.Ledger, nil
	}
	if m, ok := comment.ParseMarker(string(data)); ok && commitPattern.MatchString(m.Ledger) {
		return m.Ledger, nil
	}
	return "", problem.Wrongf(hint, "%s names no tip of a ledger", given)
}

// witness looks for one tip. What is not believed is told of, and brings nothing back.
func (v *verifying) witness(ctx context.Context, w record.Witness, believed bool) (string, error) {
	if v.history.Has(w.Tip) {
		return "held", nil
	}
	lost, err := v.history.LostSince(ctx, v.p.Repo, w.Tip)
	switch {
	case !v.history.Whole:
		v.skip("", fmt.Sprintf("tip %.10s, which %s names", w.Tip, w.Named), "the ledger's history does not reach so far here: "+v.history.Why)
		if lost = v.missing(lost, believed); err != nil || len(lost) == 0 {
			return "unknown", nil
		}
	case errors.Is(err, gitdb.ErrNotFound):
		v.finding(record.RuleHistory, "", "whoever has a clone that saw it brings it back with `plumb verify --mend` there; ask who forced "+v.branch(),
			"%s names the tip %.10s, which is not in the history of %s, and nobody here has it any more", w.Named, w.Tip, v.branch())
		return "lost", nil
	case err != nil:
		return "", fmt.Errorf("reading the ledger at %.10s: %w", w.Tip, err)
	default:
		mend := "`plumb verify --mend` joins it to the branch again, by a commit on top: nothing that was recorded since is lost; then ask who pushed by force"
		report := v.finding
		if lost = v.missing(lost, believed); len(lost) == 0 {
			report = v.warning
		}
		if believed {
			v.join = append(v.join, w.Tip)
		} else {
			mend = fmt.Sprintf("only a tag says so, and anybody may have made it: `plumb verify --since %s --mend` joins it if it was the ledger; if not, %s", w.Tip, v.removeTag(strings.TrimPrefix(w.Named, byTag)))
		}
		report(record.RuleHistory, "", mend, "%s names the tip %.10s, which is not in the history of %s: it was rewritten, and %s of that tip are missing or changed",
			w.Named, w.Tip, v.branch(), countOf(len(lost), "record"))
	}
	for _, l := range lost {
		switch {
		case v.reported(l.Path):
		case l.Now == "":
			v.finding(record.RuleDeleted, l.Path, "", "it was there at %.10s (%s) and is gone", w.Tip, w.Named)
		default:
			v.finding(record.RuleEdited, l.Path, "", "it was %.10s at %.10s (%s) and is %.10s", l.Was, w.Tip, w.Named, l.Now)
		}
	}
	return "lost", nil
}

func (v *verifying) reported(path string) bool {
	return slices.ContainsFunc(v.found, func(f caused) bool {
		return f.Path == path && (f.Rule == record.RuleDeleted || f.Rule == record.RuleEdited)
	})
}

// publishers lists records that say `ci` and were committed by somebody else than the publisher, and those that say one person and were brought by another. Who can
// push the branch can write anything; a commit's author is no proof either, but takes a second lie.
func (v *verifying) publishers(context.Context) (string, error) {
	if len(v.ci)+len(v.who) == 0 {
		return "", skip("no record says who made it")
	}
	settings := doc.LoadProject(os.DirFS(v.p.Root))
	odd := 0
	left := len(v.ci)
	err := v.history.Each(func(c ledger.Commit) error {
		slices.Sort(c.Added)
		for _, p := range c.Added {
			if !v.ci[p] {
				v.sender(p, c, settings.Publishers)
				continue
			}
			left--
			if isPublisher(settings.Publishers, c.By.Email) {
				continue
			}
			odd++
			report := v.warning
			if len(settings.Publishers) > 0 {
				report = v.finding
			}
			report(record.RulePublisher, p, "if that is how your CI commits, name it in plumb.toml: publishers = [\""+c.By.Email+"\"]; else restrict who may push "+v.branch(),
				"it says ci, and commit %.10s of %s brought it, who is not the publisher", c.ID, c.By.Email)
		}
		return nil
	})
	if left > 0 && v.history.Whole && err == nil {
		v.skip("", countOf(left, "record")+" that say ci", "no commit of the branch brought them: they are in this clone only")
	}
	return fmt.Sprintf("%d of %d not by the publisher", odd, len(v.ci)), err
}

// sender tells of a record that says another person than the commit that brought it. People share what others gave them, so it is not wrong by that alone.
func (v *verifying) sender(p string, c ledger.Commit, publishers []string) {
	if who := v.who[p]; who != "" && !strings.EqualFold(who, c.By.Email) && !isPublisher(publishers, c.By.Email) {
		v.warning(record.RulePublisher, p, fmt.Sprintf("if %s shared it for %s all is well; else `%s`, then `plumb push`", c.By.Email, who, v.disownCommand(p)),
			"it says that %s recorded it, and commit %.10s of %s brought it", who, c.ID, c.By.Email)
	}
}

// nobody is who commits where Git knows no user, as in a publishing job.
const nobody = "plumb@localhost"

// isPublisher says whether a ledger commit of this address may bring records that say ci: those that the project names, else plumb's own default identity and
// the forge's bots.
func isPublisher(named []string, email string) bool {
	if len(named) > 0 {
		return slices.Contains(named, email)
	}
	return email == nobody || strings.HasSuffix(email, "[bot]@users.noreply.github.com")
}
