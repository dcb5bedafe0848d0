package flow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// saveable says whether what was tried with an experiment can be written to another: a new one, one that extends it, or itself.
func (t *Tree) saveable(experiment, name string) error {
	if !doc.ValidID(name) {
		return problem.Wrongf("small letters, digits and dashes, as in --save more-rounds", "--save %q is not an experiment's name", name)
	}
	other := t.Docs.Experiments[name]
	if other != nil && name != experiment && other.Extends != experiment {
		return problem.Wrongf("take another name", "experiments/%s.toml is there, and does not extend %s", name, experiment)
	}
	return nil
}

// variant is an experiment with other settings, which the document is to say.
type variant struct {
	experiment string
	name       string // of the document
	set        map[string]any
	inputs     string // digest of its inputs
	found      string // how it was found, for a new document's first line
}

// save writes a variant's document. A new one extends the experiment; one that is there keeps its comments, order and everything else. When the
// document would not mean what was run, because it says more, it is left as it was.
func (p *Project) save(v variant) (string, error) {
	path := "experiments/" + v.name + ".toml"
	file := filepath.Join(p.Root, filepath.FromSlash(path))
	old, err := os.ReadFile(file)
	text := old
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte(fmt.Sprintf("# %s\n# hypothesis = \"what you expect of it and why, before a pull request shows it\"\nschema = 1\nextends = %s\n", v.found, tomlio.Quote(v.experiment)))
	case err != nil:
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	for _, key := range keys(v.set) {
		at := []string{"params", key}
		if name, ok := strings.CutPrefix(key, "train."); ok {
			at = []string{"train", name}
		}
		if text, err = tomlio.Set(text, v.set[key], at...); err != nil {
			return "", problem.Failedf("write it by hand", "writing %s: %w", path, err)
		}
	}
	if err := replaceFile(file, text); err != nil {
		return "", fmt.Errorf("writing %s: %w", path, err)
	}
	if err := p.means(v); err != nil {
		undo := os.Remove(file)
		if old != nil {
			undo = replaceFile(file, old)
		}
		return "", errors.Join(problem.Wrongf("take another name", "%s was left as it was: %w", path, err), undo)
	}
	return path, nil
}

// means checks that a document says what was run.
func (p *Project) means(v variant) error {
	docs := load(os.DirFS(p.Root))
	if n := docs.Problems.Errors(); n > 0 {
		return fmt.Errorf("it would be wrong: %s", docs.Problems.All()[0].Message)
	}
	now, err := digestOf(docs, v.name)
	if err != nil {
		return err
	}
	if now != v.inputs {
		return fmt.Errorf("with these parameters it would not be what was run, because it says more than %s", v.experiment)
	}
	return nil
}

// settings are what an experiment says for the keys that were set.
func settings(e *doc.Experiment, set map[string]string) map[string]any {
	out := map[string]any{}
	for key := range set {
		out[key] = setting(e, key)
	}
	return out
}

// save writes the best cell to the document that was asked for.
func (s *sweep) save() error {
	if s.o.Save == "" || s.out.Best == nil {
		return nil
	}
	best := s.out.Cells[*s.out.Best-1]
	c := s.cells[best.Cell-1]
	set := settings(c.docs.Experiments[s.o.Experiment], c.set)
	var err error
	s.out.Saved, err = s.p.save(variant{experiment: s.o.Experiment, name: s.o.Save, set: set, inputs: c.key,
		found: fmt.Sprintf("The best of %d cells of sweep %s of %s, chosen by %s on the valid part.", len(s.cells), s.out.Sweep, s.o.Experiment, s.out.By.Metric)})
	return err
}
