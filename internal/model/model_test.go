package model_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// stump splits x at 2, missing to the left, then its right side by the level b or c of color, missing to the right.
func stump() *model.Trees {
	return &model.Trees{Task: model.TaskBinary, Loss: model.LossLog, Base: []float32{-1}, Notes: []string{"a note"},
		Columns: []model.Feature{{Name: "x", Type: table.Float64}, {Name: "color", Type: table.String, Levels: []string{"a", "b", "c"}}},
		Trees: []model.Tree{{
			{Left: 1, Right: 2, Feature: 0, Threshold: 2, MissingLeft: true, Gain: 3, Hessian: 10, Value: 0.1},
			{Value: 0.5, Hessian: 4},
			{Left: 3, Right: 4, Feature: 1, Set: []uint64{0b110}, Gain: 1, Hessian: 6},
			{Value: -0.25, Hessian: 3}, {Value: 1, Hessian: 3}}}}
}

func line() *model.Linear {
	return &model.Linear{Task: model.TaskRegression, Intercept: model.PerClass{10}, Terms: []model.Term{
		{Feature: model.Feature{Name: "x", Type: table.Int64}, Mean: model.PerClass{3}, Coefficient: model.PerClass{2}, Missing: model.PerClass{0.5}, Spread: 3},
		{Feature: model.Feature{Name: "color", Type: table.String, Levels: []string{"a", "b"}, Other: true}, ByCode: []model.PerClass{{0}, {1}, {2}},
			Coefficient: model.PerClass{0}, Missing: model.PerClass{0.75}, Mean: model.PerClass{0.75}, Spread: 1}}}
}

// planes are the sums of three classes.
func planes() *model.Linear {
	return &model.Linear{Task: model.TaskMulticlass, Classes: []string{"a", "b", "c"}, Intercept: model.PerClass{0, 1, -1}, Terms: []model.Term{
		{Feature: model.Feature{Name: "x", Type: table.Int64}, Mean: model.PerClass{3}, Coefficient: model.PerClass{2, -1, 0}, Missing: model.PerClass{0.5, 0, 0}, Spread: 3},
		{Feature: model.Feature{Name: "color", Type: table.String, Levels: []string{"a", "b"}}, ByCode: []model.PerClass{{0, 0, 0}, {1, 2, 3}},
			Coefficient: model.PerClass{0, 0, 0}, Missing: model.PerClass{0.5, 1, 1.5}, Mean: model.PerClass{0.5, 1, 1.5}, Spread: 1}}}
}

// TestPlanes: of several sums, each row's scores are the shares of exp(sum); every list of a term is as long as the classes.
func TestPlanes(t *testing.T) {
	got, err := planes().Score(rows([]float64{0, math.NaN()}, "b", ""))
	if err != nil || len(got) != 3 {
		t.Fatal(err)
	}
	for i, sums := range [][]float64{{1, 3, 2}, {0.5 + 6 + 0.5, 1 - 3 + 1, -1 + 1.5}} {
		total := math.Exp(sums[0]) + math.Exp(sums[1]) + math.Exp(sums[2])
		for k, sum := range sums {
			if math.Abs(got[k][i]-math.Exp(sum)/total) > 1e-12 {
				t.Errorf("row %d class %d: %v", i, k, got[k][i])
			}
		}
	}
	m := planes()
	m.Terms[0].Missing = m.Terms[0].Missing[:2]
	if _, err := m.Encode(); err == nil {
		t.Error("a term of two sums for three classes is written")
	}
}

func rows(x []float64, colors ...string) table.Frame {
	f := table.Frame{N: len(x), Columns: []table.Vector{{Column: table.Column{Name: "color", Type: table.String}, Strings: colors, Null: make([]bool, len(x))},
		{Column: table.Column{Name: "x", Type: table.Float64}, Floats: x}}}
	for i, c := range colors {
		f.Columns[0].Null[i] = c == ""
	}
	return f
}

