package flow

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/record"
)

func (pub *publication) proposePin(ctx context.Context, m record.Monitor, lock []byte) (string, error) {
	p := pub.p
	branch := fmt.Sprintf("%sretrain-%s-%s", branchPrefix, m.Dataset, m.Before.UTC().Format("20060102"))
	file := path.Join(p.Prefix, "datasets", m.Dataset+".lock.toml")
	if open, err := pub.openProposal(ctx, fmt.Sprintf("%sretrain-%s-", branchPrefix, m.Dataset), file); err != nil || open != "" {
		return "nothing new is proposed: branch " + open + " is still open (merge it, or delete it)", err
	}
	title := fmt.Sprintf("Pin the newest rows of %s", m.Dataset)
	body := proposalText(m)
	commit, err := p.Repo.Update(ctx, "refs/heads/"+branch, func(w *gitdb.Writer, tip string) (string, error) {
		if tip != "" {
			return tip, nil
		}
		tree, err := w.Tree(pub.trusted.Head, []gitdb.File{{Path: file, Data: lock}})
		if err != nil {
			return "", err
		}
		return w.Commit(tree, gitdb.CommitInfo{Message: title + "\n\n" + body, Parents: []string{pub.trusted.Head}, Time: p.now()})
	})
	if err != nil {
		return "", err
	}
	if _, remote := p.Repo.Remote(); remote {
		if err := p.Repo.Push(ctx, commit+":refs/heads/"+branch); err != nil {
			return "", err
		}
	}
	out := record.Proposal{Kind: thenRetrain, Dataset: m.Dataset, Monitor: m.Monitor, Branch: branch, Title: title}
	if forge, ok := pub.forge.(Proposer); ok {
		if out.URL, err = forge.Propose(ctx, branch, p.IntentBranch(), title, body); err != nil {
			return "", err
		}
	}
	pub.out.Result.Proposals = append(pub.out.Result.Proposals, out)
	return "branch " + branch, nil
}

// dated is what follows a proposal's prefix: another dataset's name may begin like this one's.
var dated = regexp.MustCompile(`^[0-9]{8}$`)

// openProposal finds a branch of this kind that is open: neither merged nor, where somebody squashed it, with the lock that the intent branch has had since.
func (pub *publication) openProposal(ctx context.Context, prefix, file string) (string, error) {
	branches := map[string]string{}
	if _, remote := pub.p.Repo.Remote(); remote {
		refs, err := pub.p.Repo.ListRemote(ctx, "refs/heads/"+prefix)
		if err != nil {
			return "", err
		}
		branches = refs
	} else {
		refs, err := pub.p.Repo.Refs("refs/heads/" + prefix)
		if err != nil {
			return "", err
		}
		for _, r := range refs {
			branches[r.Name] = r.OID
		}
	}
	for _, name := range keys(branches) {
		if !dated.MatchString(strings.TrimPrefix(name, "refs/heads/"+prefix)) {
			continue
		}
		base, err := pub.p.Repo.MergeBase(ctx, branches[name], pub.trusted.Head)
		if err == nil && (base == branches[name] || pub.repinned(base, file)) {
			continue
		}
		return strings.TrimPrefix(name, "refs/heads/"), nil
	}
	return "", nil
}

// repinned says whether the lock has changed on the intent branch since a proposal was made: it was squashed into it, or something newer is pinned, so the
// proposal is of yesterday.
func (pub *publication) repinned(since, file string) bool {
	at := func(commit string) []byte {
		tree, err := pub.p.Repo.Tree(commit)
		if err != nil {
			return nil
		}
		text, _ := fs.ReadFile(tree, file) // none is nil
		return text
	}
	was, now := at(since), at(pub.trusted.Head)
	return was != nil && now != nil && !bytes.Equal(was, now)
}

// proposalText says why, for the commit and the pull request. What it names comes from documents and was checked.
func proposalText(m record.Monitor) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Monitor %s looked at %d rows from %s to %s.\n", m.Monitor, m.Rows, m.From.UTC().Format(time.DateOnly), m.Before.UTC().Format(time.DateOnly))
	for _, name := range firedFor(m, thenRetrain) {
		s := m.Triggers[name]
		fmt.Fprintf(&b, "Trigger %s fired: %s\n", name, s.When)
		for _, v := range keys(s.Values) {
			fmt.Fprintf(&b, "    %s = %.6g\n", v, s.Values[v])
		}
	}
	fmt.Fprintf(&b, "\nWith these rows pinned, every champion on %s is trained anew and compared with the one that is served. Merge it if that is better.\n", m.Dataset)
	return b.String()
}
