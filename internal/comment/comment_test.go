package comment

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func at(v float64) *float64 { return &v }

func measured(name, level, verdict string, base, head, half float64) record.MetricDifference {
	m := record.MetricDifference{Name: name, Level: level, Direction: "up", Base: at(base), Head: at(head), Difference: at(head - base), Low: at(head - base - half), High: at(head - base + half), N: 41234, Groups: 28,
		Method: "clustered DeLong", Verdict: verdict, Gate: record.GatePass}
	if level == "info" {
		m.Gate = record.GateNone
	} else if verdict == record.Worse || verdict == record.Missing {
		m.Gate = record.GateFail
	}
	return m
}

func compared(verdict string, metrics ...record.MetricDifference) record.Comparison {
	return record.Comparison{Model: "delay", Experiment: "origin-history", Promotes: true, Verdict: verdict, Method: "rescored", Rows: 41234, Groups: 28, LeftOut: 12, Metrics: metrics,
		Base: record.Side{Run: "20010601T120000Z-0123456789ab", Experiment: "baseline", Commit: "1234567890abcdef1234567890abcdef12345678"}, Head: record.Side{Experiment: "origin-history", Commit: "abcdef1234567890abcdef1234567890abcdef12"},
		Inputs: record.InputsChanged{Changed: []string{"experiment", "feature.origin"}}}
}

func result(comparisons ...record.Comparison) record.CI {
	return record.CI{Schema: "plumb.ci/v1", Event: "pull_request", Project: "flights", Base: "1234567890abcdef1234567890abcdef12345678", Head: "abcdef1234567890abcdef1234567890abcdef12", PullRequest: 7, RunNumber: 42, Comparisons: comparisons,
		Steps: []record.Step{{Name: "read documents", State: "done", Why: "9 documents"}, {Name: "check data", State: "skipped", Why: "no lock changed"}, {Name: "run", State: "done", Why: "origin-history has no record", Seconds: 2.9}}}
}

func better() record.Comparison {
	auc := measured("auc", "gate", record.Better, 0.6761, 0.7129, 0.0061)
	auc.Tolerance = 0.002
	c := compared(record.Better, auc, measured("log_loss", "guard", record.Better, 0.4871, 0.4712, 0.0031), measured("ece", "info", record.Inconclusive, 0.0121, 0.0129, 0.0041))
	c.Hypothesis = &record.Hypothesis{Text: "Delays seen at the origin in the last 12 hours lift AUC by at least 0.01.", State: "confirmed", Metric: "auc", Gain: 0.01}
	c.Gates = []record.Gate{{Name: "slices", State: "pass", Require: "min(slice.auc) >= 0.55", Values: map[string]float64{"min(slice.auc)": 0.581}}}
	c.Value = &record.ValueDifference{Currency: "USD", Period: "month", Base: at(12310), Head: at(15120), Difference: at(2810), Low: at(1900), High: at(3650)}
	slice := measured("auc", "info", record.Better, 0.66, 0.69, 0.011)
	slice.Slice = "origin=ATL"
	c.Metrics = append(c.Metrics, slice)
	return c
}

const nasty = "@ann <b>x</b> | [a](http://e.example) ![p](//e.example/p.png) `code` #12 -->\n# big\u202e </details> https://e.example :x: <!-- plumb:v1 kind=pr -->"

func hostile() record.CI {
	m := measured(nasty, "gate", record.Worse, 0.7, 0.6, 0.01)
	m.Slice, m.Unit, m.Reason, m.Method = "", nasty, nasty, nasty
	c := compared(record.Worse, m)
	c.Model, c.Experiment, c.Head.Experiment, c.Base.Experiment, c.Head.Who, c.Reason = nasty, nasty, nasty, nasty, nasty, nasty
	c.Gates = []record.Gate{{Name: nasty, State: "fail", Require: nasty, Values: map[string]float64{nasty: 1}, Reason: nasty, Changed: nasty}}
	c.Hypothesis = &record.Hypothesis{Text: nasty, State: nasty, Metric: nasty, Gain: 1}
	c.Inputs.Changed, c.Notes = []string{nasty}, []string{nasty}
	c.Value = &record.ValueDifference{Currency: nasty, Period: nasty, Base: at(1), Head: at(2), Difference: at(1)}
	s := m
	s.Slice = nasty
	c.Metrics = append(c.Metrics, s)
	ci := result(c)
	ci.Project, ci.Head, ci.OnMerge, ci.Changes = nasty, nasty, []string{nasty}, []string{nasty}
	ci.Steps = []record.Step{{Name: nasty, State: nasty, Why: nasty}}
	ci.Data = []record.DataChange{{Dataset: nasty, Changed: true, Failed: []string{nasty}, Scores: map[string]float64{nasty: 3}}}
	ci.Runs = []record.RunSummary{{ID: nasty, Model: nasty, Experiment: nasty, Status: nasty, Metrics: map[string]float64{nasty: 1}}}
	ci.Problems = []problem.Problem{{Pos: problem.Pos{File: nasty, Line: 1, Col: 1}, Rule: nasty, Level: problem.LevelWarning, Message: nasty, Hint: nasty}}
	return ci
}

