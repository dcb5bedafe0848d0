package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/evaluate"
	"github.com/plumb-ml/plumb/internal/metric"
	"github.com/plumb-ml/plumb/internal/record"
)

// The most that a run's page shows of each; a page is looked at far more often than it is studied, and the download has the rest.
const (
	maxSlices  = 5
	curvePoint = 19 // points of a curve: enough for 340 units of width
)

// runPage is one execution: what went in, what came out.
type runPage struct {
	frame
	Experiment link
	Model      link
	Status     badge
	Error      string
	Made       string
	Set        string
	Figures    []figure
	Metrics    grid
	Seeds      grid
	Why        string // why there are no details
	Plots      []*plot
	Reported   []*plot // the program's own word
	Slices     grid
	Matrix     grid
	Classes    grid
	Confusions grid
	Small      bool // the matrix has room among the curves
	Importance []weighed
	Params     []pair
	Inputs     []pair
	Rows       []pair
	Operations []pair
	Bounds     []badge
	Pointers   grid
}

// weighed is a feature's importance as a bar.
type weighed struct {
	Name  string
	Value string
	W     string
}

func (s *builder) runPage(r *record.Run, detailed bool) error {
	where := pagePath("runs", r.ID)
	v := runPage{frame: s.frame(where, "Runs", r.Experiment+", "+day(r.Time)), Status: statusOf(r), Error: brief.Clip(r.Error, 2000), Made: date(r.Time) + " UTC by " + made(r.Header)}
	v.Experiment, v.Model = link{Text: r.Experiment, Href: s.toExperiment(v.frame, r.Experiment)}, link{Text: r.Model, Href: s.toModel(v.frame, r.Model)}
	if s.scored[r.ID] {
		v.Made += ", scored by CI"
	}
	if len(r.Set) > 0 {
		v.Set = brief.Clip(setText(r.Set), 300)
	}
	names := s.metricNames(r.Model, r.Task, r.Result.Metrics, r.Result.Valid)
	for _, name := range names[:min(len(names), 4)] {
		v.Figures = append(v.Figures, figure{Label: brief.Label(name), Value: valueOf(r.Result.Metrics, name), Note: "valid " + valueOf(r.Result.Valid, name)})
	}
	v.Downloads = []link{{Text: "This run, JSON", Href: r.ID + ".json"}}
	v.How = []string{"Metrics were computed by plumb from the predictions on the valid and the test part; what user code says about itself is not used.", "Curves, slices and calibration are of the test part. ↑ higher is better, ↓ lower is better."}
	var d record.Detail
	if v.Why = s.blob(r.Detail, &d); v.Why == "" {
		v.details(d)
		if d.Task == metric.Multiclass {
			v.How = append(v.How, "Each class is measured against the rest; macro averages count every class alike. Calibration is that of the answers: how often the answered class is right, over its score.")
		}
		if detailed {
			v.Downloads = append(v.Downloads, link{Text: "Curves and slices, JSON", Href: r.ID + "-detail.json"})
			if err := s.writeJSON("runs/"+r.ID+"-detail.json", d); err != nil {
				return err
			}
		}
	}
	v.Metrics, v.Seeds = metricGrid(names, r, d), seedGrid(names, d)
	v.facts(r)
	v.operations(r, s.Docs.Design)
	if err := s.render("run", where, v); err != nil {
		return err
	}
	return s.writeJSON("runs/"+r.ID+".json", struct {
		Schema string              `json:"schema"`
		Total  int                 `json:"total"`
		Runs   []record.RunSummary `json:"runs"`
	}{"plumb.runs/v1", 1, []record.RunSummary{summary(r)}})
}

