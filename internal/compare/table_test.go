package compare

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/stat"
)

// lines gives the fields of each line of a table that is not a comment.
func lines(t *testing.T, file string, fields int) [][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for i, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if fields > 0 && len(words) != fields {
			t.Fatalf("%s:%d: %d fields, want %d", file, i+1, len(words), fields)
		}
		out = append(out, words)
	}
	return out
}

// parse reads a number, "-" as none.
func parse(t *testing.T, text string) *float64 {
	t.Helper()
	if text == "-" {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestVerdictTable(t *testing.T) {
	half := half{groups: 50}
	half.Task, half.Label, half.Scores = "binary", make([]float64, 1000), [][]float64{make([]float64, 1000)}
	c := &contest{base: half, head: half, paired: true}
	c.Label = half.Label
	for _, w := range lines(t, "testdata/verdicts.txt", 11) {
		m := withDefaults(doc.Metric{Name: "auc", Level: w[0], Require: w[1], Direction: w[2], Tolerance: *parse(t, w[3])})
		d := newDifference(m, 1000, 50)
		d.Base, d.Head = parse(t, w[4]), parse(t, w[5])
		f := finding{reason: "no interval"}
		if d.Base != nil && d.Head != nil {
			f.Estimate = stat.Estimate{Base: *d.Base, Head: *d.Head, Difference: *d.Head - *d.Base}
		}
		if low, high := parse(t, w[6]), parse(t, w[7]); low != nil {
			f.Low, f.High, f.known = *low, *high, true
		}
		c.conclude(&d, f)
		if got, want := fmt.Sprint(d.Verdict, " ", d.Gate, " ", d.RowsNeeded), strings.Join(w[8:], " "); got != want {
			t.Errorf("%s\n\tgot  %s", strings.Join(w, " "), got)
		}
		if (d.Verdict == record.Missing || d.Verdict == record.First || d.Verdict == record.Inconclusive) && d.Reason == "" {
			t.Errorf("%s: no reason", strings.Join(w, " "))
		}
	}
}

func TestModelTable(t *testing.T) {
	for _, w := range lines(t, "testdata/models.txt", 0) {
		var metrics []record.MetricDifference
		for _, word := range w[:len(w)-1] {
			level, verdict, _ := strings.Cut(word, ":")
			m := record.MetricDifference{Name: "m", Level: level, Verdict: verdict}
			if level == "slice" {
				m.Level, m.Slice = levelInfo, "origin=ATL"
			}
			if word != "-" {
				metrics = append(metrics, m)
			}
		}
		if got, _ := overall(metrics); got != w[len(w)-1] {
			t.Errorf("%v: got %s", w, got)
		}
	}
}

func TestHypothesisTable(t *testing.T) {
	for _, w := range lines(t, "testdata/hypotheses.txt", 5) {
		in := Input{Hypothesis: "It helps.", Expect: map[string]doc.Expect{}}
		for _, word := range strings.Split(w[0], ",") {
			if name, gain, ok := strings.Cut(word, ":"); ok {
				in.Expect[name] = doc.Expect{Gain: *parse(t, gain)}
			}
		}
		var metrics []record.MetricDifference
		for _, word := range strings.Split(w[1], ",") {
			if part := strings.Split(word, ":"); len(part) == 4 {
				m := record.MetricDifference{Name: part[0], Direction: part[1], Low: parse(t, part[2]), High: parse(t, part[3])}
				m.Difference = m.Low
				metrics = append(metrics, m)
			}
		}
		h := in.hypothesis(metrics)
		name := h.Metric
		if name == "" {
			name = "-"
		}
		if got := fmt.Sprint(h.State, " ", name, " ", h.Gain); got != strings.Join(w[2:], " ") {
			t.Errorf("%v: got %s", w, got)
		}
	}
	if h := (Input{}).hypothesis(nil); h != nil {
		t.Errorf("a hypothesis nobody made: %+v", h)
	}
}
