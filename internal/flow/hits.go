package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// seeker says who looks for a run.
type seeker struct {
	pullRequest int  // whose own runs count too; 0: nobody's
	onIntent    bool // the digest is on the intent branch, so that runs recorded for any pull request count

	// A tree and an experiment of it that have these inputs: what a run is held against, and where the code of a command's model is.
	tree       *Tree
	experiment string
	otherRows  bool // what is found will score other rows anyway, so what it said of its own is not asked
	laptop     bool // no CI speaks: what a person recorded of further seeds counts, whose models nobody can ask
}

// seeker looks for the run of an experiment of a tree.
func (e Event) seeker(onIntent bool, t *Tree, experiment string) seeker {
	return seeker{pullRequest: e.PullRequest, onIntent: onIntent, laptop: e.Repository == "", tree: t, experiment: experiment}
}

// ofBase is seeker for the model that scores head's rows.
func (e Event) ofBase(base *Tree, experiment string) seeker {
	by := e.seeker(true, base, experiment)
	by.otherRows = true
	return by
}

// usable lists the runs of an input digest that may stand for it, the one that counts first (ledger.View.RunsByInputs).
//
// A run recorded for a pull request is that job's word: until its digest is on the intent branch it counts for that pull request only. Runs of
// several pull requests that contradict each other all stop counting: one of them was forged, or the result can't be reproduced, and a stranger
// who copies a proposal and records it first must not decide what is served. Making the run again settles it.
func usable(v *ledger.View, key string, by seeker) []record.Run {
	var out []record.Run
	results := map[string]bool{}
	for _, run := range v.RunsByInputs(key) {
		switch from := run.By.PullRequest; {
		case run.Status != "ok", attempt(run):
			continue
		case from == 0 || from == by.pullRequest:
		case !by.onIntent:
			continue
		default:
			results[run.Result.Digest] = true
		}
		out = append(out, run)
	}
	if len(results) < 2 {
		return out
	}
	var agreed []record.Run
	for _, run := range out {
		if from := run.By.PullRequest; from == 0 || from == by.pullRequest {
			agreed = append(agreed, run)
		}
	}
	return agreed
}

// hit finds the run that stands for an input digest, with its model and rows. nil: there is none whose blobs can be had; why says so of each. When
// nothing is left because runs were refused, that is an error: whoever trained for nine hours must not find that CI quietly trains again.
func (w *workshop) hit(ctx context.Context, v *ledger.View, key string, by seeker) (x *execution, why []string, err error) {
	for _, run := range v.RunsByInputs(key) {
		if attempt(run) {
			why = append(why, fmt.Sprintf("run %s was made with --set or from files that no commit has", run.ID))
		}
	}
	wrong := liars(v, key)
	for _, run := range usable(v, key, by) {
		x, err := w.take(ctx, by, run)
		var no *refusal
		switch {
		case err == nil:
			return x, nil, nil
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case errors.As(err, &no):
			wrong = append(wrong, err)
		default:
			why = append(why, fmt.Sprintf("run %s can't be used: %v", run.ID, err))
		}
	}
	if len(wrong) > 0 {
		return nil, nil, refused(wrong)
	}
	for _, said := range why {
		w.p.progress("%s", said)
	}
	return nil, why, nil
}

// take loads a run of the ledger: what CI recorded was checked when it was, what a person recorded is scored here.
func (w *workshop) take(ctx context.Context, by seeker, run record.Run) (*execution, error) {
	switch {
	case run.Actor == record.ActorCI:
		return w.load(ctx, by.tree, run)
	case by.otherRows:
		return w.vet(ctx, by, run)
	}
	return w.confirm(ctx, by, run)
}

// has says whether one of the experiments of a tree has these inputs.
func has(docs *doc.Set, key string) bool {
	for id := range docs.Experiments {
		if served(docs, id) == key {
			return true
		}
	}
	return false
}

// recordable gives the input digests that an event may record, and the experiments of head that have each.
//
// A pull request records what it asks for, head has and base has not. Where head's commands ran, they could reach every other run of the same
// job: then only the run of the one command may be recorded, and with two of them none. The others are made again on push.
func recordable(event string, base, head *doc.Set) map[string][]string {
	out := map[string][]string{}
	if event != "pull_request" {
		for _, id := range keys(head.Models) {
			if m := head.Models[id]; m.Champion != "" && served(head, m.Champion) != "" {
				out[served(head, m.Champion)] = append(out[served(head, m.Champion)], m.Champion)
			}
		}
		return out
	}
	fresh, commands := mayRecord(base, head), map[string]bool{}
	for _, t := range plan(base, head) {
		key := served(head, t.Experiment)
		if t.Experiment == "" || key == "" {
			continue
		}
		if head.Experiments[t.Experiment].Train.Learner == "command" {
			commands[key] = true
		}
		if fresh[key] != "" {
			out[key] = append(out[key], t.Experiment)
		}
	}
	for key := range out {
		if len(commands) > 1 || len(commands) == 1 && !commands[key] {
			delete(out, key)
		}
	}
	return out
}
