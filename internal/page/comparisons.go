package page

import (
	"bytes"
	"context"
	"encoding/csv"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// comparisonView is a comparison, as a page of its own or as a part of the pull request's.
type comparisonView struct {
	Anchor     string
	Name       string
	Verdict    badge
	Sentence   string
	Promotes   string
	Lead       *lead
	Figures    []figure
	Metrics    *compared
	Gates      []badge
	Hypothesis template.HTML
	Outcome    string
	Claim      badge
	SliceTable *compared
	Sides      []sideView
	Changed    string
	Notes      []string
	Method     string
}

// compared is a table of metrics with drawings.
type compared struct {
	Caption string
	Rows    []comparedRow
	More    string
}

// comparedRow is a metric with its drawing.
type comparedRow struct {
	brief.Row
	State badge
	Gated badge
	Plot  *interval
	N     string
	How   string
}

// sideView is one of the two answers.
type sideView struct {
	Role       string
	Experiment link
	Run        link
	Commit     string
	Threshold  string
	Seeds      string
	Trained    string
}

type comparisonPage struct {
	frame
	comparisonView
	Made    string
	Blocked string // why the branch is blocked whatever is found here
}

type comparisonsPage struct {
	frame
	Table grid
}

func buildComparisons(ctx context.Context, s *builder) error {
	list := "comparisons/index.html"
	v := comparisonsPage{frame: s.frame(list, "Comparisons", "Comparisons")}
	v.Table = s.comparisonGrid(v.frame, capped(s.comparisons))
	v.Table.More = more(len(v.Table.Rows), len(s.comparisons), "comparisons", "all are in the CSV file")
	v.Downloads = []link{{Text: "All comparisons, CSV", Href: "comparisons.csv"}}
	v.How = []string{"Every row is a comparison record of the ledger: two answers to one question, scored on the same test rows. The verdict follows from the 95 % interval of the difference and the contract's tolerance."}
	if err := s.render("comparisons", list, v); err != nil {
		return err
	}
	if err := s.write("comparisons/comparisons.csv", comparisonCSV(s.comparisons)); err != nil {
		return err
	}
	for _, c := range s.comparisons[:min(len(s.comparisons), MaxRunPages)] {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.comparisonPage(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *builder) comparisonPage(c *record.ComparisonRecord) error {
	where := pagePath("comparisons", c.ID)
	v := comparisonPage{frame: s.frame(where, "Comparisons", c.Comparison.Model+": "+c.Comparison.Experiment)}
	v.comparisonView = s.compared(v.frame, c.Comparison)
	if s.overBadRows(c.Comparison.Head.Run) {
		v.Blocked = "The rows of " + brief.Clip(s.datasetOf(c.Comparison.Model), 64) + " that this branch pins fail a critical check: it is blocked, whatever the comparison says."
	}
	v.Made = "made " + date(c.Time) + " UTC by " + made(c.Header)
	v.Downloads = []link{{Text: "This comparison, JSON", Href: c.ID + ".json"}}
	v.How = append([]string{v.Method, methods(c.Comparison)}, howCompared...)
	if err := s.render("comparison", where, v); err != nil {
		return err
	}
	out := c.Comparison
	out.Schema = "plumb.comparison/v1"
	return s.writeJSON("comparisons/"+c.ID+".json", out)
}

// methods names the statistics behind the intervals.
func methods(c record.Comparison) string {
	by := map[string][]string{}
	for _, m := range c.Metrics {
		if label := brief.Label(m.Name); m.Method != "" && m.Slice == "" {
			by[m.Method] = append(by[m.Method], label)
		}
	}
	var out []string
	for _, name := range sortedKeys(by) {
		out = append(out, name+": "+strings.Join(by[name], ", "))
	}
	if len(out) == 0 {
		return ""
	}
	return "Intervals by " + strings.Join(out, "; by ") + "."
}

var howCompared = []string{
	"Differences are head − base in the metric's own unit. Where rows move together (a day, a customer), whole groups are the unit of every interval: AUC by clustered DeLong, everything else by resampling groups.",
	"With the difference signed so that up is good, interval [low, high] and tolerance τ: better when low > 0; worse when high < −τ; same when the interval lies within ±τ; else it cannot be said.",
	"A gate not_worse fails on worse and missing; non_inferior needs low ≥ −τ; better needs a verdict of better.",
}

// compared makes a comparison's view.
func (s *builder) compared(f frame, c record.Comparison) comparisonView {
	v := comparisonView{Anchor: "model-" + c.Model + "-" + c.Experiment, Name: c.Model + ": " + c.Experiment, Verdict: state(c.Verdict), Sentence: finding(brief.Sentence(c)), Lead: newLead(c), Method: brief.Method(c), Notes: c.Notes, Changed: brief.Inputs(c.Inputs.Changed)}
	v.Promotes = "a proposal: what is served stays as it is"
	if c.Promotes {
		v.Promotes = "changes what is served"
	}
	if h := c.Hypothesis; h != nil {
		v.Hypothesis, v.Outcome = markdown(h.Text), brief.Outcome(c)
		v.Claim = badge{brief.Symbol(h.State) + " " + h.State, classOf(h.State)}
	}
	v.Metrics, v.SliceTable = comparedTables(c)
	for _, g := range c.Gates[:min(len(c.Gates), MaxRows)] {
		text := brief.GateSentence(g)
		if g.Changed != "" {
			text += "; changed here: " + brief.Clip(g.Changed, 200)
		}
		v.Gates = append(v.Gates, badge{text, classOf(g.State)})
	}
	v.Figures = comparedFigures(c)
	v.Sides = []sideView{s.side(f, "Base", c.Base), s.side(f, "Head", c.Head)}
	return v
}

// comparedTables are the metrics over all rows, those that gate first, with the value; and those of slices. Nil when there are none.
func comparedTables(c record.Comparison) (all, slices *compared) {
	all, slices = &compared{Caption: "Metrics"}, &compared{Caption: "Slices"}
	for _, level := range []string{"gate", "guard", "info", ""} {
		for _, m := range c.Metrics {
			if m.Slice == "" && m.Level == level {
				all.Rows = append(all.Rows, comparedOf(m))
			}
		}
	}
	if row, ok := brief.RowOfValue(c.Value); ok {
		money := record.MetricDifference{Direction: "up", Difference: c.Value.Difference, Low: c.Value.Low, High: c.Value.High, Verdict: row.Verdict}
		all.Rows = append(all.Rows, comparedRow{Row: row, State: state(row.Verdict), Gated: badge{"no gate", "even"}, N: brief.Absent, Plot: newInterval(money)})
		if p := all.Rows[len(all.Rows)-1].Plot; p != nil {
			p.Label = row.Metric + " " + row.Difference + ", 95 % interval " + row.Interval + ": " + brief.Word(row.Verdict)
		}
	}
	for _, m := range c.Metrics {
		if m.Slice != "" {
			slices.Rows = append(slices.Rows, comparedOf(m))
		}
	}
	return all.cut("metrics"), slices.cut("slice metrics")
}

func (t *compared) cut(what string) *compared {
	n := len(t.Rows)
	if n == 0 {
		return nil
	}
	t.Rows = capped(t.Rows)
	t.More = more(len(t.Rows), n, what, "all are in the JSON file")
	return t
}

func comparedOf(m record.MetricDifference) comparedRow {
	r := comparedRow{Row: brief.RowOf(m), State: state(m.Verdict), Plot: newInterval(m)}
	r.Gated = badge{r.GateText(), "even"}
	if m.Gate == record.GatePass || m.Gate == record.GateFail {
		r.Gated.Class = classOf(m.Gate)
	}
	r.N = brief.Absent
	if m.N > 0 {
		r.N = brief.Count(m.N)
		if m.Groups > 0 && m.Groups != m.N {
			r.How = plural(m.Groups, "group")
		}
	}
	return r
}

// comparedFigures are the numbers at the top: base, head, difference of the metric that decides, and the rows.
func comparedFigures(c record.Comparison) []figure {
	var out []figure
	if m := brief.Primary(c); m != nil {
		row := brief.RowOf(*m)
		out = append(out, figure{Label: row.Metric + ", base", Value: row.Base}, figure{Label: row.Metric + ", head", Value: row.Head},
			figure{Label: "difference", Value: row.Difference, Note: "95 % CI " + row.Interval, Class: classOf(m.Verdict)})
	}
	rows := figure{Label: "test rows compared", Value: brief.Count(c.Rows)}
	if c.Groups > 0 && c.Groups != c.Rows {
		rows.Note = "in " + plural(c.Groups, "group")
	}
	if c.Rows == 0 {
		rows.Value, rows.Note = brief.Absent, "nothing was compared"
	}
	return append(out, rows)
}

func (s *builder) side(f frame, role string, side record.Side) sideView {
	v := sideView{Role: role, Experiment: link{Text: side.Experiment, Href: s.toExperiment(f, side.Experiment)}, Run: link{Text: side.Run, Href: s.toRun(f, side.Run)}, Commit: brief.Short(side.Commit), Seeds: brief.SeedsOf(side), Trained: brief.Person(side.Who)}
	if side.Experiment == "" {
		v.Experiment.Text = brief.Absent
	}
	if side.Run == "" {
		v.Run.Text = "made for this comparison only"
	}
	if side.Threshold != 0 {
		v.Threshold = brief.Number(side.Threshold, 3)
	}
	return v
}

// comparisonGrid lists comparisons.
func (s *builder) comparisonGrid(f frame, list []*record.ComparisonRecord) grid {
	g := grid{Caption: "Comparisons, newest first", Columns: []column{{"when", ""}, {"model", ""}, {"head against base", ""}, {"verdict", ""}, {"deciding metric", ""}, {"difference", "n"}, {"95 % interval", "n"}},
		Empty: "Nothing has been compared yet: a pull request that changes an experiment, its data or the champion makes the first comparison."}
	for _, c := range list {
		cmp := c.Comparison
		row := brief.Row{Metric: brief.Absent, Difference: brief.Absent, Interval: brief.Absent}
		if m := brief.Primary(cmp); m != nil {
			row = brief.RowOf(*m)
		}
		verdict := stateCell(cmp.Verdict)
		if s.overBadRows(cmp.Head.Run) {
			verdict = cell{Text: "✗ blocked", Sub: "its rows fail a check; " + verdict.Text, Class: "bad"}
		}
		g.Rows = append(g.Rows, []cell{{Text: date(c.Time), Href: f.to(pagePath("comparisons", c.ID)), Class: "date"}, {Text: cmp.Model, Href: s.toModel(f, cmp.Model)},
			{Text: cmp.Experiment, Sub: "against " + against(cmp)}, verdict, {Text: row.Metric}, {Text: row.Difference}, {Text: row.Interval}})
	}
	return g
}

// overBadRows says whether a run learned from rows that fail a critical check: whatever it reached, its branch is blocked.
func (s *builder) overBadRows(run string) bool {
	r := s.runByID[run]
	if r == nil {
		return false
	}
	for i := range s.Input.Snapshots {
		if n := &s.Input.Snapshots[i]; any(n.Content) == r.Inputs["dataset"] && n.Fails() {
			return true
		}
	}
	return false
}

// datasetOf names what a model asks about.
func (s *builder) datasetOf(model string) string {
	if m := s.Docs.Models[model]; m != nil {
		return m.Question.Dataset
	}
	return model
}

func against(c record.Comparison) string {
	switch c.Base.Experiment {
	case "":
		return "nothing"
	case c.Experiment:
		return "itself before"
	}
	return c.Base.Experiment
}

func comparisonCSV(list []*record.ComparisonRecord) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"id", "time", "model", "experiment", "base", "verdict", "promotes", "metric", "slice", "level", "base_value", "head_value", "difference", "low", "high", "n", "groups", "metric_verdict", "gate"}) // a Buffer takes everything
	for _, c := range list {
		cmp := c.Comparison
		for _, m := range cmp.Metrics {
			row := []string{c.ID, c.Time.UTC().Format(time.RFC3339), cmp.Model, cmp.Experiment, cmp.Base.Experiment, cmp.Verdict, strconv.FormatBool(cmp.Promotes), m.Name, m.Slice, m.Level,
				number(m.Base), number(m.Head), number(m.Difference), number(m.Low), number(m.High), strconv.Itoa(m.N), strconv.Itoa(m.Groups), m.Verdict, m.Gate}
			for i := range row {
				row[i] = escape.CSV(row[i])
			}
			_ = w.Write(row)
		}
	}
	w.Flush()
	return b.Bytes()
}

// number is a value of a download: exact, and empty where there is none.
func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
