package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/plumb-ml/plumb/internal/problem"
	"github.com/plumb-ml/plumb/internal/table"
)

const castHint = "cast it in the query, e.g. to varchar, bigint or double"

// reader walks over an answer below database/sql, which would copy every value once more.
type reader struct {
	rows    driver.Rows
	columns []table.Column
}

func (db *DB) read(ctx context.Context, query string, use func(*reader) error) error {
	err := db.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return shorten(err)
		}
		defer rows.Close()
		r := &reader{rows: rows}
		if err := r.describe(); err != nil {
			return err
		}
		return use(r)
	})
	return err
}

func (r *reader) describe() error {
	typed := r.rows.(driver.RowsColumnTypeDatabaseTypeName)
	for i, name := range r.rows.Columns() {
		raw := typed.ColumnTypeDatabaseTypeName(i)
		t, ok := typeOf(raw)
		if !ok {
			return problem.Failedf(castHint, "column %q is of type %s, which plumb has no column type for", name, strings.ToLower(raw))
		}
		r.columns = append(r.columns, table.Column{Name: name, Type: t})
	}
	return nil
}

func (r *reader) each(ctx context.Context, visit func([]driver.Value) error) error {
	row := make([]driver.Value, len(r.columns))
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := r.rows.Next(row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return shorten(err)
		}
		if err := visit(row); err != nil {
			return err
		}
	}
}

func (r *reader) columnError(c int, err error) error {
	return problem.Failedf(castHint, "column %q: %v", r.columns[c].Name, err)
}

// typeOf maps DuckDB's types to the column types of package table.
func typeOf(raw string) (table.Type, bool) {
	switch base, _, _ := strings.Cut(raw, "("); {
	case strings.HasSuffix(raw, "]"):
		return "", false
	case base == "DECIMAL":
		return table.Decimal, true
	case base == "ENUM":
		return table.String, true
	}
	switch raw {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM":
		return table.Int64, true
	case "FLOAT", "DOUBLE":
		return table.Float64, true
	case "BOOLEAN":
		return table.Bool, true
	case "DATE":
		return table.Date, true
	case "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE":
		return table.Timestamp, true
	case "VARCHAR", "UUID", "TIME", "BIT", "SQLNULL", `"NULL"`, "NULL":
		return table.String, true
	}
	return "", false
}

// plain brings a driver's value to nil, bool, int64, float64, string or time.Time (UTC).
func plain(v driver.Value) (any, error) {
	switch x := v.(type) {
	case nil, bool, int64, float64, string:
		return x, nil
	case int8:
		return int64(x), nil
	case int16:
		return int64(x), nil
	case int32:
		return int64(x), nil
	case uint8:
		return int64(x), nil
	case uint16:
		return int64(x), nil
	case uint32:
		return int64(x), nil
	case float32:
		return float64(x), nil
	case uint64:
		return bigInt(new(big.Int).SetUint64(x))
	case *big.Int:
		return bigInt(x)
	case time.Time:
		return x.UTC(), nil
	case duckdb.Decimal:
		return decimalText(x), nil
	case duckdb.UUID:
		return x.String(), nil
	case []byte: // a uuid as the driver gives it; blobs were refused by their type
		var id duckdb.UUID
		if err := id.Scan(x); err != nil {
			return nil, fmt.Errorf("bytes have no column type")
		}
		return id.String(), nil
	}
	return nil, fmt.Errorf("a value of type %T has no column type", v)
}

// plainAs is plain for a column: a time of day is text.
func plainAs(t table.Type, v driver.Value) (any, error) {
	x, err := plain(v)
	if at, ok := x.(time.Time); ok && t == table.String {
		return at.Format("15:04:05.999999"), err
	}
	return x, err
}

func bigInt(x *big.Int) (any, error) {
	if !x.IsInt64() {
		return nil, fmt.Errorf("%s is beyond int64", x)
	}
	return x.Int64(), nil
}

// decimalText writes a decimal with all digits of its scale. (The driver's String drops trailing zeros.)
func decimalText(d duckdb.Decimal) string {
	digits := new(big.Int).Abs(d.Value).String()
	if scale := int(d.Scale); scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale+1-len(digits)) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
