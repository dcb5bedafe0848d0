package page

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// frame is what every page has round it. Views embed it.
type frame struct {
	Title     string
	Root      string // "" or "../": how this page gets to the site's root
	Project   string
	Commit    string
	Short     string // of Commit
	Ledger    string // short
	Nav       []link
	Crumbs    []link
	Downloads []link
	How       []string // how what is on the page was computed
	Scripts   bool
}

// link is a text that may lead somewhere. Now marks the section that the page is in.
type link struct {
	Text string
	Href string
	Now  bool
}

// grid is a table.
type grid struct {
	Caption string
	Columns []column
	Rows    [][]cell
	More    string // what was left out and where it is
	Empty   string // said when there are no rows
	Matrix  bool   // rows and columns are the same things: narrow cells, the names stay in sight
}

// Class says how the table is set: narrow where numbers would stand too far apart to be read as a row, and which columns are numbers. Saying it once
// a table is a fifth of the page less than saying it in every cell.
func (g grid) Class() string {
	var out []string
	switch {
	case g.Matrix:
		out = append(out, "matrix")
	case len(g.Columns) <= 5:
		out = append(out, "narrow")
	}
	for i, c := range g.Columns {
		if c.Class == "n" {
			out = append(out, fmt.Sprintf("n%d", i+1))
		}
	}
	return strings.Join(out, " ")
}

// column is a heading; Class "n" is for numbers.
type column struct {
	Name  string
	Class string
}

// cell is a value of a table. Class is a state's.
type cell struct {
	Text  string
	Sub   string // smaller, below
	Href  string
	Class string
}

// figure is a number large enough to be read first.
type figure struct {
	Label string
	Value string
	Note  string
	Class string
}

// badge is a state as symbol, word and colour.
type badge struct {
	Text  string
	Class string
}

// frame makes a page's frame; where is its path, section the part of the site that it is in.
func (s *builder) frame(where, section, title string) frame {
	f := frame{Title: title, Project: s.project, Commit: s.Commit, Short: brief.Short(s.Commit), Ledger: brief.Short(s.LedgerTip), Root: strings.Repeat("../", strings.Count(where, "/"))}
	all := []link{{Text: "Overview", Href: "index.html"}, {Text: "Models", Href: "models/index.html"}, {Text: "Experiments", Href: "experiments/index.html"},
		{Text: "Runs", Href: "runs/index.html"}, {Text: "Comparisons", Href: "comparisons/index.html"}, {Text: "Data", Href: "datasets/index.html"}, {Text: "Monitors", Href: "monitors/index.html"}}
	if d := s.Docs.Design; d != nil {
		if len(d.Value.Case)+len(d.Value.Hours) > 0 {
			all = append(all, link{Text: "Value", Href: "value.html"})
		}
		all = append(all, link{Text: "Design", Href: "design.html"})
	}
	if s.Maturity != nil {
		all = append(all, link{Text: "Maturity", Href: "maturity.html"})
	}
	if s.CI != nil {
		all = append(all[:1], append([]link{{Text: "This pull request", Href: "proposal.html"}}, all[1:]...)...)
	}
	for _, l := range all {
		f.Nav = append(f.Nav, link{l.Text, f.Root + l.Href, l.Text == section})
		if l.Text == section && where != l.Href {
			f.Crumbs = append(f.Crumbs, link{Text: l.Text, Href: f.Root + l.Href})
		}
	}
	return f
}

// to makes a path of the site relative to a page; nothing stays nothing.
func (f frame) to(where string) string {
	if where == "" {
		return ""
	}
	return f.Root + where
}

// Links to things that may have no page: the href is then empty, and the text stands alone.

func (s *builder) toRun(f frame, id string) string {
	if !s.paged[id] {
		return ""
	}
	return f.to(pagePath("runs", id))
}

func (s *builder) toExperiment(f frame, id string) string {
	if s.Docs.Experiments[id] == nil && len(s.runsOf[id]) == 0 {
		return ""
	}
	return f.to(pagePath("experiments", id))
}

