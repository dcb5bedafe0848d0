package page

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// datasetPage is a dataset as it was last pinned: what is in it and what its checks say.
type datasetPage struct {
	frame
	Facts       []pair
	Figures     []figure
	Meters      []meter
	QualityWhy  string
	Checks      grid
	Columns     []profiled
	ColumnsMore string
	ProfileWhy  string
	Files       grid
}

// profiled is a column of the profile.
type profiled struct {
	Name        string
	Description string
	Type        string
	Nulls       string
	Distinct    string
	Low         string
	Middle      string
	High        string
	Plot        *spark
	Top         string
}

type datasetsPage struct {
	frame
	Datasets []healthCard
}

func buildDatasets(_ context.Context, s *builder) error {
	list := datasetsPage{frame: s.frame("datasets/index.html", "Data", "Data")}
	for _, id := range s.allDatasets() {
		if len(list.Datasets) < MaxRows {
			list.Datasets = append(list.Datasets, s.healthCard(list.frame, id))
		}
		where := pagePath("datasets", id)
		if where == "" {
			continue
		}
		v := s.datasetPage(where, id)
		if err := s.render("dataset", where, v); err != nil {
			return err
		}
	}
	return s.render("datasets", "datasets/index.html", list)
}

func (s *builder) allDatasets() []string {
	out := sortedKeys(s.Docs.Datasets)
	for _, id := range sortedKeys(s.snapshots) {
		if s.Docs.Datasets[id] == nil {
			out = append(out, id)
		}
	}
	return out
}

func (s *builder) datasetPage(where, id string) datasetPage {
	v := datasetPage{frame: s.frame(where, "Data", id)}
	if d := s.Docs.Datasets[id]; d != nil {
		v.Facts = append(v.Facts, pair{Name: "owner", Text: firstOf(d.Owner, "nobody is named")}, pair{Name: "source", Text: brief.Clip(d.Source.Path, 200)})
		if d.Time.Event != "" {
			v.Facts = append(v.Facts, pair{Name: "event time", Text: brief.Clip(d.Time.Event, 200)})
		}
		if d.Time.Known != "" {
			v.Facts = append(v.Facts, pair{Name: "late columns known", Text: brief.Clip(d.Time.Known, 200)})
		}
	}
	s.lockFacts(&v, id)
	n := s.snapshots[id]
	if n == nil {
		v.QualityWhy, v.ProfileWhy = "there is no snapshot yet; plumb data pin makes one", "there is no snapshot yet; plumb data pin makes one"
		return v
	}
	v.Facts = append(v.Facts, pair{Name: "pinned", Text: date(n.Time) + " UTC by " + made(n.Header)})
	v.Figures = []figure{{Label: "rows", Value: brief.Count(n.Rows)}, {Label: "columns", Value: brief.Count(len(n.Columns))}, {Label: "files", Value: brief.Count(n.Files)}}
	s.quality(&v, n)
	s.profile(&v, n)
	v.How = []string{"Profile and checks were computed when the data was pinned, over all of its rows. Values are shown only of columns marked public; of the others, counts.",
		"A dimension's score is the weighted mean of its checks' pass rates (critical 3, warning 1), capped at 59 while a critical check fails; a dimension without checks is not assessed, never 100."}
	return v
}

func (s *builder) lockFacts(v *datasetPage, id string) {
	lock := s.Docs.Locks[id]
	if lock == nil {
		return
	}
	v.Facts = append(v.Facts, pair{Name: "content", Text: lock.Content}, pair{Name: "format", Text: lock.Format})
	v.Files = grid{Caption: "Files", Columns: []column{{"path", ""}, {"rows", "n"}, {"size", "n"}, {"sha256", ""}}}
	for _, f := range capped(lock.Files) {
		v.Files.Rows = append(v.Files.Rows, []cell{{Text: brief.Clip(f.Path, 160)}, {Text: brief.Count(f.Rows)}, {Text: brief.Bytes(f.Bytes)}, {Text: brief.Short(f.SHA256)}})
	}
	v.Files.More = more(len(v.Files.Rows), len(lock.Files), "files", "all are in datasets/"+id+".lock.toml")
}

