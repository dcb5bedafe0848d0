package tomlio

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/plumb-ml/plumb/internal/problem"
)

// decoder sets Go values from the tree, by the struct tags, and reports what does not fit.
type decoder struct {
	pos  *Positions
	list *problem.List
	top  reflect.Type
}

// field is one key that a struct knows.
type field struct {
	name  string
	index []int
	def   string
	enum  []string
}

var fieldCache sync.Map // reflect.Type → []field

// fields lists the keys of a struct type, those of embedded structs among them.
func fields(t reflect.Type) []field {
	if have, ok := fieldCache.Load(t); ok {
		return have.([]field)
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && name == "":
			for _, inner := range fields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				out = append(out, inner)
			}
		case name != "" && name != "-":
			known := field{name: name, index: []int{i}, def: f.Tag.Get("default")}
			if e := f.Tag.Get("enum"); e != "" {
				known.enum = strings.Split(e, "|")
			}
			out = append(out, known)
		}
	}
	fieldCache.Store(t, out)
	return out
}

func (d *decoder) document(into any) {
	v := reflect.ValueOf(into).Elem()
	d.top = v.Type()
	d.set(v, d.pos.root, nil)
}

// set fills v with n; path is for messages.
func (d *decoder) set(v reflect.Value, n *node, path []string) {
	if n.kind == kindBroken {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		inner := reflect.New(v.Type().Elem())
		before := d.list.Len()
		d.set(inner.Elem(), n, path)
		if d.list.Len() == before {
			v.Set(inner)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf(plain(n)))
	case reflect.Struct:
		d.structure(v, n, path)
	case reflect.Map:
		d.mapping(v, n, path)
	case reflect.Slice:
		d.sequence(v, n, path)
	default:
		d.scalar(v, n, path)
	}
}

func (d *decoder) structure(v reflect.Value, n *node, path []string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if n.kind != kindTime {
			d.wrong(n, path, "a time such as 2001-06-30T12:00:00Z")
			return
		}
		v.Set(reflect.ValueOf(n.value))
		return
	}
	if n.kind != kindTable {
		d.wrong(n, path, "a table")
		return
	}
	known := fields(v.Type())
	for _, key := range n.keys {
		i := slices.IndexFunc(known, func(f field) bool { return f.name == key })
		if i < 0 {
			d.unknown(n, key, known)
			continue
		}
		d.set(v.FieldByIndex(known[i].index), n.kids[key], append(path, key))
		d.choice(v.FieldByIndex(known[i].index), n.kids[key], known[i])
	}
	defaults(v, n)
}

// unknown reports a key that the struct does not have, with the nearest that it or another part of the document has. The key that was meant then counts as there,
// so that one slip is not told twice.
func (d *decoder) unknown(table *node, key string, known []field) {
	n := table.kids[key]
	if n.kind == kindBroken {
		return
	}
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	d.list.Errorf(d.pos.pos(n.at), "unknown-key", "unknown key %q", key)
	if near := problem.Nearest(key, names); near != "" {
		d.list.Hint("did you mean %q?", near)
		if table.kids[near] == nil {
			table.kids[near] = &node{kind: kindBroken, at: n.at, start: n.at}
		}
		return
	}
	if where := elsewhere(d.top, key, nil); where != nil {
		d.list.Hint("did you mean %q in [%s]?", key, strings.Join(where, "."))
		return
	}
	slices.Sort(names)
	hint := "known here: " + strings.Join(names, ", ")
	if free := takesAny(d.top); free != "" {
		hint += fmt.Sprintf("; [%s] takes keys of any name", free)
	}
	d.list.Hint("%s", hint)
}

// takesAny names the table of a document's type that takes keys of any name and kind, as a learner's parameters; "" without one.
func takesAny(t reflect.Type) string {
	for _, f := range fields(t) {
		if of := t.FieldByIndex(f.index).Type; of.Kind() == reflect.Map && of.Elem().Kind() == reflect.Interface {
			return f.name
		}
	}
	return ""
}

// elsewhere finds a table of the document's type that knows the key.
func elsewhere(t reflect.Type, key string, path []string) []string {
	if t.Kind() != reflect.Struct || len(path) > 3 {
		return nil
	}
	for _, f := range fields(t) {
		if f.name == key && len(path) > 0 {
			return path
		}
		inner := t.FieldByIndex(f.index).Type
		if inner == reflect.TypeFor[time.Time]() {
			continue
		}
		if found := elsewhere(inner, key, append(slices.Clone(path), f.name)); found != nil {
			return found
		}
	}
	return nil
}

