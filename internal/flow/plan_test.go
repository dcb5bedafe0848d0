package flow

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/plumb-ml/plumb/internal/doc"
)

// baseTree is the project that every case of TestPlan edits: two models, the first with a view of another dataset and an experiment that extends
// the champion.
var baseTree = map[string]string{
	"plumb.toml":                "schema = 1\nname = \"p\"\n",
	"datasets/rows.toml":        "schema = 1\n[source]\npath = \"data/*.csv\"\n[time]\nevent = \"at\"\n",
	"datasets/rows.lock.toml":   lockOf("1"),
	"datasets/other.toml":       "schema = 1\n[source]\npath = \"other/*.csv\"\n[time]\nevent = \"at\"\n",
	"datasets/other.lock.toml":  lockOf("2"),
	"features/v.toml":           "schema = 1\ndataset = \"other\"\nentity = [\"k\"]\n[feature.n]\nagg = \"count()\"\nwindow = \"1h\"\n[feature.m]\nagg = \"avg(x)\"\nwindow = \"1h\"\n",
	"models/a.toml":             modelOf("one"),
	"models/b.toml":             modelOf("three"),
	"experiments/one.toml":      experimentOf("a", "x"),
	"experiments/two.toml":      "schema = 1\nmodel = \"a\"\nhypothesis = \"More.\"\nextends = \"one\"\n[params]\nl2 = 0.5\n",
	"experiments/windowed.toml": experimentOf("a", "x\", \"v.n"),
	"experiments/three.toml":    experimentOf("b", "x"),
}

func lockOf(digit string) string {
	l := doc.Lock{Content: "sha256:" + strings.Repeat(digit, 64), Format: "csv"}
	for _, c := range []string{"at timestamp", "x float64", "k string", "y int64"} {
		name, kind, _ := strings.Cut(c, " ")
		l.Columns = append(l.Columns, doc.LockColumn{Name: name, Type: kind})
	}
	return string(l.Encode())
}

func modelOf(champion string) string {
	return "schema = 1\ntask = \"binary\"\nchampion = \"" + champion + "\"\n[question]\ndataset = \"rows\"\nlabel = \"y == 1\"\n" +
		"split = { by = \"time\", test = \"21d\", valid = \"7d\" }\n[metric.auc]\nlevel = \"gate\"\n[gate.floor]\nrequire = \"auc > 0.5\"\n"
}

func experimentOf(model, use string) string {
	return "schema = 1\nmodel = \"" + model + "\"\nhypothesis = \"It helps.\"\n[features]\nuse = [\"" + use + "\"]\n[train]\nlearner = \"glm\"\n"
}

// edits change a tree: "FILE" → a new text, "" to remove it, or "s|OLD|NEW|" to replace.
type edits map[string]string

func (e edits) apply(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	out := maps.Clone(files)
	for name, text := range e {
		old, now, replace := "", "", strings.HasPrefix(text, "s|")
		if replace {
			parts := strings.Split(text, "|")
			old, now = parts[1], parts[2]
		}
		switch {
		case text == "":
			delete(out, name)
		case replace && !strings.Contains(out[name], old):
			t.Fatalf("%s does not hold %q", name, old)
		case replace:
			out[name] = strings.ReplaceAll(out[name], old, now)
		default:
			out[name] = text
		}
	}
	return out
}

func treeOf(t *testing.T, files map[string]string, sound bool) *doc.Set {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	set := doc.Load(fsys)
	if sound && set.Problems.Errors() > 0 {
		t.Fatal(set.Problems.Text(set.Source))
	}
	return set
}

// TestPlan is the golden table of the baseline, as far as two trees decide it. A line of want is
// MODEL: BASE -> EXPERIMENT, then `serves` when what is served changes, then the verdict that needs no numbers.
func TestPlan(t *testing.T) {
	for _, c := range planCases {
		t.Run(c.name, func(t *testing.T) {
			before := c.before.apply(t, baseTree)
			var got []string
			for _, task := range plan(treeOf(t, before, !c.broken), treeOf(t, c.edits.apply(t, before), true)) {
				line := fmt.Sprintf("%s: %s -> %s", task.Model, dashed(task.Base), dashed(task.Experiment))
				if task.Promotes {
					line += " serves"
				}
				if task.Kind != "" {
					line += " " + task.Kind + " (" + task.Reason + ")"
				}
				got = append(got, line)
			}
			if text := strings.Join(got, "\n"); text != c.want {
				t.Errorf("got\n%s\nwant\n%s", text, c.want)
			}
		})
	}
}

