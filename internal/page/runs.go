package page

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/record"
)

// runsPage lists the newest runs.
type runsPage struct {
	frame
	Table grid
}

func buildRuns(ctx context.Context, s *builder) error {
	list := "runs/index.html"
	v := runsPage{frame: s.frame(list, "Runs", "Runs")}
	v.Table = s.runGrid(v.frame, capped(s.runs))
	v.Table.More = more(len(v.Table.Rows), len(s.runs), "runs", "all are in the CSV file")
	v.Downloads = []link{{Text: "All runs, CSV", Href: "runs.csv"}}
	v.How = []string{"A run is one execution of an experiment, found again by the digest of its inputs, never by its commit. Metrics are those of the test part, computed by plumb from the predictions."}
	if err := s.render("runs", list, v); err != nil {
		return err
	}
	if err := s.write("runs/runs.csv", s.runCSV()); err != nil {
		return err
	}
	for i, r := range s.runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !s.paged[r.ID] {
			continue
		}
		if err := s.runPage(r, i < 200); err != nil {
			return err
		}
	}
	return nil
}

// runGrid lists runs with the metric that their model is judged by.
func (s *builder) runGrid(f frame, runs []*record.Run) grid {
	g := grid{Caption: "Runs, newest first", Columns: []column{{"when", ""}, {"experiment", ""}, {"model", ""}, {"status", ""}, {"metric", "n"}, {"test rows", "n"}, {"took", "n"}, {"by", ""}},
		Empty: "No run yet: plumb run makes one."}
	for _, r := range runs {
		status := statusOf(r)
		name := primary(s.Docs.Models[r.Model], r.Task)
		metric := cell{Text: valueOf(r.Result.Metrics, name), Sub: brief.Label(name)}
		if metric.Text == brief.Absent && r.Error != "" {
			metric.Sub = brief.Clip(r.Error, 60)
		}
		if s.overBadRows(r.ID) {
			metric.Sub, metric.Class = metric.Sub+", over rows that fail a check", "bad"
		}
		experiment := cell{Text: r.Experiment, Href: s.toExperiment(f, r.Experiment)}
		if len(r.Set) > 0 {
			experiment.Sub = brief.Clip(setText(r.Set), 80)
		}
		g.Rows = append(g.Rows, []cell{{Text: date(r.Time), Href: s.toRun(f, r.ID), Class: "date"}, experiment, {Text: r.Model, Href: s.toModel(f, r.Model)}, {Text: status.Text, Class: status.Class},
			metric, {Text: brief.Count(r.Rows.Test)}, {Text: seconds(r.Timings.Total)}, {Text: made(r.Header)}})
	}
	return g
}

func setText(set map[string]any) string {
	text := ""
	for _, name := range sortedKeys(set) {
		text += " " + name + "=" + show(set[name])
	}
	return "set" + text
}

func seconds(s float64) string {
	if s <= 0 {
		return brief.Absent
	}
	return brief.Seconds(s)
}

// summary is a run in plumb.runs/v1.
func summary(r *record.Run) record.RunSummary {
	out := record.RunSummary{ID: r.ID, Experiment: r.Experiment, Model: r.Model, Time: r.Time.UTC().Format(time.RFC3339), Status: r.Status, Commit: r.Code.Commit, Params: r.Params, Metrics: r.Result.Metrics, Tags: map[string]string{}}
	if out.Status == "" {
		out.Status = "ok"
	}
	if out.Params == nil {
		out.Params = map[string]any{}
	}
	if out.Metrics == nil {
		out.Metrics = map[string]float64{}
	}
	return out
}

// runCSV has every run, a column for every metric that any of them has.
func (s *builder) runCSV() []byte {
	seen := map[string]float64{}
	for _, r := range s.runs {
		for name := range r.Result.Metrics {
			seen[name] = 0
		}
	}
	names := sortedKeys(seen)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"id", "time", "experiment", "model", "task", "status", "actor", "commit", "inputs", "learner", "params", "train_rows", "valid_rows", "test_rows", "seconds"}
	for _, name := range names {
		head = append(head, escape.CSV(name))
	}
	_ = w.Write(head) // a Buffer takes everything
	for _, r := range s.runs {
		params, _ := json.Marshal(r.Params) // decoded TOML: always marshals, or the column is empty
		inputs, _ := r.Inputs["digest"].(string)
		row := []string{r.ID, r.Time.UTC().Format(time.RFC3339), r.Experiment, r.Model, r.Task, firstOf(r.Status, "ok"), r.Actor, r.Code.Commit, inputs, r.Learner, string(params),
			strconv.Itoa(r.Rows.Train), strconv.Itoa(r.Rows.Valid), strconv.Itoa(r.Rows.Test), strconv.FormatFloat(r.Timings.Total, 'g', 6, 64)}
		for _, name := range names {
			text := ""
			if v, ok := r.Result.Metrics[name]; ok {
				text = number(&v)
			}
			row = append(row, text)
		}
		for i := range row {
			row[i] = escape.CSV(row[i])
		}
		_ = w.Write(row)
	}
	w.Flush()
	return b.Bytes()
}
