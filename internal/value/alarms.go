package value

import (
	"fmt"
	"math"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

// Alarms is what may be known of a model's answers to the cases of one period when their confusion matrix is not; nil is unknown.
type Alarms struct {
	Flagged   *float64 // cases that the model warns of
	Precision *float64 // share of these that are right
	Positives *float64 // cases that there are to be found
	Accuracy  *float64 // share of all cases that are answered rightly
}

// Assumed is what is in a scenario of the design card.
func Assumed(s doc.Scenario) Alarms {
	return Alarms{Flagged: s.Flagged, Precision: s.Precision, Positives: s.Positives, Accuracy: s.Accuracy}
}

// Worth prices what is known of the answers. Where that does not fix a value, the result is refused and says what it leaves possible.
func (m *Money) Worth(a Alarms, claim *float64) (record.Value, error) {
	if claim != nil && !isFinite(*claim) {
		return record.Value{}, problem.Wrongf("a sum of money, as 3200", "a claim of %v", *claim)
	}
	if a.Accuracy != nil && a.Precision != nil {
		return record.Value{}, problem.Wrongf("precision fixes the value; leave accuracy out", "both a precision and an accuracy are given")
	}
	if a.Accuracy == nil {
		c, err := m.Counts(a)
		if err != nil {
			return record.Value{}, err
		}
		out := m.Answer(c, claim)
		out.Of = fmt.Sprintf("assumed: %s flagged, %s %% of them rightly", short(*a.Flagged), short(100**a.Precision))
		return out, nil
	}
	if claim != nil {
		return record.Value{}, problem.Wrongf("say how many are flagged and how many of these are right: --flagged 1000 --precision 0.8", "a claim can't be held against an accuracy, which leaves a range")
	}
	if a.Positives != nil {
		return record.Value{}, problem.Wrongf("leave positives out", "the range that an accuracy allows is over any number of positives")
	}
	possible, err := m.Possible(a)
	if err != nil {
		return record.Value{}, err
	}
	out := m.Report(nil)
	out.Possible, out.Of = &possible, "assumed: "+possible.Known
	return out, nil
}

// Counts works the confusion matrix out. It errs when what is known is impossible, or does not fix the value: a missed case must cost as much as
// one rightly left alone where nobody knows how many cases there are to be found.
func (m *Money) Counts(a Alarms) (Counts, error) {
	n := m.population
	if a.Flagged == nil || a.Precision == nil {
		return Counts{}, problem.Wrongf("say how many cases are flagged and how many of these are right: --flagged 1000 --precision 0.8", "value needs both flagged and precision")
	}
	f, p := *a.Flagged, *a.Precision
	switch {
	case !(f >= 0 && f <= n):
		return Counts{}, problem.Wrongf("population in design.toml says how many cases there are", "%s flagged of %s cases a %s", short(f), short(n), m.period)
	case !(p >= 0 && p <= 1):
		return Counts{}, problem.Wrongf("a share from 0 to 1, as 0.8", "a precision of %s", short(p))
	}
	c := Counts{TP: p * f, FP: f - p*f}
	rest := n - f
	c.TN = rest
	if a.Positives != nil {
		c.FN = *a.Positives - c.TP
		c.TN = rest - c.FN
	} else if m.money.worth[2] != m.money.worth[3] {
		return Counts{}, problem.Wrongf("say how many there are to be found: --positives N", "a missed case (fn) and one rightly left alone (tn) are worth different amounts")
	}
	if c.FN < 0 || c.TN < 0 {
		return Counts{}, problem.Wrongf("", "%s positives do not fit %s right alarms among %s flagged of %s", short(*a.Positives), short(c.TP), short(f), short(n))
	}
	return c, nil
}

// Possible gives the least and the greatest value that an accuracy allows, with as many cases flagged where that is known. Accuracy counts right
// answers and errors alike, and what they are worth differs: that is why it alone is refused. The value is linear in the counts, so its extremes
// lie where one of them is as small or large as it can be.
func (m *Money) Possible(a Alarms) (record.ValueRange, error) {
	n, right := m.population, *a.Accuracy*m.population
	if !(*a.Accuracy >= 0 && *a.Accuracy <= 1) {
		return record.ValueRange{}, problem.Wrongf("a share from 0 to 1, as 0.8", "an accuracy of %s", short(*a.Accuracy))
	}
	errors := n - right
	flagged := []float64{0, right, errors, n} // where the bounds of the false alarms change their form
	known := fmt.Sprintf("%s %% of %s cases answered rightly", short(100**a.Accuracy), short(n))
	if a.Flagged != nil {
		if !(*a.Flagged >= 0 && *a.Flagged <= n) {
			return record.ValueRange{}, problem.Wrongf("", "%s flagged of %s cases", short(*a.Flagged), short(n))
		}
		flagged, known = []float64{*a.Flagged}, known+fmt.Sprintf(", %s flagged", short(*a.Flagged))
	}
	out := record.ValueRange{Low: math.Inf(1), High: math.Inf(-1), Known: known}
	for _, f := range flagged {
		for _, fp := range []float64{max(0, f-right), min(f, errors)} {
			c := Counts{TP: f - fp, FP: fp, FN: errors - fp, TN: right - (f - fp)}
			if v, ok := m.scale(m.money.worth, c); ok {
				out.Low, out.High = min(out.Low, v), max(out.High, v)
			}
		}
	}
	return out, nil
}

// Answer is the report on a confusion matrix with the precision that breaks even, and what would make a claimed figure true.
func (m *Money) Answer(c Counts, claim *float64) record.Value {
	out := m.Report(&c)
	if out.Refused != "" || out.Value == nil {
		return out
	}
	out.Counts = &record.ValueCounts{TP: c.TP, FP: c.FP, FN: c.FN, TN: c.TN}
	if c.TP+c.FP > 0 {
		out.Precision = &record.BreakEven{Mode: c.TP / (c.TP + c.FP), Low: 0, High: 1}
		if p, reason := m.precision(c, 0); reason != "" {
			out.Precision.Reason = reason
		} else {
			out.Precision.Value = &p
		}
	}
	if claim != nil {
		out.Claim = m.claim(c, *claim, *out.Value)
	}
	return out
}

// precision is the share of the flagged cases that has to be right for the value to be a target: a straight line between none and all.
func (m *Money) precision(c Counts, target float64) (p float64, reason string) {
	flagged, positives := c.TP+c.FP, c.TP+c.FN
	at := func(p float64) float64 {
		tp := p * flagged
		v, _ := m.scale(m.money.worth, Counts{TP: tp, FP: flagged - tp, FN: max(0, positives-tp), TN: c.FP + c.TN - (flagged - tp)})
		return v
	}
	if m.money.worth[2] == m.money.worth[3] { // then it does not matter how many there are to be found
		positives = math.Inf(1)
		at = func(p float64) float64 {
			v, _ := m.scale(m.money.worth, Counts{TP: p * flagged, FP: (1 - p) * flagged, TN: c.FN + c.TN})
			return v
		}
	}
	most := min(1, positives/flagged)
	none, all := at(0), at(most)
	if none == all {
		return 0, "the value does not depend on it"
	}
	p = most * (target - none) / (all - none)
	switch {
	case p < 0:
		return 0, fmt.Sprintf("even with every alarm false it is %s", short(none))
	case p > most:
		return 0, fmt.Sprintf("even with %s %% of the alarms right it is %s", short(100*most), short(all))
	}
	return p, ""
}

// claim says what would have to be true for a figure, one change at a time.
func (m *Money) claim(c Counts, target, value float64) *record.ValueClaim {
	out := &record.ValueClaim{Value: target, Follows: math.Abs(value-target) <= 0.005*math.Abs(target), Needs: []record.ClaimNeeds{}}
	used := m.money.names()
	for _, a := range m.assumptions {
		if !used[a.name] {
			continue
		}
		f := m.inOne(a.name, c)
		need := record.ClaimNeeds{Name: a.name, Now: a.mode}
		x, reason := root(a, func(x float64) float64 { return f(x) - target })
		if need.Reason = reason; reason == "" {
			need.Value = &x
			if a.low < a.high && (x < a.low || x > a.high) {
				need.Reason = fmt.Sprintf("outside its range, %s to %s", short(a.low), short(a.high))
			}
		}
		out.Needs = append(out.Needs, need)
	}
	if flagged := c.TP + c.FP; flagged > 0 {
		need := record.ClaimNeeds{Name: "precision", Now: c.TP / flagged}
		if p, reason := m.precision(c, target); reason != "" {
			need.Reason = reason
		} else {
			need.Value = &p
		}
		out.Needs = append(out.Needs, need)
	}
	return out
}
