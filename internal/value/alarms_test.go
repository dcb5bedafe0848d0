package value_test

import (
	"math"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/value"
)

// churn is the subscription business of examples/churn: 10,000 customers at $10 a month; half price keeps half of those about to leave.
func churn(t *testing.T) *value.Money {
	t.Helper()
	low, high := 0.3, 0.6
	d := &doc.Design{Value: doc.Value{Currency: "USD", Period: "month", Population: 10_000,
		Case: map[string]string{"tp": "keep * (price - discount)", "fp": "-discount", "fn": "0", "tn": "0"},
		Assume: map[string]doc.Assumption{"keep": {Mode: 0.5, Low: &low, High: &high, Source: "guess"}, "price": {Mode: 10, Source: "contract"},
			"discount": {Mode: 5, Source: "contract"}}}}
	m, err := value.Of(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func p(x float64) *float64 { return &x }

// The figures are worked out by hand: 800 right alarms × 0.5 × $5 = $2,000; 200 false ones × $5 = $1,000; 5 / (2.5 + 5) = 2/3.
func TestAlarms(t *testing.T) {
	m := churn(t)
	c, err := m.Counts(value.Alarms{Flagged: p(1000), Precision: p(0.8)})
	if err != nil {
		t.Fatal(err)
	}
	r := m.Answer(c, p(3200))
	near := func(what string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 1e-6 {
			t.Errorf("%s: %v, want %g", what, got, want)
		}
	}
	near("kept", r.Lines[1].Value, 2000)
	near("wasted", r.Lines[3].Value, -1000)
	near("value", r.Value, 1000)
	near("break-even precision", r.Precision.Value, 2.0/3)
	if r.Claim.Follows {
		t.Error("$3,200 follows")
	}
	want := map[string]float64{"keep": 1.05, "price": 15.5, "discount": 4.0 / 3}
	for _, need := range r.Claim.Needs {
		if x, ok := want[need.Name]; ok {
			near(need.Name, need.Value, x)
			continue
		}
		if need.Name != "precision" || need.Value != nil || need.Reason == "" {
			t.Errorf("%+v", need)
		}
	}
	if again := m.Answer(c, p(1000)); !again.Claim.Follows {
		t.Error("$1,000 does not follow")
	}
}

// An accuracy fixes no value: 2,000 errors among 10,000 customers may be 0 to 1,000 of the 1,000 alarms.
func TestAccuracyAlone(t *testing.T) {
	m := churn(t)
	for _, c := range []struct {
		alarms    value.Alarms
		low, high float64
	}{
		{value.Alarms{Accuracy: p(0.8), Flagged: p(1000)}, -5000, 2500},
		{value.Alarms{Accuracy: p(0.8)}, -10_000, 20_000},
		{value.Alarms{Accuracy: p(1), Flagged: p(1000)}, 2500, 2500},
		{value.Alarms{Accuracy: p(0), Flagged: p(1000)}, -5000, -5000},
	} {
		got, err := m.Possible(c.alarms)
		if err != nil || math.Abs(got.Low-c.low) > 1e-6 || math.Abs(got.High-c.high) > 1e-6 {
			t.Errorf("%+v: %+v, %v; want %g to %g", c.alarms, got, err, c.low, c.high)
		}
	}
}

func TestWrongAlarms(t *testing.T) {
	m := churn(t)
	for _, a := range []value.Alarms{
		{}, {Flagged: p(1000)}, {Precision: p(0.8)}, {Flagged: p(20_000), Precision: p(0.5)}, {Flagged: p(-1), Precision: p(0.5)},
		{Flagged: p(1000), Precision: p(80)}, {Flagged: p(1000), Precision: p(math.NaN())}, {Flagged: p(1000), Precision: p(0.8), Positives: p(100)},
		{Flagged: p(1000), Precision: p(0.8), Positives: p(9900)},
	} {
		if c, err := m.Counts(a); err == nil {
			t.Errorf("%+v: %+v", a, c)
		}
	}
	if _, err := m.Possible(value.Alarms{Accuracy: p(80)}); err == nil {
		t.Error("an accuracy of 80")
	}
}
