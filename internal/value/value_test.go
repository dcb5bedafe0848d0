package value_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/value"
)

func pointer(v float64) *float64 { return &v }

// card is the design card of the design document: an offer that keeps a customer, at a discount.
func card() *doc.Design {
	return &doc.Design{Value: doc.Value{Currency: "USD", Period: "month", Population: 10000,
		Case:  map[string]string{"tp": "keep * (price - discount)", "fp": "-discount", "fn": "0", "tn": "0"},
		Hours: map[string]string{"tp": "-0.2"},
		Assume: map[string]doc.Assumption{
			"keep":     {Mode: 0.5, Low: pointer(0.3), High: pointer(0.6), Source: "guess"},
			"price":    {Mode: 40, Source: "contract"},
			"discount": {Mode: 8, Low: pointer(6), High: pointer(12), Source: "guess"},
			"spare":    {Mode: 1},
		}}}
}

func TestPerPeriod(t *testing.T) {
	m, err := value.Of(card())
	if err != nil {
		t.Fatal(err)
	}
	// By hand: a right alarm is worth 0.5 × 32 = 16, a false one −8; 120 and 180 of 1,000 cases, 10,000 a month.
	if got, ok := m.PerPeriod(120, 180, 80, 620); !ok || math.Abs(got-4800) > 1e-9 {
		t.Errorf("value %v %v, want 4800", got, ok)
	}
	if got, ok := m.HoursPerPeriod(120, 180, 80, 620); !ok || math.Abs(got+240) > 1e-9 {
		t.Errorf("hours %v %v, want -240", got, ok)
	}
	for _, counts := range [][4]float64{{0, 0, 0, 0}, {1, -1, 0, 0}, {math.NaN(), 1, 1, 1}, {math.Inf(1), 1, 1, 1}} {
		if got, ok := m.PerPeriod(counts[0], counts[1], counts[2], counts[3]); ok {
			t.Errorf("%v is worth %v", counts, got)
		}
	}
}

