package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/plumb-ml/plumb/internal/maturity"
	"github.com/plumb-ml/plumb/internal/page"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Reported says what `plumb report` wrote: plumb.report/v1.
type Reported struct {
	Schema string `json:"schema"`
	Folder string `json:"folder"`
	Index  string `json:"index"`
	Pages  int    `json:"pages"`
	Bytes  int64  `json:"bytes"`
	Commit string `json:"commit"`
	Tip    string `json:"ledger"`
}

// reportMark is the file that says a folder is a report, so that a new one may replace it.
const reportMark = "manifest.json"

// Report builds the static site of documents and ledger into dir. It is built whole beside it and then put in its place.
func (p *Project) Report(ctx context.Context, dir string, ci *record.CI) (*Reported, error) {
	t, err := p.Working()
	if err != nil {
		return nil, err
	}
	if err := t.sound(); err != nil {
		return nil, err
	}
	v, err := p.view(ctx)
	if err != nil {
		return nil, err
	}
	if err := replaceable(dir); err != nil {
		return nil, err
	}
	in := page.Input{Docs: t.Docs, Commit: t.Commit, LedgerTip: v.Tip, Runs: v.Runs(), Comparisons: v.Comparisons(), Snapshots: v.Snapshots(), Monitors: v.Monitors(""),
		CI: ci, Disowned: v.WhyDisowned(),
		Detail: func(ptr record.Pointer) ([]byte, error) { return p.Store.Get(ctx, ptr) }}
	_ = p.Store.Bring(ctx, pageBlobs(in)) // at once; what can't be had is left out by the page that wants it
	in.Unread, in.Rewritten = v.Unread(), len(v.Rewritten) > 0
	judged := maturity.Judge(p.facts(t.Docs, v))
	in.Maturity = &judged
	for _, id := range keys(t.Docs.Models) {
		in.Versions = append(in.Versions, v.Versions(id)...)
		in.Stages = append(in.Stages, v.Stages(id, production)...)
	}
	for _, o := range disownedRecords(v) {
		if o.Stage != nil && o.Stage.Stage == production {
			in.OffStages = append(in.OffStages, *o.Stage)
		}
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	building, err := os.MkdirTemp(filepath.Dir(dir), ".plumb-report-*")
	if err != nil {
		return nil, fmt.Errorf("making the report: %w", err)
	}
	defer os.RemoveAll(building)
	out := &Reported{Schema: "plumb.report/v1", Folder: dir, Index: filepath.Join(dir, "index.html"), Commit: t.Commit, Tip: v.Tip}
	p.progress("building the report")
	err = page.Build(ctx, in, func(path string, data []byte) error {
		if filepath.Ext(path) == ".html" {
			out.Pages++
		}
		out.Bytes += int64(len(data))
		return writeMember(filepath.Join(building, filepath.FromSlash(path)), data)
	})
	if err != nil {
		return nil, fmt.Errorf("making the report: %w", err)
	}
	return out, putInPlace(building, dir)
}

// pagesOfRuns is how many of the newest runs have a page.
const pagesOfRuns = 2000

// pageBlobs lists what the pages will read.
func pageBlobs(in page.Input) []record.Pointer {
	var out []record.Pointer
	for _, run := range in.Runs[max(0, len(in.Runs)-pagesOfRuns):] {
		if !run.Detail.IsZero() {
			out = append(out, run.Detail)
		}
	}
	for _, m := range in.Monitors {
		if !m.Drift.IsZero() {
			out = append(out, m.Drift)
		}
	}
	for _, s := range in.Snapshots {
		for _, p := range []record.Pointer{s.Profile, s.Quality} {
			if !p.IsZero() {
				out = append(out, p)
			}
		}
	}
	return out
}

// replaceable refuses to replace a folder that is not an earlier report.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, reportMark)); err != nil {
		return problem.Wrongf("name another folder with -o", "%s holds files that are no plumb report", dir)
	}
	return nil
}

func putInPlace(from, to string) error {
	if err := os.Chmod(from, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("replacing the report: %w", err)
	}
	return os.Rename(from, to)
}

// ReadResult reads result.json of a bundle, for a comment or a report made from it on this machine.
func ReadResult(bundle string) (*record.CI, error) {
	data, err := os.ReadFile(filepath.Join(bundle, "result.json"))
	if err != nil {
		return nil, problem.Wrongf("`plumb ci --event pull_request --bundle DIR` makes one", "reading the bundle: %w", err)
	}
	var ci record.CI
	if err := json.Unmarshal(data, &ci); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(bundle, "result.json"), err)
	}
	return &ci, nil
}
