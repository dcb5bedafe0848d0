package page

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/record"
)

// monitorPage is what a monitor watches, and what it saw window by window.
type monitorPage struct {
	frame
	Facts    []pair
	State    badge
	Sentence string
	Figures  []figure
	Triggers grid
	Plots    []*plot
	Drift    grid
	DriftWhy string
	Alarm    grid // columns of the last window that was an alarm, when the newest is none
	Windows  grid
}

type monitorsPage struct {
	frame
	Monitors []watchCard
}

// watchCard is a monitor at a glance.
type watchCard struct {
	Name     link
	State    badge
	Sentence string
	Facts    string
	Before   []string // alarms of earlier windows, the newest first
}

// maxAlarms is how many earlier alarms a card names.
const maxAlarms = 3

func buildMonitors(_ context.Context, s *builder) error {
	list := monitorsPage{frame: s.frame("monitors/index.html", "Monitors", "Monitors")}
	for _, id := range s.allMonitors() {
		if len(list.Monitors) < MaxRows {
			list.Monitors = append(list.Monitors, s.watchCard(list.frame, id))
		}
		where := pagePath("monitors", id)
		if where == "" {
			continue
		}
		if err := s.render("monitor", where, s.monitorPage(where, id)); err != nil {
			return err
		}
	}
	return s.render("monitors", "monitors/index.html", list)
}

// allMonitors lists the monitors of the documents, then those that only the ledger remembers.
func (s *builder) allMonitors() []string {
	out := sortedKeys(s.Docs.Monitors)
	for _, id := range sortedKeys(s.watched) {
		if s.Docs.Monitors[id] == nil {
			out = append(out, id)
		}
	}
	return out
}

func (s *builder) watchCard(f frame, id string) watchCard {
	c := watchCard{Name: link{Text: id, Href: f.to(pagePath("monitors", id))}, State: badge{"not looked at yet", ""}}
	if d := s.Docs.Monitors[id]; d != nil {
		c.Facts = fmt.Sprintf("watches %s, every %s, %s", d.Dataset, d.Window, plural(len(d.Triggers), "trigger"))
	}
	if all := s.watched[id]; len(all) > 0 {
		seen := seenIn(all[0])
		c.State, c.Sentence = state(brief.WatchWord(seen)), brief.WatchSentence(seen)
		c.Before = s.alarmsBefore(all)
	}
	return c
}

// alarmsBefore says which windows before the newest were alarms, and what followed.
func (s *builder) alarmsBefore(newestFirst []*record.Monitor) []string {
	var out []string
	n := 0
	for _, m := range newestFirst[1:] {
		seen := seenIn(m)
		if brief.WatchWord(seen) != brief.Alarm {
			continue
		}
		if n++; len(out) < maxAlarms {
			text := brief.Symbol(brief.Alarm) + " alarm, " + brief.WatchSentence(seen)
			if !m.Lock.IsZero() {
				text += "; a retraining on the newest rows was proposed" + s.becameOf(m)
			}
			out = append(out, text)
		}
	}
	if n > len(out) {
		out = append(out, plural(n-len(out), "earlier alarm")+" in "+plural(len(newestFirst)-1, "window"))
	}
	return out
}

