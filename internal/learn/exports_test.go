package learn

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/outside"
	"github.com/plumb-ml/plumb/internal/table"
)

// TestExports: XGBoost and onnxruntime read what plumb writes, and score 10,000 rows as plumb does: to 1e-6, probabilities absolutely and
// values relatively. The rows have nulls of every type, infinities, levels that training did not see, and odd names.
func TestExports(t *testing.T) {
	if testing.Short() {
		t.Skip("asks python")
	}
	python := outside.Python(t)
	const n, trained = 10_000, 3000
	all, odd := madeAll(n), oddColumns(n)
	dir, cases := t.TempDir(), []string{}
	db, err := engine.Open(t.Context(), engine.Options{Read: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write := func(f table.Frame, name string) {
		if err := db.WriteFrame(context.Background(), f, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	rows := table.Frame{N: n, Columns: append(odd, all[counts].X.Columns...)}
	write(rows, "rows.parquet")
	for _, learner := range learners {
		for task, set := range all {
			set.X = rows
			job := madeJob(task, learner, 1)
			job.Train, job.Params["levels"] = set.part(0, trained), int64(20)
			if learner == model.KindGBDT {
				job.Params["min_child"] = int64(5)
			} else {
				job.Params["l2"] = 0.001
			}
			m := train(t, job)
			name := learner + "-" + task
			put(t, filepath.Join(dir, name+".json"), encoded(t, m))
			graph, err := model.ONNX(m)
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, name+".onnx"), graph)
			write(frameOfScores(scores(t, m, rows)), name+".scores.parquet")
			cases = append(cases, name)
		}
	}
	list, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "cases.json"), list)
	out, err := exec.Command(python, "../../testdata/python/exports.py", dir).Output()
	if err != nil {
		t.Fatalf("%v %s", err, err.(*exec.ExitError).Stderr)
	}
	judgeExports(t, out, len(cases))
}

func judgeExports(t *testing.T, out []byte, cases int) {
	var said struct {
		Versions map[string]string
		Rows     int
		Cases    map[string]map[string]struct{ Absolute, Relative float64 }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Log(said.Versions)
	if said.Rows != 10_000 || len(said.Cases) != cases {
		t.Errorf("%d rows, %d cases", said.Rows, len(said.Cases))
	}
	for name, by := range said.Cases {
		for tool, d := range by {
			t.Logf("%-16s %-12s %.1e absolute %.1e relative", name, tool, d.Absolute, d.Relative)
			worst := d.Absolute
			if name == "gbdt-regression" || name == "glm-regression" || name == "gbdt-counts" || name == "glm-counts" {
				worst = d.Relative
			}
			if !(worst <= 1e-6) {
				t.Errorf("%s: %s is off by %g", name, tool, worst)
			}
		}
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func frameOfScores(scores [][]float64) table.Frame {
	f := table.Frame{N: len(scores[0])}
	for k, column := range scores {
		v := numbers(fmt.Sprint("score", k), 0)
		v.Floats = column
		f.Columns = append(f.Columns, v)
	}
	return f
}

// oddColumns are features of the types and with the values that are most often read wrongly.
func oddColumns(n int) []table.Vector {
	ints := func(name string, kind table.Type) table.Vector {
		return table.Vector{Column: table.Column{Name: name, Type: kind}, Ints: make([]int64, n), Null: make([]bool, n)}
	}
	day, moment, big, lost := ints("day", table.Date), ints("moment", table.Timestamp), ints("2^53", table.Int64), ints("empty", table.Int64)
	infinite, huge := numbers("infinite", n), numbers("huge", n)
	price := table.Vector{Column: table.Column{Name: "price", Type: table.Decimal}, Strings: make([]string, n)}
	text, few := texts("t1 \"<[é]>\n", n), texts("", n)
	text.Null, few.Name, few.Null = make([]bool, n), "few", make([]bool, n)
	random := generator(99)
	for i := range n {
		u := random.float()
		day.Ints[i], day.Null[i] = 11_000+int64(200*u), u < 0.05
		moment.Ints[i], moment.Null[i] = int64(1e15+1e12*random.float()), random.float() < 0.05
		big.Ints[i], big.Null[i] = 1<<53+int64(100*random.float()), random.float() < 0.05
		lost.Null[i] = true
		infinite.Floats[i] = []float64{random.float(), math.Inf(1), math.Inf(-1), math.NaN(), -1}[i%5]
		huge.Floats[i] = math.Ldexp(random.float()-0.5, int(140*random.float()))
		price.Strings[i] = fmt.Sprintf("%.2f", 100*random.float())
		text.Strings[i], text.Null[i] = []string{"", "a\tb", "ä", "\u2028", "it's \"x\""}[i%5], random.float() < 0.1
		few.Strings[i], few.Null[i] = fmt.Sprint("f", i%4), random.float() < 0.1
		if i > 3000 && i%7 == 0 { // after what is trained on
			few.Strings[i], text.Strings[i] = "never seen", "nor this"
		}
	}
	return []table.Vector{day, moment, big, lost, infinite, huge, price, text, few}
}