func (d *decoder) mapping(v reflect.Value, n *node, path []string) {
	if n.kind != kindTable {
		d.wrong(n, path, "a table")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, key := range n.keys {
		item := reflect.New(v.Type().Elem()).Elem()
		d.set(item, n.kids[key], append(path, key))
		if item.Kind() == reflect.Interface && item.IsNil() {
			continue
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
	}
}

func (d *decoder) sequence(v reflect.Value, n *node, path []string) {
	if n.kind != kindArray {
		d.wrong(n, path, "a list in [ ]")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.set(out.Index(i), item, append(path, strconv.Itoa(i)))
	}
	v.Set(out)
}

func (d *decoder) scalar(v reflect.Value, n *node, path []string) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := n.value.(string); ok {
			v.SetString(s)
			return
		}
		d.wrong(n, path, "text in quotes")
	case reflect.Bool:
		if b, ok := n.value.(bool); ok {
			v.SetBool(b)
			return
		}
		d.wrong(n, path, "true or false")
	case reflect.Int, reflect.Int64:
		if i, ok := n.value.(int64); ok {
			v.SetInt(i)
			return
		}
		d.wrong(n, path, "a whole number")
	case reflect.Float64:
		switch f := n.value.(type) {
		case float64:
			v.SetFloat(f)
			return
		case int64:
			v.SetFloat(float64(f))
			return
		}
		d.wrong(n, path, "a number")
	default:
		d.wrong(n, path, "something else")
	}
}

// wrong reports a value of the wrong type, which counts as unreadable from then on.
func (d *decoder) wrong(n *node, path []string, want string) {
	name := "the document"
	if len(path) > 0 {
		name = strings.Join(path, ".")
	}
	d.list.Errorf(d.pos.pos(n.start), "type", "%s must be %s, not %s", name, want, describe(n))
	n.kind = kindBroken
}

func describe(n *node) string {
	switch n.kind {
	case kindTable:
		return "a table"
	case kindArray:
		return "a list"
	case kindString:
		return fmt.Sprintf("text (%q)", clip(n.value.(string)))
	case kindTime:
		return "a time"
	}
	return fmt.Sprintf("%v", n.value)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// choice reports a value that is not one of those that the tag allows.
func (d *decoder) choice(v reflect.Value, n *node, f field) {
	if f.enum == nil || n.kind != kindString || v.Kind() != reflect.String || slices.Contains(f.enum, v.String()) {
		return
	}
	d.list.Errorf(d.pos.pos(n.start), "choice", "%s can't be %q: it is %s", f.name, clip(v.String()), problem.Or(f.enum))
	if near := problem.Nearest(v.String(), f.enum); near != "" {
		d.list.Hint("did you mean %q?", near)
	}
}

// defaults sets what the table does not say. Tables that are absent altogether have theirs set too.
func defaults(v reflect.Value, n *node) {
	for _, f := range fields(v.Type()) {
		var kid *node
		if n != nil {
			kid = n.kids[f.name]
		}
		target := v.FieldByIndex(f.index)
		switch {
		case kid != nil:
		case f.def != "":
			setDefault(target, f.def)
		case target.Kind() == reflect.Struct && target.Type() != reflect.TypeFor[time.Time]():
			defaults(target, nil)
		}
	}
}

func setDefault(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		i, _ := strconv.ParseInt(text, 10, 64)
		v.SetInt(i)
	case reflect.Float64:
		f, _ := strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	case reflect.Bool:
		v.SetBool(text == "true")
	case reflect.Interface:
		f, _ := strconv.ParseFloat(text, 64)
		v.Set(reflect.ValueOf(f))
	}
}

// plain gives a node as Go values: map[string]any, []any, string, int64, float64, bool, time.Time. What could not be read is left out.
func plain(n *node) any {
	switch n.kind {
	case kindTable:
		out := map[string]any{}
		for _, key := range n.keys {
			if kid := n.kids[key]; kid.kind != kindBroken {
				out[key] = plain(kid)
			}
		}
		return out
	case kindArray:
		out := []any{}
		for _, item := range n.items {
			if item.kind != kindBroken {
				out = append(out, plain(item))
			}
		}
		return out
	}
	return n.value
}
