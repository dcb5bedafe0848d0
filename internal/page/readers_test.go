package page

import (
	"html"
	"strings"
	"testing"
)

// What each reader asks first is answered from the records, and what needs somebody is said.
func TestReaders(t *testing.T) {
	files := build(t, withPullRequest(fixture(t, 24)))
	for name, wants := range map[string][]string{
		"index.html":              {"A branch, pinned on 2001-06-30, brings rows of flights that fail delay-range (847 of 199,876 rows of delay)", "For you", "for/data-engineer.html"},
		"for/stakeholder.html":    {"What are delay's answers worth?", "precision 66.7 %", "keep a requirement", "Level 1 of 3", "let the schedule run"},
		"for/data-scientist.html": {"How good is delay?", "How good is minutes?", "Where is delay weakest?", "origin = LGA"},
		"for/data-engineer.html":  {"@ann, @bo", "fail delay-range", "Who depends on flights?", "delay drifted"},
		"for/domain-expert.html":  {"recall of delay is 0.25", "delay in min: arrival delay", "hour = hour(date)", "it is right 60 times, and of 100 that did come it had said so of 25"},
		"value.html":              {"What the slide says.", "does not follow from these inputs", "anything from −$5,000 to +$2,500", "20000 flagged of 10000 cases", "as-sold", "hours a month"},
	} {
		text := html.UnescapeString(string(files[name]))
		for _, want := range wants {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}

// The champion's number is that of what is live, not of what a branch measured over other rows after it.
func TestChampionOfOtherRows(t *testing.T) {
	in := fixture(t, 24)
	branch := in.Runs[0]
	branch.ID, branch.Time = "20020101T000000Z-0123456789ab", start.AddDate(1, 0, 0)
	branch.Inputs = map[string]any{"dataset": digestOf("spoiled")}
	branch.Result.Metrics = map[string]float64{"auc": 0.1234}
	in.Runs = append(in.Runs, branch)
	if page := string(build(t, in)["models/index.html"]); strings.Contains(page, "0.123") {
		t.Error("the model shows a branch's number")
	}
}
