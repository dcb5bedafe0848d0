package flow

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// ShareOptions say what `plumb push` does.
type ShareOptions struct {
	DryRun bool
	Verify bool // read what the store has, too
}

// Sent says what `plumb push` shared: plumb.push/v1.
type Sent struct {
	Schema  string   `json:"schema"`
	Branch  string   `json:"branch"`
	Records []string `json:"records"`
	Data    []string `json:"data"` // pinned files that Git does not carry, sent to the store
	Tags    []string `json:"tags"` // of versions and stages, that were missing
	Notes   []string `json:"notes,omitempty"`
	Tip     string   `json:"tip"`

	Blobs  store.Sent   `json:"blobs"`  // of the records and the data together
	Mended store.Mended `json:"mended"` // of records that were pushed before: what the store had lost or spoilt
}

// sharing is the state of a push.
type sharing struct {
	p     *Project
	o     ShareOptions
	view  *ledger.View
	blobs []store.Named // that go along: of the private records, and pinned data that nobody else has
	out   Sent
}

// Share replays private records onto the ledger branch, blobs first, and brings back what the store lost of those that were pushed before.
func (p *Project) Share(ctx context.Context, o ShareOptions) (*Sent, error) {
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	s := &sharing{p: p, o: o, view: v}
	s.out = Sent{Schema: "plumb.push/v1", Branch: p.Ledger.Branch(), Records: []string{}, Data: []string{}, Tags: []string{}, Tip: v.Tip}
	if err := s.collect(ctx); err != nil {
		return nil, err
	}
	if v.Offline != "" {
		if !o.DryRun {
			return nil, problem.Failedf("try again when the remote can be reached; nothing is lost meanwhile",
				"nothing was sent (%s of this clone are private): %s", countOf(len(s.out.Records), "record"), v.Offline)
		}
		s.note("the remote was not asked: %s", v.Offline)
		return &s.out, nil
	}
	if err := s.mend(ctx); err != nil || o.DryRun {
		return &s.out, err
	}
	if len(s.blobs) > 0 {
		p.progress("sending blobs")
		if s.out.Blobs, err = p.Store.Push(ctx, s.blobs); err != nil {
			return nil, err
		}
	}
	p.progress("sending records")
	pushed, err := p.Ledger.Push(ctx)
	if err != nil {
		return nil, fmt.Errorf("sending records: %w", err)
	}
	s.out.Tip = pushed.Tip
	if pushed.Joined != "" {
		s.note("the history of the local branch %s is at the remote now, at %.10s", s.out.Branch, pushed.Joined)
	}
	if n := len(pushed.Refused); n > 0 {
		s.out.Records = slices.DeleteFunc(s.out.Records, func(path string) bool { return slices.Contains(pushed.Refused, path) })
		s.note("%s stay here, as the ledger's %s gave out the same numbers: %s. They are on the local branch, which `git branch -m %s OTHER` sets apart",
			countOf(n, "record"), s.out.Branch, list(pushed.Refused), s.out.Branch)
	}
	done, err := p.repeatInTags(ctx, v) // those of versions and stages are never private, so the view from before will do
	s.out.Tags, s.out.Notes = append(s.out.Tags, done.Written...), append(s.out.Notes, done.Notes...)
	return &s.out, err
}

func (s *sharing) note(format string, args ...any) {
	s.out.Notes = append(s.out.Notes, fmt.Sprintf(format, args...))
}

// collect finds what is to be sent. What was dropped on purpose is not.
func (s *sharing) collect(ctx context.Context) error {
	var private []ledger.File
	for _, path := range s.view.Paths() {
		if s.view.Private(path) {
			data, err := s.view.Bytes(path)
			if err != nil {
				return err
			}
			private = append(private, ledger.File{Path: path, Data: data})
			s.out.Records = append(s.out.Records, path)
		}
	}
	blobs, err := blobsOf(private)
	if err != nil {
		return err
	}
	blobs = slices.DeleteFunc(blobs, func(n store.Named) bool {
		_, dropped := s.view.Gone(n.SHA256)
		return dropped
	})
	t, err := s.p.Working()
	if err != nil || s.view.Offline != "" {
		return err
	}
	data, err := s.p.dataToSend(ctx, t)
	if err != nil {
		return err
	}
	for _, f := range data {
		s.out.Data = append(s.out.Data, f.What)
	}
	s.blobs = append(data, blobs...)
	return nil
}

// mend brings back what records that were pushed before name, and the store does not have right. That the store can't be listed keeps nothing from being pushed.
func (s *sharing) mend(ctx context.Context) error {
	named, err := s.pushed(ctx)
	if err != nil {
		return err
	}
	s.p.progress("looking what the store lacks")
	s.out.Mended, err = store.Mend(ctx, s.p.Repo, s.p.Store, named, store.MendOptions{DryRun: s.o.DryRun, Read: s.o.Verify, Update: s.p.meter})
	switch {
	case ctx.Err() != nil || err != nil && s.o.Verify:
		return err
	case err != nil:
		s.note("what the store lacks of older records could not be looked up: %v", err)
	case s.out.Mended.Nowhere > 0:
		s.note("%s that records name are not right in %s, and not on this machine: `plumb store ls` names them", countOf(s.out.Mended.Nowhere, "blob"), s.p.Store)
	}
	return nil
}

// pushed lists the blobs that the store should have already: of public records, but for what was dropped, and, to be read, pinned data that Git does not carry.
func (s *sharing) pushed(ctx context.Context) ([]store.Named, error) {
	n, err := s.p.namesIn(s.view, s.p.settings().Store.Keep)
	if err != nil {
		return nil, err
	}
	sent := map[string]bool{}
	for _, b := range s.blobs {
		sent[b.SHA256] = true
	}
	var out []store.Named
	for sum, p := range n.pointers {
		_, gone := n.dropped[sum]
		public := slices.ContainsFunc(n.by[sum], func(path string) bool { return !s.view.Private(path) })
		if public && !gone && !sent[sum] { // also what retention would drop: nobody has dropped it yet, and a record that says so is owed
			out = append(out, store.Named{Pointer: p, What: n.by[sum][0]})
		}
	}
	if !s.o.Verify {
		return out, nil
	}
	t, err := s.p.Working()
	if err != nil {
		return nil, err
	}
	for _, f := range s.p.dataOutsideGit(t) {
		if _, gone := n.dropped[f.SHA256]; !gone && !sent[f.SHA256] {
			out = append(out, store.Named{Pointer: record.Pointer{SHA256: f.SHA256, Bytes: f.Bytes, Type: typeBytes, Rows: f.Rows},
				File: filepath.Join(s.p.Root, filepath.FromSlash(f.Path)), What: f.Path})
		}
	}
	return out, ctx.Err()
}
