package flow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plumb-ml/plumb/internal/dataset"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/trainset"
)

// inspection is what a bundle proves. Documents come from the Git trees, rows and labels from the pinned data, verdicts from judging again;
// only scores are head's word, and of those base's are made again where the ledger has its model.
type inspection struct {
	p           *Project
	bundle      *received
	event       Event
	base, head  *Tree
	shop        *workshop
	view        *ledger.View
	tasks       []task
	runs        []record.Run // to record
	comparisons []record.ComparisonRecord
	snapshots   []record.Snapshot
	watched     []record.Monitor
	locks       map[string][]byte // by dataset: pins that a trigger asked for
	data        []record.DataChange
	result      record.CI                 // made here, from what holds
	made        map[string]*execution     // by input digest: the bundle's runs
	known       map[string]string         // by input digest: the ledger's run that says what one of the bundle says
	artifacts   map[string]record.Pointer // by input digest: the model of an answer
	used        map[string]bool           // blobs that were looked into
	verified    map[string]bool           // datasets whose rows were hashed
	scored      map[string]bool           // push: ids of runs made elsewhere that hold
}

// inspect checks every claim of a bundle. Its errors say which claim does not hold.
func (p *Project) inspect(ctx context.Context, b *received, e Event) (*inspection, error) {
	i := &inspection{p: p, bundle: b, event: e, made: map[string]*execution{}, known: map[string]string{}, artifacts: map[string]record.Pointer{},
		used: map[string]bool{}, verified: map[string]bool{}, scored: map[string]bool{}, locks: map[string][]byte{}}
	if err := i.load(ctx); err != nil {
		return nil, err
	}
	if err := i.start(); err != nil {
		return nil, err
	}
	if i.head.Docs.Problems.Errors() > 0 {
		return i, i.onlyProblems()
	}
	var err error
	if i.shop, err = p.workshop(ctx, i.settings()); err != nil {
		return nil, err
	}
	defer i.shop.close()
	i.shop.publishes = true
	if err := i.sort(); err != nil {
		return nil, err
	}
	for _, run := range i.runs {
		if err := i.run(ctx, run); err != nil {
			return nil, fmt.Errorf("run of %s: %w", run.Experiment, err)
		}
	}
	if err := i.elsewhere(ctx); err != nil {
		return nil, err
	}
	if err := i.pinned(ctx); err != nil {
		return nil, err
	}
	if err := i.judgements(ctx); err != nil {
		return nil, err
	}
	if err := i.monitors(); err != nil {
		return nil, err
	}
	for sha := range b.blobs {
		if !i.used[sha] {
			return nil, fmt.Errorf("blob %s is named by no record", sha)
		}
	}
	i.runs = slices.DeleteFunc(i.runs, func(r record.Run) bool { return i.known[r.Inputs.Key()] != "" })
	return i, i.conclude()
}

// settings are base's where base has a project: how much memory the engine takes is not head's to say.
func (i *inspection) settings() *doc.Project {
	if i.base.Docs.Project != nil {
		return i.base.Docs.Project
	}
	return &doc.Project{}
}

func (i *inspection) load(ctx context.Context) error {
	base := i.event.Head
	var err error
	if i.event.Name == "pull_request" {
		if base, err = i.p.Repo.MergeBase(ctx, i.event.Base, i.event.Head); err != nil {
			return fmt.Errorf("finding the merge base: %w", err)
		}
	}
	if i.bundle.table.Base != base {
		return fmt.Errorf("the bundle compares with %.40q, and the merge base is %s", i.bundle.table.Base, base)
	}
	i.event.Base = base
	if i.base, err = i.p.At(base); err != nil {
		return err
	}
	if i.head, err = i.p.At(i.event.Head); err != nil {
		return err
	}
	i.view, err = i.p.view(ctx)
	return err
}

// start begins the result with what the publisher itself knows: never the run number, say, by which a later comment would be "older".
func (i *inspection) start() error {
	said := i.bundle.result
	if said.Schema != "plumb.ci/v1" || said.Event != i.event.Name || said.Head != i.event.Head || said.Base != i.event.Base || said.PullRequest != i.event.PullRequest {
		return errors.New("result.json is about another event")
	}
	flow := names(onPullRequest)
	switch i.event.Name {
	case "push":
		flow = names(onPush)
	case "schedule":
		flow = names(onSchedule)
	}
	if err := checkSteps(said.Steps, flow); err != nil {
		return err
	}
	i.result = record.CI{Schema: "plumb.ci/v1", Event: i.event.Name, Project: projectName(i.base, i.head), Base: i.event.Base, Head: i.event.Head,
		PullRequest: i.event.PullRequest, RunNumber: i.event.RunNumber, Steps: slices.Clone(said.Steps), Problems: i.head.Docs.Problems.All()}
	normalise(&i.result)
	return nil
}

// onlyProblems is a head whose documents are wrong: nothing was measured, and the problems are those of the tree.
func (i *inspection) onlyProblems() error {
	if len(i.bundle.records)+len(i.bundle.blobs) > 0 {
		return errors.New("head's documents are wrong, and yet the bundle has records")
	}
	i.result.Exit = problem.ExitWrong
	return nil
}

