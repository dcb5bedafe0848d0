package learn

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/plumb-ml/plumb/internal/model"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// TestMonotone: with the other features as they are, scores never move against a direction, over the whole range of the feature. What
// that costs is held to scikit-learn's in TestGBDTGolden.
func TestMonotone(t *testing.T) {
	for _, task := range []string{model.TaskBinary, model.TaskRegression, counts} {
		for name, direction := range map[string]string{"share": "up", "hour": "down", "amount": "up"} {
			job := madeJob(task, model.KindGBDT, 3000)
			job.Params["min_child"], job.Params["rounds"] = int64(5), int64(20)
			free := train(t, job)
			job.Params["monotone"] = map[string]any{name: direction}
			held := train(t, job)
			wrong := func(m model.Model) (n int) {
				rows := job.Train.part(0, 200).X
				last := filled(200, math.Inf(-1))
				for step := range 40 {
					for i, p := range score(t, m, at(rows, name, float64(step)*1000/40*scaleOf[name])) {
						if direction == "down" {
							p = -p
						}
						if p < last[i] {
							n++
						}
						last[i] = p
					}
				}
				return n
			}
			if n := wrong(held); n > 0 {
				t.Errorf("%s: %d steps against %s %s", task, n, name, direction)
			}
			if wrong(free) == 0 {
				t.Errorf("%s: %s goes %s without being told: the test shows nothing", task, name, direction)
			}
		}
	}
}

// scaleOf makes 0…1000 the range of a feature.
var scaleOf = map[string]float64{"share": 0.001, "hour": 0.024, "amount": 1}

// at gives the rows with one value in a column.
func at(x table.Frame, name string, value float64) table.Frame {
	out := table.Frame{N: x.N}
	for _, v := range x.Columns {
		if v.Name == name {
			v = numbers(name, x.N)
			for i := range v.Floats {
				v.Floats[i] = value
			}
		}
		out.Columns = append(out.Columns, v)
	}
	return out
}

// TestMonotoneWrong: names and directions that can't be are the user's to mend.
func TestMonotoneWrong(t *testing.T) {
	for want, monotone := range map[string]any{
		`"level", which is a category`:           map[string]any{"level": "up"},
		`names "shar", which is no feature`:      map[string]any{"shar": "up", "hour": "down"},
		`params.monotone.share is 1; it must be`: map[string]any{"share": int64(1)},
		`is up; it must be a table`:              "up",
	} {
		job := madeJob(model.TaskBinary, model.KindGBDT, 100)
		job.Params["monotone"] = monotone
		if _, err := Train(context.Background(), job); problem.Exit(err) != problem.ExitWrong || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