func TestReport(t *testing.T) {
	m, err := value.Of(card())
	if err != nil {
		t.Fatal(err)
	}
	r := m.Report(&value.Counts{TP: 120, FP: 180, FN: 80, TN: 620})
	near := func(what string, got *float64, want, within float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > within {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	near("value", r.Value, 4800, 1e-9)
	// Low: keep 0.3, discount 12 → 0.3·28·1200 − 12·1800. High: keep 0.6, discount 6 → 0.6·34·1200 − 6·1800.
	near("low", r.Low, 0.3*28*1200-12*1800, 1e-9)
	near("high", r.High, 0.6*34*1200-6*1800, 1e-9)
	// Python: numpy default_rng(7), 4,000,000 draws of triangular(0.3,0.5,0.6) and triangular(6,8,12); P(k·(40−d)·1200 − d·1800 > 0) = 0.6942.
	near("p_positive", r.PPositive, 0.6942, 0.015)
	// keep·32·1200 = 8·1800; 0.5·(price − 8)·1200 = 8·1800; 0.5·(40 − d)·1200 = d·1800.
	near("keep", r.BreakEven["keep"].Value, 0.375, 1e-9)
	near("price", r.BreakEven["price"].Value, 32, 1e-9)
	near("discount", r.BreakEven["discount"].Value, 10, 1e-9)
	if b := r.BreakEven["spare"]; b.Value != nil || b.Reason == "" {
		t.Errorf("spare: %+v", b)
	}
	near("hours", r.Hours.Value, -240, 1e-9)
	if r.Hours.Low != nil || len(r.Hours.Lines) != 3 || len(r.Lines) != 9 || r.Refused != "" {
		t.Errorf("%d hour lines, %d lines, refused %q", len(r.Hours.Lines), len(r.Lines), r.Refused)
	}
	if l := r.Lines[0]; l.Formula != "keep * (price - discount) with discount = 8, keep = 0.5, price = 40" || *l.Value != 16 {
		t.Errorf("line %+v", l)
	}
	if l := r.Lines[1]; l.Formula != "16 × 120 / 1000 × 10000" || math.Abs(*l.Value-19200) > 1e-9 {
		t.Errorf("line %+v", l)
	}
	if l := r.Lines[8]; l.Formula != "19200 - 14400 + 0 + 0" || *l.Value != *r.Value {
		t.Errorf("line %+v", l)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.HasPrefix(string(text), `{"schema":"plumb.value/v1","currency":"USD"`) {
		t.Errorf("JSON %s (%v)", text, err)
	}
	again, _ := json.Marshal(m.Report(&value.Counts{TP: 120, FP: 180, FN: 80, TN: 620}))
	if string(again) != string(text) {
		t.Error("the same report twice differs")
	}
}

func TestRefused(t *testing.T) {
	m, err := value.Of(card())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*value.Counts{nil, {}} {
		r := m.Report(c)
		if r.Refused == "" || r.Value != nil || r.Low != nil || r.Lines == nil || r.BreakEven == nil {
			t.Errorf("%v: %+v", c, r)
		}
	}
}

func TestUnusualRanges(t *testing.T) {
	report := func(tp string, assume map[string]doc.Assumption) (low, high, p *float64, reason, method string, root *float64, why string) {
		t.Helper()
		m, err := value.Of(&doc.Design{Value: doc.Value{Currency: "EUR", Period: "year", Population: 1, Case: map[string]string{"tp": tp}, Assume: assume}})
		if err != nil {
			t.Fatal(err)
		}
		r := m.Report(&value.Counts{TP: 1})
		return r.Low, r.High, r.PPositive, r.Reason, r.Method, r.BreakEven["a"].Value, r.BreakEven["a"].Reason
	}
	if low, high, p, reason, _, root, _ := report("a - 4", map[string]doc.Assumption{"a": {Mode: 5}}); low != nil || high != nil || p != nil || reason == "" || *root != 4 {
		t.Errorf("without a range: %v %v %v %q %v", low, high, p, reason, root)
	}
	if low, _, _, reason, _, root, _ := report("a ** 2 - 9", map[string]doc.Assumption{"a": {Mode: 5, Low: pointer(1)}}); *low != -8 || reason != "" || math.Abs(*root-3) > 1e-9 {
		t.Errorf("a curve: %v %q %v", *low, reason, root)
	}
	if low, _, _, reason, _, root, why := report("1 / a", map[string]doc.Assumption{"a": {Mode: 1, Low: pointer(0), High: pointer(2)}}); low != nil || reason == "" || root != nil || why == "" {
		t.Errorf("a pole in the range: %v %q %v %q", low, reason, root, why)
	}
	if _, _, _, _, _, root, why := report("3 + 0 * a", map[string]doc.Assumption{"a": {Mode: 1}}); root != nil || why == "" {
		t.Errorf("no dependence: %v %q", root, why)
	}
	many, sum := map[string]doc.Assumption{}, "0"
	for i := range 14 {
		name := fmt.Sprintf("a%d", i)
		many[name] = doc.Assumption{Mode: 0, Low: pointer(-1), High: pointer(1)}
		sum += " + " + name
	}
	low, high, p, reason, method, _, _ := report(sum, many)
	if reason != "" || *low < -14 || *high > 14 || math.Abs(*p-0.5) > 0.02 || !strings.HasPrefix(method, "low, high and p_positive from") {
		t.Errorf("many ranges: %v %v %v %q %q", *low, *high, *p, reason, method)
	}
}

func TestWrongCards(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(d *doc.Design)
		want string
	}{
		"nothing priced":  {func(d *doc.Design) { d.Value = doc.Value{} }, "no value of a case"},
		"an unknown name": {func(d *doc.Design) { d.Value.Case["tp"] = "kepe * price" }, `value.case.tp: there is no column or name "kepe"`},
		"a bool":          {func(d *doc.Design) { d.Value.Case["fp"] = "price > 3" }, "value.case.fp is a bool"},
		"no number":       {func(d *doc.Design) { d.Value.Hours["fn"] = "1 / (price - 40)" }, "value.hours.fn has no value"},
	} {
		d := card()
		c.edit(d)
		_, err := value.Of(d)
		if err == nil || !strings.Contains(err.Error(), c.want) || problem.Exit(err) != problem.ExitWrong || problem.Hint(err) == "" {
			t.Errorf("%s: %v (hint %q)", name, err, problem.Hint(err))
		}
	}
	if _, err := value.Of(nil); err == nil {
		t.Error("no card is accepted")
	}
}
