package doc

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// plainOf gives a decoded document as plain maps, without what equals its default: the form that is digested, so that a default which comes later changes no digest.
func plainOf(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plainOf(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return t
		}
		out := map[string]any{}
		plainFields(v, out)
		return out
	case reflect.Map:
		out := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			out[it.Key().String()] = plainOf(it.Value())
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plainOf(v.Index(i))
		}
		return out
	}
	return v.Interface()
}

func plainFields(v reflect.Value, out map[string]any) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("toml")
		if f.Anonymous || name == "" || name == "-" || isDefault(v.Field(i), f.Tag.Get("default")) {
			continue
		}
		value := plainOf(v.Field(i))
		if m, ok := value.(map[string]any); ok && len(m) == 0 {
			continue
		}
		out[name] = value
	}
}

// isDefault says whether a value is the one that a document without it has.
func isDefault(v reflect.Value, text string) bool {
	if text == "" {
		return v.IsZero() || ((v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0)
	}
	switch x := v.Interface().(type) {
	case string:
		return x == text
	case int:
		return strconv.Itoa(x) == text
	case int64:
		return strconv.FormatInt(x, 10) == text
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && x == f
	}
	return false
}

// keysOf lists the keys that a struct knows.
func keysOf(v any) []string {
	var out []string
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("toml"); name != "" && name != "-" {
			out = append(out, strings.Split(name, ",")[0])
		}
	}
	return out
}
