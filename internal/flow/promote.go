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

// stage writes a stage record for a stage that no document rules.
func (pr *promoting) stage(ctx context.Context) error {
	if err := pr.checkStage(); err != nil {
		return err
	}
	if pr.tree.Commit == "" {
		return problem.Wrongf("git add -A && git commit", "a stage record names a commit, and the repository has none yet")
	}
	if pr.o.DryRun {
		_, err := pr.claim(pr.view)
		return err
	}
	if _, err := pr.p.Ledger.Append(ctx, pr.claim); err != nil {
		return err
	}
	if !pr.out.Changed {
		return nil
	}
	v, err := pr.p.view(ctx)
	if err != nil {
		return err
	}
	done, err := pr.p.repeatInTags(ctx, v)
	if err != nil {
		pr.note("%v; `plumb push` writes them", err)
	}
	pr.out.Tags, pr.out.Notes = append(pr.out.Tags, done.Written...), append(pr.out.Notes, done.Notes...)
	return nil
}

// checkStage refuses names that are none, and asks back for one that is nearly another's.
func (pr *promoting) checkStage() error {
	known := []string{production}
	for _, s := range pr.view.Stages("", "") {
		if !slices.Contains(known, s.Stage) {
			known = append(known, s.Stage)
		}
	}
	switch name := pr.o.Stage; {
	case !record.IsName(name):
		return problem.Wrongf("lower-case letters, digits and dashes, as in staging", "%q can't be the name of a stage", name)
	case slices.Contains(known, name) || pr.o.NewStage:
		return nil
	default:
		if near := problem.Nearest(name, known); near != "" {
			return problem.Wrongf(fmt.Sprintf("did you mean %q? --new-stage if not", near), "no model was ever in a stage %q", name)
		}
		pr.note("%s is a new stage; there were: %s", name, list(known))
		return nil
	}
}

// claim makes the records on top of a ledger tip; it is called again when the tip moved.
func (pr *promoting) claim(v *ledger.View) ([]ledger.File, error) {
	pr.out.Records, pr.out.Changed = []string{}, false
	var files []ledger.File
	add := func(r any) error {
		path, data, err := record.Encode(r)
		if err != nil {
			return fmt.Errorf("writing a record: %w", err)
		}
		files = append(files, ledger.File{Path: path, Data: data})
		pr.out.Records = append(pr.out.Records, path)
		pr.out.Record = ""
		if pr.o.DryRun {
			pr.out.Record = string(data)
		}
		return nil
	}
	version, fresh, err := pr.version(v)
	if err != nil {
		return nil, err
	}
	stages := v.Stages(pr.out.Model, pr.o.Stage)
	pr.out.Version, pr.out.Experiment = version.Number, version.Experiment
	if n := len(stages); n > 0 && stages[n-1].Version == version.Number {
		pr.out.Sentence = fmt.Sprintf("version %d of %s is in %s already", version.Number, pr.out.Model, pr.o.Stage)
		return nil, nil
	}
	if err := pr.there(version); err != nil {
		return nil, err
	}
	if fresh {
		if err := add(version); err != nil {
			return nil, err
		}
	}
	s := record.Stage{Header: pr.header(record.KindStage), Model: pr.out.Model, Stage: pr.o.Stage, Number: v.Next("stages/" + pr.out.Model + "/" + pr.o.Stage), Version: version.Number,
		Why: cmp.Or(pr.o.Why, "promoted by hand"), Run: version.Run, Outcome: "staged", Ledger: v.Tip}
	if run, err := runAt(v, version.Run); err == nil {
		s.Inputs = run.Inputs.Key()
	}
	if n := len(stages); n > 0 {
		s.Previous = stages[n-1].Version
	}
	pr.out.Changed = true
	pr.out.Sentence = fmt.Sprintf("version %d of %s (%s) is in %s", version.Number, pr.out.Model, version.Experiment, pr.o.Stage)
	return files, add(s)
}

// header names the commit that is checked out, whatever else lies in the working folder: that is no part of what a version is.
func (pr *promoting) header(kind string) record.Header {
	h := pr.p.header(kind, pr.tree)
	h.Code = record.Code{Commit: pr.tree.Commit}
	return h
}

// committed is the digest of the experiment as the commit has it that the records will name: what lies here uncommitted is no part of a version.
func (pr *promoting) committed() (string, error) {
	t, err := pr.p.At(pr.tree.Commit)
	if err != nil {
		return "", err
	}
	if err := t.sound(); err != nil {
		return "", err
	}
	if t.Docs.Experiments[pr.out.Experiment] == nil {
		return "", problem.Wrongf("git add -A && git commit", "a version names a commit, and %s has no experiments/%s.toml", short(pr.tree.Commit), pr.out.Experiment)
	}
	return digestOf(t.Docs, pr.out.Experiment)
}

// version gives the version to stage: the named one, the one that has the artifact of the experiment's run, or the next number for it.
func (pr *promoting) version(v *ledger.View) (version record.Version, fresh bool, err error) {
	versions := v.Versions(pr.out.Model)
	if pr.o.Version != 0 {
		for _, had := range versions {
			if had.Number == pr.o.Version {
				return had, false, nil
			}
		}
		return version, false, fmt.Errorf("model %s has no version %d", pr.out.Model, pr.o.Version)
	}
	key, err := pr.committed()
	if err != nil {
		return version, false, err
	}
	runs := slices.DeleteFunc(usable(v, key, seeker{onIntent: true}), func(r record.Run) bool { return v.Private(v.PathOf(r.ID)) })
	if len(runs) == 0 {
		return version, false, problem.Wrongf(fmt.Sprintf("`plumb run %s`, then `plumb push`; or --version N of an older one", pr.out.Experiment),
			"the ledger has no run of %s with its present inputs, so there is nothing to stage", pr.out.Experiment)
	}
	if had, ok := versionOf(versions, runs[0].Artifact); ok {
		return had, false, nil
	}
	next := v.Next("versions/" + pr.out.Model)
	return record.Version{Header: pr.header(record.KindVersion), Model: pr.out.Model, Number: next, Experiment: runs[0].Experiment,
		Run: v.PathOf(runs[0].ID), Artifact: runs[0].Artifact, Ledger: v.Tip}, true, nil
}
