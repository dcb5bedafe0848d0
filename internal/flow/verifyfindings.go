package flow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// caused is a finding and the record that it comes from: what follows from one wrong record is one finding.
type caused struct {
	record.Finding
	cause string // path; that of the finding, or of a record that it names
}

// finding adds what is wrong with a record.
func (v *verifying) finding(rule, path, hint, format string, args ...any) {
	v.follows(path, rule, path, hint, format, args...)
}

// warning adds what is odd and may be right.
func (v *verifying) warning(rule, path, hint, format string, args ...any) {
	v.tellOf(path, record.Finding{Rule: rule, Level: string(problem.LevelWarning), Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// note adds what happened and was put right, or is nobody's harm.
func (v *verifying) note(rule, path, format string, args ...any) {
	v.tellOf(path, record.Finding{Rule: rule, Level: record.LevelNote, Path: path, Message: fmt.Sprintf(format, args...)})
}

// maxFindings is how many of one rule and level are listed; what is more is counted. Whoever can write the branch can add any number of files.
const maxFindings = 1000

func (v *verifying) tellOf(cause string, f record.Finding) {
	if v.ofDisowned(f) {
		return
	}
	of := record.Unlisted{Rule: f.Rule, Level: f.Level}
	if v.many[of]++; v.many[of] <= maxFindings {
		v.found = append(v.found, caused{f, cause})
	}
}

// follows adds what is wrong with a record because of another one.
func (v *verifying) follows(cause, rule, path, hint, format string, args ...any) {
	v.tellOf(cause, record.Finding{Rule: rule, Level: string(problem.LevelError), Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
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

// foldable are the rules of what a record that is wrong brings with it.
var foldable = []string{record.RuleEdited, record.RuleDeleted, record.RuleRecord, record.RuleReference, record.RuleNumber, record.RuleRows, record.RuleTag, record.RuleMissingTag}

// fold makes one finding of each cause: of a record that was changed, is gone or is false, all that follows is said in the same line, and the mend is one.
func (v *verifying) fold() {
	at := map[string]int{} // cause → its finding
	for _, starts := range []func(caused) bool{v.changed, wrongInItself} {
		for i, f := range v.found {
			if _, ok := at[f.Path]; !ok && f.Level == string(problem.LevelError) && f.Path != "" && f.cause == f.Path && starts(f) {
				at[f.Path] = i
			}
		}
	}
	also, others := map[string][]string{}, map[string][]string{}
	out := v.found[:0:0]
	for i, f := range v.found {
		first, ok := at[f.cause]
		switch {
		case !ok || first == i || f.Level != string(problem.LevelError) || !slices.Contains(foldable, f.Rule):
			out = append(out, f)
		case f.Path == f.cause:
			also[f.cause] = append(also[f.cause], f.Message)
		case !slices.Contains(others[f.cause], f.Path):
			others[f.cause] = append(others[f.cause], f.Path)
		}
	}
	for i, f := range out {
		if first, ok := at[f.Path]; !ok || v.found[first].Message != f.Message {
			v.hint(&out[i])
			continue
		}
		out[i].Message = strings.Join(append([]string{f.Message}, also[f.Path]...), "; ")
		if by := others[f.Path]; len(by) > 0 {
			out[i].Message += fmt.Sprintf("; named by %s: %s …", countOf(len(by), "record"), by[0])
		}
		v.hint(&out[i])
	}
	v.found = out
}

// changed says whether a finding is that a record is not what it was: history's word, else that its name is not that of its bytes.
func (v *verifying) changed(f caused) bool {
	return f.Rule == record.RuleEdited || f.Rule == record.RuleDeleted || f.Rule == record.RuleRecord && v.suspected(f.Path)
}

// wrongInItself says whether a finding is about what a record says.
func wrongInItself(f caused) bool {
	return slices.Contains([]string{record.RuleRecord, record.RuleReference, record.RuleNumber, record.RuleRows}, f.Rule)
}

// hint says what --mend does about a record.
func (v *verifying) hint(f *caused) {
	if f.Level == record.LevelNote {
		return
	}
	if _, ok := v.put[f.Path]; ok && slices.Contains(foldable, f.Rule) {
		f.Hint = "`plumb verify --mend` puts back the bytes that it was written with"
	}
	if v.drop[f.Path] != "" && slices.Contains(foldable, f.Rule) {
		f.Hint = "`plumb verify --mend` takes it out again: it never was a record"
	}
	if len(v.put)+len(v.join) > 0 && slices.Contains([]string{record.RuleTag, record.RuleMissingTag, record.RuleDisowned}, f.Rule) {
		f.Hint = "`plumb verify --mend` first: it may be right again then; if not: " + f.Hint
	}
}
