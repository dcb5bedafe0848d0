package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

// parquetOptions decide a file's bytes together with DuckDB's version, which stands in the footer. The rows must come ordered: an ordered copy
// cuts row groups the same way for any number of threads.
const parquetOptions = "(format parquet, compression zstd, compression_level 3, row_group_size 122880)"

// WriteFrame writes f to path as Parquet. The same frame gives the same bytes, whatever the number of threads. Decimal columns are written as
// text. The file appears whole or not at all.
func (db *DB) WriteFrame(ctx context.Context, f table.Frame, path string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.files++
	name := fmt.Sprintf("plumb_frame_%d", db.files)
	if len(f.Columns) == 0 {
		return problem.Failedf("select at least one column", "a table without columns can't be written")
	}
	columns := make([]string, len(f.Columns))
	for i, v := range f.Columns {
		columns[i] = Ident(v.Name) + " " + storedType(v.Type)
	}
	if err := db.exec(ctx, "create temp table "+name+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	defer db.conn.ExecContext(context.WithoutCancel(ctx), "drop table temp."+name)
	if err := db.appendFrame(ctx, f, name); err != nil {
		return err
	}
	_, err := db.copyTo(ctx, "select * from temp."+name+" order by rowid", path)
	return err
}

// WriteQuery writes query's answer to path as Parquet and says how many rows there are. The bytes are reproducible when the query orders its
// rows fully. The file appears whole or not at all.
func (db *DB) WriteQuery(ctx context.Context, query, path string) (rows int64, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.copyTo(ctx, query, path)
}

func (db *DB) copyTo(ctx context.Context, query, path string) (int64, error) {
	db.files++
	half := filepath.Join(db.temp, fmt.Sprintf("write-%d.parquet", db.files))
	defer os.Remove(half)
	result, err := db.conn.ExecContext(ctx, "copy ("+query+") to "+Literal(half)+" "+parquetOptions)
	if err != nil {
		return 0, shorten(err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	return rows, move(half, path)
}

// move renames, or copies beside path and renames where the two are on different disks.
func move(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.CreateTemp(filepath.Dir(to), ".plumb-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Chmod(0o644), dst.Close()); err == nil {
		err = os.Rename(dst.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(dst.Name()))
	}
	return nil
}

func storedType(t table.Type) string {
	if t == table.Decimal {
		return "varchar"
	}
	return TypeName(t)
}

func (db *DB) appendFrame(ctx context.Context, f table.Frame, name string) error {
	return db.conn.Raw(func(c any) error {
		appender, err := duckdb.NewAppender(c.(driver.Conn), "temp", "main", name)
		if err != nil {
			return shorten(err)
		}
		row := make([]driver.Value, len(f.Columns))
		for i := range f.N {
			if i%4096 == 0 && ctx.Err() != nil {
				return errors.Join(context.Cause(ctx), appender.Close())
			}
			for c := range f.Columns {
				row[c] = stored(&f.Columns[c], i)
			}
			if err := appender.AppendRow(row...); err != nil {
				return errors.Join(shorten(err), appender.Close())
			}
		}
		return shorten(appender.Close())
	})
}

func stored(v *table.Vector, i int) driver.Value {
	switch {
	case v.IsNull(i):
		return nil
	case v.Type == table.Date:
		return time.Unix(v.Ints[i]*86400, 0).UTC()
	case v.Type == table.Timestamp:
		return time.UnixMicro(v.Ints[i]).UTC()
	case v.Ints != nil:
		return v.Ints[i]
	case v.Floats != nil:
		return v.Floats[i]
	case v.Bools != nil:
		return v.Bools[i]
	}
	return v.Strings[i]
}
