package rule

import (
	"fmt"
	"math"
	"time"

	"github.com/plumb-ml/plumb/internal/table"
)

const (
	msPerDay = 86_400_000
	usPerDay = 86_400_000_000
)

// What operators and functions on times do. In SQL a duration is a bigint of milliseconds: the interval types of DuckDB and Trino agree on
// neither their precision nor their arithmetic. `interval '0.001' second` and date_diff they have in common.
var (
	midnight = &action{
		eval: func(a []any) any { return orNull(mulInt(a[0].(int64), usPerDay)) },
		sql:  func(a []operand) string { return "try_cast(" + a[0].text + " as timestamp)" },
	}
	later   = shift("+", addInt)
	earlier = shift("-", subInt)
	between = &action{
		eval: func(a []any) any { return floorDiv(a[0].(int64), 1000) - floorDiv(a[1].(int64), 1000) },
		sql: func(a []operand) string {
			return "date_diff('millisecond', date_trunc('millisecond', " + a[1].text + "), date_trunc('millisecond', " + a[0].text + "))"
		},
	}
	multiplySpan = &action{
		eval: func(a []any) any { return wholeOrNull(float64(a[0].(int64)) * a[1].(float64)) },
		sql:  func(a []operand) string { return narrow("round(" + a[0].text + " * " + a[1].text + ")") },
	}
	divideSpan = &action{
		eval: func(a []any) any {
			if a[1].(float64) == 0 {
				return nil
			}
			return wholeOrNull(float64(a[0].(int64)) / a[1].(float64))
		},
		sql: func(a []operand) string { return narrow("round(" + a[0].text + " * 1e0 / " + nonZero(a[1]) + ")") },
	}
	spanRatio = &action{
		eval: func(a []any) any { return ratio(float64(a[0].(int64)), float64(a[1].(int64))) },
		sql:  func(a []operand) string { return "(" + a[0].text + " * 1e0 / " + nonZero(a[1]) + ")" },
	}
	daysBetween = &action{
		eval: func(a []any) any { return a[1].(int64) - a[0].(int64) },
		sql:  func(a []operand) string { return "date_diff('day', " + a[0].text + ", " + a[1].text + ")" },
	}
	dayOf = &action{
		eval: func(a []any) any { return floorDiv(a[0].(int64), usPerDay) },
		sql:  func(a []operand) string { return "cast(" + a[0].text + " as date)" },
	}
	// dayofweek counts from another day on every engine, so the day is counted from a Monday.
	weekdayOf = &action{
		eval: func(a []any) any { return floorMod(a[0].(int64)+3, 7) + 1 },
		sql: func(a []operand) string {
			return "((date_diff('day', date '1970-01-05', " + a[0].text + ") % 7 + 7) % 7 + 1)"
		},
	}
	hourOf   = clock("hour", 3_600_000_000, 24)
	minuteOf = clock("minute", 60_000_000, 60)
	monthOf  = calendar("month", func(t time.Time) int { return int(t.Month()) })
	yearOf   = calendar("year", time.Time.Year)
)

// Times can be moved within and out of these years, by at most so much. Beyond, engines raise errors at limits of their own.
const (
	firstMoved = "0001-01-01 00:00:00"
	lastMoved  = "9999-12-31 23:59:59.999999"
	maxShift   = 100_000 * msPerDay // 273 years: as microseconds it still fits a float64
)

var (
	firstMovedAt = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	lastMovedAt  = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro()
)

// shift moves a timestamp by milliseconds.
func shift(op string, by func(a, b int64) (int64, bool)) *action {
	return &action{
		eval: func(a []any) any {
			us, ms := a[0].(int64), a[1].(int64)
			if us < firstMovedAt || us > lastMovedAt || ms < -maxShift || ms > maxShift {
				return nil
			}
			return orNull(by(us, ms*1000))
		},
		sql: func(a []operand) string {
			guard := fmt.Sprintf("%s between timestamp '%s' and timestamp '%s'", a[0].text, firstMoved, lastMoved)
			if !a[1].literal {
				guard += fmt.Sprintf(" and %s between -%d and %d", a[1].text, maxShift, maxShift)
			}
			// A float, because DuckDB holds what it multiplies an interval by to 32 bits when it is an integer.
			return fmt.Sprintf("case when %s then %s %s %s * 1e0 * interval '0.001' second end", guard, a[0].text, op, a[1].text)
		},
	}
}

// wholeOrNull rounds half away from zero to an int64.
func wholeOrNull(f float64) any {
	f = math.Round(f)
	if !(f >= math.MinInt64 && f < math.MaxInt64) {
		return nil
	}
	return int64(f)
}

func clock(name string, unit, of int64) *action {
	return &action{eval: func(a []any) any { return floorMod(floorDiv(a[0].(int64), unit), of) }, sql: called(name)}
}

func calendar(name string, part func(time.Time) int) *action {
	return &action{eval: func(a []any) any { return int64(part(time.Unix(a[0].(int64)*86400, 0).UTC())) }, sql: called(name)}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// onDay makes a step of a date, taking timestamps by their day.
func onDay(at int, typ table.Type, do *action, x *node) (*node, error) {
	d, err := asDay(at, x)
	if d == nil || err != nil {
		return nil, err
	}
	return strict(at, typ, do, d)
}

// asDay gives the day of a date or timestamp; nil for anything else.
func asDay(at int, x *node) (*node, error) {
	switch x.typ {
	case table.Date:
		return x, nil
	case table.Timestamp:
		return strict(at, table.Date, dayOf, x)
	}
	return nil, nil
}
