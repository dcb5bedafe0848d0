package text

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

func TestTable(t *testing.T) {
	table := Table{Columns: []Column{{Name: "name", Most: 8}, {Name: "value", Right: true}, {Name: "note"}}, Rows: [][]Cell{
		{{Text: "a"}, {Text: "1"}, {Text: "✓ better", Colour: Green}}, Cells("naïve 日本", "−12.5"), Cells("far too long a name", "", "x"), Cells("\x1b[31mred", "3\n4", "")}}
	var plain, coloured bytes.Buffer
	if err := table.Write(Out{W: &plain}); err != nil {
		t.Fatal(err)
	}
	want := "name        value  note\na               1  ✓ better\nnaïve 日本  −12.5\nfar too…           x\n\ufffd[31mred      3 4\n"
	if plain.String() != want {
		t.Errorf("got\n%s\nwant\n%s", plain.String(), want)
	}
	if err := table.Write(Out{W: &coloured, Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(coloured.String(), "\x1b[32m✓ better\x1b[0m") || strings.Contains(coloured.String(), "\x1b[31mred") {
		t.Errorf("%q", coloured.String())
	}
}

// Nothing but a terminal is a terminal, whatever the environment says.
func TestTo(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, o := range []Out{To(&bytes.Buffer{}, nil), To(null, []string{"TERM=xterm", "FORCE_COLOR=1"})} {
		if o.Terminal || o.Color || o.Width != 0 {
			t.Errorf("%+v", o)
		}
	}
}

func TestProblems(t *testing.T) {
	src := "schema = 1\nname = \"日本\" # x\ntolerence = 0.1\n"
	all := []problem.Problem{{Pos: problem.Pos{File: "models/delay.toml", Line: 3, Col: 1}, Rule: "unknown-key", Level: problem.LevelError, Message: "unknown key tolerence", Hint: "did you mean tolerance?"},
		{Pos: problem.Pos{File: "models/delay.toml", Line: 2, Col: 17}, Rule: "r", Level: problem.LevelWarning, Message: "after wide letters"}, {Pos: problem.Pos{File: "gone.toml", Line: 9, Col: 9}, Level: problem.LevelError, Message: "x\x1b[2J"}, {Pos: problem.Pos{File: "models/delay.toml", Line: 1, Col: 900}, Level: problem.LevelError, Message: "far"}}
	var b bytes.Buffer
	if err := Problems(Out{W: &b}, all, func(file string) []byte {
		if file == "gone.toml" {
			return nil
		}
		return []byte(src)
	}); err != nil {
		t.Fatal(err)
	}
	want := "models/delay.toml:3:1: error: unknown key tolerence [unknown-key]\n    3 | tolerence = 0.1\n        ^\n    hint: did you mean tolerance?\n" +
		"models/delay.toml:2:17: warning: after wide letters [r]\n    2 | name = \"日本\" # x\n" + strings.Repeat(" ", 8+14) + "^\n" +
		"gone.toml:9:9: error: x\ufffd[2J []\nmodels/delay.toml:1:900: error: far []\n    1 | schema = 1\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestComparison(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	c := record.Comparison{Model: "delay", Experiment: "b", Verdict: record.Better, Method: "rescored", Rows: 41234, Groups: 28, Base: record.Side{Experiment: "a"}, Head: record.Side{Experiment: "b"},
		Metrics: []record.MetricDifference{{Name: "auc", Level: "gate", Direction: "up", Base: at(0.6761), Head: at(0.7129), Difference: at(0.0368), Low: at(0.0307), High: at(0.0429), Verdict: record.Better, Gate: record.GatePass},
			{Name: "lift_10", Level: "info", Verdict: record.Missing, Gate: record.GateNone, Reason: "12 rows, 50 needed"}},
		Gates: []record.Gate{{Name: "slices", State: "fail", Require: "min(slice.auc) >= 0.55"}}, Inputs: record.InputsChanged{Changed: []string{"experiment"}}, Notes: []string{"the hypothesis changed after the run"}}
	var b bytes.Buffer
	if err := Comparison(Out{W: &b}, c); err != nil {
		t.Fatal(err)
	}
	want := `✓ better — delay: b beats a, AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)

metric           base   head       Δ    95 % interval  verdict                         gate
AUC             0.676  0.713  +0.037  +0.031 … +0.043  ✓ better                        ✓ pass
lift in top 10 %      –      –       –                –  ✗ missing (12 rows, 50 needed)  no gate
✗ slices fails: min(slice.auc) >= 0.55

The base's model scored the same 41,234 test rows in 28 groups that move together. Intervals are of the difference and leave out the randomness of training.
Changed: settings.
the hypothesis changed after the run
`
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if squeeze(b.String()) != squeeze(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := Brief(Out{W: &b}, brief.Of(record.CI{Comparisons: []record.Comparison{c}})); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "✓ plumb: better — delay: b beats a") {
		t.Error(b.String())
	}
}

// clock is a time that the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestProgress(t *testing.T) {
	work := func(p *Progress, c *clock) {
		p.Step("training")
		for i := range 100 {
			c.t = c.t.Add(120 * time.Millisecond)
			p.Update(i+1, 100, "log loss 0.5\n")
		}
		p.Step("scoring")
		p.Done()
	}
	var logged, drawn bytes.Buffer
	c := &clock{time.Unix(0, 0)}
	work(NewProgress(Out{W: &logged}, c.now), c)
	if want := "training 42/100 (42 %), log loss 0.5 \ntraining 84/100 (84 %), log loss 0.5 \ntraining: done in 12.0 s\n"; logged.String() != want {
		t.Errorf("log %q, want %q", logged.String(), want)
	}
	work(NewProgress(Out{W: &drawn, Terminal: true, Width: 20}, c.now), c)
	text := drawn.String()
	if strings.Contains(text, "\n") || !strings.HasSuffix(text, "\r\x1b[K") || strings.Count(text, "\r") < 100 {
		t.Errorf("terminal %q", text)
	}
	for _, line := range strings.Split(text, "\r\x1b[K") {
		if len([]rune(line)) > 19 {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
	work(Quiet(), c)
	(&Progress{quiet: true}).Done()
}

func TestLists(t *testing.T) {
	var b bytes.Buffer
	o := Out{W: &b}
	run := record.Run{ID: "20010630T120000Z-0123456789ab", Experiment: "b", Task: "binary", Result: record.Result{Metrics: map[string]float64{"auc": 0.7129}}, Set: map[string]any{"rounds": 300, "depth": 3}}
	Error(o, "broken\x1b[2J", "mend it")
	if err := Metrics(o, run, nil); err != nil {
		t.Fatal(err)
	}
	if err := Runs(o, []record.RunSummary{{ID: run.ID, Experiment: run.Experiment, Task: run.Task, Metrics: run.Result.Metrics, Set: run.Set}}, Totals{9, 9}, "test"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Contains(got, "\x1b") || !strings.Contains(got, "hint: mend it") || !strings.Contains(got, "depth=3 rounds=300") || !strings.Contains(got, "1 of 9 runs") || !strings.Contains(got, "0.713") {
		t.Error(got)
	}
}
