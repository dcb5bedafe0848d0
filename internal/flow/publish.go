package flow

import (
	"context"
	"fmt"
	"maps"

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
	Tags     []string // made or sent
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
	{"tag", (*publication).tag},              // versions and stages again, for tools that read tags
	{"propose", (*publication).propose},      // branches and pull requests that a trigger asked for
	{"store", (*publication).tidyStore},      // on a schedule: refs packed, what retention has ended dropped
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
	if err := p.trustStore(o.Event); err != nil {
		return nil, err
	}
	pub := &publication{p: p, dir: o.Bundle, trusted: o.Event, forge: o.Forge, reportURL: o.ReportURL}
	steps, err := walk(ctx, p, onPublish, pub)
	if err != nil {
		pub.refuse(ctx, steps)
		return nil, problem.Failedf("nothing was recorded; measure again, and if it stays, look at what the measuring job ran", "%w", err)
	}
	pub.out.Result.Steps = append(pub.out.Result.Steps, steps...)
	return &pub.out, nil
}

// refuse tells the pull request what was wrong with its bundle, and nothing that the bundle says. The error is told anyway, so one of telling
// it here is only reported.
func (pub *publication) refuse(ctx context.Context, steps []record.Step) {
	e := pub.trusted
	if pub.out.Tip != "" || pub.forge == nil || e.Name != "pull_request" || e.PullRequest == 0 {
		return
	}
	ci := record.CI{Schema: "plumb.ci/v1", Event: e.Name, Exit: problem.ExitFailed, Base: e.Base, Head: e.Head, PullRequest: e.PullRequest,
		RunNumber: e.RunNumber, Steps: steps}
	if base, err := pub.p.baseProject(e); err == nil {
		ci.Project = base.Name
	}
	normalise(&ci)
	body := comment.Render(ci, comment.Options{ReportURL: pub.reportURL})
	if _, err := pub.forge.UpsertComment(ctx, e.PullRequest, body, comment.Key(ci.Project)); err != nil {
		pub.p.progress("commenting on pull request %d: %v", e.PullRequest, err)
	}
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
	pub.out.Result = pub.checked.result
	return fmt.Sprintf("%d runs, %d comparisons, %d snapshots, %d monitors hold", len(pub.checked.runs), len(pub.checked.comparisons), len(pub.checked.snapshots),
		len(pub.checked.watched)), nil
}

// record writes blobs first, so that no record ever names what is not there. Before anything is written the records are made once: what can't
// be recorded leaves no blob either.
func (pub *publication) record(ctx context.Context) (string, error) {
	p, c := pub.p, pub.checked
	switch {
	case pub.out.Result.Exit == problem.ExitWrong:
		return "", skip("head's documents are wrong, and nothing was measured")
	case len(c.runs)+len(c.comparisons)+len(c.snapshots)+len(c.watched) == 0 && pub.trusted.Name != "push":
		return "", skip("nothing to record")
	}
	if _, err := pub.files(c.view); err != nil {
		return "", err
	}
	var blobs []store.Blob
	for _, pointer := range c.pointers() {
		data, err := pub.bundle.blob(*pointer)
		if err != nil {
			return "", err
		}
		blobs = append(blobs, store.Blob{Data: data, Type: pointer.Type, Rows: pointer.Rows})
	}
	stored, err := p.Store.Put(ctx, blobs)
	if err != nil {
		return "", fmt.Errorf("storing blobs: %w", err)
	}
	located(stored, c.pointers()...)
	files, err := pub.files(c.view)
	if err != nil {
		return "", err
	}
	named, err := blobsOf(files)
	if err != nil {
		return "", err
	}
	if _, err := p.Store.Push(ctx, named); err != nil {
		return "", err
	}
	tip, err := p.Ledger.Append(ctx, pub.files)
	if err != nil {
		return "", fmt.Errorf("writing the ledger: %w", err)
	}
	pub.out.Tip = tip
	return fmt.Sprintf("%d records, ledger at %s", len(pub.out.Records), short(tip)), nil
}

// pointers are those of the blobs to store: what the records name and the bundle brought.
func (i *inspection) pointers() []*record.Pointer {
	var all, out []*record.Pointer
	for n := range i.runs {
		all = append(all, pointersOf(&i.runs[n])...)
	}
	for n := range i.snapshots {
		all = append(all, &i.snapshots[n].Profile, &i.snapshots[n].Quality)
	}
	for n := range i.watched {
		all = append(all, &i.watched[n].Drift, &i.watched[n].Quality, &i.watched[n].Lock)
	}
	for n := range i.comparisons {
		all = append(all, &i.comparisons[n].Comparison.Base.Evaluation, &i.comparisons[n].Comparison.Head.Evaluation)
	}
	for _, p := range all {
		if _, brought := i.bundle.blobs[p.SHA256]; brought {
			out = append(out, p)
		}
	}
	return out
}

// files makes the records of this publication on top of a ledger tip; it is called again when the tip moved.
func (pub *publication) files(v *ledger.View) ([]ledger.File, error) {
	var out []ledger.File
	pub.out.Records, pub.out.Versions, pub.out.Result.Staged, pub.out.Result.Runs = nil, nil, nil, []record.RunSummary{}
	add := func(r any) (string, error) {
		path, data, err := record.Encode(r)
		if err != nil {
			return "", fmt.Errorf("writing a record: %w", err)
		}
		if by, off := v.Disowned()[path]; off { // a bundle that was published before
			return "", problem.Failedf("measure again: what is made anew counts", "%s was %s", path, by)
		}
		out = append(out, ledger.File{Path: path, Data: data})
		pub.out.Records = append(pub.out.Records, path)
		return path, nil
	}
	made := maps.Clone(pub.checked.known) // input digest → run id
	for _, run := range pub.checked.runs {
		pub.stamp(&run.Header)
		path, err := add(run)
		if err != nil {
			return nil, err
		}
		run.ID = idOf(path)
		made[run.Inputs.Key()] = run.ID
		pub.out.Result.Runs = append(pub.out.Result.Runs, Summary(run))
	}
	for _, s := range pub.checked.snapshots {
		pub.stamp(&s.Header)
		if _, err := add(s); err != nil {
			return nil, err
		}
	}
	for _, m := range pub.checked.watched {
		pub.stamp(&m.Header)
		if _, err := add(m); err != nil {
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

// stamp says who vouches for a record, whatever it says itself. Only a publishing job says `ci`.
func (pub *publication) stamp(h *record.Header) {
	h.Actor = pub.p.actor()
	h.By = record.By{Who: pub.p.who(), URL: pub.p.opt.URL, Program: pub.p.opt.Program, PullRequest: pub.trusted.PullRequest, Now: h.By.Now}
	h.Code = record.Code{Commit: pub.trusted.Head}
}

// tidyStore packs and collects. What it can't do today it does tomorrow: that is said, and keeps nothing from being published.
func (pub *publication) tidyStore(ctx context.Context) (string, error) {
	if pub.trusted.Name != "schedule" {
		return "", skip("only on a schedule")
	}
	packed, err := pub.p.PackStore(ctx, true)
	if err != nil {
		return "", skip(fmt.Sprintf("could not pack: %v", err))
	}
	done, err := pub.p.Collect(ctx, true)
	if err != nil {
		return "", skip(fmt.Sprintf("could not collect: %v", err))
	}
	return fmt.Sprintf("%d refs became %d, %d of %d blobs were dropped", packed.Before, packed.After, len(done.Drop), done.Blobs), nil
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
