package learn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// TestWeights: a doubled weight is the row twice, a weight of 0 no row. Trees cut numbers between rows and count rows of rare levels, so there
// the data has few of both; and all rows have weights of their own, or two splits may be equally good and the last bit choose.
func TestWeights(t *testing.T) {
	binary, regression := made(240)
	for _, learner := range learners {
		for task, set := range map[string]Set{model.TaskBinary: binary, model.TaskRegression: regression} {
			params := map[string]any{"rounds": int64(10), "min_child": int64(1), "min_hessian": 1.0}
			if learner == model.KindGLM {
				params = nil
			} else {
				set.X.Columns = append(slices.Clone(set.X.Columns[:2]), set.X.Columns[3:]...)
			}
			var rows []int
			w, twice := make([]float64, set.X.N), Set{}
			for i := range w {
				w[i] = set.W[i] * float64(i%3)
				for range i % 3 {
					rows, twice.Y, twice.W = append(rows, i), append(twice.Y, set.Y[i]), append(twice.W, set.W[i])
				}
			}
			twice.X = set.X.Select(rows)
			a := score(t, train(t, Job{Task: task, Learner: learner, Params: params, Train: Set{X: set.X, Y: set.Y, W: w}}), twice.X)
			b := score(t, train(t, Job{Task: task, Learner: learner, Params: params, Train: twice}), twice.X)
			off := 0
			for i := range a {
				if !near(a[i], b[i], 1e-4) { // leaves are whole steps of 1e-6
					off++
				}
			}
			if off > 0 {
				t.Errorf("%s %s: %d of %d scores differ", learner, task, off, len(a))
			}
		}
	}
}

// TestOddColumns: no column that data may bring stops training or makes a score that is not a number.
func TestOddColumns(t *testing.T) {
	const n = 500
	binary, _ := made(n)
	odd := map[string]table.Vector{"duplicate": binary.X.Columns[0], "infinite": numbers("", n), "constant": numbers("", n), "empty": numbers("", n),
		"huge": numbers("", n), "separates": numbers("", n), "one level": texts("", n), "no level": texts("", n), "every row a level": texts("", n),
		"he said \"<b>\x01\u2028\\": numbers("", n), "separating level": texts("", n), "near constant": numbers("", n), "date": {Column: table.Column{Type: table.Date}, Ints: make([]int64, n)},
		"decimal": {Column: table.Column{Type: table.Decimal}, Strings: make([]string, n)}, "not text": texts("", n), "2^53": {Column: table.Column{Type: table.Int64}, Ints: make([]int64, n)}}
	all := make([]bool, n)
	for i := range n {
		all[i] = true
		y := binary.Y[i]
		odd["infinite"].Floats[i] = []float64{math.Inf(1), math.NaN(), math.Inf(-1), 1, 2}[i%5]
		odd["constant"].Floats[i] = 0.1
		odd["huge"].Floats[i] = 1e100 * float64(i)
		odd["separates"].Floats[i] = y + float64(i)/(2*n)
		odd["every row a level"].Strings[i] = fmt.Sprintf("level %d \"\n", i)
		odd["separating level"].Strings[i] = []string{"a", "b", "c"}[i%2+int(y)*(1-i%2)*2]
		odd["near constant"].Floats[i] = 1e15 + float64(i%2)
		odd["he said \"<b>\x01\u2028\\"].Floats[i] = float64(i % 7)
		odd["not text"].Strings[i] = []string{"\xff\xfe", "a\x00", "\xc3", "\ufffd"}[i%4]
		odd["2^53"].Ints[i] = 1<<53 + int64(i)
		odd["date"].Ints[i] = int64(11_000 + i%50)
		odd["decimal"].Strings[i] = []string{"1.50", "-2.25", "text", "3"}[i%4]
	}
	for name, v := range odd {
		v.Name = name
		if name == "empty" || name == "no level" {
			v.Null = all
		}
		for _, job := range allJobs(n) {
			learner, x := job.Learner+" "+job.Task, table.Frame{N: n, Columns: append(slices.Clone(binary.X.Columns), v)}
			job.Train.X = x
			m := train(t, job)
			again, err := model.Load(encoded(t, m))
			if err != nil {
				t.Fatalf("%s %s: %v", learner, name, err)
			}
			for _, column := range scores(t, again, x) {
				for i, p := range column {
					if math.IsNaN(p) || math.IsInf(p, 0) || job.Task != model.TaskRegression && !(p >= 0 && p <= 1) {
						t.Fatalf("%s %s: row %d scores %v", learner, name, i, p)
					}
				}
			}
			if _, err := model.ONNX(again); err != nil {
				t.Errorf("%s %s: %v", learner, name, err)
			}
			t.Logf("%s %q: %v", learner, name, m.Describe().Notes)
			_, noted := map[string]bool{"constant": true, "empty": true, "one level": true, "no level": true}[name]
			if noted && len(m.Describe().Notes) == 0 {
				t.Errorf("%s does not say that %s is not used", learner, name)
			}
		}
	}
}

