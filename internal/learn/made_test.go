package learn

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/table"
)

var update = flag.Bool("update", false, "write the golden models")

// made gives n made-up rows with a label and with a value.
func made(n int) (binary, regression Set) {
	all := madeAll(n)
	return all[model.TaskBinary], all[model.TaskRegression]
}

var threeClasses = []string{"low", "middle", "high <é>"}

// counts is the key of a regression on counts in madeAll.
const counts = "counts"

// madeAll gives n made-up rows, the same as class Made of testdata/golden.py: five features of all kinds, labels of each task that depend on
// them, and weights.
func madeAll(n int) map[string]Set {
	var u [10][]float64
	for k := range u {
		stream := generator(1000 * k)
		for range n {
			u[k] = append(u[k], stream.float())
		}
	}
	share, hour, level := numbers("share", n), table.Vector{Column: table.Column{Name: "hour", Type: table.Int64}, Ints: make([]int64, n)}, texts("level", n)
	amount, flagged := numbers("amount", n), table.Vector{Column: table.Column{Name: "flag", Type: table.Bool}, Bools: make([]bool, n)}
	amount.Null = make([]bool, n)
	label, value, weight, class, count := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		l := math.Floor(u[3][i] * u[3][i] * 30)
		share.Floats[i], hour.Ints[i], level.Strings[i] = u[1][i], int64(u[2][i]*24), fmt.Sprintf("L%02d", int(l))
		amount.Floats[i], amount.Null[i], flagged.Bools[i] = u[4][i]*1000, u[5][i] < 0.1, u[6][i] < 0.5
		known := 0.7
		if !amount.Null[i] {
			known = amount.Floats[i] / 2000
			if !flagged.Bools[i] {
				known = -known
			}
		}
		f := -1.5 + 1.5*share.Floats[i] + 0.1*math.Abs(float64(hour.Ints[i])-12) + 0.4*math.Mod(l, 3) + known
		if u[8][i] < logistic(f) {
			label[i] = 1
		}
		switch z := f + 4*(u[8][i]-0.5); {
		case z >= 1:
			class[i] = 2
		case z >= 0:
			class[i] = 1
		}
		count[i] = math.Floor(3 * u[8][i] * math.Exp(f/2))
		value[i], weight[i] = 10*f+5*(u[9][i]-0.5), 0.5+u[7][i]
	}
	x := table.Frame{N: n, Columns: []table.Vector{share, hour, level, amount, flagged}}
	return map[string]Set{model.TaskBinary: {X: x, Y: label, W: weight}, model.TaskRegression: {X: x, Y: value, W: weight},
		model.TaskMulticlass: {X: x, Y: class, W: weight}, counts: {X: x, Y: count, W: weight}}
}

func numbers(name string, n int) table.Vector {
	return table.Vector{Column: table.Column{Name: name, Type: table.Float64}, Floats: make([]float64, n)}
}

func texts(name string, n int) table.Vector {
	return table.Vector{Column: table.Column{Name: name, Type: table.String}, Strings: make([]string, n)}
}

// part gives rows from..to of a set.
func (s *Set) part(from, to int) Set {
	rows := make([]int, to-from)
	for i := range rows {
		rows[i] = from + i
	}
	out := Set{X: s.X.Select(rows), Y: s.Y[from:to]}
	if s.W != nil {
		out.W = s.W[from:to]
	}
	return out
}

func (s Set) unweighted() Set { return Set{X: s.X, Y: s.Y} }

// golden is testdata/golden.json.
type golden struct {
	Versions map[string]string
	GLM      map[string]map[string]float64 `json:"glm"`
	GBDT     map[string]map[string]float64 `json:"gbdt"`
	XGBoost  map[string]json.RawMessage    `json:"xgboost"`
}

func readGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func train(t testing.TB, job Job) model.Model {
	t.Helper()
	m, err := Train(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func score(t testing.TB, m model.Model, x table.Frame) []float64 { return scores(t, m, x)[0] }

func scores(t testing.TB, m model.Model, x table.Frame) [][]float64 {
	t.Helper()
	s, err := m.Score(x)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// madeJob is a training on n made-up rows; the task may be counts.
func madeJob(task, learner string, n int) Job {
	job := Job{Task: task, Learner: learner, Train: madeAll(n)[task], Params: map[string]any{}}
	switch task {
	case model.TaskMulticlass:
		job.Classes = threeClasses
	case counts:
		job.Task = model.TaskRegression
		job.Params[map[string]string{model.KindGLM: "family", model.KindGBDT: "loss"}[learner]] = "poisson"
	}
	return job
}

func encoded(t testing.TB, m model.Model) []byte {
	t.Helper()
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// near compares to so many parts of the larger, and never finer than 1e-9.
func near(a, b, parts float64) bool {
	return math.Abs(a-b) <= parts*math.Max(math.Abs(a), math.Abs(b))+1e-9
}

// auc is the chance that a positive row scores above a negative one, ties half (Mann and Whitney 1947).
func auc(label, scores []float64) float64 {
	order := make([]int, len(label))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case scores[a] < scores[b]:
			return -1
		case scores[a] > scores[b]:
			return 1
		}
		return 0
	})
	ranks, positive := 0.0, 0.0
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && scores[order[j]] == scores[order[i]] {
			j++
		}
		for _, row := range order[i:j] {
			ranks += label[row] * float64(i+j+1) / 2
			positive += label[row]
		}
		i = j
	}
	return (ranks - positive*(positive+1)/2) / (positive * (float64(len(label)) - positive))
}

func logLoss(label, scores []float64) float64 {
	sum := 0.0
	for i, p := range scores {
		sum -= label[i]*math.Log(p) + (1-label[i])*math.Log(1-p)
	}
	return sum / float64(len(label))
}

// manyLogLoss is the log loss of probabilities, one column a class.
func manyLogLoss(label []float64, scores [][]float64) float64 {
	sum := 0.0
	for i, y := range label {
		sum -= math.Log(scores[int(y)][i])
	}
	return sum / float64(len(label))
}

// poissonDeviance is twice the mean of y·log(y/ŷ) − y + ŷ.
func poissonDeviance(value, scores []float64) float64 {
	sum := 0.0
	for i, p := range scores {
		if value[i] > 0 {
			sum += value[i] * math.Log(value[i]/p)
		}
		sum += p - value[i]
	}
	return 2 * sum / float64(len(value))
}

func rmse(value, scores []float64) float64 {
	sum := 0.0
	for i, p := range scores {
		sum += (p - value[i]) * (p - value[i])
	}
	return math.Sqrt(sum / float64(len(value)))
}
