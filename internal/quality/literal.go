package quality

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/plumb-ml/plumb/internal/doc"
	"github.com/plumb-ml/plumb/internal/table"
)

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// bound is one end of a range as a check states it.
type bound struct {
	name     string
	value    any
	operator string
	word     string
}

// limits gives the ends that k has.
func limits(k doc.Check) []bound {
	var out []bound
	if k.MinValue != nil {
		b := bound{"min_value", k.MinValue, ">=", "at least"}
		if k.StrictMin {
			b.operator, b.word = ">", "above"
		}
		out = append(out, b)
	}
	if k.MaxValue != nil {
		b := bound{"max_value", k.MaxValue, "<=", "at most"}
		if k.StrictMax {
			b.operator, b.word = "<", "below"
		}
		out = append(out, b)
	}
	return out
}

// holds compares a number with the end.
func (b bound) holds(x float64) bool {
	limit, ok := number(b.value)
	switch {
	case !ok || math.IsNaN(x):
		return false
	case b.operator == ">=":
		return x >= limit
	case b.operator == ">":
		return x > limit
	case b.operator == "<=":
		return x <= limit
	}
	return x < limit
}

func rangeWords(k doc.Check) string {
	var parts []string
	for _, b := range limits(k) {
		parts = append(parts, b.word+" "+show(b.value))
	}
	return strings.Join(parts, " and ")
}

// show writes a document's value for people.
func show(v any) string {
	switch x := v.(type) {
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case int:
		return float64(x), true
	case float64:
		return x, !math.IsNaN(x)
	}
	return 0, false
}

// literal writes a document's value as SQL of a column's type. The error ends a sentence that starts with the parameter's name.
func literal(v any, t table.Type) (string, error) {
	switch t {
	case table.Int64, table.Float64, table.Decimal:
		return numberLiteral(v)
	case table.Bool:
		if truth, ok := v.(bool); ok {
			return strconv.FormatBool(truth), nil
		}
		return "", fmt.Errorf("must be true or false")
	case table.Date, table.Timestamp:
		at, err := moment(v)
		if err != nil {
			return "", err
		}
		return "timestamp " + quote(at.UTC().Format("2006-01-02 15:04:05.999999")), nil
	}
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("must be text")
	}
	return quote(text), nil
}

func numberLiteral(v any) (string, error) {
	switch x := v.(type) {
	case int64:
		return "(" + strconv.FormatInt(x, 10) + ")", nil
	case int:
		return "(" + strconv.Itoa(x) + ")", nil
	case float64:
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			return "(" + strconv.FormatFloat(x, 'e', -1, 64) + ")", nil
		}
		return "cast('" + strconv.FormatFloat(x, 'g', -1, 64) + "' as double)", nil
	}
	return "", fmt.Errorf("must be a number")
}

// moment reads a time, or a text that is one; without an offset it is UTC.
func moment(v any) (time.Time, error) {
	if at, ok := v.(time.Time); ok {
		return at, nil
	}
	// The local dates and times of TOML print as text in these layouts too.
	text := fmt.Sprint(v)
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("must be a date or time, such as 2001-06-30 or 2001-06-30T12:00:00Z")
}

// duration reads "7d", "12h", "30m", "45s" or "2w".
func duration(v any) (time.Duration, error) {
	text := fmt.Sprint(v)
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(text); n > 1 {
		count, err := strconv.ParseFloat(text[:n-1], 64)
		unit, ok := units[text[n-1]]
		if err == nil && ok && count >= 0 && count*float64(unit) < math.MaxInt64 {
			return time.Duration(count * float64(unit)), nil
		}
	}
	return 0, fmt.Errorf("value must be a duration, such as \"7d\", not %q", text)
}
