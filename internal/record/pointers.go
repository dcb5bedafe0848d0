package record

import (
	"fmt"
	"path"
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

// Place gives the path in the ledger that a decoded record came from, and its header. The path is "" for what is no record.
func Place(v any) (string, Header) {
	switch v := v.(type) {
	case *Run:
		return dated("runs/"+v.Experiment, v.Header, v.ID), v.Header
	case *Snapshot:
		return dated("snapshots/"+v.Dataset, v.Header, v.ID), v.Header
	case *ComparisonRecord:
		return dated("comparisons/"+v.Comparison.Model, v.Header, v.ID), v.Header
	case *Monitor:
		return dated("monitors/"+v.Monitor, v.Header, v.ID), v.Header
	case *Decision:
		return dated("decisions/"+v.Choice, v.Header, v.ID), v.Header
	case *Version:
		return fmt.Sprintf("versions/%s/%d.toml", v.Model, v.Number), v.Header
	case *Stage:
		return fmt.Sprintf("stages/%s/%s/%d.toml", v.Model, v.Stage, v.Number), v.Header
	}
	return "", Header{}
}

func dated(folder string, h Header, id string) string {
	return path.Join(folder, h.Time.UTC().Format("2006-01"), id+".toml")
}
