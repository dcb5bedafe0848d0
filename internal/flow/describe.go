package flow

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// describe says what else the pull request changes, and what a merge does.
func (r *review) describe(context.Context) (string, error) {
	r.out.Result.Changes = changes(r.base.Docs, r.head.Docs)
	artifacts := map[string]record.Pointer{}
	for key, x := range r.answers {
		artifacts[key] = x.run.Artifact
	}
	r.out.Result.OnMerge = onMerge(r.head.Docs, r.view, r.tasks, artifacts)
	return "", nil
}

// onMerge says, for each model whose served answer changes, what the push flow will do and what rollback means. artifacts are by input digest.
func onMerge(docs *doc.Set, v *ledger.View, tasks []task, artifacts map[string]record.Pointer) []string {
	var out []string
	for _, t := range tasks {
		if !t.Promotes {
			continue
		}
		if t.Experiment == "" {
			out = append(out, fmt.Sprintf("%s: nothing is served any more", t.Model))
			continue
		}
		versions := v.Versions(t.Model)
		had, isOld := versionOf(versions, artifacts[served(docs, t.Experiment)])
		live := 0
		if len(versions) > 0 {
			live = newestStaged(v.Stages(t.Model, production), versions[len(versions)-1].Number)
		}
		if isOld && had.Number == live && docs.Models[t.Model].Version == 0 {
			out = append(out, fmt.Sprintf("%s: nothing changes in what is served: what %s learns is version %d, which is live.", t.Model, t.Experiment, live))
			continue
		}
		sentence := fmt.Sprintf("%s: %s becomes the champion", t.Model, t.Experiment)
		if i := slices.IndexFunc(versions, func(o record.Version) bool { return o.Number == live }); i >= 0 && versions[i].Experiment == t.Experiment {
			sentence = fmt.Sprintf("%s: %s stays the champion, with what it learns now", t.Model, t.Experiment)
		}
		switch pin := docs.Models[t.Model].Version; {
		case pin != 0:
			sentence += fmt.Sprintf("; the document pins version %d", pin)
		case isOld:
			sentence += fmt.Sprintf("; its artifact is version %d, which is staged again", had.Number)
		default:
			sentence += fmt.Sprintf(", as version %d", len(versions)+1)
		}
		if live > 0 {
			sentence += fmt.Sprintf("; reverting the merge goes back to version %d", live)
		}
		out = append(out, sentence+".")
	}
	return out
}

func versionOf(versions []record.Version, artifact record.Pointer) (record.Version, bool) {
	for _, v := range versions {
		if artifact.SHA256 != "" && v.Artifact.SHA256 == artifact.SHA256 {
			return v, true
		}
	}
	return record.Version{}, false
}

func newestStaged(stages []record.Stage, otherwise int) int {
	if n := len(stages); n > 0 {
		return stages[n-1].Version
	}
	return otherwise
}

// changes lists, as sentences, what differs between two sets of documents and is no number: contracts, features, experiments.
func changes(base, head *doc.Set) []string {
	var out []string
	for _, id := range keys(head.Models) {
		was, now := base.Models[id], head.Models[id]
		if was == nil {
			out = append(out, "model "+id+" is new")
			continue
		}
		if was.Champion != now.Champion {
			out = append(out, fmt.Sprintf("model %s: champion %s → %s", id, orNone(was.Champion), orNone(now.Champion)))
		}
		out = append(out, contractChanges(id, was, now)...)
	}
	for _, id := range keys(base.Models) {
		if head.Models[id] == nil {
			out = append(out, "model "+id+" is removed: nobody asks its question any more")
		}
	}
	out = append(out, kindChanges("experiment", base.Experiments, head.Experiments, func(a, b *doc.Experiment) bool {
		return a.HypothesisDigest() == b.HypothesisDigest() && !experimentChanged(base, head, a.ID)
	})...)
	out = append(out, kindChanges("feature view", base.Features, head.Features, func(a, b *doc.Feature) bool { return sameView(*a, *b) })...)
	out = append(out, kindChanges("dataset", base.Datasets, head.Datasets, func(a, b *doc.Dataset) bool { return reflect.DeepEqual(a, b) })...)
	if base.Design != nil && head.Design != nil && !reflect.DeepEqual(base.Design, head.Design) {
		out = append(out, "the design card changes; its value is still read from the base here")
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func orDefault(group string) string {
	if group == "" {
		return "the default"
	}
	return group
}

// contractChanges says how gates and metrics of the contract change. The base's decide in this pull request.
func contractChanges(id string, was, now *doc.Model) []string {
	var out []string
	if was.Question.Group != now.Question.Group {
		out = append(out, fmt.Sprintf("rows of %s are grouped by %s instead of %s; the old groups rule the intervals here", id,
			orDefault(now.Question.Group), orDefault(was.Question.Group)))
	}
	if !slices.Equal(was.Question.Slices, now.Question.Slices) {
		out = append(out, fmt.Sprintf("the slices of %s change from %s to %s; the old ones decide here", id,
			orNone(list(was.Question.Slices)), orNone(list(now.Question.Slices))))
	}
	for _, name := range union2(keys(was.Gates), keys(now.Gates)) {
		a, hadIt := was.Gates[name]
		b, hasIt := now.Gates[name]
		switch {
		case !hadIt:
			out = append(out, fmt.Sprintf("gate %s of %s is new: %s (judged from the next pull request on)", name, id, b.Require))
		case !hasIt:
			out = append(out, fmt.Sprintf("gate %s of %s is removed; it still decides here", name, id))
		case a != b:
			out = append(out, fmt.Sprintf("gate %s of %s changes from %s to %s; the old one decides here", name, id, a.Require, b.Require))
		}
	}
	for _, name := range union2(keys(was.Metrics), keys(now.Metrics)) {
		a, hadIt := was.Metrics[name]
		b, hasIt := now.Metrics[name]
		switch {
		case !hadIt:
			out = append(out, fmt.Sprintf("metric %s joins the contract of %s as %s", name, id, b.Level))
		case !hasIt:
			out = append(out, fmt.Sprintf("metric %s leaves the contract of %s; it still decides here", name, id))
		case a != b:
			out = append(out, fmt.Sprintf("metric %s of %s changes (%s, tolerance %v, %s → %s, tolerance %v, %s); the old terms decide here",
				name, id, a.Level, a.Tolerance, a.Require, b.Level, b.Tolerance, b.Require))
		}
	}
	return out
}

// kindChanges lists what is new, gone or different among documents of a kind.
func kindChanges[D any](kind string, base, head map[string]D, same func(a, b D) bool) []string {
	var out []string
	for _, id := range union2(keys(base), keys(head)) {
		a, hadIt := base[id]
		b, hasIt := head[id]
		switch {
		case !hadIt:
			out = append(out, kind+" "+id+" is new")
		case !hasIt:
			out = append(out, kind+" "+id+" is removed")
		case !same(a, b):
			out = append(out, kind+" "+id+" changes")
		}
	}
	return out
}
