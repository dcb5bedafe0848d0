package forge

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v62/github"

	"github.com/plumb-ml/plumb/internal/problem"
)

// BodyBytes is the longest comment GitHub takes. It counts characters; counting bytes is the stricter.
const BodyBytes = 65536

// commentPages bounds the search for the own comment: 100 pages of 100.
const commentPages = 100

// What UpsertComment did.
const (
	Created   = "created"
	Updated   = "updated"
	Unchanged = "unchanged" // the comment already says this
	Newer     = "newer"     // the comment already says something newer
)

// UpsertComment makes sure that pull request number has one comment with marker's identity and that it says body, whose last line must be such a
// marker. (marker may be the whole line or how it begins: identity is what both have.) The comment is found by identity and author: one with the mark by another author is never touched. It is left alone when it carries a higher run
// number, or the same digest (the same text, where no digest is given). Two jobs that create one at the same time end with one.
//
// A run of lower number that publishes after a higher one whose digest made no edit does win: the comment remembers only the run that wrote it.
// Writing each run's number would be an edit per run; the workflow's concurrency group keeps the order instead.
func (f *Forge) UpsertComment(ctx context.Context, number int, body, marker string) (string, error) {
	mine, err := checkComment(number, body, marker)
	if err != nil {
		return "", err
	}
	if f.author == "" {
		if f.author, err = f.askAuthor(ctx); err != nil {
			return "", err
		}
	}
	own, err := f.ownComments(ctx, number, mine.id)
	if err != nil {
		return "", err
	}
	if len(own) > 0 {
		return f.update(ctx, own, found{body: body, mark: mine})
	}
	made, _, err := f.client.Issues.CreateComment(ctx, f.owner, f.repo, number, &github.IssueComment{Body: &body})
	if err != nil {
		return "", explain("creating the comment", err)
	}
	return Created, f.settleRace(ctx, number, found{id: made.GetID(), body: body, mark: mine})
}

// checkComment refuses what the forge would refuse, or what could not be found again.
func checkComment(number int, body, marker string) (mark, error) {
	const hint = "this is a fault of plumb's: please report it with this message"
	mine, ok := markOf(body)
	asked, alsoOK := parseMark(strings.TrimSuffix(strings.TrimSpace(marker), "-->") + " -->")
	switch {
	case number <= 0:
		return mark{}, problem.Wrongf("comments belong to pull requests: run this for one", "%d is not the number of a pull request", number)
	case !ok || !alsoOK || mine.id != asked.id:
		return mark{}, problem.Failedf(hint, "the comment's last line is not its mark %q", marker)
	case len(body) > BodyBytes:
		return mark{}, problem.Failedf(hint, "the comment has %d bytes, %d are allowed", len(body), BodyBytes)
	case !utf8.ValidString(body):
		return mark{}, problem.Failedf(hint, "the comment is not UTF-8")
	}
	return mine, nil
}

// askAuthor gives the login that the token writes as. A job's token may not ask, which says enough: it writes as JobAuthor. An app's token may not
// either; with one, Options.Author must be set, or each run adds a comment.
func (f *Forge) askAuthor(ctx context.Context) (string, error) {
	user, _, err := f.client.Users.Get(ctx, "")
	switch {
	case err == nil && user.GetLogin() != "":
		return user.GetLogin(), nil
	case err == nil || status(err) == http.StatusForbidden || status(err) == http.StatusNotFound:
		return JobAuthor, nil
	}
	return "", explain("asking who the token belongs to", err)
}

// found is a comment that is ours.
type found struct {
	id   int64
	body string
	mark mark
}

// ownComments lists the comments with this identity by the own author, oldest first.
func (f *Forge) ownComments(ctx context.Context, number int, id string) ([]found, error) {
	var own []found
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for page := 1; page != 0; {
		if page > commentPages {
			return nil, problem.Failedf("close the pull request and open another", "looking for the comment: #%d has more than %d comments", number, 100*commentPages)
		}
		options.Page = page
		comments, resp, err := f.client.Issues.ListComments(ctx, f.owner, f.repo, number, options)
		if err != nil {
			return nil, explain("looking for the comment", err)
		}
		for _, c := range comments {
			m, ok := markOf(c.GetBody())
			if ok && m.id == id && strings.EqualFold(c.GetUser().GetLogin(), f.author) {
				own = append(own, found{id: c.GetID(), body: c.GetBody(), mark: m})
			}
		}
		if resp.NextPage != 0 && resp.NextPage <= page {
			return nil, problem.Failedf("run the job again", "looking for the comment: the forge's pages go in circles")
		}
		page = resp.NextPage
	}
	slices.SortFunc(own, func(a, b found) int { return int(min(1, max(-1, a.id-b.id))) })
	return own, nil
}

// update brings the oldest of the own comments up to date and removes the others, unless one of them is newer.
func (f *Forge) update(ctx context.Context, own []found, want found) (string, error) {
	for _, c := range own {
		if c.mark.run > want.mark.run {
			return Newer, nil
		}
	}
	did := Unchanged
	if !same(own[0], want) {
		if _, _, err := f.client.Issues.EditComment(ctx, f.owner, f.repo, own[0].id, &github.IssueComment{Body: &want.body}); err != nil {
			return "", explain("editing the comment", err)
		}
		did = Updated
	}
	return did, f.remove(ctx, own[1:])
}

// same says whether a comment already tells what another would. The forge may give line ends back as CR LF.
func same(a, b found) bool {
	if a.mark.digest != "" || b.mark.digest != "" {
		return a.mark.digest == b.mark.digest
	}
	return strings.TrimSpace(strings.ReplaceAll(a.body, "\r\n", "\n")) == strings.TrimSpace(b.body)
}

// settleRace looks again after creating a comment: another job may have done the same at the same time. Whoever was second sees both, so it is
// enough that the second tidies: the oldest comment stays, with the newest text.
func (f *Forge) settleRace(ctx context.Context, number int, made found) error {
	own, err := f.ownComments(ctx, number, made.mark.id)
	if err != nil || len(own) == 0 || own[0].id == made.id {
		return err
	}
	others := slices.DeleteFunc(own, func(c found) bool { return c.id == made.id })
	if _, err := f.update(ctx, others, made); err != nil {
		return err
	}
	return f.remove(ctx, []found{made})
}

// remove deletes own comments; one that is gone already is fine.
func (f *Forge) remove(ctx context.Context, own []found) error {
	for _, c := range own {
		if _, err := f.client.Issues.DeleteComment(ctx, f.owner, f.repo, c.id); err != nil && status(err) != http.StatusNotFound {
			return explain("removing a second comment", err)
		}
	}
	return nil
}
