package flow

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/record"
)

// To forget is a person's word that no rule can be held against, so it hides as well as it protects: numbers that nobody can make again are told of each by each, and
// so is a word that was taken back, since others may hand out again what it took away.

// unproved tells of numbers whose blob is gone on purpose, and says whether it is: what rules let expire was looked at while it was there.
func (v *verifying) unproved(p, what, of, sum string) bool {
	b := v.blobs[sum]
	if b == nil || b.state != blobGone {
		return false
	}
	d := v.dropped[sum]
	if d.choice == record.Expired {
		v.skip(p, what, of+" is gone on purpose: "+d.path)
		return true
	}
	v.warning(record.RuleNumber, p, fmt.Sprintf("`git log %s -- %s` says who brought that decision; made anew by `plumb run EXPERIMENT --force` they can be", v.where, d.path),
		"its numbers can't be proved: what they follow from, %s, was forgotten by %s on %s (%s)", of, v.whoDecided(d.path), d.time.Format(time.DateOnly), clipped(d.reason))
	return true
}

func (v *verifying) whoDecided(path string) string {
	d, err := decoded[record.Decision](v, path)
	if err != nil {
		return "somebody"
	}
	return cmp.Or(d.By.Who, "somebody")
}

// droppedData gives a blob of a dataset's content that is gone on purpose, or "".
func (v *verifying) droppedData(content string) string {
	for _, sum := range keys(v.blobs) {
		if b := v.blobs[sum]; b.data != nil && b.data.content == content && b.state == blobGone {
			return sum
		}
	}
	return ""
}

// remembered tells of decisions to forget that count for nothing any more.
func (v *verifying) remembered() {
	for _, path := range keys(v.off) {
		if by := v.off[path]; strings.HasPrefix(path, "decisions/"+record.Forgotten+"/") {
			v.warning(record.RuleDisowned, by.Path, "when it was honest, disown this one, which takes it back: `"+disownCommand([]string{by.Path})+"`; `plumb forget` makes another",
				"what %s forgot may be there again: that decision was %s", path, by)
		}
	}
}

// beforeItsRecord tells of a decision that is dated before what it disowns: one of the two dates is not true. Clocks differ by less than an hour.
func (v *verifying) beforeItsRecord(d ledger.Disowning) {
	if made := v.facts[d.Record].time; !made.IsZero() && d.Time.Before(made.Add(-time.Hour)) {
		v.warning(record.RuleDisowned, d.Path, fmt.Sprintf("see who brought each with `git log %s -- %s %s`", v.where, d.Path, d.Record),
			"it is of %s, and disowns %s, which was made later, on %s", d.Time.UTC().Format(time.RFC3339), d.Record, made.UTC().Format(time.RFC3339))
	}
}

// followsOf says what else follows when a decision is disowned; "" for most records.
func (d *disowning) followsOf(path string) string {
	if !strings.HasPrefix(path, "decisions/"+record.Forgotten+"/") {
		return ""
	}
	data, err := d.view.Bytes(path)
	if err != nil {
		return ""
	}
	r, err := record.Decode(path, data)
	decision, ok := r.(*record.Decision)
	if err != nil || !ok {
		return ""
	}
	return fmt.Sprintf("it forgot %s (%s), which may be handed out again from now on, and sent again by whoever still has the bytes; `plumb verify` warns of it",
		countOf(len(decision.Blobs), "blob"), clipped(decision.Reason))
}
