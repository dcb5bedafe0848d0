package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/plumb-ml/plumb/internal/brief"
	"github.com/plumb-ml/plumb/internal/record"
)

// maxMatrix is how many classes a confusion matrix is drawn for. Of more, the commonest mistakes say it in less room.
const maxMatrix = 12

// shades of a matrix's cells.
const shades = 9

// matrix shows which class was answered for which, each cell shaded by its share of the row.
func (v *runPage) matrix(d record.Detail) {
	labels, names := d.Test.Matrix, d.Classes
	if c := d.Test.Confusion; c != nil {
		labels, names = [][]float64{{c.TN, c.FP}, {c.FN, c.TP}}, []string{"no", "yes"}
	}
	if len(labels) == 0 || len(names) != len(labels) || slices.ContainsFunc(labels, func(row []float64) bool { return len(row) != len(labels) }) {
		return
	}
	if len(labels) > maxMatrix {
		v.confusions(labels, names)
		return
	}
	v.Small = len(labels) == 2
	v.Matrix = grid{Caption: "Confusion matrix", Columns: []column{{"came", ""}}, Matrix: true}
	answered := "answered "
	if !v.Small {
		v.Matrix.More, answered = "Down the class that came, across the class that was answered; a cell is shaded by its share of the row.", ""
	}
	if d.Threshold != nil {
		v.Matrix.Caption = "Confusion at threshold " + brief.Exact(*d.Threshold)
	}
	for i, name := range names {
		v.Matrix.Columns = append(v.Matrix.Columns, column{answered + className(name), "n"})
		row, total := []cell{{Text: className(name)}}, sum(labels[i])
		for _, n := range labels[i] {
			c := cell{Text: brief.Number(n, 0), Class: "nil"}
			if total > 0 && n > 0 {
				c.Class = fmt.Sprintf("h%d", int(math.Ceil(n/total*shades)))
			}
			row = append(row, c)
		}
		v.Matrix.Rows = append(v.Matrix.Rows, row)
	}
}

// confusions lists the commonest mistakes.
func (v *runPage) confusions(labels [][]float64, names []string) {
	type mistake struct {
		actual, answered int
		n, share         float64
	}
	var all []mistake
	for i, row := range labels {
		total := sum(row)
		for j, n := range row {
			if i != j && n > 0 {
				all = append(all, mistake{i, j, n, n / total})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(b.n, a.n) })
	v.Confusions = grid{Caption: "Commonest mistakes", Columns: []column{{"came", ""}, {"answered", ""}, {"rows", "n"}, {"of the class", "n"}}, Empty: "Every answer is right."}
	for _, m := range all[:min(len(all), maxMatrix)] {
		v.Confusions.Rows = append(v.Confusions.Rows, []cell{{Text: className(names[m.actual])}, {Text: className(names[m.answered])}, {Text: brief.Number(m.n, 0)},
			{Text: brief.Number(100*m.share, 0) + " %"}})
	}
	v.Confusions.More = more(len(v.Confusions.Rows), len(all), "kinds of mistake", "the whole matrix is in the JSON file")
}

// classes shows each class against the rest: in their order where all have room, else the hardest.
func (v *runPage) classes(d record.Detail) {
	all := slices.Clone(d.PerClass)
	if len(all) == 0 {
		return
	}
	v.Classes = grid{Caption: "Classes", Columns: []column{{"class", ""}, {"precision", "n"}, {"recall", "n"}, {"F1", "n"}, {"AUC", "n"}, {"rows", "n"}, {"answered", "n"}}}
	if len(all) > maxMatrix {
		v.Classes.Caption = "Classes, lowest F1 first"
		slices.SortStableFunc(all, func(a, b record.ClassDetail) int { return cmp.Compare(last(a.F1), last(b.F1)) })
	}
	for _, c := range all[:min(len(all), maxMatrix)] {
		row := []cell{{Text: className(c.Class)}}
		for _, share := range []*float64{c.Precision, c.Recall, c.F1, c.AUC} {
			text := brief.Absent
			if share != nil {
				text = brief.Number(*share, 3)
			}
			row = append(row, cell{Text: text})
		}
		v.Classes.Rows = append(v.Classes.Rows, append(row, cell{Text: brief.Number(c.Rows, 0)}, cell{Text: brief.Number(c.Answered, 0)}))
	}
	v.Classes.More = more(len(v.Classes.Rows), len(all), "classes", "all are in the JSON file")
}

// className is a class as it is shown; one without a name is seen, too.
func className(name string) string {
	if name == "" {
		return "(empty)"
	}
	return brief.Clip(name, 40)
}

// last puts what does not exist behind what does.
func last(v *float64) float64 {
	if v == nil {
		return math.Inf(1)
	}
	return *v
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