// cases are results and the first words of the comment that they give. Each has a golden file.
func cases() map[string]struct {
	ci    record.CI
	first string
} {
	type one = struct {
		ci    record.CI
		first string
	}
	good := result(better())
	good.OnMerge = []string{"delay serves origin-history as version 2", "rollback target is version 1 (baseline)"}
	good.Changes = []string{"feature view origin is new"}
	good.Data = []record.DataChange{{Dataset: "flights", RowsBase: 180000, RowsHead: 199876, Changed: true, Scores: map[string]float64{"accuracy": 100, "completeness": 99.7}}}
	good.Runs = []record.RunSummary{{ID: "20010630T120000Z-0123456789ab", Model: "delay", Experiment: "origin-history", Status: "ok", Metrics: map[string]float64{"auc": 0.7129, "log_loss": 0.4712}}}

	worse := measured("auc", "gate", record.Worse, 0.7129, 0.6903, 0.006)
	worse.Tolerance = 0.002
	bad := compared(record.Worse, worse)
	bad.Hypothesis = &record.Hypothesis{Text: "Fewer rounds lose nothing.", State: "refuted", Metric: "auc", Gain: 0}

	same := measured("auc", "gate", record.Same, 0.7129, 0.7131, 0.0004)
	same.Tolerance = 0.002

	unsure := measured("auc", "gate", record.Inconclusive, 0.7129, 0.7151, 0.0126)
	unsure.RowsNeeded = 123456

	missing := record.MetricDifference{Name: "auc", Level: "gate", Direction: "up", Base: at(0.71), Verdict: record.Missing, Gate: record.GateFail, Reason: "the test part has one class only"}

	first := compared(record.First, record.MetricDifference{Name: "auc", Level: "gate", Direction: "up", Head: at(0.7129), Verdict: record.First, Gate: record.GateNone})
	first.Base, first.Method, first.Rows, first.Reason = record.Side{}, "", 0, "the base has no model delay"

	question := first
	question.Verdict, question.Reason = record.NewQuestion, "the label was delay > 15 and is delay > 30"
	question.Base.Experiment = "baseline"

	second := compared(record.Worse, worse)
	second.Model, second.Experiment, second.Head.Experiment = "cancel", "short", "short"

	moved := compared(record.Same, same)
	moved.Experiment, moved.Head.Experiment, moved.Inputs.Changed = "baseline", "baseline", []string{"dataset"}
	data := result(moved)
	data.Data = []record.DataChange{{Dataset: "flights", RowsBase: 180000, RowsHead: 231004, Changed: true, Failed: []string{"distance-positive: 99.69 % pass, 99.9 % are needed"}}}

	loosened := better()
	loosened.Gates[0].Changed = "min(slice.auc) >= 0.5"

	failing := better()
	failing.Gates[0].State, failing.Gates[0].Values = record.GateFail, map[string]float64{"min(slice.auc)": 0.531}

	aside := better()
	aside.Promotes = false

	seeds := better()
	seeds.Base.Seeds, seeds.Head.Seeds = &record.Seeds{Tried: 3, Elsewhere: true}, &record.Seeds{Tried: 5}
	seeds.Metrics[0].BaseSpread, seeds.Metrics[0].HeadSpread, seeds.Metrics[0].Training = at(0.0009), at(0.0021), at(0.0012)
	seeds.Notes = []string{"requirement latency is not met: latency p95 61 ms, at most 50 ms"}

	problems := result()
	problems.Exit = 2
	problems.Problems = []problem.Problem{{Pos: problem.Pos{File: "models/delay.toml", Line: 4, Col: 12}, Rule: "unknown-key", Level: problem.LevelError, Message: `unknown key "tolerence"`, Hint: `did you mean "tolerance"?`},
		{Pos: problem.Pos{File: "plumb.toml", Line: 1, Col: 1}, Rule: "no-action", Level: problem.LevelWarning, Message: "where the Action lives is not set"}}

	nothing := result()
	nothing.Steps = []record.Step{{Name: "read documents", State: "done", Why: "9 documents"}, {Name: "run", State: "skipped", Why: "no document, dataset or code that a model uses changed"}}

	failed := result()
	failed.Exit, failed.Steps = 3, []record.Step{{Name: "run", State: "failed", Why: "training origin-history: killed after 1 h"}}

	blocked := result()
	blocked.Exit, blocked.Data = 1, []record.DataChange{{Dataset: "flights", RowsBase: 180000, RowsHead: 1200, Changed: true, Blocking: true, Failed: []string{"delay-range: 41 % pass, 99.9 % are needed"}}}

	staged := result()
	staged.Event, staged.PullRequest, staged.Staged = "push", 0, []record.StageChange{{Model: "delay", Experiment: "origin-history", Version: 2, Why: "the champion's inputs changed"}}

	long := result(better())
	for i := range 3000 {
		m := measured("auc", "info", record.Better, 0.66, 0.69, 0.011)
		m.Slice = fmt.Sprintf("origin=%04d, a rather long name of a slice", i)
		long.Comparisons[0].Metrics = append(long.Comparisons[0].Metrics, m)
		long.Problems = append(long.Problems, problem.Problem{Pos: problem.Pos{File: "f.toml", Line: i + 1, Col: 1}, Level: problem.LevelWarning, Rule: "r", Message: strings.Repeat("long ", 60)})
		long.Steps = append(long.Steps, record.Step{Name: strings.Repeat("step ", 50), State: "done", Why: strings.Repeat("why ", 50)})
		long.OnMerge, long.Changes = append(long.OnMerge, strings.Repeat("x", 5000)), append(long.Changes, strings.Repeat("y ", 5000))
		long.Data = append(long.Data, record.DataChange{Dataset: "d", Changed: true, Failed: []string{strings.Repeat("z ", 500)}})
	}
	return map[string]one{
		"better": {good, "plumb: better — delay: origin-history beats baseline, AUC 0.676 → 0.713 (+0.037, 95 % CI +0.031 … +0.043)"}, "worse": {result(bad), "plumb: worse — delay: origin-history loses to baseline, AUC 0.713 → 0.690 (−0.023, 95 % CI −0.029 … −0.017)"},
		"same": {result(compared(record.Same, same)), "plumb: same — "}, "inconclusive": {result(compared(record.Inconclusive, unsure)), "plumb: inconclusive — delay: cannot say whether origin-history beats baseline, AUC 0.713 → 0.715 (+0.002, 95 % CI −0.010 … +0.015): about 120,000 more rows needed"},
		"missing": {result(compared(record.Missing, missing)), "plumb: missing — delay: origin-history has no AUC: the test part has one class only"}, "first": {result(first), "plumb: first — "}, "new-question": {result(question), "plumb: new question — "},
		"two-models": {result(better(), second), "plumb: worse — cancel worse (AUC −0.023); delay better (AUC +0.037)"}, "data-only": {data, "plumb: same — delay: baseline with changed data matches baseline as it was"}, "gate-changed": {result(loosened), "plumb: better — "},
		"gate-fails": {result(failing), "plumb: better, but a gate fails — "}, "proposal": {result(aside), "plumb: better — "}, "seeds": {result(seeds), "plumb: better — "}, "problems": {problems, "plumb: invalid — 1 problem, first models/delay.toml:4:12"},
		"nothing": {nothing, "plumb: nothing to do — no document, dataset or code"}, "failed": {failed, "plumb: failed — run: training origin-history"}, "blocked": {blocked, "plumb: blocked — flights 180,000 → 1,200 rows, a critical check fails"}, "staged": {staged, "plumb: staged — delay: origin-history as version 2"},
		"hostile": {hostile(), "plumb: worse — "}, "long": {long, "plumb: better — "},
	}
}

