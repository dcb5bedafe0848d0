package flow

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/problem"
)

// Tree is the project at one moment: the documents of a commit, or those in the working folder.
type Tree struct {
	Docs       *doc.Set
	FS         fs.FS  // of the project's root
	Commit     string // "" in a repository without one
	Working    bool
	Dirty      bool   // working: what decides a run differs from Commit
	Difference string // its digest
}

// At loads the project as a commit has it.
func (p *Project) At(commit string) (*Tree, error) {
	tree, err := p.Repo.Tree(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", short(commit), err)
	}
	if p.Prefix != "." {
		if tree, err = fs.Sub(tree, p.Prefix); err != nil {
			return nil, err
		}
	}
	return &Tree{Docs: load(tree), FS: tree, Commit: commit}, nil
}

// Working loads the project as it lies in the working folder.
func (p *Project) Working() (*Tree, error) {
	fsys := os.DirFS(p.Root)
	t := &Tree{Docs: load(fsys), FS: fsys, Working: true}
	commit, _, err := p.Repo.Head()
	switch {
	case err == gitdb.ErrNoCommit:
		t.Dirty = true
		return t, nil
	case err != nil:
		return nil, err
	}
	t.Commit = commit
	var files []string
	for _, f := range slices.Concat(t.Docs.Files, programFiles(t.Docs)) {
		files = append(files, path.Join(p.Prefix, f))
	}
	if t.Dirty, err = p.Repo.Dirty(files...); err != nil {
		return nil, fmt.Errorf("comparing the working folder with %s: %w", short(commit), err)
	}
	if t.Dirty {
		t.Difference, err = p.Repo.Difference(files...)
	}
	return t, err
}

// programFiles lists the code and locks of a tree's command learners. Which can't be found is said where they are run.
func programFiles(docs *doc.Set) []string {
	var out []string
	for _, id := range keys(docs.Experiments) {
		e := docs.Experiments[id]
		if e.Train.Learner != learnerCommand {
			continue
		}
		code, err := docs.CodeFiles(id)
		if err != nil {
			continue
		}
		for _, f := range code {
			out = append(out, f.Path)
		}
		out = append(out, e.Train.Lock)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sound refuses a tree whose documents have errors.
func (t *Tree) sound() error {
	if n := t.Docs.Problems.Errors(); n > 0 {
		return &DocumentsError{List: &t.Docs.Problems, FS: t.FS}
	}
	return nil
}

// DocumentsError says that documents are wrong and carries every problem.
type DocumentsError struct {
	List *problem.List
	FS   fs.FS
}

func (e *DocumentsError) Error() string {
	n := e.List.Errors()
	if n == 1 {
		return "1 problem in the documents"
	}
	return fmt.Sprintf("%d problems in the documents", n)
}

// Unwrap makes the exit code 2.
func (e *DocumentsError) Unwrap() error {
	return problem.Wrongf("mend them and try again; `plumb check` shows the same list", "%s", e.Error())
}
