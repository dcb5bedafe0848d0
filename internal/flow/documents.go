package flow

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/learn"
	"github.com/plumb-ml/plumb/internal/problem"
)

// load reads the documents of a tree, and adds what only the learners know of them: which parameters there are.
func load(fsys fs.FS) *doc.Set {
	s := doc.Load(fsys)
	for _, id := range keys(s.Experiments) {
		checkParams(s, s.Experiments[id])
	}
	return s
}

// checkParams asks for each parameter alone, so that each problem has its place; what is wrong only of several together stands at [params].
func checkParams(s *doc.Set, e *doc.Experiment) {
	if e.Train.Learner != "glm" && e.Train.Learner != "gbdt" {
		return
	}
	task, alone := taskOf(s, e), 0
	for _, name := range keys(e.Params) {
		for _, said := range learn.CheckParams(e.Train.Learner, task, map[string]any{name: e.Params[name]}) {
			alone++
			if !saidOfBase(s, e, name) {
				addParam(s, e, said, "params", name)
			}
		}
	}
	if alone > 0 {
		return
	}
	for _, said := range learn.CheckParams(e.Train.Learner, task, e.Params) {
		addParam(s, e, said, "params")
	}
	directions, _ := e.Params["monotone"].(map[string]any)
	for _, name := range keys(directions) {
		if !slices.Contains(e.Features.Use, name) && !saidOfBase(s, e, "monotone") {
			addParam(s, e, fmt.Sprintf("params.monotone names %q, which is not in features.use; in use are %s", name, problem.And(e.Features.Use)), "params", "monotone", name)
		}
	}
}

// told is what a built-in learner is told: the params, with features named as its columns are.
func told(e *doc.Experiment) map[string]any {
	directions, ok := e.Params["monotone"].(map[string]any)
	if !ok {
		return e.Params
	}
	out, renamed := maps.Clone(e.Params), map[string]any{}
	for name, direction := range directions {
		renamed[strings.Replace(name, ".", "__", 1)] = direction
	}
	out["monotone"] = renamed
	return out
}

// saidOfBase says whether a parameter comes from the experiment that this one extends, whose own check says the same.
func saidOfBase(s *doc.Set, e *doc.Experiment, name string) bool {
	base := s.Experiments[e.Extends]
	if base == nil || base.Train.Learner != e.Train.Learner {
		return false
	}
	_, has := s.At(e.Path, "params", name)
	return !has
}

func addParam(s *doc.Set, e *doc.Experiment, said string, key ...string) {
	at, has := s.At(e.Path, key...)
	if !has {
		at, _ = s.At(e.Path, "extends")
	}
	message, hint, _ := strings.Cut(said, "; ")
	s.Problems.Add(problem.Problem{Pos: at, Rule: "param", Level: problem.LevelError, Message: message, Hint: hint})
}

// taskOf is the task of an experiment's model, or "" where there is none.
func taskOf(s *doc.Set, e *doc.Experiment) string {
	if m := s.Models[e.Model]; m != nil {
		return m.Task
	}
	return ""
}

// wrongParams is what is wrong with the parameters of one experiment, --set included.
func wrongParams(s *doc.Set, e *doc.Experiment) error {
	said := learn.CheckParams(e.Train.Learner, taskOf(s, e), e.Params)
	if len(said) == 0 {
		return nil
	}
	message, hint, _ := strings.Cut(said[0], "; ")
	for _, more := range said[1:] {
		message += "\n" + more
	}
	return problem.Wrongf(hint, "%s", message)
}

// Checked is what `plumb check` found: the documents, their problems, and what is no problem but worth knowing.
type Checked struct {
	Documents int
	Problems  *problem.List
	Notes     []string
	FS        fs.FS
}

// Check reads the documents around a folder. It needs no repository: documents can be written before there is one.
func Check(opt Options) (*Checked, error) {
	root, err := findRoot(opt.Dir)
	if err != nil {
		return nil, err
	}
	fsys := os.DirFS(root)
	set := load(fsys)
	out := &Checked{Documents: len(set.Files), Problems: &set.Problems, Notes: []string{}, FS: fsys}
	repo, err := gitdb.Open(root)
	if err != nil {
		out.Notes = append(out.Notes, "this is no Git repository: `git init` makes one, and `plumb run` needs it")
		return out, nil
	}
	if !runsPlumb(repo.Root()) {
		out.Notes = append(out.Notes, "no CI workflow runs plumb, so pull requests get no comment: `plumb init --action OWNER/REPO@SHA` writes one for GitHub")
	}
	return out, nil
}

// workflowPlaces are where the CI systems look for what to run.
var workflowPlaces = []string{".github/workflows/*.yml", ".github/workflows/*.yaml", ".gitea/workflows/*.y*ml", ".forgejo/workflows/*.y*ml", ".gitlab-ci.yml", "Jenkinsfile"}

// runsPlumb looks for a CI configuration that names plumb.
func runsPlumb(root string) bool {
	for _, place := range workflowPlaces {
		files, err := fs.Glob(os.DirFS(root), place)
		if err != nil {
			continue
		}
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f)))
			if err == nil && strings.Contains(string(text), "plumb") {
				return true
			}
		}
	}
	return false
}
