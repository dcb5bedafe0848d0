package flow

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// task is one comparison that a pull request asks for. Kind is "" when there is something to compare, else the verdict that needs no numbers:
// first, new_question or missing.
type task struct {
	Model      string
	Experiment string // of head; "" when head names no champion
	Base       string // base's champion; "" when there is none
	Promotes   bool   // changes what is served, so base's gates decide
	Kind       string
	Reason     string
}

// plan says what a pull request changes, from the two trees alone: never from a checkout, a branch tip or the ledger.
//
// For each model of head: what is served (base's champion against head's, when their input digests differ), then each changed experiment.
// A model that head removed is not compared: nobody asks its question any more.
func plan(base, head *doc.Set) []task {
	var out []task
	for _, id := range keys(head.Models) {
		m, before := head.Models[id], base.Models[id]
		t := task{Model: id, Experiment: m.Champion, Promotes: true}
		switch {
		case before == nil:
			t.Kind, t.Reason = record.First, "the model is new"
		case before.Champion == "":
			t.Kind, t.Reason = record.First, "the base has no champion"
		case m.Champion == "": // also under a new question: what was served is gone
			t.Kind, t.Base, t.Reason = record.Missing, before.Champion, "the pull request removes the champion"
		case digestsDiffer(questionOf(base, id), questionOf(head, id)):
			t.Kind, t.Base, t.Reason = record.NewQuestion, before.Champion, questionChange(base, head, id)
		default:
			t.Base = before.Champion
			t.Promotes = digestsDiffer(served(base, before.Champion), served(head, m.Champion))
		}
		if t.Promotes && (t.Experiment != "" || t.Kind == record.Missing) {
			out = append(out, t)
		}
		if t.Kind == record.Missing { // the champion is gone, an experiment still compares with the one that was
			t.Kind, t.Reason = "", ""
			if digestsDiffer(questionOf(base, id), questionOf(head, id)) {
				t.Kind, t.Reason = record.NewQuestion, questionChange(base, head, id)
			}
		}
		out = append(out, changedExperiments(base, head, t)...)
	}
	return out
}

// changedExperiments lists the experiments of a model that head adds or changes, but for its champion, which `served` covers.
func changedExperiments(base, head *doc.Set, champion task) []task {
	var out []task
	for _, id := range keys(head.Experiments) {
		if e := head.Experiments[id]; e.Model != champion.Model || id == champion.Experiment || !experimentChanged(base, head, id) {
			continue
		}
		t := task{Model: champion.Model, Experiment: id, Base: champion.Base, Kind: champion.Kind, Reason: champion.Reason}
		out = append(out, t)
	}
	return out
}

// experimentChanged compares the answer itself: the document after extends, its features, code, environment and seed, but not the data.
func experimentChanged(base, head *doc.Set, id string) bool {
	if was := base.Experiments[id]; was == nil || was.Model != head.Experiments[id].Model {
		return true
	}
	a, errA := inputs(base, id)
	b, errB := inputs(head, id)
	if errA != nil || errB != nil {
		return true
	}
	for _, name := range changedInputs(a, b) {
		if name != "dataset" && name != "question" && !strings.HasPrefix(name, "feature.") {
			return true
		}
	}
	for _, v := range union2(base.Views(id), head.Views(id)) {
		if base.Features[v] == nil || head.Features[v] == nil || !sameView(*base.Features[v], *head.Features[v]) {
			return true
		}
	}
	return false
}

func sameView(a, b doc.Feature) bool {
	a.Head, b.Head = doc.Head{}, doc.Head{}
	a.Order, b.Order = nil, nil // of the items in the document, which means nothing
	return reflect.DeepEqual(a, b)
}

// served is the input digest of what a tree serves; "" when it can't be told, which differs from everything that can.
func served(docs *doc.Set, champion string) string {
	d, err := digestOf(docs, champion)
	if err != nil {
		return ""
	}
	return d
}

// questionOf is the digest of a model's question.
func questionOf(docs *doc.Set, model string) string {
	d, err := docs.QuestionDigest(model)
	if err != nil {
		return ""
	}
	return d
}

func digestsDiffer(a, b string) bool { return a == "" || b == "" || a != b }

// questionChange names what about the question is new.
func questionChange(base, head *doc.Set, model string) string {
	a, b := base.Models[model], head.Models[model]
	var parts []string
	add := func(name string, x, y any) {
		if !reflect.DeepEqual(x, y) {
			parts = append(parts, name)
		}
	}
	add("task", a.Task, b.Task)
	add("dataset", a.Question.Dataset, b.Question.Dataset)
	add("label", a.Question.Label, b.Question.Label)
	add("weight", a.Question.Weight, b.Question.Weight)
	add("split", a.Question.Split, b.Question.Split)
	add("threshold", a.Question.Threshold, b.Question.Threshold)
	if b.Question.Split.By == "hash" && len(parts) == 0 {
		add("the key of dataset "+b.Question.Dataset, keyOf(base, a), keyOf(head, b))
	}
	if len(parts) == 0 {
		parts = []string{"what the dataset says of time and late columns"}
	}
	return "the pull request changes the question: " + strings.Join(parts, ", ")
}

func keyOf(docs *doc.Set, m *doc.Model) []string {
	if d := docs.Datasets[m.Question.Dataset]; d != nil {
		return d.Source.Key
	}
	return nil
}

// mayRecord lists the input digests that a pull request may record: those that head has and base has not.
func mayRecord(base, head *doc.Set) map[string]string {
	known := map[string]bool{}
	for id := range base.Experiments {
		if d, err := digestOf(base, id); err == nil {
			known[d] = true
		}
	}
	out := map[string]string{}
	for id := range head.Experiments {
		if d, err := digestOf(head, id); err == nil && !known[d] {
			out[d] = id
		}
	}
	return out
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func list(names []string) string { return strings.Join(names, ", ") }

func union2(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// countOf is a number with its noun.
func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