func (s *builder) toModel(f frame, id string) string {
	if s.Docs.Models[id] == nil {
		return ""
	}
	return f.to(pagePath("models", id))
}

func (s *builder) toDataset(f frame, id string) string {
	if s.Docs.Datasets[id] == nil && s.snapshots[id] == nil {
		return ""
	}
	return f.to(pagePath("datasets", id))
}

// state makes a badge of a verdict or a gate's state.
func state(of string) badge {
	text := brief.Word(of)
	if sign := brief.Symbol(of); sign != "" {
		text = sign + " " + text
	}
	return badge{text, classOf(of)}
}

// finding is a sentence without the verdict in front, for where a badge says it.
func finding(sentence string) string {
	if _, after, found := strings.Cut(sentence, " — "); found {
		return after
	}
	return sentence
}

// classOf gives the CSS class of a state. Colour only repeats what symbol and word say.
func classOf(of string) string {
	switch brief.Symbol(of) {
	case "✓":
		return "good"
	case "✗":
		return "bad"
	case "?":
		return "unsure"
	}
	return "even"
}

func stateCell(of string) cell {
	b := state(of)
	return cell{Text: b.Text, Class: b.Class}
}

// date is a time as a reader wants it in a table; none is Absent.
func date(t time.Time) string {
	if t.IsZero() {
		return brief.Absent
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func day(t time.Time) string {
	if t.IsZero() {
		return brief.Absent
	}
	return t.UTC().Format("2006-01-02")
}

// statusOf is a run's outcome as symbol and word.
func statusOf(r *record.Run) badge {
	switch r.Status {
	case "", "ok":
		return badge{"✓ ok", "good"}
	case "killed":
		return badge{"✗ killed", "bad"}
	}
	return badge{"✗ failed", "bad"}
}

// primary names the metric that a model is judged by first: the first gate of its contract, else the first metric, else the task's own.
func primary(m *doc.Model, task string) string {
	if m != nil {
		for _, name := range m.Order {
			if m.Metrics[name].Level == "gate" {
				return name
			}
		}
		if len(m.Order) > 0 {
			return m.Order[0]
		}
		task = m.Task
	}
	switch task {
	case metric.Regression:
		return "rmse"
	case metric.Multiclass:
		return "accuracy"
	}
	return "auc"
}

// metricNames orders the metrics of a run: the contract's first, then the task's, then any other by name.
func (s *builder) metricNames(model, task string, metrics ...map[string]float64) []string {
	var out []string
	seen := map[string]bool{}
	add := func(name string) {
		for _, m := range metrics {
			if _, ok := m[name]; ok && !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
	}
	if m := s.Docs.Models[model]; m != nil {
		for _, name := range m.Order {
			add(name)
		}
	}
	for _, name := range metric.For(task) {
		add(name)
	}
	for _, m := range metrics {
		for _, name := range sortedKeys(m) {
			add(name)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// value is a metric of a map, or Absent.
func valueOf(metrics map[string]float64, name string) string {
	if v, ok := metrics[name]; ok {
		return brief.Value(name, v)
	}
	return brief.Absent
}

// show prints a value of a document or record for people, cut where it is long.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return brief.Absent
	case string:
		return brief.Clip(v, 160)
	case time.Time:
		return date(v)
	case float64:
		return strings.Replace(strconv.FormatFloat(v, 'g', -1, 64), "-", "−", 1)
	}
	return brief.Clip(fmt.Sprint(v), 160)
}

// more says what a table left out.
func more(shown, all int, what, where string) string {
	if shown >= all {
		return ""
	}
	return fmt.Sprintf("%s of %s %s shown; %s.", brief.Count(shown), brief.Count(all), what, where)
}

func capped[T any](list []T) []T { return list[:min(len(list), MaxRows)] }

// who made a record, and whether CI or a person did.
func made(h record.Header) string {
	if h.Actor == record.ActorCI {
		return "CI"
	}
	if h.By.Who != "" {
		return brief.Clip(brief.Person(h.By.Who), 40)
	}
	return "a person"
}
