package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/gitdb"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/registry"
)

// To disown is a way to hide what is honest as well as what is false, so a disowned record is looked at like any other, and what is found is told as a note with
// the reason that was given, or that nothing is found. What disowns other bytes than a record has counts for nothing.

// disownedLast puts the records that count first: what two of them say differently is then the other's fault.
func (v *verifying) disownedLast(paths []string) []string {
	isOff := func(p string) bool { _, off := v.off[p]; return off }
	last := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !isOff(p) })
	return append(slices.DeleteFunc(paths, isOff), last...)
}

// disownCommand is what a person types to disown a record, with the versions that would be left without their run.
func (v *verifying) disownCommand(path string) string {
	paths := slices.DeleteFunc(slices.Clone(v.madeOf[path]), func(p string) bool { _, off := v.off[p]; return off })
	return disownCommand(append(paths, path))
}

// oneOf is what to do about two records that can't both be right.
func (v *verifying) oneOf(a, b string) string {
	return fmt.Sprintf("one of the two is false: see who brought each with `git fetch` and `git log %s -- %s %s`; `%s` or `%s`, then `plumb push`", v.where, a, b, v.disownCommand(a), v.disownCommand(b))
}

// disownings holds the decisions that disown against what they name.
func (v *verifying) disownings(context.Context) (string, error) {
	all := v.view.Disownings()
	for _, d := range all {
		v.beforeItsRecord(d)
		data, err := v.view.Bytes(d.Record)
		switch {
		case err == nil && d.Of(data):
		case v.hadBytes(d):
			v.note(record.RuleDisowned, d.Path, "%s: other bytes of %s, which it had once", d, d.Record)
		case err == nil:
			v.finding(record.RuleDisowned, d.Path, v.restore(d.Path), "it disowns %s with the SHA-256 %.12s…, and that record has other bytes: it counts for nothing", d.Record, d.SHA256)
		case v.view.Offline != "" || !v.history.Whole:
			v.skip(d.Path, "whether the ledger ever had "+d.Record, "its history is not all here")
		default:
			v.finding(record.RuleDisowned, d.Path, v.restore(d.Path), "it disowns %s, which the ledger never had with the SHA-256 %.12s…", d.Record, d.SHA256)
		}
	}
	return fmt.Sprintf("%s, by %s", countOf(len(v.off), "record"), countOf(len(all), "decision")), nil
}

// hadBytes says whether the record's path had the bytes that a decision names at some commit, which is how one of two records of a number is disowned.
func (v *verifying) hadBytes(d ledger.Disowning) bool {
	return slices.ContainsFunc(v.had[d.Record], func(oid string) bool {
		data, err := v.history.Blob(oid)
		return err == nil && d.Of(data)
	})
}

// restsOn tells of a version whose run counts for nothing.
func (v *verifying) restsOn(p, run string) {
	if by, ok := v.off[run]; ok {
		v.finding(record.RuleReference, p, v.restore(p), "its run %s was %s, and it was not", run, by)
	}
}

// served tells of a stage that holds a version which counts for nothing. What a stage held before is history, and stays true.
func (v *verifying) served(p, version string) {
	by, ok := v.off[version]
	if !ok {
		return
	}
	for _, s := range held(v.view.Stages("", ""), func(string) bool { return false }) {
		if registry.StagePath(s) == p {
			v.finding(record.RuleReference, p, v.p.rollBack(v.view, s, func(path string) bool { return isDisowned(v.view, path) }), "%s holds version %d, which was %s", s.Stage, s.Version, by)
		}
	}
}

// aboutContents are the rules of findings that a disowned record no longer answers for. That it was edited or that the branch was rewritten is somebody's deed, and
// no decision about its bytes makes that right.
var aboutContents = []string{record.RuleRecord, record.RuleReference, record.RuleNumber, record.RuleRows, record.RuleBlob,
	record.RulePublisher, record.RuleDisowned}

// ofDisowned keeps what is wrong with a disowned record for the one note about it.
func (v *verifying) ofDisowned(f record.Finding) bool {
	if _, off := v.off[f.Path]; !off || f.Level == record.LevelNote || !slices.Contains(aboutContents, f.Rule) {
		return false
	}
	if len(v.wrong[f.Path]) < maxWrong {
		v.wrong[f.Path] = append(v.wrong[f.Path], f.Message)
	}
	return true
}

// maxWrong is how many things that are wrong with one disowned record are told.
const maxWrong = 10

// tellDisowned makes one note of each disowned record.
func (v *verifying) tellDisowned() {
	unseen := map[string]bool{}
	for _, n := range v.out.NotAssessed {
		unseen[n.Path] = true
	}
	for _, p := range keys(v.off) {
		by, said := v.off[p], "nothing is wrong with it that plumb can see"
		switch {
		case len(v.wrong[p]) > 0:
			said = "what is wrong: " + strings.Join(v.wrong[p], "; ")
		case v.o.Quick:
			said = "nothing is wrong with it that --quick can see, which makes no number again"
		case unseen[p]:
			said = "nothing is wrong with it of what could be looked at"
		}
		if was := v.disownsWhat(p); was != "" {
			said += "; it had disowned " + was
		}
		if by.Private {
			said += "; in this clone only, until `plumb push`"
		}
		v.note(record.RuleDisowned, p, "%s; %s", by, said)
	}
}

// disownsWhat is the record that a decision disowned which was itself disowned, or "".
func (v *verifying) disownsWhat(path string) string {
	for _, d := range v.view.Disownings() {
		if d.Path == path {
			return d.Record
		}
	}
	return ""
}

// tagOfDisowned tells of a tag that still repeats a record which counts for nothing, or the staging of a version that does.
func (v *verifying) tagOfDisowned(t gitdb.Tag, path string) bool {
	by, ok := v.off[path]
	if at := v.facts[path]; !ok && at.kind == record.KindStage {
		by, ok = v.off[versionPath(at.model, at.number)]
	}
	if !ok {
		return false
	}
	v.warning(record.RuleTag, path, v.removeTag(t.Name), "tag %s repeats it for other tools, which know nothing of decisions: it was %s", t.Name, by)
	return true
}
