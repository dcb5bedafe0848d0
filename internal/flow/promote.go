package flow

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/tomlio"
)

// PromoteOptions say what `plumb promote` does.
type PromoteOptions struct {
	Experiment string // "" with Version: the champion of the model
	Model      string // "" where Experiment says it, or where there is one only
	Version    int    // 0: the newest
	Stage      string // "" or production: the champion line; another: a stage record
	NewStage   bool   // a stage's name that looks like a slip of the hand is meant
	Why        string // for a stage record
	DryRun     bool
}

// Promotion says what was changed: plumb.promote/v1.
type Promotion struct {
	Schema     string   `json:"schema"`
	Model      string   `json:"model"`
	Experiment string   `json:"experiment"`
	Version    int      `json:"version"` // 0: the newest of the experiment
	Stage      string   `json:"stage"`
	Changed    bool     `json:"changed"` // with --dry-run: would be
	Sentence   string   `json:"sentence"`
	File       string   `json:"file,omitempty"` // the document that was edited, from the project's folder
	Diff       string   `json:"diff,omitempty"` // unified
	Records    []string `json:"records"`
	Record     string   `json:"record,omitempty"` // with --dry-run and --stage: what would be written
	Tags       []string `json:"tags"`
	Notes      []string `json:"notes"`
}

// promoting is the state of a promotion.
type promoting struct {
	p    *Project
	o    PromoteOptions
	tree *Tree
	view *ledger.View
	out  Promotion
}

// Promote makes an experiment, or a version of it, the one that is served: it edits the champion line of the model's document. Merging that is the
// promotion. For another stage it writes a stage record at once.
func (p *Project) Promote(ctx context.Context, o PromoteOptions) (*Promotion, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	pr := &promoting{p: p, o: o, tree: t, view: v}
	pr.out = Promotion{Schema: "plumb.promote/v1", Version: o.Version, Stage: production, Records: []string{}, Tags: []string{}, Notes: []string{}}
	if err := pr.who(); err != nil {
		return nil, err
	}
	if o.Stage != "" && o.Stage != production {
		pr.out.Stage = o.Stage
		err = pr.stage(ctx)
	} else {
		err = pr.champion()
	}
	return &pr.out, err
}

// who finds the model and the experiment that are meant.
func (pr *promoting) who() error {
	docs, o := pr.tree.Docs, pr.o
	model := o.Model
	if o.Experiment != "" {
		e := docs.Experiments[o.Experiment]
		if e == nil {
			hint := "there are: " + list(keys(docs.Experiments))
			if near := problem.Nearest(o.Experiment, keys(docs.Experiments)); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			return problem.Wrongf(hint, "there is no experiments/%s.toml", o.Experiment)
		}
		if model != "" && model != e.Model {
			return problem.Wrongf("leave --model out", "experiment %s answers model %s, not %s", o.Experiment, e.Model, model)
		}
		model = e.Model
	}
	if model == "" {
		if o.Version == 0 {
			return problem.Wrongf("`plumb promote EXPERIMENT`, or --version N of the present champion", "nothing says what to promote")
		}
		names := keys(docs.Models)
		if len(names) != 1 {
			return problem.Wrongf("say --model: there are "+list(names), "of which model is version %d?", o.Version)
		}
		model = names[0]
	}
	m := docs.Models[model]
	if m == nil {
		return problem.Wrongf("there are: "+list(keys(docs.Models)), "there is no models/%s.toml", model)
	}
	pr.out.Model, pr.out.Experiment = model, cmp.Or(o.Experiment, m.Champion)
	if pr.out.Experiment == "" {
		return problem.Wrongf("name the experiment too", "model %s has no champion", model)
	}
	if o.Version != 0 {
		return pr.checkVersion()
	}
	return nil
}