// becameOf says which versions learned from the rows that a monitor proposed to pin, and how sure it was that they are better; "" while none did.
func (s *builder) becameOf(m *record.Monitor) string {
	var out []string
	for i := range s.Input.Snapshots {
		n := &s.Input.Snapshots[i]
		if n.Dataset != m.Dataset || strings.TrimPrefix(n.Lock, "sha256:") != m.Lock.SHA256 {
			continue
		}
		for _, model := range sortedKeys(s.versions) {
			for _, v := range s.versions[model] {
				if r := s.runByID[runOfPath(v.Run)]; r != nil && r.Inputs["dataset"] == any(n.Content) {
					out = append(out, fmt.Sprintf("version %d of %s learned from them%s", v.Number, model, s.judged(r.ID)))
				}
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	slices.Sort(out)
	return ", and " + strings.Join(slices.Compact(out), ", ")
}

// judged is what the newest comparison said of a run, " (? cannot say)".
func (s *builder) judged(run string) string {
	for _, c := range s.comparisons {
		if c.Comparison.Head.Run == run {
			return " (found when it was proposed: " + strings.TrimSpace(brief.Symbol(c.Comparison.Verdict)+" "+brief.Word(c.Comparison.Verdict)) + ")"
		}
	}
	return ""
}

// seenIn is a record as the faces speak of it.
func seenIn(m *record.Monitor) record.MonitorChange {
	out := record.MonitorChange{Monitor: m.Monitor, Dataset: m.Dataset, From: m.From, Before: m.Before, Missed: m.Missed, Rows: m.Rows, Pinned: m.Reference, Verdict: m.Verdict,
		Drifted: m.Drifted, Watched: m.Watched, Failed: m.Failed, New: m.New, Changed: m.Changed}
	for _, name := range sortedKeys(m.Triggers) {
		t := m.Triggers[name]
		t.Name = name
		out.Triggers = append(out.Triggers, t)
	}
	return out
}

func (s *builder) monitorPage(where, id string) monitorPage {
	v := monitorPage{frame: s.frame(where, "Monitors", id), State: badge{"not looked at yet", ""}, Sentence: "No window was looked at yet: plumb ci --event schedule does."}
	d, all := s.Docs.Monitors[id], s.watched[id]
	if d != nil {
		v.Facts = []pair{{Name: "dataset", Text: d.Dataset, Href: v.to(pagePath("datasets", d.Dataset))}, {Name: "window", Text: d.Window}, {Name: "compared with", Text: "pinned rows before it" + span(d.Reference)}}
	}
	if len(all) == 0 {
		return v
	}
	newest := all[0]
	seen := seenIn(newest)
	v.State, v.Sentence = state(brief.WatchWord(seen)), brief.WatchSentence(seen)
	v.Figures = []figure{{Label: "rows in the window", Value: brief.Count(newest.Rows), Note: "beside " + brief.Count(newest.Reference) + " pinned ones"},
		{Label: "columns drifted", Value: brief.Count(len(newest.Drifted)), Class: classIf(len(newest.Drifted) > 0, "bad")},
		{Label: "checks failed", Value: brief.Count(len(newest.Failed)), Class: classIf(len(newest.Failed) > 0, "bad")},
		{Label: "windows missed", Value: brief.Count(missed(all)), Note: "of " + brief.Count(len(all)+missed(all))}}
	v.Triggers = triggerGrid(d, newest)
	for _, name := range sortedKeys(newest.Triggers) {
		if p := triggerPlot(name, all); p != nil {
			v.Plots = append(v.Plots, p)
		}
	}
	v.Drift, v.DriftWhy = s.driftGrid(newest)
	if at := slices.IndexFunc(all, func(m *record.Monitor) bool { return brief.WatchWord(seenIn(m)) == brief.Alarm }); at > 0 {
		v.Alarm, _ = s.driftGrid(all[at])
		v.Alarm.Caption = "Columns of the last window that was an alarm, " + day(all[at].From) + " to " + day(all[at].Before)
	}
	v.Windows = windowGrid(all)
	v.How = []string{"A window is compared with pinned rows before it, column by column. A column has drifted when the difference is too clear for chance (q < 0.05 across the columns, by exchanging whole days between the sides) and large enough to matter (Kolmogorov–Smirnov distance or Cramér's V of 0.10; 0.20 is severe). One of the two alone is to be watched. A column whose values are of another type than they were, or that no file has any more, has drifted by that.",
		"A trigger's condition is true, false or unknown; it fires when it has been true in enough windows in a row and it has not fired within its cooldown."}
	return v
}

func span(reference string) string {
	if reference == "" {
		return ""
	}
	return ", " + reference + " back"
}

func classIf(yes bool, class string) string {
	if yes {
		return class
	}
	return ""
}

func missed(all []*record.Monitor) int {
	n := 0
	for _, m := range all {
		n += m.Missed
	}
	return n
}

// triggerGrid shows what each trigger made of the newest window.
func triggerGrid(d *doc.Monitor, m *record.Monitor) grid {
	g := grid{Caption: "Triggers", Columns: []column{{"trigger", ""}, {"state", ""}, {"when", ""}, {"then", ""}}}
	for _, name := range sortedKeys(m.Triggers) {
		t := m.Triggers[name]
		c := cell{Text: name}
		if d != nil {
			c.Sub = brief.Clip(d.Triggers[name].About, 160)
		}
		b := state(t.State)
		if t.State == record.TriggerFired {
			b = badge{"✗ fired", "bad"}
		}
		g.Rows = append(g.Rows, []cell{c, {Text: b.Text, Sub: brief.Clip(t.Reason, 120), Class: b.Class}, {Text: brief.Clip(t.When, 200), Sub: valuesText(t.Values)}, {Text: t.Then}})
	}
	return g
}

func valuesText(values map[string]float64) string {
	var out []string
	for _, name := range sortedKeys(values) {
		out = append(out, name+" = "+brief.Value("", values[name]))
	}
	return strings.Join(out, ", ")
}

// triggerPlot draws what a trigger's condition read, over the windows. It is nil when there are fewer than two.
func triggerPlot(name string, newestFirst []*record.Monitor) *plot {
	all := slices.Clone(newestFirst)
	slices.Reverse(all)
	lines := map[string][]xy{}
	var values []float64
	var fired []xy
	for _, m := range thin(all, MaxPoints/maxSeries) {
		t, ok := m.Triggers[name]
		if !ok {
			continue
		}
		for value, x := range t.Values {
			lines[value] = append(lines[value], xy{float64(m.Before.Unix()), x})
			values = append(values, x)
		}
		if t.State == record.TriggerFired {
			fired = append(fired, xy{X: float64(m.Before.Unix())})
		}
	}
	names := sortedKeys(lines)
	if len(names) == 0 || len(lines[names[0]]) < 2 {
		return nil
	}
	first, last := all[0].Before, all[len(all)-1].Before
	low, high := bounds(values, 0.1)
	a := newAxes(float64(first.Unix()), float64(last.Unix()), low, high)
	p := a.plot("What "+name+" read", "")
	p.XTicks = []tick{{px(a.left), first.UTC().Format("2 Jan")}, {px(a.right - 12), last.UTC().Format("2 Jan")}} // the last one would be cut at the edge
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(refersBack(a), refersBack(b)) })
	for i, value := range names[:min(len(names), maxSeries)] {
		class := seriesClass(i)
		p.Lines = append(p.Lines, stroke{a.path(lines[value], MaxPoints), class})
		p.Keys = append(p.Keys, key{class, value})
		for _, at := range lines[value] {
			when := day(time.Unix(int64(at.X), 0))
			text := value + ", window to " + when + ": " + brief.Value("", at.Y)
			if slices.ContainsFunc(fired, func(f xy) bool { return f.X == at.X }) {
				text += ", fired"
			}
			p.Marks = append(p.Marks, mark{X: px(a.x(at.X)), Y: px(a.y(at.Y)), Class: class, Title: text})
		}
	}
	p.Desc = fmt.Sprintf("%s in %s, %s to %s; the trigger fired %s", strings.Join(names, " and "), plural(len(lines[names[0]]), "window"), day(first), day(last), plural(len(fired), "time"))
	return p
}

// refersBack puts what is compared with behind what is looked at.
func refersBack(value string) int {
	if strings.HasPrefix(value, "ref.") {
		return 1
	}
	return 0
}

// windowGrid lists the windows, the newest first.
func windowGrid(all []*record.Monitor) grid {
	g := grid{Caption: "Windows", Columns: []column{{"window", ""}, {"seen", ""}, {"rows", "n"}, {"drifted", ""}, {"to watch", ""}, {"failed checks", ""}, {"fired", ""}}}
	for _, m := range capped(all) {
		b := state(brief.WatchWord(seenIn(m)))
		var fired []string
		for _, name := range sortedKeys(m.Triggers) {
			if m.Triggers[name].State == record.TriggerFired {
				fired = append(fired, name)
			}
		}
		c := cell{Text: day(m.From) + " – " + day(m.Before)}
		if m.Missed > 0 {
			c.Sub = plural(m.Missed, "window") + " before it missed"
		}
		g.Rows = append(g.Rows, []cell{c, {Text: b.Text, Class: b.Class}, {Text: brief.Count(m.Rows)}, {Text: strings.Join(m.Drifted, ", ")}, {Text: strings.Join(m.Watched, ", ")},
			{Text: strings.Join(m.Failed, ", ")}, {Text: strings.Join(fired, ", ")}})
	}
	g.More = more(len(g.Rows), len(all), "windows", "the ledger has them all")
	return g
}
