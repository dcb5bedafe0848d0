package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/index"
	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// Runs lists all runs by time, then id.
func (v *View) Runs() []record.Run {
	runs := of[record.Run](v, record.KindRun, nil)
	slices.SortFunc(runs, func(a, b record.Run) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
	return runs
}

// Run gives the run with an id.
func (v *View) Run(id string) (record.Run, bool) {
	path := v.PathOf(id)
	if !strings.HasPrefix(path, folderOf[record.KindRun]) {
		return record.Run{}, false
	}
	runs := v.runsAt([]string{path})
	if len(runs) == 0 {
		return record.Run{}, false
	}
	return runs[0], true
}

// runsAt decodes those of some runs that count, for whom the list of all is not needed. What can't be read is told of and left out.
func (v *View) runsAt(paths []string) []record.Run {
	var runs []record.Run
	for _, path := range counting(paths, v.Disowned()) {
		data, err := v.Bytes(path)
		var r any
		if err == nil {
			r, err = record.Decode(path, data)
		}
		if run, ok := r.(*record.Run); ok && err == nil {
			runs = append(runs, *run)
			continue
		}
		v.mu.Lock()
		v.report(path, cmp.Or(err, fmt.Errorf("%s is no run", path)))
		v.mu.Unlock()
	}
	return runs
}

// RunsByInputs lists the runs whose inputs have a digest, the one that counts first: ci before human, pushed before private, then the earlier one, then by
// id. Earlier should be by commit of the ledger; a clone without the ledger's history knows only the records' own times, so these decide.
func (v *View) RunsByInputs(digest string) []record.Run {
	runs, err := v.withInputs(digest)
	if err != nil { // a damaged index, say: the records have it all
		v.ledger.DropIndexes()
		runs = of(v, record.KindRun, func(r *record.Run) bool { return digest != "" && r.Inputs["digest"] == any(digest) })
	}
	slices.SortFunc(runs, func(a, b record.Run) int {
		return cmp.Or(
			compareBool(a.Actor != record.ActorCI, b.Actor != record.ActorCI),
			compareBool(v.Private(runPath(a)), v.Private(runPath(b))),
			a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return runs
}

// withInputs finds runs by the index, and decodes those alone.
func (v *View) withInputs(digest string) ([]record.Run, error) {
	if digest == "" {
		return nil, nil
	}
	t, done, err := v.RunTable(context.Background())
	if err != nil {
		return nil, err
	}
	defer done()
	columns := map[string]*index.Column{}
	for name, typ := range map[string]table.Type{"inputs.digest": table.String, "experiment": table.String, "id": table.String, "time": table.Timestamp} {
		if columns[name], err = t.Column(name, typ); err != nil {
			return nil, err
		}
	}
	var paths []string
	for _, r := range t.Rows() {
		if columns["inputs.digest"].Text(r) == digest {
			paths = append(paths, RunPath(columns["experiment"].Text(r), columns["time"].Micros(r), columns["id"].Text(r)))
		}
	}
	return v.runsAt(paths), nil
}

func runPath(r record.Run) string { return RunPath(r.Experiment, r.Time.UnixMicro(), r.ID) }

// RunPath is where a run is recorded that began at a time, in microseconds since 1970.
func RunPath(experiment string, micros int64, id string) string {
	return "runs/" + experiment + "/" + time.UnixMicro(micros).UTC().Format("2006-01") + "/" + id + ".toml"
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
