package flow

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/comment"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Commenter is the forge as the publisher needs it.
type Commenter interface {
	UpsertComment(ctx context.Context, number int, body, marker string) (action string, err error)
}

// Published is what a publication did.
type Published struct {
	Result   record.CI
	Records  []string // ledger paths written
	Tip      string   // of the ledger
	Comment  string   // created | updated | unchanged | newer; "" without a pull request or forge
	Body     string   // of the comment
	Versions []record.Version
}

// publication is the state of the publish flow.
type publication struct {
	p         *Project
	dir       string
	trusted   Event // what the publisher itself knows of the event
	forge     Commenter
	reportURL string
	bundle    *received
	checked   *inspection
	out       Published
}

// onPublish is what the publishing job does. It never checks out or runs head.
var onPublish = []step[*publication]{
	{"read bundle", (*publication).read},     // names, sizes, digests
	{"check bundle", (*publication).inspect}, // every claim, from the trees and the pinned data
	{"record", (*publication).record},        // blobs, then records, by compare and swap
	{"comment", (*publication).comment},      // the one comment of the pull request
}

// PublishOptions are what a publisher knows beside the bundle.
type PublishOptions struct {
	Bundle    string // folder
	Event     Event  // what the publisher itself knows; the bundle must agree
	Forge     Commenter
	ReportURL string
}

// Publish checks a bundle as hostile input and writes what it proves. When anything is wrong nothing is written: exit 3.
func (p *Project) Publish(ctx context.Context, o PublishOptions) (*Published, error) {
	pub := &publication{p: p, dir: o.Bundle, trusted: o.Event, forge: o.Forge, reportURL: o.ReportURL}
	steps, err := walk(ctx, p, onPublish, pub)
	if err != nil {
		return nil, problem.Failedf("nothing was recorded; measure again, and if it stays, look at what the measuring job ran", "%w", err)
	}
	pub.out.Result.Steps = append(pub.out.Result.Steps, steps...)
	return &pub.out, nil
}

func (pub *publication) read(context.Context) (string, error) {
	base, err := pub.p.baseProject(pub.trusted)
	if err != nil {
		return "", err
	}
	pub.bundle, err = readBundle(pub.dir, pub.p.opt.Program, base.Limits)
	if err != nil {
		return "", err
	}
	t := pub.bundle.table
	if t.Event != pub.trusted.Name || t.PullRequest != pub.trusted.PullRequest || t.Repository != pub.trusted.Repository || t.Head != pub.trusted.Head {
		return "", fmt.Errorf("the bundle is of %s of %.100q, pull request %d, head %.40q; this job publishes %s of %q, pull request %d, head %s",
			t.Event, t.Repository, t.PullRequest, t.Head, pub.trusted.Name, pub.trusted.Repository, pub.trusted.PullRequest, pub.trusted.Head)
	}
	return fmt.Sprintf("%d members", len(t.Members)), nil
}

func (pub *publication) inspect(ctx context.Context) (string, error) {
	var err error
	pub.checked, err = pub.p.inspect(ctx, pub.bundle, pub.trusted)
	if err != nil {
		return "", err
	}
	pub.out.Result = pub.bundle.result
	return fmt.Sprintf("%d runs, %d comparisons, %d snapshots hold", len(pub.checked.runs), len(pub.checked.comparisons), len(pub.checked.snapshots)), nil
}

// record writes blobs first, so that no record ever names what is not there.
func (pub *publication) record(ctx context.Context) (string, error) {
	p, c := pub.p, pub.checked
	if len(c.runs)+len(c.comparisons)+len(c.snapshots) == 0 && pub.trusted.Name != "push" {
		return "", skip("nothing to record")
	}
	var blobs []store.Blob
	for _, pointer := range c.pointers {
		data, err := pub.bundle.blob(pointer)
		if err != nil {
			return "", err
		}
		blobs = append(blobs, store.Blob{Data: data, Type: pointer.Type, Rows: pointer.Rows})
	}
	stored, err := p.Store.Put(ctx, blobs)
	if err != nil {
		return "", fmt.Errorf("storing blobs: %w", err)
	}
	c.locate(stored)
	if err := p.Store.Push(ctx); err != nil {
		return "", fmt.Errorf("sending blobs: %w", err)
	}
	tip, err := p.Ledger.Append(ctx, func(v *ledger.View) ([]ledger.File, error) {
		pub.out.Records, pub.out.Versions = nil, nil
		files, err := pub.files(v)
		for _, f := range files {
			pub.out.Records = append(pub.out.Records, f.Path)
		}
		return files, err
	})
	if err != nil {
		return "", fmt.Errorf("writing the ledger: %w", err)
	}
	pub.out.Tip = tip
	return fmt.Sprintf("%d records, ledger at %s", len(pub.out.Records), short(tip)), nil
}

// files makes the records of this publication on top of a ledger tip; it is called again when the tip moved.
func (pub *publication) files(v *ledger.View) ([]ledger.File, error) {
	var out []ledger.File
	add := func(r any) (string, error) {
		path, data, err := record.Encode(r)
		if err != nil {
			return "", fmt.Errorf("writing a record: %w", err)
		}
		out = append(out, ledger.File{Path: path, Data: data})
		return path, nil
	}
	made := map[string]string{} // input digest → run id
	for _, run := range pub.checked.runs {
		pub.stamp(&run.Header)
		run.By.PullRequest = pub.trusted.PullRequest
		path, err := add(run)
		if err != nil {
			return nil, err
		}
		run.ID = idOf(path)
		made[run.Inputs.Key()] = run.ID
	}
	for _, s := range pub.checked.snapshots {
		pub.stamp(&s.Header)
		if _, err := add(s); err != nil {
			return nil, err
		}
	}
	for _, c := range pub.checked.comparisons {
		pub.stamp(&c.Header)
		if c.Comparison.Head.Run == "" {
			c.Comparison.Head.Run = made[c.Comparison.Head.Digest]
		}
		if _, err := add(c); err != nil {
			return nil, err
		}
	}
	if pub.trusted.Name != "push" {
		return out, nil
	}
	return out, pub.claim(v, add)
}

