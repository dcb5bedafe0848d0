package rule

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

// Eval gives the value for one row: nil for null, else int64, float64, bool, string, time.Time (UTC) or Duration. A name that row does not have
// is null. The error says that row holds a value of another type than Env promised.
func (e Expr) Eval(row map[string]any) (any, error) {
	if e.root == nil {
		return nil, nil
	}
	r := reader{row: row}
	v := r.eval(e.root)
	if r.err != nil {
		return nil, r.err
	}
	return outside(e.root.typ, v), nil
}

// reader evaluates one row; the first value of a wrong type stays in err.
type reader struct {
	row map[string]any
	err error
}

func (r *reader) eval(n *node) any {
	switch n.kind {
	case kindLiteral:
		return n.value
	case kindColumn:
		return r.read(n)
	case kindAnd:
		return r.connect(n, false)
	case kindOr:
		return r.connect(n, true)
	case kindChoose:
		if r.eval(n.args[0]) == true {
			return r.eval(n.args[1])
		}
		return r.eval(n.args[2])
	case kindCoalesce:
		for _, a := range n.args {
			if v := r.eval(a); v != nil {
				return v
			}
		}
		return nil
	case kindIsNull:
		return r.eval(n.args[0]) == nil
	}
	values := make([]any, len(n.args))
	for i, a := range n.args {
		if values[i] = r.eval(a); values[i] == nil {
			return nil
		}
	}
	return n.do.eval(values)
}

// connect is three-valued and (decided by a false) or or (decided by a true).
func (r *reader) connect(n *node, decisive bool) any {
	unknown := false
	for _, a := range n.args {
		switch v := r.eval(a); v {
		case nil:
			unknown = true
		case decisive:
			return decisive
		}
	}
	if unknown {
		return nil
	}
	return !decisive
}

// read takes a value from the row into the form that steps use.
func (r *reader) read(n *node) any {
	given := r.row[n.name]
	v, ok := inside(n, given)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%s should be %s, not %T", n.name, typeName(n.typ), given)
	}
	return v
}

// inside turns a row's value into int64, float64, bool, string or []float64. A float that is not finite is null: data files use NaN for
// "missing", and a NaN that counted as large would make `delay > 15` true.
func inside(n *node, given any) (v any, ok bool) {
	if given == nil {
		return nil, true
	}
	switch n.typ {
	case table.Int64:
		return wholeOf(given)
	case table.Float64:
		f, ok := floatOf(given, n.cast)
		if !ok || !finite(f) {
			return nil, ok
		}
		return f, true
	case table.Bool:
		v, ok := given.(bool)
		return orNil(v, ok)
	case table.String:
		v, ok := given.(string)
		return orNil(v, ok)
	case table.Date, table.Timestamp:
		t, ok := given.(time.Time)
		us := t.UnixMicro()
		if n.typ == table.Date {
			us = floorDiv(us, usPerDay)
		}
		return orNil(us, ok)
	case DurationType:
		switch d := given.(type) {
		case Duration:
			return int64(d), true
		case time.Duration:
			return d.Milliseconds(), true
		}
	case Numbers:
		v, ok := given.([]float64)
		return orNil(v, ok)
	}
	return nil, false
}

// orNil keeps a failed type assertion from being taken for a zero.
func orNil[T any](v T, ok bool) (any, bool) {
	if !ok {
		return nil, false
	}
	return v, true
}

func wholeOf(given any) (any, bool) {
	switch v := given.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	}
	return nil, false
}

func floatOf(given any, decimal bool) (float64, bool) {
	switch v := given.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case string:
		if decimal {
			f, err := strconv.ParseFloat(v, 64)
			return f, err == nil
		}
	}
	return math.NaN(), false
}

// outside turns a step's value into what Eval promises.
func outside(typ table.Type, v any) any {
	us, isInt := v.(int64)
	switch {
	case v == nil || !isInt:
		return v
	case typ == table.Date:
		return time.Unix(us*86400, 0).UTC()
	case typ == table.Timestamp:
		return time.UnixMicro(us).UTC()
	case typ == DurationType:
		return Duration(us)
	}
	return v
}
