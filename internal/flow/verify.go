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
	Mend  bool     // put back what history proves, and look again
}

// verifying is the state of a verification. Records are read one at a time: what is kept of each is what others refer to.
type verifying struct {
	p       *Project
	o       VerifyOptions
	view    *ledger.View
	history *ledger.History
	where   string // the ledger's branch as Git's commands name what the remote has
	seen    string // the tip that this clone saw last, before this command read the ledger
	out     record.Verification
	found   []caused
	many    map[record.Unlisted]int // findings of a rule and level

	odd      bool              // the branch holds what plumb can't read, and until that is out nothing else is looked at
	suspects map[string]string // path of the branch → object id of what stands there and is no record; "" when history says so
	put      map[string]string // path → object id of the bytes that belong there
	drop     map[string]string // path → object id of what never was a record
	join     []string          // tips that the branch has lost

	facts   map[string]fact       // path → what others refer to
	ids     map[string]string     // id of a run → path
	who     map[string]string     // path → who recorded it, as it says; of those that do not say ci
	ci      map[string]bool       // paths of records that say ci
	numbers map[string][]int      // folder of numbered records → their numbers
	dropped map[string]*dropping  // sha256 of a blob that is gone on purpose, as the rules allow → the decision
	blobs   map[string]*namedBlob // by SHA-256
	unread  error                 // why the store can't be read
	trees   map[string]foundTree  // by commit

	madeOfData map[string][]dataUse // content of a dataset → who was made of it
	ofCI       map[string]bool      // content → a record of CI was

	off       map[string]ledger.Disowning // records that count for nothing
	wrong     map[string][]string         // what is wrong with each of them
	swept     map[string][]string         // commit → paths of what it took out and never was a record
	had       map[string][]string         // path → object ids of all bytes that some commit changed there
	conflicts map[string]bool             // numbers of which a person decides what belongs there
	madeOf    map[string][]string         // path of a run → of its versions

	droppings []dropping
	newest    []*record.Stage // what serves, of each stage
	told      map[string]bool // digests of pinned data that is gone, and was told of
	last      time.Time
}

// fact is what other records need to know of one.
type fact struct {
	kind     string
	time     time.Time
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
	{"stages", (*verifying).chains},          // what served before, and since when
	{"history", (*verifying).onlyAdded},      // no commit took anything away
	{"witnesses", (*verifying).witnesses},    // what tags, versions and sites have seen is still there
	{"disowned", (*verifying).disownings},    // what counts for nothing, and by which right
	{"publisher", (*verifying).publishers},   // who committed what says ci
	{"tags", (*verifying).tags},              // tags against records
	{"blobs", (*verifying).allBlobs},         // every pointer
	{"numbers of runs", (*verifying).runs},   // metrics from evaluations, rows from pinned data
	{"comparisons", (*verifying).compared},   // intervals and verdicts from evaluations
	{"monitors", (*verifying).watched},       // verdicts and triggers from what was counted
	{"snapshots", (*verifying).snapshotsAre}, // content and profile from pinned data
}

// Verify holds the ledger against itself, against what was seen of it elsewhere, and against the raw files.
func (p *Project) Verify(ctx context.Context, o VerifyOptions) (*record.Verification, error) {
	v := &verifying{p: p, o: o, facts: map[string]fact{}, ids: map[string]string{}, ci: map[string]bool{}, who: map[string]string{}, numbers: map[string][]int{},
		many: map[record.Unlisted]int{}, suspects: map[string]string{}, told: map[string]bool{}, put: map[string]string{}, drop: map[string]string{},
		dropped: map[string]*dropping{}, blobs: map[string]*namedBlob{}, madeOfData: map[string][]dataUse{}, ofCI: map[string]bool{}, trees: map[string]foundTree{},
		wrong: map[string][]string{}, had: map[string][]string{}, conflicts: map[string]bool{}, swept: map[string][]string{}, madeOf: map[string][]string{}}
	if err := v.readFalselyGone(); err != nil {
		return nil, err
	}
	v.p.mending = o.Mend
	v.out = record.Verification{Schema: "plumb.verify/v1", Quick: o.Quick, Since: []record.Witness{}, Findings: []record.Finding{}, NotAssessed: []record.NotAssessed{}}
	_, err := walk(ctx, p, onVerify, v)
	if err == nil {
		err = v.junk()
	}
	if err != nil && !v.odd {
		v.tellRewritten()
		return nil, err
	}
	v.conclude()
	if o.Mend {
		out, err := v.mend(ctx)
		if err != nil || out.Mended == nil {
			v.tellRewritten()
		}
		return out, err
	}
	return &v.out, nil
}

// tellRewritten says what was held back while a mending might have put it right.
func (v *verifying) tellRewritten() {
	if v.p.mending = false; v.view != nil {
		_, _ = v.p.sound(v.view, nil) // errs for a view that could not be read
	}
}

// conclude makes the answer of what was found: what is wrong first.
func (v *verifying) conclude() {
	v.tellDisowned()
	v.fold()
	rank := map[string]int{string(problem.LevelError): 0, string(problem.LevelWarning): 1, record.LevelNote: 2}
	slices.SortStableFunc(v.found, func(a, b caused) int { return cmp.Compare(rank[a.Level], rank[b.Level]) })
	for _, f := range v.found {
		v.out.Findings = append(v.out.Findings, f.Finding)
		if f.Level == string(problem.LevelError) {
			v.out.Exit = problem.ExitNo
		}
	}
	for key, n := range v.many {
		if key.Findings = n - maxFindings; key.Findings > 0 {
			v.out.Unlisted = append(v.out.Unlisted, key)
		}
	}
	slices.SortFunc(v.out.Unlisted, func(a, b record.Unlisted) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Level, b.Level))
	})
	if v.unread != nil && v.out.Exit == 0 {
		v.out.Exit = problem.ExitFailed
	}
}

func (v *verifying) read(ctx context.Context) (string, error) {
	if mirror, err := v.p.Repo.Mirror(ctx); err == nil {
		v.seen, _ = mirror.Ref("refs/heads/" + v.p.Ledger.Branch()) // before it is brought up to date; what can't be read was not seen
	}
	var err error
	if v.view, err = v.p.view(ctx); err != nil {
		v.obstructed(ctx, err)
		return "", err
	}
	if v.o.Mend && v.view.Offline != "" {
		return "", problem.Failedf("try again when the remote can be reached", "the ledger can't be mended without its remote: %s", v.view.Offline)
	}
	if v.history, err = v.p.Ledger.History(ctx); err != nil {
		return "", err
	}
	v.out.Ledger, v.off = v.view.Tip, v.view.Disowned()
	if v.view.Offline != "" {
		v.skip("", "the remote's ledger", v.view.Offline)
	}
	v.where = v.branch()
	if remote, ok := v.p.Repo.Remote(); ok {
		v.where = remote + "/" + v.where
	}
	return countOf(len(v.view.Paths()), "record"), nil
}

// obstructed lists what keeps the ledger from being read and can be taken out.
func (v *verifying) obstructed(ctx context.Context, err error) {
	var odd *gitdb.OddError
	if v.odd = errors.As(err, &odd); !v.odd {
		return
	}
	if v.view, err = v.p.glance(ctx); err == nil {
		v.out.Ledger = v.view.Tip
	}
	for _, o := range odd.Entries {
		v.finding(record.RuleRecord, fmt.Sprintf("%.200s", o.Path), "`plumb verify --mend` takes it out", "it %s", o.Why)
	}
	v.skip("", "everything else", "the ledger can't be read until what is wrong is out of it")
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