// checkVersion holds the number against the ledger. A version is of the experiment that is promoted, or the line would promote another one.
func (pr *promoting) checkVersion() error {
	var has []string
	for _, v := range pr.view.Versions(pr.out.Model) {
		switch {
		case v.Number == pr.o.Version && v.Experiment == pr.out.Experiment:
			return pr.there(v)
		case v.Number == pr.o.Version:
			return problem.Wrongf(fmt.Sprintf("`plumb promote %s --version %d`", v.Experiment, v.Number),
				"version %d of %s is of experiment %s, not of %s", v.Number, pr.out.Model, v.Experiment, pr.out.Experiment)
		case v.Experiment == pr.out.Experiment:
			has = append(has, fmt.Sprint(v.Number))
		}
	}
	if by, ok := pr.view.Disowned()[versionPath(pr.out.Model, pr.o.Version)]; ok {
		return problem.Failedf(fmt.Sprintf("`plumb models show %s` lists the others", pr.out.Model), "version %d of %s was %s", pr.o.Version, pr.out.Model, by)
	}
	hint := fmt.Sprintf("`plumb models show %s` lists them", pr.out.Model)
	if len(has) > 0 {
		hint = fmt.Sprintf("of %s there are: %s", pr.out.Experiment, list(has))
	}
	return problem.Wrongf(hint, "model %s has no version %d", pr.out.Model, pr.o.Version)
}

// there refuses a version whose model was dropped on purpose: nobody could serve it.
func (pr *promoting) there(v record.Version) error {
	d, gone := pr.view.Gone(v.Artifact.SHA256)
	if !gone {
		return nil
	}
	return problem.Failedf(fmt.Sprintf("promote another one, or %s without --version, which trains it anew; `plumb models show %s` lists the versions", v.Experiment, v.Model),
		"version %d of %s can't be served: %w", v.Number, v.Model, goneBy(d, v.Artifact.SHA256))
}

// champion edits the model's document.
func (pr *promoting) champion() error {
	m := pr.tree.Docs.Models[pr.out.Model]
	was, err := fs.ReadFile(pr.tree.FS, m.Path)
	if err != nil {
		return err
	}
	now, err := tomlio.Set(was, pr.out.Experiment, "champion")
	if err == nil && pr.o.Version != 0 {
		now, err = tomlio.SetAfter(now, int64(pr.o.Version), "version", "champion")
	} else if err == nil {
		now, err = tomlio.Unset(now, "version")
	}
	if err != nil {
		return problem.Wrongf("edit the champion line by hand, and see `plumb check`", "%s: %w", m.Path, err)
	}
	pr.out.File, pr.out.Changed = m.Path, !bytes.Equal(was, now)
	if !pr.out.Changed {
		pr.out.Sentence = fmt.Sprintf("%s is the champion of %s already", pr.named(), pr.out.Model)
		return nil
	}
	pr.out.Diff = string(diff.Diff("a/"+m.Path, was, "b/"+m.Path, now))
	pr.out.Sentence = fmt.Sprintf("%s becomes the champion of %s when this is merged", pr.named(), pr.out.Model)
	if m.Version != 0 && pr.o.Version == 0 {
		pr.note("the pin on version %d is taken away", m.Version)
	}
	if err := pr.noteRun(); err != nil {
		return err
	}
	if pr.o.DryRun {
		return nil
	}
	return replaceFile(filepath.Join(pr.p.Root, filepath.FromSlash(m.Path)), now)
}

func (pr *promoting) named() string {
	if pr.o.Version != 0 {
		return fmt.Sprintf("%s, version %d,", pr.out.Experiment, pr.o.Version)
	}
	return pr.out.Experiment
}

func (pr *promoting) note(format string, args ...any) {
	pr.out.Notes = append(pr.out.Notes, fmt.Sprintf(format, args...))
}

// noteRun says what is known of the answer that will be served.
func (pr *promoting) noteRun() error {
	if pr.o.Version != 0 {
		return nil
	}
	if n := pr.tree.Docs.Problems.Errors(); n > 0 {
		pr.note("the documents have errors, which `plumb check` lists; the pull request can't be measured before they are mended")
		return nil
	}
	key, err := digestOf(pr.tree.Docs, pr.out.Experiment)
	if err != nil {
		return err
	}
	if runs := pr.view.RunsByInputs(key); len(runs) == 0 {
		pr.note("%s has no run of its present inputs: `plumb run %s` makes one, else the pull request does", pr.out.Experiment, pr.out.Experiment)
		return nil
	}
	for _, c := range slices.Backward(pr.view.Comparisons()) {
		if c.Comparison.Head.Digest == key && c.Comparison.Model == pr.out.Model {
			pr.note("its newest comparison, against %s, says %s (%s)", cmp.Or(c.Comparison.Base.Experiment, "nothing"), c.Comparison.Verdict, c.ID)
			return nil
		}
	}
	return nil
}
