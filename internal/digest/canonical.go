package digest

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth   = 100     // deeper is a loop or an attack; documents stop at 32
	maxInteger = 1 << 53 // beyond it a JSON number no longer says which integer was meant
)

// Canonical gives v as RFC 8785 canonical JSON. v is made of maps with string keys, slices, arrays, pointers, booleans, numbers, strings,
// times (RFC 3339 in UTC) and values that marshal themselves to text (the local dates of TOML). A nil map is {}, a nil slice [].
//
// Refused, with the path of the culprit: integers beyond ±2^53, NaN, infinities, text that is not UTF-8, structs, other kinds.
func Canonical(v any) ([]byte, error) {
	e := encoder{}
	if err := e.any(v, 0); err != nil {
		return nil, err
	}
	return e.out, nil
}

type encoder struct {
	out []byte
}

var errDepth = errors.New("nested too deeply to digest")

// any writes what nearly all of a record is made of without reflection: ten thousand of them are digested when runs are listed.
func (e *encoder) any(v any, depth int) error {
	switch x := v.(type) {
	case string:
		return e.text(x)
	case float64:
		return e.float(x)
	case int64:
		return e.integer(x)
	case map[string]any:
		return plainObject(e, x, depth, func(v any) error { return e.any(v, depth+1) })
	case map[string]float64:
		return plainObject(e, x, depth, e.float)
	}
	return e.value(reflect.ValueOf(v), depth)
}

func plainObject[V any](e *encoder, object map[string]V, depth int, value func(V) error) error {
	if depth > maxDepth {
		return errDepth
	}
	keys := make([]string, 0, len(object))
	ascii := true
	for key := range object {
		keys = append(keys, key)
		ascii = ascii && isASCII(key)
	}
	if ascii {
		slices.Sort(keys)
	} else {
		slices.SortFunc(keys, compareUTF16)
	}
	e.out = append(e.out, '{')
	for i, key := range keys {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.text(key); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := value(object[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *encoder) value(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	if !v.IsValid() {
		e.out = append(e.out, "null"...)
		return nil
	}
	if done, err := e.special(v); done || err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return e.value(v.Elem(), depth+1)
	case reflect.Map:
		return e.object(v, depth)
	case reflect.Slice, reflect.Array:
		return e.array(v, depth)
	}
	return e.scalar(v)
}

// special writes the values whose meaning is not their Go kind.
func (e *encoder) special(v reflect.Value) (bool, error) {
	if k := v.Kind(); k == reflect.Interface || k == reflect.Pointer || !v.CanInterface() {
		return false, nil
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return true, e.text(x.UTC().Format(time.RFC3339Nano))
	case json.Number:
		return true, e.jsonNumber(x)
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return true, fmt.Errorf("digesting %T: %w", x, err)
		}
		return true, e.text(string(text))
	}
	return false, nil
}

func (e *encoder) scalar(v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Bool:
		e.out = strconv.AppendBool(e.out, v.Bool())
	case v.Kind() == reflect.String:
		return e.text(v.String())
	case v.CanInt():
		return e.integer(v.Int())
	case v.CanUint():
		if v.Uint() > maxInteger {
			return fmt.Errorf("%d is beyond ±2^53: write it as text", v.Uint())
		}
		return e.integer(int64(v.Uint()))
	case v.CanFloat():
		return e.float(v.Float())
	default:
		return fmt.Errorf("a value of type %s has no digest", v.Type())
	}
	return nil
}

func (e *encoder) integer(i int64) error {
	if i > maxInteger || i < -maxInteger {
		return fmt.Errorf("%d is beyond ±2^53: write it as text", i)
	}
	e.out = strconv.AppendInt(e.out, i, 10)
	return nil
}

func (e *encoder) jsonNumber(n json.Number) error {
	if i, err := n.Int64(); err == nil {
		return e.integer(i)
	}
	f, err := n.Float64()
	if err != nil {
		return fmt.Errorf("%q is not a number", string(n))
	}
	return e.float(f)
}

// float writes f as ECMAScript's Number::toString does (RFC 8785 §3.2.2.3): shortest digits that read back, exponent from 1e21 and below 1e-6.
func (e *encoder) float(f float64) error {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return fmt.Errorf("%v has no digest", f)
	case f == 0: // also -0
		e.out = append(e.out, '0')
		return nil
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		e.out = strconv.AppendFloat(e.out, f, 'f', -1, 64)
		return nil
	}
	// Go pads the exponent to two digits, ECMAScript does not.
	b := strconv.AppendFloat(nil, f, 'e', -1, 64)
	n := len(b)
	if b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') {
		b = append(b[:n-2], b[n-1])
	}
	e.out = append(e.out, b...)
	return nil
}

const hexDigits = "0123456789abcdef"

func (e *encoder) text(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("text %q is not UTF-8", s)
	}
	e.out = append(e.out, '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			e.out = append(e.out, '\\', c)
		case c >= 0x20:
			e.out = append(e.out, c)
		default:
			e.out = append(e.out, escapeControl(c)...)
		}
	}
	e.out = append(e.out, '"')
	return nil
}

func escapeControl(c byte) string {
	switch c {
	case '\b':
		return `\b`
	case '\t':
		return `\t`
	case '\n':
		return `\n`
	case '\f':
		return `\f`
	case '\r':
		return `\r`
	}
	return `\u00` + string([]byte{hexDigits[c>>4], hexDigits[c&15]})
}

func (e *encoder) array(v reflect.Value, depth int) error {
	e.out = append(e.out, '[')
	for i := range v.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.value(v.Index(i), depth+1); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	e.out = append(e.out, ']')
	return nil
}

func (e *encoder) object(v reflect.Value, depth int) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("a map with keys of type %s has no digest", v.Type().Key())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return compareUTF16(a.String(), b.String()) })
	e.out = append(e.out, '{')
	for i, key := range keys {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		if err := e.text(key.String()); err != nil {
			return err
		}
		e.out = append(e.out, ':')
		if err := e.value(v.MapIndex(key), depth+1); err != nil {
			return fmt.Errorf("%s: %w", key.String(), err)
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// compareUTF16 orders keys as RFC 8785 §3.2.3 does, by UTF-16 code units: U+1F600 comes before U+FB33.
func compareUTF16(a, b string) int {
	if isASCII(a) && isASCII(b) {
		return cmp.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