func metricGrid(names []string, r *record.Run, d record.Detail) grid {
	g := grid{Caption: "Metrics", Columns: []column{{"metric", ""}, {"test", "n"}, {"valid", "n"}}, Empty: "The run has no metrics.", More: brief.Seeds(r)}
	if len(d.Repeats) > 1 {
		g.Columns = append(g.Columns, column{fmt.Sprintf("test, mean of %d seeds", len(d.Repeats)), "n"})
	}
	for _, name := range capped(names) {
		test, valid := cell{Text: valueOf(r.Result.Metrics, name)}, cell{Text: valueOf(r.Result.Valid, name)}
		if test.Text == brief.Absent {
			test.Sub = brief.Clip(d.Test.Absent[name], 80)
		}
		if valid.Text == brief.Absent {
			valid.Sub = brief.Clip(d.Valid.Absent[name], 80)
		}
		row := []cell{{Text: brief.Label(name) + arrow(name)}, test, valid}
		if mean, sd, ok := record.OverSeeds(d.Repeats, name); ok {
			row = append(row, cell{Text: brief.MeanOf(name, mean, sd)})
		} else if len(d.Repeats) > 1 {
			row = append(row, cell{Text: brief.Absent})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// seedGrid shows what the model of each seed reached on the test part.
func seedGrid(names []string, d record.Detail) grid {
	g := grid{Caption: "Seeds, test part", Columns: []column{{"seed", ""}}}
	for _, name := range names[:min(len(names), 4)] {
		g.Columns = append(g.Columns, column{brief.Label(name) + arrow(name), "n"})
	}
	for i, s := range d.Repeats[:min(len(d.Repeats), MaxRows)] {
		row := []cell{{Text: fmt.Sprint(s.Seed)}}
		if i == 0 {
			row[0].Sub = "served"
		}
		for _, name := range names[:min(len(names), 4)] {
			row = append(row, cell{Text: valueOf(s.Test, name)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// arrow shows which way is good: the page's largest table has no room for a column that says it.
func arrow(name string) string {
	return map[string]string{metric.Up: " ↑", metric.Down: " ↓"}[directionOf(name)]
}

func directionOf(name string) string {
	if name == metric.Bias {
		return "near 0"
	}
	if spec, ok := metric.Lookup(name); ok {
		return spec.Direction
	}
	return brief.Absent
}

// facts fills in what the record says besides metrics.
func (v *runPage) facts(r *record.Run) {
	v.Params = params(r.Params)
	v.Inputs = []pair{{Name: "learner", Text: r.Learner}, {Name: "commit", Text: firstOf(r.Code.Commit, "none")}}
	if r.Sandbox != "" {
		v.Inputs = append(v.Inputs, pair{Name: "held by", Text: brief.Clip(r.Sandbox, 120)})
	}
	if r.Code.Dirty {
		v.Inputs[1].Text += ", with changes that were not committed"
	}
	for _, name := range capped(sortedKeys(r.Inputs)) {
		if text := fmt.Sprint(r.Inputs[name]); name != "digest" {
			v.Inputs = append(v.Inputs, pair{Name: name, Text: shortDigest(text)})
		}
	}
	if text, ok := r.Inputs["digest"].(string); ok {
		v.Inputs = append(v.Inputs, pair{Name: "digest of all", Text: text})
	}
	v.Rows = []pair{{Name: "train", Text: brief.Count(r.Rows.Train)}, {Name: "valid", Text: brief.Count(r.Rows.Valid)}, {Name: "test", Text: brief.Count(r.Rows.Test)}}
	if r.Rows.NoLabel > 0 {
		v.Rows = append(v.Rows, pair{Name: "without label, left out", Text: brief.Count(r.Rows.NoLabel)})
	}
	if r.Rows.LeftOut > 0 {
		v.Rows = append(v.Rows, pair{Name: "label known too late, left out", Text: brief.Count(r.Rows.LeftOut)})
	}
	if !r.Split.Valid.IsZero() {
		v.Rows = append(v.Rows, pair{Name: "valid after", Text: date(r.Split.Valid)}, pair{Name: "test after", Text: date(r.Split.Test)})
	}
	v.Rows = append(v.Rows, pair{Name: "took", Text: took(r.Timings)})
	v.Pointers = grid{Caption: "Artifacts", Columns: []column{{"what", ""}, {"sha256", ""}, {"size", "n"}}}
	for _, p := range []struct {
		name string
		record.Pointer
	}{{"model", r.Artifact}, {"evaluation", r.Evaluation}, {"detail", r.Detail}, {"log", r.Log}} {
		if p.SHA256 != "" {
			v.Pointers.Rows = append(v.Pointers.Rows, []cell{{Text: p.name, Sub: p.Type}, {Text: p.SHA256, Class: "hash"}, {Text: brief.Bytes(p.Bytes)}})
		}
	}
}

// operations are how large and how fast the model is, and whether that is what the design card asks for. How long it trained stands by the rows.
func (v *runPage) operations(r *record.Run, card *doc.Design) {
	if latency := brief.Latency(r.Speed); latency != "" {
		v.Operations = append(v.Operations, pair{Name: "latency", Text: latency})
	}
	measured := r.Operations()
	for _, name := range []string{"throughput_rps", "model_bytes"} {
		if of, ok := measured[name]; ok {
			v.Operations = append(v.Operations, pair{Name: brief.OperationName(name), Text: brief.Operation(name, of)})
		}
	}
	for _, b := range capped(evaluate.Requirements(card, r)) {
		v.Bounds = append(v.Bounds, badge{brief.Requirement(b), classOf(b.State)})
	}
	v.How = append(v.How, brief.HowFast(r))
}

// took is how long a run took, and with what.
func took(t record.Timings) string {
	text := fmt.Sprintf("%s: features %s, training %s, evaluation %s", seconds(t.Total), seconds(t.Features), seconds(t.Train), seconds(t.Evaluate))
	if t.Repeats > 0 {
		text += ", further seeds " + seconds(t.Repeats)
	}
	return text
}

// shortDigest shows the first 12 digits: enough to tell inputs apart, and the record has the rest.
func shortDigest(text string) string {
	if hex, ok := strings.CutPrefix(text, "sha256:"); ok && len(hex) == 64 {
		return hex[:12]
	}
	return brief.Clip(text, 80)
}

// details fills in what the detail blob holds.
func (v *runPage) details(d record.Detail) {
	for _, p := range []*plot{curve(d.ROC, "ROC", "share of negatives", "share of positives"), curve(d.PR, "Precision and recall", "recall", "precision"), calibration(d), histogram(d)} {
		if p != nil {
			v.Plots = append(v.Plots, p)
		}
	}
	v.Reported = reported(d.Reported)
	v.slices(d)
	v.matrix(d)
	v.classes(d)
	names := sortedKeys(d.Importance)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(d.Importance[b], d.Importance[a]) })
	most := 0.0
	for _, name := range names {
		most = math.Max(most, d.Importance[name])
	}
	for _, name := range names[:min(len(names), 12)] {
		share := 0.0
		if most > 0 {
			share = math.Max(d.Importance[name], 0) / most
		}
		v.Importance = append(v.Importance, weighed{Name: brief.Clip(name, 60), Value: brief.Value("", d.Importance[name]), W: px(share * 100)})
	}
}

func (v *runPage) slices(d record.Detail) {
	if len(d.Slices) == 0 {
		return
	}
	all := slices.Clone(d.Slices)
	slices.SortStableFunc(all, func(a, b record.SliceDetail) int { return b.Rows - a.Rows })
	var names []string
	for _, name := range metric.For(d.Task) {
		if _, ok := all[0].Metrics[name]; ok && len(names) < 3 {
			names = append(names, name)
		}
	}
	v.Slices = grid{Caption: "Slices, largest first", Columns: []column{{"slice", ""}, {"rows", "n"}}}
	for _, name := range names {
		v.Slices.Columns = append(v.Slices.Columns, column{brief.Label(name), "n"})
	}
	for _, sl := range all[:min(len(all), maxSlices)] {
		row := []cell{{Text: brief.Clip(sl.Column+" = "+sl.Value, 80)}, {Text: brief.Count(sl.Rows)}}
		for _, name := range names {
			row = append(row, cell{Text: valueOf(sl.Metrics, name)})
		}
		v.Slices.Rows = append(v.Slices.Rows, row)
	}
	v.Slices.More = more(len(v.Slices.Rows), len(all), "slices", "all are in the detail blob")
}