func TestScore(t *testing.T) {
	x := rows([]float64{1, math.NaN(), math.Inf(1), 2, 3, 3, math.Nextafter(2, 0)}, "a", "b", "a", "a", "b", "", "never seen")
	for _, c := range []struct {
		model model.Model
		want  []float64
	}{
		// the last x is below 2, but not as float32, which is what XGBoost compares
		{stump(), []float64{-0.5, -0.5, -0.5, -1.25, 0, 0, 0}},
		{line(), []float64{12, 17.5, 16.5, 14, 17, 16.75, 16}},
	} {
		got, err := c.model.Score(x)
		if err != nil || len(got) != 1 {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if c.model.Kind() == model.KindGBDT {
				want = 1 / (1 + math.Exp(-want))
			}
			if math.Abs(got[0][i]-want) > 1e-12 {
				t.Errorf("%s row %d: %v, not %v", c.model.Kind(), i, got[0][i], want)
			}
		}
	}
}

// TestColumns: what is missing or of another type is named; types of one family stand for each other.
func TestColumns(t *testing.T) {
	whole := rows([]float64{1}, "a")
	for want, change := range map[string]func(*table.Frame){
		`column "x" is missing`:              func(f *table.Frame) { f.Columns = f.Columns[:1] },
		`column "x" is of type string`:       func(f *table.Frame) { f.Columns[1].Type, f.Columns[1].Strings = table.String, []string{"1"} },
		`column "x" is of type timestamp`:    func(f *table.Frame) { f.Columns[1].Type, f.Columns[1].Ints = table.Timestamp, []int64{1} },
		`column "color" is of type int64`:    func(f *table.Frame) { f.Columns[0].Type, f.Columns[0].Ints = table.Int64, []int64{1} },
		`column "x" has 0 values for 1 rows`: func(f *table.Frame) { f.Columns[1].Floats = nil },
	} {
		for _, m := range []model.Model{stump(), line()} {
			f := table.Frame{N: 1, Columns: append([]table.Vector{}, whole.Columns...)}
			change(&f)
			if _, err := m.Score(f); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, not %s", m.Kind(), err, want)
			} else if problem.Exit(err) != problem.ExitWrong && !strings.Contains(want, "values") {
				t.Errorf("%v: exit %d", err, problem.Exit(err))
			}
		}
	}
	for _, v := range []table.Vector{{Column: table.Column{Type: table.Int64}, Ints: []int64{1}}, {Column: table.Column{Type: table.Bool}, Bools: []bool{true}},
		{Column: table.Column{Type: table.Decimal}, Strings: []string{"1.00"}}} {
		v.Name = "x"
		got, err := line().Score(table.Frame{N: 1, Columns: []table.Vector{v, whole.Columns[0]}})
		if err != nil || got[0][0] != 12 {
			t.Errorf("%s: %v %v", v.Type, got, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	for m, want := range map[model.Model]string{
		stump(): `{"kind":"gbdt","task":"binary","features":["x","color"],"trees":1,"leaves":3,"depth":2,"base":[-1],"notes":["a note"]} map[color:0.25 x:0.75]`,
		line(): `{"kind":"glm","task":"regression","features":["x","color"],"base":[10],"coefficients":[{"feature":"x","value":2},{"feature":"x","term":"missing","value":0.5},` +
			`{"feature":"color","term":"= a","value":0},{"feature":"color","term":"= b","value":1},{"feature":"color","term":"other","value":2},{"feature":"color","term":"missing","value":0.75}]} map[color:0.25 x:0.75]`,
	} {
		b, err := json.Marshal(m.Describe())
		if got := fmt.Sprintf("%s %v", b, m.Importance()); err != nil || got != want {
			t.Errorf("%s", got)
		}
	}
}

// TestLoadHostile: each change of a good file in testdata/hostile.txt ("file: old → new → message") is an error that says what is odd.
func TestLoadHostile(t *testing.T) {
	files := map[string]string{"gbdt": text(t, stump()), "glm": text(t, line())}
	cases, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(cases)), "\n") {
		kind, rest, _ := strings.Cut(l, ": ")
		part := strings.Split(rest, " → ")
		if len(part) != 3 || !strings.Contains(files[kind], part[0]) {
			t.Errorf("%s: not a case", l)
			continue
		}
		if _, err := model.Load([]byte(strings.Replace(files[kind], part[0], part[1], 1))); err == nil || !strings.Contains(err.Error(), part[2]) {
			t.Errorf("%s: %v", l, err)
		}
	}
	for _, b := range []string{"", "null", "[]", "{}", "\x00", `{"learner":null}`, `{"learner":{}}`, `{"format":"plumb.glm/2"}`, strings.Repeat("[", 1<<20), `{"learner":` + strings.Repeat(`{"a":`, 1<<16)} {
		if m, err := model.Load([]byte(b)); err == nil {
			t.Errorf("%.40q: %v", b, m)
		}
	}
}

