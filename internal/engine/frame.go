package engine

import (
	"database/sql/driver"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// builder gathers rows into a frame.
type builder struct {
	columns []table.Vector
	n       int
}

func newBuilder(columns []table.Column) *builder {
	b := &builder{columns: make([]table.Vector, len(columns))}
	for i, c := range columns {
		b.columns[i].Column = c
	}
	return b
}

func (b *builder) add(r *reader, row []driver.Value) error {
	for c, value := range row {
		if err := put(&b.columns[c], value, b.n); err != nil {
			return r.columnError(c, err)
		}
	}
	b.n++
	return nil
}

// frame gives what was gathered. Every vector holds its slice, also when there is no row.
func (b *builder) frame() table.Frame {
	for i := range b.columns {
		v := &b.columns[i]
		for len(v.Null) > 0 && len(v.Null) < b.n {
			v.Null = append(v.Null, false)
		}
		if b.n == 0 {
			empty(v)
		}
	}
	return table.Frame{Columns: b.columns, N: b.n}
}

func empty(v *table.Vector) {
	switch v.Type {
	case table.Int64, table.Date, table.Timestamp:
		v.Ints = []int64{}
	case table.Float64:
		v.Floats = []float64{}
	case table.Bool:
		v.Bools = []bool{}
	default:
		v.Strings = []string{}
	}
}

// put appends row n's value to v.
func put(v *table.Vector, value driver.Value, n int) error {
	if value == nil {
		for len(v.Null) < n {
			v.Null = append(v.Null, false)
		}
		v.Null = append(v.Null, true)
	} else if v.Null != nil {
		v.Null = append(v.Null, false)
	}
	switch v.Type {
	case table.Int64:
		return putInt(v, value)
	case table.Float64:
		f, _ := value.(float64)
		if narrow, ok := value.(float32); ok {
			f = float64(narrow)
		}
		v.Floats = append(v.Floats, f)
	case table.Bool:
		truth, _ := value.(bool)
		v.Bools = append(v.Bools, truth)
	case table.Date, table.Timestamp:
		t, _ := value.(time.Time)
		v.Ints = append(v.Ints, timeInt(v.Type, t, value == nil))
	default:
		return putText(v, value)
	}
	return nil
}

func putInt(v *table.Vector, value driver.Value) error {
	if i, ok := value.(int64); ok {
		v.Ints = append(v.Ints, i)
		return nil
	}
	x, err := plain(value)
	i, _ := x.(int64) // null counts 0
	v.Ints = append(v.Ints, i)
	return err
}

func putText(v *table.Vector, value driver.Value) error {
	if s, ok := value.(string); ok {
		v.Strings = append(v.Strings, s)
		return nil
	}
	x, err := plainAs(table.String, value)
	s, _ := x.(string) // null counts ""
	v.Strings = append(v.Strings, s)
	return err
}

func timeInt(t table.Type, at time.Time, null bool) int64 {
	switch {
	case null:
		return 0
	case t == table.Date:
		seconds := at.Unix()
		days := seconds / 86400
		if seconds%86400 < 0 {
			days--
		}
		return days
	}
	return at.UnixMicro()
}
