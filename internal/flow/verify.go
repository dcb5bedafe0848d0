package flow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// VerifyOptions say how thoroughly to look.
type VerifyOptions struct {
	Quick bool     // digests and structure: no blob is read and no number made again
	Since []string // tips of the ledger, or files that name one: a site's manifest, a comment
}

// verifying is the state of a verification. Records are read one at a time: what is kept of each is what others refer to.
type verifying struct {
	p       *Project
	o       VerifyOptions
	view    *ledger.View
	history *ledger.History
	seen    string // the tip that this clone saw last, before this command read the ledger
	out     record.Verification

	facts   map[string]fact      // path → what others refer to
	ids     map[string]string    // id of a run → path
	ci      map[string]bool      // paths of records that say ci
	numbers map[string][]int     // folder of numbered records → their numbers
	dropped map[string]string    // sha256 of a blob that is gone on purpose → the decision
	blobs   map[string]blobState // sha256 → what became of looking at it
	bad     map[string]error     // sha256 → what is wrong with it
	trees   map[string]foundTree // by commit
	last    time.Time
}

// fact is what other records need to know of one.
type fact struct {
	kind     string
	model    string
	number   int
	artifact string // sha256
	digest   string // of a run's inputs
	run      string // path of a version's or stage's run
}

// onVerify is the list of what is looked at, cheap and fundamental first.
var onVerify = []step[*verifying]{
	{"read ledger", (*verifying).read},
	{"records", (*verifying).records},        // names, digests, contents
	{"references", (*verifying).references},  // each names what is there and says the same
	{"history", (*verifying).onlyAdded},      // no commit took anything away
	{"witnesses", (*verifying).witnesses},    // what tags, versions and sites have seen is still there
	{"publisher", (*verifying).publishers},   // who committed what says ci
	{"tags", (*verifying).tags},              // tags against records
	{"blobs", (*verifying).allBlobs},         // every pointer
	{"numbers of runs", (*verifying).runs},   // metrics from evaluations, rows from pinned data
	{"comparisons", (*verifying).compared},   // intervals and verdicts from evaluations
	{"snapshots", (*verifying).snapshotsAre}, // content and profile from pinned data
}

// Verify holds the ledger against itself, against what was seen of it elsewhere, and against the raw files.
func (p *Project) Verify(ctx context.Context, o VerifyOptions) (*record.Verification, error) {
	v := &verifying{p: p, o: o, facts: map[string]fact{}, ids: map[string]string{}, ci: map[string]bool{}, numbers: map[string][]int{},
		dropped: map[string]string{}, blobs: map[string]blobState{}, bad: map[string]error{}, trees: map[string]foundTree{}}
	v.out = record.Verification{Schema: "plumb.verify/v1", Quick: o.Quick, Since: []record.Witness{}, Findings: []record.Finding{}, NotAssessed: []record.NotAssessed{}}
	if _, err := walk(ctx, p, onVerify, v); err != nil {
		return nil, err
	}
	slices.SortStableFunc(v.out.Findings, func(a, b record.Finding) int { return cmp.Compare(a.Level, b.Level) }) // errors first
	for _, f := range v.out.Findings {
		if f.Level == string(problem.LevelError) {
			v.out.Exit = problem.ExitNo
		}
	}
	return &v.out, nil
}

func (v *verifying) read(ctx context.Context) (string, error) {
	if mirror, err := v.p.Repo.Mirror(ctx); err == nil {
		v.seen, _ = mirror.Ref("refs/heads/" + v.p.Ledger.Branch()) // before it is brought up to date; what can't be read was not seen
	}
	var err error
	if v.view, err = v.p.view(ctx); err != nil {
		return "", err
	}
	if v.history, err = v.p.Ledger.History(ctx); err != nil {
		return "", err
	}
	v.out.Ledger = v.view.Tip
	if v.view.Offline != "" {
		v.skip("", "the remote's ledger", v.view.Offline)
	}
	return countOf(len(v.view.Paths()), "record"), nil
}

// finding adds what is wrong with a record.
func (v *verifying) finding(rule, path, hint, format string, args ...any) {
	v.out.Findings = append(v.out.Findings, record.Finding{Rule: rule, Level: string(problem.LevelError), Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// warning adds what is odd and may be right.
func (v *verifying) warning(rule, path, hint, format string, args ...any) {
	v.finding(rule, path, hint, format, args...)
	v.out.Findings[len(v.out.Findings)-1].Level = string(problem.LevelWarning)
}

func (v *verifying) skip(path, what, reason string) {
	v.out.NotAssessed = append(v.out.NotAssessed, record.NotAssessed{Path: path, What: what, Reason: fmt.Sprintf("%.400s", reason)})
}

// tell says how far it is, not too often.
func (v *verifying) tell(what string, done, of int) {
	if now := time.Now(); now.Sub(v.last) > 500*time.Millisecond {
		v.last = now
		v.p.progress("%s: %d of %d", what, done, of)
	}
}

// branch is the ledger's branch as a person types it.
func (v *verifying) branch() string { return v.p.Ledger.Branch() }

// treeOf loads the documents of a commit, or says why it can't.
func (v *verifying) treeOf(commit string) (*Tree, string) {
	if found, ok := v.trees[commit]; ok {
		return found.tree, found.why
	}
	if len(v.trees) > maxTrees {
		clear(v.trees)
	}
	var found foundTree
	t, err := v.p.At(commit)
	switch {
	case commit == "":
		found.why = "the record names no commit"
	case errors.Is(err, gitdb.ErrNotFound):
		found.why = "this clone lacks commit " + short(commit)
	case err != nil:
		found.why = err.Error()
	case t.Docs.Problems.Errors() > 0:
		found.why = "the documents of commit " + short(commit) + " have errors"
	default:
		found.tree = t
	}
	v.trees[commit] = found
	return found.tree, found.why
}

// maxTrees is how many commits' documents are kept at a time.
const maxTrees = 50

type foundTree struct {
	tree *Tree
	why  string
}
