// Package dataset turns a dataset's document into rows: it finds and pins the files (Pin), lays pinned files out from wherever they are
// (Materialise), reads them (Relation), and says what they hold (Content, Profile).
//
// It judges nothing: checks and drift are other packages. It writes nothing but copies of pinned files into a cache folder it is given, each
// named by its sha256; the lock it returns is written by its caller.
package dataset

import (
	"context"
	"fmt"
	"strings"

	"github.com/plumb-ml/plumb/internal/digest"
	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/engine"
	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// batch is how many rows are in memory at a time.
const batch = 1 << 16

// Columns gives the lock's columns as the engine names them.
func Columns(lock *doc.Lock) []table.Column {
	out := make([]table.Column, len(lock.Columns))
	for i, c := range lock.Columns {
		out[i] = table.Column{Name: c.Name, Type: table.Type(c.Type)}
	}
	return out
}

// Relation gives the SQL, in brackets, of the pinned rows with row_id first. files are where Materialise laid the lock's files, in its order.
func Relation(files []string, lock *doc.Lock) string {
	return engine.Scan(files, lock.Format, Columns(lock))
}

// Content gives the logical digest of a relation that yields its rows in order (package record, Digests), and how many rows it has: the
// digest of the JCS array that holds [name, type, column digest] for each of cols, then the number of rows. Rows are streamed.
func Content(ctx context.Context, db *engine.DB, relation string, cols []table.Column) (sum string, rows int64, err error) {
	if len(cols) == 0 {
		return "", 0, fmt.Errorf("a dataset without columns has no digest")
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = engine.Ident(c.Name)
	}
	sums := make([]digest.Column, len(cols))
	err = db.Each(ctx, "select "+strings.Join(names, ", ")+" from "+relation, batch, func(f table.Frame) error {
		rows += int64(f.N)
		for i := range cols {
			if err := add(&sums[i], &f.Columns[i], cols[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", 0, fmt.Errorf("digesting the rows: %w", err)
	}
	parts := make([]any, 0, len(cols)+1)
	for i, c := range cols {
		parts = append(parts, []string{c.Name, string(c.Type), sums[i].Sum()})
	}
	sum, err = digest.Of(append(parts, rows))
	return sum, rows, err
}

// add puts the values of one batch of one column into its digest.
func add(sum *digest.Column, v *table.Vector, want table.Column) error {
	if v.Type != want.Type {
		return fmt.Errorf("column %q holds %s where %s was pinned", want.Name, v.Type, want.Type)
	}
	switch {
	case v.Ints != nil:
		addAll(sum, v, v.Ints, sum.Int64)
	case v.Floats != nil:
		addAll(sum, v, v.Floats, sum.Float64)
	case v.Bools != nil:
		addAll(sum, v, v.Bools, sum.Bool)
	case v.Type == table.Decimal:
		var first error
		addAll(sum, v, v.Strings, func(s string) {
			if err := sum.Decimal(s); err != nil && first == nil {
				first = err
			}
		})
		return first
	default:
		addAll(sum, v, v.Strings, sum.String)
	}
	return nil
}

func addAll[T any](sum *digest.Column, v *table.Vector, values []T, put func(T)) {
	for i, value := range values {
		if v.IsNull(i) {
			sum.Null()
		} else {
			put(value)
		}
	}
}

// Verify says whether a relation holds what the lock says: an error of wrong use when its rows are others.
func Verify(ctx context.Context, db *engine.DB, relation string, lock *doc.Lock) error {
	sum, rows, err := Content(ctx, db, relation, Columns(lock))
	if err != nil {
		return err
	}
	if sum != lock.Content || rows != lock.Rows {
		return problem.Wrongf("pin it again: plumb data pin "+lock.ID, "%s does not describe its files: %d rows with content %s, pinned are %d with %s",
			lock.Path, rows, sum, lock.Rows, lock.Content)
	}
	return nil
}
