package page

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
)

// Who reads the site, by the id that [roles] of plumb.toml and [metric_by_role] of design.toml use.
const (
	stakeholder   = "stakeholder"
	dataScientist = "data-scientist"
	dataEngineer  = "data-engineer"
	domainExpert  = "domain-expert"
)

// readers is what each of them asks first, in this order. Another question is one function here.
var readers = []struct {
	id, name, intro string
	ask             []func(*builder, frame) []answer
}{
	{stakeholder, "Stakeholder", "Whether it is worth it, what would change, and what can be relied on.",
		[]func(*builder, frame) []answer{(*builder).worthAnswers, (*builder).proposedAnswers, (*builder).requiredAnswers, (*builder).fedAnswers, (*builder).matureAnswers}},
	{dataScientist, "Data scientist", "How good the answers are, what was tried, and where they are weakest.",
		[]func(*builder, frame) []answer{(*builder).championAnswers, (*builder).proposedAnswers, (*builder).weakAnswers, (*builder).movedAnswers}},
	{dataEngineer, "Data engineer", "Whether what comes in is sound, what moved, and who depends on it.",
		[]func(*builder, frame) []answer{(*builder).fedAnswers, (*builder).movedAnswers, (*builder).dependentAnswers}},
	{domainExpert, "Domain expert", "What is asked and what the answers go by, in words, for whoever knows the field to say whether it makes sense.",
		[]func(*builder, frame) []answer{(*builder).askedAnswers, (*builder).listensAnswers, (*builder).rightAnswers, (*builder).weakAnswers, (*builder).movedAnswers}},
}

// readerPage is what one kind of reader sees first.
type readerPage struct {
	frame
	Intro   string
	Who     string
	Needs   []need
	Answers []answer
	Others  []link
}

// answer is a question that a reader has, and what is known.
type answer struct {
	Asks  string
	Says  string
	State *badge
	Lines []string
	More  link
}

func buildReaders(_ context.Context, s *builder) error {
	for _, r := range readers {
		where := "for/" + r.id + ".html"
		v := readerPage{frame: s.frame(where, "", "For the "+strings.ToLower(r.name)), Intro: r.intro}
		if p := s.Docs.Project; p != nil {
			v.Who = brief.Clip(strings.Join(p.Roles[r.id].Who, ", "), 160)
		}
		v.Needs = neededFrom(s.needs(v.frame), r.id)
		v.Answers = s.numberOf(v.frame, r.id)
		for _, ask := range r.ask {
			v.Answers = append(v.Answers, ask(s, v.frame)...)
		}
		v.Others = readerLinks(v.frame, r.id)
		v.How = []string{"The same records as everywhere on this site, in the order in which this reader asks."}
		if err := s.render("reader", where, v); err != nil {
			return err
		}
	}
	return nil
}

// readerLinks leads to the pages of the readers, but for one.
func readerLinks(f frame, but string) []link {
	var out []link
	for _, r := range readers {
		if r.id != but {
			out = append(out, link{Text: r.name, Href: f.to("for/" + r.id + ".html")})
		}
	}
	return out
}

// numberOf is the metric that the design card names for a reader, of every champion that has it. What it is worth has an answer of its own.
func (s *builder) numberOf(f frame, reader string) []answer {
	if s.Docs.Design == nil || s.Docs.Design.MetricByRole[reader] == "" || reader == dataScientist { // who sees them all
		return nil
	}
	name := s.Docs.Design.MetricByRole[reader]
	var out []answer
	for _, id := range capped(sortedKeys(s.Docs.Models)) {
		if r := s.champion(id); r != nil && valueOf(r.Result.Metrics, name) != brief.Absent {
			out = append(out, answer{Asks: "Your number", Says: fmt.Sprintf("%s of %s is %s, on %s.", brief.Label(name), id, valueOf(r.Result.Metrics, name), plural(r.Rows.Test, "test row")), More: link{Text: "Its run", Href: s.toRun(f, r.ID)}})
		}
	}
	return out
}