// allJobs are trainings of n rows, one a learner and task.
func allJobs(n int) (out []Job) {
	for _, learner := range learners {
		for _, task := range []string{model.TaskBinary, model.TaskRegression, model.TaskMulticlass, counts} {
			job := madeJob(task, learner, n)
			if learner == model.KindGBDT {
				job.Params["rounds"] = int64(20)
			}
			out = append(out, job)
		}
	}
	return out
}

// TestFewRows: parts of one row and of two are learned, or what they lack is said.
func TestFewRows(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		for _, job := range allJobs(n) {
			if job.Learner == model.KindGBDT {
				job.Params["early_stopping"] = int64(1)
				job.Valid = job.Train.part(0, 1)
			}
			m, err := Train(context.Background(), job)
			if err != nil {
				if problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), "one class only") && !strings.Contains(err.Error(), "label is 0") {
					t.Errorf("%s %s, %d rows: %v", job.Learner, job.Task, n, err)
				}
				continue
			}
			for _, column := range scores(t, m, job.Train.X) {
				for i, p := range column {
					if math.IsNaN(p) || math.IsInf(p, 0) {
						t.Errorf("%s %s, %d rows: row %d scores %v", job.Learner, job.Task, n, i, p)
					}
				}
			}
		}
	}
}

// TestHugeNumbers: weights as large and as small as they may be change nothing but the last digits; larger ones, and labels that can't be
// squared or kept, are refused.
func TestHugeNumbers(t *testing.T) {
	for _, job := range allJobs(400) {
		job.Params["min_hessian"] = 0.0
		job.Train.X.Columns = slices.Delete(slices.Clone(job.Train.X.Columns), 2, 3) // trees smooth levels by an absolute amount
		if job.Learner == model.KindGLM {
			delete(job.Params, "min_hessian")
		}
		set := job.Train
		want := scores(t, train(t, job), set.X)
		for _, scale := range []float64{0x1p300, 0x1p-300} {
			job.Train.W = make([]float64, set.X.N)
			for i, w := range set.W {
				job.Train.W[i] = w * scale
			}
			got := scores(t, train(t, job), set.X)
			for k := range got {
				for i := range got[k] {
					if !near(got[k][i], want[k][i], 1e-4) {
						t.Fatalf("%s %s, weights times %g: row %d scores %g, not %g", job.Learner, job.Task, scale, i, got[k][i], want[k][i])
					}
				}
			}
		}
		job.Train.W = slices.Clone(set.W)
		job.Train.W[7] = 1e200
		if _, err := Train(context.Background(), job); problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), "weight of row 7") {
			t.Errorf("%s %s: %v", job.Learner, job.Task, err)
		}
		if job.Task == model.TaskRegression {
			job.Train = Set{X: set.X, Y: slices.Clone(set.Y)}
			job.Train.Y[5] = 1e120
			if _, err := Train(context.Background(), job); problem.Exit(err) != problem.ExitWrong || !strings.Contains(err.Error(), "largest label is 1e+120") {
				t.Errorf("%s: %v", job.Learner, err)
			}
		}
	}
}

// TestSeparation: the glm says that a column separates the classes, and a penalty makes that go away.
func TestSeparation(t *testing.T) {
	x := table.Frame{N: 100, Columns: []table.Vector{numbers("x", 100)}}
	y := make([]float64, 100)
	for i := range y {
		x.Columns[0].Floats[i] = float64(i)
		if i >= 40 {
			y[i] = 1
		}
	}
	job := Job{Task: model.TaskBinary, Learner: model.KindGLM, Train: Set{X: x, Y: y}}
	s := train(t, job).Describe()
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "no finite best value") {
		t.Errorf("%v", s)
	}
	job.Params = map[string]any{"l2": 0.01}
	if s := train(t, job).Describe(); len(s.Notes) != 0 {
		t.Errorf("%v", s)
	}
}

