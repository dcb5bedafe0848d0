package learn

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
)

// TestGLMGolden: coefficients are those of scikit-learn to 5 digits.
func TestGLMGolden(t *testing.T) {
	binary, regression := made(3000)
	for name, want := range readGolden(t).GLM {
		t.Run(name, func(t *testing.T) {
			job := Job{Task: model.TaskBinary, Learner: model.KindGLM, Train: binary, Params: map[string]any{}}
			parts := strings.Split(name, ", ")
			if parts[0] == "linear" {
				job.Task, job.Train = model.TaskRegression, regression
			}
			if !strings.Contains(name, "weighted") {
				job.Train = job.Train.unweighted()
			}
			for _, p := range parts[1:] {
				if key, text, ok := strings.Cut(p, " "); ok {
					var x float64
					if err := json.Unmarshal([]byte(text), &x); err != nil {
						t.Fatal(err)
					}
					job.Params[key] = x
				}
			}
			got := map[string]float64{}
			s := train(t, job).Describe()
			got["intercept"] = s.Base
			for _, c := range s.Coefficients {
				got[strings.TrimSpace(c.Feature+" "+c.Term)] = c.Value
			}
			for term, w := range want {
				if !near(got[term], w, 1e-5) && math.Abs(got[term]-w) > 2e-6 {
					t.Errorf("%s: %.9g, scikit-learn %.9g", term, got[term], w)
				}
			}
			if len(s.Notes) > 0 || got["level = L00"] != 0 {
				t.Errorf("%v %v", s.Notes, got["level = L00"])
			}
		})
	}
}

// TestGBDTGolden: not worse than scikit-learn's HistGradientBoosting with the same rounds and leaves by 0.003 of AUC or 1 % of RMSE.
func TestGBDTGolden(t *testing.T) {
	binary, regression := made(60_000)
	const k = 40_000
	for name, want := range readGolden(t).GBDT {
		job := Job{Task: model.TaskBinary, Learner: model.KindGBDT, Train: binary.part(0, k)}
		rest := binary.part(k, 60_000)
		if name == "regression" {
			job.Task, job.Train, rest = name, regression.part(0, k), regression.part(k, 60_000)
		}
		if !strings.Contains(name, "weighted") {
			job.Train = job.Train.unweighted()
		}
		p := score(t, train(t, job), rest.X)
		if name == "regression" {
			t.Logf("%s: rmse %.4f, scikit-learn %.4f", name, rmse(rest.Y, p), want["rmse"])
			if rmse(rest.Y, p) > 1.01*want["rmse"] {
				t.Error("worse")
			}
			continue
		}
		t.Logf("%s: auc %.4f log loss %.4f, scikit-learn %.4f %.4f", name, auc(rest.Y, p), logLoss(rest.Y, p), want["auc"], want["log_loss"])
		if auc(rest.Y, p) < want["auc"]-0.003 || logLoss(rest.Y, p) > want["log_loss"]+0.003 {
			t.Error("worse")
		}
	}
}

// goldenJob trains the models that XGBoost has been asked about: a name that must be escaped, levels that share "other", missing values.
func goldenJob(task string) Job {
	binary, regression := made(2000)
	job := Job{Task: task, Learner: model.KindGBDT, Train: binary, Params: map[string]any{"rounds": int64(20), "leaves": int64(8), "levels": int64(20), "rate": 0.3}}
	if task == model.TaskRegression {
		job.Train = regression
	}
	job.Train.X.Columns[0].Name = "sha\"re\n<é>"
	return job
}

// TestXGBoostGolden: XGBoost reads the model, and predicts and weighs features as plumb does; a file that XGBoost has written again is read.
func TestXGBoostGolden(t *testing.T) {
	for _, task := range []string{model.TaskBinary, model.TaskRegression} {
		file := "testdata/" + task + ".json"
		job := goldenJob(task)
		now := encoded(t, train(t, job))
		if *update {
			if err := os.WriteFile(file, now, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOARCH == "amd64" && !bytes.Equal(now, kept) { // math.Exp may differ in the last bit elsewhere
			t.Errorf("%s: training gives another model than before; if that is meant, raise the algorithm's version and run with -update", task)
		}
		var want []float64
		var gain map[string]float64
		g := readGolden(t).XGBoost
		if err := json.Unmarshal(g[task], &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(g[task+" gain"], &gain); err != nil {
			t.Fatal(err)
		}
		again, err := os.ReadFile("testdata/" + task + "-resaved.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{kept, again} {
			m, err := model.Load(b)
			if err != nil {
				t.Fatal(err)
			}
			rows := job.Train.part(0, len(want))
			for i, p := range score(t, m, rows.X) {
				if math.Abs(p-want[i]) > 1e-6*math.Max(1, math.Abs(p)) {
					t.Errorf("%s row %d: %v, XGBoost %v", task, i, p, want[i])
				}
			}
			for i, c := range job.Train.X.Columns {
				if share := m.Importance()[c.Name]; math.Abs(share-gain[gainName(gain, c.Name, i)]) > 1e-6 {
					t.Errorf("%s: importance of %q %v, XGBoost %v", task, c.Name, share, gain)
				}
			}
		}
	}
}

// gainName is the feature's key: XGBoost calls it f0, f1, … where it was asked without names.
func gainName(gain map[string]float64, name string, i int) string {
	if _, ok := gain[name]; ok {
		return name
	}
	return "f" + string(rune('0'+i))
}