// TestLoadBombs: a file can't make much more of itself, in memory or time.
func TestLoadBombs(t *testing.T) {
	many := func(item string, n int) string { return "[" + strings.Repeat(item+",", n-1) + item + "]" }
	for name, b := range map[string]string{
		"empty trees":    `{"learner":{"gradient_booster":{"model":{"trees":` + many("{}", 5<<20) + `}}}}`,
		"empty features": `{"learner":{"attributes":{"plumb":"{\"features\":` + many("{}", 5<<20) + `}"}}}`,
		"empty terms":    `{"format":"plumb.glm/1","terms":` + many("{}", 5<<20) + `}`,
		"many levels":    `{"format":"plumb.glm/1","task":"binary","terms":[{"name":"a","type":"string","levels":` + many(`"a"`, 1<<20) + `}]}`,
	} {
		start := time.Now()
		if _, err := model.Load([]byte(b)); err == nil {
			t.Errorf("%s: loaded", name)
		}
		t.Logf("%s: %d bytes refused in %v", name, len(b), time.Since(start))
	}
	if _, err := model.Load(make([]byte, model.MaxBytes+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
}

func text(t testing.TB, m model.Model) string {
	t.Helper()
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzLoad: whatever loads can be scored, described and written, and what was written loads again as it was.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(text(f, stump())))
	f.Add([]byte(text(f, line())))
	f.Add([]byte(text(f, planes())))
	trained, _ := filepath.Glob("../learn/testdata/*.json")
	for _, file := range trained {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := model.Load(b)
		if err != nil {
			return
		}
		if _, err := m.Score(frameOf(m)); err != nil {
			t.Fatal(err)
		}
		m.Importance()
		m.Describe()
		if _, err := model.ONNX(m); err != nil && !strings.Contains(err.Error(), "named \"score\"") {
			t.Fatal(err)
		}
		file, err := m.Encode()
		if err != nil {
			return
		}
		again, err := model.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := again.Encode()
		if err != nil || !bytes.Equal(file, twice) {
			t.Fatalf("another file: %v", err)
		}
	})
}

// frameOf makes three rows that a model takes: one of missing values, one of zeros and first levels, one of large numbers and unknown levels.
func frameOf(m model.Model) table.Frame {
	var features []model.Feature
	switch m := m.(type) {
	case *model.Trees:
		features = m.Columns
	case *model.Linear:
		for _, t := range m.Terms {
			features = append(features, t.Feature)
		}
	}
	f := table.Frame{N: 3}
	seen := map[string]bool{}
	for _, of := range features {
		if seen[of.Name] {
			continue
		}
		seen[of.Name] = true
		v := table.Vector{Column: table.Column{Name: of.Name, Type: of.Type}, Null: []bool{true, false, false}}
		switch of.Type {
		case table.String, table.Decimal:
			v.Strings = []string{"", "0", "1e308"}
			if len(of.Levels) > 0 {
				v.Strings[1] = of.Levels[len(of.Levels)-1]
			}
		default:
			v.Floats = []float64{0, 0, 1e308}
		}
		f.Columns = append(f.Columns, v)
	}
	return f
}