// TestCollinear: a column that others explain changes no score; its coefficient is 0.
func TestCollinear(t *testing.T) {
	_, regression := made(400)
	job := Job{Task: model.TaskRegression, Learner: model.KindGLM, Train: regression}
	want := score(t, train(t, job), regression.X)
	sum := numbers("sum", 400)
	for i := range sum.Floats {
		sum.Floats[i] = 3*regression.X.Columns[0].Floats[i] - 2*float64(regression.X.Columns[1].Ints[i]) + 5
	}
	job.Train.X.Columns = append(slices.Clone(regression.X.Columns), sum)
	m := train(t, job)
	for i, p := range score(t, m, job.Train.X) {
		if !near(p, want[i], 1e-8) {
			t.Fatalf("row %d: %v, without the column %v", i, p, want[i])
		}
	}
	if share := m.Importance()["sum"]; share != 0 {
		t.Errorf("%v", m.Importance())
	}
}

// TestUnseen: a level that training did not see is "other" where rare levels were gathered, else missing.
func TestUnseen(t *testing.T) {
	binary, _ := made(2000)
	for _, learner := range learners {
		for _, levels := range []int64{10, 100} {
			m := train(t, Job{Task: model.TaskBinary, Learner: learner, Train: binary, Params: map[string]any{"levels": levels}})
			row := binary.part(0, 2).X
			row.Columns[2].Strings[0], row.Columns[2].Strings[1] = "never seen", "L29" // the rarest
			if levels == 100 {
				row.Columns[2].Null = []bool{false, true}
			}
			for c := range row.Columns[:2] {
				row.Columns[c] = table.Vector{Column: row.Columns[c].Column, Floats: []float64{0.5, 0.5}}
			}
			for c := 3; c < 5; c++ {
				row.Columns[c] = table.Vector{Column: row.Columns[c].Column, Floats: []float64{1, 1}}
			}
			if p := score(t, m, row); p[0] != p[1] {
				t.Errorf("%s with %d levels: %v", learner, levels, p)
			}
		}
	}
}

// TestOneRow: a single row can be learned by regression: its value.
func TestOneRow(t *testing.T) {
	_, regression := made(1)
	for _, learner := range learners {
		m := train(t, Job{Task: model.TaskRegression, Learner: learner, Train: regression})
		if p := score(t, m, regression.X); !near(p[0], regression.Y[0], 1e-6) {
			t.Errorf("%s: %v, not %v", learner, p, regression.Y)
		}
		if again, err := model.Load(encoded(t, m)); err != nil || again.Kind() != learner {
			t.Error(err)
		}
		if p := score(t, m, regression.X.Select(nil)); len(p) != 0 {
			t.Errorf("%s: %d scores of no rows", learner, len(p))
		}
	}
}

// TestLargeLabels: values far from 0 with little spread, and of any size, are learned.
func TestLargeLabels(t *testing.T) {
	_, regression := made(3000)
	for _, learner := range learners {
		for _, scale := range []float64{1e-12, 1, 1e12} {
			set := Set{X: regression.X, Y: make([]float64, 3000)}
			for i, y := range regression.Y {
				set.Y[i] = scale * (1e4 + y)
			}
			p := score(t, train(t, Job{Task: model.TaskRegression, Learner: learner, Train: set}), set.X)
			if got := rmse(set.Y, p) / scale; got > 5 {
				t.Errorf("%s, labels times %g: rmse %g of the scale", learner, scale, got)
			}
		}
	}
}

// TestTenThousandLevels: many levels cost neither much memory nor much time, and the frequent ones are still learned.
func TestTenThousandLevels(t *testing.T) {
	const n = 30_000
	x := table.Frame{N: n, Columns: []table.Vector{texts("id", n)}}
	y, random := make([]float64, n), generator(5)
	for i := range y {
		level := int(10_000 * math.Pow(random.float(), 8))
		x.Columns[0].Strings[i] = fmt.Sprint("id", level)
		if random.float() < 0.2+0.6*float64(level%2) {
			y[i] = 1
		}
	}
	for _, learner := range learners {
		m := train(t, Job{Task: model.TaskBinary, Learner: learner, Train: Set{X: x, Y: y}})
		if a := auc(y, score(t, m, x)); a < 0.7 {
			t.Errorf("%s: auc %.3f", learner, a)
		}
		if notes := m.Describe().Notes; len(notes) != 1 || !strings.Contains(notes[0], "rarer ones") {
			t.Errorf("%s: %v", learner, notes)
		}
	}
	x.Columns = nil
	for c := range 30 {
		v := texts(fmt.Sprint("c", c), n)
		for i := range v.Strings {
			v.Strings[i] = fmt.Sprint(i % (100 + c))
		}
		x.Columns = append(x.Columns, v)
	}
	if _, err := Train(context.Background(), Job{Task: model.TaskBinary, Learner: model.KindGLM, Train: Set{X: x, Y: y}}); problem.Exit(err) != problem.ExitWrong {
		t.Error(err)
	}
}
