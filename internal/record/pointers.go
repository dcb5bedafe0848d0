package record

import (
	"reflect"
	"strings"
)

// Named is a pointer and what the record says that it is of: the key that it stands under.
type Named struct {
	Key string // artifact, evaluation, detail, profile, log …
	Pointer
}

// Pointers lists what a record points at, in the order of its fields. v is a record or a pointer to one.
func Pointers(v any) []Named {
	var out []Named
	collect(reflect.ValueOf(v), "", &out)
	return out
}

// collect walks the fields, so that a pointer that a later record brings can't be overlooked by retention.
func collect(v reflect.Value, key string, out *[]Named) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), key, out)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collect(v.Index(i), key, out)
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			collect(at.Value(), key, out)
		}
	case reflect.Struct:
		if p, ok := v.Interface().(Pointer); ok {
			if p.SHA256 != "" {
				*out = append(*out, Named{key, p})
			}
			return
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if name, _, _ := strings.Cut(field.Tag.Get("toml"), ","); field.IsExported() && name != "-" {
				collect(v.Field(i), name, out)
			}
		}
	}
}
