package trainset

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/table"
)

// Beside gives the columns that a person's program gets beside its features (doc.Set.Beside), of each of the rows, in their order.
func Beside(ctx context.Context, data Data, docs *doc.Set, experiment string, rows *Rows) (table.Frame, error) {
	names := docs.Beside(experiment)
	if len(names) == 0 {
		return table.Frame{N: len(rows.RowID)}, nil
	}
	columns := make([]string, len(names))
	for i, name := range names {
		columns[i] = quote(name)
	}
	dataset := docs.Models[docs.Experiments[experiment].Model].Question.Dataset
	f, err := data.DB.Frame(ctx, fmt.Sprintf("select %s from (%s) as d order by row_id", strings.Join(columns, ", "), data.Relations[dataset]))
	if err != nil {
		return f, fmt.Errorf("reading entity and time columns of %s: %w", experiment, err)
	}
	index := make([]int, len(rows.RowID))
	for i, id := range rows.RowID {
		index[i] = int(id)
	}
	return f.Select(index), nil
}