// stamp says who vouches for a record. Only a publishing job says `ci`.
func (pub *publication) stamp(h *record.Header) {
	h.Actor = pub.p.actor()
	h.By.Who, h.By.URL, h.By.Program = pub.p.who(), pub.p.opt.URL, pub.p.opt.Program
}

// claim writes version and stage records for each champion that is not staged: at most one new version a model and push.
func (pub *publication) claim(v *ledger.View, add func(any) (string, error)) error {
	waiting, err := unstaged(pub.checked.head.Docs, v)
	if err != nil {
		return err
	}
	pub.out.Result.Staged = nil
	for _, w := range waiting {
		run, ok := pub.runOf(v, w.digest)
		if !ok {
			return fmt.Errorf("champion %s of %s has no run in the ledger or the bundle", w.experiment, w.model)
		}
		version, fresh, err := pub.version(v, w, run)
		if err != nil {
			return err
		}
		if fresh {
			if _, err := add(version); err != nil {
				return err
			}
			pub.out.Versions = append(pub.out.Versions, version)
		}
		stages := v.Stages(w.model, production)
		s := record.Stage{Header: pub.p.header(record.KindStage, pub.checked.head), Model: w.model, Stage: production, Number: len(stages) + 1,
			Version: version.Number, Why: w.why, Run: version.Run, Inputs: w.digest, Outcome: "staged"}
		if n := len(stages); n > 0 {
			s.Previous = stages[n-1].Version
		}
		pub.stamp(&s.Header)
		if _, err := add(s); err != nil {
			return err
		}
		pub.out.Result.Staged = append(pub.out.Result.Staged, record.StageChange{Model: w.model, Experiment: w.experiment, Version: version.Number, Why: w.why})
	}
	return nil
}

// runOf finds the champion's run: in the ledger, else among the runs of this bundle.
func (pub *publication) runOf(v *ledger.View, key string) (record.Run, bool) {
	if runs := v.RunsByInputs(key); len(runs) > 0 {
		return runs[0], true
	}
	for _, run := range pub.checked.runs {
		if run.Inputs.Key() == key {
			pub.stamp(&run.Header)
			run.By.PullRequest = pub.trusted.PullRequest
			if path, _, err := record.Encode(run); err == nil {
				run.ID = idOf(path)
			}
			return run, true
		}
	}
	return record.Run{}, false
}

// version gives the version to stage: the pinned one, the one that has this artifact already, or the next number.
func (pub *publication) version(v *ledger.View, w pending, run record.Run) (version record.Version, fresh bool, err error) {
	versions := v.Versions(w.model)
	if pin := pub.checked.head.Docs.Models[w.model].Version; pin != 0 {
		if pin > len(versions) || versions[pin-1].Experiment != w.experiment {
			return version, false, fmt.Errorf("models/%s.toml pins version %d, which is no version of its champion %s", w.model, pin, w.experiment)
		}
		return versions[pin-1], false, nil
	}
	if had, ok := versionOf(versions, run.Artifact); ok {
		return had, false, nil
	}
	version = record.Version{Header: pub.p.header(record.KindVersion, pub.checked.head), Model: w.model, Number: len(versions) + 1,
		Experiment: w.experiment, Run: pathOf(v, run), Artifact: run.Artifact, Ledger: v.Tip}
	pub.stamp(&version.Header)
	return version, true, nil
}

// comment creates or updates the pull request's one comment.
func (pub *publication) comment(ctx context.Context) (string, error) {
	if pub.trusted.Name != "pull_request" {
		return "", skip("not a pull request")
	}
	pub.out.Body = comment.Render(pub.out.Result, comment.Options{ReportURL: pub.reportURL, LedgerTip: pub.out.Tip})
	if pub.forge == nil || pub.trusted.PullRequest == 0 {
		return "", skip("no forge here; `plumb comment --dry-run` prints it")
	}
	var err error
	pub.out.Comment, err = pub.forge.UpsertComment(ctx, pub.trusted.PullRequest, pub.out.Body, comment.Key(pub.out.Result.Project))
	return pub.out.Comment, err
}

// pathOf is where a run's record is in the ledger, or where this publication puts it.
func pathOf(v *ledger.View, run record.Run) string {
	if path := v.PathOf(run.ID); path != "" {
		return path
	}
	path, _, err := record.Encode(run)
	if err != nil {
		return ""
	}
	return path
}

// locate takes over what the store says about where blobs are.
func (i *inspection) locate(stored []record.Pointer) {
	for n := range i.runs {
		located(stored, &i.runs[n].Artifact, &i.runs[n].Evaluation, &i.runs[n].Detail)
	}
	for n := range i.snapshots {
		located(stored, &i.snapshots[n].Profile, &i.snapshots[n].Quality)
	}
	for n := range i.comparisons {
		located(stored, &i.comparisons[n].Comparison.Base.Evaluation, &i.comparisons[n].Comparison.Head.Evaluation)
	}
}
