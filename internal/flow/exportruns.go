package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// usual are the columns of an export that come first.
var usual = []string{"id", "time", "experiment", "model", "task", "status", "learner", "actor", "who", "commit", "dirty", "private"}

// wide lists the columns of an export where nobody names any: the usual ones, then parameters, metrics and what else runs have, as far as one of these has it.
func (q *query) wide(rows []int) ([]string, error) {
	out := slices.Clone(usual)
	for _, prefix := range []string{"params.", "metrics.", "valid.", "operations.", "rows.", "seconds."} {
		for _, name := range keys(q.typed) {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			in, err := q.columns(name)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(rows, func(r int) bool { return q.at(in, r) != nil }) {
				continue
			}
			if short := strings.TrimPrefix(name, "metrics."); q.from[short] == name {
				name = short
			}
			out = append(out, name)
		}
	}
	return out, nil
}

// WriteParquet writes the columns of a list to a file that appears whole or not at all. Lists and tables are written as JSON text.
func (p *Project) WriteParquet(ctx context.Context, l *RunList, path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return problem.Wrongf("--parquet takes the name of a file", "%s is no file", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return problem.Wrongf("make the folder first", "there is no folder %s", filepath.Dir(path))
	}
	frame := table.Frame{N: len(l.Rows)}
	for j, c := range l.Columns {
		frame.Columns = append(frame.Columns, vectorOf(c, l.Rows, j))
	}
	w, err := p.workshop(ctx, doc.LoadProject(os.DirFS(p.Root)))
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.db.WriteFrame(ctx, frame, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// vectorOf is one column of rows. What is of another type than the column is written as text.
func vectorOf(c table.Column, rows [][]any, j int) table.Vector {
	v := table.Vector{Column: c, Null: make([]bool, len(rows))}
	switch c.Type {
	case table.Int64, table.Float64, table.Bool, table.Timestamp, table.Date:
	default:
		v.Type = table.String
	}
	for i, row := range rows {
		v.Null[i] = !appendValue(&v, row[j])
	}
	return v
}

// appendValue adds a value to a column; not ok, and a placeholder, when there is none of its type.
func appendValue(v *table.Vector, value any) (ok bool) {
	switch v.Type {
	case table.Int64:
		n, is := value.(int64)
		v.Ints, ok = append(v.Ints, n), is
	case table.Timestamp, table.Date:
		at, is := value.(time.Time)
		n := at.UnixMicro()
		if v.Type == table.Date {
			n = int64(math.Floor(float64(at.Unix()) / 86400))
		}
		v.Ints, ok = append(v.Ints, n), is
	case table.Bool:
		b, is := value.(bool)
		v.Bools, ok = append(v.Bools, b), is
	case table.Float64:
		f, is := value.(float64)
		if n, whole := value.(int64); whole {
			f, is = float64(n), true
		}
		v.Floats, ok = append(v.Floats, f), is
	default:
		ok = value != nil
		text := ""
		if b, isJSON := value.(json.RawMessage); isJSON {
			text = string(b)
		} else if ok {
			text = fmt.Sprintf("%v", value)
		}
		v.Strings = append(v.Strings, text)
	}
	return ok
}