var options = Options{ReportURL: "https://flights.example/report/", RunURL: "https://ci.example/runs/42", LedgerTip: "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"}

func TestRender(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			body := Render(c.ci, options)
			golden(t, name, body)
			first, _, _ := strings.Cut(body, "\n")
			if plain := visible(first); !strings.Contains(plain, c.first) {
				t.Errorf("the first line is %q, want %q", plain, c.first)
			}
			if len(body) > MaxBytes {
				t.Errorf("%d bytes", len(body))
			}
			if n := visibleLines(body) - 1; n > MaxLines { // the marker does not show
				t.Errorf("%d visible lines", n)
			}
			if m, ok := ParseMarker(body); !ok || m.Run != 42 || m.Ledger != options.LedgerTip {
				t.Errorf("marker %+v, %v", m, ok)
			}
			if strings.Count(body, "<!--") != 1 || !strings.Contains(body, Key(c.ci.Project)) {
				t.Error("there is not one marker")
			}
			checkRendered(t, body)
		})
	}
}

// visible takes out what GitHub does not show.
func visible(line string) string {
	return strings.NewReplacer("\u200b", "", "\\", "", "&gt;", ">", "&lt;", "<").Replace(line)
}

var (
	row  = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
	tags = regexp.MustCompile(`</?([a-z0-9]+)([^>]*)>`)
)