func dashed(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

var planCases = []struct {
	name   string
	before edits // of the base
	broken bool  // the base's documents have errors
	edits  edits // of head over base
	want   string
}{
	{name: "nothing", want: ""},
	{name: "comments, order and spelled-out defaults", edits: edits{
		"experiments/one.toml": "# better words\nmodel = 'a'\nschema = 1\nhypothesis = 'It helps.'\n[train]\nseed = 1\nlearner = 'glm'\n[features]\nuse = [ 'x' ]\n",
		"models/a.toml":        "s|task|# asked often\ntask|", "features/v.toml": "s|dataset|# a view\ndataset|"},
		want: ""},
	{name: "a view's items in another order", edits: edits{"features/v.toml": "schema = 1\ndataset = \"other\"\nentity = [\"k\"]\n[feature.m]\nagg = \"avg(x)\"\nwindow = \"1h\"\n[feature.n]\nagg = \"count()\"\nwindow = \"1h\"\n"}, want: ""},
	{name: "new hypothesis", edits: edits{"experiments/one.toml": "s|It helps.|It does.|", "experiments/windowed.toml": "s|It helps.|It does.|"}, want: ""},
	{name: "new model", edits: edits{"models/c.toml": modelOf("four"), "experiments/four.toml": experimentOf("c", "x"), "experiments/five.toml": experimentOf("c", "k")},
		want: "c: - -> four serves first (the model is new)\nc: - -> five first (the model is new)"},
	{name: "new model without a champion", edits: edits{"models/c.toml": strings.Replace(modelOf("four"), "champion = \"four\"\n", "", 1), "experiments/four.toml": experimentOf("c", "x")},
		want: "c: - -> four first (the model is new)"},
	{name: "no champion at base", before: edits{"models/a.toml": "s|champion = \"one\"\n||"}, edits: edits{"models/a.toml": modelOf("one")}, want: "a: - -> one serves first (the base has no champion)"},
	{name: "no champion at base nor head", before: edits{"models/a.toml": "s|champion = \"one\"\n||"}, edits: edits{"experiments/one.toml": "s|\"x\"|\"k\"|"},
		want: "a: - -> one first (the base has no champion)\na: - -> two first (the base has no champion)"},
	{name: "champion line", edits: edits{"models/a.toml": modelOf("two")}, want: "a: one -> two serves"},
	{name: "new experiment", edits: edits{"experiments/new.toml": experimentOf("a", "k")}, want: "a: one -> new"},
	{name: "champion line and experiment changed together", edits: edits{"models/a.toml": modelOf("two"), "experiments/two.toml": "s|0.5|0.7|"}, want: "a: one -> two serves"},
	{name: "champion line and the old champion's experiment changed together", edits: edits{"models/a.toml": modelOf("windowed"), "experiments/one.toml": "s|\"x\"|\"k\"|"},
		want: "a: one -> windowed serves\na: one -> one\na: one -> two"},
	{name: "champion's experiment edited, which another extends", edits: edits{"experiments/one.toml": "s|\"x\"|\"k\"|"}, want: "a: one -> one serves\na: one -> two"},
	{name: "experiment edited that is not served", edits: edits{"experiments/two.toml": "s|0.5|0.7|"}, want: "a: one -> two"},
	{name: "champion unchanged but data moved", edits: edits{"datasets/rows.lock.toml": lockOf("3")}, want: "a: one -> one serves\nb: three -> three serves"},
	{name: "data of a view moved that no champion uses", edits: edits{"datasets/other.lock.toml": lockOf("3")}, want: ""},
	{name: "data of a champion's view moved", before: edits{"models/a.toml": modelOf("windowed")}, edits: edits{"datasets/other.lock.toml": lockOf("3")}, want: "a: windowed -> windowed serves"},
	{name: "view changed", edits: edits{"features/v.toml": "s|count()|sum(x)|"}, want: "a: one -> windowed"},
	{name: "champion's view changed", before: edits{"models/a.toml": modelOf("windowed")}, edits: edits{"features/v.toml": "s|count()|sum(x)|"}, want: "a: windowed -> windowed serves"},
	{name: "champion removed", edits: edits{"models/a.toml": "s|champion = \"one\"\n||"}, want: "a: one -> - serves missing (the pull request removes the champion)"},
	{name: "champion removed, its experiment edited", edits: edits{"models/a.toml": "s|champion = \"one\"\n||", "experiments/two.toml": "s|0.5|0.7|"},
		want: "a: one -> - serves missing (the pull request removes the champion)\na: one -> two"},
	{name: "champion removed under a changed question", edits: edits{"models/a.toml": strings.NewReplacer("champion = \"one\"\n", "", "y == 1", "y == 0").Replace(modelOf("one")), "experiments/two.toml": "s|0.5|0.7|"},
		want: "a: one -> - serves missing (the pull request removes the champion)\na: one -> two new_question (the pull request changes the question: label)"},
	{name: "question changed", edits: edits{"models/a.toml": "s|y == 1|y == 0|"}, want: "a: one -> one serves new_question (the pull request changes the question: label)"},
	{name: "question and champion changed", edits: edits{"models/a.toml": strings.Replace(modelOf("two"), "21d", "14d", 1), "experiments/new.toml": experimentOf("a", "k")},
		want: "a: one -> two serves new_question (the pull request changes the question: split)\na: one -> new new_question (the pull request changes the question: split)"},
	{name: "the dataset says another time", edits: edits{"datasets/rows.toml": "s|event = \"at\"|event = \"at\"\nknown = \"at + hours(1)\"|", "models/b.toml": "", "experiments/three.toml": ""},
		want: "a: one -> one serves new_question (the pull request changes the question: what the dataset says of time and late columns)"},
	{name: "the key that a hash goes by", before: edits{"models/a.toml": "s|by = \"time\", test = \"21d\", valid = \"7d\"|by = \"hash\"|", "models/b.toml": "", "experiments/three.toml": ""},
		edits: edits{"datasets/rows.toml": "s|csv\"|csv\"\nkey = [\"k\"]|"},
		want:  "a: one -> one serves new_question (the pull request changes the question: the key of dataset rows)"},
	{name: "a key where the split is by time", edits: edits{"datasets/rows.toml": "s|csv\"|csv\"\nkey = [\"k\"]|"}, want: ""},
	{name: "group, slices, metric and gate changed", edits: edits{"models/a.toml": strings.NewReplacer("label", "group = \"day(at)\"\nslices = [\"k\"]\nlabel", "0.5", "0.4", "[metric.auc]", "[metric.auc]\ntolerance = 0.1").Replace(modelOf("one"))}, want: ""},
	{name: "dataset renamed", edits: edits{"datasets/rows.toml": "", "datasets/rows.lock.toml": "", "datasets/lines.toml": baseTree["datasets/rows.toml"], "datasets/lines.lock.toml": lockOf("1"),
		"models/a.toml": "s|\"rows\"|\"lines\"|", "models/b.toml": "s|\"rows\"|\"lines\"|"}, want: ""},
	{name: "two models in one pull request", edits: edits{"models/a.toml": modelOf("two"), "models/b.toml": modelOf("four"), "experiments/four.toml": experimentOf("b", "k")},
		want: "a: one -> two serves\nb: three -> four serves"},
	{name: "model removed", edits: edits{"models/b.toml": "", "experiments/three.toml": ""}, want: ""},
	{name: "model renamed", edits: edits{"models/b.toml": "", "models/c.toml": modelOf("three"), "experiments/three.toml": experimentOf("c", "x")},
		want: "c: - -> three serves first (the model is new)"},
	{name: "champion's experiment renamed with the same inputs", edits: edits{"experiments/one.toml": "", "experiments/uno.toml": experimentOf("a", "x"), "models/a.toml": modelOf("uno"), "experiments/two.toml": "s|\"one\"|\"uno\"|"}, want: ""},
	{name: "champion line to a copy with the same inputs", edits: edits{"experiments/uno.toml": experimentOf("a", "x"), "models/a.toml": modelOf("uno")}, want: ""},
	{name: "experiment renamed that is not served", edits: edits{"experiments/two.toml": "", "experiments/dos.toml": baseTree["experiments/two.toml"]}, want: "a: one -> dos"},
	{name: "experiment given to another model", edits: edits{"experiments/windowed.toml": "s|\"a\"|\"b\"|"}, want: "b: three -> windowed"},
	{name: "an experiment removed that nobody serves", edits: edits{"experiments/two.toml": ""}, want: ""},
	{name: "a base whose champion does not exist", before: edits{"models/a.toml": modelOf("gone")}, broken: true, edits: edits{"models/a.toml": modelOf("one")}, want: "a: gone -> one serves"},
	{name: "an empty base", before: edits{"plumb.toml": "", "models/a.toml": "", "models/b.toml": "", "experiments/one.toml": "", "experiments/two.toml": "", "experiments/windowed.toml": "", "experiments/three.toml": ""},
		edits: edits{"plumb.toml": baseTree["plumb.toml"], "models/a.toml": modelOf("one"), "experiments/one.toml": experimentOf("a", "x")}, want: "a: - -> one serves first (the model is new)"},
}
