package engine

import (
	"context"
	"errors"
)

// Measured is what a Parquet file says of its size before its rows are read.
type Measured struct {
	Rows    int64
	Columns int64 // of its schema, groups counted
	Bytes   int64 // of all pages, unpacked
}

// MeasureParquet reads the sizes of a file that may come from anyone. They are its own word: they bound what an honest reader would take.
func (db *DB) MeasureParquet(ctx context.Context, path string) (Measured, error) {
	name := Literal(path)
	r, err := db.Query(ctx, "select (select num_rows from parquet_file_metadata("+name+")), (select count(*) from parquet_schema("+name+"))"+
		", (select coalesce(sum(total_uncompressed_size), 0)::bigint from parquet_metadata("+name+"))")
	if err != nil {
		return Measured{}, err
	}
	var n [3]int64
	if len(r.Values) != 1 || len(r.Values[0]) != len(n) {
		return Measured{}, errors.New("it is not one Parquet file")
	}
	for i, v := range r.Values[0] {
		size, ok := v.(int64)
		if !ok || size < 0 {
			return Measured{}, errors.New("its metadata have no sizes")
		}
		n[i] = size
	}
	return Measured{Rows: n[0], Columns: n[1], Bytes: n[2]}, nil
}
