package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// contradiction says where two things that are written as JSON differ: what is said has to be in what was found; that may have more. Numbers may differ in
// the tenth digit, as they do between kinds of processors. "" when nothing does.
func contradiction(said, found any) string {
	a, errA := plainJSON(said)
	b, errB := plainJSON(found)
	if err := errors.Join(errA, errB); err != nil {
		return err.Error()
	}
	return differsAt("", a, b)
}

func plainJSON(v any) (out any, err error) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

func differsAt(at string, said, found any) string {
	switch a := said.(type) {
	case nil:
		if found == nil || isEmpty(found) {
			return ""
		}
	case map[string]any:
		b, ok := found.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(a)) {
			if !ok || b[key] == nil && a[key] != nil {
				return fmt.Sprintf("%s%s is not found again", at, key)
			}
			if where := differsAt(at+key+".", a[key], b[key]); where != "" {
				return where
			}
		}
		return ""
	case []any:
		b, ok := found.([]any)
		if !ok || len(a) != len(b) {
			return fmt.Sprintf("%shas %d entries, and %d are found", at, len(a), len(b))
		}
		for i := range a {
			if where := differsAt(fmt.Sprintf("%s%d.", at, i), a[i], b[i]); where != "" {
				return where
			}
		}
		return ""
	case float64:
		if b, ok := found.(float64); ok && math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) {
			return ""
		}
	default:
		if said == found {
			return ""
		}
	}
	return fmt.Sprintf("%s is %v, and %v is found", at, said, found)
}

// isEmpty is true for a list or table without entries, which some write as null.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func countNumbers(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += countNumbers(e)
		}
	case []any:
		for _, e := range v {
			n += countNumbers(e)
		}
	case float64:
		n = 1
	}
	return n
}
