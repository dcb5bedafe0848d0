package flow

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

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
