package forge

import (
	"context"

	"github.com/google/go-github/v62/github"
)

// Propose opens a pull request that merges branch into base, or finds the open one, and gives its page's address. A pull request that a job opens
// with its own token starts no checks: body should say so, or the token be another one.
func (f *Forge) Propose(ctx context.Context, branch, base, title, body string) (string, error) {
	open, _, err := f.client.PullRequests.List(ctx, f.owner, f.repo, &github.PullRequestListOptions{State: "open", Head: f.owner + ":" + branch, Base: base})
	if err != nil {
		return "", explain("looking for the proposal", err)
	}
	if len(open) > 0 {
		return open[0].GetHTMLURL(), nil
	}
	made, _, err := f.client.PullRequests.Create(ctx, f.owner, f.repo, &github.NewPullRequest{Title: &title, Head: &branch, Base: &base, Body: &body})
	if err != nil {
		return "", explain("opening the proposal", err)
	}
	return made.GetHTMLURL(), nil
}
