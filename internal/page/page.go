// Package page makes the report: a static site of plain HTML files that is a pure function of documents and ledger at one commit.
//
// It is not a server and keeps nothing between builds: the same input gives the same bytes, whole, every time, and no clock is read. It judges
// nothing and measures nothing: verdicts and numbers are those of the records. It reaches neither Git nor an engine: blobs come through a function.
// What it writes goes through the caller's Writer, under slash-separated paths of checked names only.
//
// A page is one file here with its view, one template in templates/page, and one row of the list below.
package page

import (
	"context"
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// The limits of the site.
const (
	MaxRunPages  = 2000    // the newest runs get a page, and whatever versions, champions and comparisons name
	MaxRows      = 50      // of a table; the rest is in the download
	MaxPoints    = 200     // of an SVG
	MaxPageBytes = 100_000 // of a page's HTML
	maxBlob      = 8 << 20 // of a blob that is read for a page
)

// Input is all that the site is made from. Nothing of it is changed, and no order is expected.
type Input struct {
	Docs        *doc.Set
	Commit      string // of the documents
	LedgerTip   string // commit; "" when there is no ledger yet
	Runs        []record.Run
	Comparisons []record.ComparisonRecord
	Snapshots   []record.Snapshot
	Versions    []record.Version
	Stages      []record.Stage
	Monitors    []record.Monitor
	Unread      int                                  // records that are in none of these, as they could not be read
	Rewritten   bool                                 // the ledger has lost records since this clone first saw it
	OffStages   []record.Stage                       // that were disowned: what they put in a stage served until then
	Disowned    map[string]string                    // path of a record that counts for nothing, and is in none of these but OffStages → who says so and why
	Maturity    *record.Maturity                     // nil: no page of it
	Detail      func(record.Pointer) ([]byte, error) // reads and verifies a blob; nil when there is no store
	CI          *record.CI                           // of the pull request that the site is made for; nil on the intent branch
}

// Writer takes one file. Paths are slash-separated, relative to the site's root and come in no particular order.
type Writer func(path string, data []byte) error

// Build writes the whole site.
func Build(ctx context.Context, in Input, out Writer) error {
	t, err := templatesOf()
	if err != nil {
		return fmt.Errorf("reading page templates: %w", err)
	}
	s := newBuilder(in, t, out)
	for _, p := range pages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.build(ctx, s); err != nil {
			return fmt.Errorf("building %s: %w", p.name, err)
		}
	}
	if err := s.writeAssets(); err != nil {
		return fmt.Errorf("copying assets: %w", err)
	}
	return s.writeManifest()
}

// pages is every kind of page, in the order in which they are built. A new kind is a file, a template and a row.
var pages = []struct {
	name  string
	build func(context.Context, *builder) error
}{
	{"overview", buildOverview},       // what is live, what is proposed and how sure that is
	{"readers", buildReaders},         // what each kind of reader asks first
	{"pull request", buildProposal},   // what the pull request at hand would change, when there is one
	{"models", buildModels},           // contract, versions, history of each
	{"experiments", buildExperiments}, // hypotheses and what became of them
	{"runs", buildRuns},               // every execution, newest first
	{"comparisons", buildComparisons}, // two answers on the same rows
	{"datasets", buildDatasets},       // profile and quality
	{"monitors", buildMonitors},       // what moved since the data were pinned, window by window
	{"value", buildValue},             // what answers are worth, line by line, when the design card prices them
	{"maturity", buildMaturity},       // how the team works, by evidence
	{"design", buildDesign},           // what it is for and what its answers are worth, when there is a design card
}
