package flow

import (
	"context"
	"strings"

	"github.com/plumb-ml/plumb/internal/escape"
	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/ledger"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// named is the run that a person means: by an experiment of the working folder the run that its documents ask for, when there is one, so that what
// some branch or some try left in the ledger is not taken for it; else the newest of that experiment, or the run whose id begins so.
func (p *Project) named(v *ledger.View, name string) (record.Run, error) {
	t, err := p.Working()
	if err != nil {
		return record.Run{}, err
	}
	if t.Docs.Experiments[name] != nil {
		if key := served(t.Docs, name); key != "" {
			if runs := countingFirst(v.RunsByInputs(key)); len(runs) > 0 {
				return runs[0], nil
			}
		}
	}
	return findRun(v, name)
}

// findRun finds a run by its id, the beginning of one, or an experiment, which stands for its newest run.
func findRun(v *ledger.View, name string) (record.Run, error) {
	name = escape.Clean(name) // pasted from where invisible characters part words
	t, done, err := v.RunTable(context.Background())
	if err != nil {
		return record.Run{}, err
	}
	defer done()
	var columns [3]*index.Column
	for i, c := range []table.Column{{Name: "id", Type: table.String}, {Name: "experiment", Type: table.String}, {Name: "time", Type: table.Timestamp}} {
		if columns[i], err = t.Column(c.Name, c.Type); err != nil {
			return record.Run{}, err
		}
	}
	ids, experiments, times := columns[0], columns[1], columns[2]
	newest := -1
	var found []int
	for _, r := range t.Rows() {
		if experiments.Text(r) == name && (newest < 0 || times.Micros(r) > times.Micros(newest) || times.Micros(r) == times.Micros(newest) && ids.Text(r) > ids.Text(newest)) {
			newest = r
		}
		if name != "" && strings.HasPrefix(ids.Text(r), name) {
			found = append(found, r)
		}
	}
	switch {
	case newest >= 0:
		found = []int{newest}
	case len(found) == 0:
		if path, by := disownedRun(v, name); path != "" {
			return record.Run{}, problem.Failedf("`plumb runs show "+idOf(path)+"` still shows it", "run %s was %s", idOf(path), by)
		}
		return record.Run{}, problem.Wrongf("`plumb runs` lists them", "no run and no experiment with a run is named %q", name)
	case len(found) > 1:
		return record.Run{}, problem.Wrongf("give more of the id", "%d runs begin with %q", len(found), name)
	}
	r := found[0]
	return runAt(v, ledger.RunPath(experiments.Text(r), times.Micros(r), ids.Text(r)))
}

// disownedRun finds a run that counts for nothing by its id or the beginning of one; "" when there is none or more than one.
func disownedRun(v *ledger.View, name string) (path string, by ledger.Disowning) {
	name = escape.Clean(name)
	for at, d := range v.Disowned() {
		if name == "" || !strings.HasPrefix(at, "runs/") || !strings.HasPrefix(idOf(at), name) {
			continue
		}
		if path != "" {
			return "", by
		}
		path, by = at, d
	}
	return path, by
}

// anyRun is findRun for who means the record, whether it counts or was disowned.
func anyRun(v *ledger.View, name string) (record.Run, error) {
	run, err := findRun(v, name)
	if path, _ := disownedRun(v, name); err != nil && path != "" {
		return runAt(v, path)
	}
	return run, err
}
