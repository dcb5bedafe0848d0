package page

import (
	"context"
	"html/template"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// overviewPage says what is live, what is proposed and how sure that is.
type overviewPage struct {
	frame
	About    template.HTML // the vision, else the problem
	Change   *changeCard   // of the pull request at hand
	Needs    []need
	Readers  []link
	Models   []modelCard
	Latest   grid
	Datasets []healthCard
	Monitors []watchCard
	Runs     grid
	Empty    bool
}

// changeCard is the pull request in a sentence.
type changeCard struct {
	Verdict  badge
	Sentence string
	Needs    []string
	Claims   []string // what was claimed of each experiment and what became of it, and what it is worth
	Href     string
}

// modelCard is a model at a glance.
type modelCard struct {
	Name      link
	Asks      string
	Champion  link
	Live      string
	Figure    figure
	Proposals []proposalLine
}

// proposalLine is an experiment that is not served, and how sure it is that it is better.
type proposalLine struct {
	Experiment link
	State      badge
	Text       string
	Href       string
	Plot       *interval
}

// healthCard is a dataset's quality at a glance.
type healthCard struct {
	Name   link
	Facts  string
	Meters []meter
	State  badge
}

func buildOverview(_ context.Context, s *builder) error {
	v := overviewPage{frame: s.frame("index.html", "Overview", s.project)}
	v.Crumbs = nil
	if d := s.Docs.Design; d != nil {
		v.About = markdown(firstOf(d.Vision, d.Problem))
	}
	if s.CI != nil {
		b := brief.Of(*s.CI)
		v.Change = &changeCard{Verdict: verdictBadge(b), Sentence: finding(b.Sentence), Needs: b.Needs, Href: "proposal.html"}
		for _, c := range s.CI.Comparisons[:min(len(s.CI.Comparisons), 4)] {
			v.Change.Claims = append(v.Change.Claims, claims(c)...)
		}
	}
	v.Needs, v.Readers = s.needs(v.frame), readerLinks(v.frame, "")
	for _, id := range sortedKeys(s.Docs.Models) {
		if len(v.Models) < MaxRows {
			v.Models = append(v.Models, s.modelCard(v.frame, id))
		}
	}
	v.Latest = s.comparisonGrid(v.frame, s.comparisons[:min(len(s.comparisons), 8)])
	v.Latest.Caption = "Latest comparisons"
	for _, id := range sortedKeys(s.Docs.Datasets) {
		if len(v.Datasets) < MaxRows {
			v.Datasets = append(v.Datasets, s.healthCard(v.frame, id))
		}
	}
	for _, id := range s.allMonitors() {
		if len(v.Monitors) < MaxRows {
			v.Monitors = append(v.Monitors, s.watchCard(v.frame, id))
		}
	}
	v.Runs = s.runGrid(v.frame, s.runs[:min(len(s.runs), 5)])
	v.Runs.Caption = "Latest runs"
	v.Empty = len(s.runs) == 0 && len(v.Models) == 0
	v.Downloads = []link{{Text: "Runs, CSV", Href: "runs/runs.csv"}, {Text: "Comparisons, CSV", Href: "comparisons/comparisons.csv"}, {Text: "Manifest, JSON", Href: "manifest.json"}}
	v.How = []string{"Everything here follows from the documents at the commit below and from the records of the ledger; building the site again gives the same bytes.", "A value that does not exist is shown as –, with the reason; it is never zero."}
	return s.render("overview", "index.html", v)
}

// claims are a comparison's hypothesis with what became of it, and its money with how sure that is.
func claims(c record.Comparison) []string {
	var out []string
	if h := brief.Hypothesis(c); h != "" {
		out = append(out, h)
	}
	if gain := brief.Gain(c.Value); gain != "" {
		out = append(out, "Worth "+gain)
	}
	return out
}

func verdictBadge(b brief.Brief) badge {
	if b.Fails {
		word := brief.Word(b.Verdict)
		if brief.Symbol(b.Verdict) != "✗" {
			word += ", a gate fails"
		}
		return badge{"✗ " + word, "bad"}
	}
	return state(b.Verdict)
}

func (s *builder) modelCard(f frame, id string) modelCard {
	m := s.Docs.Models[id]
	c := modelCard{Name: link{Text: id, Href: s.toModel(f, id)}, Asks: s.asks(m), Champion: link{Text: m.Champion, Href: s.toExperiment(f, m.Champion)}, Live: s.live(id)}
	if m.Champion == "" {
		c.Champion.Text = "no champion yet"
	}
	name := primary(m, "")
	c.Figure = figure{Label: brief.Label(name), Value: brief.Absent, Note: "no run of the champion yet"}
	if r := s.champion(id); r != nil {
		c.Figure.Value, c.Figure.Note = valueOf(r.Result.Metrics, name), "on "+plural(r.Rows.Test, "test row")
	}
	for _, experiment := range sortedKeys(s.Docs.Experiments) {
		if s.Docs.Experiments[experiment].Model == id && experiment != m.Champion && len(c.Proposals) < 8 {
			c.Proposals = append(c.Proposals, s.proposalLine(f, experiment))
		}
	}
	return c
}

// live says which version serves.
func (s *builder) live(model string) string {
	for _, g := range s.stages[model] {
		if g.Stage == "production" {
			return "version " + brief.Count(g.Version) + s.answers(model, g.Version) + " live since " + day(g.Time)
		}
	}
	if n := len(s.versions[model]); n > 0 {
		return plural(n, "version") + ", none staged yet"
	}
	return "not staged yet"
}

// answers names the experiment of a version, " (baseline)".
func (s *builder) answers(model string, version int) string {
	for _, v := range s.versions[model] {
		if v.Number == version && v.Experiment != "" {
			return " (" + v.Experiment + ")"
		}
	}
	return ""
}

// proposalLine says what the newest comparison found of an experiment.
func (s *builder) proposalLine(f frame, experiment string) proposalLine {
	p := proposalLine{Experiment: link{Text: experiment, Href: s.toExperiment(f, experiment)}, State: badge{"not compared yet", "even"}}
	for _, c := range s.comparisons {
		if c.Comparison.Experiment != experiment || c.Comparison.Base.Experiment == experiment { // against itself before says nothing of a proposal
			continue
		}
		p.State, p.Href = state(c.Comparison.Verdict), f.to(pagePath("comparisons", c.ID))
		if m := brief.Primary(c.Comparison); m != nil {
			row := brief.RowOf(*m)
			p.Text, p.Plot = row.Metric+" "+row.Difference+", 95 % CI "+row.Interval, newInterval(*m)
		}
		return p
	}
	return p
}

func (s *builder) healthCard(f frame, id string) healthCard {
	h := healthCard{Name: link{Text: id, Href: s.toDataset(f, id)}, Facts: "not pinned yet", State: badge{"not assessed", "even"}}
	n := s.snapshots[id]
	if lock := s.Docs.Locks[id]; lock != nil {
		h.Facts = brief.Count(lock.Rows) + " rows, " + plural(len(lock.Columns), "column") + ", " + plural(len(lock.Files), "file")
	}
	if n == nil {
		return h
	}
	h.Facts = brief.Count(n.Rows) + " rows, " + plural(len(n.Columns), "column") + ", pinned " + day(n.Time)
	low := 100.0
	for _, name := range record.Dimensions {
		score, ok := n.Scores[name]
		if !ok {
			h.Meters = append(h.Meters, newMeter(name, nil, 0, ""))
			continue
		}
		low = min(low, score)
		m := newMeter(name, &score, 0, "")
		m.Note = ""
		h.Meters = append(h.Meters, m)
	}
	if len(n.Scores) > 0 {
		h.State = badge{"✓ sound", "good"}
		if n.Fails() {
			h.State = badge{"✗ a critical check fails", "bad"}
		} else if low < 100 {
			h.State = badge{"? some checks fail", "unsure"}
		}
	}
	return h
}