// maxAge is how old a record may be: as long as a CI keeps what a job left.
const maxAge = 90 * 24 * time.Hour

// sort takes the records by kind, and holds their headers against what the publisher knows. Who vouches is stamped later.
func (i *inspection) sort() error {
	for _, path := range keys(i.bundle.records) {
		var h record.Header
		switch r := i.bundle.records[path].(type) {
		case *record.Run:
			h = r.Header
			r.ID = "" // of the bytes in the bundle; the record gets its own
			i.runs = append(i.runs, *r)
		case *record.ComparisonRecord:
			h = r.Header
			r.ID = ""
			i.comparisons = append(i.comparisons, *r)
		case *record.Snapshot:
			h = r.Header
			r.ID = ""
			i.snapshots = append(i.snapshots, *r)
		case *record.Monitor:
			h = r.Header
			r.ID = ""
			i.watched = append(i.watched, *r)
		default:
			return fmt.Errorf("%s: a bundle holds no record of this kind", path)
		}
		if (h.Kind == record.KindMonitor) != (i.event.Name == "schedule") {
			return fmt.Errorf("%s: the event %s records nothing of this kind", path, i.event.Name)
		}
		if h.Code.Commit != i.event.Head || h.Code.Dirty || h.Code.Difference != "" {
			return fmt.Errorf("%s: it was made at %.40q, and head is %s", path, h.Code.Commit, i.event.Head)
		}
		// A person may publish what was measured with --now, and the record says so. The CI's records are ordered by their times.
		now, free := i.p.now(), h.By.Now && i.p.actor() == record.ActorHuman
		if !free && (h.Time.After(now.Add(time.Hour)) || h.Time.Before(now.Add(-maxAge))) {
			return fmt.Errorf("%s: its time is %s, and now is %s", path, h.Time.Format(time.RFC3339), now.Format(time.RFC3339))
		}
	}
	return nil
}

// take gives a blob of the bundle by a record's pointer, which has to say of it what plumb says.
func (i *inspection) take(p record.Pointer, kind string, rows int64) ([]byte, error) {
	if p.Type != kind || p.Rows != rows || p.OID != "" {
		return nil, fmt.Errorf("pointer %.64s is not as plumb writes it: it should be %s of %d rows", p.SHA256, kind, rows)
	}
	data, err := i.bundle.blob(p)
	if err == nil {
		i.used[p.SHA256] = true
	}
	return data, err
}

// evaluation reads an evaluation of the bundle and checks that it is, but for its scores, the wanted one.
func (i *inspection) evaluation(ctx context.Context, p record.Pointer, want record.Evaluation) (record.Evaluation, error) {
	data, err := i.take(p, typeParquet, int64(len(want.RowID)))
	if err != nil {
		return record.Evaluation{}, err
	}
	eval, err := i.shop.untrusted(ctx, data, want.Task, len(want.RowID))
	if err != nil {
		return record.Evaluation{}, err
	}
	return eval, sameRowsAs(eval, want)
}

// sameRowsAs compares an evaluation with one recomputed here, scores left aside: all of its rows, in its order, and no other.
func sameRowsAs(e, want record.Evaluation) error {
	if len(e.RowID) != len(want.RowID) {
		return fmt.Errorf("%d rows, and the pinned data has %d", len(e.RowID), len(want.RowID))
	}
	for i := range e.RowID {
		if e.RowID[i] != want.RowID[i] || e.Part[i] != want.Part[i] {
			return fmt.Errorf("row %d is no %s row of the pinned data, or not in its place", e.RowID[i], e.Part[i])
		}
	}
	switch {
	case !slices.Equal(e.Classes, want.Classes):
		return errors.New("classes are not those of the pinned data")
	case !slices.Equal(e.Label, want.Label):
		return errors.New("labels are not those of the pinned data")
	case !slices.Equal(e.Weight, want.Weight):
		return errors.New("weights are not those of the pinned data")
	case !slices.Equal(e.Group, want.Group):
		return errors.New("groups are not those of the pinned data")
	case !slices.Equal(e.Key, want.Key):
		return errors.New("keys are not those of the pinned data")
	case !maps.EqualFunc(e.Slices, want.Slices, slices.Equal[[]string]):
		return errors.New("slices are not those of the pinned data")
	}
	return nil
}

// trueLocks hashes the rows of datasets: a lock's content digest is a claim, and runs are found by it.
func (i *inspection) trueLocks(ctx context.Context, t *Tree, ids ...string) error {
	for _, id := range ids {
		lock := t.Docs.Locks[id]
		if lock == nil || i.verified[lock.Digest()] {
			continue
		}
		data, err := i.shop.data(ctx, t, id)
		if err != nil {
			return err
		}
		if err := dataset.Verify(ctx, i.shop.db, data.Relations[id], lock); err != nil {
			return fmt.Errorf("dataset %s: %w", id, err)
		}
		i.verified[lock.Digest()] = true
	}
	return nil
}

// headRows gives the rows of a model's question in head.
func (i *inspection) headRows(ctx context.Context, model string) (*trainset.Rows, error) {
	rows, err := i.shop.ask(ctx, i.head, model)
	if err != nil {
		return nil, fmt.Errorf("recomputing the rows: %w", err)
	}
	return rows, nil
}