// checkRendered reads the comment as GitHub does: our own tags and links only, and as many cells in every row as in its heading.
func checkRendered(t *testing.T, body string) {
	t.Helper()
	var out bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe())).Convert([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	allowed := " h3 p strong ul li table thead tbody tr th td details summary code sub br a "
	for _, tag := range tags.FindAllStringSubmatch(out.String(), -1) {
		if !strings.Contains(allowed, " "+tag[1]+" ") {
			t.Errorf("makes a tag %s", tag[0])
		}
		if tag[1] == "a" && tag[2] != "" && !strings.Contains(tag[2], options.ReportURL) && !strings.Contains(tag[2], options.RunURL) {
			t.Errorf("links to %s", tag[2])
		}
	}
	for _, table := range strings.Split(out.String(), "<table>")[1:] {
		table, _, _ = strings.Cut(table, "</table>")
		cells := 0
		for _, r := range row.FindAllString(table, -1) {
			n := strings.Count(r, "<td") + strings.Count(r, "<th")
			if cells != 0 && n != cells {
				t.Errorf("a row of %d cells in a table of %d: %s", n, cells, r)
			}
			cells = n
		}
	}
	if m := regexp.MustCompile(`@[a-z]|#[0-9]|e\.example/p`).FindString(strings.ReplaceAll(out.String(), "//e.example/p.png", "")); m != "" {
		t.Errorf("%q is left to be linked", m)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".md")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update rewrites it. Got:\n%s", file, got)
	}
}

// Same result, same digest: what only a second attempt changes (its number, its seconds) makes no edit.
func TestDigest(t *testing.T) {
	ci := result(better())
	first, _ := ParseMarker(Render(ci, options))
	ci.RunNumber, ci.Steps[2].Seconds = 43, 3.1
	second, _ := ParseMarker(Render(ci, options))
	if first.Digest != second.Digest || first.Run == second.Run {
		t.Errorf("%+v, %+v", first, second)
	}
	ci.Comparisons[0].Verdict = record.Worse
	if third, _ := ParseMarker(Render(ci, options)); third.Digest == first.Digest {
		t.Error("another verdict has the same digest")
	}
}

func TestParseMarker(t *testing.T) {
	body := Render(result(better()), options)
	for name, bad := range map[string]string{"empty": "", "none": "text", "not last": body + "\nmore", "no digest": "<!-- plumb:v1 kind=pr project=x head= run=1 digest= ledger= -->"} {
		if m, ok := ParseMarker(bad); ok {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestSafeURL(t *testing.T) {
	for raw, want := range map[string]string{"": "", "javascript:alert(1)": "", "https://a.example/x": "https://a.example/x", "https://u:p@a.example": "", "https://a.example/(x)|": "https://a.example/%28x%29%7C", "//a.example": "", "file:///etc": "", "https://a.example/a b": "https://a.example/a%20b"} {
		if got := safeURL(raw); got != want {
			t.Errorf("safeURL(%q) = %q, want %q", raw, got, want)
		}
	}
}
