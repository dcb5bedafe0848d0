package brief

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/record"
)

// Worth is what answers are worth, in one sentence.
func Worth(v record.Value) string {
	switch {
	case v.Possible != nil:
		return fmt.Sprintf("? cannot say: anything from %s to %s a %s; %s", SignedMoney(v.Currency, v.Possible.Low), SignedMoney(v.Currency, v.Possible.High), v.Period, v.Refused)
	case v.Refused != "":
		return "? cannot say: " + v.Refused
	case v.Value == nil && v.Hours != nil && v.Hours.Value != nil:
		return fmt.Sprintf("%s hours a %s", Signed(*v.Hours.Value, 1), v.Period)
	case v.Value == nil:
		return "? cannot say: " + v.Reason
	}
	out := fmt.Sprintf("%s a %s", Money(v.Currency, *v.Value), v.Period)
	if v.Low != nil && v.High != nil {
		out += fmt.Sprintf("; %s to %s over the assumptions' ranges", Money(v.Currency, *v.Low), Money(v.Currency, *v.High))
	}
	if share := AboveZero(v); share != "" {
		out += ", above zero in " + share + " of them"
	}
	return out
}

// ValueLines are the lines of the arithmetic, of money and then of hours. An outcome that is worth nothing says nothing, and is left out.
func ValueLines(v record.Value) []record.ValueLine {
	all := v.Lines
	if v.Hours != nil {
		all = slices.Concat(all, v.Hours.Lines)
	}
	return slices.DeleteFunc(slices.Clone(all), func(l record.ValueLine) bool { return l.Value == nil || *l.Value == 0 })
}

// Gain is what a difference is worth, and how sure that is: "+$79,499 a month (95 % interval +$39,345 … +$128,196); ? cannot say: …"; "" where it is not priced.
func Gain(v *record.ValueDifference) string {
	row, ok := RowOfValue(v)
	if !ok || row.Difference == Absent {
		return ""
	}
	out := fmt.Sprintf("%s %s (95 %% interval %s)", row.Difference, strings.TrimPrefix(row.Metric, "value "), row.Interval)
	if row.Verdict == record.Inconclusive {
		out += "; ? cannot say: " + cmp.Or(row.Reason, "too little is known")
	}
	return out
}

// AboveZero is in how much of what the assumptions' ranges allow the value is above zero, "95 %"; "" where that is not known.
func AboveZero(v record.Value) string {
	if v.PPositive == nil || v.Low == nil {
		return ""
	}
	return mostly(*v.PPositive, *v.Low)
}

// mostly is a share in per cent. Draws that were all above zero do not say that nothing is below it.
func mostly(share, low float64) string {
	switch {
	case share > 0.995 && low < 0:
		return "more than 99 %"
	case share < 0.005 && share > 0:
		return "less than 1 %"
	}
	return Number(100*share, 0) + " %"
}

// BreakEven says for the precision and each assumption where the value is nothing.
func BreakEven(v record.Value) []string {
	var out []string
	if p := v.Precision; p != nil {
		out = append(out, even("precision", *p, func(x float64) string { return Number(100*x, 1) + " %" }))
	}
	for _, name := range slices.Sorted(maps.Keys(v.BreakEven)) {
		out = append(out, even(name, v.BreakEven[name], rough))
	}
	return out
}

func even(name string, b record.BreakEven, show func(float64) string) string {
	out := name + " "
	if b.Value != nil {
		out += fmt.Sprintf("%s, and is %s", show(*b.Value), show(b.Mode))
	} else {
		out += fmt.Sprintf("never (%s); it is %s", b.Reason, show(b.Mode))
	}
	if b.Source != "" {
		out += " (" + b.Source
		if b.Low < b.High {
			out += fmt.Sprintf(", %s to %s", show(b.Low), show(b.High))
		}
		out += ")"
	}
	return out
}

// Claim holds a claimed figure against the arithmetic: a title, and what would have to be true.
func Claim(v record.Value) (title string, needs []string) {
	money := Money(v.Currency, v.Claim.Value)
	if v.Claim.Follows {
		return money + " follows from these inputs", []string{"the value is " + Money(v.Currency, *v.Value)}
	}
	if v.Value != nil && v.Claim.Value < *v.Value {
		title = fmt.Sprintf("%s is less than the %s that follows from these inputs; any one of these would bring it down", money, Money(v.Currency, *v.Value))
	} else {
		title = money + " does not follow from these inputs; any one of these would be needed"
	}
	for _, n := range v.Claim.Needs {
		show := rough
		if n.Name == "precision" {
			show = func(x float64) string { return Number(100*x, 1) + " %" }
		}
		switch {
		case n.Value == nil:
			needs = append(needs, fmt.Sprintf("%s: no value would do (%s)", n.Name, n.Reason))
		case n.Reason != "":
			needs = append(needs, fmt.Sprintf("%s would have to be %s instead of %s: %s", n.Name, show(*n.Value), show(n.Now), n.Reason))
		default:
			needs = append(needs, fmt.Sprintf("%s would have to be %s instead of %s", n.Name, show(*n.Value), show(n.Now)))
		}
	}
	return title, needs
}