// quality fills in scores and checks.
func (s *builder) quality(v *datasetPage, n *record.Snapshot) {
	var q record.Quality
	if v.QualityWhy = s.blob(n.Quality, &q); v.QualityWhy != "" {
		for _, name := range record.Dimensions {
			if score, ok := n.Scores[name]; ok {
				v.Meters = append(v.Meters, newMeter(name, &score, 0, ""))
			}
		}
		return
	}
	for _, name := range record.Dimensions {
		d := q.Scores[name]
		v.Meters = append(v.Meters, newMeter(name, d.Score, d.Checks, d.State))
	}
	v.Checks = grid{Caption: "Checks", Columns: []column{{"check", ""}, {"state", ""}, {"on", ""}, {"dimension", ""}, {"level", ""}, {"unexpected", "n"}}, Empty: "The dataset's document states no check."}
	for _, c := range capped(q.Checks) {
		v.Checks.Rows = append(v.Checks.Rows, []cell{{Text: c.ID, Sub: c.Kind}, checkState(c), {Text: brief.Clip(firstOf(c.Column, strings.Join(c.Columns, ", "), "the whole table"), 120)}, {Text: c.Dimension}, {Text: c.Level}, unexpected(c)})
	}
	v.Checks.More = more(len(v.Checks.Rows), len(q.Checks), "checks", "all are in the JSON file")
	where := strings.TrimSuffix(pagePath("datasets", n.Dataset), ".html") + "-quality.json"
	if s.writeJSON(where, q) == nil {
		v.Downloads = append(v.Downloads, link{Text: "Checks, JSON", Href: v.to(where)})
	}
}

func checkState(c record.QualityCheck) cell {
	out := cell{Sub: brief.Clip(c.Reason, 200)}
	switch c.State {
	case record.CheckPass:
		out.Text, out.Class = "✓ pass", "good"
	case record.CheckFail:
		out.Text, out.Class = "✗ fail", "bad"
	case record.CheckError:
		out.Text, out.Class = "? could not ask", "unsure"
	default:
		out.Text, out.Class = "not assessed", "even"
	}
	return out
}

func unexpected(c record.QualityCheck) cell {
	if c.UnexpectedCount == nil {
		if c.Observed != nil {
			return cell{Text: short(c.Observed), Sub: "observed"}
		}
		return cell{Text: brief.Absent}
	}
	out := cell{Text: brief.Count(*c.UnexpectedCount)}
	if c.UnexpectedPercent != nil && *c.UnexpectedCount > 0 {
		out.Sub = brief.Number(*c.UnexpectedPercent, 3) + " %"
	}
	return out
}

// profile fills in the columns.
func (s *builder) profile(v *datasetPage, n *record.Snapshot) {
	var p record.Profile
	if v.ProfileWhy = s.blob(n.Profile, &p); v.ProfileWhy != "" {
		return
	}
	d := s.Docs.Datasets[n.Dataset]
	for _, c := range capped(p.Columns) {
		row := profiledOf(c, p.Rows)
		if d != nil {
			note := d.Columns[c.Name]
			row.Description = brief.Clip(note.Description, 120)
			if note.Unit != "" {
				row.Type += ", " + note.Unit
			}
			if note.Late {
				row.Type += ", late"
			}
		}
		v.Columns = append(v.Columns, row)
	}
	v.ColumnsMore = more(len(v.Columns), len(p.Columns), "columns", "all are in the JSON file")
	where := strings.TrimSuffix(pagePath("datasets", n.Dataset), ".html") + "-profile.json"
	if s.writeJSON(where, p) == nil {
		v.Downloads = append(v.Downloads, link{Text: "Profile, JSON", Href: v.to(where)})
	}
}

func profiledOf(c record.ColumnProfile, rows int64) profiled {
	out := profiled{Name: brief.Clip(c.Name, 80), Type: c.Type, Nulls: "0", Distinct: brief.Count(c.Distinct), Low: short(c.Min), Middle: brief.Absent, High: short(c.Max)}
	if c.Nulls > 0 {
		out.Nulls = brief.Count(c.Nulls)
		if rows > 0 {
			out.Nulls += " (" + percent(float64(c.Nulls)/float64(rows)) + ")"
		}
	}
	for _, q := range c.Quantiles {
		if q.Share == 0.5 {
			out.Middle = short(q.Value)
		}
	}
	var counts []float64
	for _, b := range c.Histogram {
		counts = append(counts, float64(b.Rows))
	}
	what := "values of " + out.Name + " from " + out.Low + " to " + out.High
	if len(counts) == 0 {
		for _, n := range c.TopCounts {
			counts = append(counts, float64(n))
		}
		what = "rows of the most common values of " + out.Name
	}
	out.Plot = newSpark(thin(counts, MaxPoints), what)
	var top []string
	if c.Type == string(table.String) && c.Min != nil { // what a text's least and most are of
		out.Low, out.High = out.Low+" long", out.High+" long"
	}
	if c.Type == string(table.Timestamp) { // hardly any instant is common
		return out
	}
	for _, t := range c.Top[:min(len(c.Top), 3)] {
		top = append(top, brief.Clip(fmt.Sprint(t.Value), 24))
	}
	out.Top = strings.Join(top, ", ")
	return out
}

// short is a value of a profile in few characters.
func short(v any) string {
	switch v := v.(type) {
	case float64:
		return brief.Value("", v)
	case string:
		if len(v) >= len("2006-01-02T15:04:05Z") && v[4] == '-' && v[10] == 'T' {
			return strings.Replace(v[:16], "T", " ", 1)
		}
	}
	return brief.Clip(show(v), 24)
}

func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "< 0.1 %"
	}
	return brief.Number(share*100, 1) + " %"
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
