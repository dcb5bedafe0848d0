package flow

import (
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/doc"
)

func TestParseGrid(t *testing.T) {
	for text, want := range map[string][]string{
		"rounds=100,200":                {"100", "200"},
		"params.rounds= 100 , 200 ":     {"100", "200"},
		"rate=0.05":                     {"0.05"},
		"on=true,false":                 {"true", "false"},
		`name="a,b",c`:                  {`"a,b"`, "c"},
		`name='a,"b',"c\",d"`:           {`'a,"b'`, `"c\",d"`},
		"layers=[64,32],[128]":          {"[64,32]", "[128]"},
		`deep={a=[1,2],b="}"},{}`:       {`{a=[1,2],b="}"}`, "{}"},
		`name="",x`:                     {`""`, "x"},
		"expr=a=b,c":                    {"a=b", "c"},
		"rounds=":                       nil,
		"rounds=1,,2":                   nil,
		"rounds=1,":                     nil,
		"rounds":                        nil,
		"=1":                            nil,
		`name="a`:                       nil,
		"layers=[1,2":                   nil,
		"it's=1":                        {"1"}, // the name is the document's business
		`name=it's`:                     nil,
		"train.learner=glm,gbdt":        {"glm", "gbdt"},
		strings.Repeat("a", 300) + "=1": {"1"},
	} {
		got, err := ParseGrid([]string{text})
		if want == nil {
			if err == nil {
				t.Errorf("%s is taken: %v", text, got)
			}
			continue
		}
		if err != nil || !slices.Equal(got[0].Values, want) {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
	if _, err := ParseGrid([]string{"rounds=1", "params.rounds=2"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one parameter twice: %v", err)
	}
}

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{"rounds=100": "rounds=100", `name="a,b"`: `'name="a,b"'`, "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''", "a b": "'a b'"} {
		if got := ShellWord(word); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
	}
}

// tried is a tree with one experiment, whose parameters a grid sets.
func tried(learner string, params map[string]any) *Tree {
	return &Tree{Docs: &doc.Set{Experiments: map[string]*doc.Experiment{"x": {Head: doc.Head{ID: "x", Path: "experiments/x.toml"}, Model: "m", Train: doc.Train{Learner: learner, Seed: 1}, Params: params}}}}
}

func TestCombineRefusesBeforeAnythingRuns(t *testing.T) {
	many := Axis{Param: "rounds"}
	for range 1001 {
		many.Values = append(many.Values, "1")
	}
	for name, c := range map[string]struct {
		tree *Tree
		set  map[string]string
		grid []Axis
		says string
	}{
		"an unknown parameter":           {tried("gbdt", nil), nil, []Axis{{"rouns", []string{"1", "2"}}}, `no parameter "rouns"`},
		"a value that can't be":          {tried("gbdt", nil), nil, []Axis{{"rounds", []string{"1", "0"}}}, "params.rounds (trees) is 0"},
		"text for a number":              {tried("gbdt", nil), nil, []Axis{{"rounds", []string{"1", "many"}}}, "params.rounds"},
		"together too many":              {tried("gbdt", nil), nil, []Axis{{"rounds", []string{"10000"}}, {"leaves", []string{"4096"}}}, "rounds × params.leaves"},
		"a parameter of another learner": {tried("glm", nil), nil, []Axis{{"l2", []string{"1"}}, {"rounds", []string{"5"}}}, `glm has no parameter "rounds"`},
		"a program's unknown parameter":  {tried("command", map[string]any{"alpha": 1.0}), nil, []Axis{{"alhpa", []string{"1"}}}, `no parameter "alhpa"`},
		"in set and grid":                {tried("gbdt", nil), map[string]string{"rounds": "3"}, []Axis{{"rounds", []string{"1"}}}, "in --set and in --grid"},
		"too many cells":                 {tried("gbdt", nil), nil, []Axis{many}, "more than 1000 cells"},
		"a thousand by a thousand":       {tried("gbdt", nil), nil, []Axis{{"rounds", many.Values[:1000]}, {"depth", many.Values[:1000]}}, "more than 1000 cells"},
	} {
		if _, err := c.tree.combine("x", c.set, c.grid); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
