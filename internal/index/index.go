// Package index is a copy of the ledger's runs by column, so that a filter over a hundred thousand of them reads three columns and no record.
//
// It is a cache and never a source: whatever is wrong with a file here, it is built again from the records. It asks no Git: it is given runs, and reads and
// writes bytes.
//
// It stores .git/plumb/index-<commit>, one file for a commit that holds records: segments of columns, one behind the other, then a footer that says where each
// column is and what its checksum is. The runs that a newer commit adds become a segment more; too many segments become one.
package index

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/plumb-ml/plumb/internal/record"
	"github.com/plumb-ml/plumb/internal/table"
)

// JSON is the type of a column whose values are no single ones: lists and tables of parameters, as JSON text. They can be shown and not asked for.
const JSON table.Type = "json"

// Version tells files of another program apart. It grows whenever a run gives other columns than before (TestNames).
const Version = 1

// Row is a run by column. Values are int64, float64, bool, string, time.Time or json.RawMessage; what a run does not have is not there, which is not zero.
type Row map[string]any

// RowOf takes a run apart. These are the names that filters use.
func RowOf(run *record.Run) Row {
	r := Row{"id": run.ID, "experiment": run.Experiment, "model": run.Model, "task": run.Task, "status": run.Status, "learner": run.Learner,
		"time": run.Time, "actor": run.Actor, "program": run.By.Program, "dirty": run.Code.Dirty, "threshold": run.Threshold,
		"rows.train": int64(run.Rows.Train), "rows.valid": int64(run.Rows.Valid), "rows.test": int64(run.Rows.Test),
		"rows.no_label": int64(run.Rows.NoLabel), "rows.left_out": int64(run.Rows.LeftOut),
		"seconds.features": run.Timings.Features, "seconds.train": run.Timings.Train, "seconds.evaluate": run.Timings.Evaluate, "seconds.total": run.Timings.Total}
	for name, text := range map[string]string{"error": run.Error, "who": run.By.Who, "url": run.By.URL, "commit": run.Code.Commit, "sweep": run.Sweep,
		"environment": run.Environment, "hypothesis": run.Hypothesis, "result": run.Result.Digest, "predictions": run.Result.Predictions} {
		if text != "" {
			r[name] = text
		}
	}
	if run.By.PullRequest != 0 {
		r["pull_request"] = int64(run.By.PullRequest)
	}
	for name, value := range run.Operations() {
		r["operations."+name] = value
	}
	for name, value := range run.Result.Metrics {
		r["metrics."+name] = value
	}
	for name, value := range run.Result.Valid {
		r["valid."+name] = value
	}
	for prefix, values := range map[string]map[string]any{"params.": run.Params, "set.": run.Set, "inputs.": run.Inputs} {
		for name, value := range values {
			if v := plain(value); v != nil {
				r[prefix+name] = v
			}
		}
	}
	return r
}

// plain gives a value that a column can hold, or nil.
func plain(value any) any {
	switch v := value.(type) {
	case int64, bool, string, time.Time:
		return v
	case int:
		return int64(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil // a number that does not exist
		}
		return v
	}
	data, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return json.RawMessage(data)
}

// typeOf gives the type of the column that a value goes to.
func typeOf(value any) table.Type {
	switch value.(type) {
	case int64:
		return table.Int64
	case float64:
		return table.Float64
	case bool:
		return table.Bool
	case string:
		return table.String
	case time.Time:
		return table.Timestamp
	}
	return JSON
}

// key is what tells columns apart: a parameter may be a number in one run and a text in another.
type key struct {
	name string
	typ  table.Type
}

func (k key) String() string { return fmt.Sprintf("%s (%s)", k.name, k.typ) }
