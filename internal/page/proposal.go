package page

import (
	"context"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/problem"
)

// proposalPage is the whole of what the pull request's comment says in short.
type proposalPage struct {
	frame
	Verdict     badge
	Sentence    string
	Needs       []string
	OnMerge     []string
	Data        []string
	Changes     []string
	Comparisons []comparisonView
	Several     bool
	Problems    grid
	Steps       grid
}

func buildProposal(_ context.Context, s *builder) error {
	if s.CI == nil {
		return nil
	}
	b := brief.Of(*s.CI)
	v := proposalPage{frame: s.frame("proposal.html", "This pull request", "This pull request"), Verdict: verdictBadge(b), Sentence: finding(b.Sentence), Needs: b.Needs, OnMerge: capped(s.CI.OnMerge), Data: capped(b.Data), Changes: capped(s.CI.Changes)}
	if s.CI.Event == "push" {
		v.Title = "This push"
	}
	v.Several = len(s.CI.Comparisons) > 1
	for _, c := range s.CI.Comparisons[:min(len(s.CI.Comparisons), 6)] {
		v.Comparisons = append(v.Comparisons, s.compared(v.frame, c))
	}
	v.Problems = grid{Caption: "Problems in documents", Columns: []column{{"where", ""}, {"what", ""}, {"rule", ""}}}
	for _, p := range capped(s.CI.Problems) {
		level := cell{Text: "? " + p.Pos.String(), Class: "unsure"}
		if p.Level == problem.LevelError {
			level = cell{Text: "✗ " + p.Pos.String(), Class: "bad"}
		}
		v.Problems.Rows = append(v.Problems.Rows, []cell{level, {Text: brief.Clip(p.Message, 300), Sub: brief.Clip(p.Hint, 200)}, {Text: p.Rule}})
	}
	v.Problems.More = more(len(v.Problems.Rows), len(s.CI.Problems), "problems", "all are in the JSON file")
	v.Steps = grid{Caption: "What was done", Columns: []column{{"step", ""}, {"state", ""}, {"why", ""}, {"took", "n"}}}
	for _, st := range capped(s.CI.Steps) {
		word := cell{Text: st.State, Class: "even"}
		if sign := brief.Symbol(st.State); sign != "" {
			word = cell{Text: sign + " " + st.State, Class: classOf(st.State)}
		}
		took := brief.Absent
		if st.Seconds > 0 {
			took = brief.Seconds(st.Seconds)
		}
		v.Steps.Rows = append(v.Steps.Rows, []cell{{Text: st.Name}, word, {Text: brief.Clip(st.Why, 300)}, {Text: took}})
	}
	v.Downloads = []link{{Text: "This result, JSON", Href: "proposal.json"}}
	v.How = howCompared
	if err := s.render("proposal", "proposal.html", v); err != nil {
		return err
	}
	return s.writeJSON("proposal.json", s.CI)
}
