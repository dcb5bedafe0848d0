// Package engine is the one door to DuckDB: it answers SQL over files and hands the answer over as plain rows and frames.
//
// It is not a place for formulas (judges own their SQL) and keeps no state: every DB is in memory, sandboxed to the folders and files it was
// opened for, without extensions or network, and spills to a folder of its own that Close removes.
package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/plumb-ml/plumb/internal/table"
)

// Options says what a DB may touch and use.
type Options struct {
	Read    []string // folders and files that SQL may read; nothing else is
	Temp    string   // folder for spilled and half-written files, a folder is made inside; "" is the system's
	Memory  string   // limit such as "2GiB"; "" is DuckDB's default, 80 % of the machine. Soft: about 100 MB more are used
	Threads int      // 0 is one a core
}

// DB is an open engine. Its methods may be called from several goroutines and run one after the other: DuckDB itself uses all threads.
type DB struct {
	mu    sync.Mutex
	pool  *sql.DB
	conn  *sql.Conn
	temp  string // removed by Close
	files int    // numbers the names of temporary files and tables
}

// Open starts an engine. Close it.
func Open(ctx context.Context, o Options) (*DB, error) {
	temp, err := os.MkdirTemp(o.Temp, "plumb-engine-")
	if err != nil {
		return nil, fmt.Errorf("making the engine's temporary folder: %w", err)
	}
	db := &DB{temp: temp}
	if err := db.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the engine: %w", err), db.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context, o Options) error {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return err
	}
	db.pool = sql.OpenDB(connector)
	if db.conn, err = db.pool.Conn(ctx); err != nil {
		return err
	}
	for _, set := range settings(o, db.temp) {
		if _, err := db.conn.ExecContext(ctx, set); err != nil {
			return shorten(err)
		}
	}
	return nil
}

// settings are in order: the last ones shut the door. The folders in allowed_directories are writable too, so what runs there must have
// passed CheckSelect.
func settings(o Options, temp string) []string {
	dirs, files := []string{temp}, []string{}
	for _, path := range o.Read {
		names := []string{path}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			names = append(names, real)
		}
		for _, name := range names {
			name, err := filepath.Abs(name)
			if info, statErr := os.Stat(name); err == nil && statErr == nil && !info.IsDir() {
				files = append(files, name)
			} else if err == nil {
				dirs = append(dirs, name)
				if escaped := globEscaper.Replace(name); escaped != name { // DuckDB compares the pattern, before it is matched
					dirs = append(dirs, escaped)
				}
			}
		}
	}
	out := []string{
		"set TimeZone = 'UTC'",
		"set preserve_insertion_order = true",
		"set enable_progress_bar = false",
		"set temp_directory = " + Literal(temp),
		"set allowed_directories = " + literals(dirs),
		"set allowed_paths = " + literals(files),
		"set autoinstall_known_extensions = false",
		"set autoload_known_extensions = false",
		"set allow_community_extensions = false",
	}
	if o.Memory != "" {
		out = append(out, "set memory_limit = "+Literal(o.Memory))
	}
	if o.Threads > 0 {
		out = append(out, fmt.Sprintf("set threads = %d", o.Threads))
	}
	return append(out, "set enable_external_access = false", "set lock_configuration = true")
}

// Close ends the engine and removes its temporary folder.
func (db *DB) Close() error {
	var errs []error
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(db.temp))...)
}

// Exec runs statements that have no answer. They are plumb's own: a person's SQL goes through CheckSelect and Query.
func (db *DB) Exec(ctx context.Context, statements string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.exec(ctx, statements)
}

func (db *DB) exec(ctx context.Context, statements string) error {
	_, err := db.conn.ExecContext(ctx, statements)
	return shorten(err)
}

// Query gives a small answer row by row.
func (db *DB) Query(ctx context.Context, query string) (table.Rows, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	var out table.Rows
	err := db.read(ctx, query, func(r *reader) error {
		out.Columns = r.columns
		return r.each(ctx, func(row []driver.Value) error {
			values := make([]any, len(row))
			for c := range row {
				v, err := plainAs(r.columns[c].Type, row[c])
				if err != nil {
					return r.columnError(c, err)
				}
				values[c] = v
			}
			out.Values = append(out.Values, values)
			return nil
		})
	})
	return out, err
}

// Frame gives an answer column by column: integers of every width as int64, float as float64, enum, time, uuid and bit as text, decimals as
// text with their scale. An integer beyond int64 and types that plumb has no column for (blob, list, struct, map, interval, json) are errors
// that name the column: cast it.
func (db *DB) Frame(ctx context.Context, query string) (table.Frame, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.frame(ctx, query)
}

func (db *DB) frame(ctx context.Context, query string) (table.Frame, error) {
	var out table.Frame
	err := db.read(ctx, query, func(r *reader) error {
		b := newBuilder(r.columns)
		if err := r.each(ctx, func(row []driver.Value) error { return b.add(r, row) }); err != nil {
			return err
		}
		out = b.frame()
		return nil
	})
	return out, err
}

// Described is a column of an answer. Type is "" where plumb has no column type for DuckDB's own, Raw.
type Described struct {
	table.Column
	Raw string
}

// Columns gives the names and types that query would answer with, without running it.
func (db *DB) Columns(ctx context.Context, query string) ([]Described, error) {
	rows, err := db.Query(ctx, "select column_name, column_type from (describe "+query+")")
	if err != nil {
		return nil, err
	}
	out := make([]Described, len(rows.Values))
	for i, row := range rows.Values {
		name, raw := row[0].(string), row[1].(string)
		t, _ := typeOf(raw)
		out[i] = Described{Column: table.Column{Name: name, Type: t}, Raw: raw}
	}
	return out, nil
}

// Keep copies query's answer into a temporary table in its order, so that many questions can be asked without reading the files again. It gives
// the table's name, for use after FROM, and what drops it.
func (db *DB) Keep(ctx context.Context, query string) (name string, drop func(), err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.keep(ctx, query)
}

func (db *DB) keep(ctx context.Context, query string) (name string, drop func(), err error) {
	db.files++
	name = fmt.Sprintf("temp.plumb_keep_%d", db.files)
	if err := db.exec(ctx, "create temp table "+name+" as "+query); err != nil {
		return "", nil, err
	}
	// Dropped even when ctx is done. An error here would only say that the table is gone already.
	return name, func() { _ = db.exec(context.WithoutCancel(ctx), "drop table "+name) }, nil
}

// Each hands query's answer over in batches of at most batch rows, in its order, so that an answer of any size needs little memory: it is
// kept in a temporary table, which spills to disk. (The driver holds a whole answer in memory, however slowly it is read.)
func (db *DB) Each(ctx context.Context, query string, batch int, visit func(table.Frame) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	name, drop, err := db.keep(ctx, query)
	if err != nil {
		return err
	}
	defer drop()
	for from := 0; ; from += batch {
		f, err := db.frame(ctx, fmt.Sprintf("select * from %s where rowid >= %d and rowid < %d order by rowid", name, from, from+batch))
		if err != nil {
			return err
		}
		if f.N > 0 || from == 0 {
			if err := visit(f); err != nil {
				return err
			}
		}
		if f.N < batch {
			return nil
		}
	}
}
