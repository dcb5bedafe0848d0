package compare

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

func TestGates(t *testing.T) {
	in := world{days: 30, rows: 100, gain: 2}.draw(1)
	in.Params = map[string]any{"rounds": int64(300), "rate": 0.1, "fast": true, "loss": "log", "odd": []any{1}}
	weekday := make([]string, len(in.Label))
	for i := range weekday {
		weekday[i] = []string{"mon", "tue", "wed"}[i/100%3]
	}
	in.Slices = map[string][]string{"weekday": weekday}
	for require, want := range map[string]string{
		"min(slice.auc) >= 0.55":             "pass",
		"min(slice.auc) >= 0.99":             "fail",
		"auc > base.auc":                     "pass",
		"auc > 0.6 and params.rounds >= 200": "pass",
		"brier <= base.brier - 1":            "fail",
		"rows >= 3000 and groups == 30":      "pass",
		"params.fast":                        "pass",
		`params.loss == "log"`:               "pass",
		"value > 0":                          "unknown: value does not exist here",
		"acu > 0.5":                          "unknown",
		"params.odd > 1":                     "unknown",
		"auc >":                              "unknown",
		"auc":                                "unknown: it gives a",
		"":                                   "unknown",
		strings.Repeat("(", 5000) + "auc":    "unknown",
		"slice.auc > 0.5":                    "unknown",
		"min(slice.auc) > 0.5 or max(slice.f1)>2": "pass",
	} {
		in.Gates = map[string]doc.Gate{"g": {Require: require}}
		g := judged(t, in).Gates[0]
		state, reason, _ := strings.Cut(want, ": ")
		if g.State != state || !strings.HasPrefix(g.Reason, reason) || (state == "unknown" && g.Reason == "") {
			t.Errorf("%.40q is %s (%s), want %s", require, g.State, g.Reason, want)
		}
	}
}

func TestGateShowsWhatItRead(t *testing.T) {
	in := world{days: 30, rows: 100}.draw(2)
	side := make([]string, len(in.Label))
	for i := range side {
		side[i] = []string{"good", "bad"}[i%2]
		if i%2 == 1 {
			in.Head[0][i] = 1 - in.Head[0][i]
		}
	}
	in.Slices = map[string][]string{"side": side}
	in.Gates = map[string]doc.Gate{"slices": {Require: "min(slice.auc) >= 0.55"}, "floor": {Require: "auc >= 0.4"}}
	out := judged(t, in)
	if names := []string{out.Gates[0].Name, out.Gates[1].Name}; !slices.Equal(names, []string{"floor", "slices"}) {
		t.Errorf("gates %v", names)
	}
	g := out.Gates[1]
	if g.State != record.GateFail || !(g.Values["min(slice.auc)"] < 0.5) || !(g.Values["max(slice.auc)"] > 0.5) ||
		!strings.HasPrefix(g.Reason, "auc is least at side=bad, greatest at side=good") {
		t.Errorf("%+v", g)
	}
	if v, ok := out.Gates[0].Values["auc"]; !ok || v != *line(t, out, "auc").Head {
		t.Errorf("%+v", out.Gates[0])
	}
}

// Without a slice that is large enough nobody knows what the worst one is; that is not a pass.
func TestGateWithoutSlices(t *testing.T) {
	in := world{days: 30, rows: 100}.draw(3)
	in.Slices = map[string][]string{"row": make([]string, len(in.Label))}
	for i := range in.Label {
		in.Slices["row"][i] = strings.Repeat("x", i%40+1)
	}
	in.Gates = map[string]doc.Gate{"slices": {Require: "min(slice.auc) >= 0.55"}}
	out := judged(t, in)
	if g := out.Gates[0]; g.State != record.GateUnknown || g.Reason != "slice.auc does not exist here" {
		t.Errorf("%+v", g)
	}
	if got := out.Fails(); len(got) != 1 || !strings.Contains(got[0], "gate slices can't be evaluated") {
		t.Errorf("fails %q", got)
	}
}
