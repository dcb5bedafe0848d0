package learn

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/outside"
	"github.com/plumb-ml/plumb/internal/table"
)

// scikit runs testdata/python/scikit.py and gives what it says.
func scikit(t testing.TB, said any, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("asks python")
	}
	c := exec.Command(outside.Python(t), append([]string{"../../testdata/python/scikit.py"}, args...)...)
	c.Env = append(os.Environ(), "OMP_WAIT_POLICY=passive")
	if args[0] == "folds" { // many small trainings: threads would mostly wait for each other
		c.Env = append(c.Env, "OMP_NUM_THREADS=1")
	}
	out, err := c.Output()
	if err != nil {
		if failed, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v: %s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var all struct {
		Versions map[string]string
		Said     json.RawMessage
	}
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	t.Log(all.Versions)
	if err := json.Unmarshal(all.Said, said); err != nil {
		t.Fatal(err)
	}
}

func openEngine(t testing.TB, read ...string) *engine.DB {
	t.Helper()
	db, err := engine.Open(context.Background(), engine.Options{Read: read})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func query(t testing.TB, db *engine.DB, sql string) table.Frame {
	t.Helper()
	f, err := db.Frame(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// taken takes a column out of a frame, as numbers.
func taken(t testing.TB, f *table.Frame, name string) []float64 {
	t.Helper()
	for i := range f.Columns {
		if v := &f.Columns[i]; v.Name == name {
			out := make([]float64, f.N)
			for row := range out {
				out[row] = v.Float(row)
			}
			f.Columns = append(f.Columns[:i:i], f.Columns[i+1:]...)
			return out
		}
	}
	t.Fatalf("no column %s", name)
	return nil
}

// flights gives 300,000 real flights (testdata/flights.py): whether one is more than 15 minutes late, by distance, minute of the day, weekday
// and airports. The last 28 days are the test part.
func flights(t testing.TB) (train, test Set) {
	t.Helper()
	db := openEngine(t, "testdata/flights.parquet")
	part := func(which string) Set {
		f := query(t, db, `select distance::bigint as distance, hour(date) * 60 + minute(date) as minute, (dayofweek(date) + 6) % 7 as weekday, origin, destination,
			(delay > 15)::int as late from read_parquet('testdata/flights.parquet')
			where date `+which+` (select max(date) - interval 28 day from read_parquet('testdata/flights.parquet'))`)
		y := taken(t, &f, "late")
		return Set{X: f, Y: y}
	}
	return part("<="), part(">")
}

// TestFlights: on the same split of real rows, the glm's coefficients are those of scikit-learn's LogisticRegression without a penalty to 5
// digits, and the gbdt is not worse than its HistGradientBoosting by 0.003 of AUC. The latter bins a random sample: three seeds.
func TestFlights(t *testing.T) {
	dir := t.TempDir()
	var said struct {
		Train, Test  int
		Intercept    float64
		Coefficients map[string]float64
	}
	scikit(t, &said, "flights", "testdata/flights.parquet", dir)
	learned, rest := flights(t)
	if learned.X.N != said.Train || rest.X.N != said.Test {
		t.Fatalf("%d and %d rows, scikit-learn %d and %d", learned.X.N, rest.X.N, said.Train, said.Test)
	}
	scores := query(t, openEngine(t, dir), "select * from read_parquet('"+filepath.Join(dir, "scores.parquet")+"')")

	g := train(t, Job{Task: model.TaskBinary, Learner: model.KindGLM, Train: learned, Params: map[string]any{"levels": int64(40)}})
	off, found := 0.0, 0
	for _, c := range g.Describe().Coefficients {
		want, listed := said.Coefficients[strings.TrimSpace(c.Feature+" "+c.Term)]
		if !listed { // the first level, and missing ones, which no row has
			continue
		}
		found++
		if !near(c.Value, want, 1e-5) {
			t.Errorf("%s %s: %.9g, scikit-learn %.9g", c.Feature, c.Term, c.Value, want)
		}
		off = math.Max(off, math.Abs(c.Value-want)/math.Max(math.Abs(want), 1e-12))
	}
	ours, theirs := auc(rest.Y, score(t, g, rest.X)), auc(rest.Y, taken(t, &scores, "glm"))
	t.Logf("glm: auc %.6f, scikit-learn %.6f; %d coefficients differ by at most %.1e of theirs", ours, theirs, len(said.Coefficients), off)
	if found != len(said.Coefficients) || !near(g.Describe().Base[0], said.Intercept, 1e-5) || math.Abs(ours-theirs) > 1e-6 {
		t.Errorf("%d coefficients, intercept %.9g, scikit-learn %.9g", found, g.Describe().Base[0], said.Intercept)
	}

	ours, theirs = auc(rest.Y, score(t, train(t, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: learned}), rest.X)), 0
	for seed := range 3 {
		one := auc(rest.Y, taken(t, &scores, fmt.Sprint("gbdt", seed)))
		t.Logf("gbdt: auc %.4f, scikit-learn %.4f", ours, one)
		theirs += one / 3
	}
	if ours < theirs-0.003 {
		t.Errorf("gbdt: auc %.4f, scikit-learn %.4f", ours, theirs)
	}
}

// BenchmarkFlights reports how many times as long as scikit-learn's HistGradientBoosting the gbdt takes for the same training on the same cores.
func BenchmarkFlights(b *testing.B) {
	learned, _ := flights(b)
	for b.Loop() {
		train(b, Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: learned})
	}
	var said struct{ Seconds float64 }
	scikit(b, &said, "time", "testdata/flights.parquet")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/said.Seconds, "of-scikit-learn")
}

