package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/store"
)

// Event is what a flow is about.
type Event struct {
	Name        string // pull_request | push
	Repository  string // owner/name, "" on a laptop
	Base, Head  string // commits; Base of a pull request is the merge base
	PullRequest int
	RunNumber   int64
}

// trainedBy names who trained a run that a CI run only found: somebody ran it elsewhere and pushed it. On a laptop nobody has to be told.
func (e Event) trainedBy(run record.Run) string {
	if e.Repository == "" || run.ID == "" || run.Actor != record.ActorHuman || run.By.PullRequest != 0 {
		return ""
	}
	return run.By.Who
}

// Measured is what a measuring flow leaves: the result, and the bundle that a publisher checks.
type Measured struct {
	Result  record.CI
	Records []any
	Blobs   []store.Blob
	Event   Event
	Lost    error // what a schedule could not look at, beside what it did
}

// review is the state of the pull-request flow.
type review struct {
	p          *Project
	event      Event
	base, head *Tree
	shop       *workshop
	view       *ledger.View
	tasks      []task
	answers    map[string]*execution // by input digest: what was loaded or run
	out        Measured
	blocked    bool // a critical data check fails
}

// onPullRequest is what happens when a pull request changes.
var onPullRequest = []step[*review]{
	{"load documents", (*review).load},            // base and head, from their trees
	{"check documents", (*review).checkDocuments}, // head's problems are the result when there are any
	{"check data", (*review).checkData},           // pinned data that changed, by head's checks and base's critical ones
	{"plan", (*review).plan},                      // what must run, by digests, and why
	{"prove features", (*review).proveFeatures},   // new queries, by taking the future away
	{"run", (*review).run},                        // what has no record yet
	{"compare", (*review).compare},                // base's champion re-scored on head's rows, then judged by base's gates
	{"describe", (*review).describe},              // what changes beside the numbers, and what happens on merge
}

// PullRequest measures a pull request. Gates that fail are in the result, not in the error.
func (p *Project) PullRequest(ctx context.Context, e Event) (*Measured, error) {
	e.Name = "pull_request"
	if err := p.trustStore(e); err != nil {
		return nil, err
	}
	r := &review{p: p, event: e, answers: map[string]*execution{}}
	r.out.Event = e
	r.out.Result = record.CI{Schema: "plumb.ci/v1", Event: e.Name, Base: e.Base, Head: e.Head, PullRequest: e.PullRequest, RunNumber: e.RunNumber}
	defer func() {
		if r.shop != nil {
			r.shop.close()
		}
	}()
	var err error
	r.out.Result.Steps, err = walk(ctx, p, onPullRequest, r)
	var documents *DocumentsError
	switch {
	case errors.As(err, &documents):
		r.out.Result.Problems = documents.List.All()
		r.out.Result.Exit = problem.ExitWrong
	case err != nil:
		return nil, err
	default:
		r.out.Result.Exit = verdictExit(r.out.Result.Comparisons, r.blocked)
	}
	normalise(&r.out.Result)
	return &r.out, nil
}

// verdictExit follows the gates: any that fails is a no.
func verdictExit(cs []record.Comparison, blocked bool) int {
	if blocked {
		return problem.ExitNo
	}
	for _, c := range cs {
		if c.Promotes && gatesFail(c) {
			return problem.ExitNo
		}
	}
	return problem.ExitFine
}

// gatesFail agrees with compare.Outcome.Fails: a rule that can't be evaluated says no, because a gate that passed when its numbers are gone
// would be opened by taking them away.
func gatesFail(c record.Comparison) bool {
	return c.Verdict == record.Missing ||
		slices.ContainsFunc(c.Metrics, func(m record.MetricDifference) bool { return m.Gate == record.GateFail }) ||
		slices.ContainsFunc(c.Gates, func(g record.Gate) bool { return g.State != record.GatePass })
}

// projectName is base's, so that a pull request can't take over the comment of another project of the same repository.
func projectName(base, head *Tree) string {
	for _, t := range []*Tree{base, head} {
		if t.Docs.Project != nil {
			return t.Docs.Project.Name
		}
	}
	return ""
}

func (r *review) load(ctx context.Context) (string, error) {
	var err error
	if r.event, err = r.p.Resolve(ctx, r.event); err != nil {
		return "", err
	}
	if r.event.Base, err = r.p.Repo.MergeBase(ctx, r.event.Base, r.event.Head); err != nil {
		return "", fmt.Errorf("finding the merge base: %w", err)
	}
	if r.base, err = r.p.At(r.event.Base); err != nil {
		return "", err
	}
	if r.head, err = r.p.At(r.event.Head); err != nil {
		return "", err
	}
	r.out.Event, r.out.Result.Base, r.out.Result.Head = r.event, r.event.Base, r.event.Head
	r.out.Result.Project = projectName(r.base, r.head)
	r.view, err = r.p.view(ctx)
	return fmt.Sprintf("base %s, head %s", short(r.event.Base), short(r.event.Head)), err
}

func (r *review) checkDocuments(context.Context) (string, error) {
	if err := r.head.sound(); err != nil {
		return "", err
	}
	r.out.Result.Problems = r.head.Docs.Problems.All() // warnings
	return countOf(len(r.head.Docs.Files), "document"), nil
}

func (r *review) plan(context.Context) (string, error) {
	r.tasks = plan(r.base.Docs, r.head.Docs)
	if len(r.tasks) == 0 {
		return "", skip("no model's answer changes")
	}
	var said []string
	for _, t := range r.tasks {
		said = append(said, t.Model+": "+t.Experiment)
	}
	return list(said), nil
}

