package flow

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/rule"
	"github.com/plumb-ml/plumb/internal/table"
)

// sort orders runs by expressions, and the newest first where those are equal. What has no value comes last, whichever way it is sorted.
func (q *query) sort(rows []int, by []string) error {
	times, err := q.t.Column("time", table.Timestamp)
	if err != nil {
		return err
	}
	ids, err := q.t.Column("id", table.String)
	if err != nil {
		return err
	}
	newest := func(x, y int) int {
		switch s, t := times.Micros(x), times.Micros(y); {
		case s > t:
			return -1
		case s < t:
			return 1
		}
		return strings.Compare(ids.Text(y), ids.Text(x))
	}
	if len(by) == 0 {
		slices.SortFunc(rows, newest)
		return nil
	}
	orders := make([]order, len(by))
	for i, src := range by {
		if orders[i], err = q.order(src, rows); err != nil {
			return err
		}
	}
	slices.SortFunc(rows, func(x, y int) int {
		for _, o := range orders {
			if c := o.compare(x, y); c != 0 {
				return c
			}
		}
		return newest(x, y)
	})
	return nil
}

// order is one expression to sort by, with the value of each run.
type order struct {
	values []any // by row
	sign   int
}

func (q *query) order(src string, rows []int) (order, error) {
	o := order{values: make([]any, q.t.Len()), sign: 1}
	text, down := strings.CutPrefix(strings.TrimSpace(src), "-")
	if down {
		o.sign = -1
	}
	parsed, err := q.parse(text)
	if err != nil {
		q.assumeParams()
		parsed, err = q.parse(text)
	}
	if err != nil {
		return o, wrongExpression("--sort", src, err)
	}
	e, err := q.ready(parsed)
	if err != nil {
		return o, err
	}
	for _, r := range rows {
		o.values[r] = q.value(e, r)
	}
	return o, nil
}

func (o order) compare(x, y int) int {
	a, b := o.values[x], o.values[y]
	switch {
	case absent(a) && absent(b):
		return 0
	case absent(a):
		return 1
	case absent(b):
		return -1
	}
	return o.sign * compareValues(a, b)
}

// absent says that a run has no such value: a number that is none is not one that is small or large.
func absent(v any) bool {
	f, isFloat := v.(float64)
	return v == nil || isFloat && math.IsNaN(f)
}

// compareValues orders two values of one type, as an expression gives them.
func compareValues(a, b any) int {
	less := func(x, y bool) int {
		switch {
		case x:
			return -1
		case y:
			return 1
		}
		return 0
	}
	switch x := a.(type) {
	case int64:
		y, _ := b.(int64)
		return less(x < y, x > y)
	case float64:
		y, _ := b.(float64)
		return less(x < y, x > y)
	case string:
		y, _ := b.(string)
		return strings.Compare(x, y)
	case bool:
		y, _ := b.(bool)
		return less(!x && y, x && !y)
	case time.Time:
		y, _ := b.(time.Time)
		return x.Compare(y)
	case rule.Duration:
		y, _ := b.(rule.Duration)
		return less(x < y, x > y)
	}
	return 0
}
