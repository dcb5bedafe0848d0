package gitdb

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Random histories with merges and equal or odd times: the answer must be one of git merge-base --all, the distance that of git rev-list --count.
func TestMergeBaseAgreesWithGit(t *testing.T) {
	dir, r := repository(t)
	random := rand.New(rand.NewPCG(5, 6))
	head, _, _ := r.Head()
	commits := []string{head}
	err := r.Write(context.Background(), func(w *Writer) error {
		tree, err := w.Tree("", []File{{Path: "x", Data: []byte("x")}})
		if err != nil {
			return err
		}
		for i := range 60 {
			parents := []string{commits[random.IntN(len(commits))]}
			if other := commits[len(commits)-1]; random.IntN(3) == 0 && other != parents[0] {
				parents = append(parents, other)
			}
			who := &Identity{"Ann", "ann@example.org"}
			info := CommitInfo{Message: fmt.Sprint(i), Parents: parents, Author: who, Time: demoTime.AddDate(0, 0, random.IntN(20))}
			commit, err := w.Commit(tree, info)
			if err != nil {
				return err
			}
			commits = append(commits, commit)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		a, b := commits[random.IntN(len(commits))], commits[random.IntN(len(commits))]
		want := strings.Fields(gitRun(t, dir, "merge-base", "--all", a, b))
		got, err := r.MergeBase(context.Background(), a, b)
		if err != nil || !slices.Contains(want, got) {
			t.Errorf("MergeBase(%.7s, %.7s) = %s, %v, want one of %s", a, b, got, err, want)
		}
		// Not rev-list a..b: with times that run backwards git itself counts too many.
		without, only := strings.Fields(gitRun(t, dir, "rev-list", a)), 0
		for _, commit := range strings.Fields(gitRun(t, dir, "rev-list", b)) {
			if !slices.Contains(without, commit) {
				only++
			}
		}
		if got := r.Distance(a, b); got != only {
			t.Errorf("Distance(%.7s, %.7s) = %d, want %d", a, b, got, only)
		}
	}
}

// history makes a repository whose branches main and topic went apart, 20 commits ago each, at the commit that is given.
func history(t *testing.T) (dir, base string) {
	dir, _ = repository(t)
	gitRun(t, dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	for i := range 5 {
		gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("old ", i))
	}
	base = gitRun(t, dir, "rev-parse", "HEAD")
	gitRun(t, dir, "branch", "topic")
	for _, branch := range []string{"main", "topic"} {
		gitRun(t, dir, "checkout", "-q", branch)
		for i := range 20 {
			gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint(branch, i))
		}
	}
	return dir, base
}

func TestMergeBaseDeepensAShallowClone(t *testing.T) {
	remote, base := history(t)
	for name, prepare := range map[string]func(dir string){
		"depth 1 of all branches": func(dir string) {
			gitRun(t, remote, "clone", "-q", "--depth=1", "--no-single-branch", "file://"+remote, dir)
		},
		"as actions/checkout does": func(dir string) {
			gitRun(t, remote, "init", "-q", dir)
			gitRun(t, dir, "remote", "add", "origin", "file://"+remote)
			gitRun(t, dir, "fetch", "-q", "--no-tags", "--depth=1", "origin", "+"+gitRun(t, remote, "rev-parse", "topic")+":refs/remotes/pull/1/merge")
			gitRun(t, dir, "checkout", "-q", "--detach", "refs/remotes/pull/1/merge")
		},
		"with a commit that the remote does not have": func(dir string) {
			gitRun(t, remote, "clone", "-q", "--depth=1", "--no-single-branch", "file://"+remote, dir)
			gitRun(t, dir, "checkout", "-q", "topic")
			gitRun(t, dir, "commit", "-q", "--allow-empty", "-m", "local")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "clone")
			prepare(dir)
			r := open(t, dir)
			head, _, _ := r.Head()
			main := gitRun(t, remote, "rev-parse", "main")
			got, err := r.MergeBase(context.Background(), main, head)
			if err != nil || got != base {
				t.Errorf("MergeBase = %s, %v, want %s", got, err, base)
			}
			if refs := gitRun(t, dir, "for-each-ref", "refs/plumb"); refs != "" {
				t.Errorf("refs were left: %s", refs)
			}
			fsck(t, dir)
		})
	}
}

func TestMergeBaseNeverGuesses(t *testing.T) {
	remote, _ := history(t)
	dir := filepath.Join(t.TempDir(), "clone")
	gitRun(t, remote, "clone", "-q", "--depth=1", "--no-single-branch", "file://"+remote, dir)
	main, topic := gitRun(t, remote, "rev-parse", "main"), gitRun(t, remote, "rev-parse", "topic")
	gitRun(t, dir, "remote", "set-url", "origin", "file://"+filepath.Join(dir, "nowhere"))
	if got, err := open(t, dir).MergeBase(context.Background(), main, topic); err == nil {
		t.Errorf("remote gone: MergeBase = %s, want an error", got)
	}
	gitRun(t, dir, "remote", "remove", "origin")
	gitRun(t, dir, "update-ref", "refs/heads/main2", main)
	if got, err := open(t, dir).MergeBase(context.Background(), topic, topic); err != nil || got != topic {
		t.Errorf("MergeBase of a commit with itself = %s, %v", got, err)
	}
	if got, err := open(t, dir).MergeBase(context.Background(), main, topic); err == nil {
		t.Errorf("no remote: MergeBase = %s, want an error", got)
	}
	alone, r := repository(t)
	gitRun(t, alone, "checkout", "-q", "--orphan", "other")
	gitRun(t, alone, "commit", "-q", "-m", "unrelated")
	if got, err := r.MergeBase(context.Background(), gitRun(t, alone, "rev-parse", "main"), gitRun(t, alone, "rev-parse", "other")); err == nil {
		t.Errorf("unrelated histories: MergeBase = %s, want an error", got)
	}
	if d := r.Distance("main", "zz"); d != -1 {
		t.Errorf("Distance of what is no commit = %d", d)
	}
}