// run makes what head needs and the ledger does not have. A run recorded for another pull request is no hit.
func (r *review) run(ctx context.Context) (string, error) {
	var made, found, scored []string
	keep := recordable(r.out.Result.Event, r.base.Docs, r.head.Docs)
	for _, t := range r.tasks {
		if t.Experiment == "" {
			continue
		}
		x, fresh, err := r.answer(ctx, r.head, t.Experiment, false)
		switch {
		case err != nil:
			return "", fmt.Errorf("running %s: %w", t.Experiment, err)
		case !fresh && x.scored:
			scored = append(scored, x.trained(t.Experiment))
			r.out.Blobs = append(r.out.Blobs, x.blobs...) // the publisher judges again from these scores
			continue
		case !fresh:
			found = append(found, t.Experiment)
			continue
		}
		made = append(made, x.because(t.Experiment))
		if keep[x.run.Inputs.Key()] != nil {
			r.keepRun(x)
			continue
		}
		for _, b := range x.blobs { // it is made for this comparison only, and the publisher judges again from its rows
			if record.Sum(b.Data) == x.run.Evaluation.SHA256 {
				r.out.Blobs = append(r.out.Blobs, b)
			}
		}
	}
	if len(made)+len(scored) == 0 {
		return "", skip("every run is in the ledger")
	}
	return whatRan(made, scored, found), nil
}

// whatRan says in a step's words what was run, what was only scored, and what needed neither.
func whatRan(made, scored, found []string) string {
	var parts []string
	for _, of := range []struct {
		did  string
		what []string
	}{{"ran ", made}, {"scored, not trained: ", scored}, {"in the ledger: ", found}} {
		if len(of.what) > 0 {
			parts = append(parts, of.did+list(of.what))
		}
	}
	return strings.Join(parts, "; ")
}

// trained names an experiment, and who trained the run that was scored here.
func (x *execution) trained(experiment string) string {
	return fmt.Sprintf("%s (run %s, trained by %s)", experiment, x.run.ID, brief.Person(x.run.By.Who))
}

// andWhy adds to an error of training why a run of the ledger would not do: who trained elsewhere wants to know that first.
func andWhy(err error, why []string) error {
	if len(why) == 0 {
		return err
	}
	return fmt.Errorf("%w\nit was trained here because %.300s", err, strings.Join(why, "; "))
}

// because names an experiment that was run, and why no run of the ledger would do.
func (x *execution) because(experiment string) string {
	if len(x.why) == 0 {
		return experiment
	}
	return fmt.Sprintf("%s (%.300s)", experiment, strings.Join(x.why, "; "))
}

// keepRun puts a run that was made now into the bundle.
func (r *review) keepRun(x *execution) {
	x.run.By.PullRequest = r.event.PullRequest
	r.out.Records = append(r.out.Records, x.run)
	r.out.Blobs = append(r.out.Blobs, x.blobs...)
	r.out.Result.Runs = append(r.out.Result.Runs, Summary(x.run))
}

// answer finds the run of an experiment by its input digest, or makes it; fresh says that it was made now. otherRows says that it is to score other
// rows than its own.
func (r *review) answer(ctx context.Context, t *Tree, experiment string, otherRows bool) (x *execution, fresh bool, err error) {
	key, err := digestOf(t.Docs, experiment)
	if err != nil {
		return nil, false, err
	}
	if x := r.answers[key]; x != nil {
		return x, false, nil
	}
	w, err := r.workshop(ctx)
	if err != nil {
		return nil, false, err
	}
	by := r.event.seeker(has(r.base.Docs, key), t, experiment)
	by.otherRows = otherRows
	x, why, err := w.hit(ctx, r.view, key, by)
	if err != nil {
		return nil, false, err
	}
	if x != nil {
		if !otherRows { // else its own rows may not have been looked at
			r.answers[key] = x
		}
		return x, false, nil
	}
	if x, err = w.execute(ctx, t, experiment); err != nil {
		return nil, false, andWhy(err, why)
	}
	x.why = why
	r.answers[key] = x
	return x, true, nil
}

// workshop opens the engine when a step first needs it; its settings are base's where base has a project.
func (r *review) workshop(ctx context.Context) (*workshop, error) {
	if r.shop != nil {
		return r.shop, nil
	}
	settings := r.base.Docs.Project
	if settings == nil {
		settings = &doc.Project{}
	}
	var err error
	r.shop, err = r.p.workshop(ctx, settings)
	return r.shop, err
}

// Summary is a run as plumb.runs/v1 shows it.
func Summary(run record.Run) record.RunSummary {
	tags := map[string]string{"actor": run.Actor, "learner": run.Learner}
	if run.By.Who != "" {
		tags["who"] = run.By.Who
	}
	if run.Sweep != "" {
		tags["sweep"] = run.Sweep
	}
	params := run.Params
	if params == nil {
		params = map[string]any{}
	}
	return record.RunSummary{ID: run.ID, Experiment: run.Experiment, Model: run.Model, Time: run.Time.UTC().Format("2006-01-02T15:04:05Z"),
		Status: run.Status, Commit: run.Code.Commit, Params: params, Metrics: run.Result.Metrics,
		Operations: run.Operations(), Tags: tags}
}

// normalise makes empty lists of absent ones, as JSON readers expect.
func normalise(ci *record.CI) {
	if ci.Comparisons == nil {
		ci.Comparisons = []record.Comparison{}
	}
	if ci.Problems == nil {
		ci.Problems = []problem.Problem{}
	}
	if ci.Runs == nil {
		ci.Runs = []record.RunSummary{}
	}
	if ci.Data == nil {
		ci.Data = []record.DataChange{}
	}
}