// TestFolds: on data sets that scikit-learn ships, five folds of the same rows: the mean over folds is not worse than scikit-learn's by more than
// one standard error of that mean. Log loss for classes, root mean squared error for values.
func TestFolds(t *testing.T) {
	dir := t.TempDir()
	var said map[string]struct {
		Task              string
		Features, Classes int
	}
	scikit(t, &said, "folds", dir)
	db := openEngine(t, dir)
	for name, set := range said {
		all := query(t, db, "select * from read_parquet('"+filepath.Join(dir, name+".parquet")+"')")
		y, fold := taken(t, &all, "y"), taken(t, &all, "fold")
		theirs := map[string][][]float64{}
		for _, learner := range learners {
			for k := range set.Classes {
				theirs[learner] = append(theirs[learner], taken(t, &all, fmt.Sprint(learner, k)))
			}
		}
		if len(all.Columns) != set.Features {
			t.Fatalf("%s: %d features", name, len(all.Columns))
		}
		for _, learner := range learners {
			job := Job{Task: set.Task, Learner: learner}
			for k := range set.Classes {
				if set.Task == model.TaskMulticlass {
					job.Classes = append(job.Classes, fmt.Sprint(k))
				}
			}
			var own, other [5]float64
			for f := range own {
				own[f], other[f] = oneFold(t, job, foldRows{all, y, fold, float64(f)}, theirs[learner])
			}
			mean, _ := meanAndError(own[:])
			want, standardError := meanAndError(other[:])
			t.Logf("%-14s %-5s %.4f, scikit-learn %.4f ± %.4f", name, learner, mean, want, standardError)
			if mean > want+standardError {
				t.Errorf("%s %s is worse", name, learner)
			}
		}
	}
}

type foldRows struct {
	x       table.Frame
	y, fold []float64
	test    float64
}

// oneFold trains on all other folds and gives the loss on this one, and that of scikit-learn's scores.
func oneFold(t *testing.T, job Job, r foldRows, theirs [][]float64) (own, other float64) {
	var in, out []int
	for i, f := range r.fold {
		if f == r.test {
			out = append(out, i)
		} else {
			in = append(in, i)
		}
	}
	job.Train = Set{X: r.x.Select(in), Y: picked(r.y, in)}
	if job.Learner == model.KindGLM { // C = 1, alpha = 1
		job.Params = map[string]any{"l2": 1 / float64(len(in))}
	}
	label := picked(r.y, out)
	var said [][]float64
	for _, column := range theirs {
		said = append(said, picked(column, out))
	}
	loss := func(s [][]float64) float64 {
		switch job.Task {
		case model.TaskRegression:
			return rmse(label, s[0])
		case model.TaskMulticlass:
			return manyLogLoss(label, s)
		}
		return logLoss(label, s[0])
	}
	return loss(scores(t, train(t, job), r.x.Select(out))), loss(said)
}

func picked(x []float64, rows []int) (out []float64) {
	for _, i := range rows {
		out = append(out, x[i])
	}
	return out
}

func meanAndError(x []float64) (mean, standardError float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		standardError += (v - mean) * (v - mean)
	}
	n := float64(len(x))
	return mean, math.Sqrt(standardError/(n-1)) / math.Sqrt(n)
}
